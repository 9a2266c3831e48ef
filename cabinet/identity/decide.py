"""One visitor before the front camera: frame by frame until it is clear who it is, or that it is nobody.

A face needs agreeing frames; a valid code needs none.  Frames without a clear answer count for nothing: they neither
let in nor turn away.  Says nothing about why a member might not be allowed in today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, assert_never

from cabinet.identity.match import Answer, Match, Stranger, Unclear
from cabinet.units import MemberId

CLEARLY_NEAREST = 1.5  # times the area of the next face: who stands behind does not pay


class Area(Protocol):
    @property
    def left(self) -> int: ...
    @property
    def top(self) -> int: ...
    @property
    def right(self) -> int: ...
    @property
    def bottom(self) -> int: ...


FaceArea = TypeVar("FaceArea", bound=Area)


@dataclass(frozen=True, slots=True)
class Rules:
    agreeing_frames: int = 2
    stranger_frames: int = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the frames of one attempt have said so far."""

    member: MemberId | None = None  # of the latest match
    agreeing: int = 0  # frames that said so, without another member or a stranger between
    strange: int = 0  # frames that showed a stranger, without a match between


@dataclass(frozen=True, slots=True)
class Accepted:
    member: MemberId
    by: Literal["face", "code"]


@dataclass(frozen=True, slots=True)
class Refused:
    why: str


@dataclass(frozen=True, slots=True)
class Undecided:
    attempt: Attempt


Decision = Accepted | Refused | Undecided


def by_code(owner: MemberId | None, attempt: Attempt) -> Decision:
    """`owner`: whose code was shown; None for a code that is nobody's, which decides nothing."""
    return Undecided(attempt) if owner is None else Accepted(owner, "code")


def by_face(answer: Answer, attempt: Attempt, rules: Rules = Rules()) -> Decision:
    """What one more frame with a clearly nearest face makes of the attempt."""
    match answer:
        case Match(member):
            agreeing = attempt.agreeing + 1 if attempt.member == member else 1
            if agreeing >= rules.agreeing_frames:
                return Accepted(member, "face")
            return Undecided(Attempt(member, agreeing))
        case Stranger():
            strange = attempt.strange + 1
            if strange >= rules.stranger_frames:
                return Refused("not recognised")
            return Undecided(Attempt(strange=strange))
        case Unclear():
            return Undecided(attempt)
    assert_never(answer)


def nearest(faces: Sequence[FaceArea]) -> FaceArea | None:
    """The face that is clearly in front; None where there is none or two people compete."""
    ordered = sorted(faces, key=area, reverse=True)
    if not ordered or area(ordered[0]) <= 0:
        return None
    return ordered[0] if len(ordered) == 1 or area(ordered[0]) >= CLEARLY_NEAREST * area(ordered[1]) else None


def area(face: Area) -> int:
    return max(face.right - face.left, 0) * max(face.bottom - face.top, 0)
