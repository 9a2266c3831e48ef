"""The trust score: what lowers it, what brings it back, and what time may do without a clock."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity.trust import (
    COSTS,
    DAY_MS,
    DEBT,
    GIVES,
    MOST,
    NEW,
    START,
    Instant,
    Kind,
    TrustEvent,
    passed_ms,
    restored_in_days,
    score,
)

T = 30.0  # days to the half
NOW = Instant(1_000 * DAY_MS, 2_000 * DAY_MS)


def ago(days: float, kind: Kind, points: int | None = None) -> TrustEvent:
    usual = COSTS.get(kind) or GIVES.get(kind) or (DEBT if kind in {"unpaid", "paid"} else 0)
    passed = round(days * DAY_MS)
    at = Instant(NOW.ran_ms - passed, (NOW.wall_ms or 0) - passed)
    return TrustEvent(kind, usual if points is None else points, at)


def trust(*events: TrustEvent) -> int:
    return score(events, NOW, T).trust


def test_a_newcomer_has_seventy() -> None:
    assert score((), NOW, T) == NEW
    assert NEW.trust == START == 70


@pytest.mark.parametrize(
    ("kind", "left"), [("tamper", 40), ("swap", 45), ("misconduct", 45), ("dispute-lost", 50), ("foreign", 55)]
)
def test_misconduct_costs_at_once(kind: Kind, left: int) -> None:
    assert trust(ago(0, kind)) == left


def test_the_third_suspicion_within_days_leaves_next_to_nothing() -> None:
    assert trust(ago(2, "swap"), ago(1, "swap"), ago(0, "swap")) == 0


@pytest.mark.parametrize(("days", "left"), [(0, 45), (30, 58), (60, 64), (90, 67), (400, 70)])
def test_half_is_forgiven_after_each_half_life(days: float, left: int) -> None:
    assert trust(ago(days, "swap")) == left


def test_a_debt_costs_until_it_is_paid_whatever_the_time() -> None:
    assert [trust(ago(days, "unpaid")) for days in (0, 60)] == [45, 45]
    assert trust(ago(60, "unpaid"), ago(0, "paid")) == 70


def test_a_second_debt_is_no_double_one() -> None:
    assert trust(ago(9, "unpaid"), ago(5, "unpaid")) == 45
    assert trust(ago(9, "unpaid"), ago(5, "paid"), ago(1, "unpaid")) == 45


def test_a_paid_visit_gives_back_one_and_never_more_than_was_lost() -> None:
    assert trust(ago(0, "swap"), ago(0, "paid-visit"), ago(0, "paid-visit")) == 47
    assert trust(ago(0, "paid-visit"), ago(0, "paid-visit")) == 70
    assert trust(ago(0, "paid-visit"), ago(0, "swap")) == 45  # nobody saves up for a misconduct


def test_a_technician_may_forgive_what_was_lost_and_then_what_is_owed() -> None:
    assert trust(ago(0, "swap"), ago(0, "forgiven", 10)) == 55
    assert trust(ago(0, "swap"), ago(0, "unpaid"), ago(0, "forgiven", 35)) == 55
    assert trust(ago(0, "forgiven", 90)) == 70


def test_a_technicians_word_for_a_member_leads_above_the_beginning_and_up_to_a_hundred() -> None:
    assert trust(ago(500, "vouched")) == 80
    assert trust(*[ago(1, "vouched")] * 9) == MOST


def test_a_dispute_costs_nothing_and_is_counted_for_a_while() -> None:
    found = score((ago(31, "dispute"), ago(29, "dispute")), NOW, T)
    assert (found.trust, found.disputes, found.incidents) == (70, 1, 0)


def test_misconduct_is_an_incident_until_time_or_a_technician_makes_it_good() -> None:
    assert score((ago(31, "swap"), ago(29, "foreign")), NOW, T).incidents == 1
    assert score((ago(2, "swap"), ago(1, "forgiven", 25)), NOW, T).incidents == 0
    assert score((ago(2, "swap"), ago(1, "forgiven", 5)), NOW, T).incidents == 1


# Time.


def test_without_a_trusted_clock_only_the_running_counts() -> None:
    then, now = Instant(5 * DAY_MS), Instant(8 * DAY_MS, 900 * DAY_MS)
    assert passed_ms(then, now) == 3 * DAY_MS


def test_with_a_trusted_clock_the_time_without_power_counts() -> None:
    assert passed_ms(Instant(5 * DAY_MS, 100 * DAY_MS), Instant(6 * DAY_MS, 130 * DAY_MS)) == 30 * DAY_MS


def test_a_wall_clock_set_back_takes_no_time_away() -> None:
    assert passed_ms(Instant(5 * DAY_MS, 100 * DAY_MS), Instant(6 * DAY_MS, 1)) == DAY_MS


def test_nothing_has_passed_before_it_began() -> None:
    assert passed_ms(Instant(9), Instant(5)) == 0


def test_what_was_written_before_another_thing_is_as_old_as_that_at_least() -> None:
    """The swap was noted without a clock, the visit after it with one."""
    dateless = TrustEvent("swap", 25, Instant(NOW.ran_ms))
    later = ago(30, "dispute")
    assert (trust(dateless), trust(dateless, later)) == (45, 58)


def test_one_that_was_noted_without_a_clock_between_two_with_one_makes_no_time_pass_twice() -> None:
    dateless = TrustEvent("dispute", 0, Instant(NOW.ran_ms))
    assert trust(ago(30, "swap"), dateless, ago(30, "dispute")) == 58


# How long it takes.


def test_it_tells_how_long_the_digits_will_be_asked_for() -> None:
    known = score([ago(0, "swap")], NOW, T)
    days = restored_in_days(known, 50, T)
    assert days is not None
    assert score([ago(days + 0.01, "swap")], NOW, T).trust == 50
    assert score([ago(days - 0.5, "swap")], NOW, T).trust == 49


@pytest.mark.parametrize(("events", "wanted", "days"), [([], 50, 0.0), ([ago(0, "unpaid")], 50, None), ([], 90, None)])
def test_what_time_need_not_or_cannot_restore_is_told(
    events: list[TrustEvent], wanted: int, days: float | None
) -> None:
    assert restored_in_days(score(events, NOW, T), wanted, T) == days


# The law.

EVENTS = st.lists(
    st.builds(
        ago,
        st.floats(0, 200),
        st.sampled_from([*COSTS, "unpaid", "paid", "paid-visit", "forgiven", "vouched", "dispute"]),
    ),
    max_size=8,
).map(lambda events: sorted(events, key=lambda event: event.at.ran_ms))
LATER = st.integers(0, 400 * DAY_MS)


@given(events=EVENTS)
def test_the_score_stays_within_its_bounds(events: list[TrustEvent]) -> None:
    assert 0 <= trust(*events) <= MOST


@given(events=EVENTS, more_ms=LATER)
def test_time_never_lowers_it(events: list[TrustEvent], more_ms: int) -> None:
    later = Instant(NOW.ran_ms + more_ms, (NOW.wall_ms or 0) + more_ms)
    before, after = score(events, NOW, T), score(events, later, T)
    assert after.trust >= before.trust
    assert (after.incidents, after.disputes) <= (before.incidents, before.disputes)


@given(events=EVENTS, kind=st.sampled_from([*COSTS, "unpaid"]), place=st.integers(0, 8))
def test_one_more_misconduct_never_raises_it(events: list[TrustEvent], kind: Kind, place: int) -> None:
    at = events[place].at if place < len(events) else NOW
    worse = [*events[:place], TrustEvent(kind, COSTS.get(kind, DEBT), at), *events[place:]]
    assert trust(*worse) <= trust(*events)


@given(events=EVENTS, kind=st.sampled_from(["paid", "paid-visit", "forgiven", "vouched"]))
def test_one_more_good_thing_never_lowers_it(events: list[TrustEvent], kind: Kind) -> None:
    assert trust(*events, ago(0, kind)) >= trust(*events)


@given(events=EVENTS)
def test_a_clock_that_nobody_vouches_for_restores_no_more_than_one_that_somebody_does(events: list[TrustEvent]) -> None:
    dateless = [replace(event, at=Instant(event.at.ran_ms)) for event in events]
    assert trust(*dateless) <= trust(*events)
