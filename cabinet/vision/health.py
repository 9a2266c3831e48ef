"""Is the camera seeing anything?  Simple measures on one picture, and on a row of them; thresholds stated.

Judges pictures, not connections: a camera that sends nothing is its adapter's business.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from cabinet.vision.pictures import Picture, checked, resized

Complaint = Literal["dark", "overexposed", "covered", "frozen"]

SIZE = 160, 120
DARK_MEAN = 12.0  # of 255: a lens cap, or the lamp is out
BURNT_LEVEL, BURNT_SHARE = 250, 0.7  # so much of the picture is white
DETAIL_LEAST = 2.5  # standard deviation of what remains without the coarse shapes; a hand on the lens has about 1
COARSE_PX = 8.0  # sigma of the blur that leaves the coarse shapes, at SIZE
COVERED_SPREAD = 14.0  # standard deviation of the brightness; an empty white shelf has edges, a cover has none
FROZEN_AFTER = 30  # identical pictures in a row: sensors have noise, a stuck driver repeats itself


def complaint(picture: Picture) -> Complaint | None:
    """What is wrong with this picture (BGR), or None.  Raises ValueError for no picture."""
    grey = cv2.cvtColor(resized(checked(picture), *SIZE), cv2.COLOR_BGR2GRAY).astype(np.float32)
    if float(grey.mean()) < DARK_MEAN:
        return "dark"
    if float((grey >= BURNT_LEVEL).mean()) > BURNT_SHARE:
        return "overexposed"
    fine = grey - cv2.GaussianBlur(grey, (0, 0), COARSE_PX)
    if float(fine.std()) < DETAIL_LEAST and float(grey.std()) < COVERED_SPREAD:
        return "covered"
    return None


@dataclass
class Freezing:
    """Counts identical pictures.  A stream that repeats a still (a bench's) is frozen too: switch this off there."""

    repeats: int = 0
    last: int | None = None

    def update(self, picture: Picture) -> Complaint | None:
        mark = hash(checked(picture)[::4, ::4].tobytes())
        self.repeats = self.repeats + 1 if mark == self.last else 0
        self.last = mark
        return "frozen" if self.repeats >= FROZEN_AFTER else None
