"""The asyncio shell against an emulated board: a real process behind a real pseudo-terminal."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.board import MAX_WAITING_HAPPENINGS, Board
from firmware_bridge.errors import BridgeError, LinkDown, Refused
from firmware_bridge.messages import BuzzerPattern, LampMode, LeaseEnd

BOUND_S = 10.0  # a loaded machine; nothing here takes a tenth of it
VISIT = b"visit number one"
T = TypeVar("T")


class Host:
    """A board being run, and a patient ear."""

    def __init__(self, port: str) -> None:
        self.board = Board(port)
        self.past: list[h.Happening] = []

    async def until(self, kind: type[T]) -> T:
        """The next happening of this kind; those before it are in `past`."""
        async with asyncio.timeout(BOUND_S):
            while True:
                happening = await self.board.happenings.get()
                if isinstance(happening, kind):
                    return happening
                self.past.append(happening)


def live(port: str, story: Callable[[Host], Awaitable[None]]) -> Host:
    """Run the board's shell while `story` happens."""
    host = Host(port)

    async def both() -> None:
        running = asyncio.create_task(host.board.run())
        try:
            async with asyncio.timeout(2 * BOUND_S):
                await story(host)
            if running.done():
                running.result()  # run() never returns: this raises what ended it
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(both())
    return host


@pytest.fixture
def emulated() -> Iterator[EmulatedBoard]:
    with EmulatedBoard(zones=2, options=["--masses-g", "1000", "505", "--noise-g", "0"]) as board:
        yield board


async def unlocked(host: Host) -> None:
    await host.until(h.Connected)
    await host.board.unlock(VISIT, ttl_s=5)
    assert not (await host.until(h.BoltChanged)).locked


