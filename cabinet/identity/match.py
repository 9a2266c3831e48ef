"""Whose face is this?  Nearest template, if it is near enough and nobody else is nearly as near.

Answers for one face in one frame; whether that opens a door is decided elsewhere.  When in doubt it says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import dist, isfinite
from typing import Protocol

from cabinet.units import MemberId

THRESHOLD = 0.5  # dlib names 0.6, which is for pairs; among many members that lets a stranger in far too often
MARGIN = 0.05  # to the nearest other member: closely related people come within 0.1 of each other (measured)


class Enrolled(Protocol):
    @property
    def member(self) -> MemberId: ...
    @property
    def vector(self) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True)
class Match:
    member: MemberId
    distance: float


@dataclass(frozen=True, slots=True)
class Stranger:
    distance: float  # to the nearest member; infinite where there is none


@dataclass(frozen=True, slots=True)
class Unclear:
    """Near enough to two members."""

    distance: float
    second: float


Answer = Match | Stranger | Unclear


def match(
    vector: Sequence[float], templates: Iterable[Enrolled], threshold: float = THRESHOLD, margin: float = MARGIN
) -> Answer:
    """`vector` against every template of its length.  Several templates of a member are as good as their nearest.

    Raises ValueError for a vector that holds no numbers.
    """
    if not vector or not all(isfinite(x) for x in vector):
        raise ValueError("a face's vector must hold finite numbers")
    nearest: dict[MemberId, float] = {}
    for template in templates:
        if len(template.vector) == len(vector):
            apart = dist(vector, template.vector)
            nearest[template.member] = min(apart, nearest.get(template.member, apart))
    ordered = sorted((apart, member) for member, apart in nearest.items() if isfinite(apart))
    if not ordered:
        return Stranger(float("inf"))
    best, member = ordered[0]
    if best > threshold:
        return Stranger(best)
    second = ordered[1][0] if len(ordered) > 1 else float("inf")
    return Match(member, best) if second - best >= margin else Unclear(best, second)
