"""A technician's visit: what each zone gained or lost, against what was counted, and what that teaches.

Units are told by their steps first: a shelf that gained five equal steps got five units, whatever was counted.  So a
miscounted restock is found even where the catalogue's mass is wrong, and teaches nothing.  Where goods came in one
heap that several numbers would explain the total is divided by the count, and the lesson is not sure.

Refuses to learn from a zone that was not well, from steps that may be shared out among several products in more than
one way (`sharing.py`), and from counts that the grams contradict.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cabinet.basket.evidence import Product
from cabinet.basket.learning import Belief, LearningPolicy, Lesson, current, in_use
from cabinet.basket.lessons import Group, lesson_of
from cabinet.basket.sharing import Known, share_out
from cabinet.basket.zonechange import ZoneChange
from cabinet.units import Sku

LIMIT_SD: Final = 3.0
WIDEST: Final = 0.2  # how far a catalogue may be off when steps are counted by it, as a share
GRID: Final = 40  # unit masses tried between
APART: Final = 3  # groups of a product among others, weighed apart, without which its mass is not learnt
HEAP: Final = 12  # units in one step, at most; the more they are, the more numbers fit

Counts = Mapping[Sku, int]


@dataclass(frozen=True, slots=True)
class Compared:
    """Shelf and ledger over one visit."""

    change: ZoneChange
    counted: Counts  # how many more (or, negative, fewer) the ledger knows than before
    residual_g: float  # what the counts do not explain
    sd_g: float
    lessons: tuple[Lesson, ...] = ()

    @property
    def explained(self) -> bool:
        return bool(self.change.trouble) or abs(self.residual_g) <= LIMIT_SD * self.sd_g

    @property
    def lost(self) -> bool:
        return not self.explained and self.residual_g < 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is known of the products that may stand in the zone."""

    catalog: Mapping[Sku, Product]  # as a person typed it
    beliefs: Mapping[Sku, Belief]
    policy: LearningPolicy

    def belief(self, sku: Sku) -> Belief:
        return current(self.beliefs.get(sku), self.catalog[sku], self.policy)

    def known(self, sku: Sku) -> bool:
        """Whether the mass was learnt, and counts need not be found by trying."""
        return in_use(self.beliefs.get(sku), self.catalog[sku], self.policy)


def compare(change: ZoneChange, before: Counts, after: Counts, shelf: Shelf) -> Compared:
    """The zone's change against the counts; `before` is what the ledger knew at the unlock."""
    skus = sorted({*before, *after} & set(shelf.catalog))
    counted = {sku: n for sku in skus if (n := after.get(sku, 0) - before.get(sku, 0))}
    if change.trouble:
        return Compared(change, counted, 0.0, change.sd_g)
    if len(counted) == 1:
        return _one_kind(change, *next(iter(counted.items())), shelf)
    return _kinds(change, counted, shelf)


def _beyond_steps(change: ZoneChange) -> float:
    return change.net_g - sum(delta_g for delta_g, _ in change.steps)


# One product was counted.


def _one_kind(change: ZoneChange, sku: Sku, count: int, shelf: Shelf) -> Compared:
    way = 1 if count > 0 else -1
    told = {} if any(delta_g * way < 0 for delta_g, _ in change.steps) else _told_by_steps(change, sku, shelf)
    if abs(count) in told:
        lesson = lesson_of(sku, told[abs(count)], sure=len(told) == 1)
        return Compared(change, {sku: count}, _beyond_steps(change), change.sd_g, (lesson,))
    if len(told) != 1:
        return _by_total(change, {sku: count}, shelf)
    ((units, groups),) = told.items()
    lesson = lesson_of(sku, groups)
    residual_g = change.net_g - count * lesson.mean_g
    sd_g = math.hypot(change.sd_g, abs(count - way * units) * shelf.belief(sku).spread_g2 ** 0.5)
    return Compared(change, {sku: count}, residual_g, sd_g)  # miscounted, or taken along: nothing to learn from


def _told_by_steps(change: ZoneChange, sku: Sku, shelf: Shelf) -> dict[int, list[Group]]:
    """How many units the steps may be, by themselves: each a whole multiple of one unit's mass near the known one."""
    belief = shelf.belief(sku)
    widest = LIMIT_SD * belief.sd_g / belief.mean_g if shelf.known(sku) else WIDEST
    spread_g = max(belief.spread_g2**0.5, 0.01 * belief.mean_g)
    found: dict[int, list[Group]] = {}
    for n in range(GRID + 1):
        unit_g = belief.mean_g * (1 + widest * (2 * n / GRID - 1))
        groups = [Group(round(abs(g) / unit_g), abs(g), sd_g) for g, sd_g in change.steps]
        if not groups or any(not 1 <= group.units <= HEAP for group in groups):
            continue
        units = sum(group.units for group in groups)
        mean_g = sum(group.mass_g for group in groups) / units
        if abs(mean_g / belief.mean_g - 1) <= widest and all(
            abs(group.mass_g - group.units * mean_g) <= 4 * math.hypot(group.sd_g, group.units**0.5 * spread_g)
            for group in groups
        ):
            found[units] = groups
    return found


# What the total says.


