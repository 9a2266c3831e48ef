"""The host's place in the board's journal: what to ask for next, and each entry handed on once and in order.  Pure.

It outlives sessions: after a reconnect it goes on where it was.  The entries of a read count once its end has come and
bears them out: a number from nowhere must not move the place.
"""

from firmware_bridge.orders import JournalRead
from firmware_bridge.reports import JournalEnd, JournalEntry

AT_ONCE = 8  # entries per read: 0.1 s of a 115200 baud line
ASK_AGAIN_S = 5.0  # a board that answered no read by then is asked again
LAST = 2**32 - 1  # index


class Logbook:
    """`next`: the first index not yet had (1 is the first ever).  `lost`: entries that were overwritten or torn."""

    def __init__(self, start: int = 1) -> None:
        if not 0 <= start <= LAST:
            raise ValueError(f"journal from {start}, want 0..{LAST}")
        self.next = start
        self.lost = 0
        self._asked_s: float | None = None  # when; None: no read is under way
        self._read: list[JournalEntry] = []  # by the read under way

    def begin(self) -> None:
        """A new session: what was under way is not any more."""
        self._asked_s = None

    def due(self, board_next: int | None, now_s: float) -> JournalRead | None:
        """What to send now that the board's next entry is known to be `board_next` (None: not known)."""
        if board_next is not None and board_next <= self.next:
            return None
        if self._asked_s is not None and now_s - self._asked_s < ASK_AGAIN_S:
            return None
        return self._ask(now_s)

    def entry(self, entry: JournalEntry) -> bool:
        """Keep it until the end of its read; False if it was not asked for."""
        least = self._read[-1].index + 1 if self._read else self.next
        if self._asked_s is None or len(self._read) == AT_ONCE or entry.index < least:
            return False
        self._read.append(entry)
        return True

    def end(self, end: JournalEnd, now_s: float) -> tuple[list[JournalEntry], JournalRead | None]:
        """The read is answered: its entries, and what to send next if there is more."""
        if self._asked_s is None:
            return [], None
        self._asked_s = None
        if end.next == 0:  # the board cannot read its memory: nothing is known, and nothing has restarted
            return [], None
        if end.next < self.next:  # another memory chip: its ring began at 1 again
            self.next = end.first
            return [], self._ask(now_s) if self.next < end.next else None
        new = [entry for entry in self._read if entry.index < end.next]
        for entry in new:
            self._skip_to(entry.index)
            self.next = entry.index + 1
        if len(self._read) < AT_ONCE:  # what else it counts, it does not have any more
            self._skip_to(end.next)
        return new, self._ask(now_s) if self.next < end.next else None

    def _skip_to(self, index: int) -> None:
        if self.next > 1:  # a host that begins with a board's first entry takes what is left of it
            self.lost += index - self.next
        self.next = index

    def _ask(self, now_s: float) -> JournalRead:
        self._asked_s, self._read = now_s, []
        return JournalRead(self.next, AT_ONCE)
