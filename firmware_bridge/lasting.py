"""What outlives a session: the place in the journal, and for one boot of the board its clock and sample numbers."""

from collections.abc import Callable

from firmware_bridge.clock import BoardClock
from firmware_bridge.logbook import Logbook
from firmware_bridge.reports import HelloReply
from firmware_bridge.series import Series

JournalFrom = int | Callable[[bytes], int]  # the first index wanted, or by board id


class Lasting:
    def __init__(self, journal_from: JournalFrom = 1) -> None:
        self._journal_from = journal_from
        self._board_id: bytes | None = None
        self._boot_id: bytes | None = None
        self.clock = BoardClock()
        self.series = Series(self.clock)
        self.journal = Logbook(journal_from if isinstance(journal_from, int) else 1)

    def greeted(self, hello: HelloReply) -> None:
        """A session with this board begins: forget what was another boot's, or another board's."""
        if hello.board_id != self._board_id:
            if not isinstance(self._journal_from, int):
                self.journal = Logbook(self._journal_from(hello.board_id))
            elif self._board_id is not None:
                self.journal = Logbook()  # in the place of the one that was asked for
            self._board_id = hello.board_id
        if hello.boot_id != self._boot_id:
            self._boot_id = hello.boot_id
            self.clock = BoardClock()
            self.series = Series(self.clock)
        self.journal.begin()
