"""Tare and two-point calibration, on the board: what is implausible is refused and the line before it stays.

Integers only; every answer is one of PROTOCOL.md's.  It raises nothing and trusts its caller that the zone exists.
"""

import struct

from .cells import Cells
from .memory import Memory

REQUEST, TARE, POINT, CALIBRATE = 0, 1, 2, 3  # what a CellReport is about
STORED = 0
NOT_STEADY = 1
NO_SIGNAL = 2
ZERO_OUT_OF_RANGE = 3
MASSES_TOO_NEAR = 4
MASS_OUT_OF_RANGE = 5
SPAN_OUT_OF_RANGE = 6
RESIDUAL = 7
POINTS_MISSING = 8
WIRES_SWAPPED = 9
NOT_STORED = 10

WITHIN_MS = 600_000  # tare, slot 1, slot 2 and the fit
FARTHEST_ZERO = 1 << 22  # a quarter of 24 bits
LIGHTEST_DG, HEAVIEST_DG = 500, 2_000_000
LEAST_PER_G, MOST_PER_G = 2, 4000  # counts
LEAST_RESIDUAL_CG = 200
MOST_SWING = 8  # times the cell's own noise
MOST_NOISE = 4000  # 0.1 counts rms
LEAST_OWN = 40  # 0.1 counts rms: of a cell better than any
SPAN_ONE = 1 << 24


