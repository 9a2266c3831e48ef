"""Both parsers as targets of a fuzzer: a string of bytes is a programme of what comes over the wire, and when.

Any exception but the documented ones, any memory that grows, and any lock that opens is a find.  Runs under hypothesis,
and under atheris as `python -m tests.firmware_bridge.fuzzing host|board [libFuzzer's options]`.
"""

import importlib
import random
import sys
from typing import Any

from firmware_bridge import happenings as h
from firmware_bridge.dialogue import Dialogue
from firmware_bridge.emulator.commissioned import TEST_KEY, commission
from firmware_bridge.emulator.world import World
from firmware_bridge.errors import BridgeError
from firmware_bridge.firmware import wire
from firmware_bridge.firmware.board import Board
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.frames import MAX_CODED, Frame, Kind
from firmware_bridge.lasting import Lasting
from firmware_bridge.link import MAX_WAITING
from firmware_bridge.messages import Heartbeat, Hello, HelloReply, Status, StatusRequest, decode
from tests.firmware_bridge.golden import golden

GOLDEN = [line for line in golden().values() if line.payload]
REPLIES = [line.payload for line in GOLDEN if line.payload[0] >= 0x80]
ORDERS = [line.payload for line in GOLDEN if line.payload[0] < 0x80]
ZONES = 3
MAX_OUT = 1 << 16


