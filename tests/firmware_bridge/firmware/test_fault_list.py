"""The fault list of PROTOCOL.md, row by row, on the whole board: broken in the world, raised in its time, locked."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.faults import BLOCKING, LATCHED
from firmware_bridge.firmware.fitted_by import Fitted
from tests.firmware_bridge.firmware.bench import VISIT, Bench

WITHIN_MS = 1000


def breaks(name: str, zone: int | None = None) -> Callable[[Bench], None]:
    return lambda bench: bench.world.break_part(name, on=True, zone=zone)


def resting(_: Bench) -> None:
    """Nothing but a shut cabinet."""


def driving(bench: Bench) -> None:
    """A lease of which the door has not been opened yet."""
    assert bench.unlock(ttl_ms=10_000) == c.OK
    bench.run(400)


def open_door(bench: Bench) -> None:
    bench.open_door()
    bench.run(400)


def forced(bench: Bench) -> None:
    bench.world.force()


def unlocked(bench: Bench) -> None:
    bench.unlock(ttl_ms=10_000)


def locked(bench: Bench) -> None:
    bench.order(c.LOCK)


def welded_and_locked(bench: Bench) -> None:
    bench.world.break_part("relay_welded")
    locked(bench)


def all_welded_and_locked(bench: Bench) -> None:
    bench.world.break_part("pump_shorted")
    welded_and_locked(bench)


def all_welded(bench: Bench) -> None:
    bench.world.break_part("pump_shorted")
    bench.world.break_part("relay_welded")


def jammed_and_shut(bench: Bench) -> None:
    bench.world.break_part("bolt_jammed_out")
    bench.world.shut()


def lease_over_behind_a_magnet(bench: Bench) -> None:
    """The door is opened, but a magnet keeps both contacts saying shut; the lease runs out."""
    bench.world.break_part("magnet")
    bench.world.pull()
    bench.order(c.LOCK)


def noise(bench: Bench) -> None:
    bench.board.receive(b"noise\0" * 10, bench.now_ms)


def wrong_macs(bench: Bench) -> None:
    for _ in range(3):
        bench.challenge()
        bench.order(c.UNLOCK, bytes(34))


def jammed_in_and_unlocked(bench: Bench) -> None:
    bench.world.break_part("bolt_jammed_in")
    unlocked(bench)


def unlocked_with(name: str) -> Callable[[Bench], None]:
    def act(bench: Bench) -> None:
        bench.world.break_part(name)
        unlocked(bench)

    return act


@dataclass(frozen=True)
class Row:
    name: str
    before: Callable[[Bench], None]
    act: Callable[[Bench], None]
    fault: int
    detail: int = 0
    within_ms: int = WITHIN_MS


ROWS = [
    Row("door forced", resting, forced, c.DOOR_FORCED, within_ms=100),
    Row("bolt jammed out", open_door, jammed_and_shut, c.NOT_LATCHED),
    Row("bolt switch glued out", resting, breaks("bolt_out"), c.NOT_LATCHED),
    Row("magnet at the contacts", driving, lease_over_behind_a_magnet, c.NOT_LATCHED),
    Row("noisy wire", driving, noise, c.NOISY_WIRE, within_ms=50),
    Row(
        "contact A glued shut, door opened",
        driving,
        lambda b: (breaks("door_a_shut")(b), b.world.pull())[0],
        c.CONTACTS,
    ),
    Row(
        "contact B glued shut, door opened",
        driving,
        lambda b: (breaks("door_b_shut")(b), b.world.pull())[0],
        c.CONTACTS,
    ),
    Row("contact A glued open", resting, breaks("door_a_open"), c.CONTACTS, within_ms=100),
    Row("contact B glued open", resting, breaks("door_b_open"), c.CONTACTS, within_ms=100),
    Row("relay and pump welded at rest", resting, all_welded, c.DRIVE_STUCK),
    Row("coil cut", resting, unlocked_with("coil_cut"), c.COIL_DEAD),
    Row("pump dead", resting, unlocked_with("pump_dead"), c.COIL_DEAD),
    Row("relay dead", resting, unlocked_with("relay_dead"), c.COIL_DEAD),
    Row("coil cut in the middle of a lease", driving, breaks("coil_cut"), c.COIL_DEAD, within_ms=250),
    Row("bolt jammed home", resting, jammed_in_and_unlocked, c.BOLT_STUCK),
    Row("bolt switch glued home, door open", open_door, breaks("bolt_home"), c.BOLT_SWITCH, within_ms=100),
    Row("relay welded", driving, welded_and_locked, c.RELAY_WELDED, within_ms=100),
    Row("relay and pump welded in a lease", driving, all_welded_and_locked, c.RELAY_WELDED, within_ms=100),
    Row("pump shorted", resting, unlocked_with("pump_shorted"), c.PUMP_SHORTED, within_ms=100),
    Row("housing open", resting, breaks("housing_open"), c.HOUSING_OPEN, within_ms=50),
    Row("cell dead", resting, breaks("cell_dead", 1), c.CELL_DEAD, 1),
    Row("cell saturated", resting, breaks("cell_saturated", 1), c.CELL_SATURATED, 1),
    Row("cell noisy by slips", resting, breaks("cell_slipping", 1), c.CELL_NOISY, 1),
    Row("cell noisy by spikes", resting, breaks("cell_spiking", 1), c.CELL_NOISY, 1),
    Row("cell stuck", resting, breaks("cell_stuck", 1), c.CELL_STUCK, 1),
    Row("probe open", resting, breaks("probe_open"), c.PROBE_OPEN, within_ms=1010),
    Row("probe short", resting, breaks("probe_short"), c.PROBE_SHORT, within_ms=1010),
    Row("probe frozen", resting, breaks("probe_frozen"), c.PROBE_FROZEN, within_ms=61_100),
    Row("memory dead", resting, breaks("memory_dead"), c.MEMORY),
    Row("memory corrupt", resting, breaks("memory_corrupt"), c.MEMORY),
    Row("unsigned unlocks", resting, wrong_macs, c.UNSIGNED_UNLOCKS, within_ms=50),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_fault_is_raised_in_its_time_and_leaves_the_lock_undriven(row: Row) -> None:
    bench = Bench().hello()
    bench.run(1500)
    row.before(bench)
    assert bench.faults() == []
    row.act(bench)
    bench.run(row.within_ms)
    assert (row.fault, row.detail, True) in bench.faults()
    assert not bench.board.relay
    assert not bench.board.pump


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_fault_blocks_is_held_or_is_only_told_as_its_class_says(row: Row) -> None:
    bench = Bench().hello()
    bench.run(1500)
    row.before(bench)
    row.act(bench)
    bench.run(row.within_ms)
    held = row.fault not in (c.NOISY_WIRE, c.UNSIGNED_UNLOCKS)
    assert bool(bench.fault_bits() >> row.fault & 1) is held
    if BLOCKING >> row.fault & 1:
        if LATCHED >> row.fault & 1:
            bench.world.shut()  # which mends nothing
            bench.run(50)
        assert bench.unlock() in (c.FAULTY, c.DOOR_OPEN)
        bench.run(500)
        assert not bench.board.relay


@pytest.mark.parametrize("row", [row for row in ROWS if LATCHED >> row.fault & 1], ids=lambda row: row.name)
def test_a_latched_fault_ends_the_lease(row: Row) -> None:
    bench = Bench().hello()
    bench.run(1500)
    row.before(bench)
    row.act(bench)
    bench.run(row.within_ms)
    assert bench.board.doorkeeper.lease.visit is None
    if row.act in (unlocked, jammed_in_and_unlocked):
        assert bench.ends() == [(VISIT, c.FAULT_ENDED)]


MENDED = ["bolt switch glued out", "housing open", "cell dead", "cell saturated", "cell stuck", "cell noisy by slips"]
MENDED += ["probe open", "probe short"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in MENDED], ids=lambda row: row.name)
def test_a_passing_fault_goes_with_its_cause(row: Row) -> None:
    bench = Bench().hello()
    bench.run(1500)
    row.act(bench)
    bench.run(row.within_ms)
    for broken in (bench.world.broken, *(cell.broken for cell in bench.world.cells)):
        for name in list(broken):
            bench.world.break_part(name, on=False, zone=1)
    bench.run(2000)
    assert bench.faults() == [(row.fault, row.detail, True), (row.fault, row.detail, False)]
    assert bench.fault_bits() == 0


@pytest.mark.parametrize(
    ("name", "fault"),
    [("door_a_open", c.CONTACTS), ("memory_dead", c.MEMORY), ("memory_corrupt", c.MEMORY)],
)
def test_a_latched_fault_whose_cause_still_holds_is_raised_again(name: str, fault: int) -> None:
    bench = Bench().hello()
    bench.run(500)
    bench.world.break_part(name)
    bench.run(1000)
    bench.order(c.CLEAR_FAULTS)
    assert (fault, 0, False) in bench.faults()
    bench.run(1000)
    assert [raised for code, _, raised in bench.faults() if code == fault] == [True, False, True]


def test_a_latched_fault_whose_cause_is_gone_stays_away_once_cleared() -> None:
    bench = Bench().hello()
    bench.world.force()
    bench.run(200)
    bench.world.shut()
    bench.run(1000)
    bench.order(c.CLEAR_FAULTS)
    bench.run(1000)
    assert bench.faults() == [(c.DOOR_FORCED, 0, True), (c.DOOR_FORCED, 0, False)]
    assert bench.unlock() == c.OK


def test_a_memory_that_reads_well_and_takes_no_entry_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench().hello()
    bench.run(500)

    def refuse(at: int, data: bytes) -> None:
        raise OSError(at, len(data))

    monkeypatch.setattr(bench.world.nv, "write", refuse)
    bench.order(c.MIRROR, bytes(59))
    bench.run(100)
    assert (c.MEMORY, 0, True) in bench.faults()


@pytest.mark.parametrize(("cause", "fault"), [(c.BY_WATCHDOG, c.WATCHDOG), (c.BY_BROWN_OUT, c.BROWN_OUT)])
def test_why_it_was_reset_is_told_once_when_the_session_has_begun(cause: int, fault: int) -> None:
    bench = Bench(cause=cause)
    bench.run(700)
    assert bench.faults() == []
    bench.hello()
    assert [payload[0] for _, payload in bench.said][-2:] == [c.STATUS, c.FAULT]
    bench.hello(nonce=b"otherone")
    assert bench.faults() == [(fault, 0, True)]
    assert (c.FAULT_RAISED, bytes((fault, 0))) in bench.journal()


def test_an_ordinary_visit_raises_no_fault() -> None:
    bench = Bench().hello()
    bench.open_door()
    bench.run(3000)
    bench.world.shut()
    bench.run(5000)
    assert bench.faults() == []
    assert bench.fault_bits() == 0


def test_a_door_opened_in_its_lease_is_not_forced_although_the_bolts_switch_is_glued() -> None:
    bench = Bench().hello()
    driving(bench)
    bench.world.break_part("bolt_home")
    bench.run(20)
    assert bench.world.pull()
    bench.run(500)
    assert bench.faults() == [(c.BOLT_SWITCH, 0, True)]


def test_two_visits_on_each_others_heels_raise_no_fault() -> None:
    bench = Bench().hello()
    for _ in range(5):
        bench.open_door()
        bench.world.shut()
        while bench.board.doorkeeper.switches.door_open:
            bench.run(1)
    for _ in range(5):
        assert bench.unlock() == c.OK
        bench.run(60)
        bench.order(c.LOCK)
    bench.run(1000)
    assert bench.faults() == []


@pytest.mark.parametrize("name", ["relay_welded", "pump_shorted", "coil_cut"])
def test_a_board_without_coil_sense_raises_none_of_the_coils_faults(name: str) -> None:
    bench = Bench(Fitted(zones=1, coil_sense=False)).hello()
    bench.world.break_part(name)
    bench.unlock()
    bench.run(400)
    bench.order(c.LOCK)
    bench.run(1000)
    coil = {c.DRIVE_STUCK, c.COIL_DEAD, c.RELAY_WELDED, c.PUMP_SHORTED}
    assert not coil & {code for code, _, _ in bench.faults()}


def test_a_board_with_one_contact_has_no_contacts_to_contradict_each_other() -> None:
    bench = Bench(Fitted(zones=1, second_contact=False)).hello()
    bench.world.break_part("door_b_open")
    bench.run(2000)
    assert bench.faults() == []
    bench.open_door()
    bench.run(500)
    assert bench.last(c.DOOR)[1] == 1
    bench.world.shut()
    bench.run(1000)
    assert bench.last(c.DOOR)[1] == 0
