"""A wall of two shelves with corner marks, as a tilted camera with noise, blur, JPEG and uneven light shows it."""

from collections.abc import Collection

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.units import ZoneId
from cabinet.vision.calibration import Corners

Pixels = NDArray[np.uint8]
S1, S2 = ZoneId("s1"), ZoneId("s2")
CHANNELS = {S1: 0, S2: 1}
WALL = 1200, 900  # units of the drawn wall
SHELVES = {S1: (100, 60, 1100, 420), S2: (100, 480, 1100, 840)}  # left, top, right, bottom: the marks' outer corners
SIDE = 72  # of a mark, in units of the wall: some 18 to 28 pixels of a 640 pixel picture
_KIND = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)


def wall(without: Collection[int] = (), marks: bool = True) -> Pixels:  # noqa: FBT001, FBT002  a drawing's switch
    """Wood, two shelves, and their marks except some."""
    dice = np.random.default_rng(3)
    grain = cv2.GaussianBlur(dice.normal(0, 60, WALL[::-1]).astype(np.float32), (0, 0), sigmaX=25, sigmaY=1.5)
    shown = np.clip(np.array((90, 125, 165), np.float32) + np.asarray(grain)[..., None], 0, 255).astype(np.uint8)
    cv2.rectangle(shown, (60, 440), (1140, 460), (60, 80, 100), -1)
    if marks:
        for zone, (left, top, right, bottom) in SHELVES.items():
            at = ((left, top), (right - SIDE, top), (right - SIDE, bottom - SIDE), (left, bottom - SIDE))
            for k, place in enumerate(at):
                if 4 * CHANNELS[zone] + k not in without:
                    put(shown, 4 * CHANNELS[zone] + k, place)
    return shown


def put(shown: Pixels, number: int, at: tuple[int, int]) -> None:
    (left, top), white = at, 10
    cv2.rectangle(shown, (left - white, top - white), (left + SIDE + white, top + SIDE + white), (245, 245, 245), -1)
    shown[top : top + SIDE, left : left + SIDE] = cv2.aruco.generateImageMarker(_KIND, number, SIDE)[..., None]


def view(tilt: float = 0.0, turn: float = 0.0, width: int = 640) -> NDArray[np.float64]:
    """How a camera at some distance, tilted and turned by degrees, maps the wall to a width x 3/4 width picture."""
    across, down = np.radians(turn), np.radians(tilt)
    turned = np.array([[np.cos(across), 0, np.sin(across)], [0, 1, 0], [-np.sin(across), 0, np.cos(across)]])
    tilted = np.array([[1, 0, 0], [0, np.cos(down), -np.sin(down)], [0, np.sin(down), np.cos(down)]])
    spin = tilted @ turned
    focal = 0.8 * width
    lens = np.array([[focal, 0, width / 2], [0, focal, width * 3 / 8], [0, 0, 1]])
    to_middle = np.array([[1, 0, -WALL[0] / 2], [0, 1, -WALL[1] / 2], [0, 0, 1]])
    plane = np.stack([spin[:, 0], spin[:, 1], np.array([0, 0, 1500.0])], axis=1)
    return np.asarray(lens @ plane @ to_middle, np.float64)


def seen(
    shown: Pixels,
    movement: NDArray[np.float64],
    *,
    width: int = 640,
    noise: float = 4.0,
    blur: float = 0.7,
    quality: int = 80,
    light: float = 1.0,
    seed: int = 7,
) -> Pixels:
    """Through the lens: the left is darker than the right by half, and everything `light` times as bright."""
    size = width, width * 3 // 4
    flat = cv2.warpPerspective(shown, movement, size, flags=cv2.INTER_AREA, borderValue=(70, 70, 70)).astype(np.float32)
    flat = np.asarray(cv2.GaussianBlur(flat, (0, 0), blur), np.float32)
    flat *= light * np.linspace(0.6, 1.15, width, dtype=np.float32)[None, :, None]
    flat += np.random.default_rng(seed).normal(0, noise, flat.shape).astype(np.float32)
    _, jpeg = cv2.imencode(".jpg", np.clip(flat, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.uint8)


def truth(zone: ZoneId, movement: NDArray[np.float64]) -> NDArray[np.float64]:
    left, top, right, bottom = SHELVES[zone]
    corners = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]], np.float64) - 0.5
    return np.asarray(cv2.perspectiveTransform(corners, movement)[0], np.float64)


def off(polygon: Corners | None, zone: ZoneId, movement: NDArray[np.float64]) -> float:
    """Pixels of the worst corner."""
    assert polygon is not None
    return float(np.linalg.norm(np.asarray(polygon) - truth(zone, movement), axis=1).max())


def goods(shown: Pixels, zone: ZoneId, gap: int = 12) -> Pixels:
    """The shelf filled from edge to edge with cartons of many colours, which throw a shadow."""
    filled, dice = shown.copy(), np.random.default_rng(11)
    left, top, right, bottom = SHELVES[zone]
    shadow = filled[bottom : bottom + 18, left:right].astype(np.float32) * 0.75
    filled[bottom : bottom + 18, left:right] = shadow.astype(np.uint8)
    across = (right - left) // 10
    for k in range(10):
        at = left + k * across
        colour = tuple(int(c) for c in dice.integers(20, 255, 3))
        cv2.rectangle(filled, (at + gap // 2, top), (at + across - gap // 2, bottom), colour, -1)
        label = tuple(int(c) for c in dice.integers(20, 255, 3))
        cv2.rectangle(filled, (at + 20, top + 90), (at + across - 20, top + 200), label, -1)
    filled[top : top + 4, left : left + across] = (30, 30, 200)
    return filled
