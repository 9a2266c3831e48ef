"""Gathers what is known of a member at the door, has `identity.risk` decide, and writes down what and why; and books
what raises or lowers trust, as the ledger's own events tell it.

An attempt whose decision cannot be written down is refused: nothing opens that nobody could explain.  What happened in
a visit is read from the store's chain of events, up to a mark that moves in the transaction that books it: a crash
between the closing and the booking loses nothing, and nothing is booked twice.  It judges no one for a part that
failed, for a door that was held open, nor for a dispute.  Names and member ids stay out of the log.
"""

import asyncio
import contextlib
import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol
from zoneinfo import ZoneInfo

from cabinet.identity.risk import NOT_KEPT, Allow, AllowWithDigits, Deny, Facts, Judgement, Policy, Way, assess
from cabinet.identity.trust import COSTS, DAY_MS, DEBT, GIVES, Instant, Kind, Score, passed_ms, score
from cabinet.ledger import Ledger, LedgerError, LedgerLostError, Stamp
from cabinet.ledger.entries import VisitRecord
from cabinet.ledger.outbox import TRUSTED
from cabinet.ledger.ran import KEEP_EVERY_S, instant
from cabinet.ledger.trust import Told
from cabinet.session.effects import CloseVisit, RaiseIncident
from cabinet.session.machine import UNSEEN
from cabinet.units import MemberId, Minor, VisitId

HOUR_MS: Final = 3_600_000
PRUNE_EVERY: Final = 6  # rounds of KEEP_EVERY_S: an hour

# How misconduct shows in the reasons of a review (`basket.explain`, `session.machine`) and of an incident.
EXCHANGED: Final = "may have been exchanged for another thing"
FOREIGN: Final = "that is not from here"
REOPENED: Final = "the door was opened again before the bill was ready"
COVERED: Final = ("camera:", "the picture is covered")  # begins so, and says so
FORCED: Final = ("door was forced", "housing was opened")  # as the board's own journal has it

log = logging.getLogger(__name__)


class Step(Protocol):
    """What the daemon tells its watchers, as far as it matters here."""

    @property
    def effects(self) -> Sequence[object]: ...


