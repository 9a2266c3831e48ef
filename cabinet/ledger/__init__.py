"""What must survive a power cut, in one SQLite file: the state, visits, the outbox, members, goods, notes, the
board's journal.

`Ledger` is the whole front.  Calls are synchronous and take about half a millisecond; use it from one thread.  It
never retries a failed write: after a LedgerLostError only a restart helps.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

from cabinet.ledger.entries import (
    ClosedCharge,
    ClosedVisit,
    Consent,
    Entry,
    Incident,
    JournalEntry,
    JournalRow,
    Member,
    OpenedVisit,
    OutboxRow,
    Stamp,
    VisitRecord,
)
from cabinet.ledger.errors import (
    EntryRefusedError,
    LedgerDamagedError,
    LedgerError,
    LedgerLostError,
    LedgerNewerError,
)
from cabinet.ledger.file import LedgerFile
from cabinet.ledger.journal import JournalRoom
from cabinet.ledger.members import MemberRoom
from cabinet.ledger.schema import APPLICATION_ID, MIGRATIONS
from cabinet.ledger.state import StateRoom
from cabinet.session.states import State

__all__ = [
    "ClosedCharge",
    "ClosedVisit",
    "Consent",
    "Entry",
    "EntryRefusedError",
    "Incident",
    "JournalEntry",
    "JournalRow",
    "Ledger",
    "LedgerDamagedError",
    "LedgerError",
    "LedgerLostError",
    "LedgerNewerError",
    "Member",
    "OpenedVisit",
    "OutboxRow",
    "Stamp",
    "VisitRecord",
]


class Ledger(StateRoom, JournalRoom, MemberRoom):
    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        """Open, check and migrate the file; `read_only` is for looking at it while the daemon is away.

        Raises LedgerDamagedError, LedgerNewerError or LedgerError, each with the file and the remedy.
        """
        self._file = LedgerFile(Path(path), mark=APPLICATION_ID, migrations=MIGRATIONS, read_only=read_only)
        self.boot = secrets.token_hex(8)

    def commit(self, state: State, entries: Sequence[Entry], clock: Stamp) -> None:
        """Make a step durable: the new state and every entry with its event, or nothing at all.

        Raises EntryRefusedError for a second closing and the like, LedgerLostError where the disk failed.
        """
        with self._file.writing():
            self._keep_state(state)
            for entry in entries:
                self._write(entry, clock)

    def _write(self, entry: Entry, clock: Stamp) -> None:
        match entry:
            case OpenedVisit():
                self._open(entry, clock)
            case ClosedVisit():
                self._close(entry, clock)
            case Incident():
                self._note_incident(entry, clock)
            case _:
                assert_never(entry)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
