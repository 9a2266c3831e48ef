"""The emulated chip: the board's own firmware on a simulated pin layer, at the end of a cable to the supervisor.

Runs in MicroPython's unix port, and in CPython where there is none:  -m firmware_bridge.emulator.chip FD.
The pins do no more than pins do; what the board thinks is told on request, for tests, from outside the firmware.
"""

import binascii
import json
import os
import select
import sys

from firmware_bridge.emulator import records
from firmware_bridge.emulator.drive import DRIVE_BREAKS, Drive
from firmware_bridge.emulator.fram import Fram
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware import loop
from firmware_bridge.firmware.board import Board
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.firmware.switches import Inputs

try:
    from time import ticks_us  # type: ignore[attr-defined]  # MicroPython's
except ImportError:
    from time import monotonic_ns

    def ticks_us() -> int:
        return monotonic_ns() // 1000


try:  # noqa: SIM105  MicroPython has neither contextlib nor typing, and does not look at annotations
    from typing import Any
except ImportError:
    pass

FIFO = 32  # bytes the UART takes before it is full
UNPACED_ROOM = 1024  # bytes, where no baud rate holds them back
PUMP_EVERY_US = 10_000  # that the pump is fed, and the watchdog, goes over the cable now and then
FEEDS_EVERY_US = 40_000
BACKLOG = 80  # conversions nobody took: a second


class Cable:
    """Records to and from the supervisor.  SystemExit when it is gone."""

    def __init__(self, fd: int) -> None:
        self._file = open(fd, "r+b", buffering=0)  # noqa: SIM115  a number, for as long as the chip lives
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._splitter = records.Splitter()
        self._room = select.poll()
        self._room.register(self._file, select.POLLOUT)

    def wait(self, ms: int) -> bool:
        """True if something came."""
        return bool(self._poll.poll(ms))

    def read(self) -> list[bytes]:
        """The records that have come."""
        found: list[bytes] = []
        while (data := self._file.read(records.MOST)) is not None:
            if not data:
                sys.exit(0)
            found += self._splitter.push(data)
        return found

    def write(self, record: bytes) -> None:
        data = records.framed(record)
        while data:
            written = self._file.write(data)
            if written is None:
                self._room.poll()
            else:
                data = data[written:]


class CabledFram(Fram):
    """Tells the supervisor what is written: it outlives the chip."""

    def __init__(self, cable: Cable) -> None:
        super().__init__()
        self._cable = cable

    def write(self, at: int, data: bytes) -> None:
        super().write(at, data)
        self._cable.write(records.placed(records.STORED, at, bytes(data)))


