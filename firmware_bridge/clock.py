"""Board milliseconds to host seconds: offset, drift and jitter measured from arrivals.  It reads neither clock.

Every message arrives late by its own journey, never early, so the points (board time, arrival - board time) lie on or
above a line: its slope is the drift, its height the offset plus the quickest journey.  The line kept is the lower
convex hull's edge over the middle of the window: a burst of delays moves points up, away from it.

Bounds, with a quickest journey of j, once SETTLED_S of arrivals are seen: `host_s` is at most 1 ms early (the board
counts whole milliseconds) and at most j + 2 ms late; before that also late or early by drift x age, 4 ms at 200 ppm.
Queues, however long, may last half of what the window has seen; then also by 300 ppm of their length.
"""

import itertools
import math
from collections import deque

LAP_MS = 2**32  # the board counts in 32 bits and wraps every 49.7 days
BUCKET_S = 2.0  # of which the quickest arrival is kept: 200 ppm drift 0.4 ms in it
BUCKETS = 150  # 300 s: the slope is then good to some ppm, and crystals follow temperature no faster
SETTLED_S = 20.0  # of arrivals, before a slope is believed: 1 ms of rounding is 50 ppm of it
MEASURED_S = 60.0  # before the slope is told
MAX_DRIFT = 300e-6  # two crystals differ by 200 ppm at most; a steeper line is a queue that fills
IMPOSSIBLE_S = 0.5  # before the line: no message of this board, or a line born in a long queue
STRIKES = 3  # so many in a row are believed
SLEW = 0.005  # s per s: how fast a correction is let in, a 200th of the samples' spacing
STEP_S = 0.020  # corrections from here on are made at once
JITTER_WEIGHT = 1 / 64

Point = tuple[float, float]  # board s, arrival s - board s


class BoardClock:
    """One per boot of the board.  `jitter_s`: how much longer than the quickest a journey takes, running mean."""

    def __init__(self) -> None:
        self._last_ms = 0  # unwrapped, of the newest observation
        self._last_arrival_s = 0.0
        self._from_s = 0.0  # board time at which the newest bucket began
        self._points: deque[Point] = deque(maxlen=BUCKETS)
        self._slope = self._height_s = 0.0  # offset = height + slope x board time
        self._slew_s = 0.0  # what of past corrections was not yet let in
        self._slew_from_s = 0.0  # at this board time
        self._strikes = 0
        self.jitter_s = 0.0

    @property
    def offset_s(self) -> float:
        """Host time less board time, at the newest observation."""
        return self._line(self._last_ms / 1000)

    @property
    def drift_ppm(self) -> float | None:
        """How much faster than the host's the board's clock runs; None before MEASURED_S."""
        if len(self._points) < 2 or self._points[-1][0] - self._points[0][0] < MEASURED_S:
            return None
        return -1e6 * self._slope

    def observe(self, t_ms: float, arrived_s: float) -> None:
        """The board's time `t_ms` (0..2^32) reached the host at `arrived_s`."""
        if not self._points:
            self._last_ms, self._last_arrival_s = int(t_ms), arrived_s
        likely_ms = self._last_ms + 1000 * (arrived_s - self._last_arrival_s)
        board_s = (likely_ms + _signed(t_ms - likely_ms)) / 1000
        offset_s = arrived_s - board_s
        early_s = self._line(board_s) - offset_s if self._points else 0.0
        if early_s > IMPOSSIBLE_S:
            self._strikes += 1
            if self._strikes < STRIKES:
                return
            self._points.clear()
        self._strikes = 0
        self._last_ms, self._last_arrival_s = max(self._last_ms, int(board_s * 1000)), arrived_s
        self._add(board_s, offset_s, early_s)
        self.jitter_s += (max(0.0, -early_s) - self.jitter_s) * JITTER_WEIGHT

    def unwrap(self, t_ms: float) -> float:
        """Board time that never wraps, ms, for a `t_ms` within 24 days of the newest observation."""
        return self._last_ms + _signed(t_ms - self._last_ms)

    def host_s(self, t_ms: float) -> float:
        """Host time of the board's `t_ms`, wrapped or not.  Needs one observation."""
        board_s = self.unwrap(t_ms) / 1000
        return board_s + self._line(board_s) + self._slew(board_s)

    def _slew(self, board_s: float) -> float:
        left_s = abs(self._slew_s) - SLEW * max(0.0, board_s - self._slew_from_s)
        return math.copysign(max(0.0, left_s), self._slew_s)

    def _line(self, board_s: float) -> float:
        return self._height_s + self._slope * board_s

    def _add(self, board_s: float, offset_s: float, early_s: float) -> None:
        if not self._points or board_s - self._from_s >= BUCKET_S:
            self._points.append((board_s, offset_s))
            self._from_s = board_s
            self._fit(board_s)
        elif offset_s < self._points[-1][1]:
            self._points[-1] = (board_s, offset_s)
            if early_s > 0:
                self._move(self._slope, self._height_s - early_s, board_s)

    def _fit(self, board_s: float) -> None:
        points = list(self._points)
        slope = 0.0
        if board_s - points[0][0] >= SETTLED_S:
            slope = max(-MAX_DRIFT, min(MAX_DRIFT, _middle_slope(points)))
        self._move(slope, min(y - slope * x for x, y in points), board_s)

    def _move(self, slope: float, height_s: float, board_s: float) -> None:
        self._slew_s = self._slew(board_s) + self._line(board_s) - (height_s + slope * board_s)
        self._slew_from_s = board_s
        if abs(self._slew_s) >= STEP_S or len(self._points) == 1:
            self._slew_s = 0.0
        self._slope, self._height_s = slope, height_s


def _signed(difference_ms: float) -> float:
    """The shortest way round the lap."""
    return (difference_ms + LAP_MS // 2) % LAP_MS - LAP_MS // 2


def _middle_slope(points: list[Point]) -> float:
    """Slope of the lower convex hull's edge over the mean of the abscissas: of all lines below the points, the one with
    the least room between.
    """
    middle = sum(x for x, _ in points) / len(points)
    hull: list[Point] = []
    for x, y in points:
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) >= (y - hull[-2][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append((x, y))
    for (x0, y0), (x1, y1) in itertools.pairwise(hull):
        if x1 >= middle:
            return (y1 - y0) / (x1 - x0)
    return 0.0
