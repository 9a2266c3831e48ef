"""What people do, what befalls the cabinet, and what is expected, as values: a story is a list of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cabinet.units import Sku, ZoneId

Means = Literal["face", "code", "photo", "mask", "forged code", "stranger", "other code"]


@dataclass(frozen=True, slots=True)
class Item:
    count: int
    sku: Sku
    zone: ZoneId


def units(items: tuple[Item, ...]) -> Iterator[Item]:
    """Each unit by itself: hands move one after the other."""
    return (item for item in items for _ in range(item.count))


@dataclass(frozen=True, slots=True)
class Come:
    """Step before the front camera and wait to be let in."""

    who: str
    by: Means = "face"


@dataclass(frozen=True, slots=True)
class Serve:
    """A technician unlocks with the command line."""

    who: str
    purpose: Literal["restock", "service"] = "service"


@dataclass(frozen=True, slots=True)
class Open:
    """Pull until the door gives way, for as long as a lease lasts."""

    who: str


@dataclass(frozen=True, slots=True)
class Try:
    """Pull once, whatever comes of it."""

    who: str


@dataclass(frozen=True, slots=True)
class Pry:
    who: str


@dataclass(frozen=True, slots=True)
class Close:
    who: str
    slam: bool = False
    bounce: bool = False  # it springs open again and is pushed shut


@dataclass(frozen=True, slots=True)
class Take:
    who: str
    items: tuple[Item, ...]
    how: Literal["", "with two hands", "slowly", "bit by bit", "at once", "in the slam"] = ""


@dataclass(frozen=True, slots=True)
class Put:
    who: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """A technician puts new goods on a shelf."""

    who: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A technician tells the ledger how many stand there now."""

    who: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Deposit:
    """Set down a thing of one's own."""

    who: str
    name: str
    mass_g: float
    zone: ZoneId


@dataclass(frozen=True, slots=True)
class Fetch:
    who: str
    name: str
    zone: ZoneId


@dataclass(frozen=True, slots=True)
class HandOver:
    who: str
    to: str
    items: tuple[tuple[int, Sku], ...]


@dataclass(frozen=True, slots=True)
class Lean:
    who: str
    zone: ZoneId
    grams: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Leave:
    who: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the consent back: the cabinet forgets this person."""

    who: str


@dataclass(frozen=True, slots=True)
class Pass:
    """Time goes by."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Befall:
    """Something happens to a part: `what` is a word of `cabinet.sim.story.BEFALLS`."""

    part: str  # "camera:top", "cell:s1", "daemon", "power", "board", "disk", "broker", "clock", ...
    what: str
    number: float = 0.0


@dataclass(frozen=True, slots=True)
class Card:
    """How this person's card is from now on."""

    who: str
    what: Literal["declines", "works", "grants"]
    grants_minor: int = 0  # so much in all


@dataclass(frozen=True, slots=True)
class Refund:
    """Of the last visit that was charged: by the technician at the cabinet, or by the far end's operator."""

    by: Literal["technician", "cloud"]
    back_minor: int


Expected = Literal[
    "bill", "incident", "no incident", "door", "service", "no visit", "total", "again", "books",
    "visits", "screen", "owes", "released", "captured", "returned", "evidence", "logs", "forgotten",
]  # fmt: skip  # words


@dataclass(frozen=True, slots=True)
class Expect:
    """What must be true when the story comes to this line."""

    what: Expected
    outcomes: tuple[str, ...] = ()  # of a bill: charge, nothing, review, void, serviced
    basket: tuple[tuple[int, Sku], ...] = ()  # of a charge
    text: str = ""
    number: int = 0


Act = (
    Come | Serve | Open | Try | Pry | Close | Take | Put | Stock | Count | Deposit | Fetch | HandOver | Lean | Leave
    | Withdraw | Pass | Befall | Card | Refund | Expect
)  # fmt: skip
