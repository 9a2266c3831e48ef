"""From the converters' counts to grams that can be believed: batches, means, faults of cells.

Every sample leaves here as a number or as a reason, with the index of its conversion: what was missed shows as a
jump of the index, what is doubtful is called bad (zone.py says what), nothing is made up.  No floats.  Zones are
judged and given out in turn, a few at each conversion, so that no pass of the loop is long.
"""

from . import codes as c
from .beat import Beat
from .memory import Memory
from .zone import BAD, IS_NOISY, IS_SATURATED, IS_STUCK, LOWEST, NONE, SLIP, Zone

DEAD_MS = 200
JUDGE_MS = 100  # at most from one judgement of a zone to the next
SPARE = 8  # judgements kept beyond a second: questions and gaps make some of them short
MOST_DUE = 4  # batches of each zone that wait to be fetched; the oldest goes for a newer one, its indexes are missing
FAULT_OF = ((IS_STUCK, c.CELL_STUCK), (IS_SATURATED, c.CELL_SATURATED), (IS_NOISY, c.CELL_NOISY))
SMALL = 1 << 29  # a product below this and 24 bits more stay small integers on a chip of 32 bits
REBASE_US = 1 << 28  # times inside are since a base that is never older: small integers too
WIRE = [c.BAD_SAMPLE + n for n in range(7)]  # what BAD + n is outside


