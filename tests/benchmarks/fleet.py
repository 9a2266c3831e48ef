"""What a fleet of 100,000 cabinets would do to its far end, worked out from this product's own constants.

A simulation, not a measurement: no such fleet is here.  What one worker ingests is measured by `ingest`.
"""

import random
import zlib
from collections import Counter

from cabinet.adapters.mqtt import CONNECT_TIMEOUT_S
from tests.benchmarks.figures import Figures, Goal
from tests.benchmarks.place import Given

CABINETS = 100_000
VISITS_A_DAY = 60
EVENTS_A_VISIT = 2
BUSIEST_HOUR = 0.15  # of a day's visits (judgement: lunch)
PARTITIONS = 96
RETRY_S = (1.0, 30.0)
AWAY_S = 600.0  # the broker's outage
SEED = 11


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    dice = random.Random(SEED)
    alike, spread = (_peak(dice, jitter) for jitter in (0.0, 0.5))
    given.say(f"back after {AWAY_S:.0f} s: at most {spread:,} connections in a second, {alike:,} without spreading")
    a_day = CABINETS * VISITS_A_DAY * EVENTS_A_VISIT
    figures: Figures = {
        "cabinets": CABINETS,
        "events_a_day": a_day,
        "events_per_s_mean": round(a_day / 86_400),
        "events_per_s_busiest_hour": round(a_day * BUSIEST_HOUR / 3600),
        "reconnects_in_the_worst_second": spread,
        "reconnects_in_the_worst_second_without_spreading": alike,
        "busiest_partition_to_mean": round(_lopsided(), 3),
    }
    return figures, [Goal("busiest of 96 partitions to the mean", figures["busiest_partition_to_mean"], 1.25)]


def _peak(dice: random.Random, jitter: float) -> int:
    """Most connections within one second, once the broker is back: every cabinet doubles its wait as the pipe does.

    All lose the broker in the same instant; an attempt while it is away is refused at once, as by a closed port.
    """
    back = Counter[int]()
    for _ in range(CABINETS):
        share = dice.uniform(1 - jitter, 1 + jitter)
        at_s, wait_s = 0.0, RETRY_S[0] * share
        while at_s < AWAY_S:
            at_s += wait_s
            wait_s = min(2 * wait_s, RETRY_S[1] * share)
        back[int(at_s)] += 1
    assert max(back) < AWAY_S + 2 * RETRY_S[1] + CONNECT_TIMEOUT_S
    return max(back.values())


def _lopsided() -> float:
    """The fullest partition beside the mean one, cabinets keyed by a hash of their id."""
    dice = random.Random(SEED)
    names = (f"cab-{dice.getrandbits(64):016x}" for _ in range(CABINETS))
    loads = Counter(zlib.crc32(name.encode()) % PARTITIONS for name in names)
    return max(loads.values()) * PARTITIONS / CABINETS
