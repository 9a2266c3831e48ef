"""One simulated visit as it was recorded, with its truth: what a labelled trace is written from."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from cabinet import trace
from cabinet.basket.evidence import Visit
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.score import Truth
from cabinet.basket.verdict import Verdict
from cabinet.sim.glimpses import Action
from cabinet.sim.shop import Plan
from cabinet.tallier import judge
from cabinet.units import Sku, ZoneId


@dataclass(frozen=True, slots=True)
class Move:
    """A unit crossed a zone's edge: `t` is the visit's, seconds; `over_s` is how long the hand took."""

    t: float
    zone: ZoneId
    sku: Sku
    action: Action
    over_s: float


@dataclass(frozen=True, slots=True)
class Recorded:
    visit: Visit
    truth: Truth
    outcome: str  # exact, over, under, swap, review, wrong_review, void
    verdict: Verdict | None  # None: nobody judged it
    complete: bool
    plan: Plan
    moves: tuple[Move, ...]
    stood: dict[ZoneId, dict[Sku, int]]  # units on the shelves at the unlock, own things too
    blind: tuple[tuple[float, str, str], ...] = ()  # t, camera, what befell it


def replayed(visit: Visit, *, complete: bool = True) -> Verdict:
    """Written to disk, read back, and judged by the daemon's own tally."""
    with tempfile.TemporaryDirectory(prefix="trace-") as name:
        folder = Path(name) / visit.header.visit
        trace.write(folder, visit)
        return judge(trace.read(folder).judged(), TallyPolicy(), complete=complete)
