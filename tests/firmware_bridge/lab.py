"""A board, a host and the wire between them, on virtual time; and the golden bytes of PROTOCOL.md."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import firmware_bridge
from firmware_bridge import happenings as h
from firmware_bridge.dialogue import Answer, Dialogue
from firmware_bridge.emulator.firmware import TICK_MS, Chip, Firmware
from firmware_bridge.emulator.world import Signal, World
from firmware_bridge.messages import Heartbeat, Message, Unlock

Damage = Callable[[bytes], bytes]

PROTOCOL_PAGE = Path(firmware_bridge.__file__).with_name("PROTOCOL.md")
VISIT = bytes(range(16))
NONCE = b"hostside"
STARTED_S = 100.0  # the host's clock when the board's shows 0: neither may be taken for the other


@dataclass(frozen=True)
class Golden:
    """One line of the page: the name, the frame as it goes over the wire, kind, seq and payload."""

    name: str
    kind: str
    seq: int
    payload: bytes
    frame: bytes


def golden() -> dict[str, Golden]:
    """The block of golden bytes in PROTOCOL.md, by name."""
    text = PROTOCOL_PAGE.read_text(encoding="utf-8").split("```golden\n")[1].split("```")[0]
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {
        name: Golden(name, kind, int(seq), bytes.fromhex(payload.strip("-")), bytes.fromhex(frame))
        for name, kind, seq, payload, frame in rows
    }


class Lab:
    """`run(ms)` lets both ends live; `heard` and `answers` are what the host was told."""

    def __init__(self, zones: int = 2, chip: Chip | None = None, signal: Signal | None = None) -> None:
        self.now_ms = 0
        self.world = World(zones, signal=signal or Signal())
        self.board = Firmware(self.world, chip or Chip(), 0)
        self.counters = h.Counters()
        self.to_board: Damage = lambda data: data
        self.to_host: Damage = lambda data: data
        self.heard: list[h.Happening] = []
        self.answers: list[Answer] = []
        self.beating = False
        self.locked_at_ms: int | None = None  # when the drive last ended
        self.host = Dialogue(NONCE, self.counters, self.now_s)

    @property
    def now_s(self) -> float:
        return STARTED_S + self.now_ms / 1000

    def connect(self) -> "Lab":
        self.run(200)
        assert any(isinstance(happening, h.Connected) for happening in self.heard)
        return self

    def order(self, message: Message) -> None:
        self.host.order(message, self.now_s)

    def unlock(self, ttl_ms: int = 5000, *, beating: bool = True) -> None:
        """Unlock and wait for the bolt to be out."""
        self.beating = beating
        self.order(Unlock(VISIT, ttl_ms))
        self.run(50)
        assert self.board.driven

    def run(self, for_ms: int) -> None:
        for _ in range(0, for_ms, TICK_MS):
            self.now_ms += TICK_MS
            driven = self.board.driven
            self.board.step(self.now_ms)
            if self.beating and self.now_ms % 200 == 0:
                self.host.link.stream(Heartbeat().to_bytes())
            self._exchange()
            if driven and not self.board.driven:
                self.locked_at_ms = self.now_ms

    def said(self, kind: type[h.Happening]) -> list[h.Happening]:
        return [happening for happening in self.heard if isinstance(happening, kind)]

    def _exchange(self) -> None:
        for _ in range(4):  # answers of answers; more wait for the next tick
            if data := self.host.link.data_to_send():
                self.board.receive(self.to_board(data), self.now_ms)
            if data := self.board.data_to_send():
                self.host.receive(self.to_host(data), self.now_s)
        if self.now_s >= self.host.deadline_s:
            self.host.deadline_reached(self.now_s)
        self.heard += self.host.happenings()
        self.answers += self.host.answers()
