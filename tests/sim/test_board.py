"""The simulated board as lock, lamp, buzzer and senses; what it shares with the firmware is in test_board_parity."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from cabinet.ports import PortError
from cabinet.sim.board import AWAY, FORCED, LATCH_S, MOST_LEASE_S, NOT_LATCHED, REBOOT_S, RETRACT_S, SEAT_S, SimBoard
from cabinet.sim.clockwork import Clockwork
from cabinet.units import VisitId

VISIT = VisitId("v")


@dataclass
class Host:
    """A daemon's ears; `connect` as it boots."""

    board: SimBoard = field(default_factory=lambda: SimBoard(Clockwork(50.0)))
    told: list[tuple[str, object]] = field(default_factory=list)

    def connect(self) -> "Host":
        self.board.senses, self.board.part = self, self.part
        self.board.hello()
        self.told.clear()
        return self

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        self.told.append(("found open", is_open))

    def door(self, at_s: float, *, is_open: bool) -> None:
        self.told.append(("open", is_open))

    def bolt(self, at_s: float, *, locked: bool) -> None:
        self.told.append(("locked", locked))

    def part(self, part: str, why: str | None) -> None:
        self.told.append((part, why))

    def masses(self, zone: object, at_s: float, hz: float, grams: object) -> None: ...
    def gap(self, part: str, seconds: float) -> None: ...
    def temperature(self, probe: str, celsius: float) -> None: ...

    def order(self, order: Coroutine[Any, Any, None]) -> None:
        with pytest.raises(StopIteration):
            order.send(None)

    def unlock(self, lease_s: float = 10.0) -> None:
        self.order(self.board.release(VISIT, lease_s))
        self.run(RETRACT_S)

    def run(self, seconds: float) -> None:
        clock = self.board.clock
        end_s = clock.now_s + seconds
        while (next_s := clock.next_s()) is not None and next_s <= end_s + 1e-9:
            clock.step()
        clock.advance(end_s)

    def refused(self, order: Coroutine[Any, Any, None]) -> str:
        with pytest.raises(PortError) as caught:
            order.send(None)
        return str(caught.value)


def test_a_board_at_rest_is_shut_locked_connected_and_well() -> None:
    host = Host().connect()
    assert host.board.at_rest
    host.run(100.0)
    assert host.board.at_rest
    assert host.told == []


def test_whoever_connects_is_told_where_everything_is() -> None:
    host = Host()
    host.board.force()
    host.run(1.0)
    host.board.senses, host.board.part = host, host.part
    host.board.hello()
    assert set(host.told) == {("board", None), ("found open", True), ("locked", False), ("lock", FORCED)}


def test_nobody_is_told_anything_while_no_daemon_lives() -> None:
    host = Host().connect()
    host.board.senses = None
    host.board.force()
    host.run(1.0)
    host.board.shut()
    host.run(1.0)
    assert host.told == []


@pytest.mark.parametrize("asked_s", [2.0, 10.0, 60.0])
def test_a_lease_ends_by_itself_and_none_is_longer_than_ten_seconds(asked_s: float) -> None:
    host = Host().connect()
    host.unlock(asked_s)
    lasts_s = min(asked_s, MOST_LEASE_S)
    host.run(lasts_s - RETRACT_S - 0.001)
    assert host.board.driven
    host.run(0.001)
    assert not host.board.driven
    host.run(SEAT_S)
    assert host.board.bolt_home
    assert host.board.at_rest


ORDERS: dict[str, Callable[[SimBoard], Coroutine[Any, Any, None]]] = {
    "release": lambda board: board.release(VISIT, 10.0),
    "engage": lambda board: board.engage(),
    "clear": lambda board: board.clear_faults(),
    "check": lambda board: board.check(),
    "lamp": lambda board: board.lamp("ready"),
    "buzzer": lambda board: board.buzzer("ok"),
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_board_that_is_unplugged_obeys_nothing_and_tells_nothing(name: str) -> None:
    host = Host().connect()
    host.board.unplug()
    assert host.refused(ORDERS[name](host.board)) == AWAY
    host.board.force()
    host.run(1.0)
    assert host.told == [("board", AWAY)]
    assert not host.board.at_rest


def test_a_board_that_is_unplugged_ends_the_lease_half_a_second_later() -> None:
    host = Host().connect()
    host.unlock()
    host.board.unplug()
    host.run(0.49)
    assert host.board.driven
    host.run(0.02)
    assert not host.board.driven


def test_without_current_the_bolt_falls_at_once() -> None:
    host = Host().connect()
    host.unlock()
    host.board.let_go()
    host.run(SEAT_S)
    assert host.board.bolt_home
    assert not host.board.pull()


@pytest.mark.parametrize("name", ["release", "check"])
def test_a_faulty_lock_is_refused_with_its_fault(name: str) -> None:
    host = Host().connect()
    host.board.force()
    host.run(1.0)
    assert FORCED in host.refused(ORDERS[name](host.board))
    host.board.shut()
    host.run(1.0)
    assert FORCED in host.refused(ORDERS[name](host.board))  # latched
    host.order(host.board.clear_faults())
    host.order(ORDERS[name](host.board))


def test_an_open_door_is_not_unlocked_and_another_visit_is_not_let_in() -> None:
    host = Host().connect()
    host.unlock()
    assert "another visit" in host.refused(host.board.release(VisitId("w"), 10.0))
    assert host.board.pull()
    host.run(0.1)
    assert "the door is open" in host.refused(host.board.release(VisitId("w"), 10.0))


def test_a_bolt_that_is_out_is_told_after_its_time_and_mends_itself() -> None:
    host = Host().connect()
    host.board.set_jam("out")
    host.run(LATCH_S - 0.01)
    assert host.told == [("locked", False)]
    host.run(0.1)
    assert host.told == [("locked", False), ("lock", NOT_LATCHED)]
    host.board.set_jam("")
    host.run(SEAT_S)
    assert host.told[2:] == [("locked", True), ("lock", None)]
    assert host.board.at_rest


def test_a_reset_forgets_lease_and_faults_and_speaks_again_when_it_is_up() -> None:
    host = Host().connect()
    host.unlock()
    host.told.clear()
    host.board.reset()
    host.run(REBOOT_S / 2)
    assert host.told == [("board", AWAY)]
    assert not host.board.driven
    host.run(REBOOT_S)
    assert set(host.told[1:]) == {("board", None), ("found open", False), ("locked", True), ("lock", None)}


def test_lamp_and_buzzer_keep_what_they_were_told() -> None:
    host = Host().connect()
    host.order(host.board.lamp("busy"))
    host.order(host.board.buzzer("ok"))
    host.order(host.board.buzzer("alarm"))
    assert (host.board.lamp_mode, host.board.buzzes) == ("busy", ["ok", "alarm"])
    host.board.renew()
    assert host.board.buzzes == []


def test_every_movement_of_door_and_drive_is_noticed() -> None:
    host, moves = Host().connect(), list[tuple[bool, bool]]()
    board = host.board
    board.on_change = lambda: moves.append((board.door_open, board.driven))
    host.unlock()
    assert board.pull()
    board.shut()
    host.run(1.0)
    assert moves[0] == (False, True)
    assert (True, False) in moves
    assert moves[-1] == (False, False)
