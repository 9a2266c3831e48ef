"""The policy at the door, point by point, and its one law: a better fact never makes it stricter."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity import decide
from cabinet.identity.risk import (
    CARD_TOO_OFTEN,
    LOW_TRUST,
    NO_LIMIT,
    NO_PROOF_OF_AGE,
    OLD_MEMBERS,
    TOO_OFTEN,
    WHYS,
    Allow,
    AllowWithDigits,
    Deny,
    Facts,
    Judgement,
    Policy,
    assess,
)

DAY_S = 86_400.0
USUAL = Policy()  # 5,000, new 2,000; trust 20 and 50; 30 days; 6 visits an hour; card 1,000 and 3 a day; 7 days
NIGHTLY = replace(USUAL, night=(23, 6))
GOOD = Facts(verified=True, has_paid=True, hour=12)


def test_a_member_in_good_standing_is_let_in_by_face_for_the_whole_limit() -> None:
    assert assess(GOOD, USUAL) == Allow(5_000, ("limit 5000",))


def test_nobody_knows_the_word_for_a_missing_proof_of_age_in_two_spellings() -> None:
    assert NO_PROOF_OF_AGE == decide.NO_PROOF_OF_AGE


def test_a_newcomer_is_let_in_by_face_for_less() -> None:
    assert assess(Facts(), USUAL) == Allow(2_000, ("new: limit 2000",))


@pytest.mark.parametrize("better", [{"verified": True}, {"has_paid": True}])
def test_a_paid_visit_or_a_verified_identity_ends_being_new(better: dict[str, Any]) -> None:
    assert assess(replace(Facts(), **better), USUAL) == Allow(5_000, ("limit 5000",))


@pytest.mark.parametrize(("age", "said"), [(None, "age unproven < 18"), (17, "age 17 < 18")])
def test_without_a_proof_of_age_nobody_is_let_in_where_one_is_asked(age: int | None, said: str) -> None:
    policy = replace(USUAL, min_age=18)
    assert assess(replace(GOOD, age=age), policy) == Deny(NO_PROOF_OF_AGE, (said,))


@pytest.mark.parametrize(("age", "least"), [(18, 18), (40, 18), (None, 0)])
def test_a_proof_of_age_is_enough_and_none_is_asked_where_none_is_needed(age: int | None, least: int) -> None:
    assert isinstance(assess(replace(GOOD, age=age), replace(USUAL, min_age=least)), Allow)


def test_little_trust_asks_for_digits_and_lowers_the_limit() -> None:
    said = assess(replace(GOOD, trust=49), USUAL)
    assert said == AllowWithDigits(2_000, ("trust 49 < 50", "care: limit 2000"))


def test_trust_at_the_bound_is_enough() -> None:
    assert assess(replace(GOOD, trust=50), USUAL) == Allow(5_000, ("limit 5000",))


def test_hardly_any_trust_refuses() -> None:
    assert assess(replace(GOOD, trust=19), USUAL) == Deny(LOW_TRUST, ("trust 19 < 20", "trust 19 < 50"))
    assert isinstance(assess(replace(GOOD, trust=20), USUAL), AllowWithDigits)


@pytest.mark.parametrize("way", ["digits", "token"])
def test_digits_and_a_token_are_the_second_proof(way: Any) -> None:
    said = assess(replace(GOOD, trust=49, way=way), USUAL)
    assert said == Allow(2_000, ("trust 49 < 50", "care: limit 2000"))


def test_a_card_is_a_second_proof_for_a_small_visit() -> None:
    said = assess(replace(GOOD, trust=49, way="card"), USUAL)
    assert said == Allow(1_000, ("trust 49 < 50", "card: limit 1000", "care: limit 2000"))


def test_a_card_opens_so_often_a_day_and_no_more() -> None:
    assert isinstance(assess(replace(GOOD, way="card", card_visits_last_day=2), USUAL), Allow)
    said = assess(replace(GOOD, way="card", card_visits_last_day=3), USUAL)
    assert said == Deny(CARD_TOO_OFTEN, ("card visits 3 of 3 in 1 d",))


def test_visits_by_card_do_not_count_against_a_face() -> None:
    assert isinstance(assess(replace(GOOD, card_visits_last_day=99), USUAL), Allow)


def test_cards_that_may_never_open_never_do() -> None:
    assert isinstance(assess(replace(GOOD, way="card"), replace(USUAL, card_visits_per_day=0)), Deny)


def test_too_many_visits_in_an_hour_are_refused() -> None:
    assert isinstance(assess(replace(GOOD, visits_last_hour=5), USUAL), Allow)
    assert assess(replace(GOOD, visits_last_hour=6), USUAL) == Deny(TOO_OFTEN, ("visits 6 of 6 in 1 h",))


@pytest.mark.parametrize(
    ("hour", "night", "asks"),
    [
        (23, (23, 6), True), (0, (23, 6), True), (5, (23, 6), True), (6, (23, 6), False), (22, (23, 6), False),
        (1, (1, 4), True), (4, (1, 4), False), (0, (1, 4), False),
        (3, (0, 0), False), (3, (3, 3), False),
    ],
)  # fmt: skip  # a table
def test_at_night_digits_are_asked_for(hour: int, night: tuple[int, int], *, asks: bool) -> None:
    said = assess(replace(GOOD, hour=hour), replace(USUAL, night=night))
    assert isinstance(said, AllowWithDigits) is asks


def test_a_night_costs_no_limit() -> None:
    assert assess(replace(GOOD, hour=2), NIGHTLY) == AllowWithDigits(5_000, ("night 23-6", "limit 5000"))


def test_an_hour_that_nobody_knows_is_a_night() -> None:
    said = assess(replace(GOOD, hour=None), NIGHTLY)
    assert said == AllowWithDigits(5_000, ("night 23-6, hour unknown", "limit 5000"))
    assert isinstance(assess(replace(GOOD, hour=None), USUAL), Allow)  # where there is no night, nobody asks


def test_a_debt_of_ones_own_makes_careful_and_leaves_the_refusal_to_the_till() -> None:
    assert assess(replace(GOOD, owes=True), USUAL) == AllowWithDigits(2_000, ("unpaid", "care: limit 2000"))


def test_a_recent_incident_lowers_the_limit() -> None:
    assert assess(replace(GOOD, incidents=1), USUAL) == Allow(2_000, ("incidents 1 in 30 d: limit 2000",))


def test_whoever_disputed_a_bill_is_guarded_by_digits_and_loses_nothing() -> None:
    assert assess(replace(GOOD, disputes=1), USUAL) == AllowWithDigits(5_000, ("disputes 1 in 30 d", "limit 5000"))


@pytest.mark.parametrize(
    ("age_s", "said"),
    [
        (None, Allow(5_000, ("limit 5000",))),
        (3.5 * DAY_S, Allow(5_000, ("limit 5000",))),
        (4 * DAY_S, Allow(2_000, ("members list 4.0 d: limit 2000",))),
        (7 * DAY_S, Allow(2_000, ("members list 7.0 d: limit 2000",))),
        (8 * DAY_S, Deny(OLD_MEMBERS, ("members list 8.0 d > 7 d",))),
    ],
)
def test_the_older_the_list_that_names_a_member_the_less_it_opens(age_s: float | None, said: Judgement) -> None:
    assert assess(replace(GOOD, members_age_s=age_s), USUAL) == said


@pytest.mark.parametrize(("offered", "limit"), [(1_500, 1_500), (5_000, 5_000), (9_000, 5_000), (None, 5_000)])
def test_a_tokens_own_limit_caps_and_never_raises(offered: int | None, limit: int) -> None:
    said = assess(replace(GOOD, way="token", offered_minor=offered), USUAL)
    assert isinstance(said, Allow)
    assert said.limit_minor == limit


@pytest.mark.parametrize("offered", [0, -5])
def test_a_token_for_nothing_opens_nothing(offered: int) -> None:
    said = assess(replace(GOOD, way="token", offered_minor=offered), USUAL)
    assert said == Deny(NO_LIMIT, (f"offered: limit {offered}",))


def test_a_cabinet_whose_limit_is_nothing_lets_nobody_in() -> None:
    assert assess(GOOD, replace(USUAL, limit_minor=0)) == Deny(NO_LIMIT, ("limit 0",))


def test_every_reason_is_told_the_gravest_first() -> None:
    facts = Facts(trust=10, hour=1, visits_last_hour=7, owes=True)
    said = assess(facts, replace(NIGHTLY, min_age=16))
    assert said == Deny(
        NO_PROOF_OF_AGE,
        ("age unproven < 16", "trust 10 < 20", "visits 7 of 6 in 1 h", "trust 10 < 50", "unpaid", "night 23-6"),
    )


# The law.


def severity(said: Judgement) -> tuple[int, int]:
    """The more the better: let in, let in with digits, refused; then the limit."""
    match said:
        case Allow(limit_minor):
            return 2, limit_minor
        case AllowWithDigits(limit_minor):
            return 1, limit_minor
        case Deny():
            return 0, 0


WAYS = st.sampled_from(["face", "digits", "token", "card"])
LIMITS = st.integers(0, 6_000)
FACTS = st.builds(
    Facts,
    way=WAYS,
    trust=st.integers(0, 100),
    verified=st.booleans(),
    age=st.none() | st.integers(1, 30),
    has_paid=st.booleans(),
    owes=st.booleans(),
    incidents=st.integers(0, 3),
    disputes=st.integers(0, 2),
    hour=st.none() | st.integers(0, 23),
    members_age_s=st.none() | st.floats(0, 20 * DAY_S),
    visits_last_hour=st.integers(0, 8),
    card_visits_last_day=st.integers(0, 5),
    offered_minor=st.none() | st.integers(-10, 7_000),
)
POLICIES = st.builds(
    Policy,
    limit_minor=LIMITS,
    new_limit_minor=LIMITS,
    least_trust=st.integers(0, 100),
    digits_below_trust=st.integers(0, 100),
    night=st.tuples(st.integers(0, 23), st.integers(0, 23)),
    min_age=st.integers(0, 20),
    card_hold_minor=LIMITS,
    card_visits_per_day=st.integers(0, 4),
)


def _more(value: int | None) -> int:
    return (value or 0) + 1


BETTER: dict[str, Any] = {
    "trust": lambda facts: min(100, facts.trust + 7),
    "verified": lambda _: True,
    "age": lambda facts: _more(facts.age),
    "has_paid": lambda _: True,
    "owes": lambda _: False,
    "incidents": lambda facts: max(0, facts.incidents - 1),
    "disputes": lambda facts: max(0, facts.disputes - 1),
    "members_age_s": lambda facts: None if facts.members_age_s is None else facts.members_age_s / 2,
    "visits_last_hour": lambda facts: max(0, facts.visits_last_hour - 1),
    "card_visits_last_day": lambda facts: max(0, facts.card_visits_last_day - 1),
    "offered_minor": lambda facts: None if facts.offered_minor is None else facts.offered_minor + 500,
    "way": lambda facts: "digits" if facts.way == "face" else facts.way,
}


@pytest.mark.parametrize("fact", BETTER)
@given(facts=FACTS, policy=POLICIES)
def test_a_better_fact_never_leads_to_a_stricter_outcome_or_a_lower_limit(
    fact: str, facts: Facts, policy: Policy
) -> None:
    better = replace(facts, **{fact: BETTER[fact](facts)})
    assert severity(assess(better, policy)) >= severity(assess(facts, policy))


@given(facts=FACTS, policy=POLICIES)
def test_a_known_hour_is_never_worse_than_an_unknown_one(facts: Facts, policy: Policy) -> None:
    unknown = severity(assess(replace(facts, hour=None), policy))
    assert all(severity(assess(replace(facts, hour=hour), policy)) >= unknown for hour in range(24))


@given(facts=FACTS, policy=POLICIES)
def test_every_outcome_has_its_reasons_and_every_refusal_a_word(facts: Facts, policy: Policy) -> None:
    said = assess(facts, policy)
    assert said.reasons
    assert all(reason.strip() for reason in said.reasons)
    assert not isinstance(said, Deny) or said.why in WHYS


@given(facts=FACTS, policy=POLICIES)
def test_nobody_is_let_in_for_nothing_or_for_more_than_the_limit(facts: Facts, policy: Policy) -> None:
    said = assess(facts, policy)
    assert isinstance(said, Deny) or 0 < said.limit_minor <= policy.limit_minor
