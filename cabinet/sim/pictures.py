"""Drawn pictures of shelves and products, for machines where no photographs are at hand.

They are drawings and prove nothing about recognising real goods; they let the whole path (stream, before and after,
recogniser, tally) be exercised anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom

WIDTH, HEIGHT = 640, 480
SHELF_TOPS = (30, 260)  # where the space of each shelf begins
SHELF_FLOORS = (215, 445)  # where the goods stand
MARGIN, SLOT = 40, 94  # pixels: left wall, room for one unit


@dataclass(frozen=True, slots=True)
class Look:
    """How a drawn product looks.  Colours are BGR."""

    form: str  # bottle, can, box or bag
    body: tuple[int, int, int]
    label: tuple[int, int, int]
    word: str


LOOKS: dict[str, Look] = {
    "5000000000011": Look("bottle", (40, 40, 190), (235, 235, 235), "COLA"),
    "5000000000028": Look("can", (60, 170, 60), (40, 230, 240), "LIME"),
    "5000000000035": Look("box", (200, 120, 30), (250, 250, 250), "OATS"),
    "5000000000042": Look("bag", (20, 140, 235), (20, 20, 120), "CHIPS"),
}


def product(look: Look) -> Picture:
    """One unit, 70 x 150 pixels at most, on a transparent (pure magenta) ground."""
    canvas = np.full((150, 70, 3), (255, 0, 255), dtype=np.uint8)
    dark = tuple(int(c * 0.55) for c in look.body)
    match look.form:
        case "bottle":
            cv2.rectangle(canvas, (26, 2), (44, 40), dark, -1)
            cv2.ellipse(canvas, (35, 50), (27, 22), 0, 180, 360, look.body, -1)
            cv2.rectangle(canvas, (8, 50), (62, 148), look.body, -1)
            cv2.rectangle(canvas, (8, 72), (62, 118), look.label, -1)
        case "can":
            cv2.rectangle(canvas, (8, 48), (62, 144), look.body, -1)
            cv2.ellipse(canvas, (35, 48), (27, 8), 0, 0, 360, (200, 200, 200), -1)
            cv2.ellipse(canvas, (35, 144), (27, 5), 0, 0, 180, dark, -1)
            cv2.circle(canvas, (35, 96), 22, look.label, -1)
        case "box":
            cv2.rectangle(canvas, (4, 20), (66, 148), look.body, -1)
            cv2.rectangle(canvas, (4, 20), (66, 34), dark, -1)
            cv2.ellipse(canvas, (35, 84), (26, 18), 0, 0, 360, look.label, -1)
        case _:
            corners = np.array([[6, 30], [64, 22], [68, 148], [2, 146]], dtype=np.int32)
            cv2.fillPoly(canvas, [corners], look.body)
            cv2.line(canvas, (6, 36), (64, 29), dark, 3)
            cv2.circle(canvas, (35, 105), 24, look.label, -1)
    ink = (255, 255, 255) if sum(look.label) < 380 else (20, 20, 20)
    scale = 0.44
    (wide, _), _ = cv2.getTextSize(look.word, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
    height = {"bottle": 99, "can": 101, "box": 89, "bag": 110}[look.form]
    cv2.putText(canvas, look.word, (35 - wide // 2, height), cv2.FONT_HERSHEY_DUPLEX, scale, ink, 1, cv2.LINE_AA)
    shade = np.linspace(1.08, 0.72, 70)[None, :, None]
    lit = np.clip(canvas * shade, 0, 255).astype(np.uint8)
    ground = np.all(canvas == (255, 0, 255), axis=2)
    lit[ground] = (255, 0, 255)
    return np.asarray(lit, dtype=np.uint8)


def cabinet(shelves: Sequence[Sequence[str | None]], seed: int = 0, looks: Mapping[str, Look] = LOOKS) -> Picture:
    """The interior, two shelves of up to six places each; None is an empty place.  Same seed, same noise."""
    dice = np.random.default_rng(seed)
    rows = np.linspace(0.75, 1.0, HEIGHT)[:, None, None]
    scene = np.clip(np.full((HEIGHT, WIDTH, 3), (120, 150, 175)) * rows, 0, 255).astype(np.uint8)
    for floor in SHELF_FLOORS:
        cv2.rectangle(scene, (15, floor - 6), (WIDTH - 15, floor + 14), (90, 115, 140), -1)
    for row, places in enumerate(shelves):
        for place, sku in enumerate(places):
            if sku is not None:
                _stand(scene, product(looks[sku]), place_box(row, place))
    noisy = scene.astype(np.int16) + dice.normal(0, 2.0, scene.shape).astype(np.int16)
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)


def place_box(row: int, place: int) -> Box:
    """Where a unit stands, in pixels."""
    left = MARGIN + place * SLOT
    floor = SHELF_FLOORS[row] + 4
    return left, floor - 150, left + 70, floor


def zone_polygon(row: int) -> tuple[tuple[float, float], ...]:
    """The shelf's space, as a camera's polygon in the config."""
    top, bottom = float(SHELF_TOPS[row]), float(SHELF_FLOORS[row] + 16)
    return ((20.0, top), (WIDTH - 20.0, top), (WIDTH - 20.0, bottom), (20.0, bottom))


def reference(sku: str, seed: int = 1) -> Picture:
    """A tight picture of one unit before the shelf's wall, as a technician would take it."""
    row_of = cabinet([[sku], []], seed)
    left, top, right, bottom = place_box(0, 0)
    return np.asarray(row_of[top:bottom, left:right], dtype=np.uint8)


def lobby(seed: int = 0) -> Picture:
    """What the front camera sees when nobody is there."""
    dice = np.random.default_rng(seed)
    rows = np.linspace(200, 110, HEIGHT)[:, None, None]
    scene = np.repeat(np.repeat(rows, WIDTH, axis=1), 3, axis=2)
    cv2.rectangle(scene, (60, 120), (200, 400), (150, 160, 165), -1)
    return np.asarray(np.clip(scene + dice.normal(0, 2.0, scene.shape), 0, 255), dtype=np.uint8)


def before_camera(picture: Picture, seed: int = 0) -> Picture:
    """A person's photograph or a shown code, large in front of the lobby: fitted into the front camera's frame."""
    scene = lobby(seed)
    high, wide = picture.shape[:2]
    scale = min(0.92 * HEIGHT / high, 0.92 * WIDTH / wide)
    fitted = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (HEIGHT - fitted.shape[0]) // 2, (WIDTH - fitted.shape[1]) // 2
    scene[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return scene


def jpeg(picture: Picture, quality: int = 90) -> bytes:
    ok, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError("the picture cannot be coded as JPEG")
    return bytes(coded.tobytes())


def _stand(scene: Picture, unit: Picture, box: Box) -> None:
    left, top, right, bottom = box
    place = scene[top:bottom, left:right]
    solid = ~np.all(unit == (255, 0, 255), axis=2)
    place[solid] = unit[solid]
    cv2.ellipse(scene, ((left + right) // 2, bottom), (32, 4), 0, 0, 180, (60, 80, 100), -1)
