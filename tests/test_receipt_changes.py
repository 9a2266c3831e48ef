"""Receipts of charges of which something was given back."""

from dataclasses import dataclass
from typing import Literal

from cabinet.basket.verdict import Line, Tax
from cabinet.receipt import WIDTH, Outcome, receipt_dict, receipt_text
from cabinet.units import Sku, VisitId

VISIT = VisitId("01J8Z0000000000000000000V1")
TAXED = Line(Sku("1"), "Cola", 2, 250, "drink", taxes=(Tax("drink", 250_000, 400, 100),))
HALF = Line(Sku("1"), "Cola", 1, 250, "drink", taxes=(Tax("drink", 250_000, 200, 50),))


@dataclass(frozen=True)
class Moment:
    wall_ms: int = 1_795_000_000_000


@dataclass(frozen=True)
class Sold:
    outcome: Outcome | None = "charge"
    visit: VisitId = VISIT
    opened: Moment = Moment()
    lines: tuple[Line, ...] = (TAXED,)
    currency: str = "USD"


@dataclass(frozen=True)
class Changed:
    kind: Literal["refund", "correction", "dispute"]
    back_minor: int = 0
    lines: tuple[Line, ...] = ()
    reason: str = "broken seal"
    at: Moment | None = Moment()


def tail(*changes: Changed) -> list[str]:
    page = receipt_text(Sold(), "c1", changes)
    assert max(len(line) for line in page.splitlines()) <= WIDTH
    return [" ".join(line.split()) for line in page.splitlines()[4:]]


def test_without_changes_the_receipt_is_what_it_was() -> None:
    assert tail() == [
        "Cola 5.00 A", "2 x 2.50", "-" * WIDTH, "TOTAL USD 5.00", "A = tax class drink", "rate net tax gross",
        "A 25 % 4.00 1.00 5.00",
    ]  # fmt: skip  # a page


def test_refunds_stand_below_the_bill_with_the_new_total() -> None:
    assert tail(Changed("refund", 120), Changed("refund", 80, reason="and again"))[7:] == [
        "-" * WIDTH, "Refund 2026-11-18 -1.20", "broken seal", "-" * WIDTH, "Refund 2026-11-18 -0.80", "and again",
        "-" * WIDTH, "NEW TOTAL USD 3.00",
    ]  # fmt: skip  # a page


def test_a_correction_shows_the_bill_as_it_is_now_with_its_taxes() -> None:
    assert tail(Changed("correction", 250, (HALF,)))[7:] == [
        "-" * WIDTH, "Correction 2026-11-18 -2.50", "broken seal", "The bill is now:", "Cola 2.50 A", "-" * WIDTH,
        "TOTAL USD 2.50", "A = tax class drink", "rate net tax gross", "A 25 % 2.00 0.50 2.50", "-" * WIDTH,
        "NEW TOTAL USD 2.50",
    ]  # fmt: skip  # a page


def test_a_dispute_changes_no_amount() -> None:
    assert tail(Changed("dispute"))[7:] == ["-" * WIDTH, "Disputed 2026-11-18: to be answered."]


def test_a_machine_reads_what_was_given_back_and_what_is_left() -> None:
    told = receipt_dict(Sold(), "c1", [Changed("refund", 120)])
    assert (told["total_minor"], told["back_minor"], told["still_minor"]) == (500, 120, 380)
    assert told["changes"] == [{"kind": "refund", "back_minor": 120, "reason": "broken seal"}]
    assert receipt_dict(Sold("review"), "c1")["still_minor"] is None
