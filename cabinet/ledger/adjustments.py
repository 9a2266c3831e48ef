"""What is given back of a charge, and what is disputed: refunds, corrections, disputes, each a new row and a new event.

Nothing that was written is edited: the charge stays as it was, its change follows it in the same chain, also while the
charge itself still waits for the cloud.  It refuses to give back more than was charged, all refunds and corrections
of the visit together, and a visit that was not charged.  The same id twice is one change.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cabinet.basket.verdict import Line
from cabinet.ledger.entries import Stamp, VisitRecord
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.room import from_json, to_json
from cabinet.ledger.visits import VisitRoom, line_rows, lines_from, lines_json, nameless
from cabinet.units import Minor, Sku, VisitId
from cabinet.wire import redact

Kind = Literal["refund", "correction", "dispute"]
EVENTS: Final[dict[Kind, str]] = {
    "refund": "visit.refunded",
    "correction": "visit.corrected",
    "dispute": "visit.disputed",
}
FIELDS: Final = "id, visit, kind, back_minor, lines, reason, who, facts, mono_ms, wall_ms, quality"
UNCHARGED: Final[dict[str | None, str]] = {
    None: "it has not ended yet",
    "nothing": "nothing was taken",
    "review": "a person has not decided yet what it costs: the cloud's operator does that",
    "void": "the door was never opened",
    "serviced": "it was a service visit",
}


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One change of a charge.  `at` is None before it is written."""

    id: str  # a ULID: the idempotency key of what is given back
    visit: VisitId
    kind: Kind
    reason: str
    who: str
    back_minor: Minor = 0
    lines: tuple[Line, ...] = ()  # of a correction: the bill as it is now
    facts: Mapping[str, Any] = field(default_factory=dict)  # a refund's units, a dispute's evidence and due time
    at: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A charge with everything that became of it."""

    record: VisitRecord
    changes: tuple[Adjustment, ...]  # the oldest first
    queued: bool  # the charge itself still waits for the cloud
    waiting: int  # events of this visit that the cloud has not confirmed

    @property
    def back_minor(self) -> Minor:
        return sum(one.back_minor for one in self.changes)

    @property
    def still_minor(self) -> Minor:
        """What the member pays in the end."""
        return self.record.total_minor - self.back_minor

    @property
    def lines(self) -> tuple[Line, ...]:
        """The bill in force: the newest correction's, else the charge's."""
        corrected = [one.lines for one in self.changes if one.kind == "correction"]
        return corrected[-1] if corrected else self.record.lines

    @property
    def refunded(self) -> Counter[Sku]:
        """Units of the bill in force that were given back one by one."""
        units: Counter[Sku] = Counter()
        for one in self.changes:
            if one.kind == "correction":
                units.clear()
            units.update(one.facts.get("units", {}))
        return units

    @property
    def dispute(self) -> Adjustment | None:
        return next((one for one in self.changes if one.kind == "dispute"), None)


class AdjustmentRoom(VisitRoom):
    def adjustments(self, visit: VisitId) -> tuple[Adjustment, ...]:
        """The oldest first."""
        rows = self._file.rows(f"SELECT {FIELDS} FROM adjustment WHERE visit = ? ORDER BY n", visit)  # noqa: S608  # our own text
        return tuple(_adjustment(row) for row in rows)

    def adjustment(self, id: str) -> Adjustment | None:  # noqa: A002  # what it is called everywhere else
        row = self._file.row(f"SELECT {FIELDS} FROM adjustment WHERE id = ?", id)  # noqa: S608  # our own text
        return None if row is None else _adjustment(row)

    def standing(self, visit: VisitId) -> Standing:
        """Raises EntryRefusedError, saying why, for a visit that nobody was charged for."""
        record = self.visit(visit)
        if record is None:
            raise EntryRefusedError(f"there is no visit {visit}")
        if record.outcome != "charge":
            raise EntryRefusedError(f"visit {visit} was not charged: {UNCHARGED[record.outcome]}")
        return self._standing(record)

    def charges(self, limit: int = 20, kinds: tuple[Kind, ...] = ()) -> list[Standing]:
        """The newest first; with `kinds` only those that had such a change."""
        which = ""
        if kinds:
            marks = ", ".join("?" * len(kinds))
            which = f" AND visit IN (SELECT visit FROM adjustment WHERE kind IN ({marks}))"  # noqa: S608  # marks alone
        records = self._records(f"outcome = 'charge'{which} ORDER BY n DESC LIMIT ?", *kinds, limit)
        return [self._standing(record) for record in records]

    def adjust(self, change: Adjustment, clock: Stamp) -> Adjustment:
        """Make it durable with its event; returns what stands there, which is the first one where the id, or the
        visit's dispute, was there before.  Raises EntryRefusedError where it would give back more than is charged.
        """
        with self._file.writing() as db:
            known = self.adjustment(change.id)
            if known is not None:
                return _same(known, change)
            standing = self.standing(change.visit)
            if change.kind == "dispute" and standing.dispute is not None:
                return standing.dispute
            _check(change, standing)
            db.execute(
                f"INSERT INTO adjustment ({FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # our own text
                [
                    change.id, change.visit, change.kind, change.back_minor, lines_json(change.lines), change.reason,
                    change.who, to_json(change.facts), clock.mono_ms, clock.wall_ms, clock.quality,
                ],
            )  # fmt: skip  # a table
            self._append(EVENTS[change.kind], change.visit, _bodies(change, standing), clock)
        written = self.adjustment(change.id)
        return change if written is None else written

    def _standing(self, record: VisitRecord) -> Standing:
        row = self._file.row(
            "SELECT count(*) AS waiting, total(type = 'visit.closed') AS closing FROM outbox"
            " WHERE acked_at_ms IS NULL AND visit = ?",
            record.visit,
        ) or {"waiting": 0, "closing": 0}
        return Standing(record, self.adjustments(record.visit), row["closing"] > 0, row["waiting"])


def _same(known: Adjustment, change: Adjustment) -> Adjustment:
    if (known.visit, known.kind) != (change.visit, change.kind):
        raise EntryRefusedError(
            f"the id {change.id} is of another change: a {known.kind} of visit {known.visit}; draw a new one"
        )
    return known


def _check(change: Adjustment, standing: Standing) -> None:
    if not change.reason.strip():
        raise EntryRefusedError(f"a {change.kind} of visit {change.visit} needs a reason")
    if change.kind == "refund" and change.back_minor < 1:
        raise EntryRefusedError(f"a refund of {change.back_minor} is none")
    if not 0 <= change.back_minor <= standing.still_minor:
        raise EntryRefusedError(
            f"visit {change.visit}: {change.back_minor} cannot be given back, of {standing.record.total_minor} charged"
            f" {standing.back_minor} were given back before and {standing.still_minor} are left (minor units)"
        )
    if change.kind == "correction":
        total = sum(line.total for line in change.lines)
        if total != standing.still_minor - change.back_minor:
            raise EntryRefusedError(
                f"visit {change.visit}: the corrected bill adds up to {total}, yet"
                f" {standing.still_minor - change.back_minor} would still be charged (minor units)"
            )


def _bodies(change: Adjustment, standing: Standing) -> list[dict[str, Any]]:
    """The event's body with fewer and fewer details."""
    bare: dict[str, Any] = {"id": change.id, "reason": redact(change.reason), "who": redact(change.who)}
    if change.kind == "dispute":
        return [{**bare, **change.facts}]
    bare |= {"back_minor": change.back_minor, "currency": standing.record.currency}
    if change.kind == "refund":
        return [{**bare, **change.facts}, bare]
    bare["total_minor"] = sum(line.total for line in change.lines)
    lines = line_rows(change.lines)
    return [
        {**bare, "lines": lines},
        {**bare, "lines": nameless(lines)},
        {**bare, "lines": [], "lines_omitted": len(lines)},
    ]


def _adjustment(row: dict[str, Any]) -> Adjustment:
    return Adjustment(
        id=row["id"],
        visit=row["visit"],
        kind=row["kind"],
        reason=row["reason"],
        who=row["who"],
        back_minor=row["back_minor"],
        lines=lines_from(row["lines"]),
        facts=from_json(row["facts"]),
        at=Stamp(row["mono_ms"], row["wall_ms"], row["quality"]),
    )
