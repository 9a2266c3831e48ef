"""A motor bolt: driven means drawn back, and it is never thrown against an open door."""

import pytest

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.fitted_by import Fitted
from tests.firmware_bridge.firmware.bench import VISIT, Bench


def cabinet(*, coil_sense: bool = True) -> Bench:
    return Bench(Fitted(zones=1, motor_bolt=True, coil_sense=coil_sense)).hello()


def opened() -> Bench:
    bench = cabinet()
    bench.open_door()
    bench.run(1000)
    return bench


def test_it_is_a_capability() -> None:
    assert Fitted(motor_bolt=True).capabilities() & c.MOTOR_BOLT


def test_a_visit_ends_with_the_door_shut_and_the_bolt_thrown_after_it() -> None:
    bench = opened()
    assert bench.board.relay
    assert bench.ends() == []
    bench.run(12_000)
    assert bench.board.relay
    assert bench.world.shut()
    bench.run(1000)
    assert bench.ends() == [(VISIT, c.OPENED)]
    assert bench.world.bolt_in_strike
    assert bench.last(c.DOOR)[1] == 0
    assert bench.world.clashes == 0
    assert bench.faults() == []


def test_a_door_never_opened_is_locked_again_at_the_ttl() -> None:
    bench = cabinet()
    bench.unlock(ttl_ms=2000)
    bench.run(2100)
    assert bench.ends() == [(VISIT, c.EXPIRED)]
    assert bench.world.bolt_in_strike


@pytest.mark.parametrize(
    ("end", "reason"), [("silence", c.HOST_SILENT), ("order", c.LOCK_ORDER), ("fault", c.FAULT_ENDED)]
)
def test_whatever_ends_the_lease_the_bolt_waits_for_the_door(end: str, reason: int) -> None:
    bench = opened()
    if end == "silence":
        bench.beating = False
        bench.run(1000)
    elif end == "order":
        bench.order(c.LOCK)
    else:
        bench.board.receive(b"noise\0" * 10, bench.now_ms)
    bench.run(1000)
    assert bench.ends() == [(VISIT, reason)]
    assert bench.board.relay
    assert bench.world.shut()
    bench.run(1000)
    assert not bench.board.relay
    assert bench.world.bolt_in_strike
    assert bench.world.clashes == 0


@pytest.mark.parametrize("beating", [True, False])
def test_a_bouncing_door_is_not_hit_by_the_bolt_lease_or_none(beating: bool) -> None:  # noqa: FBT001  a parameter
    bench = opened()
    bench.beating = beating
    bench.run(1000)
    for _ in range(5):
        assert bench.world.shut()
        bench.run(200)
        assert bench.world.pull()
        bench.run(50)
    bench.world.shut()
    bench.run(1000)
    assert bench.world.clashes == 0
    assert bench.world.bolt_in_strike


def test_contacts_at_odds_do_not_hold_it_back_for_ever() -> None:
    bench = opened()
    bench.world.break_part("door_a_open")
    bench.world.shut()
    bench.run(1000)
    assert (c.CONTACTS, 0, True) in bench.faults()
    assert bench.world.bolt_in_strike


def test_the_same_visit_asked_again_with_the_door_open_is_answered_ok() -> None:
    assert opened().unlock() == c.OK


def test_another_visit_is_refused_while_the_door_is_open() -> None:
    assert opened().unlock(bytes(16)) == c.DOOR_OPEN


def test_a_forced_door_is_a_fault() -> None:
    bench = cabinet()
    bench.world.force()
    bench.run(100)
    assert (c.DOOR_FORCED, 0, True) in bench.faults()
