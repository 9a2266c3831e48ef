"""Real faces on real pictures: found, blurred beyond being found again; and nothing is handed out unlooked at."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cabinet.control.blurring import Blurring
from cabinet.sim import pictures


def shelf() -> bytes:
    return pictures.jpeg(np.random.default_rng(3).integers(60, 90, (240, 320, 3)).astype(np.uint8))


def test_a_face_is_blurred_so_that_it_is_not_found_again(shared_data: Path) -> None:
    jpeg = next((shared_data / "faces/azure_family/Family1-Dad").glob("*.jpg")).read_bytes()
    blurring = Blurring()
    found = blurring(jpeg)
    assert found is not None
    blurred, faces = found
    assert faces >= 1
    again = blurring(blurred)
    assert again is not None
    assert again[1] == 0
    before, after = (cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in (jpeg, blurred))
    assert before is not None
    assert after is not None
    assert after.shape == before.shape


def test_a_picture_without_a_face_is_the_same_bytes() -> None:
    assert Blurring()(shelf()) == (shelf(), 0)


@pytest.mark.parametrize("jpeg", [b"", b"no picture", shelf()[:60]], ids=["empty", "text", "cut"])
def test_what_cannot_be_looked_at_is_not_handed_out(jpeg: bytes) -> None:
    assert Blurring()(jpeg) is None


def test_without_a_face_finder_no_still_is_handed_out_and_it_is_said_why(tmp_path: Path) -> None:
    blurring = Blurring(tmp_path / "no-model")
    assert blurring(shelf()) is None
    assert "no-model" in blurring.trouble
