"""A board of a few lines that answers by heart and remembers what it was told, and a port to plug it into.

The firmware's own rules are tested elsewhere: here only the host's side is on trial.  Time is an argument, or the
event loop's.
"""

import asyncio
from collections.abc import Callable

from firmware_bridge.codes import About, Answer, Capability, CellAnswer, Commissioning, ResetCause
from firmware_bridge.errors import LinkDown
from firmware_bridge.firmware.wire import BoardLink
from firmware_bridge.messages import (
    Alive,
    Calibrate,
    CalibrationPoint,
    CellReport,
    CellRequest,
    Challenge,
    ChallengeRequest,
    Commission,
    Commissioned,
    Heartbeat,
    Hello,
    HelloReply,
    JournalEnd,
    JournalEntry,
    JournalRead,
    Lock,
    Message,
    Status,
    StatusRequest,
    Tare,
    Unlock,
    UnlockResult,
    decode,
)

KEY = bytes(range(32))
CHALLENGE = b"lottery!"
TRAVEL_S = 0.002  # from one end of the cable to the other
ALIVE_S = 0.5
TICK_S = 0.01

Cell = Tare | CalibrationPoint | Calibrate | CellRequest
ABOUT: dict[type[Message], About] = {
    Tare: About.TARE,
    CalibrationPoint: About.POINT,
    Calibrate: About.CALIBRATE,
    CellRequest: About.REQUEST,
}


class Puppet:
    """`told` is every order in its order; `deaf` to those of some types; `says` an answer to each unlock."""

    def __init__(self, zones: int = 2, *, protocol: int = 2, journal: int = 0, journaling: bool = True) -> None:
        self.zones, self.protocol = zones, protocol
        self.board_id, self.boot = b"board-id", 1
        self.capabilities = Capability.JOURNAL if journaling else Capability(0)
        self.link = BoardLink()
        self.told: list[Message] = []
        self.deaf: set[type[Message]] = set()
        self.says, self.commissioning = Answer.OK, Commissioning.OK
        self.faults = 0
        self.silent = False
        self.first, self.next = 1, journal + 1
        self._booted_s = self._alive_s = 0.0

    @property
    def orders(self) -> list[Message]:
        """What was told in earnest: without the beginnings of sessions, the journal and heartbeats."""
        usual = (Hello, StatusRequest, JournalRead, Heartbeat)
        told = [message for message in self.told if not isinstance(message, usual)]
        return told[1:] if told[:1] == [Lock()] else told  # the Lock of the first session

    def reset(self, now_s: float) -> None:
        self.boot += 1
        self.link = BoardLink()
        self._booted_s = now_s

    def uptime_ms(self, now_s: float) -> int:
        return int(1000 * (now_s - self._booted_s)) % 2**32

    def say(self, message: Message, now_s: float) -> None:
        payload = message.to_bytes()
        if isinstance(message, HelloReply):
            payload = payload[:1] + bytes([self.protocol]) + payload[2:]
        self.link.send(payload, now_s_to_ms(now_s))

    def stream(self, message: Message) -> None:
        self.link.stream(message.to_bytes())

    def receive(self, data: bytes, now_s: float) -> None:
        for payload in self.link.receive(data, now_s_to_ms(now_s)):
            message = decode(payload)
            self.told.append(message)
            if type(message) not in self.deaf and (self.protocol == 2 or isinstance(message, Hello)):
                for answer in self._answers(message, now_s):
                    self.say(answer, now_s)

    def step(self, now_s: float) -> None:
        self.link.step(now_s_to_ms(now_s))
        if now_s >= self._alive_s:
            self._alive_s = now_s + ALIVE_S
            nonce = (self.link.opened_with or b"")[2:10].ljust(8, b"\0")
            boot_id = self.boot.to_bytes(8, "big")
            self.stream(Alive(self.uptime_ms(now_s), boot_id, nonce, 3, 4, self.faults, self.next))

    def data_to_send(self) -> bytes:
        data = self.link.data_to_send()
        return b"" if self.silent else data

    def _answers(self, message: Message, now_s: float) -> list[Message]:
        match message:
            case Hello():
                return [self._hello(now_s)]
            case StatusRequest():
                return [Status(*(False, True, False, False), self.uptime_ms(now_s), self.faults, cells=0)]
            case ChallengeRequest():
                return [Challenge(CHALLENGE)]
            case Unlock():
                return [UnlockResult(message.visit, self.says)]
            case Commission():
                return [Commissioned(self.commissioning)]
            case JournalRead():
                last = min(self.next, max(self.first, message.first) + message.most)
                entries = [entry(index) for index in range(max(self.first, message.first), last)]
                return [*entries, JournalEnd(self.first, self.next)]
            case Tare() | CalibrationPoint() | Calibrate() | CellRequest():
                return [CellReport(message.zone, ABOUT[type(message)], CellAnswer.OK, 1, 2, 3, 4, 5)]
            case _:
                return []

    def _hello(self, now_s: float) -> HelloReply:
        return HelloReply(
            *(2, self.boot.to_bytes(8, "big"), self.uptime_ms(now_s), self.zones, 80, self.capabilities),
            *(self.board_id, ResetCause.POWER),
            keyed=True,
            firmware="puppet",
        )


