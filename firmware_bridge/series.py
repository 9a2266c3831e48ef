"""Batches of samples to masses in grams on the host's clock, and exact gaps by the samples' numbers.  Pure.

Nothing is interpolated: what is missing is counted.  A batch whose number and time contradict each other is refused:
one in 65 536 damaged frames passes the CRC, and it must not move what follows.
"""

from dataclasses import dataclass

from firmware_bridge.clock import BoardClock
from firmware_bridge.codes import Bad
from firmware_bridge.happenings import CellCounts, Gap, Masses
from firmware_bridge.reports import BAD_SAMPLE, BAD_SAMPLES, Mass, Raw, Samples, bad

LAP = 2**32  # of a sample's number: 621 days at 80 Hz
FIRST_GOOD = BAD_SAMPLE + BAD_SAMPLES
ROUNDING = 1 / 8  # t comes in whole ms; its error is averaged over so many batches
JUMP_MS = 3.0  # between expected and told time: no rounding, so the board's word holds
SANE_MS, SANE = 1000.0, 0.05  # number and time may disagree by 1 s and 5 % (a converter that lagged)
STRIKES = 3  # contradicting batches in a row: then the new numbers are believed, and nothing is said of a gap


@dataclass(slots=True)
class _Zone:
    """Where one zone's samples are: sample `next` is due at board time `due_ms` (unwrapped)."""

    next: int
    due_ms: float
    strikes: int = 0


class Series:
    """The zones of one boot of the board."""

    def __init__(self, clock: BoardClock) -> None:
        self._clock = clock
        self._zones: dict[int, _Zone] = {}

    def masses(self, mass: Mass) -> tuple[Gap | None, Masses] | None:
        """The batch, and the gap before it; None: refused."""
        told_ms = self._clock.unwrap(mass.t_ms)
        spacing_ms = mass.spacing_us / 1000
        count = len(mass.samples)
        zone = self._zones.get(mass.zone)
        missing = 0
        if zone is None:
            zone = self._zones[mass.zone] = _Zone(mass.index, told_ms)
        else:
            missing = (mass.index - zone.next) % LAP
            if _contradicts(missing * spacing_ms, told_ms - zone.due_ms):
                zone.strikes += 1
                if zone.strikes < STRIKES:
                    return None
                zone.due_ms, missing = told_ms, 0
        zone.strikes = 0
        first_ms = zone.due_ms + missing * spacing_ms
        off_ms = told_ms - first_ms
        first_ms = told_ms if abs(off_ms) > JUMP_MS else first_ms + off_ms * ROUNDING
        zone.next, zone.due_ms = (mass.index + count) % LAP, first_ms + count * spacing_ms
        gap = Gap(missing * spacing_ms / 1000, f"mass zone {mass.zone}", missing) if missing else None
        numbers, reasons = _told_apart(mass)
        grams = [None if sample is None else sample / 10 for sample in numbers]
        return gap, Masses(mass.zone, self._clock.host_s(first_ms), 1000 / spacing_ms, grams, reasons)

    def counts(self, raw: Raw) -> CellCounts:
        """Raw batches come and go by order: their gaps are those of the masses."""
        numbers, reasons = _told_apart(raw)
        return CellCounts(raw.zone, self._clock.host_s(raw.t_ms), 1e6 / raw.spacing_us, list(numbers), reasons)


def _contradicts(by_number_ms: float, by_time_ms: float) -> bool:
    return abs(by_number_ms - by_time_ms) > SANE_MS + SANE * abs(by_time_ms)


def _told_apart(batch: Samples) -> tuple[tuple[int | None, ...], tuple[Bad | None, ...]]:
    """Numbers (None where there is none) and reasons."""
    samples = batch.samples
    if min(samples) >= FIRST_GOOD:
        return samples, ()
    reasons = tuple(bad(sample) for sample in samples)
    return tuple(sample if reason is None else None for sample, reason in zip(samples, reasons, strict=True)), reasons