def test_a_whole_visit(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await unlocked(host)
        pulled_s = time.monotonic()
        assert emulated.control({"do": "pull"}) == {"ok": True}
        assert await host.until(h.LeaseOver) == h.LeaseOver(VISIT, LeaseEnd.OPENED)
        door = await host.until(h.DoorChanged)
        assert door.open
        assert abs(door.at_s - pulled_s) < 1.0  # the same clock; test_dialogue measures how well
        assert (await host.board.status()).door_open
        emulated.control({"do": "shut"})
        assert (await host.until(h.BoltChanged)).locked
        assert not (await host.until(h.DoorChanged)).open

    live(emulated.port, story)


def test_a_locked_door_does_not_give_way(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        assert emulated.control({"do": "pull"}) == {"ok": False}

    live(emulated.port, story)


def test_the_masses_follow_what_is_taken(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        seen: dict[int, float | None] = {}
        while seen != {0: 1000.0, 1: 505.0}:
            batch = await host.until(h.Masses)
            assert (batch.hz, len(batch.grams)) == (80, 8)
            seen[batch.zone_index] = batch.grams[-1]
        emulated.control({"do": "add", "zone": 1, "g": -505.0})
        while seen != {0: 1000.0, 1: 0.0}:
            batch = await host.until(h.Masses)
            seen[batch.zone_index] = batch.grams[-1]
        assert abs(batch.at_s - time.monotonic()) < 0.5

    live(emulated.port, story)


def test_lamp_and_buzzer_reach_the_board(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        await host.board.lamp(LampMode.OPEN)
        await host.board.buzzer(BuzzerPattern.PROMPT)
        state = emulated.control({"do": "state"})
        assert (state["lamp"], state["buzzer"]) == ("open", "prompt")

    live(emulated.port, story)


def test_the_temperature_is_told(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        assert await host.until(h.TemperatureRead) == h.TemperatureRead(0, 4.0)

    live(emulated.port, story)


def test_without_a_heartbeat_the_board_locks_again(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await unlocked(host)
        assert await host.until(h.LeaseOver) == h.LeaseOver(VISIT, LeaseEnd.HOST_SILENT)
        assert (await host.until(h.BoltChanged)).locked

    live(emulated.port, story)


def test_heartbeats_keep_the_lease_and_lock_ends_it(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await unlocked(host)
        for _ in range(20):  # of two zones, ten a second each: one second
            host.board.heartbeat()
            await host.until(h.Masses)
        assert emulated.control({"do": "state"})["lock_driven"]
        await host.board.lock()
        assert not emulated.control({"do": "state"})["lock_driven"]

    live(emulated.port, story)


def test_a_refused_unlock_gives_the_boards_reason() -> None:
    async def story(host: Host) -> None:
        assert (await host.until(h.Connected)).status.door_open
        with pytest.raises(Refused, match="door open"):
            await host.board.unlock(VISIT, ttl_s=5)

    with EmulatedBoard(zones=1, options=["--door-open"]) as emulated:
        live(emulated.port, story)


def test_an_unlock_that_nobody_waits_for_any_more_is_taken_back(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        asking = asyncio.create_task(host.board.unlock(VISIT, ttl_s=5))
        await asyncio.sleep(0)  # lets it ask, no more
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not (await host.board.status()).lock_driven
        assert await host.until(h.LeaseOver) == h.LeaseOver(VISIT, LeaseEnd.LOCK_ORDER)

    live(emulated.port, story)


def test_a_board_pulled_out_and_plugged_in_again_is_back_by_itself(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        first = await host.until(h.Connected)
        emulated.control({"do": "unplug"})
        assert "went away" in (await host.until(h.Disconnected)).why
        assert not host.board.connected
        emulated.control({"do": "replug"})
        again = await host.until(h.Connected)
        assert again.hello.boot_id == first.hello.boot_id
        assert (await host.until(h.Gap)).what == "link"

    assert live(emulated.port, story).board.counters.reconnects == 1


def test_a_board_pulled_out_while_released_is_locked_when_it_is_back(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await unlocked(host)
        emulated.control({"do": "unplug"})
        await host.until(h.Disconnected)
        emulated.control({"do": "replug"})
        assert not (await host.until(h.Connected)).status.lock_driven

    live(emulated.port, story)


def test_a_rebooted_board_is_greeted_anew(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        first = await host.until(h.Connected)
        emulated.control({"do": "reset"})
        assert "rebooted" in (await host.until(h.Disconnected)).why
        again = await host.until(h.Connected)
        assert again.hello.boot_id != first.hello.boot_id

    live(emulated.port, story)


def test_an_order_under_way_when_the_board_goes_is_told_that_it_went(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        emulated.control({"do": "unplug"})
        with pytest.raises(LinkDown):
            await host.board.lamp(LampMode.READY)

    live(emulated.port, story)


def test_without_a_board_orders_fail_and_heartbeats_do_nothing(tmp_path: Path) -> None:
    async def story(host: Host) -> None:
        assert "cannot open" in (await host.until(h.Disconnected)).why
        host.board.heartbeat()
        for order in (host.board.lock(), host.board.unlock(VISIT, 5), host.board.status()):
            with pytest.raises(LinkDown, match="not connected"):
                await order

    live(str(tmp_path / "no such port"), story)


def test_a_board_that_comes_later_is_found() -> None:
    emulated = EmulatedBoard(zones=1)

    async def story(host: Host) -> None:
        await host.until(h.Disconnected)
        emulated.start()
        await host.until(h.Connected)

    try:
        live(emulated.port, story)
    finally:
        emulated.stop()


def test_a_board_of_another_protocol_is_reported_with_both_versions() -> None:
    async def story(host: Host) -> None:
        why = (await host.until(h.Disconnected)).why
        assert why == "the board speaks protocol 7, this host speaks protocol 1"

    with EmulatedBoard(zones=1, options=["--protocol", "7"]) as emulated:
        live(emulated.port, story)


def test_a_second_host_on_the_same_port_is_refused(emulated: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        second = Host(emulated.port)
        running = asyncio.create_task(second.board.run())
        assert "cannot open" in (await second.until(h.Disconnected)).why
        running.cancel()
        await host.board.status()

    live(emulated.port, story)


@pytest.mark.parametrize(("visit", "ttl_s"), [(b"short", 5.0), (VISIT, 0.0), (VISIT, 66.0)])
def test_an_unlock_that_makes_no_sense_is_the_callers_mistake(visit: bytes, ttl_s: float) -> None:
    with pytest.raises(ValueError, match="want 16 bytes"):
        asyncio.run(Board("/dev/null").unlock(visit, ttl_s))


def test_a_user_who_does_not_listen_loses_masses_before_doors() -> None:
    board = Board("/dev/null")
    board._tell(opened := h.DoorChanged(open=True, at_s=1.0))
    for _ in range(MAX_WAITING_HAPPENINGS + 5):
        board._tell(h.Masses(0, 0.0, 80, [1.0]))
    assert board.happenings.get_nowait() == opened
    assert board.counters.happenings_dropped == 6


def test_the_newest_door_is_told_even_to_a_user_who_does_not_listen() -> None:
    board = Board("/dev/null")
    for n in range(MAX_WAITING_HAPPENINGS + 1):
        board._tell(h.DoorChanged(open=n % 2 == 0, at_s=float(n)))
    told = [board.happenings.get_nowait() for _ in range(board.happenings.qsize())]
    assert told[-1] == h.DoorChanged(open=True, at_s=float(MAX_WAITING_HAPPENINGS))


def test_the_emulator_ends_with_its_parent(emulated: EmulatedBoard) -> None:
    process = emulated._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    assert process.wait(BOUND_S) == 0


def test_an_emulator_that_cannot_start_says_so() -> None:
    with pytest.raises(BridgeError, match="did not start"):
        EmulatedBoard(options=["--no-such-option"]).start()
