"""Which faults are raised, of which class, and how each is told: the list of PROTOCOL.md.

It does not judge what the switches say; it keeps what others have judged until its class lets it go.
"""

from . import codes as c
from .report import Report

LATCHED = (
    1 << c.DOOR_FORCED | 1 << c.CONTACTS | 1 << c.DRIVE_STUCK | 1 << c.COIL_DEAD | 1 << c.BOLT_STUCK
    | 1 << c.BOLT_SWITCH | 1 << c.RELAY_WELDED | 1 << c.PUMP_SHORTED | 1 << c.MEMORY
)  # fmt: skip
BLOCKING = LATCHED | 1 << c.NOT_LATCHED
NOTED_MS = 60_000  # the same fault goes to the journal no more often
CELL_FAULTS = (c.CELL_DEAD, c.CELL_STUCK, c.CELL_SATURATED, c.CELL_NOISY)


class Faults:
    """`latch`, `hold` and `tell` for the three classes; each says so to host and journal, once per raising."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.bits = 0
        self._cells = [0] * len(CELL_FAULTS)  # bit n: zone n has this one
        self._untold: list[tuple[int, int]] = []  # told ones that had no session: (code, now_ms), each code once
        self._noted: list[int | None] = [None] * (c.FAULTS + len(CELL_FAULTS) * c.MOST_ZONES)

    @property
    def block(self) -> bool:
        """No unlock while this is so."""
        return bool(self.bits & BLOCKING)

    @property
    def cells(self) -> int:
        """Bit n: zone n has a cell fault."""
        return self._cells[0] | self._cells[1] | self._cells[2] | self._cells[3]

    def latch(self, bits: int, now_ms: int) -> bool:
        """All of these, until `clear` or a reset; whether any is new."""
        new = bits & ~self.bits
        self.bits |= new
        code = 0
        while new >> code:
            if new >> code & 1:
                self._say(code, 0, True, now_ms)
            code += 1
        return bool(new)

    def hold(self, code: int, lasts: bool, now_ms: int) -> None:
        """While its cause lasts."""
        if lasts != bool(self.bits >> code & 1):
            self.bits ^= 1 << code
            self._say(code, 0, lasts, now_ms)

    def hold_cells(self, active: list[tuple[int, int]], now_ms: int) -> None:
        """The cell faults of this moment: (code, zone)."""
        for n, code in enumerate(CELL_FAULTS):
            zones = 0
            for active_code, zone in active:
                if active_code == code:
                    zones |= 1 << zone
            if zones != self._cells[n]:
                self._change_cells(n, zones, now_ms)

    def tell(self, code: int, now_ms: int) -> None:
        """Once, at the next session's begin if there is none."""
        self._note(code, 0, now_ms)
        if self._report.listened_to:
            self._report.fault(code, 0, True, now_ms)
        elif all(code != told for told, _ in self._untold):
            self._untold.append((code, now_ms))

    def session_begins(self) -> None:
        untold, self._untold = self._untold, []
        for code, at_ms in untold:
            self._report.fault(code, 0, True, at_ms)

    def clear(self, now_ms: int) -> None:
        """A person has looked: what was latched goes."""
        for code in range(c.FAULTS):
            if self.bits & LATCHED & 1 << code:
                self.bits ^= 1 << code
                self._say(code, 0, False, now_ms)

    def _change_cells(self, n: int, zones: int, now_ms: int) -> None:
        code, changed = CELL_FAULTS[n], zones ^ self._cells[n]
        self._cells[n] = zones
        self.bits = self.bits | 1 << code if zones else self.bits & ~(1 << code)
        for zone in range(c.MOST_ZONES):
            if changed >> zone & 1:
                self._say(code, zone, bool(zones >> zone & 1), now_ms)

    def _say(self, code: int, detail: int, is_raised: bool, now_ms: int) -> None:
        if is_raised:
            self._note(code, detail, now_ms)
        self._report.fault(code, detail, is_raised, now_ms)

    def _note(self, code: int, detail: int, now_ms: int) -> None:
        place = code
        if code in CELL_FAULTS:
            place = c.FAULTS + CELL_FAULTS.index(code) * c.MOST_ZONES + detail
        last_ms = self._noted[place]
        if last_ms is None or now_ms - last_ms >= NOTED_MS:
            self._noted[place] = now_ms
            self._report.note(c.FAULT_RAISED, bytes((code, detail)), now_ms)
