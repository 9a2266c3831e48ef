"""The settled levels of one zone while its samples come in, and the same ones when they are all there.

Each complete block (62 ms) is judged once; a level's edges are means in which a shaken block counts for less.
Once another level follows, a level never changes again, but that a change too small for a step may join the two.
Refuses nothing; knows no products and no door.
"""

from math import inf
from typing import NamedTuple

from cabinet.basket.blocks import Blocks
from cabinet.basket.evidence import Mass, Zone
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.regimes import Regimes, Rest

EDGE = 8  # blocks averaged at either end of a level: half a second
SLOPE = 8  # blocks: half a second
UNREST = 9.0  # slow vibration is known by its blocks: up to three times the noise
CALM = 1.5  # chance: the estimate of unrest is off by 0.2 (sd)
SHAKEN = 4.0  # times the variance of its noise: a block of which the samples scatter more is shaken


class Level(NamedTuple):
    """A stretch of settled mass.  `first_g` and `last_g` are means of its edges; between them it may drift."""

    t0: float
    t1: float
    first_g: float
    last_g: float
    sd_g: float  # of first_g
    last_sd_g: float = 0.0  # of last_g


class Detector:
    """`add` every batch in order of time; the levels are those that weighing the whole trace up to here would give."""

    def __init__(self, about: Zone, policy: TallyPolicy) -> None:
        self._policy, self._about = policy, about
        noise_g = max(about.noise_g, about.quantum_g / 3.5)
        self._noise_var = noise_g**2
        self._floor = (0.3 * about.quantum_g) ** 2 / 5
        self._shaken_g2 = SHAKEN * self._noise_var
        self._blocks = Blocks(about, policy, self._shaken_g2)
        self._still_var = self._noise_var / max(1, round(self._blocks.length_s * about.rate_hz)) + self._floor
        self._regimes = Regimes(policy)
        self._means: list[float] = []
        self._vars: list[float] = []
        self._unrest: list[float] = []

    def add(self, mass: Mass) -> None:
        blocks = self._blocks.add(mass)
        if not blocks:
            return
        regimes, means, variances, unrests = self._regimes, self._means, self._vars, self._unrest
        for number, mean_g, var_g2, samples in blocks:
            missed = number - len(means)
            if missed:
                means += [inf] * missed
                variances += [inf] * missed
                unrests += [1.0] * missed
                regimes.miss(missed)
            unrest = min(regimes.unrest, UNREST) if regimes.unrest > CALM else 1.0
            var = (self._noise_var if var_g2 < self._shaken_g2 else var_g2) / samples * unrest + self._floor
            unrests.append(unrest)
            means.append(mean_g)
            variances.append(var)
            regimes.add(number, mean_g, var)

    @property
    def settled(self) -> bool:
        best = self._regimes.best
        return best is not None and best.count >= self._policy.least_blocks

    def levels(self) -> tuple[Level, ...]:
        found: list[Level] = []
        rests: list[Rest] = []
        rest = self._regimes.rests()
        while rest:
            rests.append(rest)
            rest = rest.before
        for rest in reversed(rests):
            if (level := self._level(rest.start, rest.end)) is not None:
                joined(found, level, self._policy)
        return tuple(found)

    def _level(self, start: int, end: int) -> Level | None:
        """None where it is too short, or climbs too fast for a rest."""
        edge = min(EDGE, end - start)
        first_g, first_var, n = self._mean(start, start + edge)
        last_g, last_var, _ = self._mean(end - edge, end)
        shaken = n * first_var > UNREST * self._still_var
        if n < self._policy.least_blocks * (2 if shaken else 1):
            return None
        if end - start < 3 * EDGE and self._slopes(start, end):
            return None
        t, length = self._blocks.origin_s, self._blocks.length_s
        floor = self._policy.level_sd_g**2
        return Level(
            t + start * length, t + end * length, first_g, last_g, (first_var + floor) ** 0.5, (last_var + floor) ** 0.5
        )

    def _mean(self, start: int, end: int) -> tuple[float, float, int]:
        """Mean, each block weighed by how still it was, its variance, and how many blocks had samples."""
        weights = [1 / v for v in self._vars[start:end]]
        total = sum(weights)
        mean_g = sum([w * g for w, g in zip(weights, self._means[start:end], strict=True) if w]) / total
        count = sum([w > 0 for w in weights])
        # blocks of a slow vibration are not independent; a ringing tray's cancel out in part, hence a little less (M)
        alike = 0.8 * (1 + self._unrest[end - 1]) / 2
        return mean_g, alike / total, count

    def _slopes(self, start: int, end: int) -> bool:
        """Whether a short stretch climbs, or only goes on with the climb before it."""
        points = [(i, self._means[i], 1 / self._vars[i]) for i in range(start, end) if self._means[i] < inf]
        total = sum([w for _, _, w in points])
        middle = sum([w * i for i, _, w in points]) / total
        mean_g = sum([w * g for _, g, w in points]) / total
        var = 1 / sum([w * (i - middle) ** 2 for i, _, w in points])
        slope = sum([w * (i - middle) * (g - mean_g) for i, g, w in points]) * var
        if abs(slope) * SLOPE > self._policy.settled_slope_g + SLOPE * var**0.5:
            return True
        if start < 6:
            return False
        a, b, c, d = (self._means[i] for i in (start - 6, start - 5, start - 2, start - 1))
        climb = (c + d - a - b) / 8
        if not abs(climb) * SLOPE > self._policy.glide_g:
            return False
        off = abs(slope - climb)
        return off < abs(slope) and off * off < 4 * (var + len(points) / total / 16)  # 16: of two means of two, 4 apart


def joined(levels: list[Level], level: Level, policy: TallyPolicy) -> None:
    """Add, or continue the previous level where the change between them is too small to be a step."""
    if levels:
        before = levels[-1]
        sd = (before.last_sd_g**2 + level.sd_g**2) ** 0.5
        # what lies between them may have been a glide: twice what drift may do in that time, a light thing at most
        glided_g = min(2 * policy.glide_g * (level.t0 - before.t1) / 0.5, 3 * policy.step_g)
        if abs(level.first_g - before.last_g) < max(policy.step_g, 4 * sd, glided_g):
            levels[-1] = before._replace(t1=level.t1, last_g=level.last_g, last_sd_g=level.last_sd_g)
            return
    levels.append(level)
