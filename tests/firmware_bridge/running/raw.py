"""A host that does what it is told, wrong or right: one thread, the real port, no daemon, no asyncio.

The product's own host refuses to send a forged or replayed unlock; this one sends whatever a test wants.
"""

import hashlib
import hmac
import os
import select
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import serial

from firmware_bridge import messages as m
from firmware_bridge.errors import LinkDown, MessageError, WrongProtocol
from firmware_bridge.link import Link

WITHIN_S = 60.0  # two busy cores; the bounds that are claimed are measured on the board's side of the wire
MAX_TRIES = 600  # likewise: a minute of silence
BEAT_S = 0.15

T = TypeVar("T", bound=m.Message)


class RawHost:
    """`with RawHost(port) as host:` - a session has begun as every host begins one: Lock, then the status."""

    def __init__(self, port: str, *, protocol: int = m.PROTOCOL) -> None:
        self._serial = serial.Serial(port, 115200, timeout=0, exclusive=True)
        self._link = Link(MAX_TRIES)
        self._protocol = protocol
        self._beat_s: float | None = None
        self.heard: list[m.Message] = []
        self.refused: WrongProtocol | None = None
        self._open()
        self.hello: m.HelloReply | None = None

    def __enter__(self) -> Self:
        self.hello = self.wait(m.HelloReply)
        self.send(m.Lock())
        self.status()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serial.close()

    def send(self, message: m.Message) -> None:
        self._link.send(message.to_bytes(), time.monotonic())
        self._exchange(0.0)

    def noise(self, data: bytes) -> None:
        """Bytes that are no frame of ours."""
        self._exchange(0.0)
        self._serial.write(data)

    def beat(self, *, on: bool = True) -> None:
        """Heartbeats from now on, whenever this host waits."""
        self._beat_s = time.monotonic() if on else None

    def has(self, kind: type[m.Message]) -> bool:
        """Something of it was heard and not yet taken."""
        return any(isinstance(message, kind) for message in self.heard)

    def forget(self, kind: type[m.Message]) -> None:
        self.heard = [message for message in self.heard if not isinstance(message, kind)]

    def wait(self, kind: type[T], such: Callable[[T], bool] = lambda _: True) -> T:
        """The first such message not yet taken."""
        until_s = time.monotonic() + WITHIN_S
        while time.monotonic() < until_s:
            for message in self.heard:
                if isinstance(message, kind) and such(message):
                    self.heard.remove(message)
                    return message
            self._exchange(0.05)
        raise AssertionError(f"no {kind.__name__} within {WITHIN_S} s")

    def until(self, so: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        """Live on until something of the world's is so."""
        until_s = time.monotonic() + within_s
        while not so():
            assert time.monotonic() < until_s, "it did not become so"
            self._exchange(0.01)

    def challenge(self) -> bytes:
        self.send(m.ChallengeRequest())
        return self.wait(m.Challenge).nonce

    def unlock(self, visit: bytes, ttl_ms: int, mac: bytes) -> m.Answer:
        self.send(m.Unlock(visit, ttl_ms, mac))
        return self.wait(m.UnlockResult).answer

    def signed_unlock(self, key: bytes, visit: bytes, ttl_ms: int) -> m.Answer:
        """Once more if the machine let two seconds pass between challenge and order."""
        while True:
            said = self.unlock(visit, ttl_ms, self.mac(key, self.challenge(), visit, ttl_ms))
            if said is not m.Answer.STALE:
                return said

    def mac(self, key: bytes, nonce: bytes, visit: bytes, ttl_ms: int) -> bytes:
        assert self.hello is not None
        said = b"unlock" + self.hello.board_id + nonce + visit + ttl_ms.to_bytes(2, "little")
        return hmac.new(key, said, hashlib.sha256).digest()[:16]

    def status(self) -> m.Status:
        self.send(m.StatusRequest())
        return self.wait(m.Status)

    def journal(self) -> list[m.JournalEntry]:
        """Everything kept, oldest first."""
        entries: list[m.JournalEntry] = []
        first = 1
        while True:
            self.send(m.JournalRead(first, 8))
            end = self.wait(m.JournalEnd)
            entries += [message for message in self.heard if isinstance(message, m.JournalEntry)]
            self.forget(m.JournalEntry)
            if not entries or entries[-1].index + 1 >= end.next:
                return entries
            first = entries[-1].index + 1

    def _exchange(self, for_s: float) -> None:
        now_s = time.monotonic()
        if self._beat_s is not None and now_s >= self._beat_s:
            self._beat_s = now_s + BEAT_S
            self._link.stream(m.Heartbeat().to_bytes())
        if self._link.deadline_s is not None and now_s >= self._link.deadline_s:
            self._repeat(now_s)
        self._flush()
        if select.select([self._serial], [], [], for_s)[0]:
            self._link.receive(self._serial.read(4096), time.monotonic())
            for payload in self._link.messages():
                self._hear(payload)
            self._flush()

    def _open(self) -> None:
        self._link.open(m.Hello(self._protocol, os.urandom(8)).to_bytes(), time.monotonic())

    def _repeat(self, now_s: float) -> None:
        try:
            self._link.deadline_reached(now_s)
        except LinkDown:
            if self._link.is_open:
                raise
            self._open()  # a board that boots on a busy machine

    def _flush(self) -> None:
        data = self._link.data_to_send()
        while data:
            select.select([], [self._serial], [], WITHIN_S)
            data = data[self._serial.write(data) or 0 :]

    def _hear(self, payload: bytes) -> None:
        try:
            self.heard.append(m.decode(payload))
        except WrongProtocol as error:
            self.refused = error
        except MessageError as error:
            raise AssertionError(f"the board said nonsense: {payload.hex()}") from error
