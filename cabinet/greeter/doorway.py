"""Whom the greeter asks about a code, a member, a limit.  Each answer has a type of its own; none opens a door.

What is not wired lets nobody in by it: without a reader of tokens there are no tokens.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cabinet.identity.credit import NO_TERMS, Terms
from cabinet.identity.decide import Refused
from cabinet.identity.risk import Allow, Judgement, Way
from cabinet.units import MemberId, Minor, VisitId

UNLIMITED: Minor = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Offered:
    """A token of this member's was valid: for at most `limit_minor`."""

    member: MemberId
    limit_minor: Minor


@dataclass(frozen=True, slots=True)
class Service:
    """A technician's code was valid, once: it opens for service, never for shopping."""

    who: str
    purpose: Literal["restock", "service"]
    reason: str = "code"


async def _no_account(_: VisitId, __: MemberId, ___: Minor) -> Terms | Refused:
    return NO_TERMS


@dataclass
class Doorway:
    card: Callable[[str], MemberId | None] = lambda _: None  # whose card a text is
    token: Callable[[str], Offered | Service | Refused | None] = lambda _: None  # None: no token of ours
    technician: Callable[[str], Service | None] = lambda _: None
    digits: Callable[[Sequence[MemberId]], Mapping[MemberId, str]] = lambda _: {}  # of those who have left some
    assess: Callable[[VisitId, MemberId, Way, Minor | None], Judgement] = lambda *_: Allow(UNLIMITED)
    turned_away: Callable[[VisitId, MemberId | None, Way | None, str], None] = lambda *_: None  # to be kept
    terms: Callable[[VisitId, MemberId, Minor], Awaitable[Terms | Refused]] = field(default=_no_account)
