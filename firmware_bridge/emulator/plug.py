"""The cable between board and host: a pseudo-terminal under a fixed name, and the pace of its baud rate.

Bytes that nobody takes are lost, as on a wire.  It knows no frames.
"""

import contextlib
import os
import selectors
import tty
from collections import deque
from pathlib import Path

BITS = 10  # a byte on the wire: start, eight, stop
PIECE = 32  # bytes delivered at once where a baud rate paces them
MOST_ON_THE_WAY = 65_536  # bytes


class Plug:
    """The pseudo-terminal, while plugged."""

    def __init__(self, link: Path, selector: selectors.BaseSelector) -> None:
        self._link, self._selector = link, selector
        self._ends: tuple[int, int] | None = None  # ours, and the host's, held open so that ours never ends
        self.replug()

    @property
    def plugged(self) -> bool:
        return self._ends is not None

    def replug(self) -> None:
        if self._ends is not None:
            return
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = ours, theirs
        self._selector.register(ours, selectors.EVENT_READ, "wire")
        fresh = self._link.with_name(self._link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(theirs))
        fresh.replace(self._link)

    def unplug(self) -> None:
        if self._ends is None:
            return
        self._link.unlink(missing_ok=True)
        self._selector.unregister(self._ends[0])
        for end in self._ends:
            os.close(end)
        self._ends = None

    def read(self) -> bytes:
        try:
            return os.read(self._ends[0], 4096) if self._ends else b""
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        if self._ends and data:
            with contextlib.suppress(BlockingIOError):
                os.write(self._ends[0], data)


class Paced:
    """Bytes on their way to the board: `push` when the host wrote them, `due` when their last bit has come."""

    def __init__(self, baud: int) -> None:
        """`baud` 0: at once."""
        self._byte_ms = 1000 * BITS / baud if baud else 0.0
        self._free_ms = 0.0
        self._on_the_way: deque[tuple[float, bytes]] = deque()
        self._bytes = 0

    def push(self, data: bytes, now_ms: float) -> None:
        step = PIECE if self._byte_ms else len(data)
        for at in range(0, len(data), step or 1):
            piece = data[at : at + step]
            if self._bytes + len(piece) > MOST_ON_THE_WAY:
                return
            self._free_ms = max(now_ms, self._free_ms) + len(piece) * self._byte_ms
            self._on_the_way.append((self._free_ms, piece))
            self._bytes += len(piece)

    def due(self, now_ms: float) -> bytes:
        data = bytearray()
        while self._on_the_way and self._on_the_way[0][0] <= now_ms:
            data += self._on_the_way.popleft()[1]
        self._bytes -= len(data)
        return bytes(data)

    def next_ms(self) -> float | None:
        return self._on_the_way[0][0] if self._on_the_way else None

    def forget(self) -> None:
        """The board was reset, or the cable pulled: what was on the way is gone."""
        self._on_the_way.clear()
        self._bytes = 0
