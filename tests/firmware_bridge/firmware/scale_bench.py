"""One zone, a person with masses, and a memory: what calibrations are tried on."""

import struct
from collections.abc import Callable
from typing import NamedTuple

from firmware_bridge.firmware.calibration import STORED, Calibration
from firmware_bridge.firmware.memory import Memory
from tests.firmware_bridge.firmware.chips import COUNTS_PER_G, Chip, Shelf


class Report(NamedTuple):
    zone: int
    about: int
    answer: int
    mean: int
    noise: int
    zero: int
    span: int
    residual_cg: int


def read(report: bytes) -> Report:
    """As PROTOCOL.md lays it out."""
    assert len(report) == 21
    return Report(*struct.unpack("<BBBiHiIi", report))


class Scale:
    """One zone, a person with masses, and a memory."""

    def __init__(
        self,
        *,
        slope: float = COUNTS_PER_G,
        zero: int = 0,
        noise: float = 45.0,
        seed: int = 1,
        chip: Chip | None = None,
    ) -> None:
        self.chip = chip or Chip()
        self.memory = Memory(self.chip, 2)
        self.on_shelf_g = 0.0
        self.felt: Callable[[float], float] = lambda grams: grams
        self.shelf = Shelf(
            lambda zone, t_s: self.felt(self.on_shelf_g) if zone == 0 else 100.0,
            2,
            memory=self.memory,
            slope=slope,
            zero=zero,
            noise=noise,
            seed=seed,
        )
        self.calibration = Calibration(self.shelf.cells, self.memory)
        self.shelf.run(120)

    @property
    def now_ms(self) -> int:
        return self.shelf.now_ms

    def put(self, grams: float) -> None:
        self.on_shelf_g = grams
        self.shelf.run(100)

    def tare(self) -> Report:
        return read(self.calibration.tare(0, self.now_ms))

    def point(self, slot: int, grams: float) -> Report:
        return read(self.calibration.point(0, slot, round(10 * grams), self.now_ms))

    def calibrate(self) -> Report:
        return read(self.calibration.calibrate(0, self.now_ms))

    def whole(self, said_1: float, said_2: float, put_1: float | None = None, put_2: float | None = None) -> Report:
        """Tare, both points, fit; `said` is what the person types, `put` what lies there."""
        self.put(0)
        assert self.tare().answer == STORED
        self.put(said_1 if put_1 is None else put_1)
        assert self.point(1, said_1).answer == STORED
        self.put(said_2 if put_2 is None else put_2)
        assert self.point(2, said_2).answer == STORED
        return self.calibrate()

    def weigh_dg(self) -> int:
        self.shelf.run(100)
        return self.shelf.cells.means_dg(self.now_ms, 1000)[0]
