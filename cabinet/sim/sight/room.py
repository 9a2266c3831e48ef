"""The room within a cabinet and the eye that looks into it: metres in, pixels out.

x runs right from the cabinet's middle, y down from its opening's top, z into it from the opening.  A cabinet's
opening fills the frame, however many shelves it has: with more shelves goods and hands shrink.  Change detection sees
places of 0.4 % of a frame, so one camera watches two shelves well, three badly, and four hardly at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cabinet.sim.sight.sprites import Points

Plane = NDArray[np.float32]  # height x width
Viewpoint = Literal["top", "left", "right"]

WIDE_M, HIGH_M = 1.0, 0.66  # of the opening: 16:9 seen from above
WALL_M = 0.035  # between a side wall and the first facing
RAIL_M = 0.022  # a board's front with its price rail
FRONT_M = 0.012  # between the rail and the first unit
TALLEST = 0.78  # of the room between two boards: space for a hand above
WIDEST = 0.86  # of a facing
DEEPEST_M = 0.42  # of a shelf
ROW_GAP = 1.15  # from unit to unit in depth, of the widest unit on the shelf
MARGIN = 0.02  # of the frame, around the opening
EYES: dict[
    Viewpoint, tuple[float, float, float]
] = {  # metres: on the door's frame, beside or above whoever stands there
    "top": (0.0, -0.05, -0.86),
    "left": (-0.38, -0.05, -0.82),
    "right": (0.38, -0.05, -0.82),
}
AIM_M = (0.0, 0.3, 0.15)  # what every eye looks at


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """A pinhole whose picture is cut so that the opening fills a frame of `size` (width, height) pixels."""

    viewpoint: Viewpoint
    size: tuple[int, int]
    at: NDArray[np.float64] = field(init=False)
    _axes: NDArray[np.float64] = field(init=False)  # rows: right, down, forward
    _zoom: float = field(init=False)
    _centre: Points = field(init=False)

    def __post_init__(self) -> None:
        at = np.array(EYES[self.viewpoint])
        forward = np.array(AIM_M) - at
        forward /= np.linalg.norm(forward)
        right = np.cross((0.0, 1.0, 0.0), forward)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(forward, right), forward])
        plain = _pinhole(opening(0.0, HIGH_M + RAIL_M), at, axes)
        least, most = plain.min(axis=0), plain.max(axis=0)
        zoom = float(((1 - 2 * MARGIN) * np.array(self.size) / (most - least)).min())
        centre = np.array(self.size) / 2 - zoom * (least + most) / 2
        for name, value in (("at", at), ("_axes", axes), ("_zoom", zoom), ("_centre", centre)):
            object.__setattr__(self, name, value)

    def project(self, points_m: Sequence[Sequence[float]] | NDArray[np.float64]) -> Points:
        """Pixels (N x 2) of points (N x 3, metres) in front of the eye."""
        return self._zoom * _pinhole(np.asarray(points_m, np.float64), self.at, self._axes) + self._centre

    def pixels_per_metre(self, point_m: Sequence[float]) -> float:
        """Of what stands upright there."""
        x, y, z = point_m
        ends = self.project([(x, y - 0.02, z), (x, y + 0.02, z)])
        return float(np.linalg.norm(ends[1] - ends[0])) / 0.04


def _pinhole(points: NDArray[np.float64], at: NDArray[np.float64], axes: NDArray[np.float64]) -> Points:
    seen = (points - at) @ axes.T
    return np.asarray(seen[:, :2] / seen[:, 2:], np.float64)


def opening(top_m: float, bottom_m: float) -> NDArray[np.float64]:
    """Corners of a strip of the opening: top left, top right, bottom right, bottom left (4 x 3, metres)."""
    side = WIDE_M / 2
    return np.array([(-side, top_m, 0), (side, top_m, 0), (side, bottom_m, 0), (-side, bottom_m, 0)], np.float64)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One zone's shelf.  `rows`: units behind each other."""

    number: int  # from the top, 0 the first
    of: int
    columns: int
    rows: int
    row_m: float

    @property
    def top_m(self) -> float:
        """The lower edge of the board above."""
        return self.number * HIGH_M / self.of + (RAIL_M if self.number else 0.0)

    @property
    def floor_m(self) -> float:
        return (self.number + 1) * HIGH_M / self.of

    @property
    def depth_m(self) -> float:
        return FRONT_M + self.rows * self.row_m + 0.03

    @property
    def column_m(self) -> float:
        return (WIDE_M - 2 * WALL_M) / self.columns

    def unit_m(self, tall: float, aspect: float) -> tuple[float, float]:
        """Width and height of a product, which is shrunk where its facing is too narrow."""
        high = TALLEST * tall * (self.floor_m - self.top_m)
        shrink = min(1.0, WIDEST * self.column_m / (high * aspect))
        return high * aspect * shrink, high * shrink

    def centre_m(self, column: int, row: int, wide_m: float) -> tuple[float, float, float]:
        """Where the foot of a unit's front stands; row 0 is the front."""
        x = (column + 0.5) * self.column_m - WIDE_M / 2 + WALL_M
        return x, self.floor_m, FRONT_M + 0.35 * wide_m + row * self.row_m


def row_m(widest_m: float, rows: int) -> float:
    """Depth of one unit's place, as deep as the widest unit wants and the cabinet allows."""
    return min(ROW_GAP * widest_m, DEEPEST_M / rows)
