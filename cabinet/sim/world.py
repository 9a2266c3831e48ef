"""The simulated cabinet as matter: a door, shelves, goods, and the hands that reach for them.

One object is all of it, so its parts cannot contradict each other: a unit lies on one shelf or is in one hand, never
both; nothing passes a closed door; masses are conserved.  How the door is held and what the cells make of a load is
the apparatus's business (`Apparatus`): in this process at the fast depth, the emulated board at the true one.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import numpy as np

from cabinet.units import Sku, ZoneId

TRAY_G = 850.0  # shelf liner and dividers: cells never start from zero
OWN = "own:"  # a thing that a person brought along; the catalogue knows none of these
Place = str  # a zone's name, or a person's


class ImpossibleError(ValueError):
    """What cannot happen in a world of matter; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Goods:
    """A product as it is, not as the catalogue says: each unit weighs a little more or less."""

    sku: Sku
    mass_g: float
    spread_g: float  # standard deviation from unit to unit


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing.  The number makes it itself: it can be in one place only."""

    number: int
    sku: Sku
    mass_g: float

    @property
    def foreign(self) -> bool:
        return self.sku.startswith(OWN)


class Apparatus(Protocol):
    """What holds the door and feels the shelves."""

    @property
    def door_open(self) -> bool: ...

    def pull(self) -> bool:
        """Whether the door gives way to somebody who pulls at it."""

    def force(self) -> None:
        """It is open now, whatever the bolt did."""

    def shut(self, *, slam: bool) -> None: ...

    def load(self, zone: ZoneId, delta_g: float, over_s: float, hand_g: float) -> None:
        """Something heavy or light comes (+) to the shelf or leaves it (-), moved by a hand that presses too."""

    def press(self, zone: ZoneId, grams: float, for_s: float) -> None:
        """A hand, an elbow or a bag rests on the shelf for a while."""

    def rest(self, zone: ZoneId, grams: float) -> None:
        """The shelf holds so much in all, and has for long: stocked, without hands or swinging."""


@dataclass
class World:
    """Acts raise ImpossibleError and change nothing where they cannot happen."""

    zones: Sequence[ZoneId]
    goods: Mapping[Sku, Goods]
    apparatus: Apparatus
    dice: random.Random
    shelves: dict[ZoneId, list[Unit]] = field(default_factory=dict)
    hands: dict[str, list[Unit]] = field(default_factory=dict)
    away: list[Unit] = field(default_factory=list)  # carried off
    light: float = 1.0  # of the lamp's usual; 0: it is out, and every camera inside sees black
    _numbers: Iterator[int] = field(default_factory=count, init=False)

    def __post_init__(self) -> None:
        self.shelves = {zone: [] for zone in self.zones}

    # Stock.

    def stock(self, counts: Mapping[ZoneId, Mapping[Sku, int]]) -> None:
        """Fill the shelves anew, as a cabinet that was filled long ago; hands are empty, nothing was carried off."""
        self.hands, self.away = {}, []
        wanted = [(zone, sku, n) for zone in self.zones for sku, n in counts.get(zone, {}).items()]
        drawn = iter(
            np.random.default_rng(self.dice.getrandbits(64)).standard_normal(sum(n for *_, n in wanted)).tolist()
        )
        self.shelves = {zone: [] for zone in self.zones}
        for zone, sku, n in wanted:
            self.shelves[zone] += [self._unit(sku, next(drawn)) for _ in range(n)]
        for zone in self.zones:
            self.apparatus.rest(zone, TRAY_G + sum(unit.mass_g for unit in self.shelves[zone]))

    def _new(self, sku: Sku) -> Unit:
        return self._unit(sku, self.dice.gauss(0.0, 1.0))

    def _unit(self, sku: Sku, off: float) -> Unit:
        """One that is so many standard deviations heavier than its like."""
        goods = self.goods[sku]
        return Unit(next(self._numbers), sku, max(1.0, goods.mass_g + off * goods.spread_g))

    # The door.

    @property
    def door_open(self) -> bool:
        return self.apparatus.door_open

    def pull(self) -> bool:
        """Pull at the door.  False: it is locked."""
        return self.apparatus.pull()

    def pry(self) -> None:
        self.apparatus.force()

    def shut(self, *, slam: bool = False) -> None:
        if not self.door_open:
            raise ImpossibleError("the door is shut already")
        self.apparatus.shut(slam=slam)

    # Hands.

    def take(self, who: str, zone: ZoneId, sku: Sku, over_s: float = 0.3, hand_g: float = 60.0) -> Unit:
        """Take one unit off a shelf."""
        self._reach(zone)
        found = next((unit for unit in reversed(self.shelves[zone]) if unit.sku == sku), None)
        if found is None:
            there = ", ".join(f"{n} {name}" for name, n in self.counts(zone).items()) or "nothing"
            raise ImpossibleError(f"there is no {sku} on {zone}: it holds {there}")
        self.shelves[zone].remove(found)
        self.hands.setdefault(who, []).append(found)
        self.apparatus.load(zone, -found.mass_g, over_s, hand_g)
        return found

    def put(self, who: str, zone: ZoneId, sku: Sku, over_s: float = 0.3, hand_g: float = 60.0) -> Unit:
        """Put one unit from the hand on a shelf, this one or another."""
        self._reach(zone)
        found = self._held(who, sku)
        self.hands[who].remove(found)
        self.shelves[zone].append(found)
        self.apparatus.load(zone, found.mass_g, over_s, hand_g)
        return found

    def bring(self, who: str, name: str, mass_g: float) -> Unit:
        """Somebody has a thing of their own with them."""
        if not 0 < mass_g < 50_000:
            raise ImpossibleError(f"{name} of {mass_g:g} g: no hand carries that")
        thing = Unit(next(self._numbers), Sku(OWN + name), mass_g)
        self.hands.setdefault(who, []).append(thing)
        return thing

    def supply(self, who: str, sku: Sku) -> Unit:
        """A technician takes one unit out of the crate."""
        if sku not in self.goods:
            raise ImpossibleError(f"no crate holds {sku}: nobody described it")
        unit = self._new(sku)
        self.hands.setdefault(who, []).append(unit)
        return unit

    def hand_over(self, who: str, to: str, sku: Sku) -> None:
        found = self._held(who, sku)
        self.hands[who].remove(found)
        self.hands.setdefault(to, []).append(found)

    def lean(self, zone: ZoneId, grams: float, for_s: float) -> None:
        self._reach(zone)
        self.apparatus.press(zone, grams, for_s)

    def leave(self, who: str) -> None:
        """Walk away with what is in the hands."""
        self.away += self.hands.pop(who, [])

    # What is where.

    def counts(self, zone: ZoneId) -> Counter[Sku]:
        return Counter(unit.sku for unit in self.shelves[zone])

    def inside(self) -> dict[int, tuple[Sku, ZoneId]]:
        """Every unit on a shelf: number -> what and where."""
        return {unit.number: (unit.sku, zone) for zone, units in self.shelves.items() for unit in units}

    def total_g(self) -> float:
        """Everything there is: only `bring`, `supply` and `stock` change it."""
        held = (unit for units in (*self.shelves.values(), *self.hands.values(), self.away) for unit in units)
        return sum(unit.mass_g for unit in held)

    def _reach(self, zone: ZoneId) -> None:
        if zone not in self.shelves:
            raise ImpossibleError(f"there is no shelf {zone}: {', '.join(self.zones)}")
        if not self.door_open:
            raise ImpossibleError(f"nobody reaches {zone} through a closed door")

    def _held(self, who: str, sku: Sku) -> Unit:
        held = self.hands.get(who, [])
        found = next((unit for unit in reversed(held) if unit.sku == sku), None)
        if found is None:
            names = ", ".join(unit.sku for unit in held) or "nothing"
            raise ImpossibleError(f"{who} has no {sku} in the hands: {names}")
        return found
