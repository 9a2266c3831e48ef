"""The words the vision modules share: pictures, boxes, polygons, and what they ask of a recogniser.

Refuses pictures that are no pictures; knows no cameras, no files and no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.units import Sku, ZoneId
from cabinet.vision.gallery import Gallery

cv2.setNumThreads(1)  # two cores are shared with everything else, and threads made these small pictures no faster

Picture = NDArray[np.uint8]  # height x width x 3, BGR
Plane = NDArray[np.float32]  # height x width
Mask = NDArray[np.uint8]  # height x width, 0 or 255
Box = tuple[int, int, int, int]  # pixels: left, top, right, bottom; right and bottom are outside
Polygon = Sequence[tuple[float, float]]  # corners in pixels of a camera frame
Action = Literal["take", "return", "unknown"]


class ScoresLike(Protocol):
    @property
    def skus(self) -> Mapping[Sku, float]: ...
    @property
    def other(self) -> float: ...


class Judge(Protocol):
    """The part of a recogniser that vision needs."""

    def embed(self, crop: Picture) -> Sequence[float]: ...
    def find(self, picture: Picture) -> Box: ...
    def scores(self, crop: Picture, gallery: Gallery) -> ScoresLike: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """Something changed hands at a zone.  `scores` and `other` are probabilities and sum to 1.

    `box` is in pixels of the picture before the visit (of the frame itself for what moved during the visit).
    `between_s`: monotonic times of the movement that it belongs to; None where it compares two pictures.
    """

    zone: ZoneId
    action: Action
    scores: Mapping[Sku, float]
    other: float
    box: Box
    between_s: tuple[float, float] | None = None


def checked(picture: Picture) -> Picture:
    """The picture, if it is one: BGR, 8 bits, at least 32 pixels a side.  Raises ValueError."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or min(picture.shape[:2]) < 32:
        raise ValueError(f"no picture: shape {picture.shape}, {picture.dtype}")
    return picture


def resized(picture: Picture, width: int, height: int) -> Picture:
    """Stretched to width x height pixels."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinking = width < picture.shape[1]
    return np.asarray(
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR), np.uint8
    )


def filled(polygon: Polygon, width: int, height: int, scale: float = 1.0) -> Mask:
    """255 inside the polygon (its corners times `scale`), 0 outside."""
    mask = np.zeros((height, width), np.uint8)
    corners = np.round(np.asarray(polygon, np.float64) * scale).astype(np.int32)
    cv2.fillPoly(mask, [corners], (255,))
    return mask


def scaled(box: Box, factor: float, width: int, height: int) -> Box:
    """The box in a picture that is `factor` times as large, within width x height."""
    left, top, right, bottom = (round(side * factor) for side in box)
    return max(left, 0), max(top, 0), min(max(right, left + 1), width), min(max(bottom, top + 1), height)


def cut(picture: Picture, box: Box) -> Picture:
    left, top, right, bottom = box
    return np.ascontiguousarray(picture[top:bottom, left:right])
