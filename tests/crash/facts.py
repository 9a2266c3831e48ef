"""What the world had been told before the power failed: whatever it knows must still be true afterwards.

Decoded from the bytes that left the daemon: unlock and mirror frames to the board, events to the broker, visits shown
on the control socket.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ulid import ULID

from firmware_bridge.errors import MessageError
from firmware_bridge.frames import Decoder
from firmware_bridge.orders import Mirror, Unlock
from tests.crash.record import Op, Said

PUBLISH = 3


@dataclass(frozen=True, slots=True)
class Unlocked:
    visit: str


@dataclass(frozen=True, slots=True)
class Mirrored:
    visit: str
    total_minor: int
    h: str


@dataclass(frozen=True, slots=True)
class Published:
    store: str
    seq: int
    h: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A closed visit, as anybody could see it."""

    visit: str
    outcome: str
    total_minor: int


Fact = Unlocked | Mirrored | Published | Shown


@dataclass
class _Ears:
    board: Decoder = field(default_factory=Decoder)
    streams: dict[str, bytearray] = field(default_factory=dict)

    def hear(self, said: Said) -> Iterator[Fact]:
        if said.to == "board":
            for frame in self.board.feed(said.data):
                yield from _from_frame(frame.payload)
            return
        stream = self.streams.setdefault(said.to, bytearray())
        stream += said.data
        if said.to.startswith("TCP"):
            yield from _from_mqtt(stream)
        else:
            *lines, rest = bytes(stream).split(b"\n")
            stream[:] = rest
            for line in lines:
                yield from _from_line(line)


def facts_of(ops: Sequence[Op]) -> list[tuple[int, Fact]]:
    """With the place in the record from which on each is known."""
    ears = _Ears()
    return [(place, fact) for place, op in enumerate(ops) if isinstance(op, Said) for fact in ears.hear(op)]


def _from_frame(payload: bytes) -> Iterator[Fact]:
    kinds: dict[int, type[Unlock | Mirror]] = {Unlock.CODE: Unlock, Mirror.CODE: Mirror}
    kind = kinds.get(payload[0]) if payload else None
    if kind is None or len(payload) != 1 + kind.LAYOUT.size:
        return
    try:
        message = kind.unpack(payload[1:])
    except MessageError:
        return
    visit = str(ULID.from_bytes(message.visit))
    if isinstance(message, Unlock):
        yield Unlocked(visit)
    else:
        yield Mirrored(visit, message.amount_minor, message.digest.hex())


def _from_mqtt(stream: bytearray) -> Iterator[Fact]:
    """Whole packets only; what is no MQTT (a camera's request) is thrown away."""
    if bytes(stream[:1]) in {b"G", b"\x00"}:
        stream.clear()
    while True:
        size, at = _varint(stream, 1)
        if size < 0 or len(stream) < at + size:
            return
        head, body = stream[0], bytes(stream[at : at + size])
        del stream[: at + size]
        if head >> 4 == PUBLISH:
            yield from _from_publish(head, body)


def _from_publish(head: int, body: bytes) -> Iterator[Fact]:
    end = 2 + int.from_bytes(body[:2], "big")
    if not body[2:end].endswith(b"/up/ev"):
        return
    rest = body[end + (2 if head & 0b110 else 0) :]
    size, at = _varint(bytearray(rest), 0)  # MQTT 5: properties first
    event = json.loads(rest[at + size :])
    yield Published(event["store"], event["seq"], event["h"])


def _varint(data: bytearray, at: int) -> tuple[int, int]:
    """The number and where it ends; -1 where it is not all there yet."""
    value = 0
    for n, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return value, at + n + 1
    return -1, at


def _from_line(line: bytes) -> Iterator[Fact]:
    """An answer on the control socket; or of a cabinet without board and broker, what it orders and sends."""
    try:
        told = json.loads(line)
        if told.get("point") == "before the release":
            yield Unlocked(told["visit"])
        if told.get("kind") == "ev":
            event = json.loads(told["payload"])
            yield Published(event["store"], event["seq"], event["h"])
        visit = told["data"]["visit"]
        if visit["outcome"] is not None:
            yield Shown(visit["visit"], visit["outcome"], visit["total_minor"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return
