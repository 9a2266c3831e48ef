"""What happened, in the past tense, stamped with the shell's monotonic clock (seconds)."""

from dataclasses import dataclass
from typing import Literal

from cabinet.session.states import Fault, Purpose
from cabinet.units import MemberId, VisitId

Way = Literal["face", "digits", "token", "card"]  # how a member was recognised; "digits": face and digits


@dataclass(frozen=True, slots=True)
class ShopperApproached:
    at_s: float
    visit: VisitId  # minted by the shell, so the core stays deterministic


@dataclass(frozen=True, slots=True)
class MemberRecognised:
    at_s: float
    visit: VisitId  # late answers name the visit they answer
    member: MemberId
    by: Way


@dataclass(frozen=True, slots=True)
class MemberRefused:
    at_s: float
    visit: VisitId
    why: str


@dataclass(frozen=True, slots=True)
class ShopperAsked:
    """Whoever stands there was asked for something (digits, a yes, a turn of the head) and needs time to answer."""

    at_s: float
    visit: VisitId


@dataclass(frozen=True, slots=True)
class NotReleased:
    """The order to unlock was never given, because nobody could have recorded the visit."""

    at_s: float
    visit: VisitId
    why: str


@dataclass(frozen=True, slots=True)
class ServiceRequested:
    at_s: float
    visit: VisitId
    who: str
    purpose: Purpose
    reason: str


@dataclass(frozen=True, slots=True)
class DoorOpened:
    at_s: float


@dataclass(frozen=True, slots=True)
class DoorClosed:
    """The door is shut, debounced, and the bolt is out."""

    at_s: float


@dataclass(frozen=True, slots=True)
class DoorFound:
    """Where the door is, told after a (re)connection: not an edge, the edge may have been missed."""

    at_s: float
    open: bool


@dataclass(frozen=True, slots=True)
class EvidenceComplete:
    """Every sensor's data up to the closing instant is in the trace."""

    at_s: float
    visit: VisitId


@dataclass(frozen=True, slots=True)
class VisitTallied:
    at_s: float
    visit: VisitId
    outcome: Literal["charge", "nothing", "review"]


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    at_s: float


@dataclass(frozen=True, slots=True)
class PartLost:
    at_s: float
    fault: Fault


@dataclass(frozen=True, slots=True)
class PartRestored:
    at_s: float
    part: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The first event of a process that found this state on disk."""

    at_s: float


Event = (
    ShopperApproached
    | MemberRecognised
    | MemberRefused
    | ShopperAsked
    | NotReleased
    | ServiceRequested
    | DoorOpened
    | DoorClosed
    | DoorFound
    | EvidenceComplete
    | VisitTallied
    | DeadlineReached
    | PartLost
    | PartRestored
    | Restarted
)
