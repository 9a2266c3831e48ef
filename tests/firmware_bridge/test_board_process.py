"""The asyncio shell against the emulated board: a real process behind a real pseudo-terminal, in real time.

Only what needs both: what the shell does with answers and losses is in test_board and test_ordering.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.board import Board
from firmware_bridge.codes import Answer, BuzzerPattern, LampMode, LeaseEnd
from firmware_bridge.errors import LinkDown, Refused

BOUND_S = 60.0  # a loaded machine; nothing here takes a tenth of it
BEAT_S = 0.1
VISIT = b"visit number one"
KEY = bytes(range(2, 34))
T = TypeVar("T")


class Host:
    """A board being run, and a patient ear."""

    def __init__(self, port: str, key: bytes | None) -> None:
        self.board = Board(port, key=key)
        self.past: list[h.Happening] = []

    async def until(self, kind: type[T]) -> T:
        """The next happening of this kind; those before it are in `past`."""
        async with asyncio.timeout(BOUND_S):
            while True:
                happening = await self.board.happenings.get()
                if isinstance(happening, kind):
                    return happening
                self.past.append(happening)

    async def beat(self) -> None:
        while True:
            self.board.heartbeat()
            await asyncio.sleep(BEAT_S)

    async def unlocked(self) -> None:
        """A lease granted, the bolt out."""
        await self.until(h.Connected)
        await self.board.unlock(VISIT, 10)
        assert not (await self.until(h.BoltChanged)).locked


Story = Callable[[Host], Awaitable[None]]


def live(port: str, story: Story, key: bytes | None = KEY, *, beating: bool = True) -> Host:
    """Run the board's shell while `story` happens."""
    host = Host(port, key)

    async def both() -> None:
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(host.board.run())]
        if beating:
            tasks.append(asyncio.create_task(host.beat()))
        try:
            async with asyncio.timeout(2 * BOUND_S):
                await story(host)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    asyncio.run(both())
    return host


def emulated_board(**words: Any) -> EmulatedBoard:
    return EmulatedBoard(zones=2, key=KEY, options=["--masses-g", "1000", "505", "--noise-g", "0"], **words)


@pytest.fixture(scope="module")
def shared() -> Iterator[EmulatedBoard]:
    """For stories that leave the door shut and the lock locked."""
    with emulated_board() as board:
        yield board


def test_a_whole_visit_of_a_port_seen_on_both_sides(shared: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.unlocked()
        pulled_s = time.monotonic()
        assert shared.control({"do": "pull"}) == {"ok": True}
        door = await host.until(h.DoorChanged)
        assert door.open
        assert abs(door.at_s - pulled_s) < 1.0  # the same clock; test_dialogue measures how well
        assert await host.until(h.LeaseOver) == h.LeaseOver(VISIT, LeaseEnd.OPENED)
        assert (await host.board.status()).door_open
        await host.board.lamp(LampMode.OPEN)
        await host.board.buzzer(BuzzerPattern.PROMPT)
        state = shared.control({"do": "state"})
        assert (state["lamp"], state["buzzer"], state["lock_driven"]) == ("open", "prompt", False)
        shared.control({"do": "shut"})
        while (await host.until(h.DoorChanged)).open:
            pass

    live(shared.port, story)


def test_without_a_heartbeat_the_board_locks_again(shared: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.unlocked()
        assert await host.until(h.LeaseOver) == h.LeaseOver(VISIT, LeaseEnd.HOST_SILENT)
        assert not shared.control({"do": "state"})["lock_driven"]

    live(shared.port, story, beating=False)


def test_the_masses_follow_what_is_taken(shared: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        seen: dict[int, float | None] = {}
        while seen != {0: 1000.0, 1: 505.0}:
            batch = await host.until(h.Masses)
            seen[batch.zone_index] = batch.grams[-1]
        shared.control({"do": "add", "zone": 1, "g": -505.0})
        while seen != {0: 1000.0, 1: 0.0}:
            batch = await host.until(h.Masses)
            seen[batch.zone_index] = batch.grams[-1]
        assert abs(batch.at_s - time.monotonic()) < 1.0
        shared.control({"do": "mass", "zone": 1, "g": 505.0})

    live(shared.port, story)


def test_a_host_with_another_key_is_refused_and_one_without_a_key_does_not_even_ask(shared: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        with pytest.raises(Refused) as caught:
            await host.board.unlock(VISIT, 5)
        told.append(caught.value.answer)
        assert not (await host.board.status()).lock_driven

    told: list[Answer] = []
    live(shared.port, story, key=bytes(reversed(KEY)))
    live(shared.port, story, key=None)
    assert told == [Answer.UNSIGNED, Answer.NO_KEY]


def test_a_second_host_is_told_who_has_the_board_and_the_first_goes_on(shared: EmulatedBoard) -> None:
    async def story(host: Host) -> None:
        await host.until(h.Connected)
        second = Host(shared.port, KEY)
        running = asyncio.create_task(second.board.run())
        assert f"{shared.port} is held by" in (await second.until(h.Disconnected)).why
        running.cancel()
        await host.board.status()

    live(shared.port, story)


def test_a_board_pulled_out_while_released_is_locked_when_it_is_back_and_its_journal_goes_on() -> None:
    with emulated_board() as emulated:

        async def story(host: Host) -> None:
            await host.unlocked()
            emulated.control({"do": "unplug"})
            assert "went away" in (await host.until(h.Disconnected)).why
            emulated.control({"do": "replug"})
            assert not (await host.until(h.Connected)).status.lock_driven
            while not any(
                isinstance(told, h.Journaled) and told.entry.kind == 3 for told in host.past
            ):  # the lease's end was written while nobody listened
                host.past.append(await host.board.happenings.get())

        host = live(emulated.port, story)
    journal = [told.entry.index for told in host.past if isinstance(told, h.Journaled)]
    assert journal == list(range(1, len(journal) + 1))
    assert host.board.counters.reconnects == 1


def test_a_reset_board_is_greeted_anew() -> None:
    with emulated_board() as emulated:

        async def story(host: Host) -> None:
            first = await host.until(h.Connected)
            emulated.control({"do": "reset"})
            await host.until(h.Disconnected)
            again = await host.until(h.Connected)
            assert again.hello.boot_id != first.hello.boot_id
            assert again.hello.board_id == first.hello.board_id

        live(emulated.port, story)


def test_a_board_that_comes_later_is_found_and_commissioned_and_unlocks() -> None:
    emulated = EmulatedBoard(zones=1, key=None)

    async def story(host: Host) -> None:
        await host.until(h.Disconnected)
        with pytest.raises(LinkDown):
            await host.board.lock()
        emulated.start()
        assert not (await host.until(h.Connected)).hello.keyed
        await host.board.commission(KEY, 10, 100)
        await host.board.unlock(VISIT, 5)
        assert not (await host.until(h.BoltChanged)).locked

    try:
        live(emulated.port, story, key=None)
    finally:
        emulated.stop()
