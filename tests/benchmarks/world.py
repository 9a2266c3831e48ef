"""The simulated world: visits a minute at the fast depth on one core, frames a second, memory over many visits."""

import gc
import logging
import time
from typing import Any

from cabinet.basket.policy import TallyPolicy
from cabinet.proving.campaign import Ground, Report, Seed, peak_rss_mb, run
from cabinet.tallier import judge
from tests.benchmarks.figures import Figures, Goal
from tests.benchmarks.place import Given

VISITS = 4000
FLAT_AFTER = 1000  # caches are full and every shop has been open by then
JUDGED = 200
FRAMES = 200
MOST_MS_A_VISIT = 60_000 / 10_000  # ten thousand a minute
MOST_MS_A_FRAME = 1000 / 10  # ten a second
MOST_GROWTH_MB = 25.0


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    """Processor time of this process alone, so that what else runs beside it counts as little as possible."""
    logging.disable(logging.CRITICAL)
    try:
        figures = {**_visits(given), **_tally(), **_frames()}
    finally:
        logging.disable(logging.NOTSET)
    figures["tally_share_of_a_visit"] = round(figures["tally_ms"] / figures["visit_ms"], 3)
    goals = [
        Goal("fast visit, honest, one core (ms; 6 is 10,000 a minute)", figures["visit_ms"], MOST_MS_A_VISIT),
        Goal("frame of 640 x 360 with a moving hand (ms)", figures["frame_hand_ms"], MOST_MS_A_FRAME),
        Goal("memory grown from visit 1,000 on (MB)", figures["grown_mb"], MOST_GROWTH_MB),
    ]  # fmt: skip  # a list
    return figures, goals


def _visits(given: Given) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for mix in ("honest", "all"):
        report = Report(mix, 2026, VISITS)
        began_s, then_mb = time.process_time(), 0.0
        for _ in run(report):
            if report.visits == FLAT_AFTER:
                then_mb = peak_rss_mb()
        spent_s = time.process_time() - began_s
        name = "visit" if mix == "honest" else "visit_all"
        figures[f"{name}_ms"] = round(1000 * spent_s / VISITS, 3)
        figures[f"{name}s_a_minute"] = round(60 * VISITS / spent_s)
        figures["grown_mb"] = round(max(figures.get("grown_mb", 0.0), peak_rss_mb() - then_mb), 1)
        figures[f"{name}_violations"] = len(report.violations)
        given.say(f"{mix}: {figures[f'{name}s_a_minute']:,} visits a minute")
    return figures


def _tally() -> dict[str, Any]:
    """What the tally alone costs on the same visits."""
    with Ground(keep_traces=True) as ground:
        told = [t.visit for place in range(JUDGED) for t in ground.play(Seed.of(2026, place, "honest")).traces]
    gc.collect()
    began_s = time.process_time()
    for visit in told:
        judge(visit.judged(), TallyPolicy(), complete=True)
    return {"tally_ms": round(1000 * (time.process_time() - began_s) / len(told), 3)}


def _frames() -> dict[str, Any]:
    from cabinet.sim import shop
    from cabinet.sim.sight.conditions import USUAL
    from cabinet.sim.sight.hands import Hand, crossing
    from cabinet.sim.sight.interior import Interior
    from cabinet.sim.sight.products import assortment

    plan = shop.usual()
    shelves = {str(zone): [str(sku) for sku in held] for zone, held in plan.shelves.items()}
    view = Interior(shelves, assortment(plan.wares))
    counts = {zone: [3] * len(skus) for zone, skus in shelves.items()}
    view.render(counts)
    spent: dict[str, Any] = {}
    for name, moving in (("frame_still", False), ("frame_hand", True)):
        began_s = time.process_time()
        for n in range(FRAMES):
            t = n / FRAMES
            hand = crossing(Hand("s1", 0, 0.0), "cola", t, (0.0, 1.0)) if moving else None
            view.render(counts, [] if hand is None else [hand], USUAL, n)
        spent[f"{name}_ms"] = round(1000 * (time.process_time() - began_s) / FRAMES, 3)
    return spent
