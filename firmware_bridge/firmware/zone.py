"""One cell's samples judged: a number that can be believed, or the reason why not; and what ails the cell.

Integers only, and a batch at a time: a quiet batch passes through C-coded min and max and one short loop, because a
Pico has 150 us for a sample of each of twelve zones.  It knows neither grams nor time, only indexes of conversions.

A **spike** is one sample far from both neighbours on the same side, while the two before and the three after lie
quiet.  That takes three samples of delay, and keeps apart what one could not: a shelf that rings at a quarter of the
rate also comes back once, but not to rest; one that rings at a third rests for two samples, but not for three.  A true
load moves several samples in a row (the converter's own filter spreads even a knock over four), and what stays is
never a spike.

A **slip** is what the driver says lost step, or a spike that looks like it: about half of its neighbours (a clock
lost among the leading bits), about double (one too many), or with its low bits all set (the converter fell asleep).
"""

from . import codes as c

HIGHEST, LOWEST = 8_388_607, -8_388_608  # either end of 24 bits: the converter is saturated
BAD = -(1 << 25)  # a reason is BAD + n: small enough for the Pico's small integers, and far from any count
HOLE = BAD + c.BAD_UNKNOWN
SETTLING = BAD + c.BAD_SETTLING
SATURATED = BAD + c.BAD_SATURATED
SLIP = BAD + c.BAD_SLIP
SPIKE = BAD + c.BAD_SPIKE
NONE = BAD + c.BAD_NONE

SETTLE = 8  # conversions: twice the 50 ms at 80 a second of HX711's data sheet
STUCK = 48  # equal counts in a row
SATURATION = 40  # samples in a row at either end
NOISY, NOISY_OF = 10, 80
FLOOR = 400  # counts a spike stands out at least: 9 sigma of the data sheet's 90 nV rms at gain 128
QUIETER = 8  # so many times as far as its neighbourhood moves
WAIT = 3  # samples that must follow one before it is judged
PAST = 2 + WAIT  # samples that the next judgement looks back on
TRAIL = 0x3FF  # the low bits of a converter that fell asleep while it was read

IS_STUCK, IS_SATURATED, IS_NOISY = 1, 2, 4


