"""One photograph of a person that every machine has, and what is done to it."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def astronaut() -> Pixels:
    """NASA's portrait of Eileen Collins, public domain, as scikit-image ships it: 512 x 512, the face at (225, 110)."""
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        pytest.skip("scikit-image, which ships the portrait, is not installed")
    return read(Path(package.origin).parent / "data" / "astronaut.png")


def read(path: Path) -> Pixels:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def beside(left: Pixels, right: Pixels) -> Pixels:
    height = max(left.shape[0], right.shape[0])
    both = [cv2.copyMakeBorder(p, 0, height - p.shape[0], 0, 0, cv2.BORDER_REPLICATE) for p in (left, right)]
    return np.asarray(np.hstack(both), np.uint8)


def placed(person: Pixels, factor: float, x: int, y: int, width: int = 1280, height: int = 720) -> Pixels:
    """A frame of a grey room with the person in it."""
    frame = np.full((height, width, 3), 110, np.uint8)
    small = cv2.resize(person, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    part = small[: height - y, : width - x]
    frame[y : y + part.shape[0], x : x + part.shape[1]] = part
    return frame
