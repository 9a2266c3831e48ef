"""A memory as commissioning and calibration leave it, so that an emulated board can sell from its first second.

It writes through the firmware's own settings: what it leaves is what the board would have written.
"""

from collections.abc import Sequence

from firmware_bridge.emulator.cells import Cell
from firmware_bridge.emulator.fram import Fram
from firmware_bridge.firmware.memory import BOOTS_AT, SETTINGS_AT, Memory

TEST_KEY = bytes(range(1, 33))  # for tests and demonstrations only: everybody knows it
SPAN_ONE = 2**24  # a span is 2**-24 dg per count
HALF_DG = 0.05  # the board cuts down to 0.1 g; half of one makes it round


def commission(nv: Fram, key: bytes, per_hour: int, per_day: int, cells: Sequence[Cell]) -> None:
    """Set key (32 bytes), budget and the calibration of every cell as it is.  RuntimeError if it does not hold."""
    scratch = Fram()  # a boot counts itself: not this one
    memory = Memory(scratch, len(cells))
    memory.key, memory.per_hour, memory.per_day = key, per_hour, per_day
    memory.zeros = [cell.zero_counts - round(HALF_DG * cell.counts_per_g) for cell in cells]
    memory.spans = [round(10 * SPAN_ONE / cell.counts_per_g) for cell in cells]
    if not memory.save():
        raise RuntimeError("the memory refused its settings")
    nv.write(SETTINGS_AT, scratch.read(SETTINGS_AT, BOOTS_AT - SETTINGS_AT))
