"""A phone with a signed token before the front camera, drawn as the camera might see it.  Photographs of real phones
would say more; there are none here.
"""

import hashlib

import cv2
import numpy as np
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from cabinet.adapters.codes import CodeReader
from cabinet.identity.token import cabinet_hash, sign
from cabinet.units import MemberId

Pixels = NDArray[np.uint8]
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"ann").digest())
TOKEN = sign(KEY, (cabinet_hash("c1"), bytes(range(12))), MemberId("01JD0000000000000000000ANN"), 500).text
SIZES = [(640, 480, 160), (1280, 720, 200)]  # of the frame; width of the code in it with its border, in pixels
FINE = 3  # the scene is drawn so much finer than the camera sees it


@pytest.fixture(scope="module")
def reader() -> CodeReader:
    return CodeReader()


def phone() -> Pixels:
    """A bright screen in a dark frame, 1080 x 2000, the code on 1000 of it."""
    code = segno.make_qr(TOKEN, error="l", boost_error=False)
    rows = np.array([[0 if dark else 255 for dark in row] for row in code.matrix_iter(border=4)], np.uint8)
    drawn = cv2.resize(rows, (1000, 1000), interpolation=cv2.INTER_NEAREST)
    screen = np.pad(drawn, ((500, 500), (40, 40)), constant_values=240)
    return np.pad(screen, 60, constant_values=20).astype(np.uint8)


def turned(across: float, up: float, around: float) -> NDArray[np.float64]:
    a, b, c = np.deg2rad([up, across, around])
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    turn: NDArray[np.float64] = z @ y @ x
    return turn


def seen(
    size: tuple[int, int, int],
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    blur_px: float = 0.0,
    light: float = 1.0,
    noise: float = 4.0,
) -> Pixels:
    """The phone held up in that turn (degrees to the side, up, around), as a JPEG of the camera."""
    width, height, code_px = size
    body = phone()
    high, wide = body.shape
    corners = np.array([[-wide, -high, 0], [wide, -high, 0], [wide, high, 0], [-wide, high, 0]]) / 2 * code_px / 1000
    x, y, z = (corners @ turned(*turn).T).T
    at = np.stack([width / 2 + width * x / (width + z), height / 2 + width * y / (width + z)], axis=1) * FINE
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    project = cv2.getPerspectiveTransform(source, at.astype(np.float32))
    fine = cv2.warpPerspective(body, project, (width * FINE, height * FINE), borderValue=(110,))
    frame = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) * light + 18
    if blur_px:
        frame = cv2.GaussianBlur(frame, (0, 0), blur_px).astype(np.float32)
    noisy = np.clip(frame + np.random.default_rng(3).normal(0, noise, frame.shape), 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "turn", [(0, 0, 0), (35, 0, 0), (0, 40, 0), (0, 0, 20), (0, 0, 45), (20, 30, 15)], ids="{0[0]} {0[1]} {0[2]}".format
)
def test_a_token_is_read_from_a_phone_held_askew(
    reader: CodeReader, size: tuple[int, int, int], turn: tuple[float, float, float]
) -> None:
    assert reader.read(seen(size, turn)) == [TOKEN]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "bad", [{"blur_px": 1.2}, {"light": 0.25, "noise": 6.0}, {"noise": 14.0}, {"light": 1.5}], ids=str
)
def test_a_token_is_read_blurred_dim_noisy_and_too_bright(
    reader: CodeReader, size: tuple[int, int, int], bad: dict[str, float]
) -> None:
    assert reader.read(seen(size, **bad)) == [TOKEN]  # type: ignore[arg-type]  # the names are those of `seen`


def test_what_cannot_be_read_is_no_other_text(reader: CodeReader) -> None:
    """49 modules on 100 pixels, and out of focus."""
    assert reader.read(seen((640, 480, 100), blur_px=2.5)) == []
