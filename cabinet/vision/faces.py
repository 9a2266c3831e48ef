"""Faces as pixels: how good one is to recognise, which way it looks, the chips that networks are given, and faces made
unrecognisable.

Computes on the camera's own pixels; knows no models and no people.  Marks are BlazeFace's: right eye, left eye, nose,
mouth, right ear, left ear, of the person, so the right eye is on the picture's left.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.vision.pictures import Box, Picture

LOOKED_AT: Final = 128  # pixels a side at which sharpness and light are measured
LEVEL_NOSE: Final = 0.54  # of the way from eyes to mouth: the nose of a face that looks straight at us (median of 278)
PITCH_SPAN: Final = 0.27  # of that way: the nose of a face turned all up or down
BLUR_MARGIN: Final = 0.35  # of a face's side, around it: hair, ears and chin tell who it is too
BLUR_CELLS: Final = 5  # a face becomes so many cells a side before it is blurred

CHIP: Final = 150  # pixels a side of dlib's chip, with its padding of 0.25
# Where the marks lie in dlib's chip: medians over 278 faces (56 people) that dlib itself had brought to its chip.
MARKS_IN_CHIP: Final = ((47.1, 46.1), (102.4, 45.6), (75.1, 77.8), (75.0, 104.9))
BOX_IN_CHIP: Final = 130.0  # pixels a side
# The same of points of the face mesh, and how far they scatter there: corners of the eyes, base and tip of the nose.
MESH_IN_CHIP: Final[Mapping[int, tuple[float, float, float]]] = {
    33: (35.8, 46.7, 1.7), 133: (59.6, 47.9, 1.0), 362: (89.3, 48.0, 1.0), 263: (113.2, 47.2, 1.8),
    2: (74.3, 84.4, 2.6), 94: (74.3, 83.1, 3.0), 1: (74.3, 79.7, 3.7),
}  # fmt: skip

Point = tuple[float, float]
Points = NDArray[np.float64]  # rows of x, y
Similarity = NDArray[np.float64]  # 2 x 3: turns, scales and moves


def light(picture: Picture, box: Box) -> tuple[float, float, float]:
    """Sharpness (variance of the Laplacian), brightness and contrast of the part of the box within the picture."""
    part = _part(picture, box)
    grey = cv2.resize(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), (LOOKED_AT, LOOKED_AT), interpolation=cv2.INTER_AREA)
    (mean,), (spread,) = (values.ravel() for values in cv2.meanStdDev(grey))
    return float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1].item() ** 2), float(mean), float(spread)


def colourfulness(picture: Picture, box: Box) -> float:
    """How much the colours of a face differ where its brightness does not: near 0 for grey, also where light or paper
    tints it.
    """
    small = cv2.resize(_part(picture, box), (32, 32), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).reshape(-1, 3).astype(np.float64)
    by_light = np.vander(lab[:, 0] / 255.0, 3)
    tint = by_light @ np.linalg.lstsq(by_light, lab[:, 1:], rcond=None)[0]
    return math.hypot(*(lab[:, 1:] - tint).std(axis=0))


def cut_off(picture: Picture, box: Box) -> bool:
    """True where the box reaches over the picture's edge."""
    return box[0] < 0 or box[1] < 0 or box[2] > picture.shape[1] or box[3] > picture.shape[0]


def pose(marks: Sequence[Point]) -> tuple[float, float, float]:
    """Yaw and pitch from -1 to 1 (negative: to the picture's left, up), roll in degrees; 0 without marks.

    Yaw is where the nose is between the ears, or between the eyes where no ears are given.
    """
    if len(marks) < 3:
        return 0.0, 0.0, 0.0
    points = np.asarray(marks, np.float64)
    roll = math.degrees(math.atan2(points[1, 1] - points[0, 1], points[1, 0] - points[0, 0]))
    side = points[4:6] if len(points) >= 6 else points[:2]
    pitch = 0.0
    if len(points) >= 4:
        eyes, (across, down) = points[:2].mean(axis=0), points[1] - points[0]
        downwards = np.array([-down, across])
        length = float((points[3] - eyes) @ downwards)
        part = float((points[2] - eyes) @ downwards) / length if length > 0 else LEVEL_NOSE
        pitch = min(max((part - LEVEL_NOSE) / PITCH_SPAN, -1.0), 1.0)
    return between(points[2], side[0], side[1]), pitch, roll


def between(nose: Points, right: Points, left: Points) -> float:
    """Where the nose is on the line from the person's right to the left: -1 … 1, 0 in the middle."""
    line = left - right
    length = float(line @ line)
    return min(max(2.0 * float((nose - right) @ line) / length - 1.0, -1.0), 1.0) if length > 0 else 0.0


def openness(eye: Points) -> float:
    """Height of an eye's opening by its width.  `eye`: outer corner, two above, inner corner, two below."""
    wide = float(np.linalg.norm(eye[0] - eye[3]))
    high = float(np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])) / 2
    return high / wide if wide > 0 else 0.0


