"""The shelves' side of the board: batches to the host, masses to the journal, calibration by order.

What a count weighs is judged in `cells` and `calibration`; nothing here touches the lock.
"""

import struct

from . import codes as c
from . import messages
from .calibration import Calibration
from .cells import Cells
from .memory import Memory
from .report import Report

MEAN_MS = 500
LATEST_MS = 3000  # after a closing the masses are noted, settled or not
NOT_STORED = 10  # answer of a CellReport


class Scales:
    """`stream` at every tick; the rest as it happens."""

    def __init__(self, cells: Cells, calibration: Calibration, memory: Memory, report: Report) -> None:
        self._cells, self._calibration, self._memory, self._report = cells, calibration, memory, report
        self.zones = len(memory.zeros)
        self.raw = 0  # bit n: zone n's counts are wanted too
        self._closed_ms: int | None = None  # a closing whose masses are not noted yet
        self._closed_by = c.NO_VISIT

    def stream(self, wanted: bool, now_ms: int) -> None:
        """Hand on the batches that are full; nobody's if not `wanted`."""
        for zone, index, t_ms, spacing_us, masses_dg, counts in self._cells.ready():
            if wanted:
                first_ms = self._report.uptime(t_ms)
                self._report.stream(messages.batch(c.MASS, zone, index, first_ms, spacing_us, masses_dg))
                if self.raw >> zone & 1:
                    self._report.stream(messages.batch(c.RAW, zone, index, first_ms, spacing_us, counts))
        if self._closed_ms is not None:
            age_ms = now_ms - self._closed_ms
            if age_ms >= LATEST_MS or (age_ms >= MEAN_MS and self._cells.settled()):
                self.note_closing(now_ms)

    def closed(self, visit: bytes, now_ms: int) -> None:
        """The door counts as shut again; its masses are noted once they have settled."""
        self._closed_ms, self._closed_by = now_ms, visit

    def note_closing(self, now_ms: int) -> None:
        """Note the masses of the last closing now, if that is still to be done."""
        if self._closed_ms is not None:
            self._closed_ms = None
            self._note_masses(c.MASSES, self._closed_by, now_ms)

    def note_granted(self, visit: bytes, now_ms: int) -> None:
        self.note_closing(now_ms)
        self._note_masses(c.GRANTED, visit, now_ms)

    def tare(self, zone: int, now_ms: int) -> bool:
        return self._calibrated(zone, self._calibration.tare(zone, now_ms), now_ms)

    def point(self, zone: int, slot: int, mass_dg: int, now_ms: int) -> None:
        self._report.send(messages.cell_report(self._calibration.point(zone, slot, mass_dg, now_ms)), now_ms)

    def calibrate(self, zone: int, now_ms: int) -> bool:
        return self._calibrated(zone, self._calibration.calibrate(zone, now_ms), now_ms)

    def tell(self, zone: int, now_ms: int) -> None:
        self._report.send(messages.cell_report(self._calibration.report(zone, now_ms)), now_ms)

    def _calibrated(self, zone: int, report: bytes, now_ms: int) -> bool:
        """Send the report and note what was stored; False if the memory refused."""
        answer = report[2]
        self._report.send(messages.cell_report(report), now_ms)
        if answer == c.OK:
            body = struct.pack("<BiI", zone, self._memory.zeros[zone], self._memory.spans[zone])
            self._report.note(c.CALIBRATED, body, now_ms)
        return answer != NOT_STORED

    def _note_masses(self, kind: int, visit: bytes, now_ms: int) -> None:
        masses_dg = self._cells.means_dg(now_ms, MEAN_MS)
        self._report.note(kind, visit + struct.pack(f"<{len(masses_dg)}i", *masses_dg), now_ms)
