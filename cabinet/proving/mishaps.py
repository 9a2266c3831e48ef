"""The power fails at a chosen point of the daemon's work: before a commit, after it, or before any effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cabinet.ledger import Entry, Ledger, LedgerError, Stamp
from cabinet.session.states import State
from cabinet.units import Sku, ZoneId


class PowerCut(BaseException):
    """The process is gone, in the middle of whatever it did."""


@dataclass
class Fuse:
    """Counts the points at which the daemon can die, and blows at the one it was set to."""

    points: int = 0
    left: int | None = None  # points until it blows; None: it holds
    blown_at: str = ""

    def burn(self, points: int) -> None:
        self.left = points

    def point(self, name: str) -> None:
        """Raises PowerCut where it is time."""
        self.points += 1
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.left, self.blown_at = None, name
            raise PowerCut(name)


class Book(Ledger):
    """The ledger, with a fuse before and after each commit, a disk that may be full, and a reader of what went in."""

    fuse: Fuse
    full: bool = False
    committed: "Witnessing"

    def commit(self, state: State, entries: Sequence[Entry], clock: Stamp) -> None:
        self.fuse.point("before the commit")
        if self.full:
            raise LedgerError("no space left on the device")
        super().commit(state, entries, clock)
        self.committed.saw(state, entries)
        self.fuse.point("after the commit")

    def restock(self, counts: Mapping[ZoneId, Mapping[Sku, int]]) -> None:
        """What the shelves hold, as a technician counted it; everything else is none."""
        believed = self.stock()
        places = {(zone, sku) for zone, held in (*believed.items(), *counts.items()) for sku in held}
        wrong = [p for p in sorted(places) if believed.get(p[0], {}).get(p[1], 0) != counts.get(p[0], {}).get(p[1], 0)]
        if wrong:
            with self._file.writing():
                for zone, sku in wrong:
                    self._put_stock(zone, sku, counts.get(zone, {}).get(sku, 0))


class Witnessing:
    """What became durable, in order."""

    def __init__(self) -> None:
        self.state: State | None = None
        self.entries: list[Entry] = []

    def saw(self, state: State, entries: Sequence[Entry]) -> None:
        self.state = state
        self.entries += entries
