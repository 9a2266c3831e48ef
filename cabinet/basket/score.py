"""What a verdict is worth beside the truth of a simulated or labelled visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cabinet.basket.verdict import Charge, Review, Verdict
from cabinet.units import Sku, ZoneId

Score = Literal["exact", "over", "under", "swap", "review", "wrong-review"]


@dataclass(frozen=True, slots=True)
class Truth:
    """truth.json: what left the cabinet, and what a careful person would have accepted."""

    basket: Mapping[Sku, int]
    outcome: Literal["charge", "review", "either"] = "charge"
    moved: tuple[tuple[Sku, ZoneId, ZoneId], ...] = ()
    story: str = ""
    tags: tuple[str, ...] = ()


def score(verdict: Verdict, truth: Truth) -> Score:
    """`over` and `under` say whom a mistake costs; `swap` is both at once."""
    if isinstance(verdict, Review):
        return "wrong-review" if truth.outcome == "charge" else "review"
    charged = {line.sku: line.quantity for line in verdict.lines} if isinstance(verdict, Charge) else {}
    skus = {*charged, *truth.basket}
    over = any(charged.get(sku, 0) > truth.basket.get(sku, 0) for sku in skus)
    under = any(charged.get(sku, 0) < truth.basket.get(sku, 0) for sku in skus)
    if over and under:
        return "swap"
    return "over" if over else "under" if under else "exact"
