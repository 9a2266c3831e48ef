"""Which places of the shelves look different after a visit: boxes inside the zones, each with how it differs.

Compares pictures, not products: it neither knows what stood there nor which way it went.  A thing that is still there
but shows a few pixels aside (parallax, a touched neighbour) is no change: every patch is looked for in its
neighbourhood first.  Cannot see a change smaller than LEAST_SHARE of the frame or in a place the after picture misses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.units import ZoneId
from cabinet.vision.align import Alignment, align
from cabinet.vision.patches import colours, same_light, unmatched
from cabinet.vision.pictures import Box, Mask, Picture, Plane, Polygon, checked, filled, resized, scaled

WORK_WIDTH = 320  # pixels; one is 2-4 pixels of a camera frame
REACH = 6  # pixels at work width: 2 % of the frame, less than half of any product we can recognise
PATCH = 9  # pixels at work width
SEED = 20.0  # a changed place differs so much somewhere ...
FLOOR = 11.0  # ... and so much all over; unchanged shelves of hand-held photographs stay below (measured: 95 % < 8)
CEILING = 20.0  # the floor rises no higher: a shelf may be emptied at once, and products differ by 30 and more
QUIET = 0.3  # this share of a zone is taken to be unchanged: its greatest difference is called noise
OVER_NOISE = 2.5  # times the noise, where that is more than the floor
CORE = 0.5  # of a place's peak difference: what lies below is its shadow
GAP_HEIGHT = 0.12  # of a place's tallest column: lower columns lie between two things
BOARD = 0.1  # of a place's widest row: a board between two shelves shows through
BULK = 0.15  # of its usual extent: thinner ends are reflections
LEAST_SHARE = 0.004  # of the frame: 35 x 35 pixels of 640 x 480
LEAST_SIDE = 8  # pixels at work width: thinner is the rim of the frame or of a shelf that did not fit exactly
GAP = 5  # pixels at work width: parts of one product that look unchanged between them
MOST = 12  # regions per zone; more is no shelf but a covered lens


@dataclass(frozen=True, slots=True)
class Region:
    """A changed place.  `lost` and `gained` are shares of the box: how much of what the before picture shows there
    is found nowhere near in the after picture, and the other way round.  A thing that left leaves lost > gained.
    """

    zone: ZoneId
    box: Box  # pixels of the before picture
    lost: float
    gained: float


@dataclass(frozen=True, slots=True)
class Comparison:
    regions: tuple[Region, ...]
    alignment: Alignment


def compare(before: Picture, after: Picture, zones: Mapping[ZoneId, Polygon]) -> Comparison:
    """Changed places inside the polygons (pixels of the before picture).  Raises ValueError for no picture."""
    alignment = align(checked(before), checked(after))
    height, width = before.shape[:2]
    factor = width / WORK_WIDTH
    size = WORK_WIDTH, max(round(height / factor), 1)
    visible = np.asarray(cv2.resize(alignment.visible, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    kernel = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    visible = np.asarray(cv2.erode(visible, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(255,)), np.uint8)
    shown_before, shown_after = colours(resized(before, *size)), colours(resized(alignment.after, *size))
    shown_after = same_light(shown_before, shown_after, visible)
    lost, gained = unmatched(shown_before, shown_after, REACH, PATCH)
    regions = []
    for zone, polygon in zones.items():
        inside = cv2.bitwise_and(filled(polygon, *size, scale=1 / factor), visible)
        regions += [
            Region(zone, scaled(box, factor, width, height), lost_share, gained_share)
            for box, lost_share, gained_share in _places(lost, gained, np.asarray(inside, np.uint8))
        ]
    return Comparison(tuple(regions), alignment)


def _places(lost: Plane, gained: Plane, inside: Mask) -> list[tuple[Box, float, float]]:
    """Boxes at work size of the connected changed places, largest first, with their lost and gained shares."""
    seen = inside > 0
    if not seen.any():
        return []
    either = np.maximum(lost, gained)
    floor = min(max(FLOOR, OVER_NOISE * float(np.quantile(either[seen], QUIET))), CEILING)
    changed = np.asarray(((either > floor) & seen) * np.uint8(255), np.uint8)
    closed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((2 * GAP + 1, GAP), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(opened)
    least = LEAST_SHARE * inside.size
    found = []
    for label in sorted(range(1, count), key=lambda n: -facts[n, cv2.CC_STAT_AREA])[:MOST]:
        here = (labels == label) & seen
        peak = float(np.quantile(either[here], 0.9))
        if facts[label, cv2.CC_STAT_AREA] < least or peak < max(SEED, floor * 1.5):
            continue
        core = max(floor, CORE * peak)
        places = [here & (plane > core) for plane in (lost, gained)]
        fuller = places[0] if places[0].sum() >= places[1].sum() else places[1]
        for box in (box for storey in _storeys(fuller, least) for box in _side_by_side(storey, least)):
            left, top, right, bottom = box
            area = (right - left) * (bottom - top)
            shares = [np.count_nonzero(place[top:bottom, left:right]) / area for place in places]
            found.append((box, float(shares[0]), float(shares[1])))
    return found


def _storeys(place: NDArray[np.bool_], least: float) -> list[NDArray[np.bool_]]:
    """One changed place cut where a board between two shelves stayed: GAP rows with almost nothing across."""
    across = place.sum(axis=1)
    wide = np.asarray((across >= max(2.0, BOARD * float(across.max()))) * np.uint8(255), np.uint8)[:, None]
    framed = cv2.copyMakeBorder(wide, GAP, GAP, 0, 0, cv2.BORDER_CONSTANT, value=(0,))
    whole = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((GAP, 1), np.uint8))[GAP:-GAP, 0] > 0
    solid = np.concatenate([[False], whole, [False]])
    edges = np.flatnonzero(np.diff(solid.astype(np.int8)))
    parts = []
    for top, bottom in zip(edges[::2], edges[1::2], strict=True):
        part = np.zeros_like(place)
        part[top:bottom] = place[top:bottom]
        if part.sum() >= least:
            parts.append(part)
    return parts


def _side_by_side(place: NDArray[np.bool_], least: float) -> list[Box]:
    """Boxes of the things in one changed place: a gap that goes from top to bottom lies between two of them."""
    height = place.sum(axis=0)
    solid = np.concatenate([[False], height >= max(2.0, GAP_HEIGHT * float(height.max())), [False]])
    edges = np.flatnonzero(np.diff(solid.astype(np.int8)))
    boxes = []
    for left, right in zip(edges[::2], edges[1::2], strict=True):
        part = np.zeros_like(place)
        part[:, left:right] = place[:, left:right]
        box = _tight(part)
        if (box[2] - box[0]) * (box[3] - box[1]) >= least and min(box[2] - box[0], box[3] - box[1]) >= LEAST_SIDE:
            boxes.append(box)
    return boxes


def _tight(place: NDArray[np.bool_]) -> Box:
    """The box of the bulk: rows and columns with few pixels are shadows and reflections.  Patches blur a thing's
    outline outwards by about a quarter of their width, which is taken back.
    """
    spans = []
    for axis in (0, 1):
        filled_up = place.sum(axis=axis)
        bulk = np.flatnonzero(filled_up >= max(1.0, BULK * float(np.quantile(filled_up[filled_up > 0], 0.9))))
        first, last = int(bulk[0]), int(bulk[-1]) + 1
        shrink = min(PATCH // 4, (last - first) // 4)
        spans.append((first + shrink, last - shrink))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]
