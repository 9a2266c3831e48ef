"""Frauds, as the list of scenarios has them, drawn as stories."""

from collections.abc import Callable, Mapping, Sequence

from cabinet.sim.script import Script, one, touch


def _covered(script: Script, cameras: Sequence[str]) -> None:
    script.comes()
    script.say(*(f"the camera {camera} is covered" for camera in cameras))
    one(script, "ann")
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
        one(script, "ann")
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
        one(script, "ann")
    zone, sku = script.any_standing()
    script.took(zone, sku)
    script.say(f"ann takes {sku} from {zone} in the slam", "ann leaves")


def _magnet(script: Script) -> None:
    before = script.dice.random() < 0.5
    script.say("ann comes", *(["a magnet holds the switch"] if before else []), "ann opens")
    if not before:
        script.say("a magnet holds the switch")
    one(script, "ann")
    script.say(f"ann waits {script.dice.choice((2, 6, 15))} s")
    if script.dice.random() < 0.5:
        one(script, "ann")
    script.say(
        *script.dice.choice(
            (("ann closes", "a magnet leaves the switch"), ("a magnet leaves the switch", "ann closes"))
        )
    )
    script.say("ann leaves")


def _left_open(script: Script) -> None:
    script.comes()
    one(script, "ann")
    zone, sku = script.any_standing()
    script.say("ann leaves", "40 s pass", f"eve takes {sku} from {zone}", "eve leaves", "200 s pass", "bob closes")


def _ajar(script: Script) -> None:
    script.comes()
    one(script, "ann")
    script.say("the bolt jams out", "ann closes", "20 s pass", "the bolt is free", "ann leaves")


def _trick(script: Script) -> None:
    """Something is left behind for the next shopper, who is not to pay for it."""
    script.comes()
    zone = script.dice.choice(list(script.stands))
    script.say(f"ann leaves stone of {script.dice.randrange(40, 600)} g on {zone}")
    script.goes("closes")
    script.say("30 s pass", "bob comes", "bob opens")
    one(script, "bob")
    script.say("bob closes", "bob leaves")


def _technician(script: Script) -> None:
    script.say("tom serves to service", "tom opens")
    touch(script, "tom")
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
