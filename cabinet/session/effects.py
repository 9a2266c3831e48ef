"""What to do, in the imperative.  The shell makes the durable ones durable, then performs all of them in order."""

import enum
from dataclasses import dataclass
from typing import Literal

from cabinet.session.states import Purpose
from cabinet.units import MemberId, VisitId


class Notice(enum.Enum):
    """What the shopper is told, by screen line, lamp and buzzer."""

    READY = "ready"
    LOOKING = "looking"
    ASKED = "asked"
    WELCOME = "welcome"
    REFUSED = "refused"
    SHOPPING = "shopping"
    CLOSE_DOOR = "close door"
    TALLYING = "tallying"
    THANKS = "thanks"
    NOTHING_TAKEN = "nothing taken"
    REVIEW = "review"
    SERVICE = "service"
    OUT_OF_SERVICE = "out of service"


# Durable: these become rows in the transaction that stores the new state.


@dataclass(frozen=True, slots=True)
class OpenVisit:
    visit: VisitId
    member: MemberId | None  # None: a technician's visit
    purpose: Literal["shop"] | Purpose
    who: str  # "face", "digits", "token", "card", or the technician's name
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CloseVisit:
    """The one closing event of a visit.  A charge's lines are the tally's; everything else charges nothing."""

    visit: VisitId
    outcome: Literal["charge", "nothing", "review", "void", "serviced"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class RaiseIncident:
    why: str
    visit: VisitId | None = None


# Performed after the commit.


@dataclass(frozen=True, slots=True)
class LookForMember:
    visit: VisitId


@dataclass(frozen=True, slots=True)
class StopLooking:
    pass


@dataclass(frozen=True, slots=True)
class ReleaseLock:
    visit: VisitId
    lease_s: float  # the lock relocks by itself when the lease runs out


@dataclass(frozen=True, slots=True)
class ClearLockFaults:
    """A technician is here: what the lock has latched may end."""


@dataclass(frozen=True, slots=True)
class EngageLock:
    pass


@dataclass(frozen=True, slots=True)
class StartTrace:
    """Record everything sensed from now on (with what was sensed just before).  Goes on where a trace exists."""

    visit: VisitId


@dataclass(frozen=True, slots=True)
class FinishTrace:
    """The door is shut: answer `EvidenceComplete` when every sensor's data up to now is in."""

    visit: VisitId


@dataclass(frozen=True, slots=True)
class EndTrace:
    """Nothing more belongs to this visit."""

    visit: VisitId


@dataclass(frozen=True, slots=True)
class Tally:
    """Work out the bill; answer `VisitTallied`."""

    visit: VisitId
    complete: bool  # False: not every sensor reported in time, so a person decides


@dataclass(frozen=True, slots=True)
class Show:
    notice: Notice
    visit: VisitId | None = None  # whose bill the notice is about


@dataclass(frozen=True, slots=True)
class SoundAlarm:
    reason: str


@dataclass(frozen=True, slots=True)
class ReportUnexpected:
    state: str
    event: str


Effect = (
    OpenVisit
    | CloseVisit
    | RaiseIncident
    | LookForMember
    | StopLooking
    | ReleaseLock
    | ClearLockFaults
    | EngageLock
    | StartTrace
    | FinishTrace
    | EndTrace
    | Tally
    | Show
    | SoundAlarm
    | ReportUnexpected
)
