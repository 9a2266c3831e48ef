"""What the host's side of the board tells its user, in the past tense.  Data only.

Every `at_s` is seconds on the host's monotonic clock (`time.monotonic`, which is asyncio's `loop.time`).
"""

from dataclasses import dataclass

from firmware_bridge.messages import FaultCode, HelloReply, LeaseEnd, Status


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
    """Evenly spaced samples of one zone, the first at `at_s`; None is a sample the board knows to be bad."""

    zone_index: int
    at_s: float
    hz: int
    grams: list[float | None]


@dataclass(frozen=True, slots=True)
class Gap:
    """`seconds` of `what` ("mass zone 2", "link") are missing before what comes next."""

    seconds: float
    what: str


@dataclass(frozen=True, slots=True)
class LeaseOver:
    visit: bytes
    reason: LeaseEnd


@dataclass(frozen=True, slots=True)
class FaultRaised:
    code: FaultCode


@dataclass(frozen=True, slots=True)
class TemperatureRead:
    probe: int
    celsius: float


Happening = (
    Connected | Disconnected | DoorChanged | BoltChanged | Masses | Gap | LeaseOver | FaultRaised | TemperatureRead
)


@dataclass(slots=True)
class Counters:
    """What the wire cost since the host started, for `doctor`."""

    frames_dropped: int = 0  # damaged on the way to us
    stream_lost: int = 0  # numbered frames that never came
    messages_refused: int = 0  # sound frames with nonsense inside
    gaps: int = 0
    connects: int = 0
    disconnects: int = 0
    happenings_dropped: int = 0  # the user did not fetch them in time
    board_bad_frames: int = 0  # as the board counts them since its boot
    board_lost_frames: int = 0

    @property
    def reconnects(self) -> int:
        return max(0, self.connects - 1)
