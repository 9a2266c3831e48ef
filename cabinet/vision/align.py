"""Lays the picture after a visit over the one before it: the camera may have been nudged, and the light may differ.

Small movements only.  First the colours of what stayed are laid over each other, then points that both have in common;
where neither fits better than the pictures as they are, these are compared, and it is said why.
Invents nothing: what the later picture does not show is marked as unseen.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.vision.patches import colours, same_light, unmatched
from cabinet.vision.pictures import Mask, Picture, resized
from cabinet.vision.register import Movement, registered

WORK_WIDTH = 640  # pixels; features at this width are fine enough for shelves, and cost 0.1 s
FEATURES = 1500
HAMMING = 64  # of 256 bits; beyond it ORB descriptors are no match
REACH = 0.1  # a nudge moves nothing by more than this share of the width
CORNER_REACH = 0.2  # nor, by tilt, any corner of the picture
NEAR_PX = 6.0  # things at another depth than the rest of the shelf move by some pixels more or less
LEAST_INLIERS = 12  # four points define a homography; three times as many must agree
LEAST_SHARE = 0.35  # of the matches: fewer agree by chance
TRIAL_WIDTH, TRIAL_REACH, TRIAL_PATCH = 160, 2, 5  # pixels; where candidate movements are compared
TRIAL_CAP = 15.0  # a thing that left differs by more, in any position: it has no say
STILL_WIDTH = 320  # pixels; where a camera that did not move is told from one that did
STILL_PX = (
    0.2  # of STILL_WIDTH: half a pixel of the frame (measured: noise, light and three missing items stay below 0.03)
)
STILL_PEAK = 0.5  # of phase correlation's 1.0: a turn by 1 degree, a tilt or another scene falls below, or shifts
BETTER_ALL = 0.99  # ... where all colours agreed on it; full against empty leaves much, however well it fits
BETTER = 0.97  # a movement must leave at most this share of the difference to be believed


@dataclass(frozen=True, slots=True)
class Alignment:
    """`after` in the geometry of `before`, and where it shows anything at all."""

    after: Picture
    visible: Mask
    moved_px: float  # mean movement of the corners, pixels of the before picture; 0: taken as it was
    why_not: str | None  # why the pictures could not be laid over each other, None where they were (or fitted already)


def align(before: Picture, after: Picture) -> Alignment:
    """Both BGR; sizes may differ by the camera's whim.  Never raises: a failure is said in `why_not`."""
    height, width = before.shape[:2]
    after = resized(after, width, height)
    if _still(before, after):
        return Alignment(after, np.full((height, width), 255, np.uint8), 0.0, None)
    as_it_is = _difference(before, after, np.eye(3))
    by_colours = registered(before, after)
    movement: Movement | None = by_colours
    why_not = None
    if _difference(before, after, by_colours) > as_it_is * BETTER_ALL:
        movement, why_not = _by_points(before, after, as_it_is * BETTER)
    visible = np.full((height, width), 255, np.uint8)
    if movement is None:
        return Alignment(after, visible, 0.0, why_not)
    laid = cv2.warpPerspective(after, movement, (width, height), borderMode=cv2.BORDER_REPLICATE)
    visible = np.asarray(cv2.warpPerspective(visible, movement, (width, height), flags=cv2.INTER_NEAREST), np.uint8)
    return Alignment(np.asarray(laid, np.uint8), visible, float(_corner_moves(movement, width, height).mean()), None)


def _by_points(before: Picture, after: Picture, best: float) -> tuple[Movement | None, str | None]:
    """The movement that common points tell and that leaves less than `best` of a difference, or why there is none."""
    height, width = before.shape[:2]
    scale = WORK_WIDTH / width
    work = WORK_WIDTH, max(round(height * scale), 1)
    candidates, why_not = _movements(resized(before, *work), resized(after, *work))
    shrink = np.diag([1 / scale, 1 / scale, 1.0])
    chosen = None
    for candidate in candidates:
        full = shrink @ candidate @ np.linalg.inv(shrink)
        left = _difference(before, after, full)
        if left < best:
            best, chosen = left, full
    return chosen, why_not


def _still(before: Picture, after: Picture) -> bool:
    """A fixed camera is the usual case, and seen in 2 ms instead of 200: phase correlation finds no movement."""
    size = STILL_WIDTH, max(round(before.shape[0] * STILL_WIDTH / before.shape[1]), 1)
    greys = [
        cv2.cvtColor(resized(picture, *size), cv2.COLOR_BGR2GRAY).astype(np.float32) for picture in (before, after)
    ]
    window = cv2.createHanningWindow(size, cv2.CV_32F)
    (across, down), peak = cv2.phaseCorrelate(greys[0], greys[1], window)
    return bool(peak >= STILL_PEAK and np.hypot(across, down) <= STILL_PX)


