"""What one change of one zone's mass may have been: goods taken, put back, swapped, a thing of one's own, nothing.

Each explanation carries its log weight: prior x mass likelihood x sight.  Bounds: at most three units of mixed
products in one settled change, any number of one product; `TallyPolicy.per_change` explanations are kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from math import comb, exp, log, pi, sqrt

from cabinet.basket.evidence import Header, Sighting
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.sight import Sight, Units
from cabinet.units import CameraId, Sku, ZoneId

Cart = tuple[tuple[Sku, int, int], ...]  # (sku, units in the shopper's hands, of these taken from this zone)


@dataclass(frozen=True, slots=True)
class Change:
    zone: ZoneId
    levels: tuple[int, int]  # from, to; of the rest (0, 0)
    delta_g: float
    sd_g: float
    looks: tuple[Sighting, ...] = field(default=(), compare=False)  # follows from zone and levels
    pressed: bool = False  # levels in between are taken for a hand or a bag
    rest: bool = False  # what the zone's net has beyond its steps


@dataclass(frozen=True, slots=True)
class Explanation:
    weight: float  # log
    units: Units = ()
    flag: str = ""  # why a person must look, where this is what happened
    misplaced: bool = False  # the ledger does not know the product in this zone


@dataclass(frozen=True, slots=True)
class _Combo:
    mass_g: float  # what left less what came
    var_g2: float
    wide_g2: float
    units: Units
    prior: float  # log
    misplaced: bool = False


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
        self._stock = {zone: self._held(zone) for zone in header.zones}
        self._takes: dict[ZoneId, tuple[list[float], list[tuple[float, tuple[Sku, ...]]]]] = {}
        self._always: dict[Change, list[Explanation]] = {}  # whatever the shopper holds
        self._swaps: dict[tuple[Change, Sku], list[Explanation]] = {}
        self._known: dict[tuple[Change, Cart], tuple[Explanation, ...]] = {}

    def explain(self, change: Change, cart: Cart) -> tuple[Explanation, ...]:
        """Best first; `cart` is what the story so far says the shopper holds."""
        key = (change, cart)
        if key not in self._known:
            if change not in self._always:
                self._always[change] = self._without_cart(change)
            found = [*self._always[change], *self._with_cart(change, cart)]
            self._known[key] = tuple(self._best(found))
        return self._known[key]

    def _best(self, found: list[Explanation]) -> list[Explanation]:
        found.sort(key=lambda e: (-e.weight, e.units, e.flag))
        worst = found[0].weight - self._policy.nats if found else 0.0
        return [e for e in found[: self._policy.per_change] if e.weight > worst]

    def _seen(self, change: Change, combos: Iterable[_Combo]) -> list[Explanation]:
        """Combos with mass and sight weighed in; those that sight cannot save are left out."""
        bleed = log(self._policy.bleed) if change.rest else 0.0
        goods = [(bleed + combo.prior + self._mass(change, combo), combo) for combo in combos]
        goods.sort(key=lambda pair: (-pair[0], pair[1].units))
        cameras = self._cameras.get(change.zone, ())
        return [
            Explanation(w + self._sight.log_ratio(change.looks, cameras, c.units), c.units, misplaced=c.misplaced)
            for w, c in goods[: 2 * self._policy.per_change]
            if w > goods[0][0] - self._policy.nats
        ]

    def _mass(self, change: Change, combo: _Combo) -> float:
        off, w = change.delta_g + combo.mass_g, self._policy.wide_share
        var = change.sd_g**2 + combo.var_g2
        wide = var + combo.wide_g2
        if change.rest:
            var, wide = var + self._policy.drift_sd_g**2, wide + self.drift_wide_sd_g**2
        return log((1 - w) * _density(off, var) + w * _density(off, wide) + 1e-300)

    # Whatever the shopper holds

    def _without_cart(self, change: Change) -> list[Explanation]:
        unseen = self._sight.log_ratio(change.looks, self._cameras.get(change.zone, ()), ())
        combos = [*self._near(change.zone, -change.delta_g, self._window(change)), *self._misplaced(change)]
        if change.delta_g > self._policy.step_g:
            catalog = sorted(self._header.catalog)
            prior = log(self._policy.alien / len(catalog))
            combos += [self._combo(((sku, -1),), prior) for sku in catalog if self._fits(change, ((sku, -1),))]
        return self._best([*self._seen(change, combos), *self._without_goods(change, unseen)])

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

    def _fits(self, change: Change, units: Units) -> bool:
        left = sum(n * self._header.catalog[sku].mass_g for sku, n in units)
        return abs(change.delta_g + left) <= self._window(change)

    def _near(self, zone: ZoneId, mass_g: float, window_g: float, most: int = 99) -> Iterator[_Combo]:
        """What may have left the zone in one change, of about this mass, up to so many units."""
        if zone not in self._takes:
            table = sorted(self._table(zone))
            self._takes[zone] = ([mass for mass, _ in table], table)
        masses, table = self._takes[zone]
        stock, shares = self._stock[zone], self._policy.units
        for _, picks in table[bisect_left(masses, mass_g - window_g) : bisect_right(masses, mass_g + window_g)]:
            k = len(picks)
            units = _counted(picks)
            if k > most:
                continue
            if k <= len(shares):
                yield self._combo(units, log(shares[k - 1] / comb(len(stock) + k - 1, k)))
            else:
                further = (k - len(shares)) * log(self._policy.more_units)
                yield self._combo(units, log(shares[-1] / len(stock)) + further)

    def _table(self, zone: ZoneId) -> Iterator[tuple[float, tuple[Sku, ...]]]:
        stock = self._stock[zone]
        mass = {sku: self._header.catalog[sku].mass_g for sku in stock}
        most = len(self._policy.units)
        for k in range(1, most + 1):
            for picks in combinations_with_replacement(stock, k):
                yield sum(map(mass.__getitem__, picks)), picks
        for sku, n in stock.items():
            for k in range(most + 1, n + 2):  # one more than the ledger knows: it may be wrong
                yield k * mass[sku], (sku,) * k

    def _misplaced(self, change: Change) -> Iterator[_Combo]:
        """Single units that the ledger knows in other zones only."""
        elsewhere = sorted({s for held in self._stock.values() for s in held} - {*self._stock[change.zone]})
        for sku in elsewhere:
            if self._fits(change, ((sku, 1),)):
                yield self._combo(((sku, 1),), log(self._policy.misplaced / len(elsewhere)), misplaced=True)

    # Goods that come back

    def _with_cart(self, change: Change, cart: Cart) -> Iterator[Explanation]:
        if not cart:
            return
        policy = self._policy
        home = {sku: 0.0 if here > 0 else log(policy.elsewhere) for sku, _, here in cart}
        if change.delta_g > 0:
            yield from self._seen(change, self._returns(change, {sku: n for sku, n, _ in cart}, home))
        for sku, way in home.items():
            key = (change, sku)
            if key not in self._swaps:
                self._swaps[key] = self._best(self._seen(change, self._swapped(change, sku)))
            for swap in self._swaps[key]:
                if swap.weight < self._always[change][0].weight - policy.nats:
                    break
                yield replace(swap, weight=swap.weight + way - log(len(cart)))

    def _returns(self, change: Change, held: Mapping[Sku, int], home: Mapping[Sku, float]) -> Iterator[_Combo]:
        for k, share in enumerate(self._policy.units, 1):
            ways = comb(len(held) + k - 1, k)
            for picks in combinations_with_replacement(held, k):
                units = tuple((sku, -n) for sku, n in _counted(picks))
                if self._fits(change, units) and all(-n <= held[sku] for sku, n in units):
                    yield self._combo(units, log(share / ways) + sum(home[sku] for sku in picks))

    def _swapped(self, change: Change, sku: Sku) -> Iterator[_Combo]:
        """One unit put back and one or two others taken before the shelf came to rest."""
        mass_g = self._header.catalog[sku].mass_g - change.delta_g
        for taken in self._near(change.zone, mass_g, self._window(change), most=2):
            if all(s != sku for s, _ in taken.units):
                yield self._combo((*taken.units, (sku, -1)), log(self._policy.swap) + taken.prior)

    def _combo(self, units: Units, prior: float, *, misplaced: bool = False) -> _Combo:
        policy, mass, var, wide = self._policy, 0.0, 0.0, 0.0
        for sku, n in units:
            product = self._header.catalog[sku]
            grams = n * product.mass_g
            mass += grams
            var += abs(n) * product.spread_g**2 + (grams * policy.catalogue_tolerance) ** 2
            wide += (grams * policy.wide_share_of_mass(product)) ** 2
        return _Combo(mass, var, wide, units, prior, misplaced)


def _counted(picks: tuple[Sku, ...]) -> Units:
    return tuple((sku, picks.count(sku)) for sku in dict.fromkeys(picks))
