"""From a visit's trace to its verdict, off the event loop.  Reads nothing but the trace."""

import asyncio
import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, assert_never

from cabinet import __version__, clock, trace
from cabinet.basket.evidence import Visit
from cabinet.basket.learning import LearningPolicy
from cabinet.basket.lessons import Afterthought, afterthought
from cabinet.basket.shadow import Heuristic, to_dict
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
        self.heuristics: tuple[Heuristic, ...] = ()  # in shadow: beside the verdict, never billed
        self.learning = LearningPolicy()
        self.taught: Callable[[VisitId, Afterthought], None] | None = None  # after the verdict was posted

    def tally(self, visit: VisitId, *, complete: bool) -> None:
        task = asyncio.get_running_loop().create_task(self._tally(visit, complete=complete))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def result(self, visit: VisitId) -> Tallied | None:
        return self._results.get(visit)

    async def _tally(self, visit: VisitId, *, complete: bool) -> None:
        folder = self._traces / visit
        tallied, judged = await asyncio.to_thread(_worked_out, folder, self._policy, complete=complete)
        self._results[visit] = tallied
        while len(self._results) > KEPT_RESULTS:
            del self._results[next(iter(self._results))]
        outcome = outcome_of(tallied.verdict)
        log.info("tallied visit=%s outcome=%s", visit, outcome)
        self._post(VisitTallied(clock.now_s(), visit, outcome))
        if judged is not None and self.taught is not None:
            thought = await asyncio.to_thread(self._think, folder, judged, tallied, complete=complete)
            if thought is not None:
                self.taught(visit, thought)

    def _think(self, folder: Path, visit: Visit, tallied: Tallied, *, complete: bool) -> Afterthought | None:
        """The bill is on its way: whatever fails here costs a lesson."""
        try:
            thought = afterthought(visit, tallied.verdict, self.learning, self.heuristics)
            if thought.opinions:
                beside = {"evidence": tallied.evidence_hash, "complete": complete, "shadow": to_dict(thought.opinions)}
                trace.write_tally(folder, tallied.verdict, beside)
        except Exception:
            log.exception("afterthought_failed visit=%s", visit.header.visit)
            return None
        return thought


def work_out(folder: Path, policy: TallyPolicy, *, complete: bool) -> Tallied:
    """The verdict of a trace folder, written beside it as tally.json.  Doubt about the trace is a review."""
    return _worked_out(folder, policy, complete=complete)[0]


def _worked_out(folder: Path, policy: TallyPolicy, *, complete: bool) -> tuple[Tallied, Visit | None]:
    """With what was judged, where it could be read."""
    try:
        visit = trace.read(folder).judged()
    except (OSError, trace.TraceError) as error:
        return Tallied(Review(f"the visit's recording cannot be read: {error}"), ""), None
    verdict = judge(visit, policy, complete=complete)
    bound = bind(folder, visit, verdict, policy)
    evidence = trace.manifest_hash(bound)
    try:
        trace.settle_stills(folder)
        trace.write_manifest(folder, bound)
        trace.write_tally(folder, verdict, {"evidence": evidence, "complete": complete})
    except OSError as error:  # the ledger keeps the bill; only the explanation is lost
        log.warning("tally_not_kept visit=%s why=%s", visit.header.visit, error)
    return Tallied(verdict, evidence), visit


def judge(visit: Visit, policy: TallyPolicy, *, complete: bool) -> Verdict:
    """The verdict of what the tally may read of a visit (`Visit.judged`); whoever has the trace gets the same."""
    verdict: Verdict = tally(visit, policy)
    missing = visit.missing()
    if complete and not missing:
        return verdict
    why = ": ".join(("not every sensor reported in time after the door was shut", *filter(None, ["; ".join(missing)])))
    if isinstance(verdict, Review):
        return dataclasses.replace(verdict, reason=f"{verdict.reason}; {why}")
    return Review(why, verdict.account, verdict.lines if isinstance(verdict, Charge) else ())


def bind(folder: Path, visit: Visit, verdict: Verdict, policy: TallyPolicy) -> dict[str, Any]:
    """evidence.json: what the verdict was made from (`visit`, as judged), the stills there now, and the verdict."""
    frames = trace.frame_hashes(folder)
    return trace.manifest(visit, verdict, frames, software=__version__, policy=policy_version(policy))


def policy_version(policy: TallyPolicy) -> str:
    """Twelve hex digits over every constant: two policies that may judge differently never share them."""
    constants = json.dumps(dataclasses.asdict(policy), sort_keys=True)
    return hashlib.sha256(constants.encode()).hexdigest()[:12]


def outcome_of(verdict: Verdict) -> Outcome:
    match verdict:
        case Charge():
            return "charge"
        case Nothing():
            return "nothing"
        case Review():
            return "review"
        case _:
            assert_never(verdict)
