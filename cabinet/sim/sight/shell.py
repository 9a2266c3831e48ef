"""The empty cabinet: walls, boards with wires, price rails, a lamp in front.  Drawn once per interior."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.sim.pictures import Picture
from cabinet.sim.sight.room import HIGH_M, RAIL_M, WALL_M, WIDE_M, Eye, Shelf, opening
from cabinet.sim.sight.sprites import Points

Grain = NDArray[np.float32]
SHARP = 2  # drawn so many times as large, then shrunk: edges of boards are what camera health goes by
FRAME_BGR, WALL_BGR, BACK_BGR, FLOOR_BGR = (50, 45, 43), (112, 106, 98), (118, 112, 104), (136, 130, 122)
# anthracite: before white walls `compare` does not see white labels leave
RAIL_BGR, TAG_BGR, INK_BGR = (96, 70, 48), (238, 240, 240), (40, 36, 34)
OUTSIDE_BGR = (74, 84, 92)  # the floor before the cabinet
FRONT_LIGHT, BACK_LIGHT = 1.06, 0.52  # the lamp sits behind the door's frame, and boards shade what is behind
TEXTURE_PX = 400
DUPLEX_PX = 34.0  # height of a tag over that of OpenCV's digits at scale 1, which are 22 pixels high


def empty(eye: Eye, shelves: Sequence[Shelf], dice: np.random.Generator) -> Picture:
    """The whole cabinet without goods, of the eye's size."""
    wide, high = (SHARP * side for side in eye.size)
    slope = np.linspace(0.8, 1.1, high, dtype=np.float32)[:, None, None]
    grain = cv2.GaussianBlur(dice.normal(0, 25, (high, wide)).astype(np.float32), (0, 0), 5)
    scene = np.clip(np.array(OUTSIDE_BGR) * slope + grain[..., None], 0, 255).astype(np.uint8)
    frame = opening(-0.03, HIGH_M + RAIL_M + 0.02) * np.array([1.05, 1, 1])
    cv2.fillPoly(scene, [_whole(eye.project(frame))], FRAME_BGR, cv2.LINE_AA)
    for shelf in shelves:
        _cavity(scene, eye, shelf, dice)
        _rail(scene, eye, shelf, dice)
    return np.asarray(cv2.resize(scene, eye.size, interpolation=cv2.INTER_AREA), np.uint8)


def _cavity(scene: Picture, eye: Eye, shelf: Shelf, dice: np.random.Generator) -> None:
    """What is seen through one shelf's part of the opening."""
    side, top, floor, back = WIDE_M / 2, shelf.top_m, shelf.floor_m, shelf.depth_m
    inside = np.zeros(scene.shape[:2], np.uint8)
    cv2.fillPoly(inside, [_whole(eye.project(opening(top, floor)))], (255,))
    planes = [
        (_panel(BACK_BGR, dice), [(-side, top, back), (side, top, back), (side, floor, back), (-side, floor, back)]),
        (_wall(dice), [(-side, top, back), (-side, top, 0), (-side, floor, 0), (-side, floor, back)]),
        (_wall(dice), [(side, top, back), (side, top, 0), (side, floor, 0), (side, floor, back)]),
        (_board(dice), [(-side, floor, back), (side, floor, back), (side, floor, 0), (-side, floor, 0)]),
    ]
    scene[inside > 0] = tuple(int(x * BACK_LIGHT) for x in BACK_BGR)
    for texture, corners in planes:
        _lay(scene, texture, eye.project(corners), inside)


def floor_map(eye: Eye, shelf: Shelf) -> NDArray[np.float64]:
    """The homography (3 x 3) from a shelf's plane (metres right of its middle, metres into it) to pixels."""
    side, back = WIDE_M / 2, shelf.depth_m
    plane = np.array([(-side, back), (side, back), (side, 0), (-side, 0)], np.float32)
    pixels = eye.project([(x, shelf.floor_m, z) for x, z in plane.tolist()]).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(plane, pixels), np.float64)


