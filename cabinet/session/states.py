"""What is true now.  A state carries only the facts that hold in that state.

`Idle` sells: nothing is wrong while it lasts.  The states of a running visit carry the faults met on the way, so
that a lost camera does not end a visit but does keep the next one from starting.
"""

from dataclasses import dataclass
from typing import Literal

from cabinet.units import MemberId, VisitId

Purpose = Literal["restock", "service"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A part that the cabinet does not sell without.  A latched fault ends only with a service visit.

    `new`: it has not been in order since the program started, so that nobody can say it failed.
    """

    part: str
    why: str
    latched: bool = False
    new: bool = False


Faults = tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Idle:
    """Locked, and ready to sell."""


@dataclass(frozen=True, slots=True)
class Authenticating:
    """Locked.  Somebody stands there; face and code are being looked for.  The visit is not opened yet."""

    visit: VisitId
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The visit is durable, the lock is released, the door has not been opened yet."""

    visit: VisitId
    member: MemberId
    deadline_s: float
    faults: Faults = ()


@dataclass(frozen=True, slots=True)
class Watching:
    """The door is open.  The deadline is when we complain, not when we give up."""

    visit: VisitId
    member: MemberId
    opened_at_s: float
    deadline_s: float
    complaints: int = 0
    faults: Faults = ()


@dataclass(frozen=True, slots=True)
class Closing:
    """Locked again.  Waiting until every sensor's data up to the closing instant is in."""

    visit: VisitId
    member: MemberId
    deadline_s: float
    faults: Faults = ()
    opened: bool = True  # False: nobody saw the door open, and the masses have the last word


@dataclass(frozen=True, slots=True)
class Tallying:
    """Locked.  The bill is being worked out from the visit's trace."""

    visit: VisitId
    member: MemberId
    deadline_s: float
    faults: Faults = ()
    opened: bool = True


@dataclass(frozen=True, slots=True)
class Recovering:
    """We restarted in the middle of a visit and do not know yet where the door is."""

    visit: VisitId
    member: MemberId
    deadline_s: float
    faults: Faults = ()


@dataclass(frozen=True, slots=True)
class Servicing:
    """A technician has the cabinet: restocking or repairing.  Nobody is charged.

    Until the door has been opened the deadline relocks; afterwards it complains.
    """

    visit: VisitId
    who: str
    purpose: Purpose
    door_open: bool
    deadline_s: float
    faults: Faults = ()
    told: bool = False  # that it was left open: an incident once


@dataclass(frozen=True, slots=True)
class OutOfService:
    """Locked, and nobody but a technician gets in.  There is always at least one fault."""

    faults: Faults


State = Idle | Authenticating | Unlocked | Watching | Closing | Tallying | Recovering | Servicing | OutOfService


def deadline_s(state: State) -> float | None:
    """When the shell must send `DeadlineReached` (monotonic seconds), or None if it may wait for ever."""
    return getattr(state, "deadline_s", None)


def open_visit(state: State) -> VisitId | None:
    """The durable visit that this state is responsible for, if any."""
    if isinstance(state, Unlocked | Watching | Closing | Tallying | Recovering | Servicing):
        return state.visit
    return None


def faults(state: State) -> Faults:
    """What keeps the next visit from starting."""
    return getattr(state, "faults", ())
