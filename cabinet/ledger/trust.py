"""Who was let in or turned away and why, and what each member's trust is made of.

`admission` has one row an attempt, under the id of the visit that it would have become.  `trust_event` has a row a
thing that happened; a visit can tell each kind of thing once, whoever reads it again.  Both go with their member, and
both are bounded: by 90 days under a trusted clock, as events are, and by number under any.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cabinet.identity.trust import Kind, TrustEvent
from cabinet.ledger.admissions import AdmissionRoom
from cabinet.ledger.entries import Stamp
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.outbox import RETENTION_MS, TRUSTED
from cabinet.ledger.ran import RanRoom, instant
from cabinet.ledger.room import from_json
from cabinet.units import MemberId, VisitId

# Two tables of people: `admission` (member TEXT, NULL: nobody we know) and `trust_event` (member TEXT NOT NULL).
# Erasing: DELETE FROM admission WHERE member = ?; DELETE FROM trust_event WHERE member = ? (the cascade does both with
# the member's row).  Recovery: after `member`, in any order.  Checks: judgement is one of three words, limit_minor and
# points are >= 0, reasons is a JSON list of texts, visit is unique in admission and (visit, kind) in trust_event.
SCHEMA: Final = """
CREATE TABLE admission (
    n INTEGER PRIMARY KEY,
    visit TEXT NOT NULL UNIQUE,            -- of the attempt; there is such a visit only if the door was unlocked
    member TEXT REFERENCES member ON DELETE CASCADE, -- NULL: nobody we know
    way TEXT NOT NULL,                     -- face, digits, token, card; '' where nobody was recognised
    judgement TEXT NOT NULL CHECK (judgement IN ('allow', 'digits', 'deny')),
    limit_minor INTEGER NOT NULL CHECK (limit_minor >= 0),
    why TEXT NOT NULL,                     -- of a refusal: the word that the shopper's line is chosen by
    reasons TEXT NOT NULL,                 -- JSON: a list of texts, the weightiest first
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    quality TEXT NOT NULL,
    ran_ms INTEGER NOT NULL                -- how long the cabinet had been running in all
) STRICT;
CREATE INDEX admission_of ON admission (member, n);
CREATE TABLE trust_event (
    n INTEGER PRIMARY KEY,                 -- the order of happening
    member TEXT NOT NULL REFERENCES member ON DELETE CASCADE,
    kind TEXT NOT NULL,
    points INTEGER NOT NULL CHECK (points >= 0), -- what it costs, or gives back
    visit TEXT,                            -- NULL: of no visit
    note TEXT NOT NULL,
    who TEXT NOT NULL,                     -- the technician; '': the cabinet itself
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    quality TEXT NOT NULL,
    ran_ms INTEGER NOT NULL,
    UNIQUE (visit, kind)
) STRICT;
CREATE INDEX trust_event_of ON trust_event (member, n);
"""

READ: Final = "trust.read"  # note: JSON of the store and the seq up to which its events were looked at
MOST_EVENTS: Final = 200  # of one member
AT_ONCE: Final = 500  # events of the store looked at in one transaction


@dataclass(frozen=True, slots=True)
class TrustRow:
    """A trust event as it is kept."""

    kind: Kind
    points: int
    visit: VisitId | None
    note: str
    who: str
    at: Stamp
    ran_ms: int

    @property
    def event(self) -> TrustEvent:
        return TrustEvent(self.kind, self.points, instant(self.at, self.ran_ms))


@dataclass(frozen=True, slots=True)
class Known:
    """Of a member what the policy asks about; the name stays sealed."""

    verified: bool
    from_cloud: bool
    age: int | None  # proven, at least


@dataclass(frozen=True, slots=True)
class Told:
    """An event of this store that may say something of a member."""

    seq: int
    visit: VisitId
    type: str
    why: str
    at: Stamp


class TrustRoom(AdmissionRoom, RanRoom):
    # What trust is made of.

    def at_door(self, member: MemberId) -> Known | None:
        row = self._file.row("SELECT verified, source, age FROM member WHERE member = ?", member)
        return None if row is None else Known(bool(row["verified"]), row["source"] == "cloud", row["age"])

    def add_trust_event(
        self,
        member: MemberId,
        kind: Kind,
        points: int,
        clock: Stamp,
        ran_ms: int,
        *,
        visit: VisitId | None = None,
        note: str = "",
        who: str = "",
    ) -> bool:
        """False, and nothing is written: the visit has told this before, or there is no such member."""
        if points < 0:
            raise EntryRefusedError(f"{kind} of {points} points: give 0 or more")
        row = [member, kind, points, visit, note, who, clock.mono_ms, clock.wall_ms, clock.quality, ran_ms]
        with self._file.writing() as db:
            added = db.execute(
                "INSERT INTO trust_event (member, kind, points, visit, note, who, mono_ms, wall_ms, quality, ran_ms)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM member WHERE member = ?)"
                " ON CONFLICT DO NOTHING",
                [*row, member],
            ).rowcount
            db.execute(
                "DELETE FROM trust_event WHERE member = ? AND n <="
                " (SELECT n FROM trust_event WHERE member = ? ORDER BY n DESC LIMIT 1 OFFSET ?)",
                [member, member, MOST_EVENTS],
            )
        return bool(added == 1)

    def trust_events(self, member: MemberId) -> list[TrustRow]:
        """In the order in which they were written."""
        rows = self._file.rows("SELECT * FROM trust_event WHERE member = ? ORDER BY n", member)
        return [
            TrustRow(
                row["kind"], row["points"], row["visit"], row["note"], row["who"],
                Stamp(row["mono_ms"], row["wall_ms"], row["quality"]), row["ran_ms"],
            )
            for row in rows
        ]  # fmt: skip  # a table

    def debtors(self) -> tuple[set[MemberId], set[MemberId]]:
        """Members of ours that the cloud's list says owe, and those of whom we have noted it and no payment since."""
        listed = self._file.rows("SELECT b.member FROM blocked b JOIN member USING (member) WHERE b.why = 'unpaid'")
        noted = self._file.rows(
            "SELECT member, kind, max(n) FROM trust_event WHERE kind IN ('unpaid', 'paid') GROUP BY member"
        )
        known = {MemberId(row["member"]) for row in noted if row["kind"] == "unpaid"}
        return {MemberId(row["member"]) for row in listed}, known

    # What the store's own events tell.

    def trust_unread(self) -> tuple[Sequence[Told], int]:
        """Closings, incidents and disputes that nobody has looked at for trust, and the seq that they reach to.

        The first time none: nobody is judged by what was before.
        """
        noted, store, (head, _) = self.note(READ), self.store, self.head()
        if noted is None:
            return (), head
        row = from_json(noted)
        since = int(row["seq"]) if row["store"] == store else 0  # a new store has taken over what waits
        upto = min(head, since + AT_ONCE)
        rows = self._file.rows(
            "SELECT seq, visit, type, body, mono_ms, wall_ms, quality FROM outbox WHERE store = ? AND seq > ?"
            " AND seq <= ? AND visit IS NOT NULL AND type IN ('visit.closed', 'incident', 'visit.disputed')"
            " ORDER BY seq",
            store, since, upto,
        )  # fmt: skip  # what goes where
        told = [
            Told(
                row["seq"], VisitId(row["visit"]), row["type"], str(from_json(row["body"]).get("why", "")),
                Stamp(row["mono_ms"], row["wall_ms"], row["quality"]),
            )
            for row in rows
        ]  # fmt: skip  # a row
        return told, upto

    def trust_read(self, upto: int) -> None:
        """Within the transaction that keeps what was read."""
        mark = json.dumps({"store": self.store, "seq": upto})
        if self.note(READ) != mark:
            self.set_note(READ, mark)

    def prune_trust(self, clock: Stamp) -> int:
        """Forget what is older than 90 days, but an open debt and a technician's word for a member.

        Under a clock that nobody vouches for nothing is forgotten but by number.
        """
        if clock.quality not in TRUSTED:
            return 0
        before_ms, old = clock.wall_ms - RETENTION_MS, "quality IN ('ntp', 'cloud') AND wall_ms < ?"
        with self._file.writing() as db:
            gone = db.execute(f"DELETE FROM admission WHERE {old}", [before_ms]).rowcount  # noqa: S608  # our own text
            gone += db.execute(
                f"DELETE FROM trust_event WHERE {old} AND kind <> 'vouched' AND NOT (kind = 'unpaid' AND"  # noqa: S608  # our own text
                " NOT EXISTS (SELECT 1 FROM trust_event p WHERE p.member = trust_event.member AND p.kind = 'paid'"
                " AND p.n > trust_event.n))",
                [before_ms],
            ).rowcount
        return int(gone)
