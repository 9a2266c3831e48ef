"""Rendered shelves: wood, boxes with labels, a nudged camera, other light, sensor noise.  And a judge by colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.ports import Scores
from cabinet.units import Sku, ZoneId
from cabinet.vision.gallery import Gallery, Reference
from cabinet.vision.pictures import Box

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 480
ZONES: Mapping[ZoneId, Sequence[tuple[float, float]]] = {
    ZoneId("s1"): [(10, 10), (630, 10), (630, 225), (10, 225)],
    ZoneId("s2"): [(10, 245), (630, 245), (630, 470), (10, 470)],
}
COLOURS = {  # B, G, R
    Sku("red"): (40, 40, 190),
    Sku("green"): (60, 170, 50),
    Sku("blue"): (190, 90, 30),
    Sku("white"): (225, 230, 230),
    Sku("dark"): (45, 35, 30),
}
GALLERY: Gallery = {sku: Reference(tuple(map(float, colour))) for sku, colour in COLOURS.items()}


@dataclass(frozen=True)
class Item:
    sku: Sku
    x: int
    row: int  # 0 or 1
    width: int = 60
    height: int = 130


FULL = (
    Item(Sku("red"), 60, 0),
    Item(Sku("red"), 160, 0),
    Item(Sku("blue"), 300, 0, 90, 150),
    Item(Sku("green"), 480, 0, 50, 160),
    Item(Sku("green"), 70, 1, 50, 160),
    Item(Sku("white"), 200, 1, 70, 110),
    Item(Sku("dark"), 330, 1, 60, 120),
    Item(Sku("blue"), 470, 1, 90, 150),
)


def render(items: Sequence[Item], seed: int = 1) -> Pixels:
    """The same shelf for the same seed."""
    dice = np.random.default_rng(seed)
    picture: NDArray[np.float32] = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    dots = dice.normal(0, 60, (HEIGHT, WIDTH)).astype(np.float32)
    grain = np.asarray(cv2.GaussianBlur(dots, (0, 0), sigmaX=25, sigmaY=1.5), np.float32)
    picture[:] = (70, 110, 150)
    picture = (picture + grain[..., None]) * np.linspace(1.1, 0.8, WIDTH, dtype=np.float32)[None, :, None]
    picture[226:244] = (120, 160, 190)  # the board between the shelves
    for item in items:
        draw(picture, item)
    return np.clip(picture, 0, 255).astype(np.uint8)


def draw(picture: NDArray[np.float32], item: Item) -> None:
    floor = (222, 466)[item.row]
    left, top, right = item.x, floor - item.height, item.x + item.width
    colour = np.array(COLOURS[item.sku], np.float32)
    round_off = np.cos(np.linspace(-1.1, 1.1, item.width)) ** 0.5
    picture[top:floor, left:right] = colour[None, None] * round_off[None, :, None]
    label = slice(top + item.height // 3, top + 2 * item.height // 3)
    picture[label, left + 4 : right - 4] = 0.5 * colour + 110
    name = str(item.sku)[:3].upper()
    cv2.putText(picture, name, (left + 6, floor - item.height // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 2)


def photograph(
    picture: Pixels, *, shift: tuple[float, float] = (0, 0), turn: float = 0.0, light: float = 1.0, seed: int = 2
) -> Pixels:
    """As a camera would send it: moved, under another light, noisy, through JPEG."""
    turned = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), turn, 1.0)
    turned[:, 2] = turned[:, 2] + np.array(shift)
    moved = cv2.warpAffine(picture, turned, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    noisy = np.asarray(moved * light, np.float32) + np.random.default_rng(seed).normal(0, 4, picture.shape)
    ok, jpeg = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert ok
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def without(index: int) -> tuple[Item, ...]:
    return FULL[:index] + FULL[index + 1 :]


def nudged(index: int, by: int) -> tuple[Item, ...]:
    return (*FULL[:index], replace(FULL[index], x=FULL[index].x + by), *FULL[index + 1 :])


class ColourJudge:
    """Knows products by the colour of a crop's upper and lower thirds: crude, but it really looks."""

    def embed(self, crop: Pixels) -> Sequence[float]:
        high, wide = crop.shape[:2]
        bare = [crop[: high // 4], crop[-high // 4 :]]
        middles = [part[:, wide // 4 : -wide // 4].reshape(-1, 3) for part in bare]
        return [float(x) for x in np.median(np.concatenate(middles), axis=0)]

    def embed_all(self, crops: Sequence[Pixels]) -> list[Sequence[float]]:
        return [self.embed(crop) for crop in crops]

    def scores_all(self, crops: Sequence[Pixels], gallery: Gallery) -> list[Scores]:
        return [self.scores(crop, gallery) for crop in crops]

    def find(self, picture: Pixels) -> Box:
        return 0, 0, picture.shape[1], picture.shape[0]

    def scores(self, crop: Pixels, gallery: Gallery) -> Scores:
        seen = np.array(self.embed(crop))
        skus = list(gallery)
        apart = [float(np.linalg.norm(seen - np.array(gallery[sku].mean))) for sku in skus]
        powers = np.exp(-np.array([*apart, 55.0]) / 12)
        shares = powers / powers.sum()
        return Scores(dict(zip(skus, map(float, shares), strict=False)), float(shares[-1]))
