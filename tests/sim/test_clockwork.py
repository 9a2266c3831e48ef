"""Virtual time: what is due happens in order, and nothing else moves the clock."""

import time

import pytest

from cabinet.sim.clockwork import Clockwork


def run(clock: Clockwork) -> None:
    while clock.next_s() is not None:
        clock.step()


def test_what_is_due_happens_in_order_of_time_and_at_its_time() -> None:
    clock, done = Clockwork(), list[tuple[str, float]]()
    for name, at_s in (("third", 3.0), ("first", 1.0), ("second", 2.0)):
        clock.at(at_s, lambda name=name: done.append((name, clock.now_s)))  # type: ignore[misc]  # bound now
    run(clock)
    assert done == [("first", 1.0), ("second", 2.0), ("third", 3.0)]


def test_what_is_due_at_the_same_instant_happens_in_order_of_asking() -> None:
    clock, done = Clockwork(), list[int]()
    for n in range(20):
        clock.at(5.0, lambda n=n: done.append(n))  # type: ignore[misc]  # bound now
    run(clock)
    assert done == list(range(20))


def test_what_a_deed_asks_for_happens_too_and_after_what_was_asked_before_it() -> None:
    clock, done = Clockwork(), list[str]()

    def bear() -> None:
        done.append("parent")
        clock.after(0.0, lambda: done.append("child"))

    clock.at(1.0, bear)
    clock.at(1.0, lambda: done.append("b"))
    run(clock)
    assert done == ["parent", "b", "child"]


def test_what_was_due_in_the_past_happens_now_and_the_clock_does_not_go_back() -> None:
    clock, at = Clockwork(10.0), list[float]()
    clock.at(3.0, lambda: at.append(clock.now_s))
    clock.advance(2.0)
    run(clock)
    assert at == [10.0]


def test_advancing_does_nothing_that_is_due() -> None:
    clock, done = Clockwork(), list[str]()
    clock.after(1.0, lambda: done.append("late"))
    clock.advance(5.0)
    assert (clock.now_s, done) == (5.0, [])
    clock.step()
    assert (clock.now_s, done) == (5.0, ["late"])


def test_a_cleared_clock_has_nothing_left_to_do() -> None:
    clock = Clockwork()
    clock.after(1.0, lambda: pytest.fail("the world had ended"))
    clock.clear()
    assert clock.next_s() is None
    run(clock)


def test_virtual_time_costs_no_real_time_unless_it_is_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = list[float]()
    monkeypatch.setattr(time, "sleep", slept.append)
    Clockwork().advance(3600.0)
    assert slept == []
    Clockwork(now_s=1.0, pace=0.5).advance(5.0)
    assert slept == [2.0]