@dataclass
class TrustKeeper:
    ledger: Ledger
    policy: Policy
    stamp: Callable[[], Stamp]
    machine: str  # names this start of the computer
    time_zone: str = "UTC"
    cloud: bool = False  # one is configured: a visit is paid once it has confirmed it
    members_age_s: Callable[[], float | None] = lambda: None  # of the cloud's list of members; None: there is none
    counts: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """What a crash left unbooked is booked now."""
        self.ledger.keep_ran(self.stamp(), self.machine)
        self.read()
        self.debts()

    async def run(self) -> NoReturn:
        rounds = 0
        while True:
            with _put_off("trust_round_failed"):
                self.ledger.keep_ran(self.stamp(), self.machine)
                self.read()  # of the board's journal, say, which no step tells
                if rounds % PRUNE_EVERY == 0:
                    self.ledger.prune_trust(self.stamp())
            rounds += 1
            await asyncio.sleep(KEEP_EVERY_S)

    # At the door.

    def assess(
        self, visit: VisitId, member: MemberId, way: Way, offered_minor: Minor | None = None, now: Stamp | None = None
    ) -> Judgement:
        """Decided, and durable, with its reasons.  Raises LedgerLostError where the disk has failed for good."""
        now = now or self.stamp()
        try:
            judgement = assess(self.facts(member, way, offered_minor, now), self.policy)
            self._keep(visit, member, way, judgement, now)
        except LedgerLostError:
            raise
        except LedgerError as error:
            log.warning("admission_not_kept visit=%s why=%s", visit, error)
            self.counts[f"denied: {NOT_KEPT}"] += 1
            return Deny(NOT_KEPT, ("the decision could not be written down",))
        return judgement

    def turned_away(self, visit: VisitId, member: MemberId | None, way: Way | None, why: str) -> None:
        """Somebody else refused this attempt: the till, or the camera that knew nobody.  Whom it was taken for and what
        was thought of it before stay with it.
        """
        known = self.ledger.admission(visit)
        said = Deny(why, (why,))
        if known is not None:
            member, said = member or known.member, Deny(why, (why, *known.reasons))
        with _put_off("admission_not_kept"):  # it was refused: nothing opens
            self._keep(visit, member, way or ("" if known is None else known.way), said, self.stamp())

    def facts(self, member: MemberId, way: Way, offered_minor: Minor | None, now: Stamp) -> Facts:
        known, policy, at = self.ledger.at_door(member), self.policy, self._instant(now)
        standing = self.standing(member, now)
        return Facts(
            way=way,
            trust=standing.trust,
            verified=known is not None and known.verified,
            age=None if known is None else known.age,
            has_paid=self.ledger.has_paid(member, confirmed=self.cloud),
            owes=standing.owed > 0,
            incidents=standing.incidents,
            disputes=standing.disputes,
            hour=self._hour(now),
            members_age_s=self.members_age_s() if known is not None and known.from_cloud else None,
            visits_last_hour=self._since(member, policy.visits_per_hour, None, HOUR_MS, at),
            card_visits_last_day=self._since(member, policy.card_visits_per_day, "card", DAY_MS, at)
            if way == "card"
            else 0,
            offered_minor=offered_minor,
        )

    def standing(self, member: MemberId, now: Stamp | None = None) -> Score:
        events = [row.event for row in self.ledger.trust_events(member)]
        return score(events, self._instant(now or self.stamp()), self.policy.restore_days)

    def _since(self, member: MemberId, most: int, way: str | None, within_ms: int, at: Instant) -> int:
        """Visits that may be so recent: what is not known to be longer ago counts.  No more than matter are read."""
        visits = self.ledger.let_in(member, most, way)
        return sum(passed_ms(one.instant, at) < within_ms for one in visits)

    def _keep(self, visit: VisitId, member: MemberId | None, way: str, judgement: Judgement, now: Stamp) -> None:
        self.ledger.note_admission(visit, member, way, judgement, now, self.ledger.ran_ms(now, self.machine))
        match judgement:
            case Allow(limit_minor):
                word = "allowed"
            case AllowWithDigits(limit_minor):
                word = "digits asked"
            case Deny(why):
                word, limit_minor = f"denied: {why}", 0
        self.counts[word] += 1
        reasons = "; ".join(judgement.reasons)
        log.info("admission visit=%s way=%s said=%s limit_minor=%d reasons=%s", visit, way, word, limit_minor, reasons)

    def _hour(self, now: Stamp) -> int | None:
        if now.quality not in TRUSTED:
            return None
        return dt.datetime.fromtimestamp(now.wall_ms / 1000, ZoneInfo(self.time_zone)).hour

    def _instant(self, now: Stamp) -> Instant:
        return instant(now, self.ledger.ran_ms(now, self.machine))

    # What happened.

    def happened(self, step: Step) -> None:
        """The daemon's step, after it was committed."""
        if any(isinstance(effect, CloseVisit | RaiseIncident) for effect in step.effects):
            self.read()

    def read(self) -> None:
        """Book what the store's events tell and nobody has booked."""
        with _put_off("trust_not_booked"):  # the mark has not moved
            while self._read_some():
                pass

    def _read_some(self) -> bool:
        """True: there is more."""
        with self.ledger.together():
            told, upto = self.ledger.trust_unread()
            for one in told:
                self._book(one)
            self.ledger.trust_read(upto)
        return upto < self.ledger.head()[0]

    def _book(self, told: Told) -> None:
        record = self.ledger.visit(told.visit)
        if record is None or record.member is None:  # a technician's
            return
        if told.type == "visit.disputed":
            self._add(record.member, "dispute", 0, told)
            return
        kind = misconduct(record) if told.type == "visit.closed" else suspicious(told.why)
        if kind is not None:
            self._add(record.member, kind, COSTS[kind], told)
        elif told.type == "visit.closed" and self._made_good(record.member, record):
            self._add(record.member, "paid-visit", GIVES["paid-visit"], told)

    def _made_good(self, member: MemberId, record: VisitRecord) -> bool:
        """Something was paid, and something is to be restored: of an honest member nothing is kept."""
        return record.outcome == "charge" and record.total_minor > 0 and self.standing(member).lost > 0

    def _add(self, member: MemberId, kind: Kind, points: int, told: Told) -> None:
        ran_ms = self.ledger.ran_ms(self.stamp(), self.machine)
        if self.ledger.add_trust_event(member, kind, points, told.at, ran_ms, visit=told.visit):
            self.counts[f"booked: {kind}"] += 1
            log.info("trust_event visit=%s kind=%s points=%d", told.visit, kind, points)

    def book(self, member: MemberId, kind: Kind, points: int, note: str, who: str) -> None:
        """A technician's word."""
        now = self.stamp()
        ran_ms = self.ledger.ran_ms(now, self.machine)
        self.ledger.add_trust_event(member, kind, points, now, ran_ms, note=note, who=who)
        self.counts[f"booked: {kind}"] += 1
        log.info("trust_event kind=%s points=%d who=%s", kind, points, who)

    def debts(self) -> None:
        """Who owes by the cloud's list: noted once, until the list says it no more, which is the payment."""
        with _put_off("debts_not_noted"):
            listed, noted = self.ledger.debtors()
            now = self.stamp()
            ran_ms = self.ledger.ran_ms(now, self.machine)
            changes: tuple[tuple[Kind, set[MemberId]], ...] = (("unpaid", listed - noted), ("paid", noted - listed))
            for kind, members in changes:
                for member in sorted(members):
                    self.ledger.add_trust_event(member, kind, DEBT, now, ran_ms)
                if members:
                    self.counts[f"booked: {kind}"] += len(members)
                    log.info("debts kind=%s members=%d", kind, len(members))


@contextlib.contextmanager
def _put_off(what: str) -> Iterator[None]:
    """A full disk, say: it is told, and tried again the next time.  A disk that failed for good is not put off."""
    try:
        yield
    except LedgerLostError:
        raise
    except LedgerError as error:
        log.warning("%s why=%s", what, error)


def misconduct(record: VisitRecord) -> Kind | None:
    """What a closing says against the shopper, if anything: the gravest."""
    if record.outcome != "review":
        return None
    if REOPENED in record.why:
        return "tamper"
    if EXCHANGED in record.why or (FOREIGN in record.why and record.best_guess):
        return "swap"  # goods left, and a thing stands there that is not from here
    return "foreign" if FOREIGN in record.why else None


def suspicious(why: str) -> Kind | None:
    """What an incident in a shopper's visit says against them, if anything."""
    if any(words in why for words in FORCED):
        return "tamper"
    begins, says = COVERED
    if (why.startswith(begins) and says in why) or why == UNSEEN:
        return "covered"  # a camera, or the door's switch: somebody did not want to be seen
    return None