class Cells:
    """`zones` converters read together at `rate_hz` (16 or more), given out in batches of `batch` samples.

    The zero and span of each zone are `memory`'s, as they are at the moment.  Conversions are counted from boot.
    """

    def __init__(self, zones: int, rate_hz: int, batch: int, memory: Memory, now_ms: int) -> None:
        self.rate_hz = rate_hz
        self._memory, self._batch = memory, batch
        self._beat = Beat(rate_hz)
        whole = [n for n in range(1, batch + 1) if batch % n == 0]
        self._step = max(n for n in whole if n == 1 or n * 1000 <= JUDGE_MS * rate_hz)
        keep = rate_hz // self._step + SPARE
        self._zones = [Zone(rate_hz * DEAD_MS // 1000, keep) for _ in range(zones)]
        self._troubles = [0] * zones
        self._places = [zone * batch // zones for zone in range(zones)]  # in the batch, where each zone's turn comes
        self._turns: list[list[int]] = [[] for _ in range(self._step)]
        for zone, place in enumerate(self._places):
            self._turns[place % self._step].append(zone)
        self._base_ms = now_ms  # what the beat's times count from
        self._base_us = now_ms * 1000
        self._index = -1  # of the newest conversion
        self._rows: list[list[int]] = []  # the newest conversions, a number for each zone
        self._open: list[list[int]] = [[] for _ in range(zones)]  # batches that are being filled
        self._due: list[tuple[int, int, int, list[int]]] = []
        self._most_due = MOST_DUE * zones
        self._all_seen_ms = now_ms
        self._seen_ms = [now_ms] * zones

    # -- what comes in

    def sampled(self, t_us: int, raws: list[int | None], slips: int) -> None:
        """One conversion of all zones, seen at `t_us`; None: that converter had none; bit n of `slips`: n lost step."""
        beat, base_us = self._beat, self._base_us
        if t_us - base_us >= REBASE_US:
            base_us = t_us // 1000 * 1000
            beat.rebase(base_us - self._base_us)
            self._base_us, self._base_ms = base_us, base_us // 1000
        t_us -= base_us
        now_ms = self._base_ms + t_us // 1000
        slots, heard = beat.slots(t_us), True
        row: list[int] = list(raws)  # type: ignore[arg-type]  # the next lines take the None out
        if slips or None in raws:
            heard = self._mark(now_ms, row, slips)
            if slots < 1 and not heard:
                return  # nobody answered, and nobody had to yet
        else:
            self._all_seen_ms = now_ms
        if slots > 1:
            self._cut_off(slots - 1)
        self._index += 1
        beat.move(t_us, max(slots, 1), heard=heard)
        self._rows.append(row)
        index, step = self._index, self._step
        if len(self._rows) > 2 * step:
            self._rows = self._rows[step:]
        for number in self._turns[index % step]:
            self._judge(number)
            if (index - self._places[number]) % self._batch == 0:
                self._give_out(number)

    def _mark(self, now_ms: int, row: list[int], slips: int) -> bool:
        """Put reasons in the row; whether any converter spoke."""
        heard = False
        for number in range(len(row)):
            if row[number] is None:
                row[number] = NONE
            else:
                heard = True
                self._seen_ms[number] = now_ms
                if slips >> number & 1:
                    row[number] = SLIP
        return heard

    def _judge(self, number: int) -> None:
        zone = self._zones[number]
        count = self._index - zone.taken
        if count:
            judged = zone.judge([row[number] for row in self._rows[-count:]], self._index)
            self._open[number] = self._open[number] + judged if self._open[number] else judged
            self._troubles[number] = zone.trouble

    def _cut_off(self, missed: int) -> None:
        """Conversions were missed by all: give out what there is, and go on after the gap."""
        for number, zone in enumerate(self._zones):
            self._judge(number)
            self._give_out(number)
            self._open[number] = zone.end()  # a batch of its own: the one before may be full
            self._give_out(number)
            zone.resume(self._index + missed)
        self._rows = []
        self._index += missed

    def _give_out(self, number: int) -> None:
        values = self._open[number]
        if not values:
            return
        self._open[number] = []
        first = self._zones[number].judged + 1 - len(values)
        t_ms = self._base_ms + self._beat.time_us(self._index - first) // 1000
        due = self._due
        if len(due) == self._most_due:
            due.pop(0)
        due.append((number, first, t_ms, values))

    # -- what goes out

    def ready(self) -> list[tuple[int, int, int, int, list[int], list[int]]]:
        """Full batches since last asked: zone, index and t_ms of the first sample, spacing_us, dg, counts.

        Samples that are none are BAD_SAMPLE plus the reason in both lists.
        """
        due = self._due
        if not due:
            return []
        self._due = []
        spacing_us = self._beat.spacing_us()
        return [
            (number, first, t_ms, spacing_us, self._weighed(number, values), _outside(values))
            for number, first, t_ms, values in due
        ]

    def faults(self, now_ms: int) -> list[tuple[int, int]]:
        """(code, zone) of every fault of a cell that holds now."""
        found: list[tuple[int, int]] = []
        asleep = now_ms - self._all_seen_ms > DEAD_MS
        if not asleep and not any(self._troubles):
            return found
        for number, zone in enumerate(self._zones):
            if asleep and now_ms - self._seen_ms[number] > DEAD_MS:
                found.append((c.CELL_DEAD, number))
            elif zone.trouble:
                found += [(code, number) for bit, code in FAULT_OF if zone.trouble & bit]
        return found

    def signal(self, number: int, now_ms: int) -> bool:
        """Whether this zone lives: not dead, stuck or saturated."""
        dead = now_ms - max(self._all_seen_ms, self._seen_ms[number]) > DEAD_MS
        return not dead and not self._zones[number].trouble & (IS_STUCK | IS_SATURATED)

    def newest(self, number: int, most: int) -> list[int]:
        """The good counts among the newest `most` conversions but the last few, in order; at most a second of them."""
        self._judge(number)
        zone = self._zones[number]
        oldest = zone.judged + 1 - most
        good: list[int] = []
        for first, values in zone.history:
            if first < oldest:
                values = values[oldest - first :] if first + len(values) > oldest else []  # noqa: PLW2901  its newer part
            if values:
                good += values if min(values) >= LOWEST else [value for value in values if value >= LOWEST]
        return good

    def means_dg(self, now_ms: int, over_ms: int) -> list[int]:
        """Of each zone the mean of the last `over_ms` (at most 1000), or BAD_SAMPLE plus the reason.

        A zone needs half of its samples.  The newest three still wait for their judgement and do not count.
        """
        return [self._mean_dg(number, now_ms, over_ms) for number in range(len(self._zones))]

    def settled(self) -> bool:
        """Whether every zone with a signal has been calm for the last half second (a mean of it is worth something)."""
        for zone in self._zones:
            lives = not zone.trouble & (IS_STUCK | IS_SATURATED) and not zone.silent()
            if lives and zone.judged - zone.calm_from < self.rate_hz >> 1:
                return False
        return True

    def _mean_dg(self, number: int, now_ms: int, over_ms: int) -> int:
        wanted = self.rate_hz * over_ms // 1000
        if now_ms - max(self._all_seen_ms, self._seen_ms[number]) > DEAD_MS:
            return c.BAD_SAMPLE + c.BAD_NONE
        good = self.newest(number, wanted)
        if not good or 2 * len(good) < wanted:
            return c.BAD_SAMPLE + self._zones[number].newest_reason()
        mean = (2 * sum(good) + len(good)) // (2 * len(good))
        return self._weighed(number, [mean])[0]

    def _weighed(self, number: int, values: list[int]) -> list[int]:
        """(counts - zero) * span >> 24 with this zone's line, as it goes on the wire."""
        zero, span = self._memory.zeros[number], self._memory.spans[number]
        low, base = min(values), values[0]
        if low < LOWEST or not span:
            return [self._one_weighed(value, zero, span) for value in values]
        product = (base - zero) * span
        if (max(values) - low) * span < SMALL:  # no more products that leave a 32-bit chip's small integers
            grams, part = product >> 24, product & 0xFFFFFF
            return [grams + ((part + (value - base) * span) >> 24) for value in values]
        high, low = span >> 13, span & 8191  # the same in pieces
        weighed = []
        for value in values:
            more, less = (value - zero) >> 13, (value - zero) & 8191
            weighed.append(((more * high) << 2) + ((more * low + less * high + (less * low >> 13)) >> 11))
        return weighed

    @staticmethod
    def _one_weighed(value: int, zero: int, span: int) -> int:
        if value < LOWEST:
            return WIRE[value - BAD]
        return (value - zero) * span >> 24 if span else WIRE[c.BAD_UNCALIBRATED]


def _outside(values: list[int]) -> list[int]:
    """Counts as they go on the wire."""
    if min(values) >= LOWEST:
        return values
    return [WIRE[value - BAD] if value < LOWEST else value for value in values]
