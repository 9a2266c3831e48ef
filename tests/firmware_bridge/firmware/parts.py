"""One fixed story of memory, journal, seal, cells, calibration and probe, printed.  Runs in MicroPython too.

    parts.py FOLDER-ABOVE-THE-FIRMWARE [time]

`time` prints what a sample costs instead, in nanoseconds and in passes of a plain loop, which carries over to a
chip whose plain loop is known.
"""

# ruff: noqa: T201 - printing is its purpose

import binascii
import gc
import sys

sys.path.insert(0, sys.argv[1])

from firmware.calibration import Calibration  # type: ignore[import-not-found]
from firmware.cells import Cells  # type: ignore[import-not-found]
from firmware.journal import Journal  # type: ignore[import-not-found]
from firmware.memory import Memory  # type: ignore[import-not-found]
from firmware.probe import Probe  # type: ignore[import-not-found]
from firmware.seal import Budget, Challenges, hmac_sha256, unlock_mac  # type: ignore[import-not-found]

try:
    from time import ticks_us  # type: ignore[attr-defined]  # MicroPython's
except ImportError:
    from time import perf_counter_ns

    def ticks_us() -> int:
        return perf_counter_ns() // 1000


SPACING_US = 12_510


class Chip:
    """A memory; `left` bytes more can be written before it falls silent."""

    def __init__(self) -> None:
        self.content = bytearray(8192)
        self.left = 1 << 29

    def read(self, at: int, n: int) -> bytes:
        if not self.left:
            raise OSError(5)
        return bytes(self.content[at : at + n])

    def write(self, at: int, data: bytes) -> None:
        for offset in range(len(data)):
            if not self.left:
                raise OSError(5)
            self.left -= 1
            self.content[at + offset] = data[offset]


