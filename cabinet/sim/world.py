"""What people do at a simulated cabinet: one object moves masses and pictures together, so they cannot disagree.

The board and the cameras are processes of their own; this is the hand that reaches into both.  A door that is locked
does not open: `pull` returns False, because the board's own latch says so.
"""

import base64
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Order = Callable[[dict[str, Any]], dict[str, Any]]
Show = Callable[[dict[str, Any]], None]

HAND_G = 60.0  # a wrist that rests on the tray's edge while taking
HAND_S = 0.3
TRAY_G = 850.0  # shelf liner and dividers: cells never start from zero


@dataclass(frozen=True, slots=True)
class Goods:
    """A product as it is, not as the catalogue says: each unit weighs a little more or less."""

    sku: str
    mass_g: float
    spread_g: float


@dataclass
class World:
    board: Order
    cameras: Show
    zones: Sequence[str]
    goods: Mapping[str, Goods]
    dice: random.Random
    units: dict[str, dict[str, list[float]]] = field(default_factory=dict)  # zone -> sku -> grams of each unit
    hands: dict[str, list[float]] = field(default_factory=dict)  # sku -> grams of each unit that a shopper holds

    def stock(self, shelves: Mapping[str, Mapping[str, int]]) -> None:
        """Fill the shelves anew; the cells feel it at once."""
        self.units = {
            zone: {sku: [self._unit(sku) for _ in range(count)] for sku, count in shelves.get(zone, {}).items()}
            for zone in self.zones
        }
        self.hands = {}
        for n, zone in enumerate(self.zones):
            total_g = TRAY_G + sum(sum(grams) for grams in self.units[zone].values())
            self.board({"do": "mass", "zone": n, "g": round(total_g, 1)})

    def pull(self) -> bool:
        """Pull at the door.  False: it is locked."""
        return bool(self.board({"do": "pull"})["ok"])

    def shut(self) -> None:
        self.board({"do": "shut"})

    def take(self, zone: str, sku: str) -> float:
        """Grams of the unit that left the shelf."""
        grams = self.units[zone][sku].pop()
        self.hands.setdefault(sku, []).append(grams)
        self._change(zone, -grams)
        return grams

    def put_back(self, zone: str, sku: str) -> float:
        grams = self.hands[sku].pop()
        self.units[zone].setdefault(sku, []).append(grams)
        self._change(zone, grams)
        return grams

    def show(self, camera: str, jpeg: bytes) -> None:
        self.cameras({"camera": camera, "show_jpeg_b64": base64.b64encode(jpeg).decode()})

    def _unit(self, sku: str) -> float:
        goods = self.goods[sku]
        return max(1.0, self.dice.gauss(goods.mass_g, goods.spread_g))

    def _change(self, zone: str, grams: float) -> None:
        n = self.zones.index(zone)
        self.board({"do": "hand", "zone": n, "g": HAND_G, "for_s": HAND_S})
        self.board({"do": "add", "zone": n, "g": round(grams, 1)})
