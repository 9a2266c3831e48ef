"""Misfortunes that befall the parts of a cabinet at a random point of a drawn story, each of which passes."""

from collections.abc import Callable, Mapping

from cabinet.sim.script import Script


def befall(script: Script) -> None:
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
