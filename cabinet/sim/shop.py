"""What a simulated cabinet sells and where it stands: told in a story, the usual shop, or drawn by a seed."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cabinet.basket.evidence import Camera, Product, Zone
from cabinet.sim.world import Goods
from cabinet.units import CameraId, Sku, ZoneId

CURRENCY = "USD"
SPREAD = (0.004, 0.011)  # of a unit's mass, one sd: filling tolerances of packaged goods (M on data/catalog: J)

FILLED = 0.8  # of what a zone can weigh, at most: beyond 20 kg the converters saturate


@dataclass(frozen=True, slots=True)
class Ware:
    """One product: what the catalogue says, how it really is, and which others look like it."""

    product: Product
    true_g: float  # mean of the real units; differs from the catalogue where the packaging changed
    alike: tuple[Sku, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A cabinet's shelves: zone -> SKU -> units, as stocked and as the ledger believes."""

    wares: Mapping[Sku, Ware]
    shelves: Mapping[ZoneId, Mapping[Sku, int]]
    believed: Mapping[ZoneId, Mapping[Sku, int]] | None = None  # None: as it is
    cameras: Mapping[CameraId, Camera] = field(default_factory=dict)
    zone: Zone = field(default_factory=Zone)

    @property
    def goods(self) -> dict[Sku, Goods]:
        return {sku: Goods(sku, ware.true_g, ware.product.spread_g) for sku, ware in self.wares.items()}

    @property
    def catalog(self) -> dict[Sku, Product]:
        return {sku: ware.product for sku, ware in self.wares.items()}

    @property
    def home(self) -> dict[Sku, ZoneId]:
        """Where each product stands first."""
        return {sku: zone for zone, held in reversed(list(self.shelves.items())) for sku in held}


def cameras(zones: tuple[ZoneId, ...]) -> dict[CameraId, Camera]:
    """One from above that sees all, one at either side, as the example traces have."""
    half = max(1, (len(zones) + 1) // 2)
    return {
        CameraId("top"): Camera(640, 360, 10.0, zones),
        CameraId("left"): Camera(640, 360, 10.0, zones[:half]),
        CameraId("right"): Camera(640, 360, 10.0, zones[half:]),
    }


def ware(name: str, mass_g: float, sd_g: float | None, price: int, **more: object) -> Ware:
    """`more`: tax, min_age of the product; true_g; alike."""
    tax, age = str(more.get("tax", "standard")), int(str(more.get("min_age", 0)))
    alike = more.get("alike", ())
    assert isinstance(alike, tuple)  # noqa: S101  ours
    true_g = float(str(more.get("true_g", mass_g)))
    return Ware(Product(name, mass_g, price, sd_g, tax, age), true_g, tuple(Sku(s) for s in alike))


USUAL: dict[str, Ware] = {
    "cola": ware("Cola 0.5 l", 545.0, 3.0, 220, tax="beverage", alike=("colazero",)),
    "colazero": ware("Cola zero 0.5 l", 522.0, 3.0, 220, tax="beverage", alike=("cola",)),
    "water": ware("Water 0.5 l", 516.0, 3.5, 120, tax="beverage"),
    "lime": ware("Lime soda can", 352.0, 2.0, 180, tax="beverage"),
    "oats": ware("Oat drink 1 l", 1041.0, 6.0, 310, tax="food"),
    "beer": ware("Beer 0.33 l", 571.0, 3.0, 340, tax="beverage", min_age=18),
    "chips": ware("Potato chips", 128.0, 1.2, 260, tax="food"),
    "nuts": ware("Salted nuts", 211.0, 2.0, 320, tax="food"),
    "candy": ware("Fruit candy", 86.0, 0.8, 150, tax="food", alike=("gum",)),
    "gum": ware("Chewing gum", 38.0, 0.5, 99, tax="food", alike=("candy",)),
    "soup": ware("Cup of soup", 261.0, 2.0, 280, tax="food"),
}
USUAL_SHELVES: dict[str, dict[str, int]] = {
    "s1": {"cola": 6, "water": 6},
    "s2": {"lime": 6, "oats": 4},
    "s3": {"chips": 6, "nuts": 6},
    "s4": {"candy": 8, "soup": 6, "gum": 8},
}


def plan(wares: Mapping[str, Ware], shelves: Mapping[str, Mapping[str, int]]) -> Plan:
    """ValueError for a shelf with goods that nobody described."""
    for zone, held in shelves.items():
        for name in held:
            if name not in wares:
                raise ValueError(f"shelf {zone} holds {name}, which no line describes: goods {name} 100 g price 200")
    zones = tuple(ZoneId(zone) for zone in shelves)
    return Plan(
        {Sku(name): one for name, one in wares.items()},
        {ZoneId(zone): {Sku(name): n for name, n in held.items()} for zone, held in shelves.items()},
        cameras=cameras(zones),
    )


def usual() -> Plan:
    names = {name for held in USUAL_SHELVES.values() for name in held}
    return plan({name: one for name, one in USUAL.items() if name in names}, USUAL_SHELVES)


def drawn(dice: random.Random, skus: int = 16, zones: int = 4) -> Plan:
    """A shop nobody has seen: masses log-uniform from a bag of sweets to a litre, some equal, some look-alikes."""
    wares: dict[str, Ware] = {}
    for n in range(skus):
        name = f"p{n:02}"
        mass_g = round(math.exp(dice.uniform(math.log(25.0), math.log(1100.0))), 1)
        alike: tuple[str, ...] = ()
        if n and dice.random() < 0.15:  # another flavour: same size, nearly the same mass, looks like it
            twin = f"p{dice.randrange(n):02}"
            mass_g, alike = round(wares[twin].product.mass_g + dice.uniform(-6, 6), 1), (twin,)
        sd_g = round(max(0.5, mass_g * dice.uniform(*SPREAD)), 2)
        wares[name] = ware(f"product {n}", max(mass_g, 20.0), sd_g, dice.randrange(50, 500), alike=alike)
    for name, one in list(wares.items()):
        for other in one.alike:  # both ways
            wares[other] = replace(wares[other], alike=(*wares[other].alike, Sku(name)))
    names = list(wares)
    room_g = FILLED * Zone().capacity_g / max(1, -(-skus // zones))  # for each product of a shelf
    shelves = {
        f"s{z + 1}": {
            name: min(dice.randint(3, 8), int(room_g / wares[name].product.mass_g)) for name in names[z::zones]
        }
        for z in range(zones)
    }
    return plan(wares, shelves)
