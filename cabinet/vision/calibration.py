"""Where a camera sees each zone: from printed corner marks, or from what changed when goods were put on one shelf.

Draws a polygon only where the picture shows one: of too few marks, a mark that is there twice, a sliver or a polygon
over another zone's it says why not.  Knows no cameras and no files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.units import ZoneId
from cabinet.vision.align import align
from cabinet.vision.fourth import fourth
from cabinet.vision.markers import CORNERS, Marker, find, numbers_of
from cabinet.vision.patches import colours, same_light, unmatched
from cabinet.vision.pictures import Picture, Polygon, checked, resized

LEAST_SHARE = 0.01  # of the frame: no shelf is smaller
LEAST_SIDE = 0.04  # of the frame's width, the polygon's narrow side: thinner is a strip
OVERLAP = 0.10  # of the smaller of two zones; shelves seen at a slant cover each other a little
WORK_WIDTH, REACH, PATCH = 320, 3, 5  # pixels; where restock pictures are compared
CHANGED = 14.0  # units of colour (patches): shelves that were only relit stay below
SHADOW = 0.35  # of the usual change: less is the shadow that goods throw
PIECE = 0.05  # of the largest changed place: smaller ones are reflections
MOST_SHARE = 0.85  # of the frame: so much changes only when the camera or the lamp did
MOVED = 0.015  # of the width: the camera was touched between the two pictures
GROWN = 0.01  # of the width, outwards: goods at the edge stick out
BENT = 0.01  # of the hull's length: smaller bends of its outline are left out
COLOURS = ((60, 200, 60), (230, 140, 40), (40, 160, 250), (200, 80, 200), (60, 220, 230), (90, 90, 240))

Corners = tuple[tuple[float, float], ...]
Quad = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """One zone: its polygon, or why there is none.  `notes`: what a technician should know all the same."""

    zone: ZoneId
    polygon: Corners | None
    why: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    zones: tuple[Found, ...]
    markers: tuple[Marker, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return bool(self.zones) and all(found.why is None for found in self.zones)


def by_markers(
    picture: Picture, channels: Mapping[ZoneId, int], others: Mapping[ZoneId, Polygon] | None = None
) -> Finding:
    """The polygon of each zone (with its channel) whose marks the picture shows, in its pixels.

    `others`: polygons that stay in force beside them.  Raises ValueError for no picture.
    """
    marks = find(picture)
    size = picture.shape[1], picture.shape[0]
    ours = {number for channel in channels.values() for number in numbers_of(channel)}
    strange = sorted({mark.number for mark in marks} - ours)
    notes = (f"marks of no zone asked for: {', '.join(map(str, strange))}",) if strange else ()
    found = [_framed(_of_zone(zone, channel, marks), size) for zone, channel in channels.items()]
    return Finding(_apart(found, others or {}), tuple(marks), notes)


def by_restock(
    empty: Picture, filled: Picture, zone: ZoneId, others: Mapping[ZoneId, Polygon] | None = None
) -> Finding:
    """The outline of what came to the one zone that was filled between two pictures (BGR, one camera, untouched).

    Raises ValueError for no picture, or for two of different sizes.
    """
    if checked(empty).shape != checked(filled).shape:
        raise ValueError(
            f"the pictures differ in size: {empty.shape[1]} x {empty.shape[0]} and {filled.shape[1]} x ..."
        )
    height, width = empty.shape[:2]
    if align(empty, filled).moved_px > MOVED * width:
        return _no(zone, "the camera moved between the two pictures: fix it, and take both again")
    points, why = _changed(empty, filled)
    if why is not None:
        return _no(zone, why)
    found = _framed(Found(zone, _outline(points, GROWN * width)), (width, height))
    return Finding(_apart([found], others or {}))


def drawn(picture: Picture, polygons: Mapping[ZoneId, Polygon], markers: Sequence[Marker] = ()) -> Picture:
    """The picture with every zone outlined and named, and the marks that were found."""
    shown = checked(picture).copy()
    thick = max(1, shown.shape[1] // 320)
    for mark in markers:
        cv2.polylines(shown, [_pixels(mark.corners)], isClosed=True, color=(0, 0, 255), thickness=thick)
        _label(shown, str(mark.number), mark.centre, (0, 0, 255))
    for index, (zone, polygon) in enumerate(polygons.items()):
        colour, corners = COLOURS[index % len(COLOURS)], np.asarray(polygon, np.float64)
        wash = shown.copy()
        cv2.fillPoly(wash, [_pixels(corners)], colour)
        shown = np.asarray(cv2.addWeighted(wash, 0.2, shown, 0.8, 0), np.uint8)
        cv2.polylines(shown, [_pixels(corners)], isClosed=True, color=colour, thickness=thick)
        _label(shown, zone, corners.mean(axis=0), colour)
    return shown


def _of_zone(zone: ZoneId, channel: int, marks: Sequence[Marker]) -> Found:
    wanted = numbers_of(channel)
    there = [mark for mark in marks if mark.number in wanted]
    twice = sorted({mark.number for mark in there if sum(m.number == mark.number for m in there) > 1})
    if twice:
        return Found(zone, None, f"mark {twice[0]} is there twice: take one away")
    missing = [f"{n} ({CORNERS[k]})" for k, n in enumerate(wanted) if n not in {mark.number for mark in there}]
    if len(missing) > 1:
        return Found(zone, None, f"{len(there)} of 4 marks found, 3 are needed: look for {', '.join(missing)}")
    middles = {wanted.index(mark.number): mark.centre for mark in there}
    for k in set(range(4)) - set(middles):
        middles[k] = middles[(k + 1) % 4] + middles[(k - 1) % 4] - middles[(k + 2) % 4]
    at = {wanted.index(mark.number): _outermost(mark, wanted.index(mark.number), middles) for mark in there}
    notes: list[str] = []
    for k in set(range(4)) - set(at):
        at[k], fits = fourth(k, {wanted.index(mark.number): mark.corners for mark in there}, at)
        how = "from the size of the others" if fits else "as a parallelogram's"
        notes.append(f"mark {missing[0]} was not found: that corner is guessed {how}")
    quad = np.array([at[k] for k in range(4)])
    hull = cv2.convexHull(quad.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    if len(hull) < 4:
        return Found(zone, None, "its marks make no four-sided shape: are they at the corners?")
    if not cv2.isContourConvex(quad.astype(np.float32)) or _area(quad) < 0:
        notes.append("its marks have changed places; the outline is the same")
        quad = hull
    return Found(zone, _corners(quad), None, tuple(notes))


def _outermost(mark: Marker, k: int, middles: Mapping[int, Quad]) -> Quad:
    """The corner away from both neighbours along the zone's edges, however the mark was turned."""
    edges = [middles[k] - middles[(k + side) % 4] for side in (1, -1)]
    away = sum((edge / max(float(np.linalg.norm(edge)), 1.0) for edge in edges), np.zeros(2))
    return np.asarray(mark.corners[int(np.argmax(mark.corners @ away))], np.float64)


