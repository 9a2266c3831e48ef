"""Bills with worked figures: every rule, in currencies with 0, 2 and 3 decimals."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cabinet.basket.evidence import Header, Product
from cabinet.basket.prices import (
    DAY_MINUTES,
    Bundle,
    Discount,
    LocalTime,
    Off,
    PayFor,
    PriceList,
    PriceRules,
    Window,
)
from cabinet.basket.pricing import allocate, doubts, half_up, lines, restricted, tax_table
from cabinet.basket.rules import rules_from
from cabinet.basket.verdict import Charge, Line, Tax
from cabinet.receipt import as_text, receipt
from cabinet.units import Sku
from tests.basket.visits import header

COLA, LIME, BEER, BAR = Sku("1"), Sku("2"), Sku("3"), Sku("4")
GOODS = {
    COLA: Product("Cola", 505.0, 250, tax="drink", deposit=25),
    LIME: Product("Lime", 505.0, 220, tax="drink", deposit=25),
    BEER: Product("Beer", 571.0, 340, tax="drink", min_age=18),
    BAR: Product("Bar", 50.0, 99, tax="food"),
}
DRINKS = frozenset({COLA, LIME})
FRIDAY_SIX = LocalTime(4, 18 * 60)
RATES = {"drink": 190_000, "food": 70_000, "deposit": 0}


def shop(
    *discounts: Discount,
    taxes: Mapping[str, int] | None = None,
    goods: Mapping[Sku, Product] = GOODS,
    included: bool = True,
    deposit_tax: str = "",
    local: LocalTime | None = FRIDAY_SIX,
    age: int | None = None,
    currency: str = "USD",
) -> Header:
    rules = PriceRules(taxes or {}, deposit_tax, discounts)
    prices = PriceList(7, rules, included, local)
    return replace(header(goods, {"s1": ()}), prices=prices, member_age=age, currency=currency)


def total(bill: tuple[Line, ...]) -> int:
    return sum(line.total for line in bill)


def test_without_a_price_list_a_bill_is_what_it_always_was() -> None:
    plain = {BAR: GOODS[BAR], BEER: GOODS[BEER]}
    assert lines({BAR: 2, BEER: 1}, plain) == (
        Line(BAR, "Bar", 2, 99, "food"),
        Line(BEER, "Beer", 1, 340, "drink"),
    )
    assert lines({BAR: 2, BEER: 1}, header(plain, {"s1": ()})) == lines({BAR: 2, BEER: 1}, plain)


def test_nothing_and_what_came_back_are_no_lines() -> None:
    assert lines({COLA: 0, LIME: -1}, shop()) == ()


def test_a_deposit_is_paid_on_every_unit() -> None:
    assert total(lines({COLA: 3}, shop())) == 3 * (250 + 25)


# n for the price of m.


@pytest.mark.parametrize(
    ("counts", "less"),
    [
        ({COLA: 2}, 0),
        ({COLA: 3}, 250),
        ({COLA: 5}, 250),
        ({COLA: 6}, 500),
        ({COLA: 2, LIME: 1}, 220),  # over the group: the cheapest of the three
        ({COLA: 1, LIME: 2}, 220),
        ({COLA: 4, LIME: 2}, 250 + 220),  # 250 250 250 | 250 220 220
    ],
)
def test_three_for_two_frees_the_cheapest_of_each_three(counts: dict[Sku, int], less: int) -> None:
    bill = lines(counts, shop(Discount("3 for 2", DRINKS, PayFor(3, 2))))
    assert sum(line.discount for line in bill) == less
    assert total(bill) == sum(n * (GOODS[sku].unit_price + 25) for sku, n in counts.items()) - less


def test_a_groups_discount_goes_to_its_lines_by_largest_remainder() -> None:
    """220 over 500 : 220 is 152.77… and 67.22…: the cent that is left goes to the first."""
    bill = lines({COLA: 2, LIME: 1}, shop(Discount("3 for 2", DRINKS, PayFor(3, 2))))
    assert [(line.sku, line.discount, line.reason) for line in bill] == [(COLA, 153, "3 for 2"), (LIME, 67, "3 for 2")]


def test_a_deposit_is_never_discounted() -> None:
    bill = lines({COLA: 2}, shop(Discount("Gift", DRINKS, Off(1_000_000))))
    assert total(bill) == 2 * 25


# n for a fixed price.


@pytest.mark.parametrize(("n", "goods"), [(1, 99), (2, 150), (3, 249), (4, 300)])
def test_two_for_a_fixed_price(n: int, goods: int) -> None:
    assert total(lines({BAR: n}, shop(Discount("2 for 1.50", frozenset({BAR}), Bundle(2, 150))))) == goods


def test_a_fixed_price_above_the_goods_own_changes_nothing() -> None:
    (line,) = lines({BAR: 2}, shop(Discount("2 for 3", frozenset({BAR}), Bundle(2, 300))))
    assert (line.total, line.discount, line.reason) == (198, 0, "")


# Per cent off.


@pytest.mark.parametrize(("n", "goods"), [(1, 99), (2, 198), (3, 297 - 30), (4, 396 - 40)])
def test_ten_per_cent_off_from_three_units_is_rounded_once_half_up(n: int, goods: int) -> None:
    """10 % of 297 is 29.7, of 396 is 39.6."""
    assert total(lines({BAR: n}, shop(Discount("10 %", frozenset({BAR}), Off(100_000, 3))))) == goods


def test_a_half_goes_up() -> None:
    assert [half_up(n, 2) for n in range(5)] == [0, 1, 1, 2, 2]
    assert half_up(5, 10) == 1
    assert half_up(4, 10) == 0


def test_a_unit_has_the_first_discount_that_saves_something_and_no_second() -> None:
    rules = (Discount("3 for 2", DRINKS, PayFor(3, 2)), Discount("Half", frozenset(), Off(500_000)))
    (line,) = lines({COLA: 4}, shop(*rules))
    assert (line.discount, line.reason) == (250 + 125, "3 for 2; Half")
    (two,) = lines({COLA: 2}, shop(*rules))
    assert (two.discount, two.reason) == (250, "Half")


# Time windows.

HAPPY = Discount("Happy hour", DRINKS, Off(200_000), Window(frozenset({0, 1, 2, 3, 4}), 17 * 60, 19 * 60))


@pytest.mark.parametrize(
    ("at", "less"),
    [
        (LocalTime(4, 17 * 60), 50),
        (LocalTime(4, 19 * 60 - 1), 50),
        (LocalTime(4, 19 * 60), 0),
        (LocalTime(4, 17 * 60 - 1), 0),
        (LocalTime(5, 18 * 60), 0),
    ],
)
def test_a_window_holds_from_its_begin_to_just_before_its_end_on_its_days(at: LocalTime, less: int) -> None:
    (line,) = lines({COLA: 1}, shop(HAPPY, local=at))
    assert (line.discount, line.reason) == (less, "Happy hour" if less else "")


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        (LocalTime(4, 23 * 60), True),
        (LocalTime(5, 60), True),  # Friday's night, on Saturday morning
        (LocalTime(5, 2 * 60), False),
        (LocalTime(4, 60), False),  # Thursday's night
        (LocalTime(6, 0), False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_it_began_on(at: LocalTime, *, holds: bool) -> None:
    assert Window(frozenset({4}), 22 * 60, 2 * 60).holds(at) == holds


def test_a_sundays_night_ends_on_monday() -> None:
    assert Window(frozenset({6}), 22 * 60, 2 * 60).holds(LocalTime(0, 30))


def test_a_whole_day_has_no_end() -> None:
    assert all(Window(frozenset({1}), 0, DAY_MINUTES).holds(LocalTime(1, minute)) for minute in (0, 720, 1439))


def test_an_untrusted_clock_gives_no_window_and_says_so() -> None:
    (line,) = lines({COLA: 1}, shop(HAPPY, local=None))
    assert (line.discount, line.total) == (0, 275)
    assert line.reason == "Happy hour: not given, the clock is not trusted"


def test_an_untrusted_clock_leaves_the_unit_to_the_next_discount() -> None:
    (line,) = lines({COLA: 1}, shop(HAPPY, Discount("Member", frozenset(), Off(100_000)), local=None))
    assert (line.discount, line.reason) == (25, "Happy hour: not given, the clock is not trusted; Member")


# Taxes.


def test_included_tax_is_taken_out_of_each_classs_sum_once() -> None:
    """Drinks 2 × 2.50: 19/119 of 5.00 is 0.798… → 0.80.  Food 3 × 0.99: 7/107 of 2.97 is 0.194… → 0.19."""
    bill = lines({COLA: 2, BAR: 3}, shop(taxes=RATES, deposit_tax="deposit"))
    assert total(bill) == 500 + 50 + 297
    assert tax_table(bill) == (
        Tax("deposit", 0, 50, 0),
        Tax("drink", 190_000, 420, 80),
        Tax("food", 70_000, 278, 19),
    )


def test_tax_is_rounded_on_the_classs_sum_and_not_line_by_line() -> None:
    """US sales tax 8.875 % on 0.99 and 2.20 + 0.25: 0.0879 and 0.2174 would be 0.09 + 0.22; 3.44 has 0.3053 → 0.31."""
    goods = {BAR: replace(GOODS[BAR], tax="drink"), LIME: GOODS[LIME]}
    bill = lines({BAR: 1, LIME: 1}, shop(taxes={"drink": 88_750}, goods=goods, included=False))
    assert tax_table(bill) == (Tax("drink", 88_750, 344, 31, added=True),)
    assert total(bill) == 344 + 31
    assert [line.tax_added for line in bill] == [9, 22]


def test_rounding_once_can_differ_from_rounding_each_line() -> None:
    """Three lines of 0.05 at 10 %: each alone 0.005 → 0.01, together 0.015 → 0.02."""
    goods = {Sku(n): Product(f"Sweet {n}", 5.0, 5, tax="s") for n in "abc"}
    bill = lines(dict.fromkeys(goods, 1), shop(taxes={"s": 100_000}, goods=goods, included=False))
    assert (total(bill), [line.tax_added for line in bill]) == (17, [1, 1, 0])


def test_tax_is_on_what_is_left_after_the_discount() -> None:
    bill = lines({BAR: 2}, shop(Discount("Half", frozenset(), Off(500_000)), taxes={"food": 100_000}, included=False))
    assert tax_table(bill) == (Tax("food", 100_000, 99, 10, added=True),)


def test_a_deposit_without_a_class_of_its_own_is_taxed_as_its_product() -> None:
    bill = lines({COLA: 1}, shop(taxes=RATES, included=False))
    assert tax_table(bill) == (Tax("drink", 190_000, 275, 52, added=True),)  # 52.25


def test_a_class_without_a_rate_goes_to_a_person() -> None:
    about = shop(taxes={"food": 70_000})
    assert doubts({COLA: 1, BAR: 1}, about) == ("no tax rate for the class drink",)
    assert doubts({BAR: 1}, about) == ()
    assert doubts({COLA: 1}, shop()) == ()  # no rates at all: nothing is said of taxes


# Currencies.


def test_yen_have_no_decimals_and_tax_is_rounded_to_the_yen() -> None:
    """Qualified invoice: 8 % in 3 × 158 = 474 is 35.11 → 35; 10 % in 2 × 249 = 498 is 45.27 → 45."""
    goods = {COLA: Product("お茶", 520.0, 158, tax="reduced"), BEER: Product("Pen", 9.0, 249, tax="standard")}
    about = shop(taxes={"reduced": 80_000, "standard": 100_000}, goods=goods, currency="JPY")
    bill = lines({COLA: 3, BEER: 2}, about)
    assert (total(bill), tax_table(bill)) == (
        972,
        (Tax("reduced", 80_000, 439, 35), Tax("standard", 100_000, 453, 45)),
    )
    assert "TOTAL" in as_text(receipt(Charge(bill, 0.99), about))
    assert "JPY 972" in as_text(receipt(Charge(bill, 0.99), about))


def test_dinars_have_three() -> None:
    """Two for 0.900 of 0.525 each, and 5 % on top: 0.045."""
    goods = {BAR: Product("Dates", 250.0, 525, tax="vat")}
    deal = Discount("2 for 0.900", frozenset({BAR}), Bundle(2, 900))
    about = shop(deal, taxes={"vat": 50_000}, goods=goods, included=False, currency="KWD")
    bill = lines({BAR: 2}, about)
    assert (total(bill), tax_table(bill)) == (945, (Tax("vat", 50_000, 900, 45, added=True),))
    assert "KWD 0.945" in as_text(receipt(Charge(bill, 0.99), about))


def test_dollars_have_two() -> None:
    about = shop(Discount("3 for 2 drinks", DRINKS, PayFor(3, 2)), taxes=RATES, deposit_tax="deposit")
    bill = lines({COLA: 2, LIME: 1, BAR: 1}, about)
    assert total(bill) == 720 - 220 + 75 + 99
    assert as_text(receipt(Charge(bill, 0.99), about)).splitlines()[4:] == [
        "Bar                               0.99 C",
        "Cola                              5.00 B",
        "  2 x 2.50",
        "  Deposit 2 x 0.25                0.50 A",
        "  3 for 2 drinks                 -1.53 B",
        "Lime                              2.20 B",
        "  Deposit                         0.25 A",
        "  3 for 2 drinks                 -0.67 B",
        "----------------------------------------",
        "TOTAL                         USD 6.74",
        "A = tax class deposit",
        "B = tax class drink",
        "C = tax class food",
        "      rate       net       tax     gross",
        "A      0 %      0.75      0.00      0.75",
        "B     19 %      4.20      0.80      5.00",
        "C      7 %      0.93      0.06      0.99",
    ]


# Age.


@pytest.mark.parametrize(("age", "doubt"), [(None, True), (16, True), (18, False), (70, False)])
def test_a_restricted_item_needs_a_proof_of_at_least_its_age(age: int | None, *, doubt: bool) -> None:
    about = shop(age=age)
    assert restricted({BEER: 1, BAR: 1}, about) == (("Beer",) if doubt else ())
    assert doubts({BEER: 1}, about) == (("no proof of age for Beer",) if doubt else ())


def test_without_a_header_nobody_has_a_proof() -> None:
    assert restricted({BEER: 1, COLA: 1}, GOODS) == ("Beer",)


# Sharing out.


def test_shares_add_up_and_the_largest_remainders_get_what_is_over() -> None:
    assert allocate(10, {Sku("a"): 1, Sku("b"): 1, Sku("c"): 1}) == {"a": 4, "b": 3, "c": 3}
    assert allocate(5, {Sku("a"): 10, Sku("b"): 35}) == {"a": 1, "b": 4}
    assert allocate(0, {Sku("a"): 0}) == {"a": 0}


def test_the_same_rules_read_from_plain_words_give_the_same_bill() -> None:
    told = {
        "taxes": {"drink": 19, "food": "7"},
        "discounts": [{"name": "3 for 2", "skus": ["1", "2"], "take": 3, "pay": 2}],
    }
    about = shop()
    assert about.prices is not None
    read = replace(about, prices=replace(about.prices, rules=rules_from(told)))
    rules = {"drink": 190_000, "food": 70_000}
    assert lines({COLA: 3, BAR: 1}, read) == lines(
        {COLA: 3, BAR: 1}, shop(Discount("3 for 2", DRINKS, PayFor(3, 2)), taxes=rules)
    )