class Second:
    """The last second of one zone: `good` counts out of `wanted` conversions."""

    def __init__(self, good: list[int], wanted: int) -> None:
        self.counted = len(good)
        self.enough = 4 * len(good) >= 3 * wanted
        self.mean = self.noise = self.swing = self.own = 0
        if not good:
            return
        self.mean = (2 * sum(good) + len(good)) // (2 * len(good))
        self.swing = max(good) - min(good)
        square = sum([(value - self.mean) * (value - self.mean) for value in good])
        self.noise = root(100 * square // len(good))  # 0.1 counts rms about the mean
        # Its own noise, 0.1 counts rms, is that of the steps, which a slow swing hardly touches.  A converter's
        # filter makes neighbours alike by half, and the steps too small by 0.7: so a quarter more.
        steps = sum([(good[at] - good[at - 1]) * (good[at] - good[at - 1]) for at in range(1, len(good))])
        self.own = max(root(78 * steps // len(good)), LEAST_OWN)  # 100 / 2 x 1.25^2

    def steady(self) -> bool:
        return self.enough and self.noise <= MOST_NOISE and 10 * self.swing <= MOST_SWING * self.own


class Points:
    """What one zone has been shown since its tare."""

    def __init__(self, tared_ms: int) -> None:
        self.tared_ms = tared_ms
        self.shown: list[tuple[int, int]] = []  # (counts, dg) of slot 1, slot 2


class Calibration:
    """Of all zones of `cells`; zeros and spans are `memory`'s.

    Each order is answered by a CellReport without its code; its byte 2 is the answer, 0 for stored.
    """

    def __init__(self, cells: Cells, memory: Memory) -> None:
        self._cells, self._memory = cells, memory
        self._points: dict[int, Points] = {}

    def report(self, zone: int, now_ms: int) -> bytes:
        """How the zone does; answer NO_SIGNAL where it does not."""
        second = self._second(zone)
        answer = STORED if second.counted and self._cells.signal(zone, now_ms) else NO_SIGNAL
        return self._told(zone, REQUEST, answer, second, 0)

    def tare(self, zone: int, now_ms: int) -> bytes:
        """The mean of the last second becomes the zero."""
        second = self._second(zone)
        answer = self._fitness(zone, second, now_ms)
        if answer == STORED and abs(second.mean) > FARTHEST_ZERO:
            answer = ZERO_OUT_OF_RANGE
        if answer == STORED:
            answer = self._store(zone, second.mean, self._memory.spans[zone])
        if answer == STORED:
            self._points[zone] = Points(now_ms)
        return self._told(zone, TARE, answer, second, 0)

    def point(self, zone: int, slot: int, mass_dg: int, now_ms: int) -> bytes:
        """The mean of the last second belongs to `mass_dg`; slot 1 forgets slot 2."""
        second = self._second(zone)
        points = self._shown(zone, slot - 1, now_ms)
        if not LIGHTEST_DG <= mass_dg <= HEAVIEST_DG:
            answer = MASS_OUT_OF_RANGE
        elif points is None:
            answer = POINTS_MISSING
        else:
            answer = self._fitness(zone, second, now_ms)
            if answer == STORED:
                points.shown = points.shown[: slot - 1]
                points.shown.append((second.mean, mass_dg))
        return self._told(zone, POINT, answer, second, 0)

    def calibrate(self, zone: int, now_ms: int) -> bytes:
        """The line through zero and the heavier point, if the lighter one lies on it."""
        points = self._shown(zone, 2, now_ms)
        answer, residual_cg = POINTS_MISSING, 0
        if points is not None:
            zero = self._memory.zeros[zone]
            answer, span, residual_cg = fit(zero, points.shown)
            if answer == STORED:
                answer = self._store(zone, zero, span)
            if answer == STORED:
                del self._points[zone]
        return self._told(zone, CALIBRATE, answer, self._second(zone), residual_cg)

    def _second(self, zone: int) -> Second:
        return Second(self._cells.newest(zone, self._cells.rate_hz), self._cells.rate_hz)

    def _fitness(self, zone: int, second: Second, now_ms: int) -> int:
        if not self._cells.signal(zone, now_ms):
            return NO_SIGNAL
        return STORED if second.steady() else NOT_STEADY

    def _shown(self, zone: int, least: int, now_ms: int) -> Points | None:
        """The zone's points, if at least so many were shown and the tare was not too long ago."""
        points = self._points.get(zone)
        if points is None or now_ms - points.tared_ms > WITHIN_MS or len(points.shown) < least:
            return None
        return points

    def _store(self, zone: int, zero: int, span: int) -> int:
        memory = self._memory
        before = memory.zeros[zone], memory.spans[zone]
        memory.zeros[zone], memory.spans[zone] = zero, span
        if memory.save():
            return STORED
        memory.zeros[zone], memory.spans[zone] = before
        return NOT_STORED

    def _told(self, zone: int, about: int, answer: int, second: Second, residual_cg: int) -> bytes:
        line = self._memory.zeros[zone], self._memory.spans[zone]
        noise = min(second.noise, 0xFFFF)
        return struct.pack("<BBBiHiIi", zone, about, answer, second.mean, noise, *line, residual_cg)


def fit(zero: int, shown: list[tuple[int, int]]) -> tuple[int, int, int]:
    """(answer, span, residual in 0.01 g) of the line through `zero` and the heavier of two points (counts, dg)."""
    (light_counts, light_dg), (heavy_counts, heavy_dg) = sorted(shown, key=_mass)
    rise = heavy_counts - zero
    if not rise:
        return (MASSES_TOO_NEAR if 4 * (heavy_dg - light_dg) < heavy_dg else SPAN_OUT_OF_RANGE), 0, 0
    span = (2 * heavy_dg * SPAN_ONE + rise) // (2 * rise)
    residual_cg = ((light_counts - zero) * span * 10 >> 24) - 10 * light_dg
    residual_cg = max(-0x80000000, min(residual_cg, 0x7FFFFFFF))
    answer = STORED
    if 4 * (heavy_dg - light_dg) < heavy_dg:
        answer = MASSES_TOO_NEAR
    elif not LEAST_PER_G * heavy_dg <= 10 * abs(rise) <= MOST_PER_G * heavy_dg:
        answer = SPAN_OUT_OF_RANGE
    elif rise < 0:
        answer = WIRES_SWAPPED
    elif abs(residual_cg) > max(LEAST_RESIDUAL_CG, heavy_dg // 20):  # half a percent
        answer = RESIDUAL
    return answer, span, residual_cg


def _mass(point: tuple[int, int]) -> int:
    return point[1]


def root(square: int) -> int:
    """The whole part of the square root."""
    guess, better = square + 1, (square + 2) >> 1
    while better < guess:
        guess, better = better, (better + square // better) >> 1
    return guess if square else 0
