"""The self-test measures what it says, never leaves the lock driven, and does not touch it with the door open."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cabinet.control.requests import RequestError
from cabinet.control.selftest import BOLT_OUT_S, PULSE_S, Selftest
from cabinet.ports import PortError
from cabinet.session.states import Servicing
from cabinet.units import VisitId
from tests.control.room import S1, S2, Room
from tests.support.virtual_time import run_in_virtual_time


@dataclass
class Bolt:
    """A lock whose bolt follows the drive after a while, or sticks where it is."""

    room: Room
    moves: bool = True
    returns: bool = True
    refuses: str | None = None
    driven: bool = False
    leases: list[float] = field(default_factory=list)

    async def release(self, visit: VisitId, lease_s: float) -> None:
        if self.refuses is not None:
            raise PortError(self.refuses)
        self.leases.append(lease_s)
        self.driven = True
        if self.moves:
            self._later(0.12, locked=False)

    async def engage(self) -> None:
        self.driven = False
        if self.returns:
            self._later(0.05, locked=True)

    async def clear_faults(self) -> None: ...
    async def check(self) -> None: ...
    def keep_alive(self) -> None: ...

    def _later(self, after_s: float, *, locked: bool) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(after_s, lambda: self.room.nerves.bolt(loop.time(), locked=locked))


def lines_of(
    room: Room, bolt: Bolt | None = None, before: Callable[[], None] = lambda: None
) -> dict[str, dict[str, Any]]:
    """Every line of the test by its name, of a cabinet at rest with the door shut."""

    async def live() -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        room.nerves.now = loop.time
        room.nerves.door(0.0, is_open=False)
        room.nerves.bolt(0.0, locked=True)
        room.nerves.temperature("probe0", 4.0)
        for zone in (S1, S2):
            room.nerves.masses(zone, 0.0, 80.0, [500.0] * 80)
        before()
        room.selftest = Selftest(room.nerves, bolt or Bolt(room), room.desk, room.maintenance)
        async with room.running():
            return await room.ask("board.selftest", "rosa")

    answer = run_in_virtual_time(live())
    rows = {row["test"]: row for row in answer["tests"]}
    assert answer["ok"] is all(row["ok"] for row in rows.values())
    return rows


def failed(rows: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, row in rows.items() if not row["ok"]]


def test_a_board_in_order_passes_every_line(room: Room) -> None:
    rows = lines_of(room)
    assert list(rows) == ["board", "door contact", "lock pulse", "bolt home again", "cell s1", "cell s2", "probe"]
    assert failed(rows) == []


def test_what_was_measured_is_told_with_its_limit(room: Room) -> None:
    rows = lines_of(room)
    assert (rows["lock pulse"]["measured"], rows["lock pulse"]["limit"]) == ("120 ms", "600 ms")
    assert rows["bolt home again"]["measured"] == "50 ms"
    assert rows["cell s1"]["measured"] == "noise 0.50 g (50.0 counts), bad 0.0%"
    assert rows["probe"]["measured"] == "4.00 °C"


def test_the_lease_is_a_second_at_most_and_the_lock_is_ordered_shut(room: Room) -> None:
    bolt = Bolt(room)
    lines_of(room, bolt)
    assert (bolt.leases, bolt.driven) == ([PULSE_S], False)
    assert PULSE_S <= 1.0


def test_the_pulse_is_no_visit(room: Room) -> None:
    lines_of(room)
    assert room.ledger.visits() == []


def test_a_bolt_that_does_not_move_fails_the_pulse_and_the_lock_is_shut(room: Room) -> None:
    bolt = Bolt(room, moves=False)
    rows = lines_of(room, bolt)
    assert failed(rows) == ["lock pulse"]
    assert (rows["lock pulse"]["measured"], bolt.driven) == ("the bolt did not move", False)


def test_a_bolt_that_does_not_come_back_is_told(room: Room) -> None:
    rows = lines_of(room, Bolt(room, returns=False))
    assert failed(rows) == ["bolt home again"]
    assert "do not leave it so" in rows["bolt home again"]["remedy"]


def test_a_lock_that_refuses_is_told_in_its_own_words(room: Room) -> None:
    rows = lines_of(room, Bolt(room, refuses="lock: no key: run cabinet board commission"))
    assert failed(rows) == ["lock pulse"]
    assert "no key" in rows["lock pulse"]["measured"]


@pytest.mark.parametrize("is_open", [True, None], ids=["open", "unknown"])
def test_with_the_door_not_shut_the_lock_is_not_touched(room: Room, *, is_open: bool | None) -> None:
    bolt = Bolt(room)

    def before() -> None:
        room.nerves.door_open = is_open

    rows = lines_of(room, bolt, before)
    assert failed(rows) == ["door contact", "lock pulse", "bolt home again"]
    assert (bolt.leases, rows["lock pulse"]["measured"]) == ([], "not tried")


def test_a_fault_of_the_board_fails_its_line(room: Room) -> None:
    room.desk.faults = [{"fault": "coil dead"}]
    rows = lines_of(room)
    assert (failed(rows), rows["board"]["measured"]) == (["board"], "coil dead")


def test_a_board_that_is_away_fails_what_it_would_answer(room: Room) -> None:
    room.desk.away = "unplugged"
    rows = lines_of(room, Bolt(room, refuses="lock: the board is not connected"))
    assert failed(rows) == ["board", "lock pulse", "cell s1", "cell s2"]


@pytest.mark.parametrize(
    ("noise_counts", "counts_per_g", "why"),
    [(0.0, 100.0, "noise 0.00 g"), (400.0, 100.0, "noise 4.00 g"), (50.0, None, "not calibrated")],
    ids=["stuck", "noisy", "not calibrated"],
)
def test_a_cell_that_is_no_live_one_fails(
    room: Room, noise_counts: float, counts_per_g: float | None, why: str
) -> None:
    room.desk.noise_counts, room.desk.counts_per_g = noise_counts, counts_per_g
    rows = lines_of(room)
    assert failed(rows) == ["cell s1", "cell s2"]
    assert rows["cell s1"]["measured"].startswith(why)


def test_a_cell_with_too_many_bad_samples_fails(room: Room) -> None:
    def before() -> None:
        room.nerves.masses(S2, 1.0, 80.0, [None] * 12 + [500.0] * 68)

    assert failed(lines_of(room, before=before)) == ["cell s2"]


def test_a_cell_that_sends_nothing_fails(room: Room) -> None:
    def before() -> None:
        room.nerves.witness.scales.zones[S1].forget()

    assert failed(lines_of(room, before=before)) == ["cell s1"]


@pytest.mark.parametrize(("celsius", "ok"), [(-31.0, False), (-18.0, True), (61.0, False)])
def test_a_thermometer_that_cannot_be_right_fails(room: Room, *, celsius: float, ok: bool) -> None:
    rows = lines_of(room, before=lambda: room.nerves.temperature("probe0", celsius))
    assert rows["probe"]["ok"] is ok


def test_a_thermometer_that_says_nothing_fails_unless_there_is_none(room: Room) -> None:
    assert failed(lines_of(room, before=room.nerves.temperatures_c.clear)) == ["probe"]
    room.desk.capabilities = []
    assert lines_of(room, before=room.nerves.temperatures_c.clear)["probe"]["measured"] == "not fitted"


def test_during_the_test_nobody_is_let_in_and_nobody_unlocks(room: Room) -> None:
    class Nosy(Bolt):
        async def release(self, visit: VisitId, lease_s: float) -> None:
            with pytest.raises(RequestError, match="selftest is under way"):
                await self.room.ask("unlock", "tom", reason="in a hurry")
            assert self.room.parts.why("maintenance") is not None
            await super().release(visit, lease_s)

    assert failed(lines_of(room, Nosy(room))) == []


def test_a_technicians_open_visit_comes_first(room: Room) -> None:
    def before() -> None:
        room.daemon.state = Servicing(
            VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), "rosa", "service", door_open=False, deadline_s=9.0
        )

    with pytest.raises(RequestError, match="a technician's visit is open"):
        lines_of(room, before=before)


def test_a_test_that_is_broken_off_leaves_the_lock_shut(room: Room) -> None:
    bolt = Bolt(room, moves=False)

    async def live() -> None:
        room.nerves.door(0.0, is_open=False)
        room.selftest = Selftest(room.nerves, bolt, room.desk, room.maintenance)
        async with room.running():
            task = asyncio.create_task(room.ask("board.selftest", "rosa"))
            await asyncio.sleep(BOLT_OUT_S / 2)
            assert bolt.driven
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_in_virtual_time(live())
    assert (bolt.driven, room.maintenance.doing) == (False, None)
