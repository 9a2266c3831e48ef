"""Bills of the past, priced anew: whatever the price rules, to the last minor unit."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinet.basket.evidence import Product
from cabinet.basket.prices import Bundle, Discount, Off, PayFor, PriceList, PriceRules
from cabinet.basket.pricing import lines
from cabinet.control.repricing import cost_of, priced_anew, tax_is_added
from cabinet.control.requests import RequestError
from cabinet.units import Sku
from tests.basket.visits import header

A, B, C = Sku("A"), Sku("B"), Sku("C")
CATALOG = {
    A: Product("Ale", 500.0, 333, tax="drink", deposit=25),
    B: Product("Bun", 80.0, 149, tax="food"),
    C: Product("Cup", 60.0, 97, tax="food", deposit=10),
}
DISCOUNTS = (
    Discount("3 for 2", frozenset({A}), PayFor(3, 2)),
    Discount("4 for 4.00", frozenset({B, C}), Bundle(4, 400)),
    Discount("10 %", frozenset(), Off(100_000, 2)),
)
COUNTS = st.fixed_dictionaries({sku: st.integers(0, 7) for sku in CATALOG}).filter(lambda counts: any(counts.values()))
LISTS = st.builds(
    lambda few, included, taxed: PriceList(
        3, PriceRules({"drink": 190_000, "food": 88_750} if taxed else {}, "", DISCOUNTS[:few]), included
    ),
    st.integers(0, 3), st.booleans(), st.booleans(),
)  # fmt: skip  # a table


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS, wanted=COUNTS, prices=LISTS)
def test_a_corrected_bill_is_the_one_the_till_would_have_made(
    counts: dict[Sku, int], wanted: dict[Sku, int], prices: PriceList
) -> None:
    about = replace(header(catalog=CATALOG), prices=prices)
    bill = lines(counts, about)
    assert priced_anew(bill, {}, prices, {}) == bill
    assert priced_anew(bill, wanted, prices, CATALOG) == lines(wanted, about)
    if prices.rules.taxes_ppm:
        assert tax_is_added(bill, prices.tax_included) is not prices.tax_included


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS, prices=LISTS, order=st.randoms(use_true_random=False))
def test_units_given_back_one_by_one_add_up_to_the_bill(
    counts: dict[Sku, int], prices: PriceList, order: object
) -> None:
    bill = lines(counts, replace(header(catalog=CATALOG), prices=prices))
    units = [line.sku for line in bill for _ in range(line.quantity)]
    order.shuffle(units)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    refunded, total = Counter[Sku](), 0
    for sku in units:
        cost = cost_of(bill, refunded, {sku: 1})
        assert cost >= 0
        total, refunded = total + cost, refunded + Counter({sku: 1})
    assert total == sum(line.total for line in bill)
    with pytest.raises(RequestError, match="cannot be given back"):
        cost_of(bill, refunded, {units[0]: 1})


def test_a_class_without_a_rate_is_refused() -> None:
    prices = PriceList(3, PriceRules({"drink": 190_000}))
    bill = lines({A: 1}, replace(header(catalog=CATALOG), prices=prices))
    with pytest.raises(RequestError, match="no tax rate for the class food"):
        priced_anew(bill, {B: 1}, prices, CATALOG)
