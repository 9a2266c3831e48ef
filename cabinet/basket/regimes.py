"""At rest or in motion: the most probable course of a zone's mass over block means, found while it happens.

A switching state-space model (Harrison & Stevens 1976): at rest the mass is a local level with a very small drift,
filtered by Kalman's recursion; in motion it is a walk with heavy-tailed (Cauchy) increments, or glides on as it did for
half a second, so that a hand, a slam or a slow lift is cheap to follow but dearer than rest where the mass does rest.
Each rest that may have begun is a run of its own with its own filter, as the run lengths of Adams & MacKay 2007 and
Fearnhead & Liu 2007; the single best course (Viterbi) is followed, not the mixture of Kim 1994: levels are told, not
shares.
While the mass rests and the block fits, motion is so much less probable that its score is worked out only when the next
block does not fit: the same score to the bit, as `_rests_on` argues.
Bound: `MOST` runs; those much less probable than the best are dropped.  Knows no grams of goods.
"""

from dataclasses import dataclass
from math import exp, inf, log, pi, sqrt
from typing import NamedTuple

from cabinet.basket.policy import TallyPolicy

MOST = 8  # runs followed at once: in motion a new one may begin with every block
NEAR, FAR = 4, 8  # blocks averaged, and blocks apart, to see whether it glides
LOST = 8  # blocks without samples after which no rest is taken to go on
SURE = 1e-6  # nats: far more than the rounding of scores
LOG_2PI = log(2 * pi)


class Rest(NamedTuple):
    """Blocks [start, end) were one rest; `before` are the earlier ones."""

    before: "Rest | None"
    start: int
    end: int


@dataclass(slots=True)
class Run:
    """A rest that may have begun with block `start` and still goes on."""

    score: float  # log
    before: Rest | None
    start: int
    level_g: float
    var_g2: float
    count: int = 1


# What the score of having moved with the newest block depends on, where nobody asked for it: the best rest before that
# block and its score then, the block's mean and variance, the mean before it, and the block after that one.
Due = tuple[Run, float, float, float, float, int]


