"""What the host may order, by the table of PROTOCOL.md: each order checked for length and range, then handed on.

A Hello is no order: it comes only with a session.  Nothing here decides whether the lock opens.
"""

import struct

from . import codes as c
from . import messages
from .doorkeeper import Doorkeeper
from .faults import Faults
from .gate import Gate
from .journal import Journal
from .report import Report
from .scales import Scales
from .wire import BoardLink

_LENGTHS = {
    c.UNLOCK: 34, c.LOCK: 0, c.HEARTBEAT: 0, c.LAMP: 1, c.BUZZER: 1, c.STATUS_REQUEST: 0, c.CLEAR_FAULTS: 0,
    c.CHALLENGE_REQUEST: 0, c.COMMISSION: 36, c.JOURNAL_READ: 5, c.MIRROR: 59, c.TARE: 1, c.CALIBRATION_POINT: 6,
    c.CALIBRATE: 1, c.CELL_REQUEST: 1, c.RAW_STREAM: 2,
}  # fmt: skip


class Panel:
    """What the cabinet shows and sounds; `sounds` counts the orders, since the same one may come twice."""

    def __init__(self) -> None:
        self.lamp = self.buzzer = self.sounds = 0


class Orders:
    """`obey` each payload of a session; `read_on` at every tick."""

    def __init__(
        self, link: BoardLink, journal: Journal, doorkeeper: Doorkeeper, faults: Faults,
        gate: Gate, scales: Scales, panel: Panel, report: Report,
    ) -> None:  # fmt: skip
        self._link, self._journal, self._doorkeeper, self._faults = link, journal, doorkeeper, faults
        self._gate, self._scales, self._panel, self._report = gate, scales, panel, report
        self._read_from = 0  # the next entry the host wants
        self._left = -1  # how many more; -1: nothing is being read

    def obey(self, payload: bytes, now_ms: int) -> bool:
        """False if it is unknown or out of range."""
        code = payload[0] if payload else 0
        body = payload[1:]
        if len(body) != _LENGTHS.get(code, -1):
            return False
        if code == c.HEARTBEAT:
            self._doorkeeper.lease.beat(now_ms)
        elif code == c.UNLOCK:
            self._gate.unlock(body, now_ms)
        elif code == c.LOCK:
            self._doorkeeper.end(c.LOCK_ORDER, now_ms)
        elif code == c.CHALLENGE_REQUEST:
            self._gate.challenge(now_ms)
        elif code == c.STATUS_REQUEST:
            self._tell_status(now_ms)
        elif code == c.CLEAR_FAULTS:
            self._doorkeeper.clear(now_ms)
        elif code == c.COMMISSION:
            self._gate.commission(body, now_ms)
        elif code in (c.LAMP, c.BUZZER):
            return self._show(code, body[0])
        elif code in (c.JOURNAL_READ, c.MIRROR):
            return self._keep(code, body, now_ms)
        else:
            return self._weigh(code, body, now_ms)
        return True

    def read_on(self, now_ms: int) -> None:
        """The next entry of a JournalRead, one at a time: what is urgent never waits behind a journal."""
        if self._left < 0 or self._link.waiting:
            return
        entries = self._journal.read(self._read_from, 1) if self._left else []
        if entries:
            self._left -= 1
            self._read_from = struct.unpack_from("<I", entries[0])[0] + 1
            self._report.send(messages.journal_entry(entries[0]), now_ms)
        else:
            self._left = -1
            self._report.send(messages.journal_end(self._journal.first, self._journal.next), now_ms)

    def forget_session(self) -> None:
        self._left = -1

    def _tell_status(self, now_ms: int) -> None:
        switches, faults = self._doorkeeper.switches, self._faults
        driven, uptime_ms = self._doorkeeper.drive.relay, self._report.uptime(now_ms)
        shown = switches.door_open, switches.bolt_home, driven, switches.housing_open
        self._report.send(messages.status(shown, uptime_ms, faults.bits, faults.cells), now_ms)
        if not self._report.in_session:
            self._report.in_session = True
            self._faults.session_begins()

    def _show(self, code: int, value: int) -> bool:
        if code == c.LAMP and value <= c.LAST_LAMP:
            self._panel.lamp = value
        elif code == c.BUZZER and value <= c.LAST_BUZZER:
            self._panel.buzzer = value
            self._panel.sounds += 1
        else:
            return False
        return True

    def _keep(self, code: int, body: bytes, now_ms: int) -> bool:
        if code == c.JOURNAL_READ:
            first, most = struct.unpack("<IB", body)
            if not 1 <= most <= c.MOST_ENTRIES:
                return False
            self._read_from, self._left = first, most
            return True
        if max(body[24:27]) > 127:  # the currency, ASCII
            return False
        self._report.note(c.MIRRORED, body, now_ms)
        return True

    def _weigh(self, code: int, body: bytes, now_ms: int) -> bool:
        zone, scales, stored = body[0], self._scales, True
        if zone >= scales.zones:
            return False
        if code == c.TARE:
            stored = scales.tare(zone, now_ms)
        elif code == c.CALIBRATE:
            stored = scales.calibrate(zone, now_ms)
        elif code == c.CALIBRATION_POINT:
            slot, mass_dg = struct.unpack("<BI", body[1:])
            if slot not in (1, 2):
                return False
            scales.point(zone, slot, mass_dg, now_ms)
        elif code == c.CELL_REQUEST:
            scales.tell(zone, now_ms)
        elif body[1] > 1:
            return False
        else:
            scales.raw = scales.raw & ~(1 << zone) | body[1] << zone
        if not stored:
            self._doorkeeper.latch(1 << c.MEMORY, now_ms)
        return True
