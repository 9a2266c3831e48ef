"""The audit trail: one line for everything that technicians change, each holding the hash of the line before.

A line is never altered, and deleted only with all before it, by age or by number; where the chain begins and ends is
kept beside it, so that lines missing at either end show as well.  Whoever can write the file as its owner can write
the whole chain anew: against that only the head's hash helps, kept somewhere else.
"""

from typing import Any, Final

from cabinet.ledger.audit_chain import FIELDS, Audited, AuditLine, Result, line_hash
from cabinet.ledger.entries import Stamp
from cabinet.ledger.outbox import TRUSTED, OutboxRoom
from cabinet.wire import GENESIS

KEPT_DAYS: Final = 400  # a year, and time to look
MOST_LINES: Final = 100_000  # the triggers know it, too
PRUNE_MOST: Final = 1_000  # at once: the loop waits for it
DAY_MS: Final = 86_400_000

HEAD: Final = "audit.head"  # note: number and hash of the newest line, so that one missing at the end shows

# For recovery, in this order; every column of `audit_line` but `h` is covered by its hash `h` (see `line_hash`): a row
# whose hash is wrong is damaged.  Rows that are missing leave a gap, which `technicians log --verify` tells.
#   audit_line  14 columns: n INTEGER > 0, ends INTEGER or NULL, boot TEXT, mono_ms and wall_ms INTEGER,
#               quality ('none', 'floor', 'ntp', 'cloud'), who TEXT, technician TEXT or NULL, op TEXT, subject TEXT,
#               result ('begun', 'ok', 'refused'), error TEXT, prev and h (64 hexadecimal digits)
#   audit_end   4 columns, at most one row, after `audit_line`: id 0, floor_n INTEGER, floor_h (64 hexadecimal digits),
#               at_ms INTEGER
#   and the note `audit.head`
SCHEMA: Final = """
CREATE TABLE audit_line (
    n INTEGER PRIMARY KEY CHECK (n > 0),   -- 1, 2, 3 …
    ends INTEGER,                          -- the line whose operation this one tells the end of
    boot TEXT NOT NULL,
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    quality TEXT NOT NULL,
    who TEXT NOT NULL,                     -- user of this computer, or the place where a code was shown
    technician TEXT,
    op TEXT NOT NULL,
    subject TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('begun', 'ok', 'refused')),
    error TEXT NOT NULL,
    prev TEXT NOT NULL,
    h TEXT NOT NULL
) STRICT;
CREATE INDEX audit_line_ends ON audit_line (ends) WHERE ends IS NOT NULL;
CREATE TABLE audit_end (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    floor_n INTEGER NOT NULL,              -- the newest line that was deleted
    floor_h TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER audit_line_never_changes BEFORE UPDATE ON audit_line
    BEGIN SELECT RAISE(ABORT, 'an audit line never changes'); END;
CREATE TRIGGER audit_line_is_never_replaced BEFORE INSERT ON audit_line
    WHEN EXISTS (SELECT 1 FROM audit_line WHERE n = NEW.n)
    BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER audit_line_stays BEFORE DELETE ON audit_line
    WHEN OLD.n > coalesce((SELECT floor_n FROM audit_end), 0)
    BEGIN SELECT RAISE(ABORT, 'an audit line is deleted by age alone'); END;
CREATE TRIGGER audit_end_is_made_once BEFORE INSERT ON audit_end
    WHEN EXISTS (SELECT 1 FROM audit_end) OR EXISTS (SELECT 1 FROM audit_line WHERE n <= NEW.floor_n)
    BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER audit_end_moves_by_age BEFORE UPDATE ON audit_end
    WHEN NEW.floor_n <= OLD.floor_n OR NOT EXISTS (
        SELECT 1 FROM audit_line WHERE n = NEW.floor_n AND h = NEW.floor_h
            AND (wall_ms < NEW.at_ms - 7776000000 OR n <= (SELECT max(n) FROM audit_line) - 100000) -- 90 days
    )
    BEGIN SELECT RAISE(ABORT, 'an audit line is deleted by age alone'); END;
CREATE TRIGGER audit_end_stays BEFORE DELETE ON audit_end
    BEGIN SELECT RAISE(ABORT, 'where the audit trail begins is never forgotten'); END;
"""

_INSERT: Final = f"INSERT INTO audit_line ({', '.join(FIELDS)}, prev, h) VALUES ({', '.join('?' * len(FIELDS))}, ?, ?)"  # noqa: S608  # our own names


