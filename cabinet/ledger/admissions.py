"""Attempts at the door: who was let in or turned away, how they were recognised, for how much, and why.

One row an attempt, under the id of the visit that it would have become.  Bounded by number at each new row, and by age
in `TrustRoom.prune_trust`.
"""

from dataclasses import dataclass
from typing import Final, Literal

from cabinet.identity.risk import Allow, AllowWithDigits, Deny, Judgement
from cabinet.identity.trust import Instant
from cabinet.ledger.entries import Stamp
from cabinet.ledger.outbox import OutboxRoom
from cabinet.ledger.ran import instant
from cabinet.ledger.room import from_json, to_json
from cabinet.units import MemberId, Minor, VisitId

MOST_ADMISSIONS: Final = 20_000  # some 5 MB; at 200 attempts a day three months
MOST_OF_NOBODY: Final = 2_000  # whoever stands there unknown for days does not push out what is known of members
FIELDS: Final = "visit, member, way, judgement, limit_minor, why, reasons, mono_ms, wall_ms, quality, ran_ms"

Verdict = Literal["allow", "digits", "deny"]


@dataclass(frozen=True, slots=True)
class Admission:
    """One attempt.  `opened`: the door was unlocked for it."""

    visit: VisitId
    member: MemberId | None
    way: str
    judgement: Verdict
    limit_minor: Minor
    why: str
    reasons: tuple[str, ...]
    at: Stamp
    ran_ms: int
    opened: bool = False

    @property
    def instant(self) -> Instant:
        return instant(self.at, self.ran_ms)


class AdmissionRoom(OutboxRoom):
    def note_admission(
        self, visit: VisitId, member: MemberId | None, way: str, judgement: Judgement, clock: Stamp, ran_ms: int
    ) -> None:
        """What was decided of an attempt; of one that is decided twice (digits were asked for) the last word stands."""
        word: Verdict = "deny"
        limit_minor, why = 0, ""
        match judgement:
            case Allow(limit_minor):
                word = "allow"
            case AllowWithDigits(limit_minor):
                word = "digits"
            case Deny(why):
                pass
        row = [visit, member, way, word, limit_minor, why, to_json(judgement.reasons)]
        row += [clock.mono_ms, clock.wall_ms, clock.quality, ran_ms]
        with self._file.writing() as db:
            db.execute(
                f"INSERT INTO admission ({FIELDS})"  # noqa: S608  # our own text
                " VALUES (?, (SELECT member FROM member WHERE member = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (visit) DO UPDATE SET member = excluded.member, way = excluded.way,"
                " judgement = excluded.judgement, limit_minor = excluded.limit_minor, why = excluded.why,"
                " reasons = excluded.reasons, mono_ms = excluded.mono_ms, wall_ms = excluded.wall_ms,"
                " quality = excluded.quality, ran_ms = excluded.ran_ms",
                row,
            )
            db.execute("DELETE FROM admission WHERE n <= (SELECT max(n) FROM admission) - ?", [MOST_ADMISSIONS])
            db.execute(
                "DELETE FROM admission WHERE member IS NULL AND n <="
                " (SELECT n FROM admission WHERE member IS NULL ORDER BY n DESC LIMIT 1 OFFSET ?)",
                [MOST_OF_NOBODY],
            )

    def admission(self, visit: VisitId) -> Admission | None:
        found = self._admissions("a.visit = ?", visit)
        return found[0] if found else None

    def refused(self, limit: int = 20) -> list[Admission]:
        """Attempts that were turned away, or asked for digits that never came; the newest first."""
        where = "(a.judgement = 'deny' OR a.judgement = 'digits') AND v.visit IS NULL"
        return self._admissions(f"{where} ORDER BY a.n DESC LIMIT ?", limit)

    def let_in(self, member: MemberId, limit: int, way: str | None = None) -> list[Admission]:
        """Visits of the member for which the door was unlocked, the newest first, but those that never opened it."""
        where = "a.member = ? AND (? IS NULL OR a.way = ?) AND v.visit IS NOT NULL AND v.outcome IS NOT 'void'"
        return self._admissions(f"{where} ORDER BY a.n DESC LIMIT ?", member, way, way, limit)

    def has_paid(self, member: MemberId, *, confirmed: bool) -> bool:
        """At least one visit was charged; `confirmed`: and the cloud has stored its closing."""
        waiting = " AND visit NOT IN (SELECT visit FROM outbox WHERE acked_at_ms IS NULL AND type = 'visit.closed')"
        row = self._file.row(
            "SELECT 1 FROM visit WHERE member = ? AND outcome = 'charge' AND total_minor > 0"  # noqa: S608  # our own text
            f"{waiting if confirmed else ''} LIMIT 1",
            member,
        )
        return row is not None

    def _admissions(self, where: str, *values: object) -> list[Admission]:
        fields = ", ".join(f"a.{field}" for field in FIELDS.split(", "))
        rows = self._file.rows(
            f"SELECT {fields}, v.visit IS NOT NULL AS opened"  # noqa: S608  # our own text
            f" FROM admission a LEFT JOIN visit v ON v.visit = a.visit WHERE {where}",
            *values,
        )
        return [
            Admission(
                row["visit"], row["member"], row["way"], row["judgement"], row["limit_minor"], row["why"],
                tuple(from_json(row["reasons"])), Stamp(row["mono_ms"], row["wall_ms"], row["quality"]),
                row["ran_ms"], bool(row["opened"]),
            )
            for row in rows
        ]  # fmt: skip  # a table
