"""The tally: what watching costs while the door is open, and how long the verdict takes after the last sample.

Drawn visits of twelve zones at 80 Hz with twenty acts.  Watching is measured as processor time per second of signal.
The verdict goes from the trace on disk to the verdict on disk, as the daemon's tallier works: in wall time for the goal
and in processor time beside it, because other work on the machine lengthens the one and not the other.
"""

import gc
import logging
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cabinet import trace
from cabinet.basket.evidence import Happening, Header, Mass, Product, Visit
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Charge, Interim
from cabinet.screenline import so_far
from cabinet.shelfwatch import Follower
from cabinet.tallier import judge, work_out
from cabinet.units import Sku
from tests.basket.visits import Scene, header
from tests.benchmarks.figures import Figures, Goal, spread
from tests.benchmarks.place import Given

ZONES, SKUS_A_ZONE, ACTS = 12, 3, 20
VISIT_S, ACTS_S = 60.0, 27.0  # the same acts in visits of 30 s and of 240 s
BATCHES = 8, 20  # samples: the least and the most that a board sends at once
WATCHED, JUDGED, LINEAR, TRIES = 6, 20, 3, 2  # visits; times that each length is judged
LENGTHS_S = 30, 60, 120, 240
MOST_SHARE = 0.01  # of a core while watching
MOST_VERDICT_MS = 300.0
MOST_RATIO = 1.25  # cost of a second in the longest visit, against a visit of a minute


class Took(NamedTuple):
    wall_ms: float
    cpu_ms: float
    reading_ms: float
    judging_ms: float
    charged: bool


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    logging.disable(logging.CRITICAL)
    try:
        figures = {"watching": _watching(given), "verdict": _verdict(given)}
    finally:
        logging.disable(logging.NOTSET)
    watching, verdict = figures["watching"], figures["verdict"]
    goals = [
        Goal("watching 12 zones at 80 Hz (share of a core)", watching["share_of_a_core"], MOST_SHARE),
        Goal("verdict after the last sample, p95 (ms)", verdict["wall_ms"]["p95"], MOST_VERDICT_MS),
        Goal("cost of a second in a visit of 240 s, against 60 s", verdict["per_second_240_over_60"], MOST_RATIO),
    ]
    return figures, goals


def about() -> Header:
    """Twelve shelves of three products; the masses as apart as in a small shop."""
    dice = random.Random(7)
    catalog: dict[Sku, Product] = {}
    shelves: dict[str, Sequence[Sku]] = {}
    for zone in range(1, ZONES + 1):
        skus = [Sku(f"{zone:02d}-{n}") for n in range(SKUS_A_ZONE)]
        for n, sku in enumerate(skus):
            mass_g = round(dice.uniform(30, 250) + 280 * n, 1)
            catalog[sku] = Product(f"Product {sku}", mass_g, 100 + zone, round(0.006 * mass_g, 2))
        shelves[f"s{zone}"] = skus
    return header(catalog, shelves)


def drawn(seed: int, closed_s: float, acts_s: float) -> Visit:
    """Twenty acts within `acts_s`: takes, a fifth of them put back, a hand that rests now and then."""
    scene, dice = Scene(about(), seed=seed), random.Random(seed)
    held: list[tuple[str, Sku]] = []
    for n in range(ACTS):
        t = 2.0 + n * (acts_s - 2.0) / ACTS
        if n % 5 == 4 and held:
            scene.put(t, *held.pop(dice.randrange(len(held))))
            continue
        zone = f"s{dice.randint(1, ZONES)}"
        sku = dice.choice(scene.header.planogram[next(z for z in scene.header.zones if z == zone)])
        scene.take(t, zone, sku)
        held.append((zone, sku))
        if n % 7 == 6:
            scene.press(t + 0.1, f"s{dice.randint(1, ZONES)}", 250.0, 0.8)
    return scene.visit(closed_s)


def _watching(given: Given) -> Figures:
    """Everything from a batch of the board to the words on the screen; writing the trace is not in it."""
    told: Figures = {"zones": ZONES, "hz": 80, "acts": ACTS, "visit_s": VISIT_S}
    visits = [drawn(seed, VISIT_S, VISIT_S - 2.0) for seed in range(WATCHED)]
    for samples in BATCHES:
        shares, longest_ms = [], 0.0
        for visit in visits:
            events = list(_batches(visit, samples))
            spent_s, most_ms = _followed(visit.header, events)
            shares.append(spent_s / (events[-1].t - events[0].t))
            longest_ms = max(longest_ms, most_ms)
        told[f"share_batches_of_{samples}"] = spread(shares, 5)
        told[f"longest_ms_batches_of_{samples}"] = round(longest_ms, 2)
        given.say(f"batches of {samples}: {100 * told[f'share_batches_of_{samples}']['p50']:.2f} % of a core")
    told["share_of_a_core"] = max(told[f"share_batches_of_{samples}"]["p50"] for samples in BATCHES)
    return told


