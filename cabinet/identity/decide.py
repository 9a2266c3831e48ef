"""One visitor before the front camera: frame by frame until it is clear who it is, or that it is nobody.

A face needs agreeing frames and a living person; a valid code needs neither.  Frames without a clear answer count for
nothing: they neither let in nor turn away.  Says nothing about why a member might not be allowed in today.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from cabinet.identity.liveness import KEPT, Challenge, LiveRules, alive
from cabinet.identity.outcomes import Matched, NeedsDigits, Unknown
from cabinet.identity.risk import Way
from cabinet.units import MemberId

NO_PROOF_OF_AGE: Final = "no proof of age"
NOT_RECOGNISED: Final = "not recognised"
NOT_LIVE: Final = "not live"
UNKNOWN_CODE: Final = "unknown code"
WRONG_DIGITS: Final = "wrong digits"
NO_DIGITS: Final = "no digits"  # a face alone is not enough, and this member has left no digits
DECLINED: Final = "not confirmed"
TRIES: Final = 3  # digits in one attempt
DOUBTFUL_FRAMES: Final = 3  # that agree on whom the face is like, before digits are asked for


@dataclass(frozen=True, slots=True)
class Rules:
    agreeing_frames: int = 2
    stranger_frames: int = 5
    live: LiveRules = field(default_factory=LiveRules)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the frames of one attempt have said so far."""

    member: MemberId | None = None  # whom the latest frames are nearest to
    agreeing: int = 0  # frames in a row that said so
    sure: int = 0  # of them, frames that needed nothing more
    strange: int = 0  # frames in a row that showed a stranger
    likely: tuple[MemberId, ...] = ()
    scores: tuple[float, ...] = ()  # of liveness
    challenge: Challenge | None = None
    turned: bool = False  # the challenge has been met
    several: bool = False  # somebody else stood as near: a yes is needed
    tries: int = 0  # wrong digits


@dataclass(frozen=True, slots=True)
class Accepted:
    member: MemberId
    by: Way


@dataclass(frozen=True, slots=True)
class Refused:
    why: str


@dataclass(frozen=True, slots=True)
class Undecided:
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class AskDigits:
    """The last four of the telephone number: whoever of `attempt.likely` has them is let in."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class AskConfirm:
    """Whoever is nearest says that the visit is theirs."""

    attempt: Attempt
    member: MemberId


@dataclass(frozen=True, slots=True)
class AskTurn:
    """A turn of the head; the shell draws which."""

    attempt: Attempt


Decision = Accepted | Refused | Undecided | AskDigits | AskConfirm | AskTurn


def by_face(
    outcome: Matched | NeedsDigits | Unknown, score: float | None, attempt: Attempt, rules: Rules = Rules()
) -> Decision:
    """What one more frame with a good face makes of the attempt.  `score`: its liveness; None: no model looked."""
    if score is not None:
        attempt = replace(attempt, scores=(*attempt.scores, score)[-KEPT:])
    living = "live" if attempt.turned else alive(attempt.scores, rules.live, no_model=score is None)
    if living == "attack":
        return Refused(NOT_LIVE)
    match outcome:
        case Matched(member):
            attempt = _nearer(attempt, member, (member,), sure=True)
        case NeedsDigits(likely):
            attempt = _nearer(attempt, likely[0], likely, sure=False)
        case Unknown():
            attempt = replace(attempt, member=None, agreeing=0, sure=0, likely=(), strange=attempt.strange + 1)
            return Refused(NOT_RECOGNISED) if attempt.strange >= rules.stranger_frames else Undecided(attempt)
        case _:
            assert_never(outcome)
    if living is None or attempt.agreeing < rules.agreeing_frames:
        return Undecided(attempt)
    if living == "unsure":
        return AskTurn(attempt) if rules.live.mode == "challenge" else AskDigits(attempt)
    return _known(attempt, rules)


def _nearer(attempt: Attempt, member: MemberId, likely: tuple[MemberId, ...], *, sure: bool) -> Attempt:
    if attempt.member != member:
        return replace(attempt, member=member, agreeing=1, sure=int(sure), strange=0, likely=likely)
    together = tuple(dict.fromkeys((*attempt.likely, *likely)))
    return replace(attempt, agreeing=attempt.agreeing + 1, sure=attempt.sure + sure, strange=0, likely=together)


def _known(attempt: Attempt, rules: Rules) -> Decision:
    if attempt.member is not None and attempt.sure >= rules.agreeing_frames:
        if attempt.several:
            return AskConfirm(attempt, attempt.member)
        return Accepted(attempt.member, "face")
    return AskDigits(attempt) if attempt.agreeing >= DOUBTFUL_FRAMES else Undecided(attempt)


def challenged(attempt: Attempt, challenge: Challenge) -> Attempt:
    return replace(attempt, challenge=challenge)


def turned(attempt: Attempt) -> Attempt:
    """The challenge has been met: whose face it is must be seen anew, in case another one was held up meanwhile."""
    return replace(attempt, challenge=None, turned=True, member=None, agreeing=0, sure=0, likely=())


def by_digits(typed: str, known: Mapping[MemberId, str], attempt: Attempt) -> Decision:
    """`known`: the digits of the members who have left some.  Every member's are compared, in equal time."""
    asked = with_digits(attempt.likely, known)
    theirs = [member for member in asked if hmac.compare_digest(known[member].encode(), typed.encode())]
    if len(theirs) == 1:
        return Accepted(theirs[0], "digits")
    attempt = replace(attempt, tries=attempt.tries + 1)
    return Refused(WRONG_DIGITS) if attempt.tries >= TRIES else AskDigits(attempt)


def with_digits(likely: Sequence[MemberId], known: Mapping[MemberId, str]) -> tuple[MemberId, ...]:
    """Those of whom digits can decide."""
    return tuple(member for member in likely if known.get(member))
