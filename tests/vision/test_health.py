"""A camera that sees nothing says so."""

import cv2
import numpy as np
import pytest

from cabinet.vision.health import FROZEN_AFTER, Freezing, complaint
from tests.vision.shelves import FULL, photograph, render

SHELF = photograph(render(FULL))


def test_a_shelf_in_good_light_is_no_complaint() -> None:
    assert complaint(SHELF) is None


def test_an_empty_shelf_is_no_complaint() -> None:
    assert complaint(photograph(render([]))) is None


@pytest.mark.parametrize(
    ("picture", "what"),
    [
        ((SHELF * 0.04).astype(np.uint8), "dark"),
        (np.clip(SHELF.astype(np.float32) * 4 + 150, 0, 255).astype(np.uint8), "overexposed"),
        (np.asarray(cv2.GaussianBlur(SHELF, (0, 0), 120) // 3 + 60, np.uint8), "covered"),
    ],
)
def test_what_is_wrong_is_named(picture: "np.typing.NDArray[np.uint8]", what: str) -> None:
    assert complaint(picture) == what


def test_a_picture_that_repeats_itself_is_frozen() -> None:
    freezing = Freezing()
    assert [freezing.update(SHELF) for _ in range(FROZEN_AFTER + 1)][-1] == "frozen"


def test_a_noisy_still_life_is_not_frozen() -> None:
    freezing = Freezing()
    assert not any(freezing.update(photograph(render(FULL), seed=n)) for n in range(FROZEN_AFTER + 5))