class TrailRoom(OutboxRoom):
    def note_audit(
        self,
        who: str,
        op: str,
        clock: Stamp,
        *,
        technician: str | None = None,
        subject: str = "",
        result: Result = "ok",
        error: str = "",
        ends: int | None = None,
    ) -> int:
        """One more line; its number.  Raises LedgerError where it cannot be written."""
        with self._file.writing() as db:
            before, prev = self.audit_head()
            values = [
                before + 1, ends, self.boot, clock.mono_ms, clock.wall_ms, clock.quality, who, technician, op, subject,
                result, error,
            ]  # fmt: skip  # as FIELDS
            h = line_hash(values, prev)
            db.execute(_INSERT, [*values, prev, h])
            self.set_note(HEAD, f"{before + 1} {h}")
        return before + 1

    def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest line that there was; (0, 64 zeros) before the first."""
        last = self._file.row("SELECT n, h FROM audit_line ORDER BY n DESC LIMIT 1")
        ends = [self.audit_floor(), _noted(self.note(HEAD))]
        return max([*ends, (last["n"], last["h"])] if last else ends, key=lambda end: end[0])

    def audit_floor(self) -> tuple[int, str]:
        """Number and hash of the newest line that was deleted by age; (0, 64 zeros) before the first."""
        row = self._file.row("SELECT floor_n, floor_h FROM audit_end")
        return (0, GENESIS) if row is None else (row["floor_n"], row["floor_h"])

    def audit_lines(self, after: int, limit: int) -> list[AuditLine]:
        """The oldest first, from the one after line `after`."""
        columns = ", ".join((*FIELDS, "prev", "h"))
        rows = self._file.rows(f"SELECT {columns} FROM audit_line WHERE n > ? ORDER BY n LIMIT ?", after, limit)  # noqa: S608  # likewise
        return [AuditLine(**row) for row in rows]

    def audited(self, limit: int, who: str | None = None) -> list[Audited]:
        """The newest first.  `who`: a user of this computer, or a technician's id or name."""
        rows = self._file.rows(
            "SELECT a.n, a.wall_ms, a.quality, a.who, a.technician, t.name, a.op, a.subject, a.result, a.error,"
            " e.subject AS more, e.result AS ended, e.error AS why FROM audit_line a"
            " LEFT JOIN audit_line e ON e.ends = a.n LEFT JOIN technician t ON t.technician = a.technician"
            " WHERE a.ends IS NULL AND (? IS NULL OR ? IN (a.who, a.technician, t.name)) ORDER BY a.n DESC LIMIT ?",
            who, who, limit,
        )  # fmt: skip  # the statement and its values
        return [_audited(row) for row in rows]

    def prune_audit(self, clock: Stamp) -> int:
        """Delete what is older than 400 days, by a clock that can be believed, and what is beyond the hundred
        thousandth line, the oldest first; a thousand at most.  Returns how many.
        """
        last = self._file.row("SELECT max(n) AS n FROM audit_line")
        many = 0 if last is None or last["n"] is None else int(last["n"]) - MOST_LINES
        old_ms = clock.wall_ms - KEPT_DAYS * DAY_MS if clock.quality in TRUSTED else 0
        floor = self._file.row(
            "SELECT n, h FROM audit_line WHERE n <= ? AND (n <= ? OR wall_ms < ? AND quality IN ('ntp', 'cloud'))"
            " ORDER BY n DESC LIMIT 1",
            self.audit_floor()[0] + PRUNE_MOST, many, old_ms,
        )  # fmt: skip  # the statement and its values
        if floor is None:
            return 0
        with self._file.writing() as db:
            db.execute("INSERT INTO audit_end VALUES (0, 0, ?, 0)", [GENESIS])  # ignored where there is one
            db.execute("UPDATE audit_end SET floor_n = ?, floor_h = ?, at_ms = ?", [*floor.values(), clock.wall_ms])
            return db.execute("DELETE FROM audit_line WHERE n <= ?", [floor["n"]]).rowcount


def _noted(note: str | None) -> tuple[int, str]:
    n, _, h = (note or "").partition(" ")
    return (int(n), h) if n.isdecimal() and len(h) == len(GENESIS) else (0, GENESIS)


def _audited(row: dict[str, Any]) -> Audited:
    more, ended, why = (row.pop(name) for name in ("more", "ended", "why"))
    told = row if ended is None else {**row, "result": ended, "error": why}
    return Audited(**{**told, "subject": f"{row['subject']} {more or ''}".strip()})
