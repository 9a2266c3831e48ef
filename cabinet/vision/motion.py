"""What leaves and comes while the door is open: bursts of movement at a zone, and what they changed there.

Frame difference rather than a hand detector: palm detectors miss two of three hands that hold something.  When a burst
at a zone is over and the picture rests again, the zone is compared with how it was before: each place that changed is a
take or a return, with what the crops of the moving region said while it moved.  A burst that changed nothing is told as
`unknown`, and only where several crops agree on a product.  Work is bounded: LOOKS_PER_S crops, one comparison a burst.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from cabinet.units import Sku, ZoneId
from cabinet.vision.barcodes import BarcodeFinder, convinced
from cabinet.vision.gallery import Gallery
from cabinet.vision.pictures import (
    Box,
    Judge,
    Mask,
    Picture,
    Plane,
    Polygon,
    ScoresLike,
    Seen,
    checked,
    cut,
    filled,
    scaled,
)
from cabinet.vision.takes import look

WORK_WIDTH = 320
LEAST_S = 0.18  # between two looks: 5 a second
MOVED = 16.0  # of 255
FOLLOW = 0.4  # how fast the comparison picture follows: a hand that stays is still seen for half a second
LEAST_SHARE, MOST_SHARE = 0.004, 0.5  # of the frame: less is noise, more is the lamp or a knocked camera
IN_ZONE = 0.25  # of a region must be inside the zone's polygon
SAMPLE = 4  # every fourth pixel each way tells the light as well as all
FULL = 0.3  # of a crop must have moved: the rest is the shelf behind
LOOKS_PER_S = 10.0
REGIONS = 2  # of one frame
QUIET_S = 0.6  # without movement: the burst is over, and the picture rests
LONGEST_S = 20.0  # a longer burst is told in pieces
KNOWN = 0.5  # a crop with more `other` than this shows no product
AGREEING = 2  # crops of one burst that name the same product
MOVING = 0.5  # weight of what moved beside what the resting pictures show


@dataclass
class Burst:
    """Movement at one zone."""

    began_s: float
    last_s: float
    looks: list[tuple[ScoresLike, Box]] = field(default_factory=list)
    codes: set[Sku] = field(default_factory=set)  # products whose barcode was read on what moved


@dataclass
class MotionFinder:
    """One camera during one visit."""

    barcodes: BarcodeFinder | None = None
    _background: Plane | None = None
    _last_s: float = float("-inf")
    _credit: float = LOOKS_PER_S / 2
    _bursts: dict[ZoneId, Burst] = field(default_factory=dict)
    _polygons: dict[ZoneId, Mask] = field(default_factory=dict)
    _resting: Picture | None = None  # the newest picture in which nothing moved at any zone

    @property
    def began_s(self) -> float | None:
        """Since when something has been moving at a zone; None while nothing does."""
        return min((burst.began_s for burst in self._bursts.values()), default=None)

    def update(
        self,
        picture: Picture,
        at_s: float,
        zones: Mapping[ZoneId, Polygon],
        recogniser: Judge | None,
        gallery: Gallery,
    ) -> list[Seen]:
        """One frame (BGR), its monotonic time, polygons in its pixels.  Returns the bursts that are over.

        Raises ValueError for no picture, and whatever the recogniser raises.
        """
        passed_s = at_s - self._last_s
        if passed_s < LEAST_S or recogniser is None:
            return []
        self._last_s = at_s
        self._credit = min(self._credit + passed_s * LOOKS_PER_S, LOOKS_PER_S / 2)
        moved = self._moved(checked(picture))
        factor = picture.shape[1] / WORK_WIDTH
        boxes = _boxes(moved)
        for box in boxes[:REGIONS]:
            zone = self._zone_of(moved, box, zones, factor)
            if zone is not None:
                burst = self._bursts.setdefault(zone, Burst(at_s, at_s))
                burst.last_s = at_s
                self._recognise(picture, moved, box, burst, recogniser, gallery)
                if self.barcodes is not None:
                    there = scaled(box, factor, picture.shape[1], picture.shape[0])
                    burst.codes |= self.barcodes.read(picture, self._resting, there, at_s, gallery.keys())
        done = self._over(at_s)
        seen: list[Seen] = []
        if done and self._resting is not None:
            changed = {zone: zones[zone] for zone in done}
            seen = _crossings(look(self._resting, picture, changed, recogniser, gallery), done)
        seen += [
            told for zone, burst in done.items() if all(s.zone != zone for s in seen) for told in _told(zone, burst)
        ]
        if not self._bursts and not boxes:
            self._resting = picture
        return seen

    def _moved(self, picture: Picture) -> Mask:
        size = WORK_WIDTH, max(round(picture.shape[0] * WORK_WIDTH / picture.shape[1]), 1)
        grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), size, interpolation=cv2.INTER_AREA)
        now = np.asarray(cv2.blur(grey, (5, 5)), np.float32)
        if self._background is None or self._background.shape != now.shape:
            self._background = now
        apart = now - self._background
        light = float(np.median(apart[::SAMPLE, ::SAMPLE]))
        gain = np.float32(
            np.median(now[::SAMPLE, ::SAMPLE]) / max(np.median(self._background[::SAMPLE, ::SAMPLE]), 1.0)
        )
        brighter = np.abs(now - np.minimum(self._background * gain, np.float32(255)))  # a lamp multiplies, and bleaches
        cv2.accumulateWeighted(now, self._background, FOLLOW)
        mask = np.asarray(np.minimum(np.abs(apart - light), brighter) > MOVED, np.uint8) * np.uint8(255)
        if cv2.countNonZero(mask) < LEAST_SHARE * FULL * mask.size:  # closing small gaps would not make it a region
            return np.zeros_like(mask)
        return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), np.uint8)

    def _zone_of(self, moved: Mask, box: Box, zones: Mapping[ZoneId, Polygon], factor: float) -> ZoneId | None:
        left, top, right, bottom = box
        here = moved[top:bottom, left:right] > 0
        best: tuple[float, ZoneId] | None = None
        for zone, polygon in zones.items():
            if zone not in self._polygons:
                self._polygons[zone] = filled(polygon, moved.shape[1], moved.shape[0], 1 / factor)
            inside = np.count_nonzero(here & (self._polygons[zone][top:bottom, left:right] > 0))
            share = inside / max(np.count_nonzero(here), 1)
            if share >= IN_ZONE and (best is None or share > best[0]):
                best = share, zone
        return None if best is None else best[1]

    def _recognise(
        self, picture: Picture, moved: Mask, box: Box, burst: Burst, recogniser: Judge, gallery: Gallery
    ) -> None:
        factor = picture.shape[1] / WORK_WIDTH
        clearest: tuple[ScoresLike, Box] | None = None
        for part in _parts(box):
            left, top, right, bottom = part
            if self._credit < 1 or float((moved[top:bottom, left:right] > 0).mean()) < FULL:
                continue
            self._credit -= 1
            there = scaled(part, factor, picture.shape[1], picture.shape[0])
            scores = recogniser.scores(cut(picture, there), gallery)
            if clearest is None or scores.other < clearest[0].other:
                clearest = scores, there
        if clearest is not None and clearest[0].skus and clearest[0].other < KNOWN:
            burst.looks.append(clearest)

    def _over(self, at_s: float) -> dict[ZoneId, Burst]:
        """Bursts that have ended, taken out of the list."""
        done = [
            zone
            for zone, burst in self._bursts.items()
            if at_s - burst.last_s > QUIET_S or at_s - burst.began_s > LONGEST_S
        ]
        return {zone: self._bursts.pop(zone) for zone in done}


def _crossings(changes: Sequence[Seen], bursts: Mapping[ZoneId, Burst]) -> list[Seen]:
    """Places that changed during the bursts, each with its burst's times, and with what was seen while it moved."""
    told = []
    for change in changes:
        burst = bursts[change.zone]
        alone = sum(other.zone == change.zone for other in changes) == 1
        scores, other = dict(change.scores), change.other
        if alone and len(burst.looks) >= AGREEING:  # of two things that moved at once nobody knows which was looked at
            count = len(burst.looks)
            moving = {sku: sum(s.skus[sku] for s, _ in burst.looks) / count for sku in scores}
            scores = {sku: (1 - MOVING) * share + MOVING * moving[sku] for sku, share in scores.items()}
            other = (1 - MOVING) * other + MOVING * sum(s.other for s, _ in burst.looks) / count
        if alone:
            scores, other = convinced(scores, other, burst.codes)
        told.append(replace(change, scores=scores, other=other, between_s=(burst.began_s, burst.last_s)))
    return told


