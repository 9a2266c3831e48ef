"""What a verdict is worth."""

import pytest

from cabinet.basket.evidence import Product
from cabinet.basket.score import Truth, Units, billed, guessed, money, score, stated, units
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


SHOP = {A: Product("a", 100.0, 250), B: Product("b", 100.0, 90)}


def test_units_are_right_where_bill_and_truth_agree_however_many_either_has() -> None:
    assert units({A: 3, B: 1}, Truth({A: 2})) == Units(right=2, billed=4, true=2)


@pytest.mark.parametrize(("bill", "f1"), [({A: 1}, 1.0), ({A: 3}, 0.5), ({B: 1}, 0.0), ({}, 0.0)])
def test_f1_of_a_visit_weighs_too_much_and_too_little_alike(bill: dict[Sku, int], f1: float) -> None:
    assert units(bill, Truth({A: 1})).f1 == f1


def test_nothing_billed_where_nothing_was_taken_is_wholly_right() -> None:
    assert units({}, Truth({})).f1 == 1.0


def test_money_over_is_never_set_off_against_money_under() -> None:
    assert money({A: 1}, Truth({B: 2}), SHOP) == (250, 180)


def test_a_product_that_the_catalogue_does_not_have_costs_nothing() -> None:
    assert money({}, Truth({Sku("stranger"): 2}), SHOP) == (0, 0)


def test_a_review_bills_nothing_and_its_guess_is_kept_apart() -> None:
    review = Review("x", best_guess=(Line(A, "a", 2, 250, "standard"),))
    assert (billed(review), guessed(review), stated(review)) == ({}, {A: 2}, None)


def test_a_charge_states_its_confidence() -> None:
    assert (stated(bill(a=1)), guessed(bill(a=1))) == (1.0, {A: 1})
