"""From raw samples of one zone to settled levels, the steps between them and the net change, with uncertainty.

Method: a switching state-space model (Harrison & Stevens, Bayesian Forecasting, JRSS B 38, 1976) over means of 62 ms.
At rest the mass is a local level with a very small drift, one Kalman filter for each time the rest may have begun
(run lengths: Adams & MacKay 2007); in motion it walks with heavy-tailed steps, or glides on.  The best course is
followed (Viterbi, as Fearnhead & Liu 2007), in `regimes.py`; `online.py` makes levels of it while samples come in, and
`weigh` uses that same detector over the whole trace, so both agree to the bit, however the samples were cut.

Bounds: eight runs, constant work for each block.  Not to be told apart: takes with less than a quarter second of rest
between them (one step of both masses; a tray rings with a period of 0.14 s); a light thing taken at less than some
6 g/s, which is drift and goes into `rest_g`; a hand that rests as still as goods do, which is a level until it goes
(the stories weigh that); vibration slower than 4 Hz beyond three times the noise, which is motion.

Knows no products.  A hand, a spike and a ringing shelf are not settled; what is not settled is no level.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import fmean, stdev

from cabinet.basket.evidence import Mass, Zone
from cabinet.basket.online import Detector, Level, joined
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.samples import Points, despiked, median, samples, whole
from cabinet.units import ZoneId

__all__ = ["Detector", "Level", "Weighing", "weigh"]

TAIL_S = 0.45  # of a shelf that still trembles: three periods of its ringing, which average out
END_S = 1.5  # net masses average up to this much
STUCK = 48  # equal samples at the end: a live converter has noise (PROTOCOL.md, fault 14)
BLIND_S = 0.9  # shorter gaps are passed over: a person is told from one second on


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
    ordered = whole(sorted(masses, key=attrgetter("t")))
    noise = max(about.noise_g, about.quantum_g / 3.5)
    points = despiked(samples(ordered, about.capacity_g), max(policy.spike_g, 8 * noise))
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
    detector = Detector(about, policy)
    for mass in ordered:
        detector.add(mass)
    levels = _from_the_start(detector.levels(), base_g, start_t, noise, policy)
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


def _from_the_start(
    levels: Sequence[Level], base_g: float, start_t: float, noise: float, policy: TallyPolicy
) -> list[Level]:
    """The baseline as first level, joined with the one that goes on through the opening; earlier ones dropped."""
    sd = (noise**2 / 40 + policy.level_sd_g**2) ** 0.5
    base = Level(start_t - END_S, start_t, base_g, base_g, sd, sd)
    found = [base]
    for level in levels:
        if level.t1 <= start_t:
            continue
        if level.t0 < start_t:  # it may have drifted since: what it drifted is counted in the rest
            found[0] = base._replace(t1=level.t1, last_g=level.last_g, last_sd_g=level.last_sd_g)
        else:
            joined(found, level, policy)
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
        joined(levels, Level(tail.t[0], tail.t[-1] + 0.01, mean, mean, sd, sd), policy)
