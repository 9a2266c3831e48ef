"""Counts of who was let in, asked, and turned away: at the working point, as a curve, and by size of the gallery."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cabinet.cli.evaluate.faces_seen import Look
from cabinet.cli.evaluate.measures import wilson
from cabinet.identity.budget import DIGITS
from cabinet.identity.decide import TRIES
from cabinet.identity.gallery import FaceGallery, Near
from cabinet.identity.outcomes import Matched, NeedsDigits, Unknown
from cabinet.identity.recognise import Rules, both, decide_face, doubtful
from cabinet.units import MemberId

MOST: Final = 9  # nearest members looked at: the eight that may be asked for digits, and one who may be left out
TURNED_AWAY: Final = ("unknown", "digits for others", "not found", "several people", "unreadable")

Outcome = Matched | NeedsDigits | Unknown


@dataclass(frozen=True)
class Crowd:
    """Who is enrolled, for both networks."""

    gallery: FaceGallery
    references: FaceGallery
    rules: Rules

    @classmethod
    def of(cls, enrolled: Iterable[Look], rules: Rules, among: "frozenset[str] | None" = None) -> "Crowd":
        looks = [one for one in enrolled if one.vector and (among is None or one.photo.name in among)]
        return cls(
            FaceGallery((MemberId(one.photo.name), one.vector) for one in looks),
            FaceGallery((MemberId(one.photo.name), one.reference) for one in looks if one.reference),
            rules,
        )

    def near(self, look: Look, without: str = "") -> list[Near]:
        return [near for near in self.gallery.nearest(look.vector, MOST) if near.member != without]

    def searched(self, without: str = "") -> int:
        return self.gallery.searched(MemberId(without))

    def doubts(self, look: Look, without: str = "") -> bool:
        """Would the slower network be asked?  As the greeter asks it."""
        near = self.near(look, without)
        return doubtful(near, self.searched(without), self.rules) and near[0].member in self.references

    def whose(self, look: Look, without: str = "") -> Outcome:
        """`without`: a member who is not in the gallery this time."""
        near = self.near(look, without)
        if look.reference and self.doubts(look, without):
            near = both(near, self.references.nearest(look.reference, MOST))
        return decide_face(near, self.searched(without), self.rules)


def verdict(look: Look, crowd: Crowd, member: str, *, without: str = "") -> str:
    """`member`: whose face it is; empty for a stranger.  Right and wrong are seen from the till."""
    if look.end != "encoded":
        return "unreadable" if look.end in {"unreadable", "failed"} else look.end
    match crowd.whose(look, without):
        case Matched(found):
            return "right" if found == member else "somebody else"
        case NeedsDigits(likely):
            return "digits" if member in likely else "digits for others"
        case Unknown():
            return "unknown"


def strangers(looks: Sequence[Look], crowd: Crowd, *, left_out: bool) -> dict[str, Any]:
    """People who are not in the gallery; `left_out`: members, each taken out of it for the attempt."""
    said: Counter[str] = Counter()
    guessed = 0.0  # false accepts to be expected where every stranger types four digits at random
    for look in looks:
        without = look.photo.name if left_out else ""
        now = verdict(look, crowd, "", without=without)
        said[now] += 1
        if now == "digits for others":
            outcome = crowd.whose(look, without)
            likely = outcome.likely if isinstance(outcome, NeedsDigits) else ()
            guessed += min(1.0, TRIES * len(likely) / DIGITS)
    readable = len(looks) - said["unreadable"]
    accepted, asked = said["somebody else"], said["digits for others"]
    return {
        "attempts": readable,
        "false_accepts": accepted,
        "far": share(accepted, readable),
        "far_ci": interval(accepted, readable),
        "asked_for_digits": asked,
        "far_with_digits": None if not readable else round((accepted + guessed) / readable, 6),
        "far_if_digits_known": share(accepted + asked, readable),
    }


def members(looks: Sequence[Look], crowd: Crowd) -> dict[str, Any]:
    """Those who are in the gallery."""
    said = Counter(verdict(look, crowd, look.photo.name) for look in looks)
    probes = len(looks) - said["unreadable"]
    turned = {why: said[why] for why in TURNED_AWAY if said[why] and why != "unreadable"}
    rejected, other, digits = sum(turned.values()), said["somebody else"], said["digits"]
    return {
        "probes": probes,
        "matched": said["right"],
        "needs_digits": digits,
        "needs_digits_share": share(digits, probes),
        "needs_digits_ci": interval(digits, probes),
        "false_rejects": rejected,
        "frr": share(rejected, probes),
        "frr_ci": interval(rejected, probes),
        "frr_without_digits": share(rejected + digits + other, probes),
        "misidentified": other,
        "rejected_because": turned,
    }


def share(hits: float, of: int) -> float | None:
    """None where nobody tried."""
    return round(hits / of, 6) if of else None


def interval(hits: int, of: int) -> list[float]:
    """Wilson, 95 %."""
    low, high = wilson(hits, of)
    return [round(low, 6), round(high, 6)]
