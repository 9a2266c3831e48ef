"""A population of shoppers: seeded people who come, change their minds, cheat or are unlucky, told as stories."""

import random
from collections.abc import Mapping
from typing import Literal

from cabinet.sim.frauds import FRAUDS
from cabinet.sim.misfortunes import MISFORTUNES, befall
from cabinet.sim.script import PACES, Script, act
from cabinet.sim.shop import Plan

__all__ = ["ALL", "FRAUDS", "KINDS", "MISFORTUNES", "Kind", "Script", "drawn"]

Kind = Literal["honest", "hostile", "faults"]
KINDS: tuple[Kind, ...] = ("honest", "hostile", "faults")
ALL: Mapping[Kind, float] = {"honest": 0.6, "hostile": 0.2, "faults": 0.2}  # of the mix "all"
HOW_MANY = (0, 1, 1, 1, 1, 2, 2, 3, 4)  # acts in a visit: most people come for one thing (J)


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
        befall(script)
    return script


def _honest(script: Script) -> None:
    dice = script.dice
    script.comes()
    pair = dice.random() < 0.1
    if pair:
        script.tag("pair")
    for _ in range(dice.choice(HOW_MANY)):
        act(script, who="bob" if pair and dice.random() < 0.5 else "ann")
    if pair and script.held and dice.random() < 0.5:
        script.say("bob leaves")
    script.goes()
