"""From raw samples of one zone to settled levels, the steps between them and the net change, with uncertainty.

Knows no products.  A hand, a spike and a ringing shelf are not settled; what is not settled is no level.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum, inf
from statistics import fmean, stdev
from typing import NamedTuple

from cabinet.basket.evidence import Mass, Zone
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.samples import Points, despiked, median, samples
from cabinet.units import ZoneId

WINDOW = 4  # blocks: a quarter of a second
LAG = 8  # blocks: half a second
EDGE = 8  # blocks averaged at either end of a level
TAIL_S = 0.45  # of a shelf that still trembles: three periods of its ringing, which average out
END_S = 1.5  # net masses average up to this much
STUCK = 48  # equal samples at the end: a live converter has noise (PROTOCOL.md, fault 14)
BLIND_S = 0.9  # shorter gaps are passed over: a person is told from one second on


class Level(NamedTuple):
    """A stretch of settled mass.  `first_g` and `last_g` are means of its edges; between them it may drift."""

    t0: float
    t1: float
    first_g: float
    last_g: float
    sd_g: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """One zone over one visit; seconds and grams.  With `trouble` the net is not to be trusted."""

    zone: ZoneId
    levels: tuple[Level, ...] = ()
    net_g: float = 0.0
    net_sd_g: float = 0.0
    rest_g: float = 0.0  # net less the steps: drift inside levels, or goods that left without a step
    trouble: str = ""
    blind_s: float = 0.0  # longest time without a good sample while the door was open, if it was long


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Means of equal stretches of time; of those with too few samples infinity, which is never settled."""

    origin: float
    length: float
    means: list[float]
    edges: list[int]  # the point each begins with, and where the last ends

    def t(self, i: int) -> float:
        return self.origin + i * self.length


def weigh(
    zone: ZoneId,
    about: Zone,
    masses: Iterable[Mass],
    policy: TallyPolicy,
    *,
    released_t: float,
    opened_t: float,
    closed_t: float,
    ended_t: float,
) -> Weighing:
    """Net change from before the release (or the opening) to the end, and the settled levels between."""
    noise = max(about.noise_g, about.quantum_g / 3.5)
    points = despiked(samples(masses, about.capacity_g), max(policy.spike_g, 8 * noise))
    before = points.before(released_t)
    if not before or released_t - points.t[0] < 1.0:
        before = points.before(opened_t)
    if before < 10:
        return Weighing(zone, trouble="was not weighed before the door opened")
    start_t = points.t[before - 1]
    blind_s = _blind(points, opened_t, closed_t)
    if points.t[-1] < ended_t - 0.5:
        return Weighing(zone, trouble="stopped weighing before the visit ended", blind_s=blind_s)
    if about.noise_g >= 0.5 * about.quantum_g and len(points) > STUCK and len(set(points.g[-STUCK:])) == 1:
        return Weighing(zone, trouble="is stuck: every sample is the same", blind_s=blind_s)
    base_g, spread = _robust(points.g[points.upto(start_t - END_S) : before])
    noise = min(max(noise, spread), 4 * noise)
    levels = _levels(_blocks(points, about.rate_hz, policy), noise, about.quantum_g, policy)
    levels = _from_the_start(levels, base_g, start_t, noise, policy)
    _to_the_end(levels, points.since(max(closed_t, points.t[-1] - TAIL_S)), noise, policy)
    if levels[-1].t1 < points.t[-1] - 0.4 or levels[-1].t1 - max(closed_t, levels[-1].t0) < policy.least_end_s:
        return Weighing(zone, tuple(levels), trouble="did not settle after the door closed", blind_s=blind_s)
    end_g, _ = _robust(points.since(max(closed_t, levels[-1].t0, points.t[-1] - END_S)).g)
    net_g = end_g - base_g
    steps_g = sum(b.first_g - a.last_g for a, b in itertools.pairwise(levels))
    sd = (2 * (noise**2 / 20 + policy.level_sd_g**2) + (0.3 * about.quantum_g) ** 2 + policy.drift_sd_g**2) ** 0.5
    return Weighing(zone, tuple(levels), net_g, sd, net_g - steps_g, blind_s=blind_s)


def _blind(points: Points, opened_t: float, closed_t: float) -> float:
    longest, t = 0.0, opened_t
    while closed_t - t > BLIND_S:  # from each sample to the last one soon after it: a long gap is never leapt over
        i = points.upto(t + BLIND_S)
        soon = points.t[i - 1]
        if soon <= t:
            soon = min(points.t[i], closed_t) if i < len(points) else closed_t
            longest = max(longest, soon - t)
        t = soon
    return longest


def _robust(unordered: Sequence[float]) -> tuple[float, float]:
    """Mean without outliers beyond 4 sd (sd from the median of absolute deviations), and that sd."""
    grams = sorted(unordered)
    middle = median(grams)
    off = [abs(g - middle) for g in grams]
    sd = 1.4826 * median(sorted(off))
    limit_g = 4 * sd + 1.0
    if max(off[0], off[-1]) > limit_g:  # they are sorted: the furthest is first or last
        grams = [g for g in grams if abs(g - middle) <= limit_g]
    return fmean(grams), sd


