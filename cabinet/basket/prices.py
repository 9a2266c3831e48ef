"""A price list as it stood at one unlock: tax rates, discounts, and the local time there.

Values only: `pricing` does the sums, `rules` reads and writes them.  Rates are whole parts per million, so that 8.875 %
is exact; times are minutes of a day, so that nothing here knows a clock or a time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cabinet.units import Minor, Sku

PPM = 1_000_000  # 100 %
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class LocalTime:
    weekday: int  # 0: Monday
    minute: int  # of the day, from 0


@dataclass(frozen=True, slots=True)
class Window:
    """`begin` is in it, `end` is not; an end before the begin is on the next morning, and still of that day."""

    days: frozenset[int]
    begin: int  # minute of the day
    end: int  # up to DAY_MINUTES

    def holds(self, at: LocalTime) -> bool:
        if self.begin < self.end:
            return at.weekday in self.days and self.begin <= at.minute < self.end
        late = at.weekday in self.days and at.minute >= self.begin
        return late or ((at.weekday - 1) % 7 in self.days and at.minute < self.end)


@dataclass(frozen=True, slots=True)
class PayFor:
    """Of each full `take` units only `pay` are paid: the dearest."""

    take: int
    pay: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """Each full `take` units cost `price` together, where that is less."""

    take: int
    price: Minor


@dataclass(frozen=True, slots=True)
class Off:
    """So much less on every unit, from `least` units on."""

    ppm: int
    least: int = 1


@dataclass(frozen=True, slots=True)
class Discount:
    name: str  # as the receipt says it
    skus: frozenset[Sku]  # counted together; empty: every product
    gives: PayFor | Bundle | Off
    window: Window | None = None  # None: at any time

    def covers(self, sku: Sku) -> bool:
        return not self.skus or sku in self.skus


@dataclass(frozen=True, slots=True)
class PriceRules:
    """What stands above the products' own prices.  Without rates nothing is said of taxes."""

    taxes_ppm: Mapping[str, int] = field(default_factory=dict)  # tax class -> rate
    deposit_tax: str = ""  # class of the deposits; empty: as the product
    discounts: tuple[Discount, ...] = ()  # the first that saves something for a unit has it


@dataclass(frozen=True, slots=True)
class PriceList:
    """The rules frozen at the unlock.  `version` is the ledger's, of these rules and the catalogue beside them."""

    version: int
    rules: PriceRules = PriceRules()
    tax_included: bool = True  # in the products' prices and deposits
    local: LocalTime | None = None  # at the unlock; None: the clock was not to be trusted
