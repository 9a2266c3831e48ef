"""The photographs, how they are split, and where in each the product is."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from network import SIDE

FOLDS = 3  # every third packaged product, and every fifth kind of loose goods, is unseen in one fold
LONG_SIDE = 480  # pixels; photographs are worked on at this size
CENTRE = 0.65  # share of the short side taken where the teacher finds nothing
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


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


def held_out(photos: list[Photo], fold: int | None) -> set[str]:
    """Classes never shown to the network of this fold, only used to measure; none for the shipped model."""
    if fold is None:
        return set()
    packaged = sorted({p.name for p in photos if p.packaged})
    loose = sorted({p.name for p in photos if not p.packaged})
    return {*packaged[fold::FOLDS], *loose[fold::5]}


def read_rgb(path: Path) -> np.ndarray:
    """uint8 RGB, at most LONG_SIDE pixels a side."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"cannot read {path}")
    factor = LONG_SIDE / max(picture.shape[:2])
    if factor < 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def fit(rgb: np.ndarray) -> np.ndarray:
    """Stretch a crop to the input square (uint8)."""
    shrinking = min(rgb.shape[:2]) > SIDE
    return cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def crop(rgb: np.ndarray, box: Box, pad: float = 0.03) -> np.ndarray:
    """The box and a little air around it, stretched to the input square."""
    left, top, right, bottom = box
    across, down = (right - left) * pad, (bottom - top) * pad
    h, w = rgb.shape[:2]
    x0, x1 = max(round(left - across), 0), min(round(right + across), w)
    y0, y1 = max(round(top - down), 0), min(round(bottom + down), h)
    return fit(rgb[y0 : max(y1, y0 + 2), x0 : max(x1, x0 + 2)])


def centre(rgb: np.ndarray) -> Box:
    h, w = rgb.shape[:2]
    side = min(h, w) * CENTRE
    return (w - side) / 2, (h - side) / 2, (w + side) / 2, (h + side) / 2


class Teacher:
    """COCO SSD as a class-agnostic box proposer: it teaches the finder, and is never shipped."""

    def __init__(self, model: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.engine = Interpreter(str(model), num_threads=1)
        self.engine.allocate_tensors()

    def box(self, rgb: np.ndarray) -> Box:
        """Of the boxes that hold the middle region, the one of the best score; the centre where there is none."""
        h, w = rgb.shape[:2]
        entry = self.engine.get_input_details()[0]
        side = int(entry["shape"][1])
        self.engine.set_tensor(entry["index"], cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)[None])
        self.engine.invoke()
        boxes, _, scores, _ = (self.engine.get_tensor(d["index"])[0] for d in self.engine.get_output_details())
        best, chosen = 0.0, centre(rgb)
        for (top, left, bottom, right), score in zip(np.clip(boxes, 0, 1), scores, strict=True):
            area = (right - left) * (bottom - top)
            off = np.hypot((left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5)
            worth = float(score) * (1 - off) * min(1.0, area / 0.15)
            if area < 0.04 or score < 0.12 or worth <= best:
                continue
            best, chosen = worth, (left * w, top * h, right * w, bottom * h)
        return tuple(float(x) for x in chosen)