class Pins(loop.Pins):
    """What the loop sees of the chip."""

    def __init__(self, cable: Cable, nv: CabledFram, settings: "dict[str, Any]") -> None:
        self.nv: CabledFram = nv
        self.board_id = binascii.unhexlify(settings["board_id"])
        self.cause = settings["cause"]
        self.board: Board | None = None
        self._cable = cable
        self._origin_us: int = settings["origin_us"]
        self._ahead_us = 0
        self._uptime_ms: int = settings["uptime_ms"]
        self._ppm: int = settings["drift_ppm"]
        self._byte_us: int = 10_000_000 // settings["baud"] if settings["baud"] else 0
        self._inputs = Inputs()
        self._drive = Drive(set(), ticks_us() / 1000)
        self.connected = False  # the switches have been told
        self._samples: list[tuple[int, list[int | None], int]] = []
        self._received = b""
        self._relay = False
        self._lamp = self._buzzer = 0
        self._fed = self._changed = self._pumped = self._pumping = False
        self._told_us = self._tx_free_us = 0
        self._asked = self._answered = 0  # how often

    # Time.

    def now_ms(self) -> int:
        return self._board_us(ticks_us()) // 1000

    def _board_us(self, us: int) -> int:
        us -= self._origin_us
        return us + us * self._ppm // 1_000_000 + self._ahead_us

    def born(self, board: Board) -> None:
        """The board is made; it may have been on for long already."""
        self.board = board
        self._ahead_us = 1000 * self._uptime_ms

    def wait(self, ms: int) -> None:
        """At most so long; less if anything came."""
        now_us = ticks_us()
        waited_us = now_us - self._told_us
        due = (self._pumped and waited_us >= PUMP_EVERY_US) or (self._fed and waited_us >= FEEDS_EVERY_US)
        if self._changed or due:
            self.tell(now_us)
        came = self._cable.wait(ms)
        if self._pumping:
            self._pumping = False
            self._oversleep(ticks_us() - now_us - 1000 * ms)
        if came:
            for record in self._cable.read():
                self.take(record)
        if self._asked != self._answered and self.board is not None:
            self._answered = self._asked
            self.tell(ticks_us())
            thoughts = dict(told(self.board, self.now_ms()), answers=self._answered)
            self._cable.write(bytes((records.TOLD,)) + json.dumps(thoughts).encode())

    def _oversleep(self, us: int) -> None:
        """A chip that has its processor to itself would have woken in time, and have gone on with its edges."""
        missed = us // 1000
        if missed > 0:
            self._drive.edge(ticks_us() / 1000, missed)

    # In.

    def inputs(self) -> Inputs:
        self._drive.settle(ticks_us() / 1000)
        self._inputs.coil_on = self._drive.coil
        return self._inputs

    def samples(self) -> list[tuple[int, list[int | None], int]]:
        due, self._samples = self._samples, []
        return due

    def uart_read(self) -> bytes:
        data, self._received = self._received, b""
        return data

    def entropy(self, n: int) -> bytes:
        return os.urandom(n)

    def take(self, record: bytes) -> None:
        kind = record[0]
        if kind == records.SAMPLES:
            t_us, raws, slips = records.read_samples(record)
            self._samples.append((self._board_us(t_us), raws, slips))
            if len(self._samples) > BACKLOG:
                self._samples.pop(0)
        elif kind == records.RECEIVED:
            self._received += record[1:]
        elif kind == records.INPUTS:
            self._feel(*records.read_inputs(record))
        elif kind == records.MEMORY:
            self.nv.mode = record[1]
        elif kind == records.ASK:
            self._asked += 1

    def _feel(self, bits: int, probe: int) -> None:
        inputs = self._inputs
        inputs.door_a_shut = bool(bits & records.DOOR_A_SHUT)
        inputs.door_b_shut = bool(bits & records.DOOR_B_SHUT)
        inputs.bolt_home = bool(bits & records.BOLT_HOME)
        inputs.housing_open = bool(bits & records.HOUSING_OPEN)
        inputs.probe = probe
        broken = [name for n, name in enumerate(DRIVE_BREAKS) if bits >> records.FIRST_BREAK + n & 1]
        self._drive.broken = set(broken)
        self.connected = True

    # Out.

    def relay(self, on: bool) -> None:  # noqa: FBT001  a pin
        self._changed = self._changed or on != self._relay
        self._relay = on
        self._drive.settle(ticks_us() / 1000)
        self._drive.relay(on)

    def pump(self) -> None:
        fed = self._drive.pump_passes
        self._drive.edge(ticks_us() / 1000)
        self._pumped = self._pumping = True
        self._changed = self._changed or fed != self._drive.pump_passes

    def lamp(self, mode: int) -> None:
        self._changed = self._changed or mode != self._lamp
        self._lamp = mode

    def buzzer(self, pattern: int) -> None:
        self._changed = self._changed or pattern != self._buzzer
        self._buzzer = pattern

    def feed(self) -> None:
        self._fed = True

    def uart_room(self) -> int:
        if not self._byte_us:
            return UNPACED_ROOM
        waiting_us: int = max(0, self._tx_free_us - ticks_us())
        return max(0, FIFO - (waiting_us + self._byte_us - 1) // self._byte_us)

    def uart_write(self, data: bytes) -> None:
        if self._changed:
            self.tell(ticks_us())  # an order is carried out before it is acknowledged
        self._tx_free_us = max(ticks_us(), self._tx_free_us) + len(data) * self._byte_us
        self._cable.write(records.sent(self._tx_free_us, data))

    def tell(self, now_us: int) -> None:
        pump_us = max(0, int(1000 * self._drive.fed_until_ms))
        self._cable.write(records.outputs(now_us, self._relay, pump_us, self._lamp, self._buzzer, self._fed))
        self._pumped = self._fed = self._changed = False
        self._told_us = now_us


def told(board: Board, now_ms: int) -> "dict[str, Any]":
    """What the board thinks, of the lock and of the wire."""
    keeper, link = board.doorkeeper, board.link
    visit = keeper.lease.visit
    return {
        "door_open_debounced": keeper.switches.door_open,
        "lease": None if visit is None else binascii.hexlify(visit).decode(),
        "faults": [code for code in range(c.FAULTS) if board.faults.bits >> code & 1],
        "session": link.opened_with is not None,
        "boot_id": binascii.hexlify(board.boot_id).decode(),
        "uptime_ms": board.report.uptime(now_ms),
        "bad_frames": link.bad_frames,
        "lost_frames": link.lost_frames,
        "cause": board.cause,
        "keyed": board.gate.keyed,
        "journal_next": board.journal.next,
    }


def main(fd: int) -> None:
    cable = Cable(fd)
    nv = CabledFram(cable)
    pins: Pins | None = None
    while pins is None or not pins.connected:
        cable.wait(1000)
        for record in cable.read():
            if pins is not None:
                pins.take(record)
            elif record[0] == records.IMAGE:
                at, data = records.read_placed(record)
                nv.content[at : at + len(data)] = data
            elif record[0] == records.MEMORY:
                nv.mode = record[1]
            elif record[0] == records.START:
                settings = json.loads(record[1:])
                pins = Pins(cable, nv, settings)
    run(pins, Fitted(**settings["fitted"]))


class WatchedLoop(loop.Loop):
    """Known to its pins, so that they can tell what the board thinks."""

    def __init__(self, pins: Pins, fitted: Fitted) -> None:
        super().__init__(pins, fitted)
        pins.born(self.board)


def run(pins: Pins, fitted: Fitted) -> None:
    """Never returns."""
    loop.Loop = WatchedLoop  # type: ignore[misc,assignment]  # run() makes one and keeps it to itself
    try:
        loop.run(pins, fitted)
    finally:
        pins.tell(ticks_us())  # the pins as an error left them


if __name__ == "__main__":
    main(int(sys.argv[1]))
