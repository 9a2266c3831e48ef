"""Writes foreign visits: `python -m tests.foreign OUT -n 100 --seed 1 --mix honest`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from tests.foreign.knobs import Knobs
from tests.foreign.record import MIXES, visit, write


def main(arguments: list[str]) -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.foreign", description=__doc__)
    asked.add_argument("out", type=Path)
    asked.add_argument("-n", type=int, default=100, help="how many visits")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--mix", choices=sorted(MIXES), default="honest")
    asked.add_argument("--noise", type=float, default=1.0, help="multiplies every disturbance")
    asked.add_argument("--no-sightings", action="store_true", help="a cabinet without cameras that work")
    asked.add_argument("--lag", type=float, default=0.0, help="seconds that the cameras' clock is behind")
    got = asked.parse_args(arguments)
    knobs = replace(Knobs().scaled(got.noise), lag_s=got.lag)
    for number in range(got.n):
        made = visit(got.mix, got.seed, number, knobs, sight_on=not got.no_sightings)
        write(made, got.out / made.header["visit"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
