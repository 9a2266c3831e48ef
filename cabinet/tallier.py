"""From a visit's trace to its verdict, off the event loop.  Reads nothing but the trace."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from cabinet import clock, trace
from cabinet.basket.evidence import Visit
from cabinet.basket.tally import TallyPolicy, tally
from cabinet.basket.verdict import Charge, Nothing, Review, Verdict
from cabinet.daemon import Tallied
from cabinet.session.events import Event, VisitTallied
from cabinet.units import VisitId

Outcome = Literal["charge", "nothing", "review"]

KEPT_RESULTS = 8  # the machine asks for the last one only; a few for a late look

log = logging.getLogger(__name__)


class Tallier:
    def __init__(self, traces: Path, policy: TallyPolicy, post: Callable[[Event], None]) -> None:
        self._traces = traces
        self._policy = policy
        self._post = post
        self._results: dict[VisitId, Tallied] = {}
        self._running: set[asyncio.Task[None]] = set()

    def tally(self, visit: VisitId, *, complete: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._tally(visit, complete=complete))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def result(self, visit: VisitId) -> Tallied | None:
        return self._results.get(visit)

    async def _tally(self, visit: VisitId, *, complete: bool) -> None:
        tallied = await asyncio.to_thread(work_out, self._traces / visit, self._policy, complete=complete)
        self._results[visit] = tallied
        while len(self._results) > KEPT_RESULTS:
            del self._results[next(iter(self._results))]
        outcome = outcome_of(tallied.verdict)
        log.info("tallied visit=%s outcome=%s", visit, outcome)
        self._post(VisitTallied(clock.now_s(), visit, outcome))


def work_out(folder: Path, policy: TallyPolicy, *, complete: bool) -> Tallied:
    """The verdict of a trace folder, written beside it as tally.json.  Doubt about the trace is a review."""
    try:
        visit = trace.read(folder).judged()
    except (OSError, trace.TraceError) as error:
        return Tallied(Review(f"the visit's recording cannot be read: {error}"), "")
    verdict = judge(visit, policy, complete=complete)
    evidence = evidence_hash(visit)
    try:
        trace.write_tally(folder, verdict, {"evidence": evidence, "complete": complete})
    except OSError as error:  # the ledger keeps the bill; only the explanation is lost
        log.warning("tally_not_kept visit=%s why=%s", visit.header.visit, error)
    return Tallied(verdict, evidence)


def judge(visit: Visit, policy: TallyPolicy, *, complete: bool) -> Verdict:
    """The verdict of what the tally may read of a visit (`Visit.judged`); whoever has the trace gets the same."""
    verdict: Verdict = tally(visit, policy)
    if not complete and not isinstance(verdict, Review):
        return Review("not every sensor reported in time after the door was shut", verdict.account)
    return verdict


def evidence_hash(visit: Visit) -> str:
    """SHA-256 in hex over the header and every judged event, in order: what the bill was made from."""
    digest = hashlib.sha256(json.dumps(trace.header_to_dict(visit.header), sort_keys=True).encode())
    for event in visit.events:
        digest.update(json.dumps(trace.event_to_dict(event), sort_keys=True).encode())
    return digest.hexdigest()


def outcome_of(verdict: Verdict) -> Outcome:
    match verdict:
        case Charge():
            return "charge"
        case Nothing():
            return "nothing"
        case Review():
            return "review"
