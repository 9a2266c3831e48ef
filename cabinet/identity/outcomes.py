"""What recognising may end with.  Each is a type of its own, so that nobody can take doubt for a match."""

from dataclasses import dataclass
from typing import Literal

from cabinet.identity.seen import SeenFace
from cabinet.units import MemberId

Why = Literal["too far", "too dark", "too bright", "blurred", "turned away", "cut off", "no contrast"]


@dataclass(frozen=True, slots=True)
class Matched:
    """Near enough to this member, and nobody else is nearly as near."""

    member: MemberId
    distance: float
    second: float  # to the nearest other member; infinite where there is none


@dataclass(frozen=True, slots=True)
class NeedsDigits:
    """Like somebody we know, not surely: the last four digits of the telephone number decide."""

    likely: tuple[MemberId, ...]  # nearest first


@dataclass(frozen=True, slots=True)
class Unknown:
    distance: float  # to the nearest member; infinite where there is none


@dataclass(frozen=True, slots=True)
class SeveralPeople:
    """More than one may be meant: whoever is nearest and looks at the camera is asked to confirm."""

    faces: int
    nearest: SeenFace | None  # None: none of them looks at the camera


@dataclass(frozen=True, slots=True)
class NotLive:
    """A picture, a screen or a mask."""

    score: float


@dataclass(frozen=True, slots=True)
class LowQuality:
    why: Why


Outcome = Matched | NeedsDigits | Unknown | SeveralPeople | NotLive | LowQuality
