"""What the board wrote into its own journal goes into the ledger; what nobody here saw happen is an incident.

The board writes through a crash of this program, a cut cable and a reset of its own.  An entry comes here once or
several times; the ledger keeps it once, and with it the incident, in one transaction.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from cabinet import clock
from cabinet.ledger import Incident, JournalEntry, Ledger, LedgerError, LedgerLostError
from cabinet.ledger.journal import AGAIN, UNKNOWN
from cabinet.ports import BoardEntry
from cabinet.session.states import Servicing, State
from cabinet.units import VisitId

FAULT = "fault raised"  # a kind of entry
OPENED, MIRROR = "door opened", "mirror"  # kinds that are of a visit

log = logging.getLogger(__name__)


@dataclass
class Diary:
    ledger: Ledger
    state: Callable[[], State]
    written: Callable[[], None] = lambda: None  # something new is in the outbox
    end: Callable[[], int | None] = lambda: None  # the board's next index, as it says; None: there is no board
    _known: set[str] = field(init=False)  # boards whose past is no news
    _read_to: int = field(default=1, init=False)  # behind the last entry that came since we started

    def __post_init__(self) -> None:
        self._known = set(self.ledger.journal_boards())

    def write(self, entry: BoardEntry, *, while_away: bool) -> None:
        """Keep the entry.  What a board did before it ever came to this cabinet raises no incident."""
        before_our_time = while_away and entry.board not in self._known
        if not while_away:
            self._known.add(entry.board)
        why = None if before_our_time else self._unseen(entry, while_away=while_away)
        kept = JournalEntry(entry.board, entry.index, entry.boot, entry.t_ms, entry.kind, entry.visit, entry.facts)
        incident = None if why is None else Incident(why=why, visit=entry.visit, at="board")
        self._read_to = entry.index + 1
        try:
            new = self.ledger.journal(kept, clock.stamp(), incident)
            if new and while_away and not before_our_time:
                self._note_unknown(entry)
        except LedgerLostError:  # the disk: this program has to end
            raise
        except LedgerError as error:
            log.error("journal_not_kept index=%d why=%s", entry.index, error)  # noqa: TRY400  the traceback says nothing more
            return
        if new and why is not None:
            log.warning("board_incident index=%d why=%s", entry.index, why)
            self.written()

    def _note_unknown(self, entry: BoardEntry) -> None:
        """A visit that this ledger never opened: it has lost it, for no lock is released before that is durable."""
        if entry.visit is not None and entry.kind in {OPENED, MIRROR} and self.ledger.visit(entry.visit) is None:
            self.ledger.set_note(UNKNOWN + entry.visit, entry.board)

    def settle(self) -> None:
        """Close what only the board knows, for a person, once all of its journal is here.  Often called."""
        again, noted = self.ledger.note(AGAIN) is not None, self.ledger.notes(UNKNOWN)
        board, end = self.ledger.journal_board(), self.end()
        if not (again or noted) or end is None:
            return
        if (self._read_to if again or board is None else self.ledger.journal_reached(board)) < end:
            return
        strange = {VisitId(key.removeprefix(UNKNOWN)) for key in noted}
        for visit in sorted(strange | set(self.ledger.journal_unknown() if again else ())):
            if self.ledger.visit(visit) is None:
                why = f"known only from the board's journal: {self._mirrored(visit)}"
                self.ledger.close_unknown(visit, why, clock.stamp())
                log.warning("visit_known_only_to_the_board visit=%s", visit)
        for key in (*noted, AGAIN):
            self.ledger.drop_note(key)
        self.written()

    def _mirrored(self, visit: VisitId) -> str:
        facts = next((row.entry.facts for row in self.ledger.journal_of(visit) if row.entry.kind == MIRROR), None)
        if facts is None:
            return "the door was opened, and no charge is known"
        return f"it was charged {facts.get('amount_minor')} {facts.get('currency')} (minor units)"

    def _unseen(self, entry: BoardEntry, *, while_away: bool) -> str | None:
        """What a person must hear of this entry, unless the machine has told of it or a technician did it."""
        if entry.kind != FAULT:
            return None
        when = f"{'while the cabinet was not watching ' if while_away else ''}(board journal {entry.index})"
        match entry.facts.get("fault"):
            case "door forced" if while_away:  # else the machine saw the edge and has told of it
                return f"the door was forced open {when}"
            case "housing open" if while_away or not isinstance(self.state(), Servicing):
                return f"the board's housing was opened {when}"
            case "unsigned unlocks":
                return f"somebody ordered unlocks with a wrong key {when}"
            case _:
                return None
