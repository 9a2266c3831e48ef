"""What the board says to the host.  PROTOCOL.md is the table; fields and ranges are checked, nothing is judged."""

import struct
from dataclasses import dataclass, fields
from typing import Self

from firmware_bridge.codes import (
    About,
    Answer,
    Bad,
    Capability,
    CellAnswer,
    Commissioning,
    FaultCode,
    LeaseEnd,
    ProbeBad,
    ResetCause,
)
from firmware_bridge.errors import WrongProtocol
from firmware_bridge.message import PROTOCOL, Message, flag

BAD_SAMPLE = -(2**31)  # plus its reason, in Mass and Raw
BAD_SAMPLES = 256  # kept clear of numbers: reasons of later boards are bad samples too (Bad.UNKNOWN)
BAD_CENTI_C = -(2**15)  # plus its reason, in Temperature
ABSOLUTE_ZERO_CENTI_C = -27_315
MAX_SAMPLES = 48  # per Mass; 12 + 4 x 48 bytes stay well inside a frame
MAX_FIRMWARE_TEXT = 32  # bytes of UTF-8
MAX_ENTRY_BODY = 64  # bytes
MAX_ZONES = 12


def bad(sample: int) -> Bad | None:
    """Why this sample of Mass or Raw is no number; None if it is one."""
    reason = sample - BAD_SAMPLE
    if reason >= BAD_SAMPLES:
        return None
    return Bad(reason) if reason <= max(Bad) else Bad.UNKNOWN


@dataclass(frozen=True, slots=True)
class HelloReply(Message):
    """Who the board is.  `boot_id` 8 bytes, new at each boot; `board_id` 8 bytes, of the chip for ever; `zones` mass
    channels at nominally `rate_hz` each; `keyed`: it has a key and can unlock.
    """

    CODE = 0x81
    LAYOUT = struct.Struct("<B8sIBHH8sBB")
    protocol: int
    boot_id: bytes
    uptime_ms: int
    zones: int
    rate_hz: int
    capabilities: Capability
    board_id: bytes
    reset_cause: ResetCause
    keyed: bool
    firmware: str

    def _pack(self) -> bytes:
        *numbers, _ = (getattr(self, field.name) for field in fields(self))
        return self.LAYOUT.pack(*numbers) + self.firmware.encode()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if body and body[0] != PROTOCOL:
            raise WrongProtocol(PROTOCOL, body[0])  # the rest may have any shape
        head, text = body[: cls.LAYOUT.size], body[cls.LAYOUT.size :]
        protocol, boot_id, uptime_ms, zones, rate_hz, able, board_id, cause, keyed = cls.LAYOUT.unpack(head)
        if not rate_hz or not 1 <= zones <= MAX_ZONES or len(text) > MAX_FIRMWARE_TEXT:
            raise ValueError(f"{zones} zones at {rate_hz} Hz, firmware text of {len(text)} bytes")
        rest = (board_id, ResetCause(cause), flag(keyed), text.decode())
        return cls(protocol, boot_id, uptime_ms, zones, rate_hz, Capability(able), *rest)


@dataclass(frozen=True, slots=True)
class Status(Message):
    """Everything about the lock now.  `door_open` is debounced; `faults` has bit n for FaultCode n, `cells` bit n for
    a cell fault of zone n.
    """

    CODE = 0x82
    LAYOUT = struct.Struct("<BBBBIIH")
    CASTS = (flag, flag, flag, flag, int, int, int)
    door_open: bool
    bolt_locked: bool
    lock_driven: bool
    housing_open: bool
    uptime_ms: int
    faults: int
    cells: int


@dataclass(frozen=True, slots=True)
class Door(Message):
    """`t_ms`: when the contact changed (for a closing: before the debounce)."""

    CODE = 0x83
    LAYOUT = struct.Struct("<BI")
    CASTS = (flag, int)
    open: bool
    t_ms: int


@dataclass(frozen=True, slots=True)
class Bolt(Message):
    """`locked`: the bolt sits in the strike and holds the door."""

    CODE = 0x84
    LAYOUT = struct.Struct("<BI")
    CASTS = (flag, int)
    locked: bool
    t_ms: int


@dataclass(frozen=True, slots=True)
class Samples(Message):
    """A batch of one zone: the first is number `index` since boot, taken at `t_ms`, the next `spacing_us` later;
    `bad` tells which are no numbers.
    """

    LAYOUT = struct.Struct("<BIIH")
    zone: int
    index: int
    t_ms: int
    spacing_us: int
    samples: tuple[int, ...]

    def _pack(self) -> bytes:
        head = self.LAYOUT.pack(self.zone, self.index, self.t_ms, self.spacing_us)
        return head + struct.pack(f"<{len(self.samples)}i", *self.samples)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        count = (len(body) - 11) // 4
        if not 1 <= count <= MAX_SAMPLES or len(body) != 11 + 4 * count:
            raise ValueError(f"{len(body)} bytes hold no 1..{MAX_SAMPLES} samples")
        zone, index, t_ms, spacing_us, *samples = _BATCHES[count].unpack(body)
        if not spacing_us:
            raise ValueError("samples without any time between them")
        return cls(zone, index, t_ms, spacing_us, tuple(samples))


