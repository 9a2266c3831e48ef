"""A bill is charged where its expected cost is at most that of a person's look: worked figures."""

from collections.abc import Mapping

import pytest

from cabinet.basket.decide import decided, expected_cost
from cabinet.basket.policy import Costs, TallyPolicy
from cabinet.basket.stories import Outcome
from cabinet.basket.verdict import Account, Charge, Nothing, Review
from cabinet.units import Sku
from tests.basket.visits import COLA, GUM, header

POLICY = TallyPolicy(costs=Costs(overcharge=5, undercharge=3.5, review=1))


def outcome(bill: Mapping[Sku, int], posterior: float, *flags: str) -> Outcome:
    return Outcome(bill, flags, posterior, {}, ())


@pytest.mark.parametrize(
    ("bill", "other", "cost"),
    [
        ({COLA: 2}, {COLA: 1}, 0.2 * 5),  # one too many
        ({COLA: 1}, {COLA: 2}, 0.2 * 3.5),  # one too few
        ({COLA: 1}, {GUM: 1}, 0.2 * 8.5),  # one for another
        ({COLA: 1}, {COLA: 1}, 0.0),  # the same bill by another way
    ],
)
def test_what_a_bill_may_cost(bill: Mapping[Sku, int], other: Mapping[Sku, int], cost: float) -> None:
    assert expected_cost(bill, [outcome(bill, 0.8), outcome(other, 0.2)], POLICY) == pytest.approx(cost)


def test_what_only_a_person_may_decide_counts_as_too_little_and_what_was_dropped_as_both() -> None:
    assert expected_cost({}, [outcome({}, 0.9), outcome({}, 0.1, "s1: a stone")], POLICY) == pytest.approx(0.35)
    assert expected_cost({}, [outcome({}, 0.9)], POLICY) == pytest.approx(0.85)


@pytest.mark.parametrize(("posterior", "kind"), [(0.89, Charge), (0.87, Review)])
def test_a_swap_is_charged_from_the_probability_on_that_its_costs_ask(posterior: float, kind: type) -> None:
    outcomes = [outcome({COLA: 1}, posterior), outcome({GUM: 1}, 1 - posterior)]
    assert isinstance(decided(header(), outcomes, Account(), [], [], POLICY), kind)


def test_a_flag_goes_to_a_person_however_probable_and_nothing_is_a_type_of_its_own() -> None:
    assert isinstance(decided(header(), [outcome({}, 1.0, "s1: a stone")], Account(), [], [], POLICY), Review)
    assert isinstance(decided(header(), [outcome({COLA: -1}, 1.0)], Account(), [], [], POLICY), Review)
    assert isinstance(decided(header(), [outcome({}, 1.0)], Account(), [], [], POLICY), Nothing)
