"""`python -m tests.benchmarks`: measures this machine's cabinet and leaves bench.json behind.

Exit code 0 if every goal was met, 1 otherwise.  What was measured is written in either case.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cabinet
from cabinet import clock
from tests.benchmarks import (
    board,
    door_to_charge,
    drain,
    entry,
    faces,
    fleet,
    idle,
    ingest,
    machine,
    sight,
    status,
    tally,
    world,
)
from tests.benchmarks.figures import Figures, Goal
from tests.benchmarks.place import Given

BENCHMARKS: dict[str, Callable[[Given], tuple[Figures, list[Goal]]]] = {
    "idle": idle.measure,
    "status": status.measure,
    "sight": sight.measure,
    "faces": faces.measure,
    "world": world.measure,
    "tally": tally.measure,
    "board": board.measure,
    "door_to_charge": door_to_charge.measure,
    "entry": entry.measure,
    "drain": drain.measure,
    "fleet": fleet.measure,
    "ingest": ingest.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-out"), help="folder for bench.json")
    parser.add_argument("--visits", type=int, default=200, help="of door_to_charge")
    parser.add_argument("--stream-s", type=float, default=600.0, help="seconds of board")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="one benchmark; may be given again")
    given = parser.parse_args()
    began_s = time.monotonic()

    def say(name: str, text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.1f}  {name}: {text}\n")

    report: dict[str, Any] = {
        "made_at": clock.wall_text(),
        "version": cabinet.__version__,
        "machine": machine.facts(),
        "benchmarks": {},
    }
    goals: list[Goal] = []
    for name in given.only or BENCHMARKS:
        say(name, "begins")
        noise: Figures = {}
        with machine.watched(noise):
            found, wanted = BENCHMARKS[name](Given(given.visits, given.stream_s, partial(say, name)))
        report["benchmarks"][name] = {**found, "noise": noise}
        goals += wanted
    report["goals"] = [
        {"what": g.what, "figure": round(g.figure, 4), "at_most": g.at_most, "met": g.met} for g in goals
    ]
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "bench.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    for goal in goals:
        sys.stdout.write(f"{'met   ' if goal.met else 'MISSED'}  {goal.what}: {goal.figure:.3f} (≤ {goal.at_most:g})\n")
    sys.stdout.write(f"{given.out / 'bench.json'}\n")
    return 0 if all(goal.met for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