class Zone:
    """What is known of one cell.

    `restart_after`: conversions in a row after which a converter that was away starts anew; `keep`: how many
    judgements `history` holds.
    """

    def __init__(self, restart_after: int, keep: int) -> None:
        self._restart_after, self._keep = restart_after, keep
        self._tail = [HOLE] * PAST  # the last samples; WAIT of them still wait for their successors
        self._skip = WAIT  # places of the tail that are no samples
        self.taken = -1  # index of the newest conversion that was looked at
        self.judged = -1  # index of the newest sample in `history`
        self.history: list[tuple[int, list[int]]] = []  # (index of the first, samples)
        self.trouble = 0  # IS_...
        self.calm_from = 0  # since this index all good samples have stayed within the noise
        self._low, self._high = HIGHEST, LOWEST
        self._noise = 0  # how far apart the samples of one judgement lie at rest, 1/16 count
        self._settle = SETTLE
        self._silent = 0  # conversions without this converter, in a row
        self._equal, self._last = 0, HOLE  # samples in a row, counted in whole judgements
        self._doubtful: list[int] = []  # indexes of the newest slips and spikes

    def judge(self, values: list[int], index: int) -> list[int]:
        """Take `values` (changed in place), the newest of conversion `index`; the samples judged now, up to `judged`.

        The newest WAIT wait for their successors.
        """
        self.taken = index
        window = self._tail + values
        low, high = min(window), max(window)
        if low <= LOWEST or high >= HIGHEST or self._settle or self._silent:
            self._cleanse(values)
            window = self._tail + values
            low, high = min(window), max(window)
        if low == high:
            self._count_equal(low, len(values))
        elif self._equal:
            self._equal = 0
            self.trouble &= IS_NOISY
        return self._pass(window, low, high)

    def end(self) -> list[int]:
        """What still waits, judged without successors: conversions were missed."""
        return self._pass(self._tail + [HOLE] * WAIT, HOLE, HIGHEST)

    def resume(self, index: int) -> None:
        """All conversions up to `index` were missed; nothing is compared across the gap."""
        self._tail, self._skip = [HOLE] * PAST, WAIT
        self.taken = self.judged = index

    def _pass(self, window: list[int], low: int, high: int) -> list[int]:
        """Judge window[2:-WAIT]; all of it lies between `low` and `high`."""
        noise = self._noise
        limit = 11 * noise >> 6  # 2.75 times as far apart: 9 sigma of white noise
        if limit < FLOOR:  # noqa: PLR1730  max() costs more
            limit = FLOOR
        apart = high - low
        if apart > limit:
            apart = _suspect(window, limit)
            low = HOLE  # good or bad, to be looked at again
        self._tail = window[-PAST:]
        samples = window[2:-WAIT]
        if self._skip:
            dropped = min(self._skip, len(samples))
            self._skip -= dropped
            samples = samples[dropped:]
        if not samples:
            return samples
        change = (apart << 4) - noise
        self._noise = noise + (change >> (1 if change > 0 else 3))  # quick to be careful, slow to be sharp again
        first = self.judged + 1
        self.judged += len(samples)
        self.history.append((first, samples))
        if len(self.history) > self._keep:
            self.history.pop(0)
        if low < LOWEST:
            self._sift(first, samples, limit)
        elif low < self._low or high > self._high:
            self._widen(low, high, limit)
        if self._doubtful:
            self._weigh_doubts()
        return samples

    def silent(self) -> bool:
        """Whether this converter has missed so many conversions that it must start anew."""
        return self._silent >= self._restart_after

    def newest_reason(self) -> int:
        """Why the newest bad sample is bad: 0 if there is none."""
        for _, samples in reversed(self.history):
            for value in reversed(samples):
                if value < LOWEST:
                    return value - BAD
        return c.BAD_UNKNOWN

    def _cleanse(self, values: list[int]) -> None:
        """In place: sign, saturation, settling."""
        for at, value in enumerate(values):
            if value == NONE:
                self._silent += 1
                continue
            if self._silent >= self._restart_after:
                self._settle = SETTLE  # it was switched off, or plugged in
            self._silent = 0
            if value >= LOWEST:  # not a slip
                value = ((value & 0xFFFFFF) ^ 0x800000) - 0x800000  # noqa: PLW2901  the same number, signed
                values[at] = SATURATED if value in (HIGHEST, LOWEST) else value
            if self._settle:
                self._settle -= 1
                values[at] = SETTLING

    def _count_equal(self, value: int, count: int) -> None:
        """`count` samples and the few before are all `value`: a live converter always has noise."""
        self._equal = self._equal + count if self._equal and value == self._last else count + PAST
        self._last = value
        self.trouble &= IS_NOISY
        if value >= LOWEST and self._equal >= STUCK:
            self.trouble |= IS_STUCK
        elif value == SATURATED and self._equal >= SATURATION:
            self.trouble |= IS_SATURATED

    def _sift(self, first: int, samples: list[int], limit: int) -> None:
        """Samples some of which may be bad: count the doubtful, frame the good."""
        good = [value for value in samples if value >= LOWEST]
        if len(good) < len(samples):
            for at, value in enumerate(samples):
                if value in (SLIP, SPIKE):
                    self._doubtful = self._doubtful[-NOISY:]
                    self._doubtful.append(first + at)
        if good:
            self._widen(min(good), max(good), limit)
        else:
            self.calm_from = self.judged + 1

    def _widen(self, low: int, high: int, limit: int) -> None:
        """Is it still calm with samples as low and as high as these?  9 sigma apart is hardly by chance."""
        self._low, self._high = min(self._low, low), max(self._high, high)
        if self._high - self._low > limit:
            self.calm_from = self.judged + 1
            self._low, self._high = (low, high) if high - low <= limit else (HIGHEST, LOWEST)

    def _weigh_doubts(self) -> None:
        doubtful = self._doubtful
        if len(doubtful) > NOISY and self.judged - doubtful[-1 - NOISY] < NOISY_OF:
            self.trouble |= IS_NOISY
        else:
            self.trouble &= ~IS_NOISY


def _suspect(window: list[int], limit: int) -> int:
    """Name the slips and spikes among window[2:-WAIT], in place; how far apart these samples would lie at rest."""
    usual = _usual_step(window)
    for at in range(2, len(window) - WAIT):
        value = window[at]
        if value >= LOWEST and abs(value - window[at - 1]) > limit:
            window[at] = _named(window, at, limit, usual)
    return 9 * usual >> 1  # white noise: 0.74 sigma, and 3.3 sigma between the ends of 13


def _named(window: list[int], at: int, limit: int, usual: int) -> int:
    """The sample at `at`, or SLIP or SPIKE if it is one.  Where its successors are not known it is believed."""
    earlier, before, value, after, later, last = window[at - 2 : at + 4]
    if before < LOWEST:
        before, earlier = earlier, HOLE
    if before < LOWEST:
        return value
    if after == NONE and later == NONE and abs(value - before) > limit and value & TRAIL == TRAIL:
        return SLIP  # it fell asleep, and now it starts anew
    if min(after, later, last) < LOWEST:
        return value
    far = min(abs(value - before), abs(value - after))
    if far <= limit or (value > before) != (value > after):
        return value
    moved = max(abs(after - before), abs(later - after), abs(last - later))
    if earlier >= LOWEST:
        moved = max(moved, abs(before - earlier))
    if far <= QUIETER * moved:
        return value
    level = (before + after) >> 1
    if far <= 16 * usual:
        return value  # everything moves
    doubled = ((2 * level & 0xFFFFFF) ^ 0x800000) - 0x800000
    if abs(value - (level >> 1)) <= limit or abs(value - doubled) <= 2 * limit or value & TRAIL == TRAIL:
        return SLIP
    return SPIKE


def _usual_step(window: list[int]) -> int:
    """The step from sample to sample that four in ten stay below: spikes here and there do not change it."""
    steps = []
    before = HOLE
    for value in window:
        if before >= LOWEST and value >= LOWEST:
            steps.append(abs(value - before))
        before = value
    steps.sort()
    return steps[2 * len(steps) // 5] if steps else 0
