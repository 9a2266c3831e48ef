"""The bench's cameras: a real server in a process of its own."""

import base64
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cabinet.sim.streams import CameraStreams

TIMEOUT_S = 60.0


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CameraStreams]:
    with CameraStreams(tmp_path_factory.mktemp("s"), fps=20, width=160, height=120) as server:
        yield server


def encoded(level: int) -> str:
    ok, jpeg = cv2.imencode(".png", np.full((120, 160, 3), level, np.uint8))
    assert ok
    return base64.b64encode(jpeg.tobytes()).decode()


def visit(url: str) -> Any:
    return urllib.request.urlopen(url, timeout=TIMEOUT_S)  # noqa: S310  our own server's address


def first_frame(streams: CameraStreams, name: str) -> bytes:
    """The body of the first part."""
    with visit(streams.url(name)) as answer:
        assert answer.headers["Content-Type"].startswith("multipart/x-mixed-replace")
        head = {}
        answer.readline()
        while line := answer.readline().strip():
            key, _, value = line.decode().partition(": ")
            head[key] = value
        return bytes(answer.read(int(head["Content-Length"])))


def level(frame: bytes) -> float:
    picture = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return float(picture.mean())


def test_a_new_camera_shows_grey(streams: CameraStreams) -> None:
    assert level(first_frame(streams, "new")) == pytest.approx(96, abs=2)


def test_a_picture_file_is_shown(streams: CameraStreams, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "p.png"), np.full((120, 160, 3), 200, np.uint8))
    streams.control({"camera": "file", "show": str(tmp_path / "p.png")})
    assert level(first_frame(streams, "file")) == pytest.approx(200, abs=2)


def test_a_picture_sent_along_is_shown(streams: CameraStreams) -> None:
    streams.control({"camera": "sent", "show_jpeg_b64": encoded(30)})
    assert level(first_frame(streams, "sent")) == pytest.approx(30, abs=2)


def test_cameras_show_different_pictures(streams: CameraStreams) -> None:
    streams.control({"camera": "one", "show_jpeg_b64": encoded(30)})
    streams.control({"camera": "two", "show_jpeg_b64": encoded(220)})
    assert [round(level(first_frame(streams, name)), -1) for name in ("one", "two")] == [30, 220]


def test_a_dropped_camera_refuses_until_it_is_told_otherwise(streams: CameraStreams) -> None:
    streams.control({"camera": "lost", "drop": True})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        first_frame(streams, "lost")
    refusal.value.close()
    streams.control({"camera": "lost", "drop": False})
    assert first_frame(streams, "lost")


def test_garbage_is_no_picture(streams: CameraStreams) -> None:
    streams.control({"camera": "broken", "garbage": True})
    assert cv2.imdecode(np.frombuffer(first_frame(streams, "broken"), np.uint8), cv2.IMREAD_COLOR) is None


def test_a_stalled_camera_sends_nothing(streams: CameraStreams) -> None:
    streams.control({"camera": "slow", "stall": True})
    address = urllib.parse.urlsplit(streams.url("slow"))
    with socket.create_connection((address.hostname, address.port), TIMEOUT_S) as line, line.makefile("rb") as answer:
        line.sendall(f"GET {address.path} HTTP/1.0\r\n\r\n".encode())
        while answer.readline().strip():
            pass  # it answers
        line.settimeout(0.5)
        with pytest.raises(TimeoutError):
            answer.read(1)
    streams.control({"camera": "slow", "stall": False})


@pytest.mark.parametrize(
    "order",
    [
        {"camera": "x", "show": "/no/such/file.jpg"},
        {"camera": "x", "show_jpeg_b64": "bm8gcGljdHVyZQ=="},
        {"camera": "x", "dance": True},
        {"show": "/no/camera"},
    ],
)
def test_an_order_that_cannot_be_followed_is_refused(streams: CameraStreams, order: dict[str, object]) -> None:
    with pytest.raises(RuntimeError, match="refused"):
        streams.control(order)


def test_a_server_that_was_stopped_answers_no_more_and_can_be_started_again(tmp_path: Path) -> None:
    server = CameraStreams(tmp_path, width=160, height=120).start()
    url = server.url("front")
    server.stop()
    with pytest.raises(urllib.error.URLError):
        visit(url)
    with server:
        assert first_frame(server, "front")


def test_an_unknown_page_is_not_found(streams: CameraStreams) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        visit(streams.url("x").replace("x.mjpg", "etc/passwd"))
    refusal.value.close()
    assert refusal.value.code == 404