_BATCHES = [struct.Struct(f"<BIIH{count}i") for count in range(MAX_SAMPLES + 1)]


class Mass(Samples):
    """Stream.  Samples in 0.1 g."""

    __slots__ = ()
    CODE = 0x85


class Raw(Samples):
    """Stream.  Samples in counts of the converter."""

    __slots__ = ()
    CODE = 0x90


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
    """`detail`: the zone of a cell fault, else 0; `raised` is False when it went away."""

    CODE = 0x88
    LAYOUT = struct.Struct("<BBBI")
    CASTS = (FaultCode, int, flag, int)
    code: FaultCode
    detail: int
    raised: bool
    t_ms: int


def _centi_c(value: int) -> int:
    if value < ABSOLUTE_ZERO_CENTI_C:
        ProbeBad(value - BAD_CENTI_C)  # ValueError if it is neither a temperature nor a reason
    return value


@dataclass(frozen=True, slots=True)
class Temperature(Message):
    """Stream.  `centi_c` in 0.01 degrees Celsius, unless `bad` says why there is none."""

    CODE = 0x89
    LAYOUT = struct.Struct("<Bh")
    CASTS = (int, _centi_c)
    probe: int
    centi_c: int

    @property
    def bad(self) -> ProbeBad | None:
        return ProbeBad(self.centi_c - BAD_CENTI_C) if self.centi_c < ABSOLUTE_ZERO_CENTI_C else None


@dataclass(frozen=True, slots=True)
class Alive(Message):
    """Stream, twice a second, session or not.  A host that does not find its own `nonce` and the boot it knows in it
    has lost its session.  The counts are the board's own and wrap at 2^16.
    """

    CODE = 0x8A
    LAYOUT = struct.Struct("<I8s8sHHII")
    CASTS = (int, bytes, bytes, int, int, int, int)
    t_ms: int
    boot_id: bytes
    nonce: bytes
    bad_frames: int
    lost_frames: int
    faults: int
    journal_next: int


@dataclass(frozen=True, slots=True)
class Challenge(Message):
    CODE = 0x8B
    LAYOUT = struct.Struct("<8s")
    CASTS = (bytes,)
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Commissioned(Message):
    CODE = 0x8C
    LAYOUT = struct.Struct("<B")
    CASTS = (Commissioning,)
    answer: Commissioning


@dataclass(frozen=True, slots=True)
class JournalEntry(Message):
    """Entry `index`, written in boot number `boot` at `t_ms` of it.  entries.py reads the body."""

    CODE = 0x8D
    LAYOUT = struct.Struct("<IHIB")
    index: int
    boot: int
    t_ms: int
    kind: int
    body: bytes

    def _pack(self) -> bytes:
        return self.LAYOUT.pack(self.index, self.boot, self.t_ms, self.kind) + self.body

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if len(body) > cls.LAYOUT.size + MAX_ENTRY_BODY:
            raise ValueError(f"entry of {len(body)} bytes")
        index, boot, t_ms, kind = cls.LAYOUT.unpack(body[: cls.LAYOUT.size])
        return cls(index, boot, t_ms, kind, body[cls.LAYOUT.size :])


@dataclass(frozen=True, slots=True)
class JournalEnd(Message):
    """`first`: the oldest index kept; `next`: of the entry to be written next."""

    CODE = 0x8E
    LAYOUT = struct.Struct("<II")
    CASTS = (int, int)
    first: int
    next: int


@dataclass(frozen=True, slots=True)
class CellReport(Message):
    """One load cell.  Counts, noise in 0.1 counts rms, span in 2^-24 dg per count (0: not calibrated), residual in
    0.01 g.
    """

    CODE = 0x8F
    LAYOUT = struct.Struct("<BBBiHiIi")
    CASTS = (int, About, CellAnswer, int, int, int, int, int)
    zone: int
    about: About
    answer: CellAnswer
    mean_counts: int
    noise_decicounts: int
    zero_counts: int
    span: int
    residual_cg: int

    @property
    def grams(self) -> float | None:
        """What the mean weighs; None if not calibrated."""
        return ((self.mean_counts - self.zero_counts) * self.span >> 24) / 10 if self.span else None


REPORTS: tuple[type[Message], ...] = (
    *(HelloReply, Status, Door, Bolt, Mass, UnlockResult, LeaseEnded, Fault, Temperature, Alive),
    *(Challenge, Commissioned, JournalEntry, JournalEnd, CellReport, Raw),
)