class Programme:
    """Reads a fuzzer's bytes; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def payload(self, known: list[bytes]) -> bytes:
        """A known message, most often with some of its bytes changed, cut or more."""
        payload = bytearray(known[self.byte() % len(known)])
        for _ in range(self.byte() % 4):
            payload[self.byte() % len(payload)] ^= self.byte()
        ending = self.byte()
        if ending % 8 == 1:
            del payload[1 + ending // 8 % len(payload) :]
        elif ending % 8 == 2:
            payload += self.take(ending // 8)
        return bytes(payload[:240])


class HostTarget:
    """A Dialogue on a board that says anything.  BridgeError ends a session, and another begins."""

    def __init__(self) -> None:
        self.counters, self.lasting = h.Counters(), Lasting()
        self.now_s = 1000.0
        self.sessions = 0
        self.begin()

    def begin(self) -> None:
        """As far as Connected."""
        self.sessions += 1
        self.dialogue = Dialogue(self.sessions.to_bytes(8, "big"), self.counters, self.now_s, self.lasting)
        hello = next(line.payload for line in GOLDEN if line.name == "HelloReply")
        status = next(line.payload for line in GOLDEN if line.name == "Status")
        assert isinstance(decode(hello), HelloReply)
        assert isinstance(decode(status), Status)
        opened = Hello(2, self.sessions.to_bytes(8, "big")).to_bytes()
        self.data_seq = 0
        self.dialogue.receive(Frame(Kind.ACK, 0, opened).to_bytes(), self.now_s)
        self.data(hello)
        self.data(status)
        assert self.dialogue.connected
        self.look()

    def data(self, payload: bytes) -> None:
        seq, self.data_seq = self.data_seq, (self.data_seq + 1) % 256
        self.dialogue.receive(Frame(Kind.DATA, seq, payload).to_bytes(), self.now_s)

    def step(self, programme: Programme) -> None:
        dialogue = self.dialogue
        match programme.byte() % 8:
            case 0:
                dialogue.receive(programme.take(programme.byte()), self.now_s)
            case 1:
                kind, seq = Kind(programme.byte() % 4), programme.byte()
                payload = programme.take(programme.byte() % 241)
                dialogue.receive(Frame(kind, seq, payload).to_bytes(), self.now_s)
            case 2 | 3:
                self.data(programme.payload(REPLIES))
            case 4 | 5:
                frame = Frame(Kind.STREAM, programme.byte(), programme.payload(REPLIES))
                dialogue.receive(frame.to_bytes(), self.now_s)
            case 6:
                self.now_s += programme.byte() ** 2 / 20_000
                if self.now_s >= dialogue.deadline_s:
                    dialogue.deadline_reached(self.now_s)
            case _:
                dialogue.link.stream(Heartbeat().to_bytes())
                dialogue.order(StatusRequest(), self.now_s)

    def look(self) -> None:
        """What the shell fetches, and how much is kept."""
        dialogue, link = self.dialogue, self.dialogue.link
        dialogue.happenings()
        dialogue.answers()
        assert len(link.data_to_send()) < MAX_OUT
        assert link.messages() == []
        assert len(link._decoder._tail) <= MAX_CODED + 1
        assert link.waiting <= MAX_WAITING
        assert len(self.lasting.series._zones) <= 12
        assert len(self.lasting.clock._points) <= 150


class BoardTarget:
    """A whole board whose host says anything but the right signature."""

    def __init__(self) -> None:
        self.now_ms = 5000
        self.world = World(ZONES, now_ms=self.now_ms)
        commission(self.world.nv, TEST_KEY, 12, 100, self.world.cells)
        dice = random.Random(1)
        self.board = Board(Fitted(zones=ZONES), self.world.nv, b"board-id", dice.randbytes, 0, self.now_ms)
        self.data_seq = 0
        self.open(b"\x01\x02hostside")

    def open(self, payload: bytes) -> None:
        self.data_seq = 0
        self.board.receive(wire.encode_frame(wire.OPEN, 0, payload), self.now_ms)

    def data(self, payload: bytes) -> None:
        self.data_seq = (self.data_seq + 1) % 256
        self.board.receive(wire.encode_frame(wire.DATA, self.data_seq, payload), self.now_ms)

    def step(self, programme: Programme) -> None:
        match programme.byte() % 8:
            case 0:
                self.board.receive(programme.take(programme.byte()), self.now_ms)
            case 1:
                kind, seq = programme.byte() % 4, programme.byte()
                payload = programme.take(programme.byte() % 241)
                self.board.receive(wire.encode_frame(kind, seq, payload), self.now_ms)
            case 2 | 3:
                self.data(programme.payload(ORDERS))
            case 4:
                payload = programme.payload(ORDERS)
                self.board.receive(wire.encode_frame(wire.STREAM, programme.byte(), payload), self.now_ms)
            case 5:
                for seq in range(256):
                    self.board.receive(wire.encode_frame(wire.ACK, seq, b""), self.now_ms)
            case 6:
                self.live(1 + programme.byte() % 60)
            case _:
                self.open(programme.payload(ORDERS))

    def live(self, ticks: int) -> None:
        for _ in range(ticks):
            self.now_ms += 10
            self.world.step(self.now_ms)
            self.board.tick(self.now_ms, self.world.inputs())
            for t_us, raws, slips in self.world.samples(self.now_ms):
                self.board.sampled(t_us, raws, slips)
            assert not self.board.relay
            assert not self.board.pump

    def look(self) -> None:
        link = self.board.link
        assert not self.board.relay
        assert link.waiting <= wire.MAX_WAITING + 1
        assert len(self.board.data_to_send(64)) <= 64
        assert len(self.board.data_to_send(1 << 20)) < MAX_OUT


def host(data: bytes) -> None:
    """Let the board say it to the host."""
    target, programme = HostTarget(), Programme(data)
    while not programme.over:
        try:
            target.step(programme)
            target.look()
        except BridgeError:
            target.begin()


def board(data: bytes) -> None:
    """Let the host say it to the board."""
    target, programme = BoardTarget(), Programme(data)
    while not programme.over:
        target.step(programme)
        target.look()


TARGETS = {"host": host, "board": board}


def main() -> None:
    atheris: Any = importlib.import_module("atheris")  # needed by nothing else
    target = TARGETS[sys.argv.pop(1)]
    atheris.instrument_all()
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
