"""How long a technician waits for `cabinet status`: the whole process, from its start to its end."""

import json
import subprocess
import sys
import time

from tests.benchmarks.figures import Figures, Goal, ranked, spread
from tests.benchmarks.machine import reference_s
from tests.benchmarks.place import Given, open_shop

TIMES = 20
GOAL_S = 0.5


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    loop_s = min(reference_s())
    with open_shop(inside=True) as shop:
        words = [sys.executable, "-m", "cabinet", "status", "--socket", str(shop.bench.socket), "--json"]
        given.say(f"{TIMES} times cabinet status")
        first_s, *took_s = [_once(words) for _ in range(TIMES + 1)]
        bare_s = [_once([sys.executable, "-c", "print('{}')"]) for _ in range(TIMES)]
    found: Figures = {
        "wall_s": spread(took_s),
        "first_s": round(first_s, 3),  # with whatever was cold; not among the others
        "bare_python_s": spread(bare_s),
        "median_in_reference_loops": round(ranked(took_s, 0.5) / loop_s, 2),
    }
    return found, [Goal("cabinet status, seconds (p95)", ranked(took_s, 0.95), GOAL_S)]


def _once(words: list[str]) -> float:
    began_s = time.monotonic()
    done = subprocess.run(words, capture_output=True, timeout=30, check=True)
    took_s = time.monotonic() - began_s
    json.loads(done.stdout)
    return took_s
