"""One frame: which of the faces is meant, whether it is good enough to tell, and whose it is.

Answers for one face in one frame; whether that opens a door is decided elsewhere.  When in doubt it says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cabinet.identity.budget import INT8, Tail, threshold, with_digits
from cabinet.identity.gallery import Near
from cabinet.identity.outcomes import LowQuality, Matched, NeedsDigits, SeveralPeople, Unknown
from cabinet.identity.seen import SeenFace

CLEARLY_NEAREST: Final = 1.5  # times the area of the next face: who stands behind does not pay
FACING: Final = 0.35  # of yaw: whoever looks at the camera is within it
DOUBT: Final = 0.06  # farther than the face alone may be: within it the slower network is asked
MOST_LIKELY: Final = 8  # members whose digits are compared


@dataclass(frozen=True, slots=True)
class Rules:
    """`false_match`: a stranger's chance to pass for a member by face alone; `false_match_digits`: with digits."""

    false_match: float = 1e-4
    false_match_digits: float = 1e-5
    farthest: float = 0.5  # by face alone never farther, whatever the budget allows a small gallery
    margin: float = 0.05  # to the next member: closely related people come within 0.13 of each other (measured)
    tail: Tail = INT8
    tries: int = 3  # of digits

    def alone(self, templates: int) -> float:
        """Up to this distance the face alone may decide."""
        return min(self.farthest, threshold(templates, self.false_match, self.tail))

    def together(self, templates: int) -> float:
        """Up to this distance face and digits may decide."""
        return max(self.alone(templates), with_digits(templates, self.false_match_digits, self.tries, self.tail))


@dataclass(frozen=True, slots=True)
class Least:
    """What a face must be to be compared.  The network takes 150 x 150 pixels."""

    height_px: float = 56.0  # of the box; below, agreement with the same person's other pictures falls
    sharpness: float = 8.0
    darkest: float = 30.0
    brightest: float = 235.0
    contrast: float = 14.0
    yaw: float = 0.55
    pitch: float = 0.8


def choose(faces: Sequence[SeenFace]) -> SeenFace | SeveralPeople | None:
    """The face that is clearly in front; None where there is none; several where people compete for the place."""
    ordered = sorted((face for face in faces if face.area > 0), key=lambda face: face.area, reverse=True)
    if not ordered:
        return None
    rivals = [face for face in ordered if face.area * CLEARLY_NEAREST >= ordered[0].area]
    if len(rivals) == 1:
        return ordered[0]
    return SeveralPeople(len(rivals), next((face for face in rivals if abs(face.quality.yaw) <= FACING), None))


def good_enough(face: SeenFace, least: Least = Least()) -> LowQuality | None:
    """None: it may be compared.  Else the first thing that whoever stands there can do something about."""
    seen = face.quality
    if seen.height_px < least.height_px:
        return LowQuality("too far")
    if seen.cut:
        return LowQuality("cut off")
    if seen.brightness < least.darkest:
        return LowQuality("too dark")
    if seen.brightness > least.brightest:
        return LowQuality("too bright")
    if abs(seen.yaw) > least.yaw or abs(seen.pitch) > least.pitch:
        return LowQuality("turned away")
    if seen.contrast < least.contrast:
        return LowQuality("no contrast")
    return LowQuality("blurred") if seen.sharpness < least.sharpness else None


def decide_face(nearest: Sequence[Near], templates: int, rules: Rules = Rules()) -> Matched | NeedsDigits | Unknown:
    """`nearest`: the nearest members, nearest first; `templates`: how many were searched."""
    if not nearest:
        return Unknown(float("inf"))
    best = nearest[0]
    second = nearest[1].distance if len(nearest) > 1 else float("inf")
    if best.distance <= rules.alone(templates) and second - best.distance >= rules.margin:
        return Matched(best.member, best.distance, second)
    if best.distance > rules.together(templates):
        return Unknown(best.distance)
    reach = max(rules.together(templates), best.distance + rules.margin)
    return NeedsDigits(tuple(near.member for near in nearest if near.distance <= reach)[:MOST_LIKELY])


def doubtful(nearest: Sequence[Near], templates: int, rules: Rules = Rules()) -> bool:
    """Whether the slower network should be asked as well: somebody is near, not surely, and not hopelessly far."""
    if not nearest or isinstance(decide_face(nearest, templates, rules), Matched):
        return False
    return nearest[0].distance <= rules.alone(templates) + DOUBT


def both(nearest: Sequence[Near], slower: Sequence[Near]) -> list[Near]:
    """The mean of what two networks say; whom the slower does not name keeps the distance of the small one."""
    known = {near.member: near.distance for near in slower}
    mean = [Near(near.member, (near.distance + known.get(near.member, near.distance)) / 2) for near in nearest]
    return sorted(mean, key=lambda near: near.distance)
