"""The corner of a zone whose mark is missing, guessed from the other three.

Marks that are upright and alike tell by their own size how the shelf recedes; where they do not fit that, the corner is
a parallelogram's, which is a tenth of the shelf off at a slant of 25 degrees.
"""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROUNDS = 12  # of Gauss and Newton; five are enough
STEP = 1e-3  # of the logarithms of width and height
FITS_SHARE = 0.08  # of a mark's side, root mean square over the three marks: more, and they are not upright

Points = NDArray[np.float64]


def fourth(absent: int, marks: Mapping[int, Points], outer: Mapping[int, Points]) -> tuple[Points, bool]:
    """`absent`: 0 to 3, clockwise from the top left; of the others the mark's four corners and the zone's corner.

    False: it is only a parallelogram's.
    """
    flat = np.asarray(outer[(absent + 1) % 4] + outer[(absent - 1) % 4] - outer[(absent + 2) % 4], np.float64)
    side = float(np.mean([np.linalg.norm(four - np.roll(four, 1, axis=0), axis=1).mean() for four in marks.values()]))
    across, down = (outer[(absent + 2) % 4] - outer[(absent + k) % 4] for k in ((1, 3) if absent % 2 else (3, 1)))
    size = np.log([max(float(np.linalg.norm(across)) / side, 2.0), max(float(np.linalg.norm(down)) / side, 2.0)])
    for _ in range(ROUNDS):
        here, _map = _left(size, marks)
        slope = np.stack([(_left(size + step, marks)[0] - here) / STEP for step in np.eye(2) * STEP], axis=1)
        size = np.clip(size - np.linalg.lstsq(slope, here, rcond=None)[0], size - 0.5, size + 0.5)
        if not np.isfinite(size).all() or np.abs(size).max() > np.log(200):
            return flat, False
    here, movement = _left(size, marks)
    if movement is None or float(np.sqrt(2 * np.mean(here**2))) > FITS_SHARE * side:
        return flat, False
    corner = np.array([[_rectangle(size)[absent]]], np.float64)
    return np.asarray(cv2.perspectiveTransform(corner, movement)[0, 0], np.float64), True


def _left(size: Points, marks: Mapping[int, Points]) -> tuple[Points, Points | None]:
    """What of the marks' corners a zone of such a size (in sides of a mark, logarithms) leaves unexplained."""
    zone, unit = _rectangle(size), np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
    flat = np.concatenate([zone[k] - unit[k] + unit for k in marks])
    seen = np.concatenate([*marks.values()])
    movement: Any = cv2.findHomography(flat, seen, 0)[0]  # cv2's stubs forget that there may be none
    if movement is None:
        return np.full(seen.size, 1e3), None
    return (cv2.perspectiveTransform(flat[None], movement)[0] - seen).ravel(), movement


def _rectangle(size: Points) -> Points:
    width, height = np.exp(size)
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
