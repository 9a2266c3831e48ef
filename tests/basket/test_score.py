"""What a verdict is worth."""

import pytest

from cabinet.basket.score import Truth, score
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Verdict
from cabinet.units import Sku

A, B = Sku("a"), Sku("b")


def bill(**counts: int) -> Verdict:
    return Charge(tuple(Line(Sku(s), s, n, 1, "standard") for s, n in counts.items()), 1.0)


@pytest.mark.parametrize(
    ("verdict", "basket", "worth"),
    [
        (bill(a=1), {A: 1}, "exact"),
        (Nothing(1.0), {}, "exact"),
        (bill(a=2), {A: 1}, "over"),
        (bill(a=1), {}, "over"),
        (bill(a=1), {A: 1, B: 1}, "under"),
        (Nothing(1.0), {A: 1}, "under"),
        (bill(b=1), {A: 1}, "swap"),
        (Review("x"), {A: 1}, "wrong-review"),
    ],
)
def test_a_verdict_is_scored_by_whom_its_mistake_costs(verdict: Verdict, basket: dict[Sku, int], worth: str) -> None:
    assert score(verdict, Truth(basket)) == worth


@pytest.mark.parametrize("outcome", ["review", "either"])
def test_a_review_is_right_where_a_careful_person_would_accept_it(outcome: str) -> None:
    assert score(Review("x"), Truth({A: 1}, outcome)) == "review"  # type: ignore[arg-type] # both are of the literal
