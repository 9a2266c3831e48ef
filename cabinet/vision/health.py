"""Is the camera seeing anything, and what it saw before?  Simple measures on one picture and on a row of them.

Judges pictures, not connections: a camera that sends nothing is its adapter's business.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from cabinet.vision.pictures import Picture, Plane, checked, resized

Complaint = Literal["dark", "overexposed", "covered"]

SIZE = 160, 120
DARK_MEAN = 12.0  # of 255: a lens cap, or the lamp is out
BURNT_LEVEL, BURNT_SHARE = 250, 0.7  # so much of the picture is white
DETAIL_LEAST = 2.5  # standard deviation of what remains without the coarse shapes; a hand on the lens has about 1
COARSE_PX = 8.0  # sigma of the blur that leaves the coarse shapes, at SIZE
COVERED_SPREAD = 14.0  # standard deviation of the brightness; an empty white shelf has edges, a cover has none
FROZEN_LOOKS, FROZEN_S = 2, 0.9  # so many repeats in so long: a sensor has noise, a stuck driver repeats itself
FINE_PX = 1.2  # sigma, at SIZE: fog takes what is finer first
VEIL_QUANTILE = 0.02  # the darkest tones
FOG_DETAIL, FOG_CONTRAST, FOG_VEIL = 0.4, 0.6, 14.0  # of the usual, of the usual, of 255 above the usual
LEARN = 0.06  # a look: half of a change is usual after 11 looks, some 6 s
STEADY_LOOKS = 2  # in a row
EDGE_WIDTH, EDGE_CAP = 160, 120.0
MOVED_SHARE, MOVED_PEAK = 0.02, 0.35  # of the width; of phase correlation's 1.0: pushed shelves match by 0.45 and more
FOLLOW = 0.1  # a look


def complaint(picture: Picture) -> Complaint | None:
    """What is wrong with this picture (BGR), or None.  Raises ValueError for no picture."""
    grey = _grey(picture)
    if float(grey.mean()) < DARK_MEAN:
        return "dark"
    if float((grey >= BURNT_LEVEL).mean()) > BURNT_SHARE:
        return "overexposed"
    fine = grey - cv2.GaussianBlur(grey, (0, 0), COARSE_PX)
    if float(fine.std()) < DETAIL_LEAST and float(grey.std()) < COVERED_SPREAD:
        return "covered"
    return None


@dataclass
class CameraHealth:
    """One camera, looked at again and again.  `look` says what is wrong, with measure and threshold, or None."""

    _normal: tuple[float, float, float] | None = None  # detail, contrast, darkest tone while all was well
    _reference: Plane | None = None  # edges of the closed cabinet
    _mark: int | None = None
    _same_since_s: float | None = None
    _same: int = 0
    _foggy: int = 0
    _shifted: int = 0
    _why: str | None = None

    def look(self, picture: Picture, at_s: float, *, shut: bool, fixed: bool = True) -> str | None:
        """One new frame (BGR) and its monotonic time.  `shut`: nobody is at the shelf, so that nothing hides it.

        `fixed`: it looks at a scene that stays, as inside the cabinet; where people come and go, what is usual of a
        picture says nothing about fog.

        Raises ValueError for no picture.
        """
        self._freeze(picture, at_s)
        if self._same >= FROZEN_LOOKS and self._same_since_s is not None and at_s - self._same_since_s >= FROZEN_S:
            return (
                f"frozen: {self._same + 1} pictures without a pixel's difference in {at_s - self._same_since_s:.1f} s"
            )
        picture = resized(picture, *SIZE)  # once: every measure below is of this size
        what = complaint(picture)
        if what is not None:
            self._foggy = self._shifted = 0
            return f"{what}: {measured(picture)}"
        return (self._fog(picture) if fixed else None) or (self._shift(picture) if shut else None)

    def renew(self) -> None:
        """Somebody has looked at it: how it sees from now on is how it ought to see."""
        self._normal = self._reference = None
        self._foggy = self._shifted = 0

    def _freeze(self, picture: Picture, at_s: float) -> None:
        mark = hash(checked(picture)[::4, ::4].tobytes())
        if mark == self._mark and self._same_since_s is not None:
            self._same += 1
        else:
            self._mark, self._same, self._same_since_s = mark, 0, at_s

    def _fog(self, picture: Picture) -> str | None:
        """Fog is a veil: fine detail and contrast go, and the darkest tones become light.  A shelf that is sold empty
        loses detail as well, but no veil lies over its shadows.
        """
        grey = _grey(picture)
        fine = float((grey - cv2.GaussianBlur(grey, (0, 0), FINE_PX)).std())
        now = fine, float(grey.std()), float(np.quantile(grey, VEIL_QUANTILE))
        if self._normal is None:
            self._normal = now
        usual = self._normal
        veil = now[2] - usual[2]
        foggy = now[0] < FOG_DETAIL * usual[0] and now[1] < FOG_CONTRAST * usual[1] and veil > FOG_VEIL
        self._foggy = self._foggy + 1 if foggy else 0
        if self._foggy >= STEADY_LOOKS:
            return (
                f"fogged: detail {now[0] / max(usual[0], 1e-6):.0%} of the usual (at least {FOG_DETAIL:.0%}), "
                f"shadows {veil:.0f} of 255 lighter (at most {FOG_VEIL:.0f})"
            )
        if not foggy:  # light and goods change slowly
            self._normal = tuple(u + LEARN * (n - u) for u, n in zip(usual, now, strict=True))  # type: ignore[assignment]  # three
        return None

    def _shift(self, picture: Picture) -> str | None:
        """Edges of the shelf stay where they are when goods leave: a shift of all of them is the camera's own."""
        edges = _edges(picture)
        if self._reference is None or self._reference.shape != edges.shape:
            self._reference = edges
            return None
        window = cv2.createHanningWindow(edges.shape[::-1], cv2.CV_32F)
        (across, down), peak = cv2.phaseCorrelate(self._reference, edges, window)
        away = float(np.hypot(across, down)) / edges.shape[1]
        moved = peak >= MOVED_PEAK and away > MOVED_SHARE
        self._shifted = self._shifted + 1 if moved else 0
        if (
            not moved and peak >= MOVED_PEAK
        ):  # goods come and go: the reference follows while the camera is where it was
            self._reference = self._reference + FOLLOW * (edges - self._reference)
        if self._shifted < STEADY_LOOKS:
            return None
        return f"moved: by {away:.1%} of the picture's width (at most {MOVED_SHARE:.0%})"


