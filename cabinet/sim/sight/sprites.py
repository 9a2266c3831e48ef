"""Pictures with transparency at their place in a frame: warped once, painted many times."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.sim.pictures import Picture

Points = NDArray[np.float64]  # N x 2, pixels
Layer = NDArray[np.float32]  # H x W x 4: BGR times alpha (0..255), alpha (0..1)


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """Lies wholly within the frame it was made for."""

    left: int
    top: int
    colour: NDArray[np.float32]  # H x W x 3, BGR times alpha
    keep: NDArray[np.float32]  # H x W x 1: the share of what is behind, 0..1


def sprite(layer: Layer, left: int, top: int) -> Sprite:
    return Sprite(left, top, np.ascontiguousarray(layer[..., :3]), np.ascontiguousarray(1 - layer[..., 3:]))


def paint(scene: Picture, what: Sprite) -> None:
    """Over the scene (H x W x 3, BGR), in place."""
    high, wide = what.keep.shape[:2]
    place = scene[what.top : what.top + high, what.left : what.left + wide]
    place[:] = place * what.keep + what.colour + np.float32(0.5)


def within(what: Sprite, seen: NDArray[np.float32]) -> Sprite:
    """Only where `seen` (height x width of the frame, 0..1) lets it show."""
    high, wide = what.keep.shape[:2]
    share = seen[what.top : what.top + high, what.left : what.left + wide, None]
    return Sprite(what.left, what.top, what.colour * share, np.asarray(1 - (1 - what.keep) * share, np.float32))


def layer_of(colour: Picture, alpha: NDArray[np.uint8], light: float = 1.0) -> Layer:
    """A cut-out under `light` (1 as it is) as a layer."""
    share = alpha.astype(np.float32)[..., None] / np.float32(255)
    return np.concatenate([np.clip(colour * np.float32(light), 0, 255) * share, share], axis=2)


def bounds(quad: Points, size: tuple[int, int], air: int = 0) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom in whole pixels of a frame of `size` (width, height); None where it lies outside."""
    left, top = (int(side) - air for side in np.floor(quad.min(axis=0)))
    right, bottom = (int(side) + air for side in np.ceil(quad.max(axis=0)))
    box = max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1])
    return box if box[2] > box[0] and box[3] > box[1] else None


def warped(layer: Layer, quad: Points, box: tuple[int, int, int, int]) -> Layer:
    """The layer laid on `quad` (4 x 2: top left, top right, bottom right, bottom left), as `box` shows it."""
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    high, wide = layer.shape[:2]
    size = min(max(round(max(sides[0], sides[2])), 2), wide), min(max(round(max(sides[1], sides[3])), 2), high)
    small = cv2.resize(layer, size, interpolation=cv2.INTER_AREA)  # warping alone would skip pixels
    corners = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32) - np.float32(0.5)
    there = (quad - np.array(box[:2]) - 0.5).astype(np.float32)
    movement = cv2.getPerspectiveTransform(corners, there)
    laid = cv2.warpPerspective(
        small, movement, (box[2] - box[0], box[3] - box[1]), borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0)
    )
    return np.asarray(laid, np.float32)


def over(front: Layer, back: Layer) -> Layer:
    """Both of one size."""
    return front + back * (1 - front[..., 3:])
