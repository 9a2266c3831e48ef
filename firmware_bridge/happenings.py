"""What the host's side of the board tells its user, in the past tense.  Data only.

Every `at_s` is seconds on the host's monotonic clock (`time.monotonic`, which is asyncio's `loop.time`).
"""

from dataclasses import dataclass

from firmware_bridge.codes import Bad, FaultCode, LeaseEnd, ProbeBad
from firmware_bridge.reports import HelloReply, JournalEntry, Status


@dataclass(frozen=True, slots=True)
class Connected:
    """A session began; the lock was ordered locked before `status` was taken."""

    hello: HelloReply
    status: Status


@dataclass(frozen=True, slots=True)
class Disconnected:
    """No session now.  Told once per reason; connecting goes on by itself."""

    why: str


@dataclass(frozen=True, slots=True)
class DoorChanged:
    open: bool
    at_s: float


@dataclass(frozen=True, slots=True)
class BoltChanged:
    locked: bool
    at_s: float


@dataclass(frozen=True, slots=True)
class Masses:
    """Evenly spaced samples of one zone, the first at `at_s`, `hz` as the board measured it.

    None is a sample that is no number; then `bad` has as many places as `grams`, with the reason.  All good: empty.
    """

    zone_index: int
    at_s: float
    hz: float
    grams: list[float | None]
    bad: tuple[Bad | None, ...] = ()


@dataclass(frozen=True, slots=True)
class CellCounts:
    """As Masses, in the converter's counts: only for zones whose raw stream was asked for."""

    zone_index: int
    at_s: float
    hz: float
    counts: list[int | None]
    bad: tuple[Bad | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """`seconds` of `what` ("mass zone 2", "link") are missing before what comes next; of a zone `samples` of them,
    by their numbers.
    """

    seconds: float
    what: str
    samples: int = 0


@dataclass(frozen=True, slots=True)
class LeaseOver:
    visit: bytes
    reason: LeaseEnd


@dataclass(frozen=True, slots=True)
class FaultRaised:
    """`detail`: the zone of a cell fault, else 0.  Those standing at a new session are in Connected.status."""

    code: FaultCode
    detail: int
    at_s: float


@dataclass(frozen=True, slots=True)
class FaultGone:
    code: FaultCode
    detail: int
    at_s: float


@dataclass(frozen=True, slots=True)
class TemperatureRead:
    probe: int
    celsius: float


@dataclass(frozen=True, slots=True)
class TemperatureBad:
    probe: int
    reason: ProbeBad


@dataclass(frozen=True, slots=True)
class Journaled:
    """The board's journal holds this.  Each entry is told once, in order, across sessions."""

    entry: JournalEntry


Happening = (
    Connected | Disconnected | DoorChanged | BoltChanged | Masses | CellCounts | Gap | LeaseOver
    | FaultRaised | FaultGone | TemperatureRead | TemperatureBad | Journaled
)  # fmt: skip  # a list


@dataclass(slots=True)
class Counters:
    """What the wire cost since the host started, for `doctor`."""

    frames_dropped: int = 0  # damaged on the way to us
    stream_lost: int = 0  # numbered frames that never came
    messages_refused: int = 0  # sound frames with nonsense inside
    gaps: int = 0
    samples_lost: int = 0  # of masses, by their numbers
    journal_lost: int = 0  # entries torn, or overwritten before we read them
    connects: int = 0
    disconnects: int = 0
    happenings_dropped: int = 0  # the user did not fetch them in time
    board_bad_frames: int = 0  # as the board counts them since its boot, modulo 2^16
    board_lost_frames: int = 0

    @property
    def reconnects(self) -> int:
        return max(0, self.connects - 1)
