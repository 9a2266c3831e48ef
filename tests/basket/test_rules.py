"""Price rules as a technician writes them: read exactly, or refused with the key and the reason."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cabinet.basket.evidence import Product
from cabinet.basket.prices import Bundle, LocalTime, Off, PayFor, PriceList, PriceRules, Window
from cabinet.basket.rules import RulesError, against, idle, list_from, list_to, per_cent, rules_from, rules_to
from cabinet.units import Sku

EXAMPLE = Path(__file__).parents[2] / "systemd" / "prices.toml"
CATALOG = {Sku("1"): Product("Cola", 505.0, 250, tax="drink"), Sku("2"): Product("Bar", 50.0, 99, tax="food")}


def example() -> dict[str, Any]:
    return tomllib.loads(EXAMPLE.read_text(), parse_float=Decimal)


def deal(**keys: Any) -> dict[str, Any]:
    return {"discounts": [{"name": "deal", "skus": ["1"], **keys}]}


def test_the_example_shows_every_key_and_is_read() -> None:
    rules = rules_from(example())
    assert rules.taxes_ppm == {"standard": 190_000, "beverage": 190_000, "reduced": 70_000, "deposit": 0}
    assert rules.deposit_tax == "deposit"
    assert [discount.gives for discount in rules.discounts] == [PayFor(3, 2), Bundle(2, 300), Off(200_000, 1)]
    assert rules.discounts[2].window == Window(frozenset(range(5)), 17 * 60, 19 * 60)
    assert rules.discounts[2].skus == frozenset()
    shown = {key for one in example()["discounts"] for key in one}
    assert shown == {"name", "skus", "take", "pay", "price", "percent_off", "from_units", "days", "from", "until"}


def test_what_is_written_down_is_read_back() -> None:
    rules = rules_from(example())
    assert rules_from(rules_to(rules)) == rules
    prices = PriceList(9, rules, tax_included=False, local=LocalTime(6, 1439))
    assert list_from(list_to(prices)) == prices
    assert list_from(list_to(PriceList(0))) == PriceList(0, PriceRules())


def test_an_empty_file_has_no_rules() -> None:
    assert rules_from({}) == PriceRules()


@pytest.mark.parametrize(
    ("typed", "ppm"),
    [(19, 190_000), ("8.875", 88_750), (Decimal("7.7"), 77_000), (0, 0), ("100", 1_000_000), ("0.0001", 1)],
)
def test_a_rate_is_exact(typed: object, ppm: int) -> None:
    assert rules_from({"taxes": {"t": typed}}).taxes_ppm == {"t": ppm}


@pytest.mark.parametrize(("ppm", "text"), [(190_000, "19"), (88_750, "8.875"), (0, "0"), (1, "0.0001"), (5000, "0.5")])
def test_a_rate_is_told_as_it_was_written(ppm: int, text: str) -> None:
    assert per_cent(ppm) == text


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ([], "the rules: expected a table"),
        ({"tax": {}}, "tax: unknown key; known: taxes, deposit_tax, discounts"),
        ({"taxes": 19}, "taxes: expected a table, got 19"),
        ({"taxes": {"t": 19.0}}, "taxes.t: expected per cent"),
        ({"taxes": {"t": True}}, "taxes.t: expected per cent"),
        ({"taxes": {"t": "nineteen"}}, "taxes.t: 'nineteen' is no number"),
        ({"taxes": {"t": "nan"}}, "taxes.t: nan % is not within 0 to 100"),
        ({"taxes": {"t": "1e9999999"}}, "taxes.t: '1e9999999' is no number"),
        ({"taxes": {"t": -1}}, "taxes.t: -1 % is not within"),
        ({"taxes": {"t": 101}}, "taxes.t: 101 % is not within"),
        ({"taxes": {"t": "8.87501"}}, "taxes.t: 8.87501 % has more than 4 decimals"),
        ({"taxes": {" ": 1}}, "taxes: expected 1 to 40 characters"),
        ({"taxes": {str(n): 1 for n in range(27)}}, "taxes: 27 classes, at most 26"),
        ({"deposit_tax": "d"}, "deposit_tax: 'd' has no rate under taxes"),
        ({"discounts": {}}, "discounts: expected a list"),
        ({"discounts": ["x"]}, r"discounts\[0\]: expected a table"),
        ({"discounts": [{"skus": "all", "percent_off": 5}]}, r"discounts\[0\].name: is missing"),
        ({"discounts": [{"name": "x", "percent_off": 5}]}, r"discounts\[0\].skus: is missing"),
        (deal(skus=[], percent_off=5), r"skus: is empty: name SKUs, or write \"all\""),
        (deal(skus=[1], percent_off=5), "skus: expected 1 to 40 characters, got 1"),
        (deal(), "needs one of pay, price, percent_off, and has none"),
        (deal(take=3, pay=2, price=5), "has pay and price"),
        (deal(pay=2), r"discounts\[0\].take: is missing"),
        (deal(take=3, pay=3), "pay: expected a whole number 0 to 2, got 3"),
        (deal(take=3, pay=-1), "pay: expected a whole number"),
        (deal(take=1, pay=0), "take: expected a whole number 2 to 1000, got 1"),
        (deal(take=2, price=Decimal("2.5")), "price: expected a whole number"),
        (deal(take=2, percent_off=5), "take: belongs to pay or price"),
        (deal(take=2, price=5, from_units=2), "from_units: belongs to percent_off"),
        (deal(percent_off=0), "percent_off: is 0: that is no discount"),
        (deal(percent_off=5, days=["monday"]), "days: 'monday' is none of mon, tue"),
        (deal(percent_off=5, days=[]), "days: is empty"),
        (deal(percent_off=5, **{"from": "7:00"}), 'from: expected a time of day such as "17:00", got 7:00'),
        (deal(percent_off=5, until="24:01"), "until: expected a time"),
        (deal(percent_off=5, **{"from": "12:00", "until": "12:00"}), "from: 12:00 until 12:00 is no time at all"),
        (deal(percent_off=5, **{"from": "24:00", "until": "12:00"}), "is no time at all"),
        (deal(percent_off=5, colour="red"), r"discounts\[0\].colour: unknown key"),
        ({"discounts": [deal(percent_off=5)["discounts"][0]] * 2}, r"discounts\[1\].name: 'deal' is there twice"),
    ],
)
def test_what_is_wrong_is_refused_with_key_and_reason(table: object, says: str) -> None:
    with pytest.raises(RulesError, match=says):
        rules_from(table)


def test_goods_that_are_not_there_and_classes_without_a_rate_are_named() -> None:
    rules = rules_from(
        {"taxes": {"drink": 19}, "discounts": [{"name": "d", "skus": ["1", "9", "8"], "percent_off": 5}]}
    )
    assert against(rules, CATALOG) == [
        "discounts[0].skus: 8, 9 not in the catalogue",
        "taxes: no rate for the class 'food' of 2",
    ]
    assert against(PriceRules(), CATALOG) == []


def test_a_discount_that_saves_nothing_today_is_told() -> None:
    assert idle(rules_from(deal(take=2, price=500)), CATALOG) == ["'deal' saves nothing at today's prices"]
    assert idle(rules_from(deal(take=2, price=499)), CATALOG) == []
