"""Baseline: each settled change of a zone is the product, and the number of it, whose mass is nearest.

Uses neither sight nor what happened in another zone, and never asks a person.  It has a detector of its own, so that
its figures stay when the tally's changes.  A take is one SKU of the zone, at most as many as the ledger knew there; a
put-back is something that this visit holds.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from cabinet.basket.baselines.signals import HZ, Signal, signals
from cabinet.basket.evidence import Header, Visit
from cabinet.units import Sku, ZoneId

BLOCK = 15  # samples, a quarter of a second: its median is no spike's
CALM_G = 6.0  # neighbouring blocks of a settled mass differ by less
CALM_BLOCKS = 3
LEAST_G = 10.0  # a smaller change is drift; as MPS


class Step(NamedTuple):
    t: float
    zone: ZoneId
    delta_g: float


def weight_only(visit: Visit) -> dict[Sku, int]:
    """The bill: units > 0 of each SKU."""
    header = visit.header
    first_t, grams = signals(visit)
    found = [Step(first_t + at / HZ, z, g) for z, signal in grams.items() for at, g in steps(signal)]
    held: dict[Sku, int] = {}
    for step in sorted(found):
        taken = step.delta_g < 0
        choices = _of_the_zone(header, step.zone) if taken else held
        best = nearest(abs(step.delta_g), choices, header)
        if best is not None:
            sku, n = best
            held[sku] = held.get(sku, 0) + (n if taken else -n)
            if not held[sku]:
                del held[sku]
    return held


def steps(signal: Signal) -> list[tuple[int, float]]:
    """Changes from one settled mass to the next: the sample that the next begins with, and grams."""
    blocks = len(signal) // BLOCK
    medians = np.median(signal[: blocks * BLOCK].reshape(blocks, BLOCK), axis=1)
    breaks = np.flatnonzero(np.abs(np.diff(medians)) >= CALM_G) + 1
    edges = [0, *breaks.tolist(), blocks]
    found: list[tuple[int, float]] = []
    before_g: float | None = None
    for start, end in itertools.pairwise(edges):
        if end - start < CALM_BLOCKS:
            continue
        first_g, last_g = float(medians[start : start + 2].mean()), float(medians[end - 2 : end].mean())
        if before_g is not None and abs(first_g - before_g) > LEAST_G:
            found.append((start * BLOCK, first_g - before_g))
        before_g = last_g
    return found


def nearest(mass_g: float, choices: Mapping[Sku, int], header: Header) -> tuple[Sku, int] | None:
    """SKU and number, at most as many as the choices say; the fewer win a tie.  None where there is no choice."""
    possible = [(abs(n * header.catalog[s].mass_g - mass_g), n, s) for s, n in _each(choices) if s in header.catalog]
    if not possible:
        return None
    _, n, sku = min(possible)
    return sku, n


def _each(choices: Mapping[Sku, int]) -> Iterable[tuple[Sku, int]]:
    return ((sku, n) for sku, most in choices.items() for n in range(1, most + 1))


def _of_the_zone(header: Header, zone: ZoneId) -> dict[Sku, int]:
    """What should stand there, at least one of each; the whole catalogue where nobody knows."""
    stock = header.stock.get(zone, {})
    skus = [*header.planogram.get(zone, ()), *stock] or header.catalog
    return {sku: max(1, stock.get(sku, 0)) for sku in skus}
