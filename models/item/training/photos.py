"""The photographs, how they are split, and how a picture is made ready for the network."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from network import SIDE

CENTRE = 0.65  # share of the short side that a plain view keeps: the product fills about that much of a photograph


@dataclass(frozen=True)
class Photo:
    path: Path
    name: str  # class
    split: str  # train, val or test (test: other shops)
    packaged: bool


def all_photos(grocery: Path) -> list[Photo]:
    found = [
        Photo(path, path.parent.name, path.parent.parent.name, kind == "packaged")
        for kind in ("packaged", "loose")
        for path in sorted((grocery / kind).glob("*/*/*.jpg"))
    ]
    if not found:
        raise SystemExit(f"no photographs below {grocery}")
    return found


def held_out(photos: list[Photo]) -> list[str]:
    """Every third packaged class by name: never shown to the network, only used to measure."""
    return sorted({p.name for p in photos if p.packaged})[2::3]


def read_rgb(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"cannot read {path}")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def fit(rgb: np.ndarray) -> np.ndarray:
    """Stretch a crop to the input square (uint8)."""
    shrinking = min(rgb.shape[:2]) > SIDE
    return cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def plain(rgb: np.ndarray) -> np.ndarray:
    """The middle of a photograph."""
    h, w = rgb.shape[:2]
    side = int(min(h, w) * CENTRE)
    top, left = (h - side) // 2, (w - side) // 2
    return fit(rgb[top : top + side, left : left + side])


def varied(rgb: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """A random view: other crop, proportions, tilt, light, white balance, sharpness."""
    h, w = rgb.shape[:2]
    side, shape = min(h, w) * dice.uniform(0.45, 0.9), np.exp(dice.uniform(-0.4, 0.4))
    cw, ch = min(w, side * np.sqrt(shape)), min(h, side / np.sqrt(shape))
    cx = w / 2 + dice.uniform(-0.5, 0.5) * 0.5 * (w - cw)
    cy = h / 2 + dice.uniform(-0.5, 0.5) * 0.5 * (h - ch)
    turn = cv2.getRotationMatrix2D((cx, cy), dice.normal(0, 8), 1.0)
    turn = np.diag([SIDE / cw, SIDE / ch]) @ (turn - [[0, 0, cx - cw / 2], [0, 0, cy - ch / 2]])
    out = cv2.warpAffine(rgb, turn, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT).astype(
        np.float32
    )
    out = 255 * (out / 255) ** np.exp(dice.normal(0, 0.2)) * np.exp(dice.normal(0, 0.08, 3))
    if dice.random() < 0.3:
        out = cv2.GaussianBlur(out, (0, 0), dice.uniform(0.5, 2.0))
    return np.clip(out + dice.normal(0, 3), 0, 255).astype(np.uint8)
