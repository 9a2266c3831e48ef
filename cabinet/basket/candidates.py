"""Which goods may have crossed a zone's edge in one change of its mass, and how usual that is.  Weighs nothing.

Bounds: up to three units of mixed products from the whole zone, any number of one product, up to `MOST_NAMED` units of
those products that the cameras named and one more of any.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations_with_replacement
from math import comb, fsum, log
from typing import NamedTuple

from cabinet.basket.evidence import Header, Sighting
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.sight import Units
from cabinet.units import Sku, ZoneId

MOST_NAMED = 9  # units in one settled change: more than two hands and an arm carry
MOST_KINDS = 7  # products that the cameras named and that are combined
MOST_MIXES = 400  # of them that are weighed

Picks = tuple[Sku, ...]  # one entry for each unit
Weighed = tuple[float, float]  # of one unit: the mass it had when it was taken, grams; its variance
Held = Mapping[Sku, tuple[Weighed, ...]]  # the pieces in the shopper's hands


class Goods(NamedTuple):
    units: Units
    mass_g: float  # what left less what came
    var_g2: float
    wide_g2: float


class Guess(NamedTuple):
    prior: float  # log
    goods: Goods
    misplaced: bool = False
    others: tuple[Goods, ...] = ()  # the same units as other pieces of them were weighed
    off_g: float = 0.0  # sd of a mass that the catalogue has quite wrong


class Candidates:
    """Of one visit."""

    def __init__(self, header: Header, policy: TallyPolicy) -> None:
        self._header, self._policy = header, policy
        self.masses_g = {sku: product.mass_g for sku, product in sorted(header.catalog.items())}
        self.stock = {zone: self._stocked(zone) for zone in header.zones}
        self._everywhere = sorted({sku for held in self.stock.values() for sku in held})
        self._takes: dict[ZoneId, tuple[list[float], list[Picks]]] = {}  # these three: worked out once a visit
        self._taken: dict[tuple[ZoneId, Picks], Guess] = {}
        self._goods: dict[tuple[Picks, int], Goods] = {}

    def _stocked(self, zone: ZoneId) -> dict[Sku, int]:
        """What is or is meant to be in the zone; units by the ledger, which may be wrong."""
        stock, plan = self._header.stock.get(zone, {}), self._header.planogram.get(zone, ())
        held = {*plan, *(sku for sku, n in stock.items() if n > 0)}
        return {sku: stock.get(sku, 0) for sku in sorted(held) if sku in self._header.catalog}

    # Goods that leave

    def near(self, zone: ZoneId, mass_g: float, window_g: float, most: int = 99) -> Iterator[Guess]:
        """What may have left the zone in one change, of about this mass, up to so many units."""
        if zone not in self._takes:
            table = sorted(self._table(zone))
            self._takes[zone] = ([mass for mass, _ in table], [picks for _, picks in table])
        masses, picked = self._takes[zone]
        for picks in picked[bisect_left(masses, mass_g - window_g) : bisect_right(masses, mass_g + window_g)]:
            if len(picks) <= most:
                key = (zone, picks)
                if key not in self._taken:
                    self._taken[key] = Guess(self._prior(zone, picks), self.moved(picks, 1))
                yield self._taken[key]

    def _prior(self, zone: ZoneId, picks: Picks) -> float:
        """Of these units leaving the zone in one change.  People who take several often take the same."""
        policy, products, k = self._policy, len(self.stock[zone]), len(picks)
        most = len(policy.units)
        beyond = max(0, k - most) * log(policy.more_units)
        share = policy.units[min(k, most) - 1]
        if k == 1:
            return log(share / products)
        if picks[0] == picks[-1]:
            return log(share * policy.same / products) + beyond
        return log(share * (1 - policy.same) / max(1, comb(products + k - 1, k) - products)) + beyond

    def _table(self, zone: ZoneId) -> Iterator[tuple[float, Picks]]:
        stock = self.stock[zone]
        masses_g = [self.masses_g[sku] for sku in stock]
        most = len(self._policy.units)
        for k in range(1, most + 1):
            sums_g = map(sum, combinations_with_replacement(masses_g, k))
            yield from zip(sums_g, combinations_with_replacement(stock, k), strict=True)
        for (sku, n), mass_g in zip(stock.items(), masses_g, strict=True):
            for k in range(most + 1, n + 2):  # one more than the ledger knows: it may be wrong
                yield k * mass_g, (sku,) * k

    def many(self, zone: ZoneId, mass_g: float, window_g: float, named: Iterable[Sku]) -> Iterator[Guess]:
        """More units than `near` mixes: of products that the cameras named, and at most one of any other."""
        stock = self.stock[zone]
        kinds = sorted((self.masses_g[sku], sku) for sku in named if sku in stock)[:MOST_KINDS]
        others = sorted((self.masses_g[sku], sku) for sku in stock)
        least = len(self._policy.units) + 1
        found: set[Picks] = set()
        if not kinds or mass_g + window_g < least * kinds[0][0] / 2:
            return

        def more(at: int, picks: Picks, left_g: float) -> None:
            if len(found) >= MOST_MIXES:
                return
            if least <= len(picks) and abs(left_g) <= window_g and len(set(picks)) > 1:
                found.add(tuple(sorted(picks)))
            if least - 1 <= len(picks) < MOST_NAMED:
                first = bisect_left(others, (left_g - window_g, Sku("")))
                for other_g, sku in others[first:]:
                    if other_g > left_g + window_g:
                        break
                    if len({*picks, sku}) > 1:
                        found.add(tuple(sorted((*picks, sku))))
            if len(picks) < MOST_NAMED:
                for n in range(at, len(kinds)):
                    unit_g, sku = kinds[n]
                    if unit_g > left_g + window_g:
                        break
                    if picks.count(sku) <= stock[sku]:
                        more(n, (*picks, sku), left_g - unit_g)

        more(0, (), mass_g)
        for picks in sorted(found):
            yield Guess(self._prior(zone, picks), self.moved(picks, 1))

    def misplaced(self, zone: ZoneId, delta_g: float, window_g: float) -> Iterator[Guess]:
        """Single units that the ledger knows in other zones only, or that were found astray here before."""
        elsewhere = [sku for sku in self._everywhere if sku not in self.stock[zone]]
        strays = self._header.strays.get(zone, ())
        for sku in self.fitting(elsewhere, 1, delta_g, window_g):
            prior = self._policy.misplaced / len(elsewhere) + (self._policy.stray / len(strays) if sku in strays else 0)
            yield Guess(log(prior), self.moved((sku,), 1), misplaced=True)

    def fitting(self, skus: Iterable[Sku], way: int, delta_g: float, window_g: float) -> list[Sku]:
        """Products of which one unit may be the change."""
        return [sku for sku in skus if abs(delta_g + way * self.masses_g[sku]) <= window_g]

    def off_catalogue(self, zone: ZoneId, delta_g: float, named: Iterable[Sku]) -> Iterator[Guess]:
        """One unit of a product that a camera named and whose mass the catalogue has quite wrong."""
        policy = self._policy
        for sku in named:
            mass_g = self.masses_g.get(sku, 0.0)
            if sku in self.stock[zone] and abs(delta_g + mass_g) <= 3 * policy.off_mass * mass_g:
                prior = self._prior(zone, (sku,)) + log(policy.off_share(self._header.catalog[sku]))
                yield Guess(prior, self.moved((sku,), 1), off_g=policy.off_mass * mass_g)

    # Goods that come

    def alien(self, delta_g: float, window_g: float) -> Iterator[Guess]:
        """A product of the catalogue that nobody took in this visit."""
        prior = log(self._policy.alien / len(self.masses_g))
        for sku in self.fitting(self.masses_g, -1, delta_g, window_g):
            yield Guess(prior, self.moved((sku,), -1))

    def returns(self, delta_g: float, window_g: float, held: Held, home: Mapping[Sku, float]) -> Iterator[Guess]:
        """What of the goods in the shopper's hands may have come back; `home`: log prior of each coming here."""
        for k, share in enumerate(self._policy.units, 1):
            prior = log(share / comb(len(held) + k - 1, k))
            for picks in _adding_up(k, delta_g, window_g, held):
                goods, *others = self._put_back(picks, held)
                if min(abs(delta_g + one.mass_g) for one in (goods, *others)) <= window_g:
                    yield Guess(prior + sum(home[sku] for sku in picks), goods, others=tuple(others))

    def _put_back(self, picks: Picks, held: Held) -> Iterator[Goods]:
        """These units coming back weigh what they weighed when they were taken: the very same pieces."""
        same = self.moved(picks, -1)
        if len(picks) == 1:
            for mass_g, var_g2 in held[picks[0]]:
                yield self._piece(same, mass_g, var_g2)
            return
        mass_g, var_g2 = 0.0, 0.0
        for sku, n in same.units:
            pieces = held[sku]
            middle_g = fsum(g for g, _ in pieces) / len(pieces)
            among_g2 = fsum((g - middle_g) ** 2 for g, _ in pieces) / len(pieces) if -n < len(pieces) else 0.0
            mass_g += -n * middle_g
            var_g2 += -n * (among_g2 + fsum(v for _, v in pieces) / len(pieces))
        yield self._piece(same, mass_g, var_g2)

    def _piece(self, same: Goods, mass_g: float, var_g2: float) -> Goods:
        tight = var_g2 + (self._policy.same_piece * mass_g) ** 2
        return Goods(same.units, -mass_g, tight, same.wide_g2 + 2 * same.var_g2)

    def swapped(self, zone: ZoneId, delta_g: float, window_g: float, sku: Sku) -> Iterator[Guess]:
        """One unit put back and one or two others taken before the shelf came to rest."""
        swap = log(self._policy.swap)
        for guess in self.near(zone, self.masses_g[sku] - delta_g, window_g, most=2):
            taken = guess.goods.units
            if sku not in [s for s, _ in taken]:
                yield Guess(swap + guess.prior, self._summed((*taken, (sku, -1))))

    def moved(self, picks: Picks, way: int) -> Goods:
        """These units leaving (1) or coming back (-1)."""
        key = (picks, way)
        if key not in self._goods:
            self._goods[key] = self._summed(tuple((sku, way * picks.count(sku)) for sku in dict.fromkeys(picks)))
        return self._goods[key]

    def _summed(self, units: Units) -> Goods:
        policy, mass, var, wide = self._policy, 0.0, 0.0, 0.0
        for sku, n in units:
            product = self._header.catalog[sku]
            grams = n * product.mass_g
            mass += grams
            var += abs(n) * product.spread_g**2 + (grams * policy.catalogue_tolerance) ** 2
            wide += (grams * policy.wide_share_of_mass(product)) ** 2
        return Goods(units, mass, var, wide)


