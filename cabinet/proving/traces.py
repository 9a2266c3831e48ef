"""Simulated visits as traces on disk, and back: what is replayed is judged as the daemon would judge it."""

import tempfile
from pathlib import Path

from cabinet import trace
from cabinet.basket.evidence import Visit
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Verdict
from cabinet.tallier import judge


def replayed(visit: Visit, *, complete: bool = True) -> Verdict:
    """Written to disk, read back, and judged by the daemon's own tally."""
    with tempfile.TemporaryDirectory(prefix="trace-") as name:
        folder = Path(name) / visit.header.visit
        trace.write(folder, visit)
        return judge(trace.read(folder).judged(), TallyPolicy(), complete=complete)
