"""What the host says to the board.  PROTOCOL.md is the table; fields and ranges are checked, nothing is judged.

Values the board itself answers for (a ttl of 0, a key or a mass out of range) may be written: its answer
is the better one.
"""

import struct
from dataclasses import dataclass

from firmware_bridge.codes import BuzzerPattern, LampMode
from firmware_bridge.message import Message, flag

MAC_BYTES = 16  # of the HMAC's 32
KEY_BYTES = 32
CURRENCY_BYTES = 3
DIGEST_BYTES = 32
MAX_ENTRIES_AT_ONCE = 16  # per JournalRead
_NOTHING = struct.Struct("<")
_ONE_BYTE = struct.Struct("<B")


def _slot(value: int) -> int:
    if value not in (1, 2):
        raise ValueError(f"slot {value}, want 1 or 2")
    return value


def _most(value: int) -> int:
    if not 1 <= value <= MAX_ENTRIES_AT_ONCE:
        raise ValueError(f"{value} entries at once, want 1..{MAX_ENTRIES_AT_ONCE}")
    return value


def _currency(value: bytes) -> bytes:
    if not value.isascii():
        raise ValueError("a currency is three letters of ASCII")
    return value


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
    """Order a lease of `ttl_ms` (the board caps it at 10 000), signed: see signing.py."""

    CODE = 0x02
    LAYOUT = struct.Struct("<16sH16s")
    CASTS = (bytes, int, bytes)
    visit: bytes
    ttl_ms: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class Lock(Message):
    CODE = 0x03
    LAYOUT = _NOTHING


@dataclass(frozen=True, slots=True)
class Heartbeat(Message):
    """Stream.  The host's state machine is alive and still means the lease."""

    CODE = 0x04
    LAYOUT = _NOTHING


@dataclass(frozen=True, slots=True)
class Lamp(Message):
    CODE = 0x05
    LAYOUT = _ONE_BYTE
    CASTS = (LampMode,)
    mode: LampMode


@dataclass(frozen=True, slots=True)
class Buzzer(Message):
    CODE = 0x06
    LAYOUT = _ONE_BYTE
    CASTS = (BuzzerPattern,)
    pattern: BuzzerPattern


@dataclass(frozen=True, slots=True)
class StatusRequest(Message):
    CODE = 0x07
    LAYOUT = _NOTHING


@dataclass(frozen=True, slots=True)
class ClearFaults(Message):
    """A person has looked at the cabinet: latched faults whose cause is gone may end."""

    CODE = 0x08
    LAYOUT = _NOTHING


@dataclass(frozen=True, slots=True)
class ChallengeRequest(Message):
    """Asks for the bytes that the next Unlock must sign."""

    CODE = 0x09
    LAYOUT = _NOTHING


@dataclass(frozen=True, slots=True)
class Commission(Message):
    """Set key (32 bytes) and budget on a board that has none, or whose housing is open."""

    CODE = 0x0A
    LAYOUT = struct.Struct("<32sHH")
    CASTS = (bytes, int, int)
    key: bytes
    per_hour: int
    per_day: int

    def __repr__(self) -> str:  # an error may be logged, a key may not
        return f"Commission(key=..., per_hour={self.per_hour}, per_day={self.per_day})"


@dataclass(frozen=True, slots=True)
class JournalRead(Message):
    """Up to `most` (1..16) entries from index `first` on."""

    CODE = 0x0B
    LAYOUT = struct.Struct("<IB")
    CASTS = (int, _most)
    first: int
    most: int


@dataclass(frozen=True, slots=True)
class Mirror(Message):
    """What a visit was charged, for the board to keep: `amount_minor` signed 64 bits, `currency` three letters of
    ASCII, `digest` 32 bytes.
    """

    CODE = 0x0C
    LAYOUT = struct.Struct("<16sq3s32s")
    CASTS = (bytes, int, _currency, bytes)
    visit: bytes
    amount_minor: int
    currency: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Tare(Message):
    """The mean of the last second becomes the zone's zero."""

    CODE = 0x0D
    LAYOUT = _ONE_BYTE
    CASTS = (int,)
    zone: int


@dataclass(frozen=True, slots=True)
class CalibrationPoint(Message):
    """`mass_dg` (0.1 g) lies on the zone now; `slot` 1 or 2."""

    CODE = 0x0E
    LAYOUT = struct.Struct("<BBI")
    CASTS = (int, _slot, int)
    zone: int
    slot: int
    mass_dg: int


@dataclass(frozen=True, slots=True)
class Calibrate(Message):
    """Fit zero and both points; stored only if every check passes."""

    CODE = 0x0F
    LAYOUT = _ONE_BYTE
    CASTS = (int,)
    zone: int


@dataclass(frozen=True, slots=True)
class CellRequest(Message):
    CODE = 0x10
    LAYOUT = _ONE_BYTE
    CASTS = (int,)
    zone: int


@dataclass(frozen=True, slots=True)
class RawStream(Message):
    """Also send this zone's counts, until told otherwise or the session ends."""

    CODE = 0x11
    LAYOUT = struct.Struct("<BB")
    CASTS = (int, flag)
    zone: int
    on: bool


ORDERS: tuple[type[Message], ...] = (
    *(Hello, Unlock, Lock, Heartbeat, Lamp, Buzzer, StatusRequest, ClearFaults, ChallengeRequest, Commission),
    *(JournalRead, Mirror, Tare, CalibrationPoint, Calibrate, CellRequest, RawStream),
)
