"""The last seconds of every zone's mass, and what they say: steady, settled since the door shut, or dead.

Pure bookkeeping with time as an argument; samples come in as the board sent them.
"""

import itertools
import math
import statistics
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cabinet.basket.evidence import Mass, Zone
from cabinet.units import ZoneId

KEPT_S = 4.0  # a trace carries at least 2 s of mass before the unlock
STEADY_S = 0.55  # at 80 Hz 44 samples; the tally wants half a second of rest after the closing
STEADY_SIGMA = 3.0  # times the zone's noise: beyond it something still swings
SILENT_S = 1.0  # the board sends every 0.1 s
FIGURES_S = 1.0  # what a live view is told is about the last second
RATE_S = 3.0  # over which a zone's samples are counted
PAUSE_S = 0.3  # between batches: then the board or the link was away, which is no slow converter
LEAST_RATE = 0.65  # of the nominal rate: converters run up to 10 % off it by themselves
MAX_REASONS = 512  # of bad samples; 4 s of 80 Hz are 320

REMEDIES = {  # for samples that the board knows to be bad
    "settling": "wait: the converter was just switched on",
    "saturated": "take the load off; if that does not help, look at the bridge's four wires",
    "bit slip": "the converter loses step: shorten its wires, keep them off the lock's",
    "spike": "look for a loose wire of the cell",
    "no conversion": "look at the plug and the supply of the cell's amplifier",
    "not calibrated": "cabinet scale calibrate ZONE",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One zone over the last second."""

    g: float | None  # mean of the good samples
    noise_g: float | None  # their standard deviation
    hz: float | None  # as the board measures its converter
    count: int  # samples that came
    bad: dict[str, int]  # reason -> samples

    @property
    def bad_share(self) -> float | None:
        return sum(self.bad.values()) / self.count if self.count else None


def spread(grams: Sequence[float]) -> float:
    """Sample standard deviation, in floating point: equal to `statistics.stdev` to within rounding, much faster."""
    mean = math.fsum(grams) / len(grams)
    return math.sqrt(math.fsum([(g - mean) ** 2 for g in grams]) / (len(grams) - 1))


@dataclass(slots=True)
class Scale:
    """One zone."""

    zone: Zone
    name: str = "ZONE"  # as a remedy names it
    chunks: deque[tuple[float, float, tuple[float | None, ...]]] = field(default_factory=deque)  # at_s, hz, grams
    steady_g: float | None = None  # last steady mean seen with the door shut
    reasons: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MAX_REASONS))  # of bad samples

    def add(self, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.chunks.append((at_s, hz, tuple(grams)))
        while self.chunks and self.chunks[0][0] < at_s - KEPT_S:
            self.chunks.popleft()

    @property
    def last_s(self) -> float:
        """Time of the newest sample; minus infinity before the first."""
        if not self.chunks:
            return float("-inf")
        at_s, hz, grams = self.chunks[-1]
        return at_s + (len(grams) - 1) / hz

    def since(self, from_s: float) -> list[float]:
        """Good samples taken at or after `from_s`."""
        return [
            g
            for at_s, hz, grams in self.chunks
            if at_s + len(grams) / hz > from_s
            for i, g in enumerate(grams)
            if g is not None and (at_s >= from_s or at_s + i / hz >= from_s)
        ]

    def count(self, from_s: float) -> int:
        """Samples taken at or after `from_s`, good or bad."""
        return sum(
            len(grams) if at_s >= from_s else sum(at_s + i / hz >= from_s for i in range(len(grams)))
            for at_s, hz, grams in self.chunks
            if at_s + len(grams) / hz > from_s
        )

    def steady(self, after_s: float = float("-inf")) -> float | None:
        """Mean of the last 0.55 s if it all lies after `after_s` and does not swing, else None."""
        from_s = self.last_s - STEADY_S
        if from_s < after_s or not self.chunks or self.chunks[0][0] > from_s:
            return None
        samples = self.since(from_s)
        if len(samples) < 8:
            return None
        half = len(samples) // 2
        limit_g = STEADY_SIGMA * max(self.zone.noise_g, self.zone.quantum_g)
        drift_g = abs(statistics.fmean(samples[:half]) - statistics.fmean(samples[half:]))
        if spread(samples) > limit_g or drift_g > limit_g / 2:
            return None
        return statistics.fmean(samples)

    def trouble(self, now_s: float) -> str | None:
        if now_s - self.last_s > SILENT_S:
            return "no samples: check the cell amplifier's wiring"
        if not self.since(self.last_s - SILENT_S):
            return self._only_bad()
        if (came_hz := self._rate_hz()) is not None and came_hz < LEAST_RATE * self.zone.rate_hz:
            due_hz = self.zone.rate_hz
            return f"delivers {came_hz:.0f} samples a second of {due_hz:g}: look at its converter's rate pin and wiring"
        if self.steady_g is None:
            return "has not been steady with the door shut yet: wait, or look for vibration"
        return None

    def note_bad(self, at_s: float, reasons: Sequence[str]) -> None:
        """Why the bad samples of the batch at `at_s` are bad."""
        self.reasons.extend((at_s, reason) for reason in reasons)

    def figures(self) -> Figures:
        """Of the last second up to the newest sample."""
        from_s = self.last_s - FIGURES_S
        recent = [chunk for chunk in self.chunks if chunk[0] > from_s]
        good = [g for _, _, grams in recent for g in grams if g is not None]
        count = sum(len(grams) for _, _, grams in recent)
        bad = Counter(reason for at_s, reason in self.reasons if at_s > from_s)
        unexplained = count - len(good) - bad.total()
        if unexplained > 0:
            bad["unknown"] += unexplained
        return Figures(
            g=statistics.fmean(good) if good else None,
            noise_g=spread(good) if len(good) > 1 else None,
            hz=recent[-1][1] if recent else None,
            count=count,
            bad=dict(bad),
        )

    def forget(self) -> None:
        """Its zero or span has changed: what was weighed before means nothing any more."""
        self.chunks.clear()
        self.reasons.clear()
        self.steady_g = None

    def _rate_hz(self) -> float | None:
        """Samples a second over the last three; None where it has not been heard for so long without a pause."""
        from_s = self.last_s - RATE_S
        pauses = (after[0] - (at_s + len(g) / hz) for (at_s, hz, g), after in itertools.pairwise(self.chunks))
        if self.chunks[0][0] > from_s or max(pauses, default=0.0) > PAUSE_S:
            return None
        return self.count(from_s) / RATE_S

    def _only_bad(self) -> str:
        bad = self.figures().bad
        reason = max(bad, key=lambda one: bad[one], default="unknown")
        remedy = REMEDIES.get(reason, "check the cells: cabinet scale watch ZONE")
        return f"only bad samples ({reason}): {remedy.replace('ZONE', self.name)}"


class Scales:
    def __init__(self, zones: Mapping[ZoneId, Zone]) -> None:
        self.zones = {zone: Scale(facts, zone) for zone, facts in zones.items()}

    def add(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.zones[zone].add(at_s, hz, grams)

    def learn_baseline(self) -> None:
        """Call with the door shut and no visit under way."""
        for scale in self.zones.values():
            steady = scale.steady()
            if steady is not None:
                scale.steady_g = steady

    def baseline_g(self) -> dict[ZoneId, float]:
        return {zone: round(s.steady_g, 1) for zone, s in self.zones.items() if s.steady_g is not None}

    def settled(self, after_s: float) -> bool:
        """Every zone is steady on samples taken after `after_s`."""
        return all(scale.steady(after_s) is not None for scale in self.zones.values())

    def complete_until_s(self) -> float:
        """Every zone's samples are in up to this instant."""
        return min(scale.last_s for scale in self.zones.values())

    def recent(self, origin_s: float) -> list[Mass]:
        """What is kept, as trace events with `t` relative to `origin_s`."""
        return [
            Mass(round(at_s - origin_s, 4), zone, hz, grams)
            for zone, scale in self.zones.items()
            for at_s, hz, grams in scale.chunks
        ]
