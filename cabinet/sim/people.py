"""A population of shoppers: seeded people who come, change their minds, cheat or are unlucky, told as stories.

Everything is drawn from the dice given, so a seed is a story, and the story is text that a person can read.  Shares
are judgement unless a source is named; they decide how often something is tried, never how it ends.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cabinet.sim.shop import Plan
from cabinet.units import Sku, ZoneId

Kind = Literal["honest", "hostile", "faults"]
KINDS: tuple[Kind, ...] = ("honest", "hostile", "faults")
ALL: Mapping[Kind, float] = {"honest": 0.6, "hostile": 0.2, "faults": 0.2}  # of the mix "all"

HOW_MANY = (0, 1, 1, 1, 1, 2, 2, 3, 4)  # acts in a visit: most people come for one thing (J)
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


def drawn(kind: Kind, dice: random.Random, plan: Plan) -> Script:
    """One visit of that kind; `script.lines` is its story."""
    script = Script(dice, plan, pace=dice.choice(list(PACES)))
    script.tag(kind, script.pace)
    if kind == "hostile":
        name = dice.choice(list(FRAUDS))
        script.tag(name)
        FRAUDS[name](script)
    else:
        _honest(script)
    if kind == "faults":
        _befall(script)
    return script


# Honest people.


def _honest(script: Script) -> None:
    dice = script.dice
    script.comes()
    pair = dice.random() < 0.1
    if pair:
        script.tag("pair")
    for _ in range(dice.choice(HOW_MANY)):
        _act(script, who="bob" if pair and dice.random() < 0.5 else "ann")
    if pair and script.held and dice.random() < 0.5:
        script.say("bob leaves")
    script.goes()


def _act(script: Script, who: str = "ann") -> None:
    """One thing that people do at a shelf."""
    dice = script.dice
    name = dice.choices(list(ACTS), [share for share, _ in ACTS.values()])[0]
    script.tag(name)
    ACTS[name][1](script, who)


def _one(script: Script, who: str) -> None:
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


def _touch(script: Script, who: str) -> None:
    script.say(f"{who} touches {script.dice.choice(list(script.stands))}")


def _lean(script: Script, who: str) -> None:
    grams, for_s = script.dice.randrange(200, 2500, 50), script.dice.choice((1, 2, 3))
    script.say(f"{who} leans on {script.dice.choice(list(script.stands))} with {grams} g for {for_s} s")


def _own_bottle(script: Script, who: str) -> None:
    zone, grams = script.dice.choice(list(script.stands)), script.dice.randrange(350, 1300, 10)
    script.say(f"{who} leaves bottle of {grams} g on {zone}")
    _one(script, who)
    script.say(f"{who} fetches bottle from {zone}")


ACTS: Mapping[str, tuple[float, Callable[[Script, str], None]]] = {
    "one": (7.0, _one),
    "same-twice": (1.0, _same_twice),
    "two-hands": (1.2, _two_hands),
    "put-back": (1.3, _put_back),
    "elsewhere": (0.6, _elsewhere),
    "touch": (0.8, _touch),
    "lean": (0.5, _lean),
    "own-bottle": (0.15, _own_bottle),
}


# Fraud, as the list of scenarios has it.


def _covered(script: Script, cameras: Sequence[str]) -> None:
    script.comes()
    script.say(*(f"the camera {camera} is covered" for camera in cameras))
    _one(script, "ann")
    script.goes()


def _pried(script: Script) -> None:
    zone, sku = script.any_standing()
    script.say("eve pries the door open", f"eve takes {sku} from {zone}", "eve closes", "eve leaves")


def _refused(script: Script) -> None:
    how = script.dice.choice(("with a mask", "with a forged code", "as a stranger"))
    script.say(f"eve comes {how}", "eve tries the door", "eve leaves")


def _swap(script: Script) -> None:
    script.comes()
    zone, sku = script.any_standing()
    mass_g = script.plan.wares[sku].product.mass_g + script.dice.uniform(-8, 8)
    script.took(zone, sku)
    script.say(f"ann takes {sku} from {zone}", f"ann leaves fake of {max(5.0, mass_g):.0f} g on {zone}")
    script.goes()


def _cheap_for_dear(script: Script) -> None:
    script.comes()
    (zone, dear), (other_zone, cheap) = script.any_standing(), script.any_standing()
    if dear == cheap:
        _one(script, "ann")
    else:
        script.took(zone, dear)
        script.say(
            f"ann takes {cheap} from {other_zone}", f"ann takes {dear} from {zone}", f"ann puts {cheap} on {zone}"
        )
        script.stands[other_zone][cheap] -= 1
        script.stands[zone][cheap] += 1
    script.goes()


def _stone(script: Script) -> None:
    script.comes()
    zone, sku = script.any_standing()
    mass_g = script.plan.wares[sku].product.mass_g + script.dice.uniform(-5, 5)
    script.say(f"ann leaves stone of {max(5.0, mass_g):.0f} g on {zone}", f"ann takes {sku} from {zone}")
    script.took(zone, sku)
    if script.dice.random() < 0.7:
        script.say(f"ann fetches stone from {zone}")
    script.goes()


def _bleed(script: Script) -> None:
    script.comes()
    zone, sku = script.any_standing()
    script.took(zone, sku)
    script.say(f"ann takes {sku} from {zone} bit by bit")
    script.goes()


def _in_the_slam(script: Script) -> None:
    script.comes()
    if script.dice.random() < 0.6:
        _one(script, "ann")
    zone, sku = script.any_standing()
    script.took(zone, sku)
    script.say(f"ann takes {sku} from {zone} in the slam", "ann leaves")


def _magnet(script: Script) -> None:
    before = script.dice.random() < 0.5
    script.say("ann comes", *(["a magnet holds the switch"] if before else []), "ann opens")
    if not before:
        script.say("a magnet holds the switch")
    _one(script, "ann")
    script.say(f"ann waits {script.dice.choice((2, 6, 15))} s")
    if script.dice.random() < 0.5:
        _one(script, "ann")
    script.say(
        *script.dice.choice(
            (("ann closes", "a magnet leaves the switch"), ("a magnet leaves the switch", "ann closes"))
        )
    )
    script.say("ann leaves")


def _left_open(script: Script) -> None:
    script.comes()
    _one(script, "ann")
    zone, sku = script.any_standing()
    script.say("ann leaves", "40 s pass", f"eve takes {sku} from {zone}", "eve leaves", "200 s pass", "bob closes")


def _ajar(script: Script) -> None:
    script.comes()
    _one(script, "ann")
    script.say("the bolt jams out", "ann closes", "20 s pass", "the bolt is free", "ann leaves")


def _trick(script: Script) -> None:
    """Something is left behind for the next shopper, who is not to pay for it."""
    script.comes()
    zone = script.dice.choice(list(script.stands))
    script.say(f"ann leaves stone of {script.dice.randrange(40, 600)} g on {zone}")
    script.goes("closes")
    script.say("30 s pass", "bob comes", "bob opens")
    _one(script, "bob")
    script.say("bob closes", "bob leaves")


def _technician(script: Script) -> None:
    script.say("tom serves to service", "tom opens")
    _touch(script, "tom")
    script.say("tom closes", "tom leaves")


def _never_opened(script: Script) -> None:
    script.say("ann comes", "14 s pass", "ann tries the door", "ann leaves")


FRAUDS: Mapping[str, Callable[[Script], None]] = {
    "camera-covered": lambda s: _covered(s, ["top"]),
    "cameras-covered": lambda s: _covered(s, list(s.plan.cameras)),
    "pried": _pried,
    "refused": _refused,
    "swap": _swap,
    "cheap-for-dear": _cheap_for_dear,
    "stone": _stone,
    "slow-bleed": _bleed,
    "in-the-slam": _in_the_slam,
    "magnet": _magnet,
    "left-open": _left_open,
    "ajar": _ajar,
    "trick": _trick,
    "technician": _technician,
    "never-opened": _never_opened,
}


# Misfortune.


def _befall(script: Script) -> None:
    """One to three misfortunes at random points, each of which passes."""
    dice = script.dice
    for name in dice.sample(list(MISFORTUNES), dice.choice((1, 1, 2, 3))):
        script.tag(name)
        lines = MISFORTUNES[name](script)
        place = dice.randrange(len(script.lines) + 1)
        script.lines.insert(place, lines[0])
        for line in lines[1:]:
            place = dice.randrange(place + 1, len(script.lines) + 1)
            script.lines.insert(place, line)


def _camera(script: Script) -> list[str]:
    name, what = (
        script.dice.choice(list(script.plan.cameras)),
        script.dice.choice(("away", "frozen", "dark", "covered", "moved")),
    )
    return [f"the camera {name} is {what}", f"the camera {name} is well"]


def _cell(script: Script) -> list[str]:
    zone = script.dice.choice(list(script.stands))
    what = script.dice.choice(("dead", "stuck", "saturated", "slipping", "spiking"))
    return [f"the cell of {zone} is {what}", f"the cell of {zone} is well"]


def _killed(script: Script) -> list[str]:
    if script.dice.random() < 0.6:
        return [f"the daemon is killed after {script.dice.randrange(1, 60)} points"]
    return ["the daemon is killed", f"{script.dice.choice((1, 3, 12))} s pass", "the daemon starts"]


MISFORTUNES: Mapping[str, Callable[[Script], list[str]]] = {
    "killed": _killed,
    "killed-again": _killed,
    "power": lambda _: ["the power fails", "the power returns"],
    "board-reset": lambda _: ["the board resets"],
    "board-unplugged": lambda _: ["the board is unplugged", "the board is plugged in"],
    "camera": _camera,
    "cell": _cell,
    "disk-full": lambda _: ["the disk is full", "the disk has room"],
    "ledger-full": lambda _: ["the disk cannot take a byte", "the disk has room"],
    "clock": lambda s: [f"the clock jumps {s.dice.choice(('-40 days', '-2 h', '90 s', '400 days'))}"],
    "clock-lost": lambda _: ["the clock is lost"],
    "broker": lambda _: ["the broker is away", "the broker is back"],
    "answers-lost": lambda _: ["the broker loses answers", "the broker is back"],
    "bolt-out": lambda _: ["the bolt jams out", "the bolt is free"],
    "model": lambda _: ["the model is missing", "the model is well"],
    "compressor": lambda _: ["the compressor starts", "the compressor stops"],
}
