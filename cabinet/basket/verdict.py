"""What the tally may answer.  `Charge`, `Review` and `Nothing` are different types, so doubt cannot be charged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cabinet.units import Minor, Sku, ZoneId


@dataclass(frozen=True, slots=True)
class Line:
    sku: Sku
    name: str
    quantity: int  # > 0
    unit_price: Minor
    tax: str

    @property
    def total(self) -> Minor:
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Step:
    """A settled change of one zone's mass."""

    zone: ZoneId
    t: float  # when it had settled
    delta_g: float  # negative: taken
    sd_g: float
    items: Mapping[Sku, int] = field(default_factory=dict)  # what the best story says it was; + left, - came


@dataclass(frozen=True, slots=True)
class Account:
    """How the verdict was reached: for the receipt's small print, the picture, and whoever reviews it."""

    steps: tuple[Step, ...] = ()
    net_g: Mapping[ZoneId, float] = field(default_factory=dict)
    moves: Mapping[ZoneId, Mapping[Sku, int]] = field(default_factory=dict)  # + left the zone, - came to it
    unexplained_g: Mapping[ZoneId, float] = field(default_factory=dict)
    runner_up: str = ""  # the next best story and how much less probable it was


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