def _adding_up(k: int, mass_g: float, window_g: float, held: Held) -> Iterator[Picks]:
    """Choices of k units of what is held, at most as many of each as there are, that may be of about this mass."""
    ranges = sorted((pieces[0][0], pieces[-1][0], sku) for sku, pieces in held.items())  # lightest and heaviest piece
    most_g = ranges[-1][1]

    def more(at: int, picks: Picks, low_g: float, high_g: float) -> Iterator[Picks]:
        """`low_g` to `high_g` is what is still missing, by what the pieces chosen so far may weigh."""
        left = k - len(picks)
        if not left:
            yield picks
            return
        for n in range(at, len(ranges)):
            least, heaviest, sku = ranges[n]
            if left * least > high_g:
                return  # the others are heavier still
            if heaviest + (left - 1) * most_g >= low_g and picks.count(sku) < len(held[sku]):
                yield from more(n, (*picks, sku), low_g - heaviest, high_g - least)

    return more(0, (), mass_g - window_g - 1, mass_g + window_g + 1)  # a gram for rounding: what fits is weighed


def named(looks: Iterable[Sighting], against: str, least: float) -> list[Sku]:
    """What the cameras' best guesses were, of looks not in that direction; in the order of SKU."""
    found = set()
    for look in looks:
        if look.action != against and look.scores:
            sku, score = max(look.scores.items(), key=lambda pair: (pair[1], pair[0]))
            if score >= least:
                found.add(sku)
    return sorted(found)
