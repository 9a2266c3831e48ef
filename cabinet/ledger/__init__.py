"""What must survive a power cut, in one SQLite file: the state, visits, the outbox, members, credit, goods, notes,
the board's journal, and what was learnt.

`Ledger` is the whole front.  Calls are synchronous and take about half a millisecond; use it from one thread.  It
never retries a failed write: after a LedgerLostError only a restart helps.  The one exception is a full disk, which
SQLite finds out before anything is durable and answers by rolling back: `commit` tries once more with room given up.
"""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

from cabinet.ledger.adjustments import Adjustment, AdjustmentRoom, Standing
from cabinet.ledger.beliefs import BeliefRoom
from cabinet.ledger.credit import CreditRoom
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
    LedgerForeignError,
    LedgerFullError,
    LedgerLostError,
    LedgerNewerError,
)
from cabinet.ledger.file import LedgerFile
from cabinet.ledger.journal import JournalRoom
from cabinet.ledger.keys import KeyRoom
from cabinet.ledger.members import MemberRoom
from cabinet.ledger.privacy import PrivacyRoom
from cabinet.ledger.roster import RosterRoom
from cabinet.ledger.schema import APPLICATION_ID, MIGRATIONS
from cabinet.ledger.state import StateRoom
from cabinet.ledger.technicians import TechnicianRoom
from cabinet.ledger.trust import TrustRoom
from cabinet.session.states import State

__all__ = [
    "Adjustment",
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
    "LedgerForeignError",
    "LedgerFullError",
    "LedgerLostError",
    "LedgerNewerError",
    "Member",
    "OpenedVisit",
    "OutboxRow",
    "Stamp",
    "Standing",
    "VisitRecord",
]


class Ledger(
    StateRoom, JournalRoom, AdjustmentRoom, CreditRoom, RosterRoom, PrivacyRoom, MemberRoom, KeyRoom,
    TrustRoom, TechnicianRoom, BeliefRoom,
):  # fmt: skip  # a row
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
        try:
            self._commit(state, entries, clock)
        except LedgerFullError:  # rolled back, whole: this is no failed fsync, after which nobody knows what is on disk
            if not self._file.make_room():
                raise
            self._commit(state, entries, clock)

    def _commit(self, state: State, entries: Sequence[Entry], clock: Stamp) -> None:
        with self._file.writing():
            self._keep_state(state)
            for entry in entries:
                self._write(entry, clock)

    def on_full_disk(self, make_room: Callable[[], bool]) -> None:
        """What `commit` may give up for a closing that finds the disk full; it says whether there was anything."""
        self._file.make_room = make_room

    def check(self) -> None:
        """Raises LedgerLostError if the disk has ever failed us, whoever was told of it then."""
        self._file.check()

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
