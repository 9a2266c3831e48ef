"""The fault list on the running firmware: each fault breaks a part, and ends locked or alarmed within a second."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.messages import Answer, ClearFaults, Fault, FaultCode, LeaseEnded, Lock
from tests.firmware_bridge.running.conftest import Start
from tests.firmware_bridge.running.looking import in_time, opened, released
from tests.firmware_bridge.running.raw import RawHost

VISIT = bytes(range(16))
BOUND_MS = 1000
LOCK_FAULTS_REFUSE = frozenset(
    {
        *(FaultCode.DOOR_FORCED, FaultCode.NOT_LATCHED, FaultCode.DOOR_CONTACTS, FaultCode.DRIVE_STUCK),
        *(FaultCode.COIL_DEAD, FaultCode.BOLT_STUCK, FaultCode.BOLT_SWITCH, FaultCode.RELAY_WELDED),
        *(FaultCode.PUMP_SHORTED, FaultCode.MEMORY),
    }
)


class Bench:
    """One board and one host, and the words the rows below are told in."""

    def __init__(self, board: EmulatedBoard, host: RawHost) -> None:
        self.board, self.host = board, host
        self.since_ms = 0

    def mark(self) -> None:
        """The fault's condition holds from now on: the bound counts from here, on the board's own clock."""
        self.since_ms = self.host.status().uptime_ms

    def broken(self, *parts: str, zone: int | None = None) -> None:
        for part in parts:
            assert self.board.control({"do": "break", "what": part, "zone": zone})["ok"]

    def unlock(self) -> None:
        self.host.beat()
        assert self.host.signed_unlock(TEST_KEY, VISIT, 10_000) is Answer.OK

    def unlock_until_the_bolt_is_out(self) -> None:
        released(self.board, self.host, VISIT)

    def open(self) -> None:
        opened(self.board, self.host, VISIT)

    def shut(self) -> None:
        assert self.board.control({"do": "shut"})["ok"]


@pytest.fixture
def bench(board: EmulatedBoard) -> Iterator[Bench]:
    with RawHost(board.port) as host:
        yield Bench(board, host)


@dataclass(frozen=True)
class Row:
    fault: FaultCode
    happen: Callable[[Bench], None]
    zone: int = 0


def broken(*parts: str, zone: int | None = None) -> Callable[[Bench], None]:
    def happen(bench: Bench) -> None:
        bench.mark()
        bench.broken(*parts, zone=zone)

    return happen


def broken_then_unlocked(part: str) -> Callable[[Bench], None]:
    def happen(bench: Bench) -> None:
        bench.broken(part)
        bench.mark()
        bench.unlock()

    return happen


def broken_then_opened(part: str) -> Callable[[Bench], None]:
    def happen(bench: Bench) -> None:
        bench.broken(part)
        bench.unlock_until_the_bolt_is_out()
        bench.mark()
        bench.open()

    return happen


def welded_relay(bench: Bench) -> None:
    bench.broken("relay_welded")
    bench.unlock_until_the_bolt_is_out()
    bench.mark()
    bench.host.send(Lock())


def magnet_on_the_contacts(bench: Bench) -> None:
    bench.broken("magnet")
    bench.open()
    bench.mark()
    bench.host.send(Lock())


def bolt_jams_outside_the_strike(bench: Bench) -> None:
    bench.open()
    bench.host.wait(LeaseEnded)
    bench.broken("bolt_jammed_out")
    bench.mark()
    bench.shut()


def forced(bench: Bench) -> None:
    bench.mark()
    bench.board.control({"do": "force"})


ROWS: dict[str, Row] = {
    "welded relay": Row(FaultCode.RELAY_WELDED, welded_relay),
    "shorted pump": Row(FaultCode.PUMP_SHORTED, broken_then_unlocked("pump_shorted")),
    "both switches through": Row(FaultCode.DRIVE_STUCK, broken("relay_welded", "pump_shorted")),
    "cut coil": Row(FaultCode.COIL_DEAD, broken_then_unlocked("coil_cut")),
    "dead relay": Row(FaultCode.COIL_DEAD, broken_then_unlocked("relay_dead")),
    "dead pump": Row(FaultCode.COIL_DEAD, broken_then_unlocked("pump_dead")),
    "door contact A glued shut": Row(FaultCode.DOOR_CONTACTS, broken_then_opened("door_a_shut")),
    "door contact A glued open": Row(FaultCode.DOOR_CONTACTS, broken("door_a_open")),
    "door contact B glued shut": Row(FaultCode.DOOR_CONTACTS, broken_then_opened("door_b_shut")),
    "door contact B glued open": Row(FaultCode.DOOR_CONTACTS, broken("door_b_open")),
    "magnet on both door contacts": Row(FaultCode.NOT_LATCHED, magnet_on_the_contacts),
    "bolt switch glued home": Row(FaultCode.BOLT_STUCK, broken_then_unlocked("bolt_home")),
    "bolt switch glued out": Row(FaultCode.NOT_LATCHED, broken("bolt_out")),
    "bolt jammed outside the strike": Row(FaultCode.NOT_LATCHED, bolt_jams_outside_the_strike),
    "bolt jammed in the strike": Row(FaultCode.BOLT_STUCK, broken_then_unlocked("bolt_jammed_in")),
    "door forced": Row(FaultCode.DOOR_FORCED, forced),
    "housing opened": Row(FaultCode.HOUSING_OPEN, broken("housing_open")),
    "cut cell": Row(FaultCode.CELL_DEAD, broken("cell_dead", zone=1), zone=1),
    "stuck counts": Row(FaultCode.CELL_STUCK, broken("cell_stuck", zone=1), zone=1),
    "saturated cell": Row(FaultCode.CELL_SATURATED, broken("cell_saturated", zone=1), zone=1),
    "slipping converter": Row(FaultCode.CELL_NOISY, broken("cell_slipping", zone=0)),
    "spiking converter": Row(FaultCode.CELL_NOISY, broken("cell_spiking", zone=0)),
    "cut probe": Row(FaultCode.PROBE_OPEN, broken("probe_open")),
    "shorted probe": Row(FaultCode.PROBE_SHORT, broken("probe_short")),
    "dead memory": Row(FaultCode.MEMORY, broken("memory_dead")),
    "corrupt memory": Row(FaultCode.MEMORY, broken("memory_corrupt")),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_within_a_second_it_is_alarmed_nothing_drives_the_lock_and_a_fault_of_it_refuses(
    start: Start, row: Row
) -> None:
    def attempt(board: EmulatedBoard) -> float:
        with RawHost(board.port) as host:
            bench = Bench(board, host)
            row.happen(bench)
            fault = host.wait(Fault, lambda fault: fault.raised and fault.code is row.fault)
            assert fault.detail == row.zone
            status = host.status()
            assert not status.lock_driven
            assert status.faults >> row.fault & 1
            assert status.cells == (1 << row.zone if row.fault.name.startswith("CELL") else 0)
            if row.fault in LOCK_FAULTS_REFUSE:
                assert host.signed_unlock(TEST_KEY, bytes(16), 3000) in (Answer.FAULT, Answer.DOOR_OPEN)
        return fault.t_ms - bench.since_ms - BOUND_MS

    in_time(start, attempt, 0.0)


def test_a_fault_cleared_with_its_cause_still_there_comes_back(bench: Bench) -> None:
    bench.broken("door_a_open")
    raised = [contacts(bench).raised]
    bench.host.send(ClearFaults())
    raised += [contacts(bench).raised, contacts(bench).raised]
    assert raised == [True, False, True]


def test_a_fault_cleared_with_its_cause_gone_lets_the_next_shopper_in(bench: Bench) -> None:
    bench.broken("door_a_open")
    contacts(bench)
    bench.board.control({"do": "break", "what": "door_a_open", "on": False})
    bench.host.until(lambda: not bench.host.status().door_open)
    bench.host.send(ClearFaults())
    assert not contacts(bench).raised
    bench.unlock()


def contacts(bench: Bench) -> Fault:
    """The next word about the door's contacts."""
    return bench.host.wait(Fault, lambda fault: fault.code is FaultCode.DOOR_CONTACTS)
