"""A cabinet's shelves as one interior camera sees them, in perspective, with goods side by side and behind each other.

Nobody pushes goods forward: whoever takes the front unit leaves the one behind it where it stands.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.sim.pictures import Box, Picture
from cabinet.sim.sight import hands as arms
from cabinet.sim.sight.conditions import CLEAN, Conditions, apply
from cabinet.sim.sight.hands import Hand, Pose
from cabinet.sim.sight.products import Cutout
from cabinet.sim.sight.room import HIGH_M, Eye, Plane, Shelf, Viewpoint, opening, row_m
from cabinet.sim.sight.shell import empty, floor_map
from cabinet.sim.sight.sprites import Points, Sprite, bounds, paint, within
from cabinet.sim.sight.stock import Stock

ROWS = 4  # units behind each other, unless told otherwise
FINE = 4  # pixels of a mask per pixel of the frame, each way: goods end softly at a board's edge
GRIP = 0.45  # of a unit's height: where it is taken
SMALLEST, LARGEST = 0.5, 1.1  # of a hand's true size: goods shrink with the number of shelves, so must hands
APART = 1_000_003  # a prime: cabinets with neighbouring seeds do not share their noise


class Interior:
    """One camera.  Keeps the newest scene and repaints only shelves whose counts changed."""

    def __init__(
        self,
        shelves: Mapping[str, Sequence[str]],
        cutouts: Mapping[str, Cutout],
        viewpoint: Viewpoint = "top",
        *,
        size: tuple[int, int] = (640, 360),
        seed: int = 0,
        rows: int = ROWS,
    ) -> None:
        """`shelves`: of each zone, the upper first, the article of each facing from the left.

        `size`: width and height, pixels; `rows`: units behind each other that a facing has room for.
        Raises KeyError where an article has no cut-out, ValueError where a shelf has no facing.
        """
        if rows < 1 or not shelves or not all(shelves.values()):
            raise ValueError("a cabinet has shelves, each has facings, and each of these has room for a unit")
        self.rows = rows
        self._facings = {zone: tuple(facings) for zone, facings in shelves.items()}
        self._cutouts, self._seed = cutouts, seed
        self._eye = Eye(viewpoint, size)
        self._shelves = {zone: self._shelf(n, zone) for n, zone in enumerate(shelves)}
        self._empty = empty(self._eye, list(self._shelves.values()), np.random.default_rng(seed))
        self._inside = {zone: self._mask(self._strip(shelf)) for zone, shelf in self._shelves.items()}
        self._open = {zone: self._mask(self._beneath(shelf)) for zone, shelf in self._shelves.items()}
        self._stock = Stock(self._eye, self._shelves, self._facings, cutouts, self._inside, seed)
        self._scene = self._empty.copy()
        self._shown = {zone: (rows,) * len(facings) for zone, facings in self._facings.items()}
        self._last: Picture | None = None

    def polygons(self) -> dict[str, tuple[tuple[float, float], ...]]:
        """Of each zone, the part of the opening that shows it: four corners, pixels, for a camera's config."""
        return {
            zone: tuple((float(x), float(y)) for x, y in np.round(self._strip(shelf), 1))
            for zone, shelf in self._shelves.items()
        }

    def floor_map(self, zone: str) -> NDArray[np.float64]:
        """Homography (3 x 3) from the zone's board (metres right of its middle, metres inwards) to pixels."""
        return floor_map(self._eye, self._shelves[zone])

    def front_row(self, units: int) -> int:
        """The row, counted from the front, of the frontmost of so many units; `rows` where none stands."""
        return self.rows - max(0, min(units, self.rows))

    def box(self, zone: str, column: int, units: int | None = None) -> Box:
        """Of the frontmost unit of a facing with so many `units` (None: full), as far as boards do not hide it.

        Raises ValueError where nothing stands or shows there.
        """
        row = 0 if units is None else self.front_row(units)
        if row >= self.rows:
            raise ValueError(f"nothing stands at {zone}, {column}")
        unit = bounds(self._stock.quad((zone, column, row)), self._eye.size)
        room = bounds(self._strip(self._shelves[zone]), self._eye.size)
        if unit is None or room is None or min(unit[3], room[3]) <= max(unit[1], room[1]):
            raise ValueError(f"nothing shows at {zone}, {column}")
        return max(unit[0], room[0]), max(unit[1], room[1]), min(unit[2], room[2]), min(unit[3], room[3])

    def render(
        self,
        counts: Mapping[str, Sequence[int]],
        hands: Sequence[Hand] = (),
        conditions: Conditions = CLEAN,
        n: int = 0,
    ) -> Picture | None:
        """Frame `n` (height x width x 3, BGR): units standing in each facing, hands, light.  None for a dropped one.

        A facing shows at most `rows` units.  Equal arguments give equal bytes, except for a frozen camera, which
        repeats its newest picture.  Raises KeyError, ValueError for counts that do not fit the shelves.
        """
        if conditions.frozen and not conditions.dropped and self._last is not None:
            return self._last.copy()
        scene = self._stocked(counts)
        arms_here = [arm for arm in map(self._arm, hands) if arm is not None]
        if arms_here:
            scene = scene.copy()
        for arm in arms_here:
            paint(scene, arm)
        picture = apply(scene, conditions, self._seed * APART + n)
        self._last = self._last if picture is None else picture
        return None if picture is None else picture.copy()

    def hidden_by(self, hand: Hand) -> Plane:
        """Share of each pixel (height x width) that the hand, its sleeve and what it holds hide, 0..1."""
        shares = np.zeros(self._eye.size[::-1], np.float32)
        arm = self._arm(hand)
        if arm is not None:
            high, wide = arm.keep.shape[:2]
            shares[arm.top : arm.top + high, arm.left : arm.left + wide] = 1 - arm.keep[..., 0]
        return shares

    def _stocked(self, counts: Mapping[str, Sequence[int]]) -> Picture:
        for zone, shelf in self._shelves.items():
            if len(counts[zone]) != shelf.columns:
                raise ValueError(f"{zone} has {shelf.columns} facings, not {len(counts[zone])}")
            fronts = tuple(map(self.front_row, counts[zone]))
            if fronts != self._shown[zone]:
                self._restock(zone, shelf, fronts)
                self._shown[zone] = fronts
        return self._scene

    def _restock(self, zone: str, shelf: Shelf, fronts: Sequence[int]) -> None:
        """The zone's part of the scene anew: from the back, and in a row from the far sides."""
        np.copyto(self._scene, self._empty, where=self._inside[zone][..., None] > 0)
        eye_x = float(self._eye.at[0])
        columns = sorted(range(shelf.columns), key=lambda c: -abs(shelf.centre_m(c, 0, 0.0)[0] - eye_x))
        for row in reversed(range(self.rows)):
            for column in columns:
                unit = self._stock.unit((zone, column, row)) if row >= fronts[column] else None
                if unit is not None:
                    paint(self._scene, unit)

    def _shelf(self, number: int, zone: str) -> Shelf:
        facings = self._facings[zone]
        plan = Shelf(number, len(self._facings), len(facings), self.rows, 0.0)
        cutouts = [self._cutouts[sku] for sku in facings]
        widest = max(plan.unit_m(cutout.tall, cutout.aspect)[0] for cutout in cutouts)
        return Shelf(number, len(self._facings), len(facings), self.rows, row_m(widest, self.rows))

    def _strip(self, shelf: Shelf) -> Points:
        return self._eye.project(opening(shelf.top_m, shelf.floor_m))

    def _beneath(self, shelf: Shelf) -> Points:
        """Where an arm in this shelf is not behind the board above: from that board's edge to the frame's lower end."""
        wide, high = self._eye.size
        if shelf.number == 0:
            return np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float64)
        left, right = self._strip(shelf)[:2]
        slope = (right[1] - left[1]) / (right[0] - left[0])
        edge = [(x, left[1] + slope * (x - left[0])) for x in (0.0, float(wide))]
        return np.array([*edge, (wide, high), (0, high)], np.float64)

    def _mask(self, corners: Points) -> Plane:
        """1 within the corners, fractions at the edges (height x width)."""
        fine = np.zeros((self._eye.size[1] * FINE, self._eye.size[0] * FINE), np.uint8)
        cv2.fillPoly(fine, [np.asarray(np.round(corners * FINE), np.int32)], (255,))
        return np.asarray(cv2.resize(fine, self._eye.size, interpolation=cv2.INTER_AREA) / np.float32(255), np.float32)

    def _arm(self, hand: Hand) -> Sprite | None:
        """Raises KeyError, IndexError for a place that is none."""
        shelf, own = self._shelves[hand.zone], self._stock.cutout((hand.zone, hand.column, 0))
        wide, high = shelf.unit_m(own.tall, own.aspect)
        x, floor, z = shelf.centre_m(hand.column, min(hand.row, self.rows - 1), wide)
        target = (x, floor - GRIP * high, z - 0.02)
        scale = self._eye.pixels_per_metre(target)
        size = float(np.clip((shelf.floor_m - shelf.top_m) / (HIGH_M / 2), SMALLEST, LARGEST))
        held = None if hand.holds is None else self._cutouts[hand.holds]
        held_m = (0.0, 0.0) if held is None else shelf.unit_m(held.tall, held.aspect)
        place = self._eye.project([target])[0]
        pose = Pose(place, scale * arms.PALM_M * size, (scale * held_m[0], scale * held_m[1]))
        arm = arms.drawn(hand, pose, held, self._eye.size)
        return None if arm is None else within(arm, self._open[hand.zone])