def _rail(scene: Picture, eye: Eye, shelf: Shelf, dice: np.random.Generator) -> None:
    """The board's front with a price tag for each facing."""
    cv2.fillPoly(scene, [_whole(eye.project(opening(shelf.floor_m, shelf.floor_m + RAIL_M)))], RAIL_BGR, cv2.LINE_AA)
    top, bottom = shelf.floor_m + 0.15 * RAIL_M, shelf.floor_m + 0.85 * RAIL_M
    for column in range(shelf.columns):
        x = (column + 0.5) * shelf.column_m - WIDE_M / 2 + WALL_M
        half = min(0.024, 0.4 * shelf.column_m)
        corners = eye.project([(x - half, top, 0), (x + half, top, 0), (x + half, bottom, 0), (x - half, bottom, 0)])
        cv2.fillPoly(scene, [_whole(corners)], TAG_BGR, cv2.LINE_AA)
        corners = corners * SHARP
        tall = float(corners[3, 1] - corners[0, 1])
        foot = corners[3] + np.array((0.12 * (corners[2, 0] - corners[3, 0]), -0.2 * tall))
        price = f"{int(dice.integers(1, 5))}.{int(dice.integers(10)) * 10 + 9:02d}"
        at = (round(float(foot[0])), round(float(foot[1])))
        cv2.putText(scene, price, at, cv2.FONT_HERSHEY_DUPLEX, tall / DUPLEX_PX, INK_BGR, 1, cv2.LINE_AA)


def _panel(colour: tuple[int, int, int], dice: np.random.Generator) -> Grain:
    """The back: perforated sheet."""
    panel = np.full((TEXTURE_PX, TEXTURE_PX, 3), colour, np.float32) * np.float32(BACK_LIGHT * 1.15)
    for x in range(20, TEXTURE_PX, 40):
        for y in range(25, TEXTURE_PX, 50):
            cv2.circle(panel, (x, y), 5, (24, 22, 20), -1, cv2.LINE_AA)
    return _grained(panel, dice)


def _wall(dice: np.random.Generator) -> Grain:
    """A side wall, its left edge at the back."""
    light = np.linspace(BACK_LIGHT, 0.9, TEXTURE_PX, dtype=np.float32)[None, :, None]
    wall = np.asarray(np.full((TEXTURE_PX, TEXTURE_PX, 3), WALL_BGR, np.float32) * light, np.float32)
    for x in (90, 210, 330):
        cv2.line(wall, (x, 0), (x, TEXTURE_PX), (44, 42, 40), 4)
    return _grained(wall, dice)


def _board(dice: np.random.Generator) -> Grain:
    """A shelf's floor, its upper edge at the back: sheet with grooves that run into the depth."""
    light = np.linspace(BACK_LIGHT, FRONT_LIGHT, TEXTURE_PX, dtype=np.float32)[:, None, None]
    board = np.asarray(np.full((TEXTURE_PX, TEXTURE_PX, 3), FLOOR_BGR, np.float32) * light, np.float32)
    for x in range(8, TEXTURE_PX, 16):
        board[:, x : x + 3] *= 0.8
        board[:, x + 3 : x + 5] *= 1.06
    return _grained(board, dice)


def _grained(texture: Grain, dice: np.random.Generator) -> Grain:
    grain = cv2.GaussianBlur(dice.normal(0, 22, texture.shape[:2]).astype(np.float32), (0, 0), sigmaX=1.2, sigmaY=6)
    return np.asarray(texture + grain[..., None], np.float32)


def _lay(scene: Picture, texture: Grain, quad: Points, inside: NDArray[np.uint8]) -> None:
    """Texture upon a quad (top left, top right, bottom right, bottom left; pixels of the frame), where it is inside."""
    end = float(TEXTURE_PX)
    corners = np.array([(0, 0), (end, 0), (end, end), (0, end)], np.float32)
    movement = cv2.getPerspectiveTransform(corners, (quad * SHARP).astype(np.float32))
    size = scene.shape[1], scene.shape[0]
    laid = cv2.warpPerspective(
        np.clip(texture, 0, 255).astype(np.uint8), movement, size, borderMode=cv2.BORDER_REPLICATE
    )
    mask = np.zeros(scene.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_whole(quad)], (255,))
    np.copyto(scene, laid, where=((mask & inside) > 0)[..., None])


def _whole(points: Points) -> NDArray[np.int32]:
    return np.asarray(np.round(points * SHARP), np.int32)
