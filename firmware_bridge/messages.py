"""What host and board say to each other: frozen dataclasses to bytes and back, little-endian.

PROTOCOL.md is the table.  This module checks fields and ranges; it sends nothing and judges nothing.
"""

import enum
import struct
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from firmware_bridge.errors import MessageError, WrongProtocol

PROTOCOL = 1  # version of the messages; agreed by Hello before anything moves
BAD_SAMPLE = -(2**31)  # on the wire; None in Mass.samples_dg
MAX_SAMPLES = 48  # per Mass; 7 + 4 x 48 bytes stay well inside a frame
MAX_FIRMWARE_TEXT = 32  # bytes of UTF-8
VISIT_BYTES = 16  # an ULID or UUID


class LampMode(enum.IntEnum):
    OFF = 0
    READY = 1
    BUSY = 2
    OPEN = 3
    ALARM = 4


class BuzzerPattern(enum.IntEnum):
    NONE = 0
    OK = 1
    PROMPT = 2
    ALARM = 3


class Answer(enum.IntEnum):
    """What the board says to an unlock."""

    OK = 0
    DOOR_OPEN = 1
    FAULT = 2  # a latched fault of the list
    BUSY = 3  # another visit holds the lease
    BAD_TTL = 4
    BUDGET = 5  # reserved: too many unlocks this hour
    UNSIGNED = 6  # reserved: signature missing or wrong


class LeaseEnd(enum.IntEnum):
    OPENED = 0
    EXPIRED = 1
    HOST_SILENT = 2
    LOCK_ORDER = 3
    FAULT = 4


class FaultCode(enum.IntEnum):
    """Bit n of Status.faults is code n."""

    DOOR_FORCED = 0
    NOT_LATCHED = 1
    NOISY_WIRE = 2
    DOOR_SWITCHES = 3
    DRIVE_STUCK = 4
    BROWN_OUT = 5
    WATCHDOG = 6


class Capability(enum.IntFlag):
    SIGNED_UNLOCK = 1
    JOURNAL = 2
    COIL_CURRENT = 4
    TEMPERATURE = 8
    LAMP = 16
    BUZZER = 32
    MOTOR_BOLT = 64


def _flag(value: int) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value} is no truth value")
    return bool(value)


Cast = Callable[[Any], object]


class Message:
    """One message.  LAYOUT packs the fields in their order, CASTS gives them their types back."""

    __slots__ = ()
    CODE: ClassVar[int]
    LAYOUT: ClassVar[struct.Struct]
    CASTS: ClassVar[tuple[Cast, ...]] = ()

    def to_bytes(self) -> bytes:
        """MessageError if a field is out of range."""
        try:
            return bytes((self.CODE,)) + self._pack()
        except (struct.error, ValueError) as error:
            raise MessageError(f"{self}: {error}") from error

    def _pack(self) -> bytes:
        values = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]  # every subclass is a dataclass
        body = self.LAYOUT.pack(*values)
        if self.unpack(body) != self:
            raise ValueError("a field has the wrong length")  # struct would pad or cut it in silence
        return body

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        values = cls.LAYOUT.unpack(body)
        return cls(*(cast(value) for cast, value in zip(cls.CASTS, values, strict=True)))


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """Begins a session.  `protocol` is what the host speaks; `nonce` is fresh each time, 8 bytes."""

    CODE = 0x01
    LAYOUT = struct.Struct("<B8s")
    CASTS = (int, bytes)
    protocol: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Unlock(Message):
    """Order a lease.  `ttl_ms` 1..65535; the board caps it at 10 000."""

    CODE = 0x02
    LAYOUT = struct.Struct("<16sH")
    CASTS = (bytes, int)
    visit: bytes
    ttl_ms: int


@dataclass(frozen=True, slots=True)
class Lock(Message):
    CODE = 0x03
    LAYOUT = struct.Struct("<")


@dataclass(frozen=True, slots=True)
class Heartbeat(Message):
    """Stream.  The host's state machine is alive and still means the lease."""

    CODE = 0x04
    LAYOUT = struct.Struct("<")


@dataclass(frozen=True, slots=True)
class Lamp(Message):
    CODE = 0x05
    LAYOUT = struct.Struct("<B")
    CASTS = (LampMode,)
    mode: LampMode


@dataclass(frozen=True, slots=True)
class Buzzer(Message):
    CODE = 0x06
    LAYOUT = struct.Struct("<B")
    CASTS = (BuzzerPattern,)
    pattern: BuzzerPattern


@dataclass(frozen=True, slots=True)
class StatusRequest(Message):
    CODE = 0x07
    LAYOUT = struct.Struct("<")


@dataclass(frozen=True, slots=True)
class ClearFaults(Message):
    """A person has looked at the cabinet: latched faults whose cause is gone may end."""

    CODE = 0x08
    LAYOUT = struct.Struct("<")


@dataclass(frozen=True, slots=True)
class HelloReply(Message):
    """Who the board is.  `boot_id` 8 bytes, new at each boot; `zones` mass channels at `rate_hz` each."""

    CODE = 0x81
    LAYOUT = struct.Struct("<B8sIBHH")
    CASTS = (int, bytes, int, int, int, Capability)
    protocol: int
    boot_id: bytes
    uptime_ms: int
    zones: int
    rate_hz: int
    capabilities: Capability
    firmware: str

    def _pack(self) -> bytes:
        text = self.firmware.encode()
        if len(text) > MAX_FIRMWARE_TEXT:
            raise ValueError(f"firmware text over {MAX_FIRMWARE_TEXT} bytes")
        *numbers, _ = (getattr(self, field.name) for field in fields(self))
        return self.LAYOUT.pack(*numbers) + text

    @classmethod
    def unpack(cls, body: bytes) -> "HelloReply":
        if body and body[0] != PROTOCOL:
            raise WrongProtocol(PROTOCOL, body[0])  # the rest may have any shape
        head, text = body[: cls.LAYOUT.size], body[cls.LAYOUT.size :]
        protocol, boot_id, uptime_ms, zones, rate_hz, capabilities = cls.LAYOUT.unpack(head)
        if not rate_hz or len(text) > MAX_FIRMWARE_TEXT:
            raise ValueError("no sample rate, or too long a firmware text")
        firmware = text.decode()
        return cls(protocol, boot_id, uptime_ms, zones, rate_hz, Capability(capabilities), firmware)


