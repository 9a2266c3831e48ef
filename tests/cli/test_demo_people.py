"""The people of the demonstration, as its front camera sees them."""

import numpy as np
import pytest

from cabinet.cli.demo.people import standing
from cabinet.sim.pictures import HEIGHT, WIDTH, Picture


def photograph(high: int, wide: int) -> Picture:
    """Dark to the left, light to the right, light below."""
    rows, columns = np.mgrid[0:high, 0:wide]
    return np.asarray(np.stack([rows * 200 // high, columns * 200 // wide, rows * 0 + 30], axis=2), np.uint8)


@pytest.mark.parametrize("shape", [(208, 139), (300, 900), (480, 640), (37, 41), (2000, 1500)])
def test_a_photograph_of_any_shape_fills_the_frame(shape: tuple[int, int]) -> None:
    seen = standing(photograph(*shape))
    assert (seen.shape, seen.dtype) == ((HEIGHT, WIDTH, 3), np.dtype(np.uint8))


@pytest.mark.parametrize("shape", [(208, 139), (300, 900)])
def test_no_border_of_it_is_to_be_seen(shape: tuple[int, int]) -> None:
    seen = standing(photograph(*shape)).astype(int)
    steps = max(int(np.abs(np.diff(seen, axis=axis)).max()) for axis in (0, 1))
    assert steps <= 6


def test_a_frame_is_shown_as_it_is() -> None:
    frame = photograph(HEIGHT, WIDTH)
    inside = slice(20, -20)
    assert np.abs(standing(frame)[inside, inside].astype(int) - frame[inside, inside]).max() <= 1