def measured(picture: Picture) -> str:
    """The measures that `complaint` goes by, with their thresholds."""
    grey = _grey(picture)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), COARSE_PX)
    burnt = float((grey >= BURNT_LEVEL).mean())
    return (
        f"brightness {grey.mean():.0f} (at least {DARK_MEAN:.0f}), white {burnt:.0%} (at most {BURNT_SHARE:.0%}), "
        f"detail {fine.std():.1f} (at least {DETAIL_LEAST}) or spread {grey.std():.0f} (at least {COVERED_SPREAD:.0f})"
    )


def _grey(picture: Picture) -> Plane:
    small = cv2.cvtColor(resized(checked(picture), *SIZE), cv2.COLOR_BGR2GRAY)
    return np.asarray(small, np.float32)


def _edges(picture: Picture) -> Plane:
    """Strength of the edges at EDGE_WIDTH: what light leaves alone; capped, so that no label outshouts a shelf."""
    height = max(round(picture.shape[0] * EDGE_WIDTH / picture.shape[1]), 16)
    grey = cv2.cvtColor(resized(picture, EDGE_WIDTH, height), cv2.COLOR_BGR2GRAY)
    grey = cv2.GaussianBlur(grey, (0, 0), 1.0)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.minimum(cv2.magnitude(across, down), EDGE_CAP), np.float32)