@dataclass(frozen=True, slots=True)
class Status(Message):
    """Everything about the lock now.  `door_open` is debounced; `faults` has bit n for FaultCode n."""

    CODE = 0x82
    LAYOUT = struct.Struct("<BBBIH")
    CASTS = (_flag, _flag, _flag, int, int)
    door_open: bool
    bolt_locked: bool
    lock_driven: bool
    uptime_ms: int
    faults: int


@dataclass(frozen=True, slots=True)
class Door(Message):
    """`t_ms`: when the contact changed (for a closing: before the 300 ms of debounce)."""

    CODE = 0x83
    LAYOUT = struct.Struct("<BI")
    CASTS = (_flag, int)
    open: bool
    t_ms: int


@dataclass(frozen=True, slots=True)
class Bolt(Message):
    """`locked`: the bolt sits in the strike and holds the door."""

    CODE = 0x84
    LAYOUT = struct.Struct("<BI")
    CASTS = (_flag, int)
    locked: bool
    t_ms: int


@dataclass(frozen=True, slots=True)
class Mass(Message):
    """Stream.  `samples_dg` in 0.1 g, evenly spaced at the rate of HelloReply, the first at `t_ms`;
    None is a sample that the board knows to be bad.
    """

    CODE = 0x85
    LAYOUT = struct.Struct("<IB")
    t_ms: int
    zone: int
    samples_dg: tuple[int | None, ...]

    def _pack(self) -> bytes:
        count = len(self.samples_dg)
        if not 1 <= count <= MAX_SAMPLES or BAD_SAMPLE in self.samples_dg:
            raise ValueError(f"1..{MAX_SAMPLES} samples, none of them {BAD_SAMPLE}")
        raw = (BAD_SAMPLE if sample is None else sample for sample in self.samples_dg)
        return self.LAYOUT.pack(self.t_ms, self.zone) + struct.pack(f"<{count}i", *raw)

    @classmethod
    def unpack(cls, body: bytes) -> "Mass":
        t_ms, zone = cls.LAYOUT.unpack(body[: cls.LAYOUT.size])
        count, rest = divmod(len(body) - cls.LAYOUT.size, 4)
        if rest or not 1 <= count <= MAX_SAMPLES:
            raise ValueError(f"{len(body)} bytes hold no 1..{MAX_SAMPLES} samples")
        raw = struct.unpack_from(f"<{count}i", body, cls.LAYOUT.size)
        return cls(t_ms, zone, tuple(None if sample == BAD_SAMPLE else sample for sample in raw))


@dataclass(frozen=True, slots=True)
class UnlockResult(Message):
    CODE = 0x86
    LAYOUT = struct.Struct("<16sB")
    CASTS = (bytes, Answer)
    visit: bytes
    answer: Answer


@dataclass(frozen=True, slots=True)
class LeaseEnded(Message):
    CODE = 0x87
    LAYOUT = struct.Struct("<16sB")
    CASTS = (bytes, LeaseEnd)
    visit: bytes
    reason: LeaseEnd


@dataclass(frozen=True, slots=True)
class Fault(Message):
    CODE = 0x88
    LAYOUT = struct.Struct("<B")
    CASTS = (FaultCode,)
    code: FaultCode


@dataclass(frozen=True, slots=True)
class Temperature(Message):
    """Stream.  `centi_c` in 0.01 degrees Celsius."""

    CODE = 0x89
    LAYOUT = struct.Struct("<Bh")
    CASTS = (int, int)
    probe: int
    centi_c: int


@dataclass(frozen=True, slots=True)
class Alive(Message):
    """Stream, twice a second, session or not.  A host that does not find its own `nonce` and the boot it
    knows in it has lost its session.  The counts are the board's own: damaged frames, lost stream frames.
    """

    CODE = 0x8A
    LAYOUT = struct.Struct("<I8s8sHH")
    CASTS = (int, bytes, bytes, int, int)
    t_ms: int
    boot_id: bytes
    nonce: bytes
    bad_frames: int
    lost_frames: int


_HOST: tuple[type[Message], ...] = (Hello, Unlock, Lock, Heartbeat, Lamp, Buzzer, StatusRequest, ClearFaults)
_BOARD: tuple[type[Message], ...] = (
    *(HelloReply, Status, Door, Bolt, Mass, UnlockResult, LeaseEnded, Fault, Temperature, Alive),
)
BY_CODE: dict[int, type[Message]] = {message.CODE: message for message in _HOST + _BOARD}


def decode(payload: bytes) -> Message:
    """The message of a frame's payload.  MessageError, or WrongProtocol for a HelloReply of another version."""
    if not payload or payload[0] not in BY_CODE:
        raise MessageError(f"unknown message: {payload[:1].hex() or 'empty'}")
    try:
        return BY_CODE[payload[0]].unpack(payload[1:])
    except (struct.error, ValueError) as error:
        raise MessageError(f"{BY_CODE[payload[0]].__name__} {payload.hex()}: {error}") from error
