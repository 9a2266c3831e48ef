"""Who has looked at evidence, when and why.  Written before anything is handed out."""

from dataclasses import dataclass
from typing import Final

from cabinet.ledger.entries import Stamp
from cabinet.ledger.outbox import OutboxRoom
from cabinet.units import VisitId

MAX_WHY: Final = 200


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody has looked at evidence."""

    who: str
    what: str
    visit: VisitId | None
    why: str
    at_ms: int


class AccessRoom(OutboxRoom):
    def note_access(self, who: str, what: str, visit: VisitId | None, why: str, clock: Stamp) -> None:
        """Before the evidence is handed out."""
        with self._file.writing() as db:
            db.execute(
                "INSERT INTO access_log (who, what, visit, why, at_ms, quality) VALUES (?, ?, ?, ?, ?, ?)",
                [who, what, visit, why[:MAX_WHY], clock.wall_ms, clock.quality],
            )

    def accesses(self, visit: VisitId | None = None, limit: int = 1000) -> list[Access]:
        """The newest first; of one visit, or of all."""
        rows = self._file.rows(
            "SELECT who, what, visit, why, at_ms FROM access_log WHERE ?1 IS NULL OR visit = ?1"
            " ORDER BY n DESC LIMIT ?2",
            visit, limit,
        )  # fmt: skip  # what goes where
        return [Access(**row) for row in rows]

    def forget_accesses(self, before_ms: int) -> int:
        with self._file.writing() as db:
            return db.execute("DELETE FROM access_log WHERE at_ms < ?", [before_ms]).rowcount
