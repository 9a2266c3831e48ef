"""The learner with its hands: it reads technicians' traces on another thread and is told of time by the event loop."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from cabinet import clock, trace
from cabinet.basket.evidence import Header
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.zonechange import ZoneChange, weighed
from cabinet.daemon import Daemon
from cabinet.learner import PART, REMEDY, Learner
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.tallier import Tallier
from cabinet.units import VisitId
from cabinet.witness import AFTER_TAIL_S

TRACE_ENDS_S = AFTER_TAIL_S + 0.5  # after the closing, unless somebody comes before

log = logging.getLogger(__name__)


def learner(
    ledger: Ledger, daemon: Daemon, tallier: Tallier, parts: Parts, traces: Path, written: Callable[[], None]
) -> Learner:
    weigher = _Weigher(traces)
    parts.expect(PART, needed=False, why=None, remedy=REMEDY)
    made = Learner(
        ledger,
        state=lambda: daemon.state,
        stamp=clock.stamp,
        part=parts.report,
        weigh=weigher.weigh,
        later=lambda delay_s, what: asyncio.get_running_loop().call_later(delay_s, what),
        written=written,
        shadow=lambda: [heuristic.name for heuristic in tallier.heuristics],
    )
    weigher.learner = made
    tallier.taught = made.taught
    daemon.watchers.append(made.happened)
    return made


class _Weigher:
    def __init__(self, traces: Path) -> None:
        self._traces = traces
        self._running: set[asyncio.Task[None]] = set()
        self.learner: Learner

    def weigh(self, visit: VisitId) -> None:
        task = asyncio.get_running_loop().create_task(self._weigh(visit))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _weigh(self, visit: VisitId) -> None:
        await asyncio.sleep(TRACE_ENDS_S)
        try:
            header, changes = await asyncio.to_thread(read_and_weigh, self._traces / visit)
        except (OSError, trace.TraceError) as error:
            log.warning("service_not_compared visit=%s why=%s", visit, error)
            return
        except Exception:
            log.exception("service_not_compared visit=%s", visit)  # a lesson is lost, and nothing else
            return
        self.learner.weighed(visit, header, changes)


def read_and_weigh(folder: Path) -> tuple[Header, tuple[ZoneChange, ...]]:
    """Raises OSError, TraceError."""
    visit = trace.read(folder)
    return visit.header, weighed(visit, TallyPolicy())
