"""The plain rows that an audit compares, and what it may find.  Pure values."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal[
    "lost", "doubled", "changed", "foreign", "gaps", "forks", "hashes", "closings", "freed", "postings", "refunds",
    "captured", "holds",
]  # fmt: skip  # a list
KINDS: Final[dict[Kind, str]] = {
    "lost": "sold and confirmed, or told, yet no charge at the cloud",
    "doubled": "charged twice, with two amounts, or captured beyond the charge",
    "changed": "another amount here than there",
    "foreign": "charged at the cloud, sold by no given cabinet",
    "gaps": "an event is missing from a chain",
    "forks": "two histories at one place",
    "hashes": "an event whose hash is not its own",
    "closings": "a visit without exactly one opening and closing",
    "freed": "confirmed to the cabinet, yet not stored at the cloud",
    "postings": "double-entry lines that do not add up to 0",
    "refunds": "more given back than was charged, or not booked",
    "captured": "captured less returned is not the charge less what was given back",
    "holds": "a hold that stands after the visit was settled",
}
Side = Literal["edge", "cloud"]
Of = Literal[
    "sold",  # a row of the cabinet's visits: amount, currency, word = outcome ("" while open), last = the newest
    "edge opened", "edge closed", "edge back",  # its events; `sure`: confirmed by the cloud
    "change",  # a row of the cabinet's adjustments: name = id, amount
    "cloud opened", "cloud closed", "cloud back",  # events as the cloud has them
    "charge",  # a row of the cloud's charges
    "booked",  # a row of the cloud's adjustments: name = id, amount, word = state
    "payment",  # amounts = charged (-1: undecided), back, captured, returned, held; word = state; last: it is idle
    "intent",  # the provider's: amounts = captured, refunded; word = status; name = intent
]  # fmt: skip  # a list


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a chain.  `true_h` is the hash worked out anew; "" where the cloud keeps it redacted."""

    seq: int
    h: str
    prev: str
    true_h: str
    visit: str
    type: str
    body: dict[str, Any]
    moment: str  # when it was written, by its boot: the same event moved to another store has the same
    sure: bool = True  # at the edge: confirmed by the cloud
    stored_ms: int = 0  # at the cloud


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that one of the books says of one visit.  `above`: newer than the given copy of the cabinet's file."""

    visit: str
    of: Of
    where: str  # the file, or the cabinet
    amount: int = 0
    currency: str = ""
    word: str = ""
    name: str = ""
    sure: bool = True
    above: bool = False
    last: bool = False
    ours: bool = True  # of a cabinet whose file was given
    amounts: tuple[int, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    where: str
    what: str
    visit: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Something to count that is nothing wrong."""

    name: Literal["visits", "sold", "charges", "waiting", "newer", "open", "edge_events", "cloud_events"]
    n: int = 1
