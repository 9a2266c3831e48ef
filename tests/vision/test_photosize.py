"""A photograph's size is known from its head alone."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.vision.photosize import PNG, declared_size


def photo(kind: str, width: int = 321, height: int = 123) -> bytes:
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return bytes(cv2.imencode(kind, picture)[1])


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_photograph_tells_its_size(kind: str) -> None:
    assert declared_size(photo(kind)) == (321, 123)


def test_a_progressive_jpeg_tells_its_size() -> None:
    picture = np.zeros((123, 321, 3), np.uint8)
    assert declared_size(bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1])) == (321, 123)


def test_the_size_is_known_without_what_follows_the_head() -> None:
    assert declared_size(PNG + struct.pack(">I4sII", 13, b"IHDR", 90_000, 70_000)) == (90_000, 70_000)


def test_a_long_comment_before_the_size_is_passed_over() -> None:
    jpeg = photo(".jpg")
    comment = b"\xff\xfe" + struct.pack(">H", 4002) + b"\xff\xc0" * 2000
    assert declared_size(jpeg[:2] + comment + jpeg[2:]) == (321, 123)


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_head_that_is_cut_short_tells_nothing(kind: str) -> None:
    assert declared_size(photo(kind)[:15]) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a\x01\x00", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xda\x00\x02",
     PNG + struct.pack(">I4sII", 13, b"IDAT", 5, 5), PNG + struct.pack(">I4sII", 13, b"IHDR", 0, 5)],
)  # fmt: skip
def test_what_is_no_photograph_tells_nothing(data: bytes) -> None:
    assert declared_size(data) is None


@given(st.binary(max_size=300))
def test_no_bytes_after_a_jpegs_start_are_a_fault(data: bytes) -> None:
    size = declared_size(b"\xff\xd8" + data)
    assert size is None or min(size) > 0
