"""Two pictures compared patch by patch, each patch looked for in its neighbourhood, under one light.

A thing that shows a few pixels aside (parallax, a touched neighbour) is found again and differs little.  Says how much
differs where; what that means is decided elsewhere.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.vision.pictures import Mask, Picture, Plane

WEIGHTS = (0.5, 1.0, 1.0)  # of L, a, b: light changes more than colour does
CAP = 60.0  # one glaring pixel counts no more than this
SAMPLE = 7  # every seventh pixel tells the light as well as all of them
STEP = 0.5  # units of difference a byte step
SUM = np.ones((1, 3), np.float32)


def colours(picture: Picture) -> Plane:
    """Lab, slightly smoothed: height x width x 3, L in 0..100."""
    smooth = cv2.GaussianBlur(picture.astype(np.float32) / 255, (0, 0), 1.0)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_BGR2LAB), np.float32)


def same_light(before: Plane, after: Plane, visible: Mask) -> Plane:
    """`after` under the light of `before`: gain and offset of L, offset of a and b, fitted to what fits best."""
    seen = np.flatnonzero(visible)
    fitted = after.copy()
    if seen.size < 100:
        return fitted
    ours, theirs = (plane.reshape(-1, 3)[seen[::SAMPLE]] for plane in (before, after))
    for channel in range(3):
        x, y = theirs[:, channel], ours[:, channel]
        gain, offset = 1.0, float(np.median(y - x))
        keep = np.ones(x.size, bool)
        for _ in range(6 if channel == 0 else 2):
            if channel == 0 and x[keep].std() > 1.0:
                gain = float(np.clip(np.cov(x[keep], y[keep])[0, 1] / x[keep].var(), 0.6, 1.6))
            offset = float(np.median(y[keep] - gain * x[keep]))
            left = np.abs(y - gain * x - offset)
            keep = left <= np.quantile(left, 0.6)
        fitted[..., channel] = gain * after[..., channel] + offset
    return fitted


def unmatched(before: Plane, after: Plane, reach: int, patch: int) -> tuple[Plane, Plane]:
    """Per pixel of before (of after): the least difference of its patch to any of the other within `reach` pixels.

    In the units of L, a, b, weighted.  Works in bytes of half a unit, four times as fast as with floats.
    """
    height, width = before.shape[:2]
    ones = cv2.split(in_bytes(before))  # plane by plane: three times as fast as pixel by pixel
    frames = [
        cv2.copyMakeBorder(plane, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
        for plane in cv2.split(in_bytes(after))
    ]
    lost = np.full((height, width), 255, np.uint8)
    gained = lost.copy()
    cap = np.full((height, width), round(CAP / STEP), np.uint8)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            place = slice(reach + dy, reach + dy + height), slice(reach + dx, reach + dx + width)
            light, green, blue = (cv2.absdiff(one, frame[place]) for one, frame in zip(ones, frames, strict=True))
            apart = cv2.add(cv2.add(light, green), blue)
            apart = cv2.blur(cv2.min(apart, cap), (patch, patch))
            cv2.min(lost, apart, lost)
            rows = slice(max(0, dy), min(height, height + dy))
            columns = slice(max(0, dx), min(width, width + dx))
            own = apart[rows.start - dy : rows.stop - dy, columns.start - dx : columns.stop - dx]
            gained[rows, columns] = cv2.min(gained[rows, columns], own)
    return lost.astype(np.float32) * STEP, gained.astype(np.float32) * STEP


def in_bytes(lab: Plane) -> NDArray[np.uint8]:
    """Weighted L, a, b in steps of STEP units, 128 in the middle; colours beyond +-64 are as good as at 64."""
    centred = (lab - np.array([50, 0, 0], np.float32)) * (np.array(WEIGHTS, np.float32) / STEP) + 128
    return np.asarray(np.clip(np.round(centred), 0, 255), np.uint8)
