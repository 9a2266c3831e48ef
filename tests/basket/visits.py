"""Visits drawn for tests: shelves that ring, hands that press, cameras that err.  Seeded; nothing here judges."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Literal

from cabinet.basket.evidence import (
    Bolt,
    Camera,
    Door,
    Happening,
    Header,
    Mass,
    Product,
    Sighting,
    Visit,
    Zone,
)
from cabinet.units import CameraId, Sku, VisitId, ZoneId

HZ = 80
BEFORE_S, AFTER_S = 2.5, 3.0

COLA, WATER, CHIPS, NUTS, CANDY, GUM = (Sku(s) for s in ("1-cola", "2-water", "3-chips", "4-nuts", "5-candy", "6-gum"))
SHOP: Mapping[Sku, Product] = {
    COLA: Product("Cola", 505.0, 250, 3.0, "drink"),
    WATER: Product("Water", 538.0, 150, 4.0, "drink"),
    CHIPS: Product("Chips", 62.0, 180, 0.8),
    NUTS: Product("Nuts", 211.0, 320, 2.0),
    CANDY: Product("Candy", 145.0, 210, 1.5),
    GUM: Product("Gum", 38.0, 99, 0.5),
}
SHELVES: Mapping[str, Sequence[Sku]] = {"s1": (COLA, WATER, CHIPS), "s2": (NUTS, CANDY, GUM)}


def header(
    catalog: Mapping[Sku, Product] = SHOP,
    shelves: Mapping[str, Sequence[Sku]] = SHELVES,
    stock: int = 4,
    purpose: Literal["shop", "restock", "service"] = "shop",
) -> Header:
    zones = tuple(ZoneId(z) for z in shelves)
    half = max(1, len(zones) // 2)
    return Header(
        VisitId("01JTESTVISIT00000000000000"),
        "test-001",
        "2026-11-22T08:15:04.120Z",
        clock_trusted=True,
        purpose=purpose,
        currency="USD",
        zones={z: Zone() for z in zones},
        cameras={
            CameraId("top"): Camera(1280, 720, 15.0, zones),
            CameraId("left"): Camera(1280, 720, 15.0, zones[:half]),
            CameraId("right"): Camera(1280, 720, 15.0, zones[half:]),
        },
        catalog=catalog,
        planogram={ZoneId(z): tuple(skus) for z, skus in shelves.items()},
        stock={ZoneId(z): dict.fromkeys(skus, stock) for z, skus in shelves.items()},
    )


class Scene:
    """Acts in order of time, then `visit()`.  Masses of single units are drawn from the catalogue's spread."""

    def __init__(self, about: Header | None = None, seed: int = 1, opened_t: float = 1.5) -> None:
        self.header = about or header()
        self.dice = random.Random(seed)
        self.opened_t = opened_t
        self.bias = 1.0  # true mass / catalogue mass
        self.right = 0.85  # share of looks whose best guess is the truth
        self.notice = 0.85
        self.drift_g = 1.0
        self._ramps: dict[ZoneId, list[tuple[float, float, float]]] = {z: [] for z in self.header.zones}
        self._presses: dict[ZoneId, list[tuple[float, float, float]]] = {z: [] for z in self.header.zones}
        self._spikes: list[tuple[ZoneId, float, float | None, int]] = []
        self._looks: list[Sighting] = []
        self._units: dict[Sku, list[float]] = {}
        self.basket: dict[Sku, int] = {}

    # Acts

    def take(self, t: float, zone: str, sku: Sku, *, over_s: float = 0.3, seen: bool = True) -> float:
        product = self.header.catalog[sku]
        mass = self.dice.gauss(product.mass_g * self.bias, product.spread_g)
        self._units.setdefault(sku, []).append(mass)
        self.basket[sku] = self.basket.get(sku, 0) + 1
        self.load(t, zone, -mass, over_s)
        if seen:
            self.look(t, zone, sku, "take")
        return mass

    def put(self, t: float, zone: str, sku: Sku, *, seen: bool = True) -> None:
        self.basket[sku] -= 1
        if not self.basket[sku]:
            del self.basket[sku]
        self.load(t, zone, self._units[sku].pop(), 0.3)
        if seen:
            self.look(t, zone, sku, "return")

    def load(self, t: float, zone: str, delta_g: float, over_s: float = 0.3) -> None:
        self._ramps[ZoneId(zone)].append((t, t + over_s, delta_g))

    def press(self, t: float, zone: str, grams: float, seconds: float) -> None:
        self._presses[ZoneId(zone)].append((t, t + seconds, grams))

    def flaw(self, t: float, zone: str, value: float | None, count: int = 1) -> None:
        """Samples from t on are replaced by a nonsense value, or flagged bad by None."""
        self._spikes.append((ZoneId(zone), t, value, count))

    def look(self, t: float, zone: str, sku: Sku, action: Literal["take", "return", "unknown"]) -> None:
        """What the cameras over the zone make of it: noticed by most, right mostly."""
        for name, camera in self.header.cameras.items():
            if ZoneId(zone) in camera.sees and self.dice.random() < self.notice:
                at = t + 0.35 + self.dice.uniform(0, 0.15)
                scores, other = self._scores(sku)
                self._looks.append(Sighting(at, name, ZoneId(zone), action, at - 0.7, at, scores, other))

    def compare(self, camera: str, zone: str, scores: Mapping[Sku, float], t0: float, t1: float) -> None:
        """A difference between the picture before and the picture after."""
        other = 1 - sum(scores.values())
        self._looks.append(Sighting(t1, CameraId(camera), ZoneId(zone), "take", t0, t1, scores, other))

    def _scores(self, sku: Sku) -> tuple[dict[Sku, float], float]:
        skus = list(self.header.catalog)
        best = sku if self.dice.random() < self.right else self.dice.choice(skus)
        top = self.dice.uniform(0.45, 0.95)
        rest = [(s, self.dice.expovariate(1)) for s in skus if s != best]
        total = sum(w for _, w in rest) + 1e-9
        scores = {best: top, **{s: (1 - top) * 0.7 * w / total for s, w in rest}}
        return scores, 1 - sum(scores.values())

    # The trace

    def visit(self, closed_t: float, *, slam_g: float = 40.0) -> Visit:
        end = closed_t + AFTER_S
        events: list[Happening] = [Bolt(0.0, locked=False), Door(self.opened_t, open=True), *self._looks]
        events += [Door(closed_t, open=False), Bolt(closed_t + 0.25, locked=True)]
        for zone, about in self.header.zones.items():
            base = self.dice.uniform(3000, 11000)
            phase, drift = self.dice.uniform(0, 6), self.dice.gauss(0, self.drift_g)
            grams: list[float | None] = []
            for i in range(int((BEFORE_S + end) * HZ)):
                t = i / HZ - BEFORE_S
                g = base + drift * max(0.0, min(1.0, t / end)) + self._at(zone, t)
                if t > closed_t:
                    late = t - closed_t
                    g += slam_g * math.exp(-late / 0.3) * math.sin(2 * math.pi * 7 * late + phase)
                q = about.quantum_g
                grams.append(round((g + self.dice.gauss(0, about.noise_g)) / q) * q)
            self._spoil(zone, grams)
            events += [
                Mass(round(i / HZ - BEFORE_S, 4), zone, HZ, tuple(grams[i : i + HZ])) for i in range(0, len(grams), HZ)
            ]
        return Visit(self.header, tuple(sorted(events, key=lambda e: e.t)))

    def _at(self, zone: ZoneId, t: float) -> float:
        g = 0.0
        for t0, t1, delta in self._ramps[zone]:
            if t >= t1:
                g += delta
                g -= 0.05 * delta * math.exp(-(t - t1) / 0.08) * math.cos(40 * (t - t1))  # the shelf rings
            elif t > t0:
                share = (t - t0) / (t1 - t0)
                g += delta * share + (60 * math.sin(math.pi * share) if t1 - t0 < 1 else 0)  # the hand presses
        for t0, t1, grams in self._presses[zone]:
            if t0 < t < t1:
                g += grams * min(1.0, (t - t0) / 0.2, (t1 - t) / 0.2) * (1 + 0.08 * math.sin(9 * t) * math.sin(4 * t))
        return g

    def _spoil(self, zone: ZoneId, grams: list[float | None]) -> None:
        for where, t, value, count in self._spikes:
            if where == zone:
                first = int((t + BEFORE_S) * HZ)
                for i in range(first, min(first + count, len(grams))):
                    grams[i] = value
