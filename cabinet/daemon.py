"""The shell around the session machine: events in, one durable step, effects out.

It decides nothing.  Every step is committed with the rows it implies before any effect is performed, and the tick of
this loop is what keeps a lease, and systemd's watchdog, alive: if it stops, the lock falls shut.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol, assert_never

from cabinet import clock
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Verdict
from cabinet.identity.credit import NO_TERMS, Terms
from cabinet.ledger import ClosedVisit, Entry, Incident, Ledger, OpenedVisit, Stamp
from cabinet.ledger.entries import Outcome
from cabinet.ports import Lock, PortError, Signals
from cabinet.session import effects as do
from cabinet.session.effects import Effect, Notice
from cabinet.session.events import DeadlineReached, Event, NotReleased, Restarted
from cabinet.session.machine import step
from cabinet.session.policy import Policy
from cabinet.session.states import Idle, State, deadline_s
from cabinet.units import VisitId, ZoneId

TICK_S = 0.2  # a lease dies 0.5 s after the last tick

log = logging.getLogger(__name__)


class Greeter(Protocol):
    def look(self, visit: VisitId) -> None: ...
    def stop(self) -> None: ...


class Witness(Protocol):
    def baseline_g(self) -> dict[ZoneId, float]: ...
    def trace_of(self, visit: VisitId) -> str: ...
    def start(self, visit: VisitId, purpose: str) -> None: ...
    def finish(self, visit: VisitId) -> None: ...
    def give_up(self, visit: VisitId) -> None: ...
    def end(self, visit: VisitId) -> None: ...


@dataclass(frozen=True, slots=True)
class Tallied:
    """What the tally found, kept until the machine closes the visit with it."""

    verdict: Verdict
    evidence_hash: str


class Tallier(Protocol):
    def tally(self, visit: VisitId, *, complete: bool) -> None: ...
    def result(self, visit: VisitId) -> Tallied | None: ...


@dataclass(frozen=True, slots=True)
class Happened:
    """One step, for whoever watches: status, telemetry, the technician's live view."""

    at_s: float
    event: Event
    before: State
    after: State
    effects: tuple[Effect, ...]


