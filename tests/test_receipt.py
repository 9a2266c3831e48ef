"""Receipts."""

from dataclasses import dataclass

import pytest

from cabinet.basket.verdict import Charge, Line, Nothing, Review, Tax
from cabinet.receipt import WIDTH, Outcome, as_dict, as_text, money, receipt, receipt_dict, receipt_text
from cabinet.units import Sku, VisitId
from tests.basket.visits import header

LINES = (
    Line(Sku("1"), "Cola", 2, 250, "drink"),
    Line(Sku("2"), "Trolli, Sour Brite Eggs Gummies With A Candy Shell", 1, 1099, "sweet"),
)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (500, "USD", "5.00"),
        (5, "EUR", "0.05"),
        (1500, "JPY", "1500"),
        (750, "KWD", "0.750"),
        (-120, "USD", "-1.20"),
    ],
)
def test_money_is_written_with_the_currencys_own_digits(amount: int, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_a_receipt_shows_lines_taxes_and_total() -> None:
    text = as_text(receipt(Charge(LINES, 0.99), header()))
    assert text.splitlines()[4:] == [
        "Cola                              5.00 A",
        "  2 x 2.50",
        "Trolli, Sour Brite Eggs Gummies",
        "With A Candy Shell               10.99 B",
        "----------------------------------------",
        "TOTAL                        USD 15.99",
        "A = tax class drink",
        "B = tax class sweet",
    ]


def test_a_receipt_is_as_wide_as_its_paper() -> None:
    text = as_text(receipt(Charge(LINES, 0.99), header()))
    assert max(len(line) for line in text.splitlines()) <= WIDTH


def test_the_receipts_number_is_the_visit() -> None:
    about = header()
    assert as_dict(receipt(Nothing(1.0), about))["number"] == about.visit


def test_nothing_taken_says_so() -> None:
    assert "Nothing was taken." in as_text(receipt(Nothing(1.0), header()))


def test_a_review_names_no_amount() -> None:
    record = receipt(Review("ambiguous", best_guess=LINES), header())
    assert "A person will check this visit; you" in as_text(record)
    assert not any(digit in as_text(record).split("---")[-1] for digit in "0123456789")
    assert as_dict(record)["total_minor"] is None


def test_the_dictionary_adds_up_in_minor_units() -> None:
    record = as_dict(receipt(Charge(LINES, 0.99), header()))
    assert record["total_minor"] == sum(line["total_minor"] for line in record["lines"]) == 1599


ON_TOP = (
    Line(Sku("1"), "Cola", 2, 250, "drink", 25, 100, "Evening", (
        Tax("deposit", 0, 50, 0, added=True), Tax("drink", 88_750, 400, 36, added=True),
    )),
    Line(Sku("2"), "Bar", 1, 99, "drink", 0, 0, "Happy hour on every bar: not given, the clock is not trusted", (
        Tax("drink", 88_750, 99, 8, added=True),
    )),
)  # fmt: skip  # rows


def test_a_receipt_shows_deposits_discounts_and_the_tax_of_each_class() -> None:
    text = as_text(receipt(Charge(ON_TOP, 0.99), header()))
    assert text.splitlines()[4:] == [
        "Cola                              5.00 B",
        "  2 x 2.50",
        "  Deposit 2 x 0.25                0.50 A",
        "  Evening                        -1.00 B",
        "Bar                               0.99 B",
        "  Happy hour on every bar: not given,",
        "  the clock is not trusted",
        "----------------------------------------",
        "Tax added                         0.44",
        "TOTAL                         USD 5.93",
        "A = tax class deposit",
        "B = tax class drink",
        "      rate       net       tax     gross",
        "A      0 %      0.50      0.00      0.50",
        "B  8.875 %      4.99      0.44      5.43",
    ]
    assert max(len(line) for line in text.splitlines()) <= WIDTH


def test_the_dictionary_says_what_was_taken_off_and_put_on() -> None:
    record = as_dict(receipt(Charge(ON_TOP, 0.99), header()))
    first, _ = record["lines"]
    parts = ("deposit_minor", "discount_minor", "reason", "tax_added_minor", "total_minor")
    assert [first[part] for part in parts] == [25, 100, "Evening", 36, 486]
    assert [(tax["tax"], tax["net_minor"], tax["tax_minor"], tax["gross_minor"]) for tax in record["taxes"]] == [
        ("deposit", 50, 0, 50),
        ("drink", 499, 44, 543),
    ]
    assert record["total_minor"] == sum(tax["gross_minor"] for tax in record["taxes"]) == 593


VISIT = header().visit


@dataclass(frozen=True)
class Opened:
    wall_ms: int = 1_795_335_304_120


@dataclass(frozen=True)
class Kept:
    outcome: Outcome | None
    visit: VisitId = VISIT
    opened: Opened = Opened()
    lines: tuple[Line, ...] = LINES
    currency: str = "USD"


def test_the_ledgers_record_gives_the_same_receipt_as_the_verdict() -> None:
    kept, fresh = receipt_text(Kept("charge"), "test-001"), as_text(receipt(Charge(LINES, 0.9), header()))
    assert kept == fresh


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("nothing", "Nothing was taken"),
        ("review", "A person will check"),
        ("void", "never opened"),
        ("serviced", "service visit"),
        (None, "has not ended"),
    ],
)
def test_a_record_without_a_charge_names_no_goods(outcome: Outcome | None, words: str) -> None:
    text = receipt_text(Kept(outcome), "test-001")
    assert words in text
    assert "Cola" not in text
    assert receipt_dict(Kept(outcome), "test-001")["lines"] == []
