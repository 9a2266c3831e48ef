"""The Pico's whole firmware, from `main.start` on, in a fake chip with a small cabinet and a host round it.

Run as `PYTHON pico_rehearsal.py FOLDER MS`, FOLDER holding the package `firmware`, by CPython or by MicroPython: it
prints what happened as one line of JSON.  The cabinet: a slam latch, one door, three shelves; the host commissions,
unlocks, the door is opened and shut, and at the end somebody presses Ctrl-C at the console.
"""

import json
import struct
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")
from fake_pico import Chip  # type: ignore[import-not-found]  # it lies beside this file, for MicroPython too

KEY, VISIT = bytes(range(32)), bytes(range(16))
DOOR_A, DOOR_B, BOLT, HOUSING, RELAY, PUMP = 19, 20, 21, 28, 15, 18
OPENS_US, SHUTS_US = 600_000, 900_000  # after the relay first closed


class Cabinet:
    """Coil, bolt, door and shelves; looked at once a millisecond."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.edges_us: list[int] = []
        self.seen = 0  # of chip.driven
        self.driven_us = -1  # since when the relay was first closed
        self.current: list[int] = []  # us at which the coil began and ceased to carry current
        chip.put(DOOR_A, 0)
        chip.put(DOOR_B, 1)
        chip.put(BOLT, 0)
        chip.put(HOUSING, 0)

    def look(self, us: int) -> None:
        chip = self.chip
        while self.seen < len(chip.driven):
            at_us, pin, level = chip.driven[self.seen]
            self.seen += 1
            if pin == PUMP:
                self.edges_us.append(at_us)
            elif pin == RELAY and level and self.driven_us < 0:
                self.driven_us = at_us
        self.edges_us = [at for at in self.edges_us if us - at <= 100_000]
        coil = bool(chip.level[RELAY]) and len(self.edges_us) >= 50
        if coil != bool(len(self.current) % 2):
            self.current.append(us)
        noise = us // 1000 * 7919 % 160  # no reading is ever quite the one before
        chip.analogue[26] = (12000 if coil else 0) + noise
        chip.analogue[27] = 32768 + noise
        since_us = us - self.driven_us if self.driven_us >= 0 else -1
        is_open = OPENS_US <= since_us < SHUTS_US
        chip.put(DOOR_A, int(is_open))
        chip.put(DOOR_B, int(not is_open))
        chip.put(BOLT, int(coil or is_open))


class Host:
    """One session, as PROTOCOL.md has it; `heard` are the messages but for streams, `streams` counts those."""

    def __init__(self, chip: Chip, wire, seal) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  modules
        self.chip, self.wire, self.seal = chip, wire, seal
        self.heard: list[bytes] = []
        self.streams: dict[int, int] = {}
        self.lost = 0
        self.tail = b""
        self.orders = [b"\x03", b"\x07", b"\x0a" + KEY + struct.pack("<HH", 100, 1000), b"\x05\x03", b"\x09"]
        self.seq = self.beats = 0
        self.next_stream = -1
        self.beat_us = 0

    def begin(self) -> None:
        self._send(3, 0, b"\x01\x02nonce123")

    def look(self, us: int) -> None:
        data, self.chip.sent = self.tail + self.chip.sent, b""
        frames = data.split(b"\0")
        self.tail = frames.pop()
        for coded in frames:
            frame = self.wire.decode_frame(coded)
            if frame is not None:
                self._take(*frame)
        if self.seq and us - self.beat_us >= 150_000:
            self.beat_us = us
            self._send(2, self.beats & 255, b"\x04")
            self.beats += 1

    def _take(self, kind: int, seq: int, payload: bytes) -> None:
        if kind == 2:
            if self.next_stream >= 0:
                self.lost += (seq - self.next_stream) & 255
            self.next_stream = (seq + 1) & 255
            self.streams[payload[0]] = self.streams.get(payload[0], 0) + 1
        elif kind == 1:
            self._order()
        elif kind == 0:
            self._send(1, seq, b"")
            self.heard.append(payload)
            if payload[0] == 0x8B:
                mac = self.seal.unlock_mac(KEY, bytes(range(8)), payload[1:], VISIT, 10_000)
                self.orders.append(b"\x02" + VISIT + struct.pack("<H", 10_000) + mac)
                self._order()

    def _order(self) -> None:
        if self.orders:
            self.seq += 1
            self._send(0, self.seq & 255, self.orders.pop(0))

    def _send(self, kind: int, seq: int, payload: bytes) -> None:
        self.chip.arrived += self.wire.encode_frame(kind, seq, payload)


def main(folder: str, ms: int) -> None:
    chip = Chip(3)
    sys.path.insert(0, folder)
    from firmware import seal, wire  # type: ignore[import-not-found]  # before the fakes: CPython has no `micropython`

    modules = chip.modules()
    if sys.implementation.name == "micropython":
        modules.pop("micropython")  # it has its own, with its own machine code
    for name in modules:
        sys.modules[name] = modules[name]
    from firmware import main as start

    cabinet, host = Cabinet(chip), Host(chip, wire, seal)
    looked = [0]
    conversion_us = [0, 0, 0]

    def live(us: int) -> None:
        for n in range(3):  # each on an oscillator of its own
            if us >= conversion_us[n]:
                conversion_us[n] += 12_500 + 40 * n
                chip.cells[n].convert(100_000 * n + us * 7919 % 61)
        if us - looked[0] >= 1000:
            looked[0] = us
            cabinet.look(us)
            if us >= 200_000 and not host.heard and not host.seq:
                host.seq = 0
                if not chip.arrived:
                    host.begin()
            host.look(us)
        if us >= ms * 1000:
            chip.stuck = True
            chip.on_time = None

    chip.on_time = live
    start.start()
    edges = [us for us, pin, _ in chip.driven if pin == PUMP and us < ms * 1000]  # without the last one, to rest
    told = {
        "heard": [payload.hex() for payload in host.heard],
        "streams": {str(code): count for code, count in host.streams.items()},
        "lost": host.lost,
        "relay": [us for us, pin, _ in chip.driven if pin == RELAY],
        "pump": [min(edges), max(edges), len(edges)] if edges else [],
        "widest_us": max([0] + [edges[n + 1] - edges[n] for n in range(len(edges) - 1)]),
        "current": cabinet.current,
        "driven": cabinet.driven_us,
        "watchdogs": chip.watchdogs,
        "watchdog_ms": chip.watchdog_ms,
        "pulses": [sorted(set(cell.heard)) for cell in chip.cells],
        "lights": chip.lights,
        "levels": [chip.level[RELAY], chip.level[PUMP]],
        "kept": sum(1 for byte in chip.fram if byte),
    }
    print(json.dumps(told))  # noqa: T201  this is what it is for


main(sys.argv[1], int(sys.argv[2]))