def _blocks(points: Points, hz: float, policy: TallyPolicy) -> _Blocks:
    length, origin = max(policy.block_s, 2 / hz), points.t[0]
    usual = round(length * hz)
    least = max(1, usual // 2)
    times = points.t + [inf] * usual  # so that the guess below stays inside
    end, edges = 0, [0]
    for after in range(1, int((points.t[-1] - origin) / length) + 1):
        end += usual  # nearly always right
        while (times[end] - origin) / length < after:
            end += 1
        while (times[end - 1] - origin) / length >= after:
            end -= 1
        edges.append(end)
    edges.append(len(points))
    grams = points.g
    means = [fsum(grams[a:b]) / n if (n := b - a) >= least else inf for a, b in itertools.pairwise(edges)]
    return _Blocks(origin, length, means, edges)


def _levels(blocks: _Blocks, noise: float, quantum_g: float, policy: TallyPolicy) -> list[Level]:
    calm = _calm(blocks.means, max(policy.settled_range_g, 3.5 * noise), max(policy.settled_slope_g, 2 * noise))
    levels: list[Level] = []
    start = 0
    while start < len(calm):
        end = calm.index(False, start)
        if end - start >= 3:  # three windows: three eighths of a second
            _append(levels, _level(blocks, start, end + WINDOW - 1, noise, quantum_g, policy), policy)
        start = end + 1
    return levels


def _calm(means: Sequence[float], range_g: float, slope_g: float) -> bytearray:
    """Of each window of blocks whether it is settled, as 1 or 0; a 0 at the end."""
    settled = bytearray(b"\1" * max(0, len(means) - WINDOW + 1))
    doubtful = _doubtful(means, len(settled), min(range_g, slope_g))
    for i in doubtful:
        window = means[i : i + WINDOW]
        settled[i] = max(window) - min(window) <= range_g
    calm = settled + b"\0"
    for i in doubtful:
        if i + LAG < len(settled) and 0 not in settled[i : i + LAG + 1]:
            earlier, now = means[i : i + WINDOW], means[i + LAG : i + LAG + WINDOW]
            if abs(fsum(now) / WINDOW - fsum(earlier) / WINDOW) > slope_g:
                calm[i + 1 : i + LAG] = bytes(LAG - 1)
    return calm


def _doubtful(means: Sequence[float], count: int, limit_g: float) -> list[int]:
    """Windows that lie, with all up to LAG later, in no stretch so flat that they must be settled."""
    found: list[int] = []
    for at in range(0, count, LAG):
        stretch = means[at : at + 2 * LAG + WINDOW - 1]
        if not max(stretch) - min(stretch) <= limit_g:  # infinity less infinity is neither
            found += range(at, min(at + LAG, count))
    return found


def _level(blocks: _Blocks, start: int, end: int, noise: float, quantum_g: float, policy: TallyPolicy) -> Level:
    first = blocks.means[start : min(start + EDGE, end)]
    last = blocks.means[max(start, end - EDGE) : end]
    n = blocks.edges[start + len(first)] - blocks.edges[start]
    sd = (noise**2 / n + policy.level_sd_g**2 + (0.3 * quantum_g) ** 2) ** 0.5
    t1 = blocks.t(end - 1) + (blocks.t(1) - blocks.t(0))
    return Level(blocks.t(start), t1, fmean(first), fmean(last), sd)


def _append(levels: list[Level], level: Level, policy: TallyPolicy) -> None:
    """Add, or continue the previous level where the change between them is too small to be a step."""
    if levels:
        before = levels[-1]
        if abs(level.first_g - before.last_g) < max(policy.step_g, 4 * (before.sd_g**2 + level.sd_g**2) ** 0.5):
            levels[-1] = Level(before.t0, level.t1, before.first_g, level.last_g, before.sd_g)
            return
    levels.append(level)


def _from_the_start(
    levels: Sequence[Level], base_g: float, start_t: float, noise: float, policy: TallyPolicy
) -> list[Level]:
    """The baseline as first level, joined with the one that goes on through the opening; earlier ones dropped."""
    base = Level(start_t - END_S, start_t, base_g, base_g, (noise**2 / 40 + policy.level_sd_g**2) ** 0.5)
    found = [base]
    for level in levels:
        if level.t1 <= start_t:
            continue
        if level.t0 < start_t:  # it may have drifted since: what it drifted is counted in the rest
            found[0] = Level(base.t0, level.t1, base_g, level.last_g, base.sd_g)
        else:
            _append(found, level, policy)
    return found


def _to_the_end(levels: list[Level], tail: Points, noise: float, policy: TallyPolicy) -> None:
    """A last half second that still trembles a little (the closing barrier allows 3 sd) is a level too."""
    if len(tail) < 5 or levels[-1].t1 >= tail.t[-1] - 0.1:
        return
    grams = tail.g
    half = len(grams) // 2
    limit_g = 5 * noise
    spread = stdev(grams)
    if spread <= limit_g and abs(fmean(grams[:half]) - fmean(grams[half:])) <= limit_g / 2:
        sd = (spread**2 / 4 + policy.level_sd_g**2) ** 0.5  # a tremor's samples are not independent
        mean = fmean(grams)
        _append(levels, Level(tail.t[0], tail.t[-1] + 0.01, mean, mean, sd), policy)
