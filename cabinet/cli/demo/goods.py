"""What the demonstration sells, and the pictures it shows: photographs where they are at hand, drawings elsewhere."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cabinet.cli.demo.processes import Interior
from cabinet.sim import pictures
from cabinet.sim.world import Goods
from cabinet.units import Sku, ZoneId

WIDTH, HEIGHT = 640, 590  # of the interior stream: the photographs' proportions

# Corners of the two shelves in the photographs of the real cabinet, scaled to WIDTH x HEIGHT.  Read off by eye.
PHOTO_ZONES = {
    "s1": ((15.0, 8.0), (625.0, 8.0), (625.0, 322.0), (15.0, 322.0)),
    "s2": ((15.0, 312.0), (625.0, 312.0), (625.0, 586.0), (15.0, 586.0)),
}
# Reference pictures, as a technician would cut them: state of the cabinet, left, top, right, bottom in that photograph.
# Of the units that leave between state 1 and state 2 (what is judged) none is among them.
PHOTO_REFERENCES: Mapping[str, Sequence[tuple[int, int, int, int, int]]] = {
    "0052000338775": ((3, 883, 91, 1103, 604),),
    "0038000845512": ((3, 202, 785, 395, 1087),),
    "0028400064057": ((2, 107, 58, 524, 602),),
    "0049000028904": ((4, 677, 623, 833, 1081), (3, 675, 634, 836, 1086)),
}


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    name: str
    mass_g: float
    price: int
    tax: str

    @property
    def goods(self) -> Goods:
        return Goods(Sku(self.sku), self.mass_g, self.mass_g * 0.004)


REAL = (
    Product("0052000338775", "Gatorade Fruit Punch 20 oz", 649.0, 250, "beverage"),
    Product("0038000845512", "Pringles BBQ 2.5 oz", 98.0, 175, "food"),
    Product("0028400064057", "Ruffles Cheddar & Sour Cream", 213.0, 395, "food"),
    Product("0049000028904", "Sprite 20 oz", 641.0, 225, "beverage"),
)
DRAWN = (
    Product("5000000000011", "Cola 0.5 l", 545.0, 220, "beverage"),
    Product("5000000000028", "Lime soda can", 352.0, 180, "beverage"),
    Product("5000000000035", "Oat drink 1 l", 1041.0, 310, "food"),
    Product("5000000000042", "Potato chips", 128.0, 260, "food"),
)
# Places on the drawn shelves, left to right.
DRAWN_SHELVES: Mapping[str, Sequence[str | None]] = {
    "s1": ("5000000000011", "5000000000011", "5000000000042", "5000000000042", None, None),
    "s2": ("5000000000028", "5000000000028", None, "5000000000035", "5000000000035", None),
}


def photographs() -> Path | None:
    """The folder of real photographs, where this machine has one (CABINET_DATA names it)."""
    named = os.environ.get("CABINET_DATA")
    folder = Path(named) if named else Path(__file__).parents[4] / "shared" / "data"
    return folder if (folder / "interiors" / "vending_states" / "1.jpg").is_file() else None


def interior() -> Interior:
    return Interior(WIDTH, HEIGHT, PHOTO_ZONES)


def counts(shelves: Mapping[str, Sequence[str | None]]) -> dict[ZoneId, dict[Sku, int]]:
    """How many of what stand in each zone."""
    return {
        ZoneId(zone): {Sku(sku): list(places).count(sku) for sku in dict.fromkeys(places) if sku is not None}
        for zone, places in shelves.items()
    }


def drawn(shelves: Mapping[str, Sequence[str | None]], seed: int) -> bytes:
    """The drawn cabinet as one JPEG frame of the interior stream."""
    scene = pictures.cabinet([shelves["s1"], shelves["s2"]], seed)
    return pictures.jpeg(np.asarray(cv2.resize(scene, (WIDTH, HEIGHT)), dtype=np.uint8))


def photographed(data: Path, state: int) -> bytes:
    """The real cabinet in one of its five states as one JPEG frame of the interior stream."""
    return pictures.jpeg(np.asarray(cv2.resize(_photo(data, state), (WIDTH, HEIGHT)), dtype=np.uint8))


def drawn_references(sku: str) -> list[bytes]:
    """Two pictures of one drawn unit, with another grain of noise than any shelf has."""
    high = round(150 * HEIGHT / pictures.HEIGHT)
    return [
        pictures.jpeg(np.asarray(cv2.resize(pictures.reference(sku, 1000 + n), (70, high)), dtype=np.uint8))
        for n in range(2)
    ]


def photo_references(data: Path, sku: str) -> list[bytes]:
    return [
        pictures.jpeg(_photo(data, state)[top:bottom, left:right])
        for state, left, top, right, bottom in PHOTO_REFERENCES[sku]
    ]


def _photo(data: Path, state: int) -> pictures.Picture:
    path = data / "interiors" / "vending_states" / f"{state}.jpg"
    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(f"{path} cannot be read")
    return np.asarray(picture, dtype=np.uint8)