class Regimes:
    """Give it the mean and its variance of each block in order of time; `None` where it had no samples."""

    def __init__(self, policy: TallyPolicy) -> None:
        self._drift_var = policy.walk_sd_g**2
        self._scale_g = policy.motion_g
        self._glide_g = policy.glide_g
        self._glides_g = 0.999 * policy.glide_g  # it may glide, sums being rounded
        self._leave, self._arrive = policy.log_leave, policy.log_arrive
        self._prune = policy.regime_nats
        self._near_g = policy.step_g / 2
        self._runs: list[Run] = []
        self._moving = (0.0, None)  # type: tuple[float, Rest | None]
        self._last_g = 0.0
        self._leaves_at_most = min(0.0, policy.log_leave)
        self._sure = max(0.0, policy.log_leave, policy.log_leave - policy.regime_nats) + SURE
        self._due: Due | None = None
        self._var_g2 = self._walk_least = self._glide_least = -1.0  # what `_bounds` gave, and of which variance
        self._sums = [0.0] * (FAR + NEAR + 2)  # of all means up to here and before, the newest last
        self._means = 0
        self._end = 0  # block after the last one with samples
        self._lost = 0
        self.unrest = 1.0  # variance of the blocks at rest, of what their samples let one expect

    @property
    def best(self) -> Run | None:
        """The rest that goes on in the best course; none while it is in motion."""
        if self._due is not None:
            return self._runs[0]
        return self._runs[0] if self._runs and self._runs[0].score >= self._moving[0] else None

    def rests(self) -> Rest | None:
        """The best course so far; the last rest may still go on."""
        best = self.best
        return Rest(best.before, best.start, self._end) if best else self._moving[1]

    def miss(self, blocks: int) -> None:
        self._lost += blocks
        if self._lost >= LOST and self._runs:
            if best := self.best:
                self._moving = (best.score + self._leave, Rest(best.before, best.start, self._end))
            self._runs, self._due = [], None

    def add(self, index: int, mean_g: float, var_g2: float) -> None:
        """The cost of a block in a settled stretch is one filter step; nothing else is tried while it fits."""
        runs = self._runs
        if runs and self._rests_on(runs[0], mean_g, var_g2):
            if not self._filter(mean_g, var_g2) or runs[-1].score <= runs[0].score - self._prune:
                self._sort_and_prune(-inf)
            self._last_g, self._end, self._lost = mean_g, index + 1, 0
            return
        if self._due is not None:
            self._moving, self._due = self._moved(self._due), None
        best = self.best
        if best and best.count >= FAR:
            off_g = mean_g - best.level_g
            odd = off_g * off_g / (best.var_g2 + var_g2)
            self.unrest = max(1.0, self.unrest + (min(odd, 9.0 * self.unrest) - self.unrest) / 32)
        self._sums.append(self._sums[-1] + mean_g)
        del self._sums[0]
        self._means += 1
        walk = self._motion(mean_g, var_g2, self._last_g)
        moved, rests = self._moving
        arrive = moved + self._arrive
        came = rests
        if best:
            left = best.score + self._leave
            if left > moved:
                moved, rests = left, Rest(best.before, best.start, self._end)
            if left + self._arrive > arrive:
                arrive, came = left + self._arrive, rests
        fresh = best is None or abs(mean_g - best.level_g) > self._near_g
        self._filter(mean_g, var_g2)
        self._moving = (moved + walk, rests)
        if fresh:
            runs.append(Run(arrive + walk, came, index, mean_g, var_g2))
        if len(runs) > 1:
            self._sort_and_prune(self._moving[0])
        elif runs and runs[0].score < self._moving[0] - self._prune:
            self._runs = []
        self._last_g, self._end, self._lost = mean_g, index + 1, 0

    def _filter(self, mean_g: float, var_g2: float) -> bool:
        """Whether the runs are still in order of their scores."""
        drift_var, before = self._drift_var, -1.0
        total = prior = fixed = after = 0.0
        ordered, above = True, inf
        for run in self._runs:
            if run.var_g2 != before:  # the variances of long rests are soon the same to the bit
                before = run.var_g2
                prior = before + drift_var
                total = prior + var_g2
                fixed = log(total) + LOG_2PI
                after = prior * var_g2 / total
            off_g = mean_g - run.level_g
            run.score = score = run.score - 0.5 * (fixed + off_g * off_g / total)
            run.level_g += off_g * prior / total
            run.var_g2 = after
            run.count += 1
            if score > above:
                ordered = False
            above = score
        return ordered

    def _sort_and_prune(self, moving: float) -> None:
        runs = self._runs
        if len(runs) > 1:
            runs.sort(key=_score, reverse=True)
            least = max(runs[0].score, moving) - self._prune
            self._runs = [run for run in runs[:MOST] if run.score > least]

    def _rests_on(self, run: Run, mean_g: float, var_g2: float) -> bool:
        """Whether this block fits the best rest beyond doubt; if so, all but the filters has been done for it.

        Moving means having left the rest before the block.  A block that is more probable at rest than in any motion
        makes leaving after it better still, so the score of having left before it is never looked at again, unless
        this is the last such block: what that score needs is in `_due`.
        """
        off_g, score = mean_g - run.level_g, run.score
        if run.count < FAR or not -self._near_g <= off_g <= self._near_g:
            return False
        if self._due is None and not score + self._leaves_at_most > self._moving[0]:
            return False
        square, total = off_g * off_g, run.var_g2 + self._drift_var + var_g2
        if var_g2 != self._var_g2:
            self._bounds(var_g2)
        less = 0.5 * (log(total) + LOG_2PI + square / total)
        if less > self._walk_least or (less > self._glide_least and self._may_glide()):
            return False
        odd, unrest = square / (run.var_g2 + var_g2), self.unrest
        self.unrest = max(1.0, unrest + (min(odd, 9.0 * unrest) - unrest) / 32)
        self._due = run, score, mean_g, var_g2, self._last_g, self._end
        sums = self._sums
        sums.append(sums[-1] + mean_g)
        del sums[0]
        self._means += 1
        return True

    def _may_glide(self) -> bool:
        sums = self._sums
        climbed_g = (sums[-1] - sums[-1 - NEAR] - sums[-1 - FAR] + sums[1]) / NEAR
        return self._means >= NEAR + FAR and not -self._glides_g < climbed_g < self._glides_g

    def _bounds(self, var_g2: float) -> None:
        """What a block at rest may cost at most to be more probable than any walk, and than any glide."""
        self._var_g2 = var_g2
        self._walk_least = log(pi * (self._scale_g + 5 * sqrt(var_g2))) - self._sure
        self._glide_least = -log(0.7 / sqrt(2 * pi * 1.3 * var_g2)) - self._sure

    def _moved(self, due: Due) -> tuple[float, Rest | None]:
        run, score, mean_g, var_g2, last_g, end = due
        return score + self._leave + self._motion(mean_g, var_g2, last_g), Rest(run.before, run.start, end)

    def _motion(self, mean_g: float, var_g2: float, last_g: float) -> float:
        """Log density of the block if the mass moves: it walks, or glides on as it did for half a second."""
        off_g = mean_g - last_g
        scale_g = self._scale_g + 5 * sqrt(var_g2)
        density = scale_g / (scale_g * scale_g + off_g * off_g) / pi
        sums = self._sums
        if self._means > NEAR + FAR:
            now_g = (sums[-2] - sums[-2 - NEAR]) / NEAR  # before this block, which is the newest
            slope = (now_g - (sums[-2 - FAR] - sums[0]) / NEAR) / FAR
            if abs(slope) * FAR > self._glide_g and slope * slope * FAR * FAR > 12 * var_g2:
                off_g = mean_g - now_g - slope * (NEAR + 1) / 2
                var = 1.3 * var_g2
                if off_g * off_g < 16 * var:
                    density = max(density, 0.7 * exp(-0.5 * off_g * off_g / var) / sqrt(2 * pi * var))
        return log(density)


def _score(run: Run) -> float:
    return run.score
