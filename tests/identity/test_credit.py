"""Without the cloud: who is let in, for how much, and up to where."""

from dataclasses import replace

import pytest

from cabinet.identity.credit import (
    CABINET_LIMIT,
    DENIED,
    MEMBER_LIMIT,
    OLD_ROSTER,
    UNPAID,
    WHYS,
    Answer,
    Exposure,
    Limits,
    Terms,
    answered,
    decide,
)
from cabinet.identity.decide import Refused
from cabinet.units import VisitId

USUAL = Limits()  # hold 2,000; a member 3 visits and 5,000; the cabinet 200 visits and 200,000; 7 days
NOTHING = Exposure()
WEEK_S = 7 * 86_400.0


@pytest.mark.parametrize(
    ("exposure", "hold_minor"),
    [
        (NOTHING, 2_000),
        (Exposure(2, 0, 2, 0), 2_000),  # two open visits cost nothing yet
        (Exposure(2, 2_999, 199, 2_999), 2_000),
        (Exposure(2, 3_500, 2, 3_500), 1_500),  # the hold is what the limit leaves
        (Exposure(1, 4_999, 1, 4_999), 1),
        (Exposure(0, 0, 199, 199_999), 1),
    ],
)
def test_below_every_limit_a_member_is_let_in_for_what_they_leave(exposure: Exposure, hold_minor: int) -> None:
    assert decide(USUAL, exposure, 60.0, None) == Terms("offline", hold_minor)


@pytest.mark.parametrize(
    ("exposure", "why"),
    [
        (Exposure(3, 0, 3, 0), MEMBER_LIMIT),
        (Exposure(9, 0, 9, 0), MEMBER_LIMIT),
        (Exposure(1, 5_000, 1, 5_000), MEMBER_LIMIT),
        (Exposure(1, 9_000, 1, 9_000), MEMBER_LIMIT),  # one visit above its hold
        (Exposure(0, 0, 200, 0), CABINET_LIMIT),
        (Exposure(0, 0, 9, 200_000), CABINET_LIMIT),
    ],
)
def test_at_a_limit_nobody_is_let_in(exposure: Exposure, why: str) -> None:
    assert decide(USUAL, exposure, 60.0, None) == Refused(why)


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (replace(USUAL, member_visits=0), MEMBER_LIMIT),
        (replace(USUAL, member_minor=0), MEMBER_LIMIT),
        (replace(USUAL, cabinet_visits=0), CABINET_LIMIT),
        (replace(USUAL, cabinet_minor=0), CABINET_LIMIT),
    ],
)
def test_a_limit_of_nothing_lets_nobody_in_without_the_cloud(limits: Limits, why: str) -> None:
    assert decide(limits, NOTHING, 60.0, None) == Refused(why)


@pytest.mark.parametrize(
    ("age_s", "said"),
    [
        (0.0, Terms("offline", 2_000)),
        (WEEK_S, Terms("offline", 2_000)),
        (WEEK_S + 1, Refused(OLD_ROSTER)),
        (None, Terms("offline", 2_000)),  # no cloud has ever sent one
    ],
)
def test_a_roster_may_be_a_week_old(age_s: float | None, said: Terms | Refused) -> None:
    assert decide(USUAL, NOTHING, age_s, None) == said


@pytest.mark.parametrize("why", WHYS)
@pytest.mark.parametrize("age_s", [0.0, 2 * WEEK_S, None])
def test_a_blocked_member_is_told_why_whatever_else_holds(why: str, age_s: float | None) -> None:
    assert decide(USUAL, Exposure(9, 9_000, 999, 999_999), age_s, why) == Refused(why)


def test_a_block_for_a_reason_that_we_do_not_know_is_a_block() -> None:
    assert decide(USUAL, NOTHING, 0.0, "bad weather") == Refused(DENIED)


def answer(why: str = "", *, granted: bool = False) -> Answer:
    return Answer(VisitId("v"), "n", granted, 1_234, why)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (answer(granted=True), Terms("cloud", 1_234)),
        (answer(UNPAID), Refused(UNPAID)),
        (answer("<b>no</b>"), Refused(DENIED)),
        (answer(""), Refused(DENIED)),
    ],
)
def test_the_clouds_word_is_the_terms(said: Answer, means: Terms | Refused) -> None:
    assert answered(said) == means
