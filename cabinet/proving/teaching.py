"""The daemon's own learner at the fast depth: it reads the notebook, and is told of time by the world's clock."""

from typing import TYPE_CHECKING

from cabinet.basket.evidence import Door
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.zonechange import weighed
from cabinet.learner import PART, Learner
from cabinet.proving.notebook import AFTER_S
from cabinet.units import VisitId

if TYPE_CHECKING:
    from cabinet.proving.cabinet import FastCabinet, FastTallier

TALLY_S = 0.02  # a thought comes so long after the verdict
TRACE_ENDS_S = AFTER_S + 0.1  # after the closing a technician's trace is whole (cabinet.witness)


def taught_by(cabinet: "FastCabinet", tallier: "FastTallier") -> Learner:
    """Connected to the daemon that has just been made."""
    cabinet.parts.expect(PART, needed=False, why=None)
    learner = Learner(
        cabinet.ledger,
        state=lambda: cabinet.daemon.state,
        stamp=cabinet.wall.stamp,
        part=cabinet.parts.report,
        weigh=lambda visit: cabinet.later(TRACE_ENDS_S, lambda: _weigh(cabinet, learner, visit)),
        later=cabinet.later,
    )
    tallier.taught = lambda visit, thought: cabinet.later(TALLY_S, lambda: learner.taught(visit, thought))
    cabinet.daemon.watchers.append(learner.happened)
    return learner


def _weigh(cabinet: "FastCabinet", learner: Learner, visit: VisitId) -> None:
    notebook = cabinet.notebook
    page = notebook.pages.get(visit)
    closed = [] if page is None else [e.t for e in page.events if isinstance(e, Door) and not e.open]
    if page is not None and closed:
        notebook.draw(page, min(cabinet.time.now_s, page.origin_s + closed[-1] + AFTER_S))
        learner.weighed(visit, page.header, weighed(notebook.recorded(page), TallyPolicy()))
