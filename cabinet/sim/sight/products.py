"""Cut-out pictures of products: drawn for any article number, or taken from a folder of photographs.

A drawing depends on its article number alone, so every process of a bench draws the same goods.
"""

import colorsys
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.sim.pictures import LOOKS, Look, Picture, product

HIGH_PX = 220  # of the tallest cut-out: twice what a frame of 640 x 360 shows of it
CANVAS_PX = 150  # height of the canvas that `product` draws on
KEY = (255, 0, 255)  # BGR, its transparent ground
FORMS = ("bottle", "can", "box", "bag")
SYLLABLES = ("BO", "CA", "DI", "FRU", "GO", "KI", "LO", "MA", "NO", "PE", "RA", "SU", "TO", "VI", "ZE")
PHOTO_WIDE, PHOTO_HIGH = 0.46, 0.8  # of a photograph: a carton held up before a camera fills about that (looked at 18)
SOFT_PX = 5  # of a photograph's cut: its ground does not end where the carton does


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """One unit from the front.  `tall`: its height beside the tallest product's, 0..1."""

    sku: str
    colour: Picture  # H x W x 3, BGR
    alpha: NDArray[np.uint8]  # H x W; 255 the product, 0 its ground
    tall: float = 1.0

    @property
    def aspect(self) -> float:
        """Width by height."""
        return self.colour.shape[1] / self.colour.shape[0]


def look_of(sku: str) -> Look:
    """One of LOOKS, or a form, two colours and a word that follow from the article number."""
    if sku in LOOKS:
        return LOOKS[sku]
    dice = dice_of(sku)
    hue, twist = dice.uniform(), dice.uniform(0.3, 0.7)
    body = _bgr(hue, dice.uniform(0.55, 0.95), dice.uniform(0.5, 0.9))
    bright = bool(dice.integers(2))
    label = _bgr(hue + twist, 0.12 if bright else 0.8, 0.95 if bright else 0.4)
    word = "".join(str(dice.choice(SYLLABLES)) for _ in range(2))
    return Look(FORMS[int(dice.integers(len(FORMS)))], body, label, word)


def drawn(sku: str) -> Cutout:
    """The drawing of any article, about HIGH_PX pixels high."""
    look = look_of(sku)
    canvas = product(look)
    solid = ~np.all(canvas == KEY, axis=2)
    if sku not in LOOKS:
        _emblem(canvas, solid, dice_of(sku + "/emblem"))
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return _enlarged(sku, canvas[part], solid[part], (rows[-1] + 1 - rows[0]) / CANVAS_PX)


def photographed(folder: Path, number: int = 0) -> Cutout:
    """The middle of a photograph of `folder` (its name is the article number; *.jpg by name, `number` counts round).

    The rest of the photograph stays at the edges: nothing here finds the product.  Raises OSError, ValueError where
    there is none.
    """
    photo = photographs(folder, (number,))[0]
    wide, high = round(HIGH_PX * photo.shape[1] / photo.shape[0]), HIGH_PX
    alpha = np.zeros((high, wide), np.uint8)
    alpha[SOFT_PX // 2 : -(SOFT_PX // 2), SOFT_PX // 2 : -(SOFT_PX // 2)] = 255
    soft = np.asarray(cv2.blur(alpha, (SOFT_PX, SOFT_PX), borderType=cv2.BORDER_CONSTANT), np.uint8)
    return Cutout(
        folder.name, np.asarray(cv2.resize(photo, (wide, high), interpolation=cv2.INTER_AREA), np.uint8), soft
    )


def photographs(folder: Path, numbers: Iterable[int]) -> list[Picture]:
    """The middles of some photographs of one product (H x W x 3, BGR).  Raises OSError, ValueError."""
    files = sorted(folder.glob("*.jpg"))
    if not files:
        raise FileNotFoundError(f"no *.jpg in {folder}")
    return [_middle(files[number % len(files)]) for number in numbers]


def assortment(skus: Iterable[str], photos: Path | None = None) -> dict[str, Cutout]:
    """A cut-out of each: of its photograph where `photos`/SKU is a folder, else drawn.  Raises OSError, ValueError."""
    return {
        sku: photographed(photos / sku) if photos is not None and (photos / sku).is_dir() else drawn(sku)
        for sku in skus
    }


def dice_of(word: str) -> np.random.Generator:
    """The same dice for the same word, on every machine (`hash` is salted per process)."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big"))


def _bgr(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 * x) for x in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
    return blue, green, red


def _emblem(canvas: Picture, solid: NDArray[np.bool_], dice: np.random.Generator) -> None:
    """Marks beneath the label: two articles of one form and nearly one colour still differ."""
    marked = canvas.copy()
    ink = _bgr(dice.uniform(), 0.85, dice.uniform(0.3, 1.0))
    count = int(dice.integers(2, 5))
    for n in range(count):
        x = round(70 * (n + 0.5) / count)
        match int(dice.integers(3)):
            case 0:
                cv2.circle(marked, (x, 131), 6, ink, -1, cv2.LINE_AA)
            case 1:
                cv2.rectangle(marked, (x - 5, 123), (x + 5, 139), ink, -1)
            case _:
                cv2.line(marked, (x - 6, 138), (x + 6, 124), ink, 4, cv2.LINE_AA)
    canvas[solid] = marked[solid]


def _enlarged(sku: str, canvas: Picture, solid: NDArray[np.bool_], tall: float) -> Cutout:
    """Colours weighted by alpha while they are resized, or the magenta ground would shine through at the rim."""
    high = round(HIGH_PX * tall)
    size = round(high * canvas.shape[1] / canvas.shape[0]), high
    solid_32 = solid.astype(np.float32)
    alpha = np.clip(cv2.resize(solid_32, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    weighted = cv2.resize(canvas * solid_32[..., None], size, interpolation=cv2.INTER_LINEAR)
    colour = weighted / np.maximum(alpha, 1e-3)[..., None]
    return Cutout(sku, np.clip(colour, 0, 255).astype(np.uint8), np.round(alpha * 255).astype(np.uint8), tall)


def _middle(file: Path) -> Picture:
    photo = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if photo is None:
        raise ValueError(f"{file} is no picture")
    high, wide = photo.shape[:2]
    across, down = round(wide * PHOTO_WIDE / 2), round(high * PHOTO_HIGH / 2)
    part = photo[high // 2 - down : high // 2 + down, wide // 2 - across : wide // 2 + across]
    return np.ascontiguousarray(part, dtype=np.uint8)
