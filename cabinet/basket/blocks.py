"""Means of equal stretches of time (blocks) from batches of samples cut anyhow: the same samples give the same blocks.

Time is counted in whole ticks from the first sample, so that no rounding depends on where a batch was cut.  Knows no
levels; refuses nothing: flagged and saturated samples are left out, late ones (older than the block at hand) as well.
"""

import math
from collections.abc import Sequence

from cabinet.basket.evidence import Mass, Zone
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.samples import TICK_HZ, median, ticks_apart

FEWEST = 2  # of five samples: below that a block says nothing
AT_MOST_ODD = 2  # samples of a block that may be spikes: the others must be the majority

# Number on the grid that begins with the first sample, mean (g), variance of the samples about it (g2; 0 where it is
# surely below the one asked for), samples.  A plain tuple, because there are two hundred of them a second.
Block = tuple[int, float, float, int]


class Blocks:
    """Give it batches in order of time; it gives the blocks that are complete.  A block without samples is skipped.

    Whether a variance is less than `least_g2` is all one wants to know of it, and that costs a third of the variance.
    """

    def __init__(self, about: Zone, policy: TallyPolicy, least_g2: float = 0.0) -> None:
        self.length_s = round(max(policy.block_s, 2 / about.rate_hz) * TICK_HZ) / TICK_HZ
        self.origin_s = 0.0
        self._low_g, self._high_g = -0.05 * about.capacity_g, 1.02 * about.capacity_g  # bit slip or saturation
        self._fewest = max(1, min(FEWEST, round(self.length_s * about.rate_hz) // 2))
        self._spike_g = max(policy.spike_g, 8 * about.noise_g)
        # no two samples are further apart than 1.42 times the root of all squares; a thousandth less: sums are rounded
        self._calm_g, self._calm_g2 = self._spike_g / 1.42, 0.999 * least_g2
        self._length = round(self.length_s * TICK_HZ)
        self._origin: int | None = None
        self._index = 0
        self._held: list[float] = []
        self._next = 0  # tick after the newest sample: earlier ones came before
        self._hz, self._step, self._each = 0.0, 0, 0  # the rate met last; ticks and samples of a block where whole

    def add(self, mass: Mass) -> list[Block]:
        first, grams = round(mass.t * TICK_HZ), mass.g
        if self._origin is None:
            self._origin, self.origin_s = first, first / TICK_HZ
        if mass.hz != self._hz:
            self._hz, self._step = mass.hz, ticks_apart(mass.hz)
            self._each = 0 if not self._step or self._length % self._step else self._length // self._step
        low_g, high_g = self._low_g, self._high_g
        good = [g for g in grams if g is not None and low_g < g <= high_g]
        if good and len(good) == len(grams) and self._each >= self._fewest and first >= self._next:
            return self._regular(first - self._origin, first, good)
        return self._any(self._origin, first, TICK_HZ / mass.hz, grams)

    def _regular(self, since: int, first: int, grams: list[float]) -> list[Block]:
        """All good, each block with as many of them: nearly always."""
        found: list[Block] = []
        index, length, step, each, count = since // self._length, self._length, self._step, self._each, len(grams)
        if index != self._index:
            self._full(found)
            self._index = index
        at = -((since - (index + 1) * length) // step)  # samples up to the next block
        if at >= count:
            self._held += grams
        else:
            self._held += grams[:at]
            self._full(found)
            index += 1
            until = at + (count - at - 1) // each * each  # the last block may go on
            if until > at:
                for some in zip(*[iter(grams[at:until])] * each, strict=True):
                    found.append(self._block(index, some))
                    index += 1
            self._held, self._index = grams[until:], index
        self._next = max(self._next, round(first + (count - 0.5) * step))
        return found

    def _any(self, origin: int, first: int, step: float, grams: tuple[float | None, ...]) -> list[Block]:
        found: list[Block] = []
        count, at = len(grams), 0
        low_g, high_g = self._low_g, self._high_g
        if first < self._next and count:  # sent twice, or too late
            at = min(count, max(0, round((self._next - first) / step)))
        while at < count:
            index = (round(first + at * step) - origin) // self._length
            if index != self._index:
                self._full(found)
                self._index = index
            ends = origin + (index + 1) * self._length  # the tick at which the next block begins
            until = min(count, at + max(1, math.ceil((ends - 0.5 - first) / step) - at))
            self._held += [g for g in grams[at:until] if g is not None and low_g < g <= high_g]
            at = until
        if count:
            self._next = max(self._next, round(first + (count - 0.5) * step))
        return found

    def _full(self, found: list[Block]) -> None:
        if len(self._held) >= self._fewest:
            found.append(self._block(self._index, self._held))
        self._held = []

    def _block(self, index: int, grams: Sequence[float]) -> Block:
        count = len(grams)
        mean_g = sum(grams) / count
        off_g = math.dist(grams, (mean_g,) * count)
        if off_g < self._calm_g and off_g * off_g < self._calm_g2 * (count - 1):
            return index, mean_g, 0.0, count
        if max(grams) - min(grams) > self._spike_g:
            grams = _without_spikes(grams, self._spike_g)
            count = len(grams)
            mean_g = sum(grams) / count
        return index, mean_g, sum([(g - mean_g) ** 2 for g in grams]) / max(1, count - 1), count


def _without_spikes(grams: Sequence[float], limit_g: float) -> Sequence[float]:
    """Without one or two samples far off, where all the others agree."""
    middle_g = median(sorted(grams))
    kept = [g for g in grams if abs(g - middle_g) <= limit_g]
    agree = len(kept) > len(grams) / 2 and max(kept) - min(kept) <= limit_g
    return kept if agree and len(grams) - len(kept) <= AT_MOST_ODD else grams