def _told(zone: ZoneId, burst: Burst) -> list[Seen]:
    """Of a burst that changed nothing: the mean of the crops that agree on what it was, if enough do."""
    looks = burst.looks
    named: Counter[Sku] = Counter(max(scores.skus, key=scores.skus.__getitem__) for scores, _ in looks)
    if not named or named.most_common(1)[0][1] < AGREEING:
        return []
    sku = named.most_common(1)[0][0]
    agreeing = [(s, box) for s, box in looks if max(s.skus, key=s.skus.__getitem__) == sku]
    count = len(agreeing)
    mean = {name: sum(s.skus[name] for s, _ in agreeing) / count for name in agreeing[0][0].skus}
    other, box = sum(s.other for s, _ in agreeing) / count, agreeing[count // 2][1]
    mean, other = convinced(mean, other, burst.codes)
    return [Seen(zone, "unknown", mean, other, box, (burst.began_s, burst.last_s))]


def _boxes(moved: Mask) -> list[Box]:
    """Moving regions, largest first; none if nearly everything moves."""
    if not cv2.countNonZero(moved):
        return []
    count, _, facts, _ = cv2.connectedComponentsWithStats(moved)
    if np.count_nonzero(moved) > MOST_SHARE * moved.size:
        return []
    order = sorted(range(1, count), key=lambda n: -int(facts[n, cv2.CC_STAT_AREA]))
    large = [facts[n] for n in order if facts[n, cv2.CC_STAT_AREA] >= LEAST_SHARE * moved.size]
    return [(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in large]


def _parts(box: Box) -> list[Box]:
    """The region and its two ends: a hand is at one of them, and what it holds at the other."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    if high >= wide:
        return [box, (left, top, right, top + round(high * 0.6)), (left, bottom - round(high * 0.6), right, bottom)]
    return [box, (left, top, left + round(wide * 0.6), bottom), (right - round(wide * 0.6), top, right, bottom)]