def entry(index: int) -> JournalEntry:
    return JournalEntry(index, 1, 1000 * index, 4, bytes(16))


def now_s_to_ms(now_s: float) -> int:
    return round(1000 * now_s)


class Port:
    """Where the puppet is plugged in; `opened` when.  Stands in for the module's Line."""

    def __init__(self) -> None:
        self.puppet = Puppet()
        self.plugged = True
        self.opened: list[float] = []
        self.sent = b""  # every byte that ever went to the board
        self.loses = 0  # so many of the next writes
        self.line: FakeLine | None = None
        self._ticking = False

    def open(self, port: str, baud: int, loop: asyncio.AbstractEventLoop, heard: Callable[[bytes], None]) -> "FakeLine":
        self.opened.append(loop.time())
        if not self.plugged:
            raise LinkDown(f"cannot open {port}: No such file or directory")
        self.line = FakeLine(loop, heard, lambda data: self._to_board(loop, data))
        if not self._ticking:
            self._ticking = True
            self._tick(loop)
        return self.line

    def unplug(self) -> None:
        self.plugged = False
        if self.line is not None:
            self.line.end(LinkDown("the port went away: Input/output error"))

    def replug(self) -> None:
        self.plugged = True

    def _to_board(self, loop: asyncio.AbstractEventLoop, data: bytes) -> None:
        self.sent += data
        if self.loses:
            self.loses -= 1
            return
        loop.call_later(TRAVEL_S, self._arrived, loop, data)

    def _arrived(self, loop: asyncio.AbstractEventLoop, data: bytes) -> None:
        if self.plugged:
            self.puppet.receive(data, loop.time())
            self._from_board(loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.puppet.step(loop.time())
        self._from_board(loop)
        loop.call_later(TICK_S, self._tick, loop)

    def _from_board(self, loop: asyncio.AbstractEventLoop) -> None:
        data = self.puppet.data_to_send()
        if data and self.plugged and self.line is not None:
            loop.call_later(TRAVEL_S, self.line.came, data)


class FakeLine:
    """As line.Line, without a port."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, heard: Callable[[bytes], None], write: Callable[[bytes], None]
    ) -> None:
        self._loop, self._heard, self._write = loop, heard, write
        self._over: Exception | None = None
        self._news = asyncio.Event()

    async def wait(self, until_s: float) -> None:
        alarm = self._loop.call_at(until_s, self._news.set)
        try:
            await self._news.wait()
        finally:
            alarm.cancel()
        self._news.clear()
        if self._over is not None:
            raise self._over

    def nudge(self) -> None:
        self._news.set()

    def end(self, error: Exception) -> None:
        self._over = self._over or error
        self._news.set()

    def write(self, data: bytes) -> None:
        if data and self._over is None:
            self._write(data)

    def close(self) -> None:
        self.end(LinkDown("closed"))

    def came(self, data: bytes) -> None:
        if self._over is None:
            self._heard(data)
