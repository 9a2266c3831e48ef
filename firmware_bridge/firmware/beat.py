"""When the converters convert: their own pace and phase, from conversions the loop sees late, never early.

The oscillators of converters differ by some percent from their nominal rate, and the loop meets a conversion up to
several milliseconds after it happened.  A straight line of time over index is laid along the *earliest* sightings:
they are the true ones, all others were only seen late.  Integers only; it judges no sample.

Lateness must stay under three quarters of a spacing, else one conversion is taken for lost that was not: loss is
then overstated, and no sample is ever invented.
"""

LEARNING, ROUGH, BETTER, FOLLOWING = 0, 1, 2, 3  # how well the pace is known; while LEARNING, a sighting is the time
SIZES = (64, 32, 64, 64)  # conversions between two corrections
PAUSE = 64  # conversions missed, after which the phase is taken anew
EARLY_US = 500  # seen this much before its time: proof that the line lies too late
NEVER = 1 << 28  # us


class Beat:
    """One line for all converters, nominally `rate_hz` a second; up to an eighth of deviation is believed."""

    def __init__(self, rate_hz: int) -> None:
        self._nominal = 256_000_000 // rate_hz  # 1/256 us
        self._period = self._nominal
        self._line_us = self._fraction = 0  # the line at the newest conversion: us, and 1/256 us
        self._now_us = 0  # the newest conversion
        self._started = False
        self._stage = LEARNING
        self._passed = 0  # of the stretch between two corrections
        self._first = self._second = NEVER  # the least lateness in either half of it, us

    def spacing_us(self) -> int:
        """The measured spacing, as it fits 16 bits."""
        return min((self._period + 128) >> 8, 65535)

    def time_us(self, back: int) -> int:
        """When the conversion `back` before the newest happened."""
        return self._now_us - (back * self._period >> 8)

    def slots(self, t_us: int) -> int:
        """How many conversions lie between the newest and one seen at `t_us`: 1 the next; 0 or less: too soon."""
        if not self._started:
            return 1
        period_us = self._period >> 8
        margin_us = period_us >> 2 if self._stage == FOLLOWING else period_us >> 3
        return (t_us - self._now_us + margin_us) // period_us

    def move(self, t_us: int, slots: int, *, heard: bool) -> None:
        """Go on by `slots` conversions, the last of which was seen at `t_us`; `heard`: that time is a converter's."""
        if not self._started or slots >= PAUSE:
            self._started = True
            self._now_us = self._line_us = t_us
            self._open()
            return
        self._fraction += self._period * slots
        self._now_us = self._line_us = self._line_us + (self._fraction >> 8)
        self._fraction &= 255
        if heard:
            self._sighted(t_us, slots)

    def rebase(self, later_us: int) -> None:
        """All times count from a moment `later_us` later."""
        self._now_us -= later_us
        self._line_us -= later_us

    def _sighted(self, t_us: int, slots: int) -> None:
        late_us = t_us - self._line_us
        self._passed += slots
        if not self._stage:
            self._now_us = t_us
        elif late_us < -EARLY_US:
            self._now_us = self._line_us = t_us
            self._first -= late_us
            self._second -= late_us
            late_us = 0
        size = SIZES[self._stage]
        if self._passed <= size >> 1:
            self._first = min(self._first, late_us)
        else:
            self._second = min(self._second, late_us)
        if self._passed >= size:
            self._correct(size >> 1)

    def _open(self) -> None:
        self._passed = self._fraction = 0
        self._first = self._second = NEVER

    def _correct(self, half: int) -> None:
        """Turn and shift the line by what the earliest of both halves say."""
        late_us = self._second
        if self._first < NEVER >> 1 and late_us < NEVER >> 1:
            turn = ((late_us - self._first) << 8) // half
            if self._stage == FOLLOWING:
                most = self._nominal >> 10
                turn = max(-most, min(turn >> 2, most))
                late_us = late_us >> 2 if late_us > 0 else late_us  # all late: perhaps just a busy second
            eighth = self._nominal >> 3
            self._period = max(self._nominal - eighth, min(self._period + turn, self._nominal + eighth))
            self._line_us = self._line_us + late_us if self._stage else self._now_us
            self._now_us = self._line_us
            self._stage = min(self._stage + 1, FOLLOWING)
        self._open()
