"""What the front camera sees: a lobby, and whoever or whatever comes near: a face's photograph, a phone with a code."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.sim.pictures import HEIGHT, WIDTH, Picture, before_camera, lobby
from cabinet.sim.sight.conditions import CLEAN, Conditions, apply
from cabinet.sim.sight.sprites import Points, bounds, layer_of, paint, sprite, warped

EYE_WIDTHS = 2.2  # from the camera to who stands at it, in widths of the picture: how strongly a turn foreshortens
FAREST = 0.05  # of full size: smaller is nobody
PHONE_PX = (300, 560)  # width, height: 75 x 140 mm
BEZEL_PX, QUIET_PX = 14, 26  # around the screen; around the code: four modules of a usual one
PHONE_BGR, SCREEN_BGR = (30, 28, 28), (248, 248, 248)


class Front:
    """One camera of `size` (width, height) pixels."""

    def __init__(self, size: tuple[int, int] = (640, 360), seed: int = 0) -> None:
        self._size, self._seed = size, seed
        self._scale = min(size[0] / WIDTH, size[1] / HEIGHT)
        self._lobby = _filling(lobby(seed), size)
        self._shown: tuple[Picture, Picture, NDArray[np.uint8]] | None = None  # as given, as before a camera, where
        self._last: Picture | None = None

    def render(
        self,
        shown: Picture | None = None,
        *,
        near: float = 1.0,
        turn: float = 0.0,
        conditions: Conditions = CLEAN,
        n: int = 0,
    ) -> Picture | None:
        """Frame `n` (height x width x 3, BGR) with `shown` (any size, BGR) at `near` (0 nobody, 1 as large as fits).

        `turn`: degrees about the upright axis, + its right side away from the camera, less than 80 either way.
        None for a dropped frame; a frozen camera repeats its newest one.
        """
        if conditions.frozen and not conditions.dropped and self._last is not None:
            return self._last.copy()
        scene = self._lobby.copy()
        if shown is not None and near >= FAREST:
            self._place(scene, shown, near, turn)
        picture = apply(scene, conditions, self._seed + n)
        self._last = self._last if picture is None else picture
        return None if picture is None else picture.copy()

    def _place(self, scene: Picture, shown: Picture, near: float, turn: float) -> None:
        if self._shown is None or self._shown[0] is not shown:
            white = before_camera(np.full_like(shown, 255), self._seed)
            where = np.asarray(np.all(white == 255, axis=2) * np.uint8(255), np.uint8)  # no lobby is as bright
            self._shown = shown, before_camera(shown, self._seed), where
        _, whole, where = self._shown
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        high, wide = (near * self._scale * side for side in where[part].shape)
        quad = _turned(wide, high, turn) + np.array(self._size) / 2
        box = bounds(quad, self._size, air=1)
        if box is not None:
            paint(scene, sprite(warped(layer_of(whole[part], where[part]), quad, box), box[0], box[1]))


def phone(code: Picture) -> Picture:
    """A phone (PHONE_PX, H x W x 3, BGR) that shows a code (BGR, of any size) on a white screen."""
    wide, high = PHONE_PX
    body = np.full((high, wide, 3), PHONE_BGR, np.uint8)
    cv2.rectangle(body, (BEZEL_PX, 3 * BEZEL_PX), (wide - BEZEL_PX, high - 3 * BEZEL_PX), SCREEN_BGR, -1)
    side = wide - 2 * (BEZEL_PX + QUIET_PX)
    scale = side / max(code.shape[:2])
    fitted = cv2.resize(
        code, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    )
    top, left = (high - fitted.shape[0]) // 2, (wide - fitted.shape[1]) // 2
    body[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return body


def _turned(wide: float, high: float, degrees: float) -> Points:
    """Corners about the middle: top left, top right, bottom right, bottom left (4 x 2)."""
    angle, away = np.deg2rad(degrees), EYE_WIDTHS * wide
    corners = []
    for side, up in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        nearer = away / (away + side * wide / 2 * np.sin(angle))
        corners.append((side * wide / 2 * np.cos(angle) * nearer, up * high / 2 * nearer))
    return np.array(corners, np.float64)


def _filling(scene: Picture, size: tuple[int, int]) -> Picture:
    """The middle of the scene, as large as the frame and not stretched."""
    scale = max(size[0] / scene.shape[1], size[1] / scene.shape[0])
    large = cv2.resize(scene, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    top, left = (large.shape[0] - size[1]) // 2, (large.shape[1] - size[0]) // 2
    return np.ascontiguousarray(large[top : top + size[1], left : left + size[0]], dtype=np.uint8)
