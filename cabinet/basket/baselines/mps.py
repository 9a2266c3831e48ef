"""Baseline: MPS, the winner of the CPS-IoT Week 2020 AutoCheckout contest, re-derived from its seven rules.

1. A shelf's signal is the sum of its plates; over each second (60 samples) its mean and standard deviation.
2. A run of seconds with sd > 20 g, at least 30 of them, is a candidate; it happened where the sd was greatest.
3. It is an event if the mean changed by more than 10 g from before the run to after it; each plate's change is kept.
4. A pick is split into groups of plates that changed by at least a third of the shelf's lightest SKU and share SKUs.
5. The SKU with the highest 0.8 x arrangement + 0.2 x weight wins: arrangement is the share of the change on plates
   planned to hold it; weight the common area of N(change, 10 g) and N(its mass, 10 g).
6. Quantity is max(1, round(change / mass)); below 0.4 of the mass it is nothing.
7. A put-back is the (item, n) of the cart whose mass is nearest; below 0.75 of the mass it is nothing.  The item joins
   the planogram of where it landed.

What `cabinet-visit/1` cannot carry: a zone gives one sum, not its plates, so a zone is a shelf with one plate, rule 4
leaves one group (or none, where the change is too small), and arrangement is 1 or 0.  The contest's cells ran at 60 Hz:
other rates are resampled to that.  One shopper holds all; who of several took it (the contest's cameras) is no question
here.  Where the rules are silent: "before" and "after" are the calm seconds next to the run, and equal scores, common
because far from every mass the area is 0, go to the nearer mass, the kinder reading.  MPS never asks a person.
"""

from collections.abc import Mapping, Sequence
from math import erfc, sqrt
from typing import NamedTuple

import numpy as np

from cabinet.basket.baselines.signals import HZ, Signal, signals
from cabinet.basket.evidence import Product, Visit
from cabinet.units import Sku, ZoneId

WINDOW = 60
ACTIVE_SD_G = 20.0
LEAST_RUN = 30
LEAST_EVENT_G = 10.0
GROUP_SHARE = 1 / 3
ARRANGEMENT, WEIGHT = 0.8, 0.2
SD_G = 10.0
LEAST_PICK, LEAST_PUT = 0.4, 0.75  # share of the mass

Catalog = Mapping[Sku, Product]
Planogram = Mapping[str, Sequence[Sku]]  # by plate


class Event(NamedTuple):
    peak: int  # sample, the middle of the second with the greatest sd
    plates_g: Mapping[str, float]

    @property
    def delta_g(self) -> float:
        return sum(self.plates_g.values())


def mps(visit: Visit) -> dict[Sku, int]:
    """The bill: units > 0 of each SKU."""
    header = visit.header
    first_t, grams = signals(visit)
    found = [
        (first_t + event.peak / HZ, zone, event) for zone, signal in grams.items() for event in events({zone: signal})
    ]
    planned: dict[str, list[Sku]] = {
        zone: [sku for sku in header.planogram.get(zone, ()) if sku in header.catalog] for zone in header.zones
    }
    cart: dict[Sku, int] = {}
    for _, zone, event in sorted(found, key=lambda one: one[:2]):
        if event.delta_g < 0:
            for group in groups(event.plates_g, {zone: planned[zone]}, header.catalog):
                for sku, n in pick(group, planned, header.catalog).items():
                    cart[sku] = cart.get(sku, 0) + n
        else:
            put = put_back(event.delta_g, cart, header.catalog)
            if put is not None:
                _return(put, cart, planned[zone])
    return cart


def _return(put: tuple[Sku, int], cart: dict[Sku, int], plate: list[Sku]) -> None:
    sku, n = put
    cart[sku] -= n
    if not cart[sku]:
        del cart[sku]
    if sku not in plate:
        plate.append(sku)