def _followed(about_: Header, events: Sequence[Happening]) -> tuple[float, float]:
    """Processor seconds for all events, and the most milliseconds that one of them took."""
    gc.collect()
    follower, shown, most_ns = Follower(about_, TallyPolicy()), Interim(), 0
    began_ns = time.process_time_ns()
    for event in events:
        then_ns = time.perf_counter_ns()
        if follower.sensed(event) and shown != (now := follower.interim()):
            shown = now
            so_far(shown, "Take what you like, then close the door.")
        most_ns = max(most_ns, time.perf_counter_ns() - then_ns)
    return (time.process_time_ns() - began_ns) / 1e9, most_ns / 1e6


def _batches(visit: Visit, samples: int) -> Iterator[Happening]:
    """As the board sends them, in order of arrival."""
    events: list[tuple[float, Happening]] = []
    for event in visit.events:
        if isinstance(event, Mass):
            for i in range(0, len(event.g), samples):
                part = Mass(round(event.t + i / event.hz, 4), event.zone, event.hz, event.g[i : i + samples])
                events.append((part.t + len(part.g) / event.hz, part))
        else:
            events.append((event.t, event))
    return (event for _, event in sorted(events, key=lambda pair: pair[0]))


def _verdict(given: Given) -> Figures:
    took = [_judged(drawn(seed, VISIT_S, VISIT_S - 2.0)) for seed in range(100, 100 + JUDGED)]
    told: Figures = {"zones": ZONES, "acts": ACTS, "visit_s": VISIT_S, "visits": JUDGED, "batch": BATCHES[0]}
    told["charged"] = sum(one.charged for one in took)
    told["wall_ms"] = spread([one.wall_ms for one in took], 1)
    told["cpu_ms"] = spread([one.cpu_ms for one in took], 1)
    told["of_which_reading_cpu_ms"] = spread([one.reading_ms for one in took], 1)
    told["of_which_judging_cpu_ms"] = spread([one.judging_ms for one in took], 1)
    given.say(f"verdict: p50 {told['wall_ms']['p50']:.0f} ms, p95 {told['wall_ms']['p95']:.0f} ms")
    told["by_length"] = {str(length_s): _at(length_s) for length_s in LENGTHS_S}
    per = {length_s: told["by_length"][str(length_s)]["ms_per_s"] for length_s in LENGTHS_S}
    told["per_second_240_over_60"] = round(per[240] / per[60], 3)
    given.say(f"a second of a visit costs {', '.join(f'{per[n]:.2f} ms at {n} s' for n in LENGTHS_S)}")
    return told


def _at(length_s: int) -> Figures:
    """The same acts in a visit of so many seconds: processor time, the least of a few tries of each."""
    draw = partial(drawn, closed_s=float(length_s), acts_s=ACTS_S)
    tries = [[_judged(visit).cpu_ms for _ in range(TRIES)] for visit in (draw(200 + n) for n in range(LINEAR))]
    cpu_ms = sum(min(one) for one in tries) / LINEAR
    return {"cpu_ms": round(cpu_ms, 1), "ms_per_s": round(cpu_ms / length_s, 3)}


def _judged(visit: Visit) -> Took:
    """From the trace on disk to the verdict on disk; the two greatest parts of it once more, by themselves."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "visit"
        recorder = trace.Recorder.create(folder, visit.header)
        for event in _batches(visit, BATCHES[0]):
            recorder.write(event)
        recorder.sync()
        recorder.close()
        gc.collect()
        began_s, cpu_s = time.perf_counter(), time.process_time()
        tallied = work_out(folder, TallyPolicy(), complete=True)
        wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
        then_s = time.process_time()
        judged = trace.read(folder).judged()
        read_s = time.process_time()
        judge(judged, TallyPolicy(), complete=True)
        end_s = time.process_time()
    charged = isinstance(tallied.verdict, Charge)
    return Took(1000 * wall_s, 1000 * cpu_s, 1000 * (read_s - then_s), 1000 * (end_s - read_s), charged)
