"""Codes in a frame, read by two libraries; a stranger's text is never trusted."""

import builtins
import io
from typing import Any

import cv2
import numpy as np
import pytest
import segno
from numpy.typing import NDArray

from cabinet.adapters.codes import MAX_TEXT, CodeReader
from cabinet.ports import PortError

Pixels = NDArray[np.uint8]
OURS = "CAB1:" + "ABCDEFGH234567" + "A" * 12


def qr(content: str | bytes, scale: int = 4) -> Pixels:
    png = io.BytesIO()
    segno.make_qr(content).save(png, kind="png", scale=scale, border=4)
    return np.asarray(cv2.imdecode(np.frombuffer(png.getvalue(), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def frame(*codes: Pixels, turn: float = 0.0) -> Pixels:
    """A noisy 640 x 480 frame with the codes side by side, perhaps tilted."""
    picture = np.full((480, 640, 3), 130, np.uint8)
    left = 40
    for code in codes:
        high, wide = code.shape[:2]
        picture[120 : 120 + high, left : left + wide] = code
        left += wide + 20
    tilt = cv2.getRotationMatrix2D((140, 220), turn, 1.0)
    tilted = cv2.warpAffine(picture, tilt, (640, 480), borderValue=(130, 130, 130)).astype(np.float32)
    noisy = tilted + np.random.default_rng(3).normal(0, 6, tilted.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reader() -> CodeReader:
    return CodeReader()


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As if these packages, or the system libraries they load, were not there."""
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] in names:
            raise ImportError(f"Unable to find {name} shared library")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)


def test_a_members_code_is_read(reader: CodeReader) -> None:
    assert reader.read(frame(qr(OURS))) == [OURS]


@pytest.mark.parametrize("turn", [-30, 12, 45, 90])
def test_a_tilted_code_is_read(reader: CodeReader, turn: float) -> None:
    assert reader.read(frame(qr(OURS), turn=turn)) == [OURS]


def test_a_small_code_is_read_at_full_size(reader: CodeReader) -> None:
    assert reader.read(frame(qr(OURS, scale=2))) == [OURS]


def test_a_code_shown_twice_is_one_text(reader: CodeReader) -> None:
    assert reader.read(frame(qr(OURS), qr(OURS))) == [OURS]


def test_a_frame_without_codes_is_empty(reader: CodeReader) -> None:
    assert reader.read(frame()) == []


def test_bytes_that_are_no_text_are_dropped_and_counted() -> None:
    reader = CodeReader()
    assert reader.read(frame(qr(b"\xff\xfe\x80\xc3\x28\x00\x9f"))) == []
    assert reader.counters.garbage >= 1


def test_a_text_that_is_too_long_is_dropped_and_counted() -> None:
    reader = CodeReader()
    assert reader.read(frame(qr("A" * (MAX_TEXT + 1), scale=3))) == []
    assert reader.counters.garbage >= 1


def test_control_characters_are_dropped_and_counted() -> None:
    reader = CodeReader()
    assert reader.read(frame(qr("CAB1:\x1b[2J"))) == []
    assert reader.counters.garbage >= 1


def test_an_array_that_is_no_picture_is_an_error(reader: CodeReader) -> None:
    with pytest.raises(PortError, match="no picture"):
        reader.read(np.zeros((480, 640), np.uint8))


def test_without_libzbar_the_other_reader_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "pyzbar")
    reader = CodeReader()
    assert reader.read(frame(qr(OURS))) == [OURS]
    assert "libzbar0" in str(reader.trouble())


def test_without_zxing_the_other_reader_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "zxingcpp")
    reader = CodeReader()
    assert reader.read(frame(qr(OURS))) == [OURS]
    assert "zxing" in str(reader.trouble())


def test_without_either_library_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "pyzbar", "zxingcpp")
    with pytest.raises(PortError, match="apt-get install libzbar0"):
        CodeReader()


def test_with_both_libraries_there_is_no_trouble(reader: CodeReader) -> None:
    assert reader.trouble() is None