@dataclass
class Daemon:
    ledger: Ledger
    lock: Lock
    signals: Signals
    greeter: Greeter
    witness: Witness
    tallier: Tallier
    policy: Policy
    currency: str
    show: Callable[[Notice, VisitId | None], None]  # the screen's line
    part: Callable[[str, str | None], None]  # Parts.report
    alive: Callable[[], None] = lambda: None  # systemd's watchdog
    terms_of: Callable[[VisitId], Terms] = lambda _: NO_TERMS  # for how much its member was let in
    now: Callable[[], float] = clock.now_s
    stamp: Callable[[], Stamp] = clock.stamp
    watchers: list[Callable[[Happened], None]] = field(default_factory=list)
    events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    state: State = field(default_factory=Idle)
    _asked: dict[int, asyncio.Future[Happened]] = field(default_factory=dict, init=False)

    def post(self, event: Event) -> None:
        self.events.put_nowait(event)

    async def ask(self, event: Event) -> Happened:
        """Post an event and wait for the step it led to, its effects performed."""
        answer: asyncio.Future[Happened] = asyncio.get_running_loop().create_future()
        self._asked[id(event)] = answer
        self.post(event)
        try:
            return await answer
        finally:
            del self._asked[id(event)]

    async def run(self) -> NoReturn:
        self.state = self.ledger.state() or Idle()
        await self.handle(Restarted(self.now()))
        while True:
            event = await self._next()
            self.lock.keep_alive()
            self.alive()
            if event is not None:
                await self.handle(event)

    async def _next(self) -> Event | None:
        """The next event, the deadline when it is due, or None for a tick."""
        due_s = deadline_s(self.state)
        now_s = self.now()
        if due_s is not None and due_s <= now_s and self.events.empty():
            return DeadlineReached(now_s)
        until_s = now_s + TICK_S if due_s is None else min(due_s, now_s + TICK_S)
        try:
            async with asyncio.timeout_at(until_s):
                return await self.events.get()
        except TimeoutError:
            return None

    async def handle(self, event: Event) -> None:
        before = self.state
        after, effects = step(before, event, self.policy)
        entries = [entry for effect in effects if (entry := self._entry(effect)) is not None]
        if after != before or entries:
            self.ledger.commit(after, entries, self.stamp())
            log.info("step event=%s from=%s to=%s", *(type(thing).__name__ for thing in (event, before, after)))
        self.state = after
        unseen = False
        for effect in effects:
            if unseen and isinstance(effect, do.ReleaseLock):
                continue  # what nobody records is not opened; the visit ends at once
            done = await self._attempt(effect)
            if isinstance(effect, do.StartTrace) and not done:
                unseen = True
                self.post(NotReleased(self.now(), effect.visit, "the visit could not be recorded"))
        happened = Happened(self.now(), event, before, after, effects)
        for watcher in self.watchers:
            watcher(happened)
        asked = self._asked.get(id(event))
        if asked is not None and not asked.done():
            asked.set_result(happened)

    def _entry(self, effect: Effect) -> Entry | None:
        """What an effect adds to the ledger, in the transaction that stores the new state."""
        match effect:
            case do.OpenVisit(visit, member, purpose, who, reason):
                return OpenedVisit(
                    visit=visit,
                    member=member,
                    purpose=purpose,
                    who=who,
                    reason=reason,
                    price_version=self.ledger.price_version(),
                    baseline_g=self.witness.baseline_g(),
                    trace=self.witness.trace_of(visit),
                    terms=self.terms_of(visit),
                )
            case do.CloseVisit(visit, outcome, why):
                return self._closing(visit, outcome, why)
            case do.RaiseIncident(why, visit):
                return Incident(why=why, visit=visit)
            case _:
                return None

    def _closing(self, visit: VisitId, outcome: Outcome, why: str) -> ClosedVisit:
        tallied = self.tallier.result(visit) if outcome in {"charge", "nothing", "review"} else None
        verdict = None if tallied is None else tallied.verdict
        lines: Sequence[Line] = ()
        best_guess: Sequence[Line] = ()
        total, confidence, moves = 0, None, {}
        match verdict:
            case Charge() if outcome == "charge":
                lines, total, confidence = verdict.lines, verdict.total, verdict.confidence
                moves = {zone: dict(counts) for zone, counts in verdict.account.moves.items()}
            case Nothing() if outcome == "nothing":
                confidence = verdict.confidence
                moves = {zone: dict(counts) for zone, counts in verdict.account.moves.items()}
            case Review():
                why, best_guess = why or verdict.reason, verdict.best_guess
            case _:
                pass
        return ClosedVisit(
            visit=visit,
            outcome=outcome,
            why=why,
            lines=tuple(lines),
            total_minor=total,
            currency=self.currency,
            confidence=confidence,
            evidence_hash="" if tallied is None else tallied.evidence_hash,
            best_guess=tuple(best_guess),
            moves=moves,
        )

    async def _attempt(self, effect: Effect) -> bool:
        """Whether the part obeyed; one that did not is reported."""
        try:
            await self._perform(effect)
        except PortError as error:
            log.warning("effect_failed effect=%s why=%s", type(effect).__name__, error)
            if isinstance(effect, do.ReleaseLock | do.EngageLock):
                self.part("lock", str(error))
            elif isinstance(effect, do.StartTrace):
                self.part("disk", str(error))
            return False
        if isinstance(effect, do.ReleaseLock):
            self.part("lock", None)
        return True

    async def _perform(self, effect: Effect) -> None:
        match effect:
            case do.ReleaseLock(visit, lease_s):
                await self.lock.release(visit, lease_s)
            case do.ClearLockFaults():
                await self.lock.clear_faults()
            case do.EngageLock():
                await self.lock.engage()
            case do.LookForMember(visit):
                self.greeter.look(visit)
            case do.StopLooking():
                self.greeter.stop()
            case do.OpenVisit() | do.CloseVisit() | do.RaiseIncident():
                pass  # already in the ledger
            case do.StartTrace(visit):
                self.witness.start(visit, _purpose(self.state))
            case do.FinishTrace(visit):
                self.witness.finish(visit)
            case do.EndTrace(visit):
                self.witness.end(visit)
            case do.Tally(visit, complete):
                if not complete:
                    self.witness.give_up(visit)  # first: the tally reads in the trace what is missing
                self.tallier.tally(visit, complete=complete)
            case do.Show(notice, visit):
                await self._show(notice, visit)
            case do.SoundAlarm(reason):
                log.warning("alarm reason=%s", reason)
                await self.signals.lamp("alarm")
                await self.signals.buzzer("alarm")
            case do.ReportUnexpected(state, event):
                log.warning("unexpected event=%s state=%s", event, state)
            case _:
                assert_never(effect)

    async def _show(self, notice: Notice, visit: VisitId | None) -> None:
        self.show(notice, visit)
        lamp, buzzer = SIGNALS[notice]
        await self.signals.lamp(lamp)
        await self.signals.buzzer(buzzer)


SIGNALS: dict[Notice, tuple[str, str]] = {
    Notice.READY: ("ready", "none"),
    Notice.LOOKING: ("busy", "none"),
    Notice.ASKED: ("busy", "prompt"),
    Notice.WELCOME: ("open", "ok"),
    Notice.REFUSED: ("ready", "none"),
    Notice.SHOPPING: ("open", "none"),
    Notice.CLOSE_DOOR: ("open", "prompt"),
    Notice.TALLYING: ("busy", "none"),
    Notice.THANKS: ("ready", "ok"),
    Notice.NOTHING_TAKEN: ("ready", "none"),
    Notice.REVIEW: ("ready", "none"),
    Notice.SERVICE: ("open", "ok"),
    Notice.OUT_OF_SERVICE: ("off", "none"),
}


def _purpose(state: State) -> str:
    return getattr(state, "purpose", "shop")
