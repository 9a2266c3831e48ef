"""What the board wrote into its own journal, kept here once an entry, however often and in which order it comes.

The board keeps 64 entries and numbers them from 1; a new memory chip begins anew, which is another `ring` of the same
board.  An entry never changes.  Entries older than 90 days go; money is not in them.
"""

from typing import Any, Final

from cabinet.ledger.entries import ClosedCharge, ClosedVisit, Incident, JournalEntry, JournalRow, OpenedVisit, Stamp
from cabinet.ledger.outbox import RETENTION_MS, TRUSTED
from cabinet.ledger.room import from_json, to_json
from cabinet.ledger.visits import VisitRoom
from cabinet.units import VisitId

RING_ENTRIES: Final = 64  # of the board (PROTOCOL.md): it cannot send an index further behind its newest
AGAIN: Final = "journal.again"  # note: the ledger was recovered, and the board is asked for everything it has
UNKNOWN: Final = "journal.unknown:"  # note, with a visit: it is in what the board wrote while we were away, not here
NEWEST: Final = (
    "SELECT ring, max(idx) AS idx FROM board_journal WHERE board = ? GROUP BY ring ORDER BY ring DESC LIMIT 1"
)


class JournalRoom(VisitRoom):
    def journal(self, entry: JournalEntry, clock: Stamp, incident: Incident | None = None) -> bool:
        """Keep the entry unless it is here already; `incident` is raised with it, in the same transaction.

        True: it is new.
        """
        with self._file.writing() as db:
            ring = self._ring(entry)
            if ring is None:
                return False
            db.table("board_journal").insert(
                {
                    **_columns(entry), "ring": ring, "received_mono_ms": clock.mono_ms,
                    "received_wall_ms": clock.wall_ms, "received_quality": clock.quality,
                }
            )  # fmt: skip  # a table
            if incident is not None:
                self._note_incident(incident, clock)
        return True

    def journal_next(self, board: str) -> int:
        """The index to read on from; 1 for a board that was never heard of, and after a recovery."""
        if self.note(AGAIN) is not None:
            return 1
        return self.journal_reached(board)

    def journal_reached(self, board: str) -> int:
        """The index behind the newest entry that is kept; 1 for none."""
        newest = self._file.row(NEWEST, board)
        return 1 if newest is None else int(newest["idx"]) + 1

    def journal_unknown(self) -> list[VisitId]:
        """Visits whose door a board saw open, or whose charge it mirrors, and that are not in this ledger."""
        rows = self._file.rows(
            "SELECT visit, min(n) AS first FROM board_journal WHERE kind IN ('door opened', 'mirror')"
            " AND visit IS NOT NULL AND visit NOT IN (SELECT visit FROM visit) GROUP BY visit ORDER BY first"
        )
        return [VisitId(row["visit"]) for row in rows]

    def close_unknown(self, visit: VisitId, why: str, clock: Stamp) -> None:
        """Opened and closed at once, for a person: a visit that only the board knows is charged to nobody."""
        with self._file.writing():
            self._open(OpenedVisit(visit, None, "shop", "board", why, self.price_version(), {}, visit), clock)
            self._close(ClosedVisit(visit, "review", why), clock)

    def in_doubt(self) -> set[VisitId]:
        """Closed visits that a person may still ask about: in review, or disputed."""
        rows = self._file.rows(
            "SELECT visit FROM visit WHERE outcome = 'review' UNION SELECT visit FROM adjustment WHERE kind = 'dispute'"
        )
        return {VisitId(row["visit"]) for row in rows}

    def unconfirmed(self) -> set[VisitId]:
        """Closed visits of which the cloud has not stored the closing yet."""
        rows = self._file.rows("SELECT visit FROM outbox WHERE acked_at_ms IS NULL AND type = 'visit.closed'")
        return {VisitId(row["visit"]) for row in rows}

    def raise_incident(self, incident: Incident, clock: Stamp) -> None:
        """What is no step of the machine's."""
        with self._file.writing():
            self._note_incident(incident, clock)

    def journal_board(self) -> str | None:
        """The board that was heard last."""
        row = self._file.row("SELECT board FROM board_journal ORDER BY n DESC LIMIT 1")
        return None if row is None else str(row["board"])

    def journal_boards(self) -> list[str]:
        """Every board that was ever heard."""
        return [str(row["board"]) for row in self._file.rows("SELECT DISTINCT board FROM board_journal")]

    def journal_rows(self, limit: int = 64) -> list[JournalRow]:
        """The newest, of whatever board, in the order in which they came."""
        rows = self._file.rows("SELECT * FROM board_journal ORDER BY n DESC LIMIT ?", limit)
        return [_row(row) for row in reversed(rows)]

    def journal_of(self, visit: VisitId) -> list[JournalRow]:
        """Everything that a board wrote about the visit, in the order in which it came."""
        return [_row(row) for row in self._file.rows("SELECT * FROM board_journal WHERE visit = ? ORDER BY n", visit)]

    def charge(self, visit: VisitId | None = None) -> ClosedCharge | None:
        """The charge of the visit, or the newest there is."""
        found = self._file.row(
            "SELECT visit.visit, total_minor, currency, h FROM visit"
            " JOIN outbox ON outbox.visit = visit.visit AND outbox.type = 'visit.closed'"
            " WHERE outcome = 'charge' AND visit.visit = coalesce(?, visit.visit) ORDER BY n DESC LIMIT 1",
            visit,
        )
        return None if found is None else ClosedCharge(**found)

    def prune_journal(self, clock: Stamp) -> int:
        """Delete what came more than 90 days ago, save each board's newest ring of 64.  Never under a clock that
        nobody vouches for.
        """
        if clock.quality not in TRUSTED:
            return 0
        with self._file.writing() as db:
            return db.execute(
                "DELETE FROM board_journal WHERE received_wall_ms < ? AND n NOT IN"
                " (SELECT n FROM board_journal AS newer WHERE newer.board = board_journal.board"
                "  ORDER BY n DESC LIMIT ?)",
                [clock.wall_ms - RETENTION_MS, RING_ENTRIES],
            ).rowcount

    def _ring(self, entry: JournalEntry) -> int | None:
        """Where the entry belongs; None if it is there already."""
        newest = self._file.row(NEWEST, entry.board)
        if newest is None:
            return 1
        ring, index = int(newest["ring"]), int(newest["idx"])
        known = self._file.row(
            "SELECT boot, t_ms, kind, visit FROM board_journal WHERE board = ? AND ring = ? AND idx = ?",
            entry.board, ring, entry.index,
        )  # fmt: skip  # a list
        if known is not None:  # not by its facts: a zone may have another name since
            written = {"boot": entry.boot, "t_ms": entry.t_ms, "kind": entry.kind, "visit": entry.visit}
            return None if known == written else ring + 1
        return ring if entry.index > index - RING_ENTRIES else ring + 1


def _columns(entry: JournalEntry) -> dict[str, Any]:
    return {
        "board": entry.board, "idx": entry.index, "boot": entry.boot, "t_ms": entry.t_ms, "kind": entry.kind,
        "visit": entry.visit, "facts": to_json(dict(entry.facts)),
    }  # fmt: skip  # a table


def _row(row: dict[str, Any]) -> JournalRow:
    entry = JournalEntry(
        row["board"], row["idx"], row["boot"], row["t_ms"], row["kind"], row["visit"], from_json(row["facts"])
    )
    return JournalRow(entry, Stamp(row["received_mono_ms"], row["received_wall_ms"], row["received_quality"]))
