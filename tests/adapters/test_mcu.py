"""The serial board in the cabinet's words, both ways."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from cabinet.adapters.mcu import SIGNAL_ATTEMPT_S, BoardParts
from cabinet.ports import PortError
from cabinet.units import VisitId, ZoneId
from firmware_bridge import happenings as felt
from firmware_bridge.board import Board
from firmware_bridge.errors import BridgeError, LinkDown, Refused
from firmware_bridge.messages import (
    BuzzerPattern,
    Capability,
    FaultCode,
    HelloReply,
    LampMode,
    LeaseEnd,
    Status,
)
from tests.support.virtual_time import run_in_virtual_time

V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
S1, S2 = ZoneId("s1"), ZoneId("s2")


@dataclass
class FakeBoard:
    """Takes orders, or fails them; tells what a test puts into `happenings`."""

    port: str = "/dev/ttyACM0"
    fails: BridgeError | None = None
    hangs: bool = False
    faults: int = 0
    orders: list[tuple[Any, ...]] = field(default_factory=list)
    happenings: asyncio.Queue[felt.Happening] = field(default_factory=asyncio.Queue)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def _order(self, *order: object) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails
        self.orders.append(order)

    async def unlock(self, visit: bytes, ttl_s: float) -> None:
        await self._order("unlock", visit, ttl_s)

    async def lock(self) -> None:
        await self._order("lock")

    async def clear_faults(self) -> None:
        await self._order("clear faults")

    async def lamp(self, mode: LampMode) -> None:
        await self._order("lamp", mode)

    async def buzzer(self, pattern: BuzzerPattern) -> None:
        await self._order("buzzer", pattern)

    async def status(self) -> Status:
        await self._order("status")
        return status(self.faults)

    def heartbeat(self) -> None:
        self.orders.append(("heartbeat",))


@dataclass
class Senses:
    """Writes down what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        self.told.append(("door found", is_open))

    def door(self, at_s: float, *, is_open: bool) -> None:
        self.told.append(("door", at_s, is_open))

    def bolt(self, at_s: float, *, locked: bool) -> None:
        self.told.append(("bolt", locked))

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.told.append(("masses", zone, at_s, hz, list(grams)))

    def gap(self, part: str, seconds: float) -> None:
        self.told.append(("gap", part, seconds))

    def temperature(self, probe: str, celsius: float) -> None:
        self.told.append(("temperature", probe, celsius))

    def part(self, part: str, why: str | None) -> None:
        self.told.append(("part", part, why))


def status(faults: int = 0, *, door_open: bool = False, locked: bool = True) -> Status:
    return Status(door_open, locked, lock_driven=False, uptime_ms=1, faults=faults)


def hello(zones: int = 2) -> HelloReply:
    return HelloReply(1, b"b" * 8, 1, zones, 80, Capability(0), "1.0")


def parts_of(board: FakeBoard, zones: Sequence[ZoneId | None] = (S1, S2), *, switches: bool = True) -> BoardParts:
    return BoardParts(cast("Board", board), zones, Senses(), switches=switches)


def told(*happenings: felt.Happening, zones: Sequence[ZoneId | None] = (S1, S2), switches: bool = True) -> list[Any]:
    """What the senses hear of it."""

    async def live() -> list[Any]:
        board = FakeBoard()
        parts = parts_of(board, zones, switches=switches)
        running = asyncio.create_task(parts.run())
        for happening in happenings:
            board.happenings.put_nowait(happening)
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert isinstance(parts._senses, Senses)
        return parts._senses.told

    return run_in_virtual_time(live())


# What it feels.


def test_a_connected_board_tells_that_it_is_there_and_where_door_and_bolt_are() -> None:
    assert told(felt.Connected(hello(), status(door_open=True, locked=False))) == [
        ("part", "board", None),
        ("part", "lock", None),
        ("bolt", False),
        ("door found", True),
    ]


def test_a_board_without_a_channel_of_ours_is_named_with_the_zone() -> None:
    heard = told(felt.Connected(hello(zones=1), status()))
    assert heard[0] == ("part", "board", "has 1 channels and none for s2: correct zones.channel")


def test_a_channel_that_nobody_uses_may_be_missing() -> None:
    assert told(felt.Connected(hello(zones=1), status()), zones=(S1, None))[0] == ("part", "board", None)


def test_a_board_that_connects_with_a_fault_has_no_lock_in_order() -> None:
    heard = told(felt.Connected(hello(), status(1 << FaultCode.NOT_LATCHED | 1 << FaultCode.DOOR_FORCED)))
    ((_, _, why),) = [line for line in heard if line[:2] == ("part", "lock")]
    assert "door forced, not latched" in why


def test_a_lost_board_is_named_with_its_port() -> None:
    assert told(felt.Disconnected("unplugged")) == [
        ("part", "board", "unplugged: check the cable and board.port (/dev/ttyACM0)")
    ]


def test_door_and_bolt_are_passed_on_with_the_boards_time() -> None:
    heard = told(felt.DoorChanged(open=True, at_s=4.5), felt.BoltChanged(locked=False, at_s=4.4))
    assert heard == [("door", 4.5, True), ("bolt", False)]


