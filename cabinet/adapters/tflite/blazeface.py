"""Where to look for faces in a frame: boxes, six marks and a score of each, in the picture's own pixels.

A network sees a small square.  The whole picture is laid into it first; where nobody is near, the network for far faces
looks as well, or the same one at overlapping tiles.  Says nothing about whose face it is.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cabinet.adapters.tflite.blazenet import MARKS, ROW, BlazeNet, Window
from cabinet.adapters.tflite.facetable import Table, covering, merged, unseen
from cabinet.adapters.tflite.runner import Pixels
from cabinet.ports import PortError
from cabinet.vision.pictures import Box

NEAR_PX = 17.0  # of the network's own pixels: found for certain, and so is everybody nearly as near
SURE_PX = 40.0  # of the network's own pixels: its marks are exact; below, it looks at the face alone
ALONE = 3.0  # sides of the box are then looked at
REFINED = 2  # faces, largest first: whoever stands behind them does not come in
SURE_SCORE = 0.7  # a face that is not seen again when it is looked at alone is believed from here on
TILE_STEP = 0.8  # of a tile's side
MOST_ROW = 8  # sides of a tile along the picture: a narrow strip is not worth more
MOST_FACES = 32
LEAST_SIDE = 16  # pixels of a picture
MOST_SIDE = 8192


@dataclass(frozen=True, slots=True)
class Found:
    box: Box  # may reach over the picture's edge
    score: float
    marks: tuple[tuple[float, float], ...]

    @property
    def area(self) -> int:
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


class FaceFinder:
    """Calls from several threads wait for each other."""

    def __init__(self, folder: Path, far: Path | None = None, runtime: str = "auto") -> None:
        """`far`: folder of a network for far faces.  Raises ModelError with the remedy."""
        self._near = BlazeNet(folder, runtime)
        self._far = None if far is None else BlazeNet(far, runtime)
        self.runtime = self._near.runtime
        self.name = self._near.name if self._far is None else f"{self._near.name} and {self._far.name}"

    def boxes(self, picture: Pixels) -> list[Box]:
        """Every face that can be found, far and small ones too, within the picture: what is to be made unrecognisable.
        Takes twenty times as long as `find`.  Raises PortError for no picture.
        """
        height, width = _checked(picture).shape[:2]
        views = [self._near.look(picture, _whole(picture))]
        for share in (1, 2, 3):
            views += [self._near.inner(picture, window) for window in tiles(width, height, share)]
        every = np.concatenate(views)
        again = [self._alone(picture, row) for row in every]
        sure = [row for one, more in zip(every, again, strict=True) if more is not None for row in (one, more)]
        rows = covering(np.array(sure), self._near.overlap) if sure else every[:0]
        return [
            (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
            for left, top, right, bottom in (_found(row).box for row in rows)
        ]

    def find(self, picture: Pixels) -> list[Found]:
        """The faces of a picture (BGR), largest first.  Raises PortError for no picture."""
        small, factor = self._shrunk(_checked(picture))
        near = self._refined(picture, self._near.look(small, _whole(small)) * _stretch(factor))
        if len(near) and self._seen_px(near, picture).max() >= NEAR_PX:
            rows = near
        else:
            new = unseen(self._farther(small) * _stretch(factor), near, self._near.overlap)
            rows = merged(np.concatenate([near, self._refined(picture, new)]), self._near.overlap)
        faces = [_found(row) for row in rows[:MOST_FACES]]
        return sorted(faces, key=lambda face: face.area, reverse=True)

    def _farther(self, picture: Pixels) -> Table:
        """Whoever stands farther away."""
        height, width = picture.shape[:2]
        if self._far is not None:
            return self._far.look(picture, _whole(picture))
        views = [self._near.inner(picture, window) for window in tiles(width, height)]
        return merged(np.concatenate([np.empty((0, ROW)), *views]), self._near.overlap)

    def _seen_px(self, rows: Table, picture: Pixels) -> Table:
        """How high each face is to a network that sees the whole picture."""
        return np.asarray((rows[:, 3] - rows[:, 1]) * self._near.side / max(picture.shape[:2]))

    def _refined(self, picture: Pixels, rows: Table) -> Table:
        """The largest faces looked at once more, alone and larger: then marks are exact, and a doubtful one that is
        not seen again is none.
        """
        seen_px, kept = self._seen_px(rows, picture), []
        for place, n in enumerate(np.argsort(-seen_px, kind="stable")):
            again = self._alone(picture, rows[n]) if place < REFINED and seen_px[n] < SURE_PX else rows[n]
            if again is not None:
                kept.append(again)
        return merged(np.array(kept), self._near.overlap) if kept else rows[:0]

    def _alone(self, picture: Pixels, row: Table) -> Table | None:
        side = max(round(ALONE * float(max(row[2] - row[0], row[3] - row[1]))), 1)
        middle = (row[:2] + row[2:4]) / 2
        left, top = (round(float(v) - side / 2) for v in middle)
        for found in self._near.look(picture, (left, top, side)):
            if found[0] < middle[0] < found[2] and found[1] < middle[1] < found[3]:
                return np.asarray(found)
        return row if row[-1] >= SURE_SCORE else None

    def _shrunk(self, picture: Pixels) -> tuple[Pixels, int]:
        """By a whole factor, so far that it still holds more than a network sees: every look then costs less."""
        factor = max(min(picture.shape[:2]) // (2 * self._near.side), 1)
        if factor == 1:
            return picture, 1
        size = picture.shape[1] // factor, picture.shape[0] // factor
        whole = picture[: size[1] * factor, : size[0] * factor]
        return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8), factor


def _checked(picture: Pixels) -> Pixels:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise PortError(f"faces: no picture to look at: {picture.dtype} {picture.shape}")
    if not LEAST_SIDE <= min(picture.shape[:2]) <= max(picture.shape[:2]) <= MOST_SIDE:
        raise PortError(f"faces: a picture of {picture.shape[1]}x{picture.shape[0]} pixels cannot be looked at")
    return picture


def _stretch(factor: int) -> Table:
    """Places grow by the factor, scores do not."""
    return np.array([*[float(factor)] * (ROW - 1), 1.0])


def _whole(picture: Pixels) -> Window:
    height, width = picture.shape[:2]
    side = max(height, width)
    return (width - side) // 2, (height - side) // 2, side


def tiles(width: int, height: int, share: int = 1) -> Iterator[Window]:
    """Squares that cover the picture, each overlapping the next by a fifth or more; none for one that is the whole.

    Their side is the shorter one of the picture divided by `share`.
    """
    side = max(min(width, height) // share, max(width, height) // MOST_ROW)
    across, down = _starts(width, side), _starts(height, side)
    if len(across) * len(down) > 1:
        for top in down:
            for left in across:
                yield left, top, side


def _starts(length: int, side: int) -> list[int]:
    count = math.ceil((length - side) / (side * TILE_STEP)) + 1
    return [round(n * (length - side) / (count - 1)) for n in range(count)] if count > 1 else [(length - side) // 2]


def _found(row: Table) -> Found:
    left, top, right, bottom = (round(float(side)) for side in row[:4])
    marks = row[4:-1].reshape(MARKS, 2)
    return Found((left, top, right, bottom), float(row[-1]), tuple((float(x), float(y)) for x, y in marks))
