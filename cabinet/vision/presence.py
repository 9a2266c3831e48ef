"""Is somebody standing before the cabinet?  A cheap look at the front camera, so that faces are sought only then.

Compares each frame with a slow background in the large: noise, flicker and slowly changing light stay below it.  Says
nothing about who it is, and a person who stands still for minutes becomes background only after `FORGET_S`.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from cabinet.vision.pictures import Picture, Plane, checked

SIZE = 64, 48
DIFFERENT = 14.0  # of 255 after the light was evened out: sensor noise at this size stays below 3
SHARE_ON, SHARE_OFF = 0.06, 0.03  # of the picture: a person within 1.5 m covers 10 % and more
FRAMES_ON, FRAMES_OFF = 2, 4  # in a row: a fly is one frame, a step back is three
LEARN_S = 20.0  # how slowly the background follows while nobody is there
FORGET_S = 180.0  # what has stood still for so long is furniture
STILL = 3.0  # mean difference between frames below which nothing moves
YOUNG_S = 10.0  # as FORGET_S, while the background may be whoever stood there when we began
QUIET_S = 5.0  # without anybody: the background is the place itself
GAP_S = 5.0  # after a longer pause without frames the background may be anything: it catches up at once by so much


@dataclass
class Presence:
    """Feed it every frame; ask `present`."""

    present: bool = False
    _background: Plane | None = None
    _last: Plane | None = None
    _last_s: float = 0.0
    _streak: int = 0
    _still_since_s: float | None = None
    _quiet_s: float = 0.0  # for how long nobody has been seen since we began; only until QUIET_S
    share: float = field(default=0.0)  # of the latest picture that differs

    def update(self, picture: Picture, at_s: float) -> bool:
        """One frame (BGR) and its monotonic time.  Raises ValueError for no picture."""
        small = cv2.resize(checked(picture), SIZE, interpolation=cv2.INTER_AREA)
        now = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)
        if self._background is None or self._last is None:
            self._background, self._last, self._last_s = now.copy(), now, at_s
            return False
        passed_s = min(max(at_s - self._last_s, 0.0), GAP_S)
        self.share = _different(now, self._background)
        wanted = self.share > (SHARE_OFF if self.present else SHARE_ON)
        self._streak = self._streak + 1 if wanted != self.present else 0
        if self._streak >= (FRAMES_OFF if self.present else FRAMES_ON):
            self.present, self._streak = wanted, 0
        self._forget(now, at_s)
        if not self.present and not self._streak:  # who is just arriving must not become background, bit by bit
            self._background += (now - self._background) * min(passed_s / LEARN_S, 1.0)
            self._quiet_s = min(self._quiet_s + passed_s, QUIET_S)
        self._last, self._last_s = now, at_s
        return self.present

    def _forget(self, now: Plane, at_s: float) -> None:
        """Furniture: what is there without moving becomes background."""
        moves = self._last is not None and float(np.abs(now - self._last).mean()) > STILL
        if not self.present or moves:
            self._still_since_s = None
        elif self._still_since_s is None:
            self._still_since_s = at_s
        elif at_s - self._still_since_s > (FORGET_S if self._quiet_s >= QUIET_S else YOUNG_S):
            self._background, self.present, self._streak, self._still_since_s = now.copy(), False, 0, None


def _different(now: Plane, background: Plane) -> float:
    """The share of pixels that differ when the light's change, one gain for the whole picture, is taken out."""
    gain = float(np.clip(np.median((now + 8) / (background + 8)), 0.5, 2.0))
    return float((np.abs(now - ((background + 8) * gain - 8)) > DIFFERENT).mean())
