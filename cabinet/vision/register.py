"""Lays two pictures over each other by their colours alone, where they have too few points in common.

An emptied shelf has almost no points that a full one shows too, but the same boards, walls and frame: the movement is
sought under which most of the picture looks the same.  What differs strongly, in any position, is a product that came
or went, and has no say.  Small movements only; always the same answer for the same pictures.
"""

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.vision.patches import STEP, SUM, colours, in_bytes, same_light
from cabinet.vision.pictures import Mask, Picture, resized

COARSE, FINE = 64, 112  # pixels of width
SHIFT = 0.06  # of the width, either way: tried at first, in steps that the descent can bridge
SHIFTS, ZOOMS = 7, (0.97, 1.0, 1.03)
STARTS = 1  # best of the first tries that are followed down
CAP = 12.0  # units of L, a, b: more is a product, not a misfit
SWEEPS = 3  # over all eight corners' coordinates, at each step
STEPS = (3.0, 1.0, 0.5, 0.25)  # pixels of FINE by which one corner is moved
MOST = 0.08  # of the width: no corner goes further

Movement = NDArray[np.float64]


def registered(before: Picture, after: Picture) -> Movement:
    """3 x 3: pixels of `after` to pixels of `before`, which are of one size."""
    height, width = before.shape[:2]
    starts = _starts(before, after)
    one, other = _pair(before, after, FINE)
    low = one.shape[0]
    found = [_descended(one, other, _corners(FINE, low) + FINE * start) for start in starts]
    best = min(found, key=lambda pair: pair[0])[1]
    grow = np.diag([width / FINE, height / low, 1.0])
    return np.asarray(grow @ _movement(FINE, low, best) @ np.linalg.inv(grow), np.float64)


def _starts(before: Picture, after: Picture) -> list[NDArray[np.float32]]:
    """Movements of the four corners as shares of the width: the best of a grid of shifts and zooms."""
    one, other = _pair(before, after, COARSE)
    corners = _corners(COARSE, one.shape[0])
    middle = corners.mean(axis=0)
    tried = []
    shifts = np.linspace(-SHIFT, SHIFT, SHIFTS) * COARSE
    for number, (zoom, across, down) in enumerate(itertools.product(ZOOMS, shifts, shifts)):
        moved = np.asarray((corners - middle) * zoom + middle + (across, down), np.float32)
        tried.append((_misfit(one, other, moved), number, (moved - corners) / COARSE))
    tried.sort(key=lambda entry: entry[:2])
    return [np.asarray(start, np.float32) for _, _, start in tried[:STARTS]]


def _descended(one: Mask, other: Mask, at: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    """First all corners together, then each by itself, in ever smaller steps, as long as it fits better."""
    best = _misfit(one, other, at)
    moves = [np.full((4, 2), axis, np.float32) for axis in ([1, 0], [0, 1])]
    for corner, axis in itertools.product(range(4), range(2)):
        move = np.zeros((4, 2), np.float32)
        move[corner, axis] = 1
        moves.append(move)
    for step in STEPS:
        for _ in range(SWEEPS):
            begun = best
            for move, way in itertools.product(moves, (step, -step)):
                tried = at + way * move
                misfit = _misfit(one, other, tried)
                if misfit < best:
                    best, at = misfit, tried
            if best >= begun:
                break
    return best, at


def _misfit(one: Mask, other: Mask, corners: NDArray[np.float32]) -> float:
    """Mean difference, each pixel's cut at CAP; a pixel that leaves the picture counts as CAP."""
    height, width = one.shape[:2]
    if np.abs(corners - _corners(width, height)).max() > MOST * width:
        return float(CAP)
    movement = _movement(width, height, corners)
    laid = cv2.warpPerspective(other, movement, (width, height), borderMode=cv2.BORDER_CONSTANT)
    apart = cv2.transform(cv2.absdiff(one, laid), SUM)
    return cv2.mean(cv2.threshold(apart, round(CAP / STEP), 0, cv2.THRESH_TRUNC)[1])[0] * STEP


def _pair(before: Picture, after: Picture, width: int) -> tuple[Mask, Mask]:
    size = width, max(round(before.shape[0] * width / before.shape[1]), 8)
    one, other = (colours(resized(picture, *size)) for picture in (before, after))
    return in_bytes(one), in_bytes(same_light(one, other, np.full(size[::-1], 255, np.uint8)))


def _corners(width: int, height: int) -> NDArray[np.float32]:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _movement(width: int, height: int, corners: NDArray[np.float32]) -> Movement:
    return np.asarray(cv2.getPerspectiveTransform(_corners(width, height), corners.astype(np.float32)), np.float64)
