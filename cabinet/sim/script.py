"""A story being drawn: its lines, and what stands and is held meanwhile, so that every line of it is possible.

Honest acts are here because frauds begin like them; a seed is a story, and the story is text that a person can read.
Shares are judgement unless a source is named: they decide how often something is tried, never how it ends.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cabinet.sim.shop import Plan
from cabinet.units import Sku, ZoneId

PACES: Mapping[str, tuple[float, float]] = {  # seconds between two acts
    "ordinary": (0.9, 2.2), "hurried": (0.35, 0.9), "undecided": (1.5, 4.0),
}  # fmt: skip


@dataclass
class Script:
    """A story being drawn: its lines, and what stands and is held meanwhile so that every line is possible."""

    dice: random.Random
    plan: Plan
    lines: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    stands: dict[ZoneId, Counter[Sku]] = field(default_factory=dict)
    held: Counter[Sku] = field(default_factory=Counter)
    pace: str = "ordinary"

    def __post_init__(self) -> None:
        self.stands = {zone: Counter(held) for zone, held in self.plan.shelves.items()}

    def say(self, *lines: str) -> None:
        self.lines += lines

    def tag(self, *tags: str) -> None:
        self.tags += [tag for tag in tags if tag not in self.tags]

    def any_standing(self) -> tuple[ZoneId, Sku]:
        return self.dice.choice([(z, s) for z, held in self.stands.items() for s, n in held.items() if n > 1])

    def pause(self) -> float:
        return self.dice.uniform(*PACES[self.pace])

    def took(self, zone: ZoneId, sku: Sku, count: int = 1) -> None:
        self.stands[zone][sku] -= count
        self.held[sku] += count

    def comes(self, by: str = "") -> None:
        means = by or self.dice.choice(("", "", " by code"))
        self.say(f"ann comes{means}", "ann opens")

    def goes(self, how: str = "") -> None:
        how = how or self.dice.choices(("closes", "slams the door", "bounces the door"), (6, 3, 0.3))[0]
        if how.startswith("bounces"):
            self.tag("bounce")
        self.say(f"ann {how}", "ann leaves")


# What people do at a shelf.


def act(script: Script, who: str = "ann") -> None:
    """One thing that people do at a shelf."""
    dice = script.dice
    name = dice.choices(list(ACTS), [share for share, _ in ACTS.values()])[0]
    script.tag(name)
    ACTS[name][1](script, who)


def one(script: Script, who: str) -> None:
    zone, sku = script.any_standing()
    script.took(zone, sku)
    script.say(f"{who} takes {sku} from {zone}{script.dice.choice(('', '', '', ' slowly'))}")


def _same_twice(script: Script, who: str) -> None:
    zone, sku = script.any_standing()
    count = min(2, script.stands[zone][sku])
    script.took(zone, sku, count)
    script.say(f"{who} takes {count} {sku} from {zone} at once")


def _two_hands(script: Script, who: str) -> None:
    (zone, sku), (other_zone, other) = script.any_standing(), script.any_standing()
    if sku == other:
        return _same_twice(script, who)
    script.took(zone, sku)
    script.took(other_zone, other)
    script.say(f"{who} takes {sku} from {zone} and {other} from {other_zone} with two hands")
    return None


def _put_back(script: Script, who: str, *, elsewhere: bool = False) -> None:
    zone, sku = script.any_standing()
    to = script.dice.choice([z for z in script.stands if z != zone] or [zone]) if elsewhere else zone
    script.say(f"{who} takes {sku} from {zone}", f"{who} puts {sku} back on {to}")
    script.stands[zone][sku] -= 1
    script.stands[to][sku] += 1


def _elsewhere(script: Script, who: str) -> None:
    _put_back(script, who, elsewhere=True)


def touch(script: Script, who: str) -> None:
    script.say(f"{who} touches {script.dice.choice(list(script.stands))}")


def _lean(script: Script, who: str) -> None:
    grams, for_s = script.dice.randrange(200, 2500, 50), script.dice.choice((1, 2, 3))
    script.say(f"{who} leans on {script.dice.choice(list(script.stands))} with {grams} g for {for_s} s")


def _own_bottle(script: Script, who: str) -> None:
    zone, grams = script.dice.choice(list(script.stands)), script.dice.randrange(350, 1300, 10)
    script.say(f"{who} leaves bottle of {grams} g on {zone}")
    one(script, who)
    script.say(f"{who} fetches bottle from {zone}")


ACTS: Mapping[str, tuple[float, Callable[[Script, str], None]]] = {
    "one": (7.0, one),
    "same-twice": (1.0, _same_twice),
    "two-hands": (1.2, _two_hands),
    "put-back": (1.3, _put_back),
    "elsewhere": (0.6, _elsewhere),
    "touch": (0.8, touch),
    "lean": (0.5, _lean),
    "own-bottle": (0.15, _own_bottle),
}
