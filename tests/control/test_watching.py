"""The live view: every watcher hears everything, and a slow one costs nobody else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from cabinet.basket.evidence import Mass, Sighting, Zone
from cabinet.control.watching import MAX_WATCH_BACKLOG, BoardWatching, Watching
from cabinet.daemon import Happened
from cabinet.parts import Part
from cabinet.scales import Scales
from cabinet.session import effects as do
from cabinet.session.events import ShopperApproached
from cabinet.session.states import Authenticating, Idle
from cabinet.units import CameraId, VisitId, ZoneId
from tests.control.room import Desk
from tests.support.virtual_time import run_in_virtual_time

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
STEP = Happened(1.5, ShopperApproached(1.5, V), Idle(), Authenticating(V, 9.0), (do.LookForMember(V),))


def watching() -> Watching:
    return Watching(Idle, lambda: "Hello")


async def heard(watcher: AsyncIterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    return [await anext(watcher) for _ in range(count)]


def test_a_watcher_is_greeted_with_where_things_stand() -> None:
    async def story() -> None:
        (hello,) = await heard(watching().watch(), 1)
        assert hello == {"type": "hello", "state": "Idle", "screen": "Hello"}

    asyncio.run(story())


def test_every_watcher_hears_every_step() -> None:
    async def story() -> None:
        live = watching()
        watchers = [live.watch(), live.watch()]
        for watcher in watchers:
            await heard(watcher, 1)
        live.happened(STEP)
        for watcher in watchers:
            (step,) = await heard(watcher, 1)
            assert (step["event"], step["before"], step["after"]) == ("ShopperApproached", "Idle", "Authenticating")
            assert step["effects"] == ["LookForMember"]

    asyncio.run(story())


def test_parts_and_sightings_are_told_and_masses_are_not() -> None:
    async def story() -> None:
        live = watching()
        watcher = live.watch()
        await heard(watcher, 1)
        live.sensed(Mass(0.0, ZoneId("s1"), 80.0, (1.0,)))
        live.sensed(Sighting(1.0, CameraId("top"), ZoneId("s1"), "take", 0.0, 1.0, {}, 1.0))
        live.part_changed(Part("board", "unplugged", 0.0, needed=True))
        sighting, part = await heard(watcher, 2)
        assert (sighting["type"], sighting["action"]) == ("sighting", "take")
        assert part == {"type": "part", "part": "board", "ok": False, "why": "unplugged"}

    asyncio.run(story())


def test_a_step_that_changes_nothing_is_not_told() -> None:
    async def story() -> None:
        live = watching()
        watcher = live.watch()
        await heard(watcher, 1)
        live.happened(Happened(1.0, ShopperApproached(1.0, V), Idle(), Idle(), ()))
        live.tell({"type": "next"})
        assert await heard(watcher, 1) == [{"type": "next"}]

    asyncio.run(story())


def test_a_slow_watcher_loses_lines_and_delays_nobody() -> None:
    async def story() -> None:
        live = watching()
        slow, quick = live.watch(), live.watch()
        for watcher in (slow, quick):
            await heard(watcher, 1)
        for n in range(MAX_WATCH_BACKLOG + 5):
            live.tell({"n": n})
            assert await heard(quick, 1) == [{"n": n}]
        assert await heard(slow, MAX_WATCH_BACKLOG) == [{"n": n} for n in range(MAX_WATCH_BACKLOG)]

    asyncio.run(story())


def test_a_watcher_that_leaves_is_forgotten() -> None:
    async def story() -> None:
        live = watching()
        watcher = live.watch()
        await heard(watcher, 1)
        await watcher.aclose()  # type: ignore[attr-defined]  # it is a generator
        assert not live.watchers

    asyncio.run(story())


# The board and the scales.


def board_watching(desk: Desk, scales: Scales | None = None) -> BoardWatching:
    return BoardWatching(desk, scales or Scales({}))


def test_a_watcher_of_the_board_begins_with_its_facts_and_hears_what_it_tells() -> None:
    async def story() -> None:
        live = board_watching(Desk())
        watcher = live.board()
        (info,) = await heard(watcher, 1)
        assert (info["type"], info["board"]) == ("info", "aa" * 8)
        live.watchers.tell({"type": "door", "open": True})
        assert await heard(watcher, 1) == [{"type": "door", "open": True}]

    asyncio.run(story())


def test_the_link_is_told_every_second_however_much_else_there_is() -> None:
    async def story() -> None:
        live = board_watching(Desk())
        watcher = live.board()
        await heard(watcher, 1)
        kinds = []
        for n in range(30):
            live.watchers.tell({"type": "bolt", "n": n})
            kinds.append((await heard(watcher, 1))[0]["type"])
            await asyncio.sleep(0.1)
        assert 2 <= kinds.count("link") <= 3

    run_in_virtual_time(story())


def test_a_quiet_board_still_tells_of_its_link() -> None:
    async def story() -> None:
        watcher = board_watching(Desk(away="unplugged")).board()
        _, first, second = await heard(watcher, 3)
        assert (first["type"], first["connected"], second["type"]) == ("link", False, "link")

    run_in_virtual_time(story())


def test_a_watcher_of_the_scales_gets_figures_and_each_batch_once() -> None:
    async def story() -> None:
        scales = Scales({ZoneId("s1"): Zone()})
        watcher = board_watching(Desk(), scales).weighing()
        await heard(watcher, 1)
        curve: list[float | None] = []
        for n in range(20):
            scales.add(ZoneId("s1"), asyncio.get_running_loop().time() + 0.001, 80.0, [float(n)] * 8)
            if n % 5 == 4:
                (line,) = await heard(watcher, 1)
                curve += line["zones"]["s1"]["new_g"]
        assert curve == [float(n) for n in range(20)]
        assert (line["type"], line["zones"]["s1"]["hz"]) == ("scales", 80.0)

    run_in_virtual_time(story())


def test_a_batch_of_bad_samples_is_a_hole_in_the_curve() -> None:
    async def story() -> None:
        scales = Scales({ZoneId("s1"): Zone()})
        watcher = board_watching(Desk(), scales).weighing()
        await heard(watcher, 1)
        scales.add(ZoneId("s1"), 0.1, 80.0, [None] * 8)
        scales.zones[ZoneId("s1")].note_bad(0.1, ["saturated"] * 8)
        (line,) = await heard(watcher, 1)
        zone = line["zones"]["s1"]
        assert (zone["new_g"], zone["bad"], zone["bad_share"], zone["g"]) == ([None], {"saturated": 8}, 1.0, None)

    run_in_virtual_time(story())
