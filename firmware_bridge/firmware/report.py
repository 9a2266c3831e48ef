"""What the board has to say goes through here: to the host by the link, to its own journal, in its own time."""

from . import codes as c
from . import messages
from .journal import Journal
from .wire import BoardLink

MOST_NOTES = 16  # not yet written down


class Report:
    """Turns `now_ms` into ms since boot.  Notes are written down after the lock has been dealt with, not before."""

    def __init__(self, link: BoardLink, journal: Journal, boot: int, now_ms: int) -> None:
        self.in_session = False  # the host has had its first Status
        self.mute = False  # a board of another protocol says nothing but Hello and Alive
        self._link, self._journal = link, journal
        self._boot, self._booted_ms = boot, now_ms
        self._notes: list[tuple[int, int, bytes]] = []  # t, kind, body

    @property
    def listened_to(self) -> bool:
        """A host has begun its session and has not been given up since."""
        return self.in_session and self._link.opened_with is not None

    def uptime(self, now_ms: int) -> int:
        """32 bits of ms since boot."""
        return (now_ms - self._booted_ms) & c.LAP_MASK

    def send(self, payload: bytes, now_ms: int) -> None:
        if not self.mute:
            self._link.send(payload, now_ms)

    def stream(self, payload: bytes) -> None:
        self._link.stream(payload)

    def fault(self, code: int, detail: int, is_raised: bool, now_ms: int) -> None:
        self.send(messages.fault(code, detail, is_raised, self.uptime(now_ms)), now_ms)

    def note(self, kind: int, body: bytes, now_ms: int) -> None:
        """An entry for the journal, of this moment; `write_down` before the next tick puts it there."""
        if len(self._notes) == MOST_NOTES:
            self.write_down()
        self._notes.append((self.uptime(now_ms), kind, body))

    def write_down(self) -> None:
        if self._notes:
            for t_ms, kind, body in self._notes:
                self._journal.add(self._boot, t_ms, kind, body)
            self._notes.clear()
