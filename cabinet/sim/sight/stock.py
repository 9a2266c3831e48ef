"""Units on shelves: where each one's front shows in the frame, and its picture there.  Kept once drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from cabinet.sim.sight.products import Cutout
from cabinet.sim.sight.room import Eye, Plane, Shelf
from cabinet.sim.sight.sprites import Points, Sprite, bounds, layer_of, over, sprite, warped, within

TURNED = 0.6  # of the angle to the eye: a round product shows the same front to every eye, a carton does not
SHADE_ROW, SHADE_MOST = 0.09, 0.42  # light lost from row to row, and at most: boards shade the back
JITTER, JITTER_DEG, JITTER_LIGHT = (
    0.05,
    7.0,
    0.05,
)  # of a facing's spare width, degrees, of light: nobody stocks exactly
SHADOW = 0.5  # of the light, where a unit touches the board
SHADOW_PX, SHADOW_HIGH = 2.5, 0.05  # sigma; height beside the unit's
AIR_PX = 6  # around a unit: its shadow is softer than its edge

Place = tuple[str, int, int]  # zone, column from the left, row from the front


@dataclass(frozen=True, slots=True)
class Stock:
    """What may stand where.  `inside`: of each zone, 1 where it is seen (height x width)."""

    eye: Eye
    shelves: Mapping[str, Shelf]
    facings: Mapping[str, tuple[str, ...]]
    cutouts: Mapping[str, Cutout]
    inside: Mapping[str, Plane]
    seed: int
    _sprites: dict[Place, Sprite | None] = field(default_factory=dict)

    def unit(self, place: Place) -> Sprite | None:
        """None where the place lies outside the frame."""
        if place not in self._sprites:
            self._sprites[place] = self._drawn(place)
        return self._sprites[place]

    def cutout(self, place: Place) -> Cutout:
        return self.cutouts[self.facings[place[0]][place[1]]]

    def quad(self, place: Place) -> Points:
        """The unit's front: top left, top right, bottom right, bottom left (4 x 2, pixels)."""
        shelf, cutout = self.shelves[place[0]], self.cutout(place)
        wide, high = shelf.unit_m(cutout.tall, cutout.aspect)
        aside, turned = self._dice(place).uniform(-1, 1, 2)
        x, y, z = shelf.centre_m(place[1], place[2], wide)
        x += aside * JITTER * (shelf.column_m - wide)
        angle = TURNED * np.arctan2(x - self.eye.at[0], z - self.eye.at[2]) + np.deg2rad(JITTER_DEG) * turned
        dx, dz = 0.5 * wide * np.cos(angle), -0.5 * wide * np.sin(angle)
        feet = (x - dx, z - dz), (x + dx, z + dz)
        heads = [(foot[0], y - high, foot[1]) for foot in feet]
        return self.eye.project([*heads, (feet[1][0], y, feet[1][1]), (feet[0][0], y, feet[0][1])])

    def _dice(self, place: Place) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.shelves[place[0]].number, place[1], place[2]))

    def _drawn(self, place: Place) -> Sprite | None:
        quad = self.quad(place)
        box = bounds(quad, self.eye.size, air=AIR_PX)
        if box is None:
            return None
        light = 1 - min(SHADE_ROW * place[2], SHADE_MOST)
        light *= 1 + JITTER_LIGHT * float(self._dice(place).uniform(-1, 1, 3)[2])
        cutout = self.cutout(place)
        front = warped(layer_of(cutout.colour, cutout.alpha, light), quad, box)
        shadow = np.zeros_like(front)
        feet = quad[2:] - np.array(box[:2])
        ring = np.concatenate([feet, feet - (quad[2:] - quad[1::-1]) * SHADOW_HIGH])
        cv2.fillConvexPoly(shadow, cv2.convexHull(np.asarray(np.round(ring), np.int32)), (0, 0, 0, SHADOW))
        layer = over(front, np.asarray(cv2.GaussianBlur(shadow, (0, 0), SHADOW_PX), np.float32))
        return within(sprite(layer, box[0], box[1]), self.inside[place[0]])