def events(plates: Mapping[ZoneId, Signal] | Mapping[str, Signal]) -> list[Event]:
    """Rules 1 to 3 for one shelf."""
    shelf = np.sum(list(plates.values()), axis=0)
    if len(shelf) < WINDOW:
        return []
    sd = _rolled(shelf)[1]
    means = {plate: _rolled(signal)[0] for plate, signal in plates.items()}
    found = []
    for start, end in _runs(sd > ACTIVE_SD_G):
        before, after = max(0, start - 1), min(end, len(sd) - 1)
        plates_g = {str(plate): float(mean[after] - mean[before]) for plate, mean in means.items()}
        event = Event(start + int(np.argmax(sd[start:end])) + WINDOW // 2, plates_g)
        if end - start >= LEAST_RUN and abs(event.delta_g) > LEAST_EVENT_G:
            found.append(event)
    return found


def _rolled(signal: Signal) -> tuple[Signal, Signal]:
    """Mean and standard deviation of each full window, from running sums about the first sample."""
    about = signal - signal[0]
    sums = np.concatenate([[0.0], np.cumsum(about)])
    squares = np.concatenate([[0.0], np.cumsum(about**2)])
    mean = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
    var = (squares[WINDOW:] - squares[:-WINDOW]) / WINDOW - mean**2
    return mean + signal[0], np.sqrt(np.maximum(var, 0.0))


def _runs(active: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def groups(plates_g: Mapping[str, float], planned: Planogram, catalog: Catalog) -> list[dict[str, float]]:
    """Rule 4: plates that changed enough, together where they share SKUs (also by way of a third)."""
    masses = [catalog[sku].mass_g for plate in planned.values() for sku in plate]
    least_g = GROUP_SHARE * min(masses or [product.mass_g for product in catalog.values()], default=0.0)
    found: list[tuple[set[Sku], dict[str, float]]] = []
    for plate, g in plates_g.items():
        if abs(g) < least_g:
            continue
        skus, members = set(planned.get(plate, ())), {plate: g}
        for other in [one for one in found if one[0] & skus]:
            found.remove(other)
            skus, members = skus | other[0], {**other[1], **members}
        found.append((skus, members))
    return [members for _, members in found]


def pick(plates_g: Mapping[str, float], planned: Planogram, catalog: Catalog) -> dict[Sku, int]:
    """Rules 5 and 6: the best SKU and how many of it; empty where the change is too small for it."""
    total_g = sum(plates_g.values())
    if not catalog or not total_g:
        return {}
    points = {sku: _points(sku, plates_g, planned, catalog[sku].mass_g) for sku in catalog}
    best = max(points, key=lambda sku: (points[sku], -abs(catalog[sku].mass_g - abs(total_g))))
    share = abs(total_g) / catalog[best].mass_g
    return {} if share < LEAST_PICK else {best: max(1, round(share))}


def _points(sku: Sku, plates_g: Mapping[str, float], planned: Planogram, mass_g: float) -> float:
    total_g = sum(plates_g.values())
    arrangement = sum(g / total_g for plate, g in plates_g.items() if sku in planned.get(plate, ()))
    return ARRANGEMENT * arrangement + WEIGHT * common_area(abs(total_g), mass_g)


def common_area(a_g: float, b_g: float) -> float:
    """Overlap of two normal densities of SD_G about a and b: 1 where they are the same."""
    return erfc(abs(a_g - b_g) / (2 * sqrt(2) * SD_G))


def put_back(delta_g: float, cart: Mapping[Sku, int], catalog: Catalog) -> tuple[Sku, int] | None:
    """Rule 7: what of the cart it was; None where the cart is empty or the change too small for it."""
    choices = [
        (abs(n * catalog[sku].mass_g - delta_g), n, sku) for sku, most in cart.items() for n in range(1, most + 1)
    ]
    if not choices:
        return None
    _, n, sku = min(choices)
    return None if delta_g < LEAST_PUT * catalog[sku].mass_g else (sku, n)
