"""Looks after every step whether something happened that must never happen, whoever was mistaken.

The invariants, by name:

- `lock`      the lock is driven only for a visit that is on disk and open; half a second of grace for the board
- `order`     it begins to be driven only for that visit's own lease
- `door`      a door that stands open is accounted for by an open visit, or an incident about it is on disk, within 2 s
              of the daemon's being able to know
- `once`      a visit is closed at most once, and at the end every opened visit exactly once
- `charged`   no bill weighs more than what left the cabinet while the visit was open
- `stock`     what the ledger moved is, zone by zone and as far as grams can tell, what really moved, or a review or an
              incident says that something is open
- `books`     at the end the file says what was committed: state, visits, and a gapless chain of events
- `captured`, `holds`, `balance`, `owing`: the far end's money, as cabinet.proving.auditing says

A bill that names another product of the same mass breaks none of them: it is counted as an outcome (over, under, swap).
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from cabinet.basket.score import Truth, score
from cabinet.basket.verdict import Charge, Line, Nothing, Review, Verdict
from cabinet.identity.credit import NO_TERMS, Terms
from cabinet.ledger import ClosedVisit, Incident, Ledger, OpenedVisit
from cabinet.proving import auditing
from cabinet.units import Sku, VisitId, ZoneId

if TYPE_CHECKING:
    from cabinet.proving.stage import Stage

LOCK_GRACE_S = 0.6  # the board lets go 0.5 s after a silent host
DOOR_GRACE_S = 2.0
ABOUT_DOORS = ("door", "open", "lock", "bolt")
SLACK_G = 22.0  # drift and rounding of one zone over one visit; the lightest product has 38 g
SLACK = 0.045  # and so much of the mass that moved: as far as the tally lets a catalogue be wrong (3 sd of 1.5 %)


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: str
    at_s: float
    what: str
    step: int  # how many things had happened by then


@dataclass
class Account:
    """One visit, as the world saw it."""

    visit: VisitId
    purpose: str
    member: str
    before: Mapping[int, tuple[Sku, ZoneId]]
    before_g: Mapping[ZoneId, float]
    terms: Terms = NO_TERMS
    closed: ClosedVisit | None = None
    left: Counter[Sku] = field(default_factory=Counter)  # net of products that left the cabinet
    moved: tuple[tuple[Sku, ZoneId, ZoneId], ...] = ()
    net_g: dict[ZoneId, float] = field(default_factory=dict)
    closings: int = 0
    incidents_then: int = 0


class Watchman:
    def __init__(self, stage: "Stage") -> None:
        self.stage = stage
        self.violations: list[Violation] = []
        self.accounts: dict[VisitId, Account] = {}
        self.incidents: list[Incident] = []
        self._looks = 0
        self._seen = len(stage.cabinet.committed.entries)  # of the committed entries
        self._open: set[VisitId] = set()
        self._driven_since_s: float | None = None  # without an open visit
        self._was_driven = False
        self._door_since_s: float | None = None  # open, and nobody answers for it
        self._doors_then = 0
        stage.changed = self.look

    def look(self) -> None:
        """After everything that happened."""
        stage = self.stage
        self._looks += 1
        if len(stage.cabinet.committed.entries) > self._seen:
            self._read()
        board = stage.board
        if board.driven or self._was_driven or self._driven_since_s is not None:
            self._lock()
        if board.door_open or self._door_since_s is not None:
            self._door()

    def finish_visits(self) -> None:
        """Once all has come to rest."""
        self.look()
        for account in self.accounts.values():
            if account.closings != 1:
                self.violated("once", f"visit {account.visit} has {account.closings} closings")
        if self.stage.cabinet.alive:
            self._visits_on_file(self.stage.cabinet.ledger)

    def finish_books(self) -> None:
        """Once the daemon has let go of its file: all of it, read anew."""
        with Ledger(self.stage.cabinet.path, read_only=True) as file:
            self._state_on_file(file)
            self._visits_on_file(file)
            self._chain_on_file(file)

    def finish_money(self, *, at_rest: bool) -> None:
        """What the far end has heard of.  `at_rest`: and everything that was to come has come."""
        far_end = self.stage.far_end
        if far_end is not None:
            for invariant, what in auditing.wrong(far_end, self.accounts, at_rest=at_rest):
                self.violated(invariant, what)
            for invariant, what in auditing.off_balance(far_end):
                self.violated(invariant, what)

    # Lock and door.

    def _lock(self) -> None:
        board, now_s = self.stage.board, self.stage.time.now_s
        if board.driven and not self._was_driven and board.lease not in self._open:
            self.violated("order", f"the lock was driven for {board.lease}, which is no open visit on disk")
        self._was_driven = board.driven
        if not board.driven or self._open:
            self._driven_since_s = None
        elif self._driven_since_s is None:
            self._driven_since_s = now_s
        elif now_s - self._driven_since_s > LOCK_GRACE_S:
            self.violated("lock", "the lock is driven and no visit is open")
            self._driven_since_s = now_s + 1e9

    def _door(self) -> None:
        stage, now_s = self.stage, self.stage.time.now_s
        told = any(_about_doors(incident) for incident in self.incidents[self._doors_then :])
        unaccounted = (
            stage.board.door_open and stage.cabinet.alive and stage.board.plugged and not self._open and not told
        )
        if not unaccounted:
            self._door_since_s = None
            if not stage.board.door_open:
                self._doors_then = len(self.incidents)
        elif self._door_since_s is None:
            self._door_since_s = now_s
        elif now_s - self._door_since_s > DOOR_GRACE_S:
            self.violated("door", "the door stands open, no visit answers for it and no incident tells of it")
            self._door_since_s = now_s + 1e9

    # Visits and money.

    def _read(self) -> None:
        entries = self.stage.cabinet.committed.entries
        for entry in entries[self._seen :]:
            match entry:
                case OpenedVisit():
                    self._opened(entry)
                case ClosedVisit():
                    self._closed(entry)
                case Incident():
                    self.incidents.append(entry)
        self._seen = len(entries)

    def _opened(self, entry: OpenedVisit) -> None:
        now_s = self.stage.time.now_s
        masses = {zone: history.settled_g(now_s) for zone, history in self.stage.cells.histories.items()}
        self.accounts[entry.visit] = Account(
            entry.visit, entry.purpose, str(entry.member), self.stage.world.inside(), masses,
            entry.terms, incidents_then=len(self.incidents),
        )  # fmt: skip
        self._open.add(entry.visit)
        far_end = self.stage.far_end
        if far_end is not None and entry.terms.by == "cloud" and far_end.unpaid_minor(str(entry.member)):
            self.violated("owing", f"{entry.member} owes, and was let in by the cloud for visit {entry.visit}")

    def _closed(self, entry: ClosedVisit) -> None:
        account = self.accounts[entry.visit]
        account.closings += 1
        self._open.discard(entry.visit)
        if account.closings > 1:
            self.violated("once", f"visit {entry.visit} was closed again: {entry.outcome}")
            return
        account.closed = entry
        self._settle_up(account)
        if account.purpose == "shop":
            self._charged(account, entry)
            self._stock(account, entry)

    def _settle_up(self, account: Account) -> None:
        stage, inside = self.stage, self.stage.world.inside()
        for number, (sku, zone) in account.before.items():
            now = inside.get(number)
            if now is None:
                account.left[sku] += 1
            elif now[1] != zone:
                account.moved = (*account.moved, (sku, zone, now[1]))
        for number, (sku, _) in inside.items():
            if number not in account.before:
                account.left[sku] -= 1
        account.left = Counter({sku: n for sku, n in account.left.items() if n and sku in stage.plan.wares})
        now_s = stage.time.now_s
        for zone, history in stage.cells.histories.items():
            account.net_g[zone] = history.settled_g(now_s) - account.before_g[zone]

    def _charged(self, account: Account, entry: ClosedVisit) -> None:
        if entry.outcome != "charge":
            return
        billed_g = sum(line.quantity * self._mass_g(entry, line.sku) for line in entry.lines)
        left_g = -sum(account.net_g.values())
        if billed_g > left_g + _slack(billed_g, len(account.net_g)):
            self.violated("charged", f"{_told(entry.lines)} weigh {billed_g:.0f} g, {left_g:.0f} g left the cabinet")

    def _stock(self, account: Account, entry: ClosedVisit) -> None:
        told = len(self.incidents) > account.incidents_then or self._incident_follows()
        if entry.outcome == "review" or told:
            return
        for zone, net_g in account.net_g.items():
            moves = entry.moves.get(zone, {})
            moved_g = sum(n * self._mass_g(entry, sku) for sku, n in moves.items())
            size_g = sum(abs(n) * self._mass_g(entry, sku) for sku, n in moves.items())
            if abs(net_g + moved_g) > _slack(size_g, 1):
                said = ", ".join(f"{n:+d} {sku}" for sku, n in moves.items()) or "nothing"
                what = f"{entry.outcome}: {zone} changed by {net_g:+.0f} g, the ledger moved {said} out"
                self.violated("stock", what)

    def _incident_follows(self) -> bool:
        """In the same transaction, after the closing."""
        later = self.stage.cabinet.committed.entries[self._seen :]
        return any(isinstance(entry, Incident) for entry in later)

    def _mass_g(self, entry: ClosedVisit, sku: Sku) -> float:
        """What the tally was told: the catalogue's mass, or the learnt one."""
        page = self.stage.notebook.pages.get(entry.visit)
        told = None if page is None else page.header.catalog.get(sku)
        return (told or self.stage.plan.wares[sku].product).mass_g

    # The file.

    def _state_on_file(self, file: Ledger) -> None:
        committed = self.stage.cabinet.committed.state
        if committed is not None and file.state() != committed:
            self.violated("books", f"the file says {file.state()}, committed was {committed}")

    def _visits_on_file(self, file: Ledger) -> None:
        for visit, account in self.accounts.items():
            record = file.visit(visit)
            outcome = None if account.closed is None else account.closed.outcome
            if record is None or record.outcome != outcome:
                self.violated("books", f"visit {visit}: the file says {record and record.outcome}, not {outcome}")

    def _chain_on_file(self, file: Ledger) -> None:
        rows = file.outbox(limit=1_000_000)[::-1]
        for before, after in pairwise(rows):
            if after.seq != before.seq + 1 or after.prev != before.h:
                self.violated("books", f"the chain of events breaks at {after.seq}")

    def violated(self, invariant: str, what: str) -> None:
        self.violations.append(Violation(invariant, self.stage.time.now_s, what, self._looks))


def outcome_of(account: Account, truth: Truth) -> str:
    """What the visit was worth beside the truth: exact, over, under, swap, review, wrong_review, void, open."""
    entry = account.closed
    if entry is None:
        return "open"
    if entry.outcome == "void":
        return "void" if not account.left else "under"
    verdict: Verdict = Nothing(1.0)
    if entry.outcome == "review":
        verdict = Review(entry.why)
    elif entry.outcome == "charge":
        verdict = Charge(entry.lines, 1.0)
    return score(verdict, truth).replace("-", "_")


def _about_doors(incident: Incident) -> bool:
    return any(word in incident.why for word in ABOUT_DOORS)


def _slack(grams: float, zones: int) -> float:
    return SLACK_G * math.sqrt(zones) + SLACK * grams


def _told(lines: tuple[Line, ...]) -> str:
    return ", ".join(f"{line.quantity} {line.sku}" for line in lines)
