"""What may be written beside a new state, and what can be read back: plain values, no database.

Masses are grams, money is minor units, times come as one `Stamp` of three things that are never mixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cabinet.basket.verdict import Line
from cabinet.identity.credit import NO_TERMS, Terms
from cabinet.units import MemberId, Minor, Sku, VisitId, ZoneId

Quality = Literal["none", "floor", "ntp", "cloud"]
Outcome = Literal["charge", "nothing", "review", "void", "serviced"]
Moves = Mapping[ZoneId, Mapping[Sku, int]]


@dataclass(frozen=True, slots=True)
class Stamp:
    """When: `mono_ms` orders things within one start, `wall_ms` (since 1970, UTC) is for people and retention."""

    mono_ms: int
    wall_ms: int
    quality: Quality


@dataclass(frozen=True, slots=True)
class OpenedVisit:
    """Becomes durable before the lock is released."""

    visit: VisitId
    member: MemberId | None  # None: a technician's visit
    purpose: Literal["shop", "restock", "service"]
    who: str  # "face", "code", or the technician's name
    reason: str
    price_version: int
    baseline_g: Mapping[ZoneId, float]
    trace: str  # where the evidence is being written
    terms: Terms = NO_TERMS  # for how much the member was let in


@dataclass(frozen=True, slots=True)
class ClosedVisit:
    """The one closing of a visit.  Only a charge has lines and a total; a review may have a best guess.

    A charge has moves, and so may `nothing`: what was put back on another shelf stands there now.
    """

    visit: VisitId
    outcome: Outcome
    why: str = ""
    lines: tuple[Line, ...] = ()
    total_minor: Minor = 0
    currency: str = ""
    confidence: float | None = None  # probability that the whole bill is right
    evidence_hash: str = ""
    best_guess: tuple[Line, ...] = ()
    moves: Moves = field(default_factory=dict)  # + left the zone, - came to it


@dataclass(frozen=True, slots=True)
class Incident:
    why: str
    visit: VisitId | None = None
    at: str = ""  # which part or place


Entry = OpenedVisit | ClosedVisit | Incident


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One visit as the ledger knows it; `outcome` and `closed` are None while it is open."""

    visit: VisitId
    member: MemberId | None
    purpose: str
    who: str
    reason: str
    price_version: int
    baseline_g: Mapping[ZoneId, float]
    trace: str
    opened: Stamp
    closed: Stamp | None
    outcome: Outcome | None
    why: str
    lines: tuple[Line, ...]
    best_guess: tuple[Line, ...]
    total_minor: Minor
    currency: str
    confidence: float | None
    evidence_hash: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One event on its way to the cloud.  `acked_at_ms` is None as long as it is ours to deliver."""

    store: str
    seq: int
    visit: VisitId | None
    type: str
    body: Mapping[str, Any]
    prev: str
    h: str
    boot: str
    mono_ms: int
    wall_ms: int
    quality: Quality
    acked_at_ms: int | None

    def message(self) -> dict[str, Any]:
        """The payload of `up/ev`."""
        return {
            "store": self.store,
            "boot": self.boot,
            "seq": self.seq,
            "visit": self.visit,
            "type": self.type,
            "body": self.body,
            "prev": self.prev,
            "h": self.h,
            "mono_ms": self.mono_ms,
            "wall_ms": self.wall_ms,
            "clock": self.quality,
        }


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry of the board's own journal.  `facts` is JSON, by kind; `index` counts within one ring."""

    board: str  # id of the chip, hexadecimal
    index: int
    boot: int
    t_ms: int  # since that boot
    kind: str
    visit: VisitId | None
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JournalRow:
    """An entry as it is kept, and when it came here: possibly long after it was written."""

    entry: JournalEntry
    received: Stamp


@dataclass(frozen=True, slots=True)
class ClosedCharge:
    """What the board's mirror keeps of a charge: `h` is the hash of the closing event, hexadecimal."""

    visit: VisitId
    total_minor: Minor
    currency: str
    h: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What the member agreed to, when (wall clock) and in which language it was shown."""

    version: str
    at_ms: int
    language: str


@dataclass(frozen=True, slots=True)
class Member:
    """A member as listed: how many templates (by each model) and tokens there are, never what they are."""

    member: MemberId
    name: str
    consent: Consent
    templates: int
    tokens: int
    age: int | None = None  # verified, in years, at least; None: no proof
    source: Literal["cabinet", "cloud"] = "cabinet"  # who keeps this member
    verified: bool = False  # somebody has seen a proof of who they are
    digits: bool = False  # the last four of their telephone number are known
    enrolled_at_ms: int = 0
    last_visit_ms: int | None = None
    readable: bool = True  # False: sealed by another device.key; the name is empty