class Dice:
    """The same numbers everywhere: 31 bits of a linear congruence."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def roll(self, most: int) -> int:
        self.state = (self.state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self.state >> 12) % most

    def __call__(self, n: int) -> bytes:
        return bytes([self.roll(256) for _ in range(n)])


def told(*what: object) -> None:
    print(*[binascii.hexlify(thing).decode() if isinstance(thing, bytes) else thing for thing in what])


def memory_and_journal(chip: Chip) -> Memory:
    for round_ in range(3):
        memory, journal = Memory(chip, 3), Journal(chip)
        told(memory.key, memory.per_hour, memory.per_day, memory.zeros, memory.spans, memory.boots, memory.damaged)
        for n in range(30):
            journal.add(memory.boots, 0xFFFFFFF0 + n, n % 12, bytes(range(n * 2)))
        told(journal.first, journal.next, *journal.read(20, 5))
        memory.key, memory.per_hour, memory.per_day = bytes(range(round_, 32 + round_)), 3, 5
        memory.zeros[1], memory.spans[1] = -4_000_000 - round_, 83_886_080
        told(memory.save(), [memory.check() for _ in range(20)])
    for left in range(0, 160, 7):  # torn writes
        chip.left = left
        journal.add(9, 0, 1, bytes(64))
        memory.per_hour = 100 + left
        told(memory.save(), memory.damaged, journal.next, journal.lost)
        chip.left = 1 << 29
        memory, journal = Memory(chip, 3), Journal(chip)
        told(memory.per_hour, memory.damaged, journal.first, journal.next)
    return memory


def seal(chip: Chip, memory: Memory) -> None:
    told(hmac_sha256(b"Jefe", b"what do ya want for nothing?"), hmac_sha256(bytes(200), bytes(1000)))
    challenges, visit = Challenges(Dice(3)), bytes(range(16))
    for n in range(8):
        challenge = challenges.open(n * 1000)
        mac = unlock_mac(memory.key, b"board-01", challenge, visit, 8000 + n % 3)
        told(
            challenges.judge(memory.key, b"board-01", visit, 8000, mac, n * 1000 + 300 * n), challenges.forged(n * 1000)
        )
    memory.per_hour = 3
    budget = Budget(chip, memory, 0)
    dice, now_ms = Dice(5), 0
    for _ in range(60):
        now_ms += dice.roll(4_000_000)
        told(now_ms, budget.take(now_ms), budget.spent(now_ms))
        if dice.roll(5) == 0:
            budget, now_ms = Budget(chip, memory, 0), 0


def raws(dice: Dice, n: int, load: int) -> list[int | None]:
    """Three zones: one that takes and rings, one that slips, spikes and goes, one that is silent, stuck, saturated."""
    ring = (0, 7000, 300, -6900)[n % 4] >> (n % 400 >> 4) if n % 400 < 200 else 0
    one = 20_000 + load + ring + dice.roll(90)
    two: int | None = -900_000 + dice.roll(90)
    if dice.roll(9) == 0 and two is not None:
        two = (two >> 1, two << 1 | 1, 0x3FFFFF, two + 50_000)[dice.roll(4)]
    if n % 700 > 600:
        two = None
    three = (5000, 0x7FFFFF, 0x800000, 77_000 + dice.roll(50))[n // 160 % 4]
    return [one, two, three & 0xFFFFFF]


def cells_and_calibration(memory: Memory) -> None:
    cells, dice = Cells(3, 80, 8, memory, 0), Dice(11)
    calibration = Calibration(cells, memory)
    t_us, load = 0, 0
    for n in range(6000):
        t_us += SPACING_US
        if n % 1000 == 500:
            load = (0, 53_500, 214_000, 30_000, 53_500, 0)[n // 1000]
        if n % 1500 == 1499:
            t_us += SPACING_US * dice.roll(100)
        cells.sampled(t_us + dice.roll(4000), raws(dice, n, load), 4 if dice.roll(40) == 0 else 0)
        now_ms = t_us // 1000
        for batch in cells.ready():
            told(*batch)
        if n % 100 == 99:
            told(cells.faults(now_ms), cells.means_dg(now_ms, 500), cells.settled())
        if n == 450:
            told(calibration.tare(0, now_ms), calibration.tare(2, now_ms))
        elif n in (1450, 2450):
            told(calibration.point(0, n // 1000, (5000, 20_000)[n // 2000], now_ms))
        elif n == 2460:
            told(calibration.calibrate(0, now_ms), calibration.report(0, now_ms), calibration.report(1, now_ms))


def probe() -> None:
    thermometer = Probe()
    for n in range(0, 65_521, 97):
        told(n, thermometer.read(n, n), thermometer.fault())
    told(thermometer.read(30_000, 100_000), thermometer.read(30_000, 160_000), thermometer.fault())


def time_cells() -> None:
    """Twelve quiet zones for a minute, and what a plain loop costs on the same machine at the same time."""
    memory = Memory(Chip(), 12)
    memory.spans[:] = [1_568_009] * 12
    dice = Dice(1)
    rows = [[500_000 + zone * 1000 + dice.roll(150) for zone in range(12)] for _ in range(400)]
    cells = Cells(12, 80, 8, memory, 0)
    least_ns = least_loop_ns = 1 << 30
    t_us = 0
    for _ in range(12):
        gc.collect()
        began_us = ticks_us()
        for row in rows:
            t_us += 12_500
            cells.sampled(t_us, row, 0)
            cells.ready()
        least_ns = min(least_ns, (ticks_us() - began_us) * 1000 // (400 * 12))
        began_us = ticks_us()
        plain(20_000)
        least_loop_ns = min(least_loop_ns, (ticks_us() - began_us) * 1000 // 20_000)
    print("a sample takes", least_ns, "ns or", 10 * least_ns // least_loop_ns, "tenths of a pass of a plain loop")


def plain(passes: int) -> int:
    total = 0
    for n in range(passes):
        total = (total + n) & 0xFFFF
    return total


def main() -> None:
    if "time" in sys.argv[2:]:
        time_cells()
        return
    chip = Chip()
    memory = memory_and_journal(chip)
    seal(chip, memory)
    cells_and_calibration(memory)
    probe()


main()
