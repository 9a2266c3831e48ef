"""The words of the payment machine: what a payment is, what can happen to it, what has to be written for it.

Pure.  Amounts are whole minor units, times are wall-clock milliseconds of the cloud, given as arguments.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from cabinet.units import Minor

Op = Literal["authorise", "capture", "cancel", "refund"]
Status = Literal["held", "declined", "captured", "canceled"]
State = Literal[
    "asked",  # a hold is being asked for
    "held",  # it stands; the visit is not closed yet
    "declined",  # the card said no, and nothing is due
    "open",  # a visit without a hold
    "unknown",  # what became of the last call is not known
    "waiting",  # a person has to decide
    "due",  # closed; what has to be captured, released or returned is under way
    "paid",
    "released",  # nothing held, nothing due
    "owed",  # declined after the goods left; tried again by itself
    "overdue",  # tried often enough: a person writes it off or keeps it
    "written off",
    "stuck",  # the provider's books and ours cannot both be right, or nobody knows for 20 hours: a person
]

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
OPENS_WITHIN_MS: Final = 15 * MINUTE_MS  # then the shopper has walked away, or the cabinet went on without us
HOLD_MS: Final = 6 * DAY_MS + 12 * HOUR_MS  # a provider keeps a hold for 7 days
REPOST_WITHIN_MS: Final = 20 * HOUR_MS  # a provider may forget idempotency keys after 24 hours
RETRIES_MS: Final = (HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS, 7 * DAY_MS)
FIRST_LOOK_MS: Final = 5_000  # after an answer that did not come; four times as long after each look in vain


@dataclass(frozen=True, slots=True)
class Intent:
    """One authorisation as the provider's books show it."""

    key: str
    visit: str
    intent: str
    status: Status
    amount_minor: Minor  # granted: may be less than what was asked
    captured_minor: Minor = 0
    refunded_minor: Minor = 0
    currency: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What the provider is asked, from before it is asked until its answer is known.  Its amount never changes."""

    op: Op
    key: str
    auth_key: str  # of the authorisation it is about
    intent: str
    amount_minor: Minor
    first_ms: int
    look_ms: int  # not before this: nobody asks in a hurry what was not known a moment ago
    looks: int = 0
    lost: str = ""  # why its answer is not known
    refused: str = ""
    currency: str = ""  # "": the payment's


@dataclass(frozen=True, slots=True)
class Taken:
    """What one authorisation brought in."""

    auth_key: str
    intent: str
    captured_minor: Minor
    returned_minor: Minor = 0
    refunds: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    visit: str
    cab: str
    member: str | None
    currency: str
    asked_ms: int = 0
    hold_minor: Minor = 0
    opened: bool = False
    abandoned: bool = False  # its shopper is known to be elsewhere
    closed: bool = False
    review: str = ""  # why a person has to look before anything is captured
    charged_minor: Minor | None = None
    back_minor: Minor = 0
    forgiven: bool = False
    held_minor: Minor = 0
    held_ms: int = 0
    held_in: str = ""  # the hold's own currency; "": the payment's
    intent: str = ""
    nth: int = 0  # authorisations begun
    taken: tuple[Taken, ...] = ()
    call: Call | None = None
    tries: int = 0
    retry_ms: int = 0
    agains: int = 0  # how often a person had what hung put aside
    stuck: str = ""
    why: str = ""

    @property
    def held_elsewhere(self) -> bool:
        """The hold is in another currency than the charge: it is never captured."""
        return bool(self.held_minor) and self.held_in not in {"", self.currency}

    @property
    def due_minor(self) -> Minor:
        return (self.charged_minor or 0) - self.back_minor

    @property
    def captured_minor(self) -> Minor:
        return sum(part.captured_minor for part in self.taken)

    @property
    def returned_minor(self) -> Minor:
        return sum(part.returned_minor for part in self.taken)

    @property
    def rest_minor(self) -> Minor:
        """Still to be captured; below 0: to be given back."""
        return self.due_minor - self.captured_minor + self.returned_minor

    @property
    def auth_key(self) -> str:
        """Of the newest authorisation: the visit's id, then `VISIT:rest`, then `VISIT:rest:2` and so on."""
        return auth_key(self.visit, self.nth)

    @property
    def unasked(self) -> bool:
        """The cabinet waits for a hold that the provider was not asked for yet."""
        return bool(self.hold_minor) and not (self.nth or self.opened or self.closed or self.abandoned)

    @property
    def state(self) -> State:
        if self.stuck:
            return "stuck"
        if self.call is not None and self.call.lost:
            return "unknown"
        return self._closed_state() if self.closed else self._open_state()

    def _open_state(self) -> State:
        if self.held_minor:
            return "held"
        if self.call is not None or self.unasked:
            return "asked"
        if self.opened:
            return "open"
        return "declined" if self.tries else "released"

    def _closed_state(self) -> State:
        if self.review and (self.rest_minor > 0 or self.charged_minor is None):
            return "waiting"
        if self.rest_minor > 0 and self.tries:
            return "owed" if self.tries <= len(RETRIES_MS) else "overdue"
        if self.rest_minor or self.held_minor or self.call is not None:
            return "due"
        if self.forgiven:
            return "written off"
        return "paid" if self.captured_minor else "released"


def auth_key(visit: str, nth: int) -> str:
    if nth <= 1:
        return visit
    return f"{visit}:rest" if nth == 2 else f"{visit}:rest:{nth - 1}"


@dataclass(frozen=True, slots=True)
class Asked:
    hold_minor: Minor


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The same member stands at the same cabinet with another visit."""


@dataclass(frozen=True, slots=True)
class Opened: ...


@dataclass(frozen=True, slots=True)
class Closed:
    charged_minor: Minor | None  # None: in doubt
    review: str = ""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """So much of the charge is taken back; whoever sends it has checked that it is not more than the charge."""

    back_minor: Minor
    forgiven: bool = False


@dataclass(frozen=True, slots=True)
class Alarmed:
    why: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A person says what is captured of a visit in doubt: 0 releases it."""

    capture_minor: Minor


@dataclass(frozen=True, slots=True)
class Again:
    """A person has looked: what hangs is put aside, a retry is made now."""


@dataclass(frozen=True, slots=True)
class Ticked: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the provider's books say: its answer, or what a look-up found."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Missing:
    """A look-up says that there is no such authorisation."""


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer: done or not done, nobody knows."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will not do this at all."""

    why: str


Event = (
    Asked | Abandoned | Opened | Closed | Adjusted | Alarmed | Decided | Again
    | Ticked | Seen | Missing | Lost | Refused
)  # fmt: skip  # a list


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger has to say of a step.  `name` makes it unique."""

    kind: Literal["hold", "release", "capture", "repay"]
    name: str
    amount_minor: Minor
    currency: str = ""  # "": the payment's


class Step(NamedTuple):
    payment: Payment
    entries: tuple[Entry, ...] = ()