def _changed(empty: Picture, filled: Picture) -> tuple[Quad, str | None]:
    """Points of what changed, in pixels of the frame, or why they are no shelf."""
    height, width = empty.shape[:2]
    size = WORK_WIDTH, max(round(height * WORK_WIDTH / width), 1)
    before, after = colours(resized(empty, *size)), colours(resized(filled, *size))
    everywhere = np.full(size[::-1], 255, np.uint8)
    lost, gained = unmatched(before, same_light(before, after, everywhere), REACH, PATCH)
    either = np.maximum(lost, gained)
    none = np.empty((0, 2))
    if np.count_nonzero(either > CHANGED) < LEAST_SHARE * either.size:
        return none, "nothing changed there: put goods over the whole of the shelf, and of another colour than it"
    floor = max(CHANGED, SHADOW * float(np.quantile(either[either > CHANGED], 0.75)))
    mask = ((either > floor) * np.uint8(255)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, labels, facts, _ = cv2.connectedComponentsWithStats(joined)
    areas = facts[1:, cv2.CC_STAT_AREA]
    if not areas.size or areas.sum() < LEAST_SHARE * either.size:
        return none, "too little changed there: put goods over the whole of the shelf"
    if areas.sum() > MOST_SHARE * either.size:
        return none, "the whole picture changed: keep lamp and camera as they are, and hands out of the picture"
    kept = np.isin(labels, 1 + np.flatnonzero(areas >= PIECE * areas.max())) & (mask > 0)
    rows, columns = np.nonzero(kept)
    return (np.stack([columns, rows], axis=1) + 0.5) * (width / WORK_WIDTH) - 0.5, None


def _outline(points: Quad, by: float) -> Corners:
    """The hull, without its smallest bends, each corner `by` pixels further from the middle."""
    hull = cv2.convexHull(points.astype(np.float32))
    bent = cv2.approxPolyDP(hull, BENT * cv2.arcLength(hull, closed=True), closed=True).reshape(-1, 2)
    corners = bent.astype(np.float64) if len(bent) >= 3 else hull.reshape(-1, 2).astype(np.float64)
    away = corners - corners.mean(axis=0)
    return _corners(corners + away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1.0) * by)


