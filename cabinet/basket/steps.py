"""From raw samples of one zone to settled levels, the steps between them and the net change, with uncertainty.

Knows no products.  A hand, a spike and a ringing shelf are not settled; what is not settled is no level.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from cabinet.basket.evidence import Mass, Zone
from cabinet.basket.policy import TallyPolicy
from cabinet.units import ZoneId

WINDOW = 4  # blocks: a quarter of a second
LAG = 8  # blocks: half a second
EDGE = 8  # blocks averaged at either end of a level
TAIL_S = 0.45  # of a shelf that still trembles: three periods of its ringing, which average out
END_S = 1.5  # net masses average up to this much


@dataclass(frozen=True, slots=True)
class Level:
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
    blind_s: float = 0.0  # longest time without a good sample while the door was open


@dataclass(frozen=True, slots=True)
class _Block:
    t: float
    g: float | None
    n: int = 0


def samples(masses: Iterable[Mass], capacity_g: float) -> list[tuple[float, float]]:
    """(t, g) in order of time; flagged and saturated readings are left out."""
    good = [
        (mass.t + i / mass.hz, g)
        for mass in masses
        for i, g in enumerate(mass.g)
        if g is not None and -0.05 * capacity_g < g <= 1.02 * capacity_g  # beyond: bit slip or saturation
    ]
    good.sort()
    return good


def despiked(points: Sequence[tuple[float, float]], limit_g: float) -> list[tuple[float, float]]:
    """Without the samples that differ from the median of their five neighbours by more than the limit."""
    kept: list[tuple[float, float]] = []
    last = len(points) - 1
    for i, point in enumerate(points):
        g = point[1]
        calm = abs(g - points[max(i - 1, 0)][1]) <= limit_g and abs(g - points[min(i + 1, last)][1]) <= limit_g
        if calm or abs(g - median([p[1] for p in points[max(i - 2, 0) : i + 3]])) <= limit_g:
            kept.append(point)
    return kept


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
    before = [p for p in points if p[0] < released_t]
    if not before or released_t - before[0][0] < 1.0:
        before = [p for p in points if p[0] < opened_t]
    if len(before) < 10:
        return Weighing(zone, trouble="was not weighed before the door opened")
    start_t = before[-1][0]
    blind_s = _blind(points, opened_t, closed_t)
    if points[-1][0] < ended_t - 0.5:
        return Weighing(zone, trouble="stopped weighing before the visit ended", blind_s=blind_s)
    if about.noise_g >= 0.5 * about.quantum_g and len({g for _, g in points}) == 1 and len(points) > 160:
        return Weighing(zone, trouble="is stuck: every sample is the same", blind_s=blind_s)
    calm = [g for t, g in before if t > start_t - END_S]
    base_g, spread = _robust(calm)
    noise = min(max(noise, spread), 4 * noise)
    levels = _levels(_blocks(points, about.rate_hz, policy), noise, about.quantum_g, policy)
    levels = _from_the_start(levels, base_g, start_t, noise, policy)
    _to_the_end(levels, [p for p in points if p[0] >= max(closed_t, points[-1][0] - TAIL_S)], noise, policy)
    if levels[-1].t1 < points[-1][0] - 0.4 or levels[-1].t1 - max(closed_t, levels[-1].t0) < policy.least_end_s:
        return Weighing(zone, tuple(levels), trouble="did not settle after the door closed", blind_s=blind_s)
    end_from = max(closed_t, levels[-1].t0, points[-1][0] - END_S)
    end_g, _ = _robust([g for t, g in points if t >= end_from])
    net_g = end_g - base_g
    steps_g = sum(b.first_g - a.last_g for a, b in itertools.pairwise(levels))
    sd = (2 * (noise**2 / 20 + policy.level_sd_g**2) + (0.3 * about.quantum_g) ** 2 + policy.drift_sd_g**2) ** 0.5
    return Weighing(zone, tuple(levels), net_g, sd, net_g - steps_g, blind_s=blind_s)


def _blind(points: Sequence[tuple[float, float]], opened_t: float, closed_t: float) -> float:
    times = [opened_t, *(t for t, _ in points if opened_t < t < closed_t), closed_t]
    return max((b - a for a, b in itertools.pairwise(times)), default=0.0)


def _robust(grams: Sequence[float]) -> tuple[float, float]:
    """Mean without outliers beyond 4 sd (sd from the median of absolute deviations), and that sd."""
    middle = median(grams)
    sd = 1.4826 * median([abs(g - middle) for g in grams])
    return fmean([g for g in grams if abs(g - middle) <= 4 * sd + 1.0]), sd


def _blocks(points: Sequence[tuple[float, float]], hz: float, policy: TallyPolicy) -> list[_Block]:
    length = max(policy.block_s, 2 / hz)
    least = max(1, round(length * hz) // 2)
    origin = points[0][0]
    bins: list[list[float]] = [[] for _ in range(int((points[-1][0] - origin) / length) + 1)]
    for t, g in points:
        bins[int((t - origin) / length)].append(g)
    return [_Block(origin + i * length, fmean(b) if len(b) >= least else None, len(b)) for i, b in enumerate(bins)]


def _levels(blocks: Sequence[_Block], noise: float, quantum_g: float, policy: TallyPolicy) -> list[Level]:
    range_g, slope_g = max(policy.settled_range_g, 3.5 * noise), max(policy.settled_slope_g, 2 * noise)
    means = [_settled(blocks[i : i + WINDOW], range_g) for i in range(len(blocks) - WINDOW + 1)]
    calm = [m is not None for m in means]
    for i, now in enumerate(means[LAG:]):
        earlier = means[i]
        if earlier is None or now is None or not all(m is not None for m in means[i : i + LAG]):
            continue
        if abs(now - earlier) > slope_g:
            calm[i + 1 : i + LAG] = [False] * (LAG - 1)
    length = blocks[1].t - blocks[0].t if len(blocks) > 1 else policy.block_s
    levels: list[Level] = []
    start = 0
    for i in range(len(calm) + 1):
        if i < len(calm) and calm[i]:
            continue
        if i - start >= 3:  # three windows: three eighths of a second
            level = _level(blocks[start : i + WINDOW - 1], length, noise, quantum_g, policy)
            _append(levels, level, policy)
        start = i + 1
    return levels


def _settled(window: Sequence[_Block], range_g: float) -> float | None:
    grams = [b.g for b in window if b.g is not None]
    return fmean(grams) if len(grams) == WINDOW and max(grams) - min(grams) <= range_g else None


def _level(blocks: Sequence[_Block], length: float, noise: float, quantum_g: float, policy: TallyPolicy) -> Level:
    grams = [b.g for b in blocks if b.g is not None]
    first, last = grams[:EDGE], grams[-EDGE:]
    n = sum(b.n for b in blocks[:EDGE])
    sd = (noise**2 / n + policy.level_sd_g**2 + (0.3 * quantum_g) ** 2) ** 0.5
    return Level(blocks[0].t, blocks[-1].t + length, fmean(first), fmean(last), sd)


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


def _to_the_end(levels: list[Level], tail: Sequence[tuple[float, float]], noise: float, policy: TallyPolicy) -> None:
    """A last half second that still trembles a little (the closing barrier allows 3 sd) is a level too."""
    if len(tail) < 5 or levels[-1].t1 >= tail[-1][0] - 0.1:
        return
    grams = [g for _, g in tail]
    half = len(grams) // 2
    limit_g = 5 * noise
    if stdev(grams) <= limit_g and abs(fmean(grams[:half]) - fmean(grams[half:])) <= limit_g / 2:
        sd = (stdev(grams) ** 2 / 4 + policy.level_sd_g**2) ** 0.5  # a tremor's samples are not independent
        mean = fmean(grams)
        _append(levels, Level(tail[0][0], tail[-1][0] + 0.01, mean, mean, sd), policy)