def _movements(before: Picture, after: Picture) -> tuple[list[NDArray[np.float64]], str | None]:
    """Plausible maps from after to before, from shift and turn to full tilt.  Or none, and why."""
    points_a, points_b = _matches(before, after)
    if len(points_a) < LEAST_INLIERS:
        return [], f"only {len(points_a)} common points"
    height, width = before.shape[:2]
    cv2.setRNGSeed(1)  # the same pictures always give the same answer
    maps: list[tuple[Any, Any]] = [  # cv2's stubs forget that there may be no map
        cv2.estimateAffinePartial2D(points_a, points_b, method=cv2.RANSAC, ransacReprojThreshold=NEAR_PX),
        cv2.estimateAffine2D(points_a, points_b, method=cv2.RANSAC, ransacReprojThreshold=NEAR_PX),
        cv2.findHomography(points_a, points_b, cv2.USAC_MAGSAC, NEAR_PX),
    ]
    found = [_square(movement) for movement, agree in maps if movement is not None and _enough(agree, len(points_a))]
    small = [m for m in found if _corner_moves(m, width, height).max() <= CORNER_REACH * width]
    if not small:
        return [], "the common points moved too far" if found else "the common points disagree"
    return small, None


def _square(movement: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([movement, [0.0, 0.0, 1.0]]) if movement.shape[0] == 2 else movement


def _enough(agree: NDArray[np.uint8], matches: int) -> bool:
    inliers = int(np.count_nonzero(agree))
    return inliers >= LEAST_INLIERS and inliers >= LEAST_SHARE * matches


def _matches(before: Picture, after: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points that look the same in both and are near each other: (in after, in before), N x 2."""
    finder = cv2.ORB.create(FEATURES, fastThreshold=8)
    keys_b, marks_b = finder.detectAndCompute(cv2.cvtColor(before, cv2.COLOR_BGR2GRAY), None)
    keys_a, marks_a = finder.detectAndCompute(cv2.cvtColor(after, cv2.COLOR_BGR2GRAY), None)
    none = np.empty((0, 2), np.float32)
    if not keys_b or not keys_a:
        return none, none
    reach = REACH * before.shape[1]
    at_b = np.array([key.pt for key in keys_b], np.float32)
    at_a = np.array([key.pt for key in keys_a], np.float32)
    across, down = (at_b[:, None, axis] - at_a[None, :, axis] for axis in (0, 1))
    near = (across * across + down * down <= reach * reach).astype(np.uint8)
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
    there = {m.queryIdx: m.trainIdx for m in matcher.match(marks_b, marks_a, near) if m.distance < HAMMING}
    back = {m.queryIdx: m.trainIdx for m in matcher.match(marks_a, marks_b, near.T.copy()) if m.distance < HAMMING}
    pairs = [(a, b) for b, a in there.items() if back.get(a) == b]
    if not pairs:
        return none, none
    index = np.array(pairs)
    return at_a[index[:, 0]], at_b[index[:, 1]]


def _corner_moves(movement: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float64)
    moved = cv2.perspectiveTransform(corners, movement)
    return np.asarray(np.linalg.norm((moved - corners)[:, 0], axis=1), np.float64)


def _difference(before: Picture, after: Picture, movement: NDArray[np.float64]) -> float:
    """Mean difference of patches, each counted up to TRIAL_CAP: small where little seems to have changed."""
    height, width = before.shape[:2]
    size = TRIAL_WIDTH, max(round(height * TRIAL_WIDTH / width), 1)
    double = 2 * size[0], 2 * size[1]  # warping what is already small is cheaper
    shrink = np.diag([double[0] / width, double[1] / height, 1.0])
    small = shrink @ movement @ np.linalg.inv(shrink)
    laid = cv2.warpPerspective(resized(after, *double), small, double, borderMode=cv2.BORDER_REPLICATE)
    shown = [colours(resized(resized(p, *double), *size)) for p in (before, np.asarray(laid, np.uint8))]
    visible = np.full(size[::-1], 255, np.uint8)
    lost, gained = unmatched(shown[0], same_light(shown[0], shown[1], visible), TRIAL_REACH, TRIAL_PATCH)
    return float(np.minimum(np.maximum(lost, gained), TRIAL_CAP).mean())
