"""A memory chip that can lose its power after any byte or fall silent, and shelves that only exist as counts."""

import math
import random
from collections.abc import Callable

from firmware_bridge.firmware.cells import Cells
from firmware_bridge.firmware.memory import NV_BYTES, Memory, Nv

SPACING_US = 12_500
NOISE_COUNTS = 45.0  # HX711 at gain 128 and 80 a second: 90 nV rms of 2 nV each
COUNTS_PER_G = 107.0  # a 20 kg cell of 1 mV/V at 4.3 V
SPAN = round(10 / COUNTS_PER_G * 2**24)


class PowerCut(BaseException):
    """The chip stopped between two bytes; nothing may catch this."""


class Chip(Nv):
    """`cut_after` bytes more are written before the power goes; `silent` raises OSError; `protected` keeps nothing."""

    def __init__(self, content: bytes = bytes(NV_BYTES)) -> None:
        self.content = bytearray(content)
        self.cut_after: int | None = None
        self.silent = self.protected = False
        self.written: list[tuple[int, int]] = []  # (at, bytes) of every write

    def read(self, at: int, n: int) -> bytes:
        assert 0 <= at <= at + n <= NV_BYTES
        if self.silent:
            raise OSError(5)
        return bytes(self.content[at : at + n])

    def write(self, at: int, data: bytes) -> None:
        assert 0 <= at <= at + len(data) <= NV_BYTES
        if self.silent:
            raise OSError(5)
        self.written.append((at, len(data)))
        for offset, byte in enumerate(data):
            if self.cut_after is not None:
                if self.cut_after == 0:
                    raise PowerCut
                self.cut_after -= 1
            if not self.protected:
                self.content[at + offset] = byte

    def again(self) -> "Chip":
        """The same bytes after a power cut."""
        return Chip(bytes(self.content))


class Shelf:
    """Zones under one `Cells`; `load(zone, t_s)` gives grams, the converter adds its zero, slope and noise."""

    def __init__(
        self,
        load: Callable[[int, float], float],
        zones: int = 1,
        *,
        memory: Memory | None = None,
        noise: float = NOISE_COUNTS,
        slope: float = COUNTS_PER_G,
        zero: int = 0,
        seed: int = 1,
    ) -> None:
        self.memory = memory or Memory(Chip(), zones)
        self.load, self.zones, self.noise, self.slope, self.zero = load, zones, noise, slope, zero
        self.cells = Cells(zones, 80, 8, self.memory, 0)
        self.dice = random.Random(seed)
        self.conversion = 0
        self.batches: list[tuple[int, int, int, int, list[int], list[int]]] = []

    @property
    def now_ms(self) -> int:
        return self.conversion * SPACING_US // 1000

    def raw(self, zone: int) -> int:
        grams = self.load(zone, self.conversion * SPACING_US / 1e6)
        counts = round(self.zero + self.slope * grams + self.dice.gauss(0, self.noise))
        return max(-(2**23), min(counts, 2**23 - 1))

    def run(self, conversions: int, spoil: Callable[[int, int], int | None] | None = None) -> None:
        """`spoil(conversion, raw)` of zone 0 may replace a reading."""
        for _ in range(conversions):
            raws: list[int | None] = [self.raw(zone) for zone in range(self.zones)]
            if spoil and raws[0] is not None:
                raws[0] = spoil(self.conversion, raws[0])
            self.cells.sampled(self.conversion * SPACING_US, raws, 0)
            self.conversion += 1
            self.batches += self.cells.ready()

    def counts(self, zone: int = 0) -> dict[int, int]:
        """Index to counts or bad sample, of all batches so far."""
        found: dict[int, int] = {}
        for number, index, _t_ms, _spacing_us, _dg, counts in self.batches:
            if number == zone:
                assert not any(index + at in found for at in range(len(counts)))
                found.update({index + at: value for at, value in enumerate(counts)})
        return found


def filtered(load: Callable[[float], float]) -> Callable[[float], float]:
    """`load` as a converter of 80 a second sees it: its filter looks back over 50 ms and weighs the middle most."""
    weights = [math.sin(math.pi * (n + 0.5) / 40) ** 2 for n in range(40)]
    total = sum(weights)

    def seen(t_s: float) -> float:
        return sum(w * load(t_s - (n + 0.5) * 0.00125) for n, w in enumerate(weights)) / total

    return seen


def steady(zone: int, _t_s: float) -> float:
    return 1000.0 + zone


def calibrated(zones: int) -> Memory:
    memory = Memory(Chip(), zones)
    memory.spans[:] = [SPAN] * zones
    return memory