def _by_total(change: ZoneChange, counted: Counts, shelf: Shelf) -> Compared:
    """One product in a heap."""
    beliefs = {sku: shelf.belief(sku) for sku in counted}
    expected_g = sum(n * beliefs[sku].mean_g for sku, n in counted.items())
    var_g2 = change.sd_g**2
    for sku, n in counted.items():
        var_g2 += (n * beliefs[sku].mean_sd_g) ** 2 + abs(n) * beliefs[sku].spread_g2
    compared = Compared(change, counted, change.net_g - expected_g, math.sqrt(var_g2))
    if len(counted) != 1 or not compared.explained:
        return compared
    ((sku, count),) = counted.items()
    if change.net_g * count <= 0:
        return compared
    heap = Group(abs(count), abs(change.net_g), change.sd_g)
    return Compared(
        change, counted, compared.residual_g, compared.sd_g, (lesson_of(sku, [heap], sure=shelf.known(sku)),)
    )


# Several products were counted.


def _shared_out(change: ZoneChange, counted: Counts, shelf: Shelf) -> dict[Sku, tuple[Group, ...]]:
    ways = {n > 0 for n in counted.values()}
    if len(ways) != 1 or any((delta_g > 0) not in ways for delta_g, _ in change.steps):
        return {}
    known = []
    for sku, n in sorted(counted.items()):
        belief = shelf.belief(sku)
        known.append(Known(sku, abs(n), belief.mean_g, belief.weight, belief.spread_g2))
    return dict(share_out(tuple((abs(g), sd_g) for g, sd_g in change.steps), tuple(known)))


def _one_short(change: ZoneChange, counted: Counts, shelf: Shelf) -> dict[Sku, float]:
    """Products of which one unit less would make the steps come out, and that unit's mass."""
    found = {}
    for sku, n in counted.items():
        groups = _shared_out(change, {**counted, sku: n - 1}, shelf) if n > 1 else {}
        if sku in groups:
            found[sku] = lesson_of(sku, groups[sku]).mean_g
    return found


def _kinds(change: ZoneChange, counted: Counts, shelf: Shelf) -> Compared:
    """By the total, and with the masses that the steps tell."""
    groups = _shared_out(change, counted, shelf)
    short = {} if groups else _one_short(change, counted, shelf)
    if len(short) == 1:
        ((sku, mean_g),) = short.items()
        return Compared(change, counted, _beyond_steps(change) - mean_g, math.hypot(change.sd_g, 0.01 * mean_g))
    lessons = {
        sku: lesson_of(sku, found) for sku, found in sorted(groups.items()) if len(found) >= APART or shelf.known(sku)
    }
    expected_g, var_g2 = 0.0, change.sd_g**2
    for sku, n in counted.items():
        belief = shelf.belief(sku)
        if sku in lessons and not shelf.known(sku):
            expected_g += n * lessons[sku].mean_g
            var_g2 += (abs(n) + n * n / lessons[sku].units) * belief.spread_g2
        else:
            expected_g += n * belief.mean_g
            var_g2 += (n * belief.mean_sd_g) ** 2 + abs(n) * belief.spread_g2
    return Compared(change, counted, change.net_g - expected_g, math.sqrt(var_g2), tuple(lessons.values()))


# What is missing.


def settled(compared: Compared, stands: Iterable[Sku], shelf: Shelf) -> bool:
    """Whether nothing that stands there may still be uncounted: the grams agree, closer than the lightest of it."""
    known = {*stands, *compared.counted} & set(shelf.catalog)
    lightest_g = min((shelf.belief(sku).mean_g for sku in known), default=0.0)
    return bool(compared.change.trouble) or (compared.explained and LIMIT_SD * compared.sd_g < lightest_g)


def missing(compared: Compared, stands: Iterable[Sku], shelf: Shelf) -> tuple[Sku, int] | None:
    """Of what stands in the zone, the product and how many units of it explain a loss best; None where none does."""
    lost_g = -compared.residual_g
    best: tuple[float, Sku, int] | None = None
    for sku in sorted({*stands, *compared.counted} & set(shelf.catalog)):
        belief = shelf.belief(sku)
        units = max(1, round(lost_g / belief.mean_g))
        sd_g = math.hypot(compared.sd_g, units * belief.mean_sd_g, units**0.5 * belief.sd_g)
        off = abs(lost_g - units * belief.mean_g) / sd_g + 0.5 * (units - 1)  # fewer units are likelier
        if abs(lost_g - units * belief.mean_g) <= LIMIT_SD * sd_g and (best is None or off < best[0]):
            best = (off, sku, units)
    return None if best is None else best[1:]


def words(compared: Compared, stands: Iterable[Sku], shelf: Shelf, purpose: str) -> str:
    """The incident: zone, grams, and what would explain them."""
    zone, lost_g = compared.change.zone, -compared.residual_g
    guess = missing(compared, stands, shelf)
    if guess is None:
        explained = "no number of one product explains it"
    else:
        sku, units = guess
        explained = f"{units} x {shelf.catalog[sku].name} ({sku}) would explain it"
    if purpose == "service":
        return f"goods left during a service: zone {zone} weighs {lost_g:.0f} g less; {explained}"
    return f"restock does not add up: zone {zone} weighs {lost_g:.0f} g less than was counted; {explained}"
