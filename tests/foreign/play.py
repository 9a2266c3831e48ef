"""What people do in front of the open door, as verbs; `now` is the clock of the story, in seconds since the unlock.

Keeps what each verb did to the shelves (moves), what hands did to the cells (pushes), what cameras could have seen
(glimpses) and who holds what.  Knows nothing of noise.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.foreign.knobs import Knobs
from tests.foreign.shop import ZONES, Rng, Shop, Unit


@dataclass(frozen=True, slots=True)
class Move:
    at_s: float  # the middle of the transfer
    over_s: float
    zone: str
    delta_g: float


@dataclass(frozen=True, slots=True)
class Push:
    at_s: float
    over_s: float
    zone: str
    force_g: float


@dataclass(frozen=True, slots=True)
class Glimpse:
    at_s: float
    zone: str
    action: str
    sku: str | None  # None: nothing that the recogniser knows
    wrong: bool = False  # the view deceives: a printed shirt, another zone, an item from before


@dataclass(slots=True)
class Play:
    rng: Rng
    shop: Shop
    knobs: Knobs
    now: float = 0.0
    opened_s: float = 0.0
    closed_s: float = 0.0
    doors: list[tuple[float, bool]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    glimpses: list[Glimpse] = field(default_factory=list)
    moved: list[tuple[str, str, str]] = field(default_factory=list)
    basket: dict[str, int] = field(default_factory=dict)
    outcome: str = "charge"
    events: list[dict[str, Any]] = field(default_factory=list)
    marks: dict[str, Any] = field(default_factory=dict)  # what the recording suffers: read by `record`

    def u(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def wait(self, low: float, high: float) -> None:
        self.now += self.u(low, high)

    def open(self) -> None:
        self.now = max(self.now, 0.0) + self.u(1.2, 2.3)
        self.opened_s = self.now
        self.doors.append((self.now, True))
        self.wait(0.6, 1.6)

    def shut(self, low: float = 0.6, high: float = 2.0) -> None:
        self.wait(low, high)
        self.doors.append((self.now, False))
        self.closed_s = self.now

    def zone(self, *but: str) -> str:
        return str(self.rng.choice([z for z in ZONES if z not in but]))

    def some(self, zone: str, *but: str | None) -> str:
        """A SKU that stands in the zone."""
        here = sorted({u.sku for u in self.shop.units[zone] if u.sku is not None and u.sku not in but})
        return str(self.rng.choice(here))

    def push(self, zone: str, at_s: float, over_s: float, force_g: float) -> None:
        self.pushes.append(Push(at_s, over_s, zone, force_g))

    def take(self, zone: str, sku: str | None, over: float | None = None, *, seen: bool = True) -> Unit:
        """Lifts one unit now; the clock stands at the end of the transfer."""
        units = self.shop.units[zone]
        unit = next(u for u in units if u.sku == sku)
        units.remove(unit)
        self._transfer(zone, -unit.mass_g, over, "take", sku, seen=seen)
        if sku is not None:
            self.basket[sku] = self.basket.get(sku, 0) + 1
        return unit

    def put(self, unit: Unit, zone: str, over: float | None = None, *, seen: bool = True) -> None:
        self.shop.units[zone].append(unit)
        self._transfer(zone, unit.mass_g, over, "return", unit.sku, seen=seen)
        if unit.sku is not None and unit.home:
            self.basket[unit.sku] -= 1
            if zone != unit.home:
                self.moved.append((unit.sku, unit.home, zone))

    def see(self, zone: str, action: str, sku: str | None) -> None:
        """A camera is deceived now."""
        self.glimpses.append(Glimpse(self.now, zone, action, sku, wrong=True))

    def _transfer(
        self, zone: str, delta: float, over: float | None, action: str, sku: str | None, *, seen: bool
    ) -> None:
        over = self.u(0.15, 0.45) if over is None else over
        if self.rng.random() < self.knobs.press_share:
            force = self.u(self.knobs.press_low_g, self.knobs.press_high_g)
            press = self.u(0.15, 0.4)
            self.push(zone, self.now - 0.1, press, force)
            self.now += press - 0.1 if over > 0.1 else 0.0
        middle = self.now + over / 2
        self.moves.append(Move(middle, over, zone, delta))
        if seen:
            self.glimpses.append(Glimpse(middle, zone, action, sku))
        self.now += over

    def taken(self) -> dict[str, int]:
        return {sku: n for sku, n in self.basket.items() if n}
