"""The good samples of one zone in order of time: flagged, saturated and spiked ones are left out.

Kept as two parallel lists, times and grams: a minute of twelve zones is 57,600 samples.  For the same reason batches
that follow each other without a gap are made one first (`whole`), but only where that changes no time by a tick.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import dist

from cabinet.basket.evidence import Mass

TICK_HZ = 10_000  # times are whole ticks, so that they do not depend on where a batch was cut: four decimals
JOINED = 64  # batches at most: one bad sample makes the rest of them slower to go through
STRIDE = 16  # samples judged together first: mostly nothing happens, and that shows at once


@dataclass(frozen=True, slots=True)
class Points:
    """Samples, the times ascending; both lists are of one length."""

    t: list[float]
    g: list[float]

    def __len__(self) -> int:
        return len(self.t)

    def since(self, t: float) -> "Points":
        i = bisect_left(self.t, t)
        return Points(self.t[i:], self.g[i:])

    def before(self, t: float) -> int:
        """How many lie before t."""
        return bisect_left(self.t, t)

    def upto(self, t: float) -> int:
        """How many lie at t or before it."""
        return bisect_right(self.t, t)


def ticks_apart(hz: float) -> int:
    """Whole ticks from one sample to the next; 0 where they are no whole number."""
    step = TICK_HZ / hz
    return int(step) if step.is_integer() else 0


def whole(ordered: Iterable[Mass]) -> list[Mass]:
    """The same samples in fewer batches.  One that came late stays alone: what is old in it depends on its cut."""
    found: list[Mass] = []
    for run in _runs(ordered):
        grams = tuple(chain.from_iterable([mass.g for mass in run])) if len(run) > 1 else run[0].g
        found.append(replace(run[0], g=grams) if len(run) > 1 else run[0])
    return found


def _runs(ordered: Iterable[Mass]) -> Iterator[list[Mass]]:
    run: list[Mass] = []
    hz, step, due, newest = (
        0.0,
        0,
        0,
        0.0,
    )  # ticks: of the next sample of this run; after the newest (blocks begin with 0)
    for mass in ordered:
        first, count = round(mass.t * TICK_HZ), len(mass.g)
        if run and step and first == due and mass.hz == hz and len(run) < JOINED:
            run.append(mass)
        else:
            if run:
                yield run
            run, hz = [mass], mass.hz
            step = 0 if first < newest else ticks_apart(hz)
        due = first + count * step
        if count:
            newest = max(newest, first + (count - 0.5) * TICK_HZ / hz + 1)
    if run:
        yield run


def samples(masses: Iterable[Mass], capacity_g: float) -> Points:
    """In order of time; flagged and saturated readings are left out."""
    low, high = -0.05 * capacity_g, 1.02 * capacity_g  # beyond: bit slip or saturation
    times: list[float] = []
    grams: list[float] = []
    steps: tuple[float, Sequence[int]] = (0.0, [])  # of the rate met last: all batches have one
    for mass in masses:
        first, count = round(mass.t * TICK_HZ), len(mass.g)
        if steps[0] != mass.hz or len(steps[1]) < count:
            step = ticks_apart(mass.hz)
            steps = (
                mass.hz,
                (range(0, count * step, step) if step else [round(i * TICK_HZ / mass.hz) for i in range(count)]),
            )
        good = [g for g in mass.g if g is not None and low < g <= high]
        grams += good
        if len(good) == count:
            times += [(first + step) / TICK_HZ for step in steps[1][:count]]
        else:
            times += [
                (first + step) / TICK_HZ
                for g, step in zip(mass.g, steps[1], strict=False)  # the steps may be more
                if g is not None and low < g <= high
            ]
    if times != sorted(times):
        ordered = sorted(zip(times, grams, strict=True))
        times, grams = [t for t, _ in ordered], [g for _, g in ordered]
    return Points(times, grams)


def despiked(points: Points, limit_g: float) -> Points:
    """Without the samples that differ from the median of their five neighbours by more than the limit."""
    grams = points.g
    spikes = [
        i for i in _jumps(grams, limit_g) if abs(grams[i] - median(sorted(grams[max(i - 2, 0) : i + 3]))) > limit_g
    ]
    if not spikes:
        return points
    kept_t, kept_g = list(points.t), list(grams)
    for i in sorted(spikes, reverse=True):
        del kept_t[i], kept_g[i]
    return Points(kept_t, kept_g)


def median(ordered: Sequence[float]) -> float:
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _jumps(grams: Sequence[float], limit_g: float) -> set[int]:
    """Which samples differ from the one before or after by more than the limit."""
    found = set()
    later = [*grams[1:], *grams[-1:]]
    for at in range(0, len(grams), STRIDE):
        these, next_ = grams[at : at + STRIDE], later[at : at + STRIDE]
        if dist(these, next_) > 0.99 * limit_g:  # no single difference is greater than the root of all squares
            for i, (a, b) in enumerate(zip(these, next_, strict=True), at):
                if abs(b - a) > limit_g:
                    found |= {i, i + 1}
    return found
