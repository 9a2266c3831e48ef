"""Percentiles of a handful of measurements, by rank: no value is reported that was not measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that must stay at or below a bound."""

    what: str
    figure: float
    at_most: float

    @property
    def met(self) -> bool:
        return self.figure <= self.at_most


def ranked(values: Sequence[float], share: float) -> float:
    """The smallest measured value that at least `share` of them do not exceed.  ValueError for none."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float], digits: int = 3) -> Figures:
    """Count, percentiles and maximum."""
    if not values:
        return {"n": 0}
    told: Figures = {"n": len(values)}
    told |= {name: round(ranked(values, share), digits) for name, share in SHARES.items()}
    return {**told, "max": round(max(values), digits)}
