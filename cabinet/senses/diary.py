"""What the board wrote into its own journal goes into the ledger; what nobody here saw happen is an incident.

The board writes through a crash of this program, a cut cable and a reset of its own.  An entry comes here once or
several times; the ledger keeps it once, and with it the incident, in one transaction.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from cabinet import clock
from cabinet.ledger import Incident, JournalEntry, Ledger, LedgerError
from cabinet.ports import BoardEntry
from cabinet.session.states import Servicing, State

FAULT = "fault raised"  # a kind of entry

log = logging.getLogger(__name__)


@dataclass
class Diary:
    ledger: Ledger
    state: Callable[[], State]
    written: Callable[[], None] = lambda: None  # something new is in the outbox
    _known: set[str] = field(init=False)  # boards whose past is no news

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
        try:
            new = self.ledger.journal(kept, clock.stamp(), incident)
        except LedgerError as error:
            log.error("journal_not_kept index=%d why=%s", entry.index, error)  # noqa: TRY400  the traceback says nothing more
            return
        if new and why is not None:
            log.warning("board_incident index=%d why=%s", entry.index, why)
            self.written()

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
