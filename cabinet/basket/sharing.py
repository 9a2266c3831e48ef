"""Which steps of a restocked shelf were which product, where several were counted.

A beam goes through the steps in the order of time.  Each step is so many units of one product, or one of each of two;
the counts must come out exactly.  A product's mass is learnt on the way (the conjugate predictive of `learning.py`), so
its second unit must weigh what its first did, however wrong the catalogue was.  Told is only what at least `SURE` of
the probability agrees on, product by product.  Bounds: `MOST_STEPS`, `KINDS`, `BEAM`; beyond them nothing is told.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations
from typing import Any, Final, NamedTuple

from cabinet.basket.lessons import Group
from cabinet.units import Sku

KINDS: Final = 5
MOST_STEPS: Final = 40
BEAM: Final = 100
HEAP: Final = 8  # units of one product in one step
SURE: Final = 0.99
ALIKE: Final = 0.01  # ways that agree on a mass within this share are one
FAR_SD: Final = 3.0  # further from what is believed than this no product is
FARTHEST_SD: Final = 5.0  # a step further off than this is not tried
MORE: Final = math.log(0.4)  # each further unit in one step
MIXED: Final = math.log(0.05)  # two products in one step


class Known(NamedTuple):
    """What is believed of a product before: the mean of one unit, units it counts for, variance of one unit."""

    sku: Sku
    to_find: int  # units
    mean_g: float
    weight: float
    spread_g2: float


Step = tuple[float, float]  # grams > 0, sd


class _Way(NamedTuple):
    weight: float  # log
    left: tuple[int, ...]  # units still to be found, of each product
    units: tuple[float, ...]  # weighed apart so far
    mass_g: tuple[float, ...]
    said: tuple[tuple[int, int], ...]  # of each step: product, units; -1: mixed


@lru_cache(maxsize=64)  # asked again whenever a person counts something
def share_out(steps: tuple[Step, ...], known: tuple[Known, ...]) -> Mapping[Sku, tuple[Group, ...]]:
    """The groups of each product that is told apart surely enough; empty where none is."""
    if not 0 < len(steps) <= MOST_STEPS or len(known) > KINDS:
        return {}
    nothing = (0.0,) * len(known)
    ways = [_Way(0.0, tuple(one.to_find for one in known), nothing, nothing, ())]
    for at, step in enumerate(steps):
        later = len(steps) - at - 1
        found = [new for way in ways for new in _next(way, step, known) if sum(new.left) >= later]
        found.sort(key=lambda way: (-way.weight, way.said))
        ways = found[:BEAM]
        if not ways:
            return {}
    ways = [way for way in ways if not any(way.left)]
    return _agreed(ways, steps, known) if ways else {}


def _next(way: _Way, step: Step, known: tuple[Known, ...]) -> Iterator[_Way]:
    grams, sd_g = step
    for k, one in enumerate(known):
        for n in range(1, min(way.left[k], HEAP) + 1):
            mean_g, var_g2 = _expected(way, k, one, n)
            off_g, var_g2 = grams - mean_g, var_g2 + sd_g**2
            if off_g * off_g > FARTHEST_SD**2 * var_g2:
                continue
            weight = way.weight + (n - 1) * MORE + _log_density(off_g, var_g2)
            yield _Way(
                weight, _plus(way.left, k, -n), _plus(way.units, k, n), _plus(way.mass_g, k, grams),
                (*way.said, (k, n)),
            )  # fmt: skip  # a row
    for a, b in combinations([k for k in range(len(known)) if way.left[k]], 2):
        (first_g, first_g2), (second_g, second_g2) = _expected(way, a, known[a], 1), _expected(way, b, known[b], 1)
        off_g, var_g2 = grams - first_g - second_g, first_g2 + second_g2 + sd_g**2
        if off_g * off_g > FARTHEST_SD**2 * var_g2:
            continue
        weight = way.weight + MIXED + _log_density(off_g, var_g2)
        yield way._replace(weight=weight, left=_plus(_plus(way.left, a, -1), b, -1), said=(*way.said, (-1, 2)))


def _expected(way: _Way, k: int, one: Known, n: int) -> tuple[float, float]:
    """Mean and variance of n more units, after those that this way has seen."""
    weight = one.weight + way.units[k]
    mean_g = (one.weight * one.mean_g + way.mass_g[k]) / weight
    return n * mean_g, one.spread_g2 * (n + n * n / weight)


def _plus(values: tuple[Any, ...], k: int, more: float) -> tuple[Any, ...]:
    return (*values[:k], values[k] + more, *values[k + 1 :])


def _log_density(off_g: float, var_g2: float) -> float:
    return -0.5 * off_g * off_g / var_g2 - 0.5 * math.log(var_g2)


def _agreed(ways: list[_Way], steps: tuple[Step, ...], known: tuple[Known, ...]) -> Mapping[Sku, tuple[Group, ...]]:
    best = ways[0]
    if not _good(best, steps, known):
        return {}
    shares = [math.exp(way.weight - best.weight) for way in ways]
    found: dict[Sku, tuple[Group, ...]] = {}
    for k, one in enumerate(known):
        if not best.units[k]:
            continue
        mean_g = best.mass_g[k] / best.units[k]
        agree = sum(
            share
            for way, share in zip(ways, shares, strict=True)
            if way.units[k] and abs(way.mass_g[k] / way.units[k] / mean_g - 1) <= ALIKE
        )
        if agree >= SURE * sum(shares):
            said = zip(best.said, steps, strict=True)
            found[one.sku] = tuple(Group(n, grams, sd_g) for (which, n), (grams, sd_g) in said if which == k)
    return found


def _good(way: _Way, steps: tuple[Step, ...], known: tuple[Known, ...]) -> bool:
    """Whether every step weighs what it is said to be, and every product near what is believed: the best of bad ways
    is none.
    """
    means_g = [way.mass_g[k] / way.units[k] if way.units[k] else one.mean_g for k, one in enumerate(known)]
    spreads_g2 = [max(one.spread_g2, (0.01 * mean_g) ** 2) for one, mean_g in zip(known, means_g, strict=True)]
    for (k, n), (grams, sd_g) in zip(way.said, steps, strict=True):
        if k >= 0 and abs(grams - n * means_g[k]) > 4 * math.sqrt(n * spreads_g2[k] + sd_g**2):
            return False
    return all(
        abs(mean_g - one.mean_g) <= FAR_SD * math.sqrt(spread_g2 / max(1.0, way.units[k]) + one.spread_g2 / one.weight)
        for k, (one, mean_g, spread_g2) in enumerate(zip(known, means_g, spreads_g2, strict=True))
    )
