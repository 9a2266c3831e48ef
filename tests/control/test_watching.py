"""The live view: every watcher hears everything, and a slow one costs nobody else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from cabinet.basket.evidence import Mass, Sighting
from cabinet.control.watching import MAX_WATCH_BACKLOG, Watching
from cabinet.daemon import Happened
from cabinet.parts import Part
from cabinet.session import effects as do
from cabinet.session.events import ShopperApproached
from cabinet.session.states import Authenticating, Idle
from cabinet.units import CameraId, VisitId, ZoneId

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
        assert not live._watchers

    asyncio.run(story())