def similarity(points: Points, places: Points, weights: NDArray[np.float64] | None = None) -> Similarity:
    """What brings the points nearest to the places by turning, scaling and moving alone."""
    share = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
    share = share / share.sum()
    here, there = share @ points, share @ places
    one, other = points - here, places - there
    scale = max(float(share @ (one * one).sum(axis=1)), 1e-12)
    along = float(share @ (one * other).sum(axis=1)) / scale
    around = float(share @ (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])) / scale
    turn = np.array([[along, -around], [around, along]])
    return np.column_stack([turn, there - turn @ here])


def by_mesh(mesh: Points) -> Similarity:
    """Brings a face to dlib's chip, from the points of its mesh: on average 0.12 from what dlib itself makes of it."""
    known = np.array(list(MESH_IN_CHIP.values()))
    return similarity(mesh[list(MESH_IN_CHIP)], known[:, :2], 1.0 / known[:, 2] ** 2)


def by_marks(marks: Sequence[Point]) -> Similarity:
    """The same from the marks of the detector: on average 0.18 from what dlib makes of it."""
    count = min(len(marks), len(MARKS_IN_CHIP))
    return similarity(np.asarray(marks[:count], np.float64), np.asarray(MARKS_IN_CHIP[:count], np.float64))


def by_box(box: Box) -> Similarity:
    """The same where nothing is known but the box, which is most of the chip."""
    return upright(box, 0.0, CHIP / BOX_IN_CHIP, CHIP)


def upright(box: Box, roll_deg: float, scale: float, size: int) -> Similarity:
    """Brings a box to the middle of a square: its longer side times `scale` becomes `size`, turned by the roll."""
    left, top, right, bottom = box
    factor = size / (scale * max(right - left, bottom - top, 1))
    angle = math.radians(roll_deg)
    across, down = math.cos(angle) * factor, math.sin(angle) * factor
    turn = np.array([[across, down], [-down, across]])
    return np.column_stack([turn, size / 2 - turn @ np.array([(left + right) / 2, (top + bottom) / 2])])


def warped(picture: Picture, move: Similarity, size: int) -> Picture:
    """What `move` brings into a square of size x size pixels; black where the picture ends."""
    turn, corners = move[:, :2], np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    reach = (corners - move[:, 2]) @ np.linalg.inv(turn).T
    height, width = picture.shape[:2]
    from_x, from_y = (int(max(v - 2, 0)) for v in reach.min(axis=0))
    to_x, to_y = (int(min(v + 3, end)) for v, end in zip(reach.max(axis=0), (width, height), strict=True))
    if from_x >= to_x or from_y >= to_y:
        return np.zeros((size, size, 3), np.uint8)
    part, shrunk = picture[from_y:to_y, from_x:to_x], max(int(0.5 / math.hypot(*turn[0])), 1)
    high, wide = part.shape[0] // shrunk, part.shape[1] // shrunk
    if shrunk > 1 and min(high, wide) > 0:  # by a whole factor first: interpolating alone would skip pixels
        whole = part[: high * shrunk, : wide * shrunk]
        part = np.asarray(cv2.resize(whole, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        shrunk = 1
    middle = (shrunk - 1) / 2  # of the pixels that became one
    shift = move[:, 2] + turn @ np.array([from_x + middle, from_y + middle])
    full = np.column_stack([turn * shrunk, shift])
    return np.asarray(cv2.warpAffine(part, full, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


def square(picture: Picture, box: Box, scale: float, size: int) -> Picture:
    """The square around a box whose side is `scale` times the box's longer one, at size x size pixels.

    Moved inside the picture; smaller where the picture is too small for it.
    """
    left, top, right, bottom = box
    height, width = picture.shape[:2]
    wanted = min(scale * max(right - left, bottom - top), height, width)
    x = round(min(max((left + right - wanted) / 2, 0), width - wanted))
    y = round(min(max((top + bottom - wanted) / 2, 0), height - wanted))
    side = max(round(wanted), 1)
    part = picture[y : y + side, x : x + side]
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (size, size), interpolation=method), np.uint8)


def blur_faces(picture: Picture, boxes: Sequence[Box]) -> Picture:
    """A copy on which nobody can be known: each face and its surroundings as a few cells, blurred into each other."""
    copy = picture.copy()
    height, width = copy.shape[:2]
    for left, top, right, bottom in boxes:
        more_x, more_y = round((right - left) * BLUR_MARGIN), round((bottom - top) * BLUR_MARGIN)
        from_x, to_x = max(left - more_x, 0), min(right + more_x, width)
        from_y, to_y = max(top - more_y, 0), min(bottom + more_y, height)
        if from_x >= to_x or from_y >= to_y:
            continue
        part = picture[from_y:to_y, from_x:to_x]
        cells = cv2.resize(part, (BLUR_CELLS, BLUR_CELLS), interpolation=cv2.INTER_AREA)
        copy[from_y:to_y, from_x:to_x] = cv2.resize(cells, (to_x - from_x, to_y - from_y))
    return copy


def _part(picture: Picture, box: Box) -> Picture:
    """The box within the picture, at least one pixel of it."""
    height, width = picture.shape[:2]
    left, top = min(max(box[0], 0), width - 1), min(max(box[1], 0), height - 1)
    return picture[top : max(min(box[3], height), top + 1), left : max(min(box[2], width), left + 1)]
