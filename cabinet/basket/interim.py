"""What seems to have been taken so far, for the shopper's screen: cheap, greedy, and never charged.

Change by change in the order of time, the nearest product of the zone, or two of them; sight only breaks ties.  What
comes back must be held.  Knows no prices and gives no `Verdict`: the bill is worked out anew from the whole trace.  A
change that fits nothing is kept open for the next one in its zone (a hand that rests comes and goes), and until then
the answer says that it is not settled.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, inf, log, sqrt
from typing import NamedTuple

from cabinet.basket.evidence import Header, Product, Sighting
from cabinet.basket.online import Level
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Interim
from cabinet.units import Sku, ZoneId

Units = Mapping[Sku, int]  # > 0

MOST_OF_ONE = 4  # units of one product in a single change
FITS_SD = 3.5  # further off than this it is something else
SETTLED_SD_G = 1.0  # a level differs from the next by so much with nothing moved: drift, a neighbour's shelf
PAIR = 0.05  # how often one change is two different products
ELSEWHERE = 0.2  # a put-back comes to another zone than it was taken from


class Change(NamedTuple):
    """A settled change of one zone's mass; it happened between `t0` and `t1`."""

    zone: ZoneId
    t0: float
    t1: float
    delta_g: float  # negative: taken
    sd_g: float


def changes(zone: ZoneId, levels: Sequence[Level]) -> tuple[Change, ...]:
    """From each level to the next."""
    return tuple(
        Change(zone, a.t1, b.t0, b.first_g - a.last_g, (a.last_sd_g**2 + b.sd_g**2) ** 0.5)
        for a, b in itertools.pairwise(levels)
    )


def interim(
    header: Header, found: Iterable[Change], looks: Sequence[Sighting], policy: TallyPolicy, *, settled: bool = True
) -> Interim:
    """`settled`: no hand is in the shelves.  Whatever the order of `found`, and whoever looked, the same answer."""
    guess = _Guess(header, looks, policy)
    for change in sorted(found, key=lambda one: (one.t1, one.zone)):
        guess.take(change)
    held = sorted((header.catalog[sku].name, sku, n) for sku, n in guess.held().items() if n > 0)
    return Interim(tuple((sku, name, n) for name, sku, n in held), settled and not guess.open_g)


class _Guess:
    """One pass over the changes."""

    def __init__(self, header: Header, looks: Sequence[Sighting], policy: TallyPolicy) -> None:
        self._header, self._looks, self._policy = header, looks, policy
        self._left: Counter[tuple[ZoneId, Sku]] = Counter()  # what left each zone, less what came to it
        self.open_g: dict[ZoneId, float] = {}  # not understood yet

    def held(self) -> Counter[Sku]:
        held: Counter[Sku] = Counter()
        for (_, sku), n in self._left.items():
            held[sku] += n
        return held

    def take(self, change: Change) -> None:
        open_g = self.open_g.pop(change.zone, 0.0)
        both = change._replace(delta_g=change.delta_g + open_g)
        if abs(both.delta_g) < max(self._policy.step_g, 4 * change.sd_g):
            return  # it was a hand, and it has gone
        if (units := self._units(both)) is not None:
            self._move(both, units)
        elif open_g and (units := self._units(change)) is not None:
            self._move(change, units)
            self.open_g[change.zone] = open_g
        else:
            self.open_g[change.zone] = both.delta_g

    def _move(self, change: Change, units: Units) -> None:
        way = 1 if change.delta_g < 0 else -1
        for sku, n in units.items():
            self._left[change.zone, sku] += way * n

    def _units(self, change: Change) -> Units | None:
        """The cheapest explanation that fits, or None."""
        taken = change.delta_g < 0
        looks = [look for look in self._looks if self._near(look, change)]
        best: tuple[float, Units | None] = (inf, None)
        for units, prior in _combined(self._there(change.zone) if taken else self._back(change.zone)):
            cost = self._cost(change, units, prior)
            if cost < inf:
                best = min(best, (cost - self._seen(looks, units), units), key=lambda pair: pair[0])
        return best[1]

    def _there(self, zone: ZoneId) -> Iterator[tuple[Sku, int, float]]:
        """Products that may leave the zone: how many at most, and how readily."""
        stock = self._header.stock.get(zone, {})
        for sku in dict.fromkeys((*self._header.planogram.get(zone, ()), *stock)):
            left = stock.get(sku, MOST_OF_ONE) - self._left[zone, sku]
            if sku in self._header.catalog and left > 0:
                yield sku, left, 1.0

    def _back(self, zone: ZoneId) -> Iterator[tuple[Sku, int, float]]:
        """Products that are held, and so may come back."""
        for sku, n in self.held().items():
            if n > 0:
                yield sku, n, 1.0 if self._left[zone, sku] > 0 else ELSEWHERE

    def _cost(self, change: Change, units: Units, prior: float) -> float:
        """Less is better; infinite where the mass does not fit.  Now and then the catalogue is off."""
        policy, off_g, var, tight, wide = self._policy, abs(change.delta_g), change.sd_g**2, 0.0, 0.0
        for sku, n in units.items():
            product: Product = self._header.catalog[sku]
            off_g -= n * product.mass_g
            var += n * product.spread_g**2
            tight += n * product.mass_g * policy.catalogue_tolerance
            wide += n * product.mass_g * policy.wide_share_of_mass(product)
        var_tight, var_wide = var + SETTLED_SD_G**2 + tight**2, var + policy.drift_sd_g**2 + wide**2
        if off_g**2 > FITS_SD**2 * var_wide:
            return inf
        share = policy.wide_share
        return -log((1 - share) * _normal(off_g, var_tight) + share * _normal(off_g, var_wide)) - log(prior)

    def _near(self, look: Sighting, change: Change) -> bool:
        against = "return" if change.delta_g < 0 else "take"
        apart = max(change.t0 - look.t1, look.t0 - change.t1)
        return look.zone == change.zone and look.action != against and apart <= self._policy.lag_s

    def _seen(self, looks: Sequence[Sighting], units: Units) -> float:
        """Log of how much better the looks fit these units than any; all looks together count as one."""
        if not looks:
            return 0.0
        skus, trust, count = len(self._header.catalog), self._policy.trust, sum(units.values())
        fits = (sum(n * look.scores.get(sku, 0.0) for sku, n in units.items()) / count for look in looks)
        return sum(log(trust * fit * skus + 1 - trust) for fit in fits) / len(looks)


def _normal(off_g: float, var: float) -> float:
    return exp(-off_g * off_g / var / 2) / sqrt(var)


def _combined(products: Iterable[tuple[Sku, int, float]]) -> Iterator[tuple[Units, float]]:
    """Some of one product, or one each of two, with how readily that is done."""
    known = list(products)
    for sku, most, prior in known:
        for n in range(1, min(most, MOST_OF_ONE) + 1):
            yield {sku: n}, prior * 0.85 * 0.15 ** (n - 1)
    for (a, _, prior_a), (b, _, prior_b) in itertools.combinations(known, 2):
        yield {a: 1, b: 1}, PAIR * prior_a * prior_b
