"""The shelves on their load cells and the converters behind them: grams in, raw 24-bit counts out.

Every zone has a zero and a slope of its own, fixed by the seed, as real cells have; nothing here knows the calibration.
"""

import math
import random
from dataclasses import dataclass, field

TOP_COUNTS, BOTTOM_COUNTS = 2**23 - 1, -(2**23)  # HX711: 24 bits, two's complement
COUNTS_PER_G = 100.0  # a 20 kg cell of 1 mV/V at gain 128 gives about this
SLOPE_SPREAD = 0.1  # relative, either way
ZERO_SPREAD = 400_000  # counts, either way: 5 % of the range
OWN_NOISE = 5  # values that a converter wanders over, even with nothing on it
ODD_ONE = 4  # every fourth sample of a slipping or spiking cell goes wrong
SPIKE_COUNTS = 150_000

CELL_BREAKS = ("cell_dead", "cell_stuck", "cell_saturated", "cell_slipping", "cell_spiking", "cell_swapped_wires")


@dataclass(frozen=True, slots=True)
class Signal:
    """How the cells misbehave: gaussian noise (g, 1 sigma) and a damped swing after each step."""

    noise_g: float = 0.0
    ring_hz: float = 9.0
    ring_decay_s: float = 0.0  # 0: no swing


@dataclass(slots=True)
class Cell:
    """One mass zone: what lies on it, what presses on it, and what its converter makes of that."""

    zero_counts: int = 0
    counts_per_g: float = COUNTS_PER_G
    load_g: float = 0.0
    step_g: float = 0.0  # of the last change
    stepped_ms: float = -1e12
    hand_g: float = 0.0
    hand_from_ms: float = 0.0
    hand_ms: float = 0.0
    broken: set[str] = field(default_factory=set)
    _last: int = 0
    _taken: int = 0

    @classmethod
    def drawn(cls, dice: random.Random) -> "Cell":
        """A cell as it comes from the shop."""
        zero = dice.randint(-ZERO_SPREAD, ZERO_SPREAD)
        return cls(zero, COUNTS_PER_G * (1 + dice.uniform(-SLOPE_SPREAD, SLOPE_SPREAD)))

    @property
    def dead(self) -> bool:
        return "cell_dead" in self.broken

    def put(self, load_g: float, now_ms: float) -> None:
        self.step_g, self.stepped_ms, self.load_g = load_g - self.load_g, now_ms, load_g

    def press(self, hand_g: float, for_ms: float, now_ms: float) -> None:
        self.hand_g, self.hand_from_ms, self.hand_ms = hand_g, now_ms, for_ms

    def felt_g(self, now_ms: float, signal: Signal) -> float:
        """Load, swing and hand at `now_ms`, before noise."""
        felt_g = self.load_g
        if signal.ring_decay_s and self.step_g:
            since_s = (now_ms - self.stepped_ms) / 1000
            swing = math.exp(-since_s / signal.ring_decay_s) * math.cos(math.tau * signal.ring_hz * since_s)
            felt_g -= self.step_g * swing
        if self.hand_g and self.hand_from_ms <= now_ms < self.hand_from_ms + self.hand_ms:
            felt_g += self.hand_g * math.sin(math.pi * (now_ms - self.hand_from_ms) / self.hand_ms)
        return felt_g

    def convert(self, now_ms: float, signal: Signal, dice: random.Random) -> tuple[int | None, bool]:
        """(counts, slipped) of a conversion that ends at `now_ms`; None from a dead converter."""
        felt_g = self.felt_g(now_ms, signal)
        if signal.noise_g:
            felt_g += dice.gauss(0.0, signal.noise_g)
        counts = self.counts_at(felt_g) + int(OWN_NOISE * dice.random()) - OWN_NOISE // 2
        counts = max(BOTTOM_COUNTS, min(counts, TOP_COUNTS))
        return self._spoilt(counts) if self.broken else self._kept(counts)

    def counts_at(self, load_g: float) -> int:
        """What the converter reads of so much load, without noise."""
        slope = -self.counts_per_g if "cell_swapped_wires" in self.broken else self.counts_per_g
        return self.zero_counts + round(slope * load_g)

    def _kept(self, counts: int) -> tuple[int, bool]:
        self._last = counts
        return counts, False

    def _spoilt(self, counts: int) -> tuple[int | None, bool]:
        self._taken += 1
        odd = self._taken % ODD_ONE == 0
        if "cell_dead" in self.broken:
            return None, False
        if "cell_stuck" in self.broken:
            return self._last, False
        if "cell_saturated" in self.broken:
            return TOP_COUNTS, False
        if odd and "cell_slipping" in self.broken:
            shifted = (counts << 1 | 1) & 0xFFFFFF  # one clock pulse too many: every bit moved up
            return (shifted - 2**24 if shifted & 0x800000 else shifted), True
        if odd and "cell_spiking" in self.broken:
            return (counts - SPIKE_COUNTS if counts > 0 else counts + SPIKE_COUNTS), False
        return self._kept(counts)
