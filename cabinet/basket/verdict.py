"""What the tally may answer.  `Charge`, `Review` and `Nothing` are different types, so doubt cannot be charged.

`Interim` is what the shelves seem to have lost so far, for the shopper's screen: no `Verdict`, without prices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cabinet.units import Minor, Sku, ZoneId


@dataclass(frozen=True, slots=True)
class Tax:
    """Of one tax class: on a line, or on the whole bill."""

    name: str  # the tax class
    rate_ppm: int  # parts per million: 190000 is 19 %
    net: Minor
    tax: Minor
    added: bool = False  # on top of the price; False: within it

    @property
    def gross(self) -> Minor:
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Line:
    sku: Sku
    name: str
    quantity: int  # > 0
    unit_price: Minor
    tax: str
    deposit: Minor = 0  # of one unit
    discount: Minor = 0  # on the whole line, never on its deposits
    reason: str = ""  # why less, or why not less
    taxes: tuple[Tax, ...] = ()  # its shares: they add up over the bill; empty where no rate is known

    @property
    def tax_added(self) -> Minor:
        return sum(share.tax for share in self.taxes if share.added)

    @property
    def total(self) -> Minor:
        return self.quantity * (self.unit_price + self.deposit) - self.discount + self.tax_added


@dataclass(frozen=True, slots=True)
class Step:
    """A settled change of one zone's mass."""

    zone: ZoneId
    t: float  # when it had settled
    delta_g: float  # negative: taken
    sd_g: float
    items: Mapping[Sku, int] = field(default_factory=dict)  # what the best story says it was; + left, - came


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way to explain the whole visit: what would be billed, how probable it is, and why it did not win."""

    words: str
    bill: Mapping[Sku, int]
    posterior: float
    why: str = ""  # of those that lost: what speaks against it, the strongest first


@dataclass(frozen=True, slots=True)
class Account:
    """How the verdict was reached: for the receipt's small print, the picture, and whoever reviews it."""

    steps: tuple[Step, ...] = ()
    net_g: Mapping[ZoneId, float] = field(default_factory=dict)
    moves: Mapping[ZoneId, Mapping[Sku, int]] = field(default_factory=dict)  # + left the zone, - came to it
    unexplained_g: Mapping[ZoneId, float] = field(default_factory=dict)
    runner_up: str = ""  # the next best story and how much less probable it was
    hypotheses: tuple[Hypothesis, ...] = ()  # the best few, the most probable first
    sure: Mapping[Sku, float] = field(default_factory=dict)  # per line: probability that its quantity is right
    confidence: float = 0.0  # of the best hypothesis, whatever became of it: a review has one too


@dataclass(frozen=True, slots=True)
class Charge:
    lines: tuple[Line, ...]
    confidence: float  # probability that the whole bill is right
    account: Account = field(default_factory=Account)

    @property
    def total(self) -> Minor:
        return sum(line.total for line in self.lines)


@dataclass(frozen=True, slots=True)
class Nothing:
    confidence: float
    account: Account = field(default_factory=Account)


@dataclass(frozen=True, slots=True)
class Review:
    reason: str
    account: Account = field(default_factory=Account)
    best_guess: tuple[Line, ...] = ()  # for the person who decides; never charged by the machine


Verdict = Charge | Nothing | Review


@dataclass(frozen=True, slots=True)
class Interim:
    """What seems to have been taken while the door is still open.  Says nothing of money: it may yet change."""

    taken: tuple[tuple[Sku, str, int], ...] = ()  # SKU, name, units > 0; in the order of name
    settled: bool = True  # False: hands are in the shelves, or a change is not understood yet
