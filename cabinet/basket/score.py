"""What a verdict is worth beside the truth of a simulated or labelled visit.

Counts whole bills, units and money; judges nothing itself.  A bill is units per SKU, whoever made it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cabinet.basket.evidence import Product
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Verdict
from cabinet.units import Minor, Sku, ZoneId

Score = Literal["exact", "over", "under", "swap", "review", "wrong-review"]


@dataclass(frozen=True, slots=True)
class Truth:
    """truth.json: what left the cabinet, and what a careful person would have accepted."""

    basket: Mapping[Sku, int]
    outcome: Literal["charge", "review", "either"] = "charge"
    moved: tuple[tuple[Sku, ZoneId, ZoneId], ...] = ()
    story: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Units:
    """Units of one bill beside the truth, at the end of the visit: a put-back has cancelled its pick."""

    right: int
    billed: int
    true: int

    @property
    def f1(self) -> float:
        """Of this visit alone; 1 where nothing was taken and nothing billed."""
        total = self.billed + self.true
        return 2 * self.right / total if total else 1.0


def score(verdict: Verdict, truth: Truth) -> Score:
    """`over` and `under` say whom a mistake costs; `swap` is both at once."""
    if isinstance(verdict, Review):
        return "wrong-review" if truth.outcome == "charge" else "review"
    return score_bill(billed(verdict), truth)


def score_bill(bill: Mapping[Sku, int], truth: Truth) -> Literal["exact", "over", "under", "swap"]:
    skus = {*bill, *truth.basket}
    over = any(bill.get(sku, 0) > truth.basket.get(sku, 0) for sku in skus)
    under = any(bill.get(sku, 0) < truth.basket.get(sku, 0) for sku in skus)
    if over and under:
        return "swap"
    return "over" if over else "under" if under else "exact"


def billed(verdict: Verdict) -> dict[Sku, int]:
    """What the shopper is charged for; nothing while a person decides."""
    return counted(verdict.lines) if isinstance(verdict, Charge) else {}


def guessed(verdict: Verdict) -> dict[Sku, int]:
    """The bill, or what a review would have billed."""
    return counted(verdict.best_guess) if isinstance(verdict, Review) else billed(verdict)


def counted(lines: tuple[Line, ...]) -> dict[Sku, int]:
    return {line.sku: line.quantity for line in lines}


def stated(verdict: Verdict) -> float | None:
    """The probability it gives its own bill; None of a review, which gives none."""
    return verdict.confidence if isinstance(verdict, Charge | Nothing) else None


def units(bill: Mapping[Sku, int], truth: Truth) -> Units:
    right = sum(min(n, truth.basket.get(sku, 0)) for sku, n in bill.items())
    return Units(right, sum(bill.values()), sum(truth.basket.values()))


def money(bill: Mapping[Sku, int], truth: Truth, catalog: Mapping[Sku, Product]) -> tuple[Minor, Minor]:
    """Charged beyond the truth and short of it, SKU by SKU.  A SKU without a price in the catalogue counts 0."""
    over = under = 0
    for sku in {*bill, *truth.basket}:
        more = bill.get(sku, 0) - truth.basket.get(sku, 0)
        worth = abs(more) * (catalog[sku].unit_price if sku in catalog else 0)
        over, under = (over + worth, under) if more > 0 else (over, under + worth)
    return over, under
