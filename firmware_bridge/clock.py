"""Board milliseconds to host seconds.  It is told both times and reads neither clock."""

from collections import deque

LAP_MS = 2**32  # the board counts in 32 bits and wraps every 49.7 days
WINDOW_S = 30.0  # two crystals 100 ppm apart drift 3 ms in it, a quarter of a sample


class BoardClock:
    """The smallest (host arrival - board time) of the last WINDOW_S: the journey that waited least.

    One per boot of the board.
    """

    def __init__(self) -> None:
        self._last_ms: int | None = None  # unwrapped
        self._least: deque[tuple[float, float]] = deque()  # (arrival, offset), offsets rising

    def observe(self, t_ms: int, arrived_s: float) -> None:
        """The board's time `t_ms` (0..2^32-1) reached the host at `arrived_s`."""
        offset_s = arrived_s - self._unwrap(t_ms) / 1000
        while self._least and self._least[-1][1] >= offset_s:
            self._least.pop()
        self._least.append((arrived_s, offset_s))
        while self._least[0][0] < arrived_s - WINDOW_S:
            self._least.popleft()

    def host_s(self, t_ms: int) -> float:
        """Host time of the board's `t_ms`, within 24 days of the last one observed.  Needs one observation."""
        return self._unwrap(t_ms) / 1000 + self._least[0][1]

    def _unwrap(self, t_ms: int) -> int:
        if self._last_ms is None:
            self._last_ms = t_ms
        half = LAP_MS // 2
        near_ms = self._last_ms + (t_ms - self._last_ms + half) % LAP_MS - half
        self._last_ms = max(self._last_ms, near_ms)
        return near_ms
