"""A board on virtual time in the simulated cabinet, and a host that acknowledges everything and signs its orders."""

import hashlib
import hmac
import random
import struct

from firmware_bridge.emulator.commissioned import TEST_KEY, commission
from firmware_bridge.emulator.world import World
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.board import Board
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.firmware.switches import Inputs
from firmware_bridge.firmware.wire import ACK, DATA, OPEN, STREAM, decode_frame, encode_frame

BOARD_ID = bytes.fromhex("e6614854d3a51f2c")
NONCE = b"hostside"
VISIT = bytes(range(16))
OTHER_VISIT = bytes(range(16, 32))
BORN_MS = 5_000_000  # the pin layer's clock at power-on: ms since boot may not be taken for it
TICK_MS = 10
BEAT_MS = 150


def mac(nonce: bytes, visit: bytes, ttl_ms: int, key: bytes = TEST_KEY, board_id: bytes = BOARD_ID) -> bytes:
    """The page's formula, by the standard library."""
    said = b"unlock" + board_id + nonce + visit + struct.pack("<H", ttl_ms)
    return hmac.digest(key, said, hashlib.sha256)[:16]


class Bench:
    """`run(ms)` lets all live; `said` is what the host has heard, each (ms since boot, payload)."""

    def __init__(
        self,
        fitted: Fitted | None = None,
        *,
        world: World | None = None,
        commissioned: bool = True,
        cause: int = c.POWER_ON,
        per_hour: int = c.MOST_PER_HOUR,
    ) -> None:
        self.fitted = fitted or Fitted(zones=2)
        self.world = world or World(self.fitted.zones, now_ms=BORN_MS, motor_bolt=self.fitted.motor_bolt)
        if commissioned:
            commission(self.world.nv, TEST_KEY, per_hour, c.MOST_PER_DAY, self.world.cells)
        self.now_ms = BORN_MS
        self._dice = random.Random(3)
        self.said: list[tuple[int, bytes]] = []
        self.beating = False
        self.locked_ms: int | None = None  # since boot, when the relay last opened
        self.coil_went_ms: int | None = None  # since boot, when the current last ended
        self.power_on(cause)

    def power_on(self, cause: int = c.POWER_ON) -> None:
        """A new board on the same memory."""
        self.booted_ms = self.now_ms
        self.world.relay(on=False)
        self.board = self.make(cause)
        self._seq = self._beats = 0
        self._ticked_ms = self.now_ms - TICK_MS
        self._switches: tuple[bool, ...] = ()
        self.run(20)

    def make(self, cause: int) -> Board:
        return Board(self.fitted, self.world.nv, BOARD_ID, self._dice.randbytes, cause, self.now_ms)

    @property
    def uptime_ms(self) -> int:
        return self.now_ms - self.booted_ms

    def run(self, for_ms: int) -> None:
        for _ in range(for_ms):
            self.now_ms += 1
            self._live()

    def _live(self) -> None:
        world, board, now_ms = self.world, self.board, self.now_ms
        coil, relay = world.coil, board.relay
        world.step(now_ms)
        felt = world.inputs()
        inputs = Inputs(
            door_a_shut=felt.door_a_shut, door_b_shut=felt.door_b_shut, bolt_home=felt.bolt_home,
            housing_open=felt.housing_open, coil_on=felt.coil_on, probe=felt.probe,
        )  # fmt: skip
        switches = (felt.door_a_shut, felt.door_b_shut, felt.bolt_home, felt.housing_open)
        if now_ms - self._ticked_ms >= TICK_MS or switches != self._switches:
            self._switches, self._ticked_ms = switches, now_ms
            board.tick(now_ms, inputs)
        for t_us, raws, slips in world.samples(now_ms):
            board.sampled(t_us, raws, slips)
        if self.beating and now_ms % BEAT_MS == 0:
            self.beat()
        self.drain()
        world.relay(on=board.relay)
        if board.pump:
            world.edge(now_ms)
        if relay and not board.relay:
            self.locked_ms = self.uptime_ms
        if coil and not world.coil:
            self.coil_went_ms = self.uptime_ms

    # The host.

    def drain(self) -> None:
        """Hear what the board says, and acknowledge it."""
        while data := self.board.data_to_send(1 << 16):
            for coded in data[:-1].split(b"\0"):
                frame = decode_frame(coded)
                assert frame is not None
                kind, seq, payload = frame
                if kind in (DATA, STREAM):
                    self.said.append((self.uptime_ms, payload))
                if kind == DATA:
                    self.board.receive(encode_frame(ACK, seq, b""), self.now_ms)

    def hello(self, protocol: int = c.PROTOCOL, nonce: bytes = NONCE) -> "Bench":
        """Begin a session as the page says: Hello, Lock, StatusRequest."""
        self.board.receive(encode_frame(OPEN, 0, bytes((c.HELLO, protocol)) + nonce), self.now_ms)
        self._seq = 0
        self.drain()
        if protocol == self.fitted.protocol == c.PROTOCOL:
            self.order(c.LOCK)
            self.order(c.STATUS_REQUEST)
        return self

    def order(self, code: int, body: bytes = b"") -> None:
        self._seq = (self._seq + 1) & 0xFF
        self.board.receive(encode_frame(DATA, self._seq, bytes((code,)) + body), self.now_ms)
        self.drain()

    def beat(self) -> None:
        self.board.receive(encode_frame(STREAM, self._beats & 0xFF, bytes((c.HEARTBEAT,))), self.now_ms)
        self._beats += 1

    def challenge(self) -> bytes:
        self.order(c.CHALLENGE_REQUEST)
        return self.last(c.CHALLENGE)[1:]

    def unlock(self, visit: bytes = VISIT, ttl_ms: int = 5000, *, beating: bool = True) -> int:
        """Ask for a lease, signed; the answer."""
        self.beating = beating
        self.order(c.UNLOCK, visit + struct.pack("<H", ttl_ms) + mac(self.challenge(), visit, ttl_ms))
        return self.last(c.UNLOCK_RESULT)[17]

    def open_door(self) -> None:
        """A granted visit as far as the open door."""
        assert self.unlock() == c.OK
        self.run(250)
        assert self.world.pull()
        self.run(20)

    # What was said.

    def all(self, code: int) -> list[bytes]:
        return [payload for _, payload in self.said if payload[:1] == bytes((code,))]

    def last(self, code: int) -> bytes:
        return self.all(code)[-1]

    def faults(self) -> list[tuple[int, int, bool]]:
        """(code, detail, raised) of every Fault so far."""
        return [(payload[1], payload[2], payload[3] == 1) for payload in self.all(c.FAULT)]

    def fault_bits(self) -> int:
        self.order(c.STATUS_REQUEST)
        bits: int = struct.unpack_from("<I", self.last(c.STATUS), 9)[0]
        return bits

    def ends(self) -> list[tuple[bytes, int]]:
        """(visit, reason) of every LeaseEnded."""
        return [(payload[1:17], payload[17]) for payload in self.all(c.LEASE_ENDED)]

    def journal(self) -> list[tuple[int, bytes]]:
        """(kind, body) of every entry kept."""
        self.board.write_down()
        entries = self.board.journal.read(1, 64)
        return [(entry[10], entry[11:]) for entry in entries]