def _framed(found: Found, size: tuple[int, int]) -> Found:
    """Cut to the frame; refused where hardly anything remains."""
    if found.polygon is None:
        return found
    width, height = size
    quad = np.asarray(found.polygon, np.float32)
    frame = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float32)
    outside = bool((quad < 0).any() or (quad > frame[2]).any())
    if outside:
        _, cut = cv2.intersectConvexConvex(quad, frame)
        quad = np.asarray(cut, np.float32).reshape(-1, 2)
    if len(quad) < 3:
        return Found(found.zone, None, "its outline is not in the picture")
    (_, sides, _), share = cv2.minAreaRect(quad), abs(_area(quad.astype(np.float64))) / (width * height)
    if share < LEAST_SHARE or min(sides) < LEAST_SIDE * width:
        why = f"its outline is too small: {share:.1%} of the picture, {min(sides):.0f} pixels across"
        return Found(found.zone, None, why, found.notes)
    notes = (*found.notes, "its outline reaches out of the picture and was cut") if outside else found.notes
    return replace(found, polygon=_corners(quad.astype(np.float64)), notes=notes)


def _apart(found: Sequence[Found], others: Mapping[ZoneId, Polygon]) -> tuple[Found, ...]:
    """Refuses those that cover too much of another zone."""
    new = {one.zone: one.polygon for one in found if one.polygon is not None}
    beside = {zone: polygon for zone, polygon in others.items() if zone not in {one.zone for one in found}}
    judged = []
    for one in found:
        over = [] if one.polygon is None else [
            f"{zone} by {share:.0%}"
            for zone, polygon in {**beside, **new}.items()
            if zone != one.zone and (share := shared(one.polygon, polygon)) > OVERLAP
        ]  # fmt: skip  # a condition before a list
        why = (
            f"its outline covers {', '.join(over)} of the smaller one, {OVERLAP:.0%} allowed: look at both"
            if over
            else ""
        )
        judged.append(Found(one.zone, None, why, one.notes) if over else one)
    return tuple(judged)


def shared(one: Polygon, other: Polygon) -> float:
    """The area of both, as a share of the smaller polygon (of its hull)."""
    hulls = [cv2.convexHull(np.asarray(polygon, np.float32)) for polygon in (one, other)]
    smaller = min(cv2.contourArea(hull) for hull in hulls)
    if smaller <= 0:
        return 0.0
    both, _ = cv2.intersectConvexConvex(hulls[0], hulls[1])
    return float(both / smaller)


def _area(quad: Quad) -> float:
    """Signed: positive for corners that go clockwise as the picture is seen."""
    x, y = quad[:, 0], quad[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _no(zone: ZoneId, why: str) -> Finding:
    return Finding((Found(zone, None, why),))


def _corners(quad: Quad) -> Corners:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in quad)


def _pixels(corners: Quad) -> NDArray[np.int32]:
    return np.round(corners).astype(np.int32)


def _label(shown: Picture, text: str, at: Quad, colour: tuple[int, int, int]) -> None:
    scale = max(0.5, shown.shape[1] / 1000)
    where = round(float(at[0])) - 8 * len(text) // 2, round(float(at[1])) + 5
    cv2.putText(shown, text, where, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.putText(shown, text, where, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
