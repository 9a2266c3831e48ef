"""The photographs: whose faces they show, who is held out, and backgrounds.

The split is by person: nobody, and no photograph, stands on both sides.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engines import Cutter, faces

FOLDERS = ("azure_family", "azure_group", "official_portraits")
SMALLEST_PX = 56
HELD_OUT = (  # nine people; checked by eye: none of them is in another photograph
    "Family2-", "Family3-", "azure_group/detection2", "azure_group/detection4", "azure_group/detection6", "biden/",
)


@dataclass
class Shot:
    """One face in one photograph."""

    name: str
    picture: np.ndarray  # BGR, whole photograph, no longer than 1000 pixels
    box: tuple[float, float, float, float]
    alpha: np.ndarray  # 0..1: the people
    held_out: bool


def shots(data: Path, more: Path | None) -> list[Shot]:
    files = sorted(f for name in FOLDERS for f in (data / "faces" / name).rglob("*.jpg"))
    if more is not None:
        files += sorted(more.glob("sample*.jpg"))
    cutter, found = Cutter(), []
    for file in files:
        picture = cv2.imread(str(file))
        factor = min(1.0, 1000 / max(picture.shape[:2]))
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        alpha = cutter(picture)
        for box in faces_of(picture):
            if box[2] - box[0] >= SMALLEST_PX:
                name = f"{file.parent.name}/{file.name}"
                found.append(Shot(name, picture, tuple(box[:4]), alpha, name.startswith(HELD_OUT)))
    return found


def faces_of(picture: np.ndarray) -> list:
    """Of a photograph; in large ones also looked for in overlapping parts, as the detector sees 128 pixels only."""
    height, width = picture.shape[:2]
    found = [*faces(picture)]
    if max(height, width) >= 600:
        step = 300
        for top in range(0, max(height - step, 1), step // 2):
            for left in range(0, max(width - step, 1), step // 2):
                part = picture[top : top + 2 * step, left : left + 2 * step]
                for box in faces(part, 0.7):
                    moved = box[0] + left, box[1] + top, box[2] + left, box[3] + top
                    if not any(_overlap(moved, f) > 0.2 for f in found):
                        found.append((*moved, box[4], box[5] + np.array([left, top])))
    return found


def _overlap(a: tuple, b: tuple) -> float:
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(across, 0) * max(down, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def backgrounds(data: Path, held_out: bool) -> list[np.ndarray]:
    """Shops, shelves, goods: BGR; other files for those held out."""
    files = sorted((data / "interiors").rglob("*.jpg")) + sorted((data / "grocery").rglob("*.jpg"))[::9]
    files = [f for n, f in enumerate(files) if (n % 4 == 1) == held_out]
    out = []
    for file in files:
        picture = cv2.imread(str(file))
        factor = 900 / max(picture.shape[:2])
        out.append(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
    return out
