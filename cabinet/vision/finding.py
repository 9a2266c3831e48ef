"""Where in a whole photograph the product is, from the map that the item model gives beside its vector."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.vision.pictures import Box

FINE = 4  # places a cell: the edge lies between the middles of two cells
HALF = 0.5  # of the greatest likelihood
SOFT = 3.0  # places; the peak is sought in the large, not at one lucky cell
LEAST = 16  # pixels a side of a box, where the photograph has so many


def box_of(odds: NDArray[np.float32], width: int, height: int) -> Box:
    """`odds`: cells x cells log-odds over a photograph of width x height pixels.

    The connected cells round the strongest place that are more likely than half of it.  The same rule as in training.
    """
    cells = odds.shape[0]
    likely = 1 / (1 + np.exp(-odds.astype(np.float64)))
    fine = cv2.resize(likely, (cells * FINE, cells * FINE), interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(fine, (0, 0), SOFT)
    mask = np.asarray(fine > HALF * float(fine.max()), np.uint8)
    _, labels = cv2.connectedComponents(mask)
    peak = np.unravel_index(int(np.argmax(np.where(mask > 0, smooth, -1.0))), smooth.shape)
    rows, columns = np.nonzero(labels == labels[peak])
    step = cells * FINE
    left, right = _side(columns, step, width)
    top, bottom = _side(rows, step, height)
    return left, top, right, bottom


def _side(places: NDArray[np.int64], step: int, length: int) -> tuple[int, int]:
    first, last = round(int(places.min()) / step * length), round((int(places.max()) + 1) / step * length)
    if last - first < min(LEAST, length):
        first = max(0, min((first + last - LEAST) // 2, length - LEAST))
        last = min(first + LEAST, length)
    return first, last
