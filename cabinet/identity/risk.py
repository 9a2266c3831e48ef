"""May this member be let in now, for how much, and is the face alone enough?  A pure policy over plain figures.

Three questions, each with its own list of reasons: what forbids it, what asks for a second proof, what lowers the
limit.  A better fact never makes the outcome stricter or the limit lower.  Digits and a token are the second proof; a
card is one too, and therefore small and rare.  Who owes is the till's to refuse; here it only makes careful.  A night
or a list whose time nobody knows counts as the careful case.
"""

from dataclasses import dataclass
from typing import Final, Literal

from cabinet.identity.trust import START
from cabinet.units import Minor

NO_PROOF_OF_AGE: Final = "no proof of age"  # as `cabinet.identity.decide` says it
LOW_TRUST: Final = "low trust"
OLD_MEMBERS: Final = "old members list"
TOO_OFTEN: Final = "too many visits"
CARD_TOO_OFTEN: Final = "too many visits by card"
NO_LIMIT: Final = "no limit"
NOT_KEPT: Final = "not kept"  # the decision could not be written down
WHYS: Final = (NO_PROOF_OF_AGE, LOW_TRUST, OLD_MEMBERS, TOO_OFTEN, CARD_TOO_OFTEN, NO_LIMIT, NOT_KEPT)

DAY_S: Final = 86_400.0

Way = Literal["face", "digits", "token", "card"]  # how the member was recognised; "digits": face and digits


@dataclass(frozen=True, slots=True)
class Allow:
    limit_minor: Minor  # the hold is at most this
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowWithDigits:
    """Only together with the last four digits, a signed token, or a card: a face alone is not enough."""

    limit_minor: Minor
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deny:
    why: str  # a word of ours, shown kindly (cabinet.screenline.REFUSALS)
    reasons: tuple[str, ...] = ()


Judgement = Allow | AllowWithDigits | Deny


@dataclass(frozen=True, slots=True)
class Policy:
    limit_minor: Minor = 5_000  # in good standing
    new_limit_minor: Minor = 2_000  # until the first paid visit or a verified identity, and where care is due
    least_trust: int = 20  # below: refused
    digits_below_trust: int = 50
    restore_days: float = 30.0  # half of what was lost comes back in so long; incidents and disputes count so long
    visits_per_hour: int = 6
    night: tuple[int, int] = (0, 0)  # from hour to hour; the same twice: never
    min_age: int = 0
    card_hold_minor: Minor = 1_000
    card_visits_per_day: int = 3
    members_s: float = 7 * DAY_S  # the cloud's list of members may be so old


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one member at the door."""

    way: Way = "face"
    trust: int = START
    verified: bool = False
    age: int | None = None  # proven, at least; None: no proof
    has_paid: bool = False  # at least one visit here was charged, and the cloud has confirmed it where there is one
    owes: bool = False  # an own note of a debt; whether it refuses is the till's
    incidents: int = 0  # recent misconduct that was not made good
    disputes: int = 0  # recent bills that they disputed: somebody may have used their face
    hour: int | None = None  # of the local day; None: no trusted clock
    members_age_s: float | None = None  # of the cloud's list that names them; None: it is not from there that we know
    visits_last_hour: int = 0
    card_visits_last_day: int = 0
    offered_minor: Minor | None = None  # a token's own limit


def assess(facts: Facts, policy: Policy) -> Judgement:
    limit_minor, caps = _limit(facts, policy)
    against = _against(facts, policy)
    if limit_minor <= 0:
        against.append((NO_LIMIT, caps[0]))
    careful = _careful(facts, policy)
    if against:
        return Deny(against[0][0], (*(reason for _, reason in against), *careful))
    if careful and facts.way == "face":
        return AllowWithDigits(limit_minor, (*careful, *caps))
    return Allow(limit_minor, (*careful, *caps))


def _against(facts: Facts, policy: Policy) -> list[tuple[str, str]]:
    """What forbids it, the gravest first: a word for the shopper, and the reason with its figures."""
    found: list[tuple[str, str]] = []
    if (facts.age or 0) < policy.min_age:
        found.append((NO_PROOF_OF_AGE, f"age {'unproven' if facts.age is None else facts.age} < {policy.min_age}"))
    if facts.trust < policy.least_trust:
        found.append((LOW_TRUST, f"trust {facts.trust} < {policy.least_trust}"))
    if facts.members_age_s is not None and facts.members_age_s > policy.members_s:
        days = f"{facts.members_age_s / DAY_S:.1f} d > {policy.members_s / DAY_S:g} d"
        found.append((OLD_MEMBERS, f"members list {days}"))
    if facts.visits_last_hour >= policy.visits_per_hour:
        found.append((TOO_OFTEN, f"visits {facts.visits_last_hour} of {policy.visits_per_hour} in 1 h"))
    if facts.way == "card" and facts.card_visits_last_day >= policy.card_visits_per_day:
        used = f"{facts.card_visits_last_day} of {policy.card_visits_per_day} in 1 d"
        found.append((CARD_TOO_OFTEN, f"card visits {used}"))
    return found


def _careful(facts: Facts, policy: Policy) -> list[str]:
    """What asks for more than a face."""
    found = []
    if facts.trust < policy.digits_below_trust:
        found.append(f"trust {facts.trust} < {policy.digits_below_trust}")
    if facts.owes:
        found.append("unpaid")
    if facts.disputes:
        found.append(f"disputes {facts.disputes} in {policy.restore_days:g} d")
    if _at_night(facts.hour, policy.night):
        start, end = policy.night
        found.append(f"night {start}-{end}" + (", hour unknown" if facts.hour is None else ""))
    return found


def _limit(facts: Facts, policy: Policy) -> tuple[Minor, list[str]]:
    """The lowest cap, and every cap below the usual limit, the lowest first; else the usual limit itself."""
    small = policy.new_limit_minor
    caps: list[tuple[Minor, str]] = []
    if facts.incidents:
        caps.append((small, f"incidents {facts.incidents} in {policy.restore_days:g} d: limit {small}"))
    if facts.trust < policy.digits_below_trust or facts.owes:
        caps.append((small, f"care: limit {small}"))
    if facts.members_age_s is not None and facts.members_age_s > policy.members_s / 2:
        caps.append((small, f"members list {facts.members_age_s / DAY_S:.1f} d: limit {small}"))
    if not (facts.verified or facts.has_paid):
        caps.append((small, f"new: limit {small}"))
    if facts.way == "card":
        caps.append((policy.card_hold_minor, f"card: limit {policy.card_hold_minor}"))
    if facts.offered_minor is not None:
        caps.append((max(0, facts.offered_minor), f"offered: limit {facts.offered_minor}"))
    below = sorted((cap for cap in caps if cap[0] < policy.limit_minor), key=lambda cap: cap[0])  # stable
    if not below:
        return policy.limit_minor, [f"limit {policy.limit_minor}"]
    return below[0][0], [words for _, words in below]


def _at_night(hour: int | None, night: tuple[int, int]) -> bool:
    start, end = night
    if start == end:
        return False
    if hour is None:
        return True
    return start <= hour < end if start < end else hour >= start or hour < end
