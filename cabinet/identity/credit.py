"""May this member shop now, and for how much?  The cloud's answer, and what holds where it cannot be asked.

Pure: figures in, a decision out.  It never charges: a visit above its hold is charged whole, the cloud captures the
hold and the rest is owed.  So a limit bounds when the next visit is refused, not what the one before it took.
"""

from dataclasses import dataclass
from typing import Final, Literal

from cabinet.identity.decide import Refused
from cabinet.units import MemberId, Minor, VisitId

UNPAID: Final = "unpaid"  # owes from an earlier visit
DENIED: Final = "denied"  # on the deny list
DECLINED: Final = "declined"  # the card said no
NO_WALLET: Final = "no wallet"  # nothing to pay with is known
WHYS: Final = (UNPAID, DENIED, DECLINED, NO_WALLET)  # the cloud's words
OLD_ROSTER: Final = "old roster"
MEMBER_LIMIT: Final = "member limit"
CABINET_LIMIT: Final = "cabinet limit"
OFFLINE_WHYS: Final = (OLD_ROSTER, MEMBER_LIMIT, CABINET_LIMIT)  # our own words

By = Literal["cloud", "offline", "none"]


@dataclass(frozen=True, slots=True)
class Terms:
    """For how much a member was let in, and by whom; "none": nobody keeps an account (no cloud is configured)."""

    by: By
    hold_minor: Minor


NO_TERMS: Final = Terms("none", 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the cloud said of one ask; its signature was right."""

    visit: VisitId
    nonce: str
    granted: bool
    hold_minor: Minor
    why: str


@dataclass(frozen=True, slots=True)
class Limits:
    """While the cloud cannot be asked.  A limit of 0: never."""

    hold_minor: Minor = 2_000
    member_visits: int = 3
    member_minor: Minor = 5_000
    cabinet_visits: int = 200
    cabinet_minor: Minor = 200_000
    roster_s: float = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the cloud has not confirmed yet: charged amounts, and visits that cost or may cost (open, for review)."""

    member_visits: int = 0
    member_minor: Minor = 0
    cabinet_visits: int = 0
    cabinet_minor: Minor = 0


def decide(limits: Limits, exposure: Exposure, roster_age_s: float | None, blocked: str | None) -> Terms | Refused:
    """Without the cloud.  `blocked`: why the roster names this member.  `roster_age_s` None: no cloud has ever sent a
    roster, so there is none to be too old and the limits alone hold.

    The hold is what the limits leave, at most `limits.hold_minor`.
    """
    if blocked is not None:
        return Refused(blocked if blocked in WHYS else DENIED)
    if roster_age_s is not None and roster_age_s > limits.roster_s:
        return Refused(OLD_ROSTER)
    member_left = limits.member_minor - exposure.member_minor
    if exposure.member_visits >= limits.member_visits or member_left <= 0:
        return Refused(MEMBER_LIMIT)
    cabinet_left = limits.cabinet_minor - exposure.cabinet_minor
    if exposure.cabinet_visits >= limits.cabinet_visits or cabinet_left <= 0:
        return Refused(CABINET_LIMIT)
    return Terms("offline", min(limits.hold_minor, member_left, cabinet_left))


def answered(answer: Answer) -> Terms | Refused:
    """What the cloud's word means; it is newer than any roster.  An unknown reason refuses as the deny list does."""
    if answer.granted:
        return Terms("cloud", answer.hold_minor)
    return Refused(answer.why if answer.why in WHYS else DENIED)


@dataclass(frozen=True, slots=True)
class Roster:
    """Whom no cabinet lets in, whole."""

    version: int
    blocked: dict[MemberId, str]