def test_switches_that_are_elsewhere_are_not_asked_of_the_board() -> None:
    changes = felt.DoorChanged(open=True, at_s=4.5), felt.BoltChanged(locked=False, at_s=4.4)
    heard = told(felt.Connected(hello(), status(door_open=True)), *changes, switches=False)
    assert {line[0] for line in heard} == {"part"}


def test_masses_go_to_the_zone_of_their_channel() -> None:
    assert told(felt.Masses(1, 2.0, 80, [1.0, None])) == [("masses", S2, 2.0, 80, [1.0, None])]


@pytest.mark.parametrize("channel", [0, 7])
def test_masses_of_a_channel_without_a_zone_are_dropped(channel: int) -> None:
    assert told(felt.Masses(channel, 2.0, 80, [1.0]), zones=(None, S2)) == []


@pytest.mark.parametrize(
    ("what", "part"),
    [("mass zone 1", "scale:s2"), ("mass zone 0", "board"), ("mass zone 9", "board"), ("link", "board")],
)
def test_a_gap_is_told_of_the_part_that_has_it(what: str, part: str) -> None:
    assert told(felt.Gap(0.5, what), zones=(None, S2)) == [("gap", part, 0.5)]


@pytest.mark.parametrize("code", list(FaultCode))
def test_every_fault_of_the_board_is_one_of_the_lock(code: FaultCode) -> None:
    ((_, part, why),) = told(felt.FaultRaised(code))
    assert (part, code.name.lower().replace("_", " ") in why) == ("lock", True)


def test_a_temperature_is_told_of_its_probe() -> None:
    assert told(felt.TemperatureRead(2, 4.5)) == [("temperature", "probe2", 4.5)]


def test_the_end_of_a_lease_is_no_news() -> None:
    assert told(felt.LeaseOver(b"v" * 16, LeaseEnd.EXPIRED)) == []


# What it is told.


def test_an_unlock_carries_the_visit_as_its_sixteen_bytes() -> None:
    board = FakeBoard()
    asyncio.run(parts_of(board).release(V, 8.0))
    ((order, visit, lease_s),) = board.orders
    assert (order, len(visit), lease_s) == ("unlock", 16, 8.0)


@pytest.mark.parametrize("verb", ["release", "engage", "clear_faults", "check"])
def test_a_board_that_is_away_fails_the_lock(verb: str) -> None:
    parts = parts_of(FakeBoard(fails=LinkDown("the board is not connected")))
    arguments = (V, 8.0) if verb == "release" else ()
    with pytest.raises(PortError, match="lock: the board is not connected"):
        asyncio.run(getattr(parts, verb)(*arguments))


def test_the_boards_own_reason_for_a_refusal_is_told() -> None:
    parts = parts_of(FakeBoard(fails=Refused("unlock refused: door open")))
    with pytest.raises(PortError, match="lock: unlock refused: door open"):
        asyncio.run(parts.release(V, 8.0))


def test_a_lock_without_faults_is_in_order() -> None:
    asyncio.run(parts_of(FakeBoard()).check())


def test_a_lock_with_faults_names_them_and_the_remedy() -> None:
    with pytest.raises(PortError, match="drive stuck: look at lock, bolt and door switch"):
        asyncio.run(parts_of(FakeBoard(faults=1 << FaultCode.DRIVE_STUCK)).check())


def test_a_fault_that_this_program_does_not_know_is_one_all_the_same() -> None:
    with pytest.raises(PortError, match="reports 32768"):
        asyncio.run(parts_of(FakeBoard(faults=1 << 15)).check())


@pytest.mark.parametrize("mode", ["off", "ready", "busy", "open", "alarm"])
def test_every_lamp_mode_of_the_port_is_one_of_the_board(mode: str) -> None:
    board = FakeBoard()
    asyncio.run(parts_of(board).lamp(mode))
    assert board.orders == [("lamp", LampMode[mode.upper()])]


@pytest.mark.parametrize("pattern", ["none", "ok", "prompt", "alarm"])
def test_every_buzzer_pattern_of_the_port_is_one_of_the_board(pattern: str) -> None:
    board = FakeBoard()
    asyncio.run(parts_of(board).buzzer(pattern))
    assert board.orders == [("buzzer", BuzzerPattern[pattern.upper()])]


def test_a_lamp_is_not_worth_a_long_wait() -> None:
    async def live() -> float:
        with pytest.raises(PortError, match="lamp: the board did not answer"):
            await parts_of(FakeBoard(hangs=True)).lamp("open")
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(live()) == pytest.approx(SIGNAL_ATTEMPT_S)


def test_a_buzzer_of_a_board_that_is_away_fails() -> None:
    with pytest.raises(PortError, match="buzzer: the board is not connected"):
        asyncio.run(parts_of(FakeBoard(fails=LinkDown("the board is not connected"))).buzzer("ok"))


def test_a_tick_of_the_machine_is_a_heartbeat() -> None:
    board = FakeBoard()
    parts_of(board).keep_alive()
    assert board.orders == [("heartbeat",)]
