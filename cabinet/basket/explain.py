"""What one change of one zone's mass may have been: goods taken, put back, swapped, a thing of one's own, nothing.

Each explanation carries its log weight: prior x mass likelihood x sight.  Bounds: at most three units of mixed
products in one settled change, any number of one product; `TallyPolicy.per_change` explanations are kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from math import comb, exp, log, pi, sqrt
from typing import NamedTuple

from cabinet.basket.evidence import Header, Sighting
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.sight import Seen, Sight, Units
from cabinet.units import CameraId, Sku, ZoneId

Picks = tuple[Sku, ...]  # one entry for each unit
Cart = tuple[tuple[Sku, int, int], ...]  # (sku, units in the shopper's hands, of these taken from this zone)


@dataclass(frozen=True, slots=True)
class Change:
    zone: ZoneId
    delta_g: float
    sd_g: float
    looks: tuple[Sighting, ...] = ()
    pressed: bool = False  # levels in between are taken for a hand or a bag
    rest: bool = False  # what the zone's net has beyond its steps


class Explanation(NamedTuple):
    weight: float  # log
    units: Units = ()
    flag: str = ""  # why a person must look, where this is what happened
    misplaced: bool = False  # the ledger does not know the product in this zone


class _Goods(NamedTuple):
    units: Units
    mass_g: float  # what left less what came
    var_g2: float
    wide_g2: float


class _Guess(NamedTuple):
    prior: float  # log
    goods: _Goods
    misplaced: bool = False


@dataclass(slots=True)
class Case:
    """One change, and what the explainer found out about it so far."""

    change: Change
    window_g: float  # how far off a mass may be at all
    seen: Seen
    always: list[Explanation] = field(default_factory=list)  # whatever the shopper holds
    swaps: dict[Sku, list[Explanation]] = field(default_factory=dict)
    known: dict[Cart, tuple[Explanation, ...]] = field(default_factory=dict)


def _density(off_g: float, var: float) -> float:
    return exp(-0.5 * off_g * off_g / var) / sqrt(2 * pi * var)


class Explainer:
    """Explains changes of one visit's zones."""

    def __init__(
        self,
        header: Header,
        policy: TallyPolicy,
        sight: Sight,
        cameras: Mapping[ZoneId, tuple[CameraId, ...]],
        minutes: float,
    ) -> None:
        self._header, self._policy, self._sight, self._cameras = header, policy, sight, cameras
        self.drift_wide_sd_g = policy.drift_wide_sd_g * max(1.0, minutes) ** 0.5
        self._masses = {sku: product.mass_g for sku, product in sorted(header.catalog.items())}
        self._stock = {zone: self._held(zone) for zone in header.zones}
        self._everywhere = sorted({sku for held in self._stock.values() for sku in held})
        self._takes: dict[ZoneId, tuple[list[float], list[Picks]]] = {}  # these three: worked out once a visit
        self._taken: dict[tuple[ZoneId, Picks], _Guess] = {}
        self._goods: dict[tuple[Picks, int], _Goods] = {}

    def case(self, change: Change) -> Case:
        """The change with what does not depend on the shopper; ask once for each change: it is the expensive part."""
        seen = self._sight.of(change.looks, self._cameras.get(change.zone, ()))
        case = Case(change, self._window(change), seen)
        case.always = self._without_cart(case)
        return case

    def explain(self, case: Case, cart: Cart) -> tuple[Explanation, ...]:
        """Best first; `cart` is what the story so far says the shopper holds."""
        if cart not in case.known:
            found = self._best([*case.always, *self._with_cart(case, cart)]) if cart else case.always
            case.known[cart] = tuple(found)
        return case.known[cart]

    def _best(self, found: list[Explanation]) -> list[Explanation]:
        found.sort(key=lambda e: (-e.weight, e.units, e.flag))
        worst = found[0].weight - self._policy.nats if found else 0.0
        return [e for e in found[: self._policy.per_change] if e.weight > worst]

    def _seen(self, case: Case, guesses: Iterable[_Guess]) -> list[Explanation]:
        """Guesses with mass and sight weighed in; those that sight cannot save are left out."""
        bleed = log(self._policy.bleed) if case.change.rest else 0.0
        weighed = [(bleed + guess.prior + self._mass(case.change, guess.goods), guess) for guess in guesses]
        weighed.sort(key=lambda pair: (-pair[0], pair[1].goods.units))
        return [
            Explanation(w + case.seen.log_ratio(goods.units), goods.units, misplaced=misplaced)
            for w, (_, goods, misplaced) in weighed[: 2 * self._policy.per_change]
            if w > weighed[0][0] - self._policy.nats
        ]

    def _mass(self, change: Change, goods: _Goods) -> float:
        off, w = change.delta_g + goods.mass_g, self._policy.wide_share
        var = change.sd_g**2 + goods.var_g2
        wide = var + goods.wide_g2
        if change.rest:
            var, wide = var + self._policy.drift_sd_g**2, wide + self.drift_wide_sd_g**2
        return log((1 - w) * _density(off, var) + w * _density(off, wide) + 1e-300)

    # Whatever the shopper holds

    def _without_cart(self, case: Case) -> list[Explanation]:
        change = case.change
        guesses = [*self._near(case, -change.delta_g), *self._misplaced(case)]
        if change.delta_g > self._policy.step_g:
            prior = log(self._policy.alien / len(self._masses))
            guesses += [_Guess(prior, self._moved((sku,), -1)) for sku in self._fitting(case, self._masses, -1)]
        return self._best([*self._seen(case, guesses), *self._without_goods(change, case.seen.log_ratio(()))])

    def _without_goods(self, change: Change, unseen: float) -> Iterator[Explanation]:
        policy, delta = self._policy, change.delta_g
        if change.rest:
            share, sd, wide = 1 - policy.bleed, policy.drift_sd_g, self.drift_wide_sd_g
        else:
            share, sd = 0.5 if change.pressed else policy.nothing, policy.nothing_sd_g
            wide = sd
        w = policy.wide_share
        near = (1 - w) * _density(delta, sd**2 + change.sd_g**2) + w * _density(delta, wide**2 + change.sd_g**2)
        yield Explanation(log(share * near + 1e-300) + unseen)
        if abs(delta) < policy.step_g:
            return
        what = f"{change.zone}: {delta:+.0f} g that no product explains"
        rarely = policy.bleed if change.rest else 1.0
        yield Explanation(log(rarely * policy.unexplained) + unseen, flag=what)
        if delta > 0:
            left = f"{change.zone}: something of {delta:.0f} g was left that is not from here"
            yield Explanation(log(rarely * policy.foreign) + unseen, flag=left)

    # Goods that leave

    def _held(self, zone: ZoneId) -> dict[Sku, int]:
        """What is or is meant to be in the zone; units by the ledger, which may be wrong."""
        stock, plan = self._header.stock.get(zone, {}), self._header.planogram.get(zone, ())
        held = {*plan, *(sku for sku, n in stock.items() if n > 0)}
        return {sku: stock.get(sku, 0) for sku in sorted(held) if sku in self._header.catalog}

    def _window(self, change: Change) -> float:
        drift = 3 * self.drift_wide_sd_g if change.rest else 0.0
        return 15 + 5 * change.sd_g + 4 * self._policy.catalogue_wide_unlearnt * abs(change.delta_g) + drift

    def _fitting(self, case: Case, skus: Iterable[Sku], way: int) -> list[Sku]:
        """Products of which one unit may be the change."""
        delta_g, window_g = case.change.delta_g, case.window_g
        return [sku for sku in skus if abs(delta_g + way * self._masses[sku]) <= window_g]

    def _near(self, case: Case, mass_g: float, most: int = 99) -> Iterator[_Guess]:
        """What may have left the zone in one change, of about this mass, up to so many units."""
        zone = case.change.zone
        if zone not in self._takes:
            table = sorted(self._table(zone))
            self._takes[zone] = ([mass for mass, _ in table], [picks for _, picks in table])
        masses, picked = self._takes[zone]
        first, end = bisect_left(masses, mass_g - case.window_g), bisect_right(masses, mass_g + case.window_g)
        for picks in picked[first:end]:
            if len(picks) <= most:
                key = (zone, picks)
                if key not in self._taken:
                    self._taken[key] = _Guess(self._prior(zone, len(picks)), self._moved(picks, 1))
                yield self._taken[key]

    def _prior(self, zone: ZoneId, k: int) -> float:
        """Of k certain units leaving the zone in one change."""
        shares, products = self._policy.units, len(self._stock[zone])
        if k <= len(shares):
            return log(shares[k - 1] / comb(products + k - 1, k))
        return log(shares[-1] / products) + (k - len(shares)) * log(self._policy.more_units)

    def _table(self, zone: ZoneId) -> Iterator[tuple[float, Picks]]:
        stock = self._stock[zone]
        masses_g = [self._masses[sku] for sku in stock]
        most = len(self._policy.units)
        for k in range(1, most + 1):
            sums_g = map(sum, combinations_with_replacement(masses_g, k))
            yield from zip(sums_g, combinations_with_replacement(stock, k), strict=True)
        for (sku, n), mass_g in zip(stock.items(), masses_g, strict=True):
            for k in range(most + 1, n + 2):  # one more than the ledger knows: it may be wrong
                yield k * mass_g, (sku,) * k

    def _misplaced(self, case: Case) -> Iterator[_Guess]:
        """Single units that the ledger knows in other zones only."""
        here = self._stock[case.change.zone]
        elsewhere = [sku for sku in self._everywhere if sku not in here]
        for sku in self._fitting(case, elsewhere, 1):
            yield _Guess(log(self._policy.misplaced / len(elsewhere)), self._moved((sku,), 1), misplaced=True)

    # Goods that come back

    def _with_cart(self, case: Case, cart: Cart) -> Iterator[Explanation]:
        policy = self._policy
        home = {sku: 0.0 if here > 0 else log(policy.elsewhere) for sku, _, here in cart}
        if case.change.delta_g > 0:
            yield from self._seen(case, self._returns(case, {sku: n for sku, n, _ in cart}, home))
        share = log(len(cart))
        for sku, way in home.items():
            if sku not in case.swaps:
                case.swaps[sku] = self._best(self._seen(case, self._swapped(case, sku)))
            for swap in case.swaps[sku]:
                if swap.weight < case.always[0].weight - policy.nats:
                    break
                yield Explanation(swap.weight + way - share, swap.units)

    def _returns(self, case: Case, held: Mapping[Sku, int], home: Mapping[Sku, float]) -> Iterator[_Guess]:
        most_g = case.change.delta_g + case.window_g + 1  # a gram for rounding: what fits is decided below
        light = [sku for sku in held if self._masses[sku] <= most_g]  # the others fit in no company either
        for k, share in enumerate(self._policy.units, 1):
            ways = comb(len(held) + k - 1, k)
            for picks in combinations_with_replacement(light, k):
                goods = self._moved(picks, -1)
                off_g = abs(case.change.delta_g + goods.mass_g)
                if off_g <= case.window_g and all(-n <= held[sku] for sku, n in goods.units):
                    yield _Guess(log(share / ways) + sum(home[sku] for sku in picks), goods)

    def _swapped(self, case: Case, sku: Sku) -> Iterator[_Guess]:
        """One unit put back and one or two others taken before the shelf came to rest."""
        swap = log(self._policy.swap)
        for prior, taken, _ in self._near(case, self._masses[sku] - case.change.delta_g, most=2):
            if sku not in [s for s, _ in taken.units]:
                yield _Guess(swap + prior, self._summed((*taken.units, (sku, -1))))

    def _moved(self, picks: Picks, way: int) -> _Goods:
        """These units leaving (1) or coming back (-1)."""
        key = (picks, way)
        if key not in self._goods:
            self._goods[key] = self._summed(tuple((sku, way * picks.count(sku)) for sku in dict.fromkeys(picks)))
        return self._goods[key]

    def _summed(self, units: Units) -> _Goods:
        policy, mass, var, wide = self._policy, 0.0, 0.0, 0.0
        for sku, n in units:
            product = self._header.catalog[sku]
            grams = n * product.mass_g
            mass += grams
            var += abs(n) * product.spread_g**2 + (grams * policy.catalogue_tolerance) ** 2
            wide += (grams * policy.wide_share_of_mass(product)) ** 2
        return _Goods(units, mass, var, wide)
