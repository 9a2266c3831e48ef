"""One camera: frames while it works, and what it says while it does not.  Streams are real, over loopback."""

import socket
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.adapters.camera import IDLE_FPS, Camera, fitted, open_source
from cabinet.ports import Frame, PortError
from cabinet.sim.streams import CameraStreams
from cabinet.units import CameraId

Pixels = NDArray[np.uint8]
FRONT = CameraId("front")
SOON_S = 60.0  # the bound of every wait: a busy machine, not the usual time
SIZE = 320, 240
BLUE, RED = (200, 40, 30), (30, 40, 200)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = SIZE) -> Pixels:
    return np.full((size[1], size[0], 3), colour, np.uint8)


def shows(frame: Frame | None, colour: tuple[int, int, int]) -> bool:
    if frame is None:
        return False
    middle = frame.picture[100:140, 140:180].reshape(-1, 3).mean(axis=0)
    return bool(np.abs(middle - np.array(colour)).max() < 12)


def wait_for(true: Callable[[], bool], camera: Camera) -> bool:
    """Looks again at every frame of the camera, and 20 times a second where there are none."""
    until_s = time.monotonic() + SOON_S
    while not true():
        if time.monotonic() > until_s:
            return False
        camera.wait(time.monotonic(), 0.05)
    return True


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CameraStreams]:
    with CameraStreams(tmp_path_factory.mktemp("s"), fps=20, width=SIZE[0], height=SIZE[1]) as server:
        yield server


@pytest.fixture
def stream(streams: CameraStreams, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Orders for a camera that is this test's own."""
    name = request.node.name.partition("[")[0]
    return lambda **order: streams.control({"camera": name, **order})


@pytest.fixture
def front(streams: CameraStreams, stream: Callable[..., None], request: pytest.FixtureRequest) -> Iterator[Camera]:
    stream(stall=False)
    name = request.node.name.partition("[")[0]
    camera = Camera(FRONT, streams.url(name), width=SIZE[0], height=SIZE[1], fps=20, read_timeout_s=0.6)
    camera.start()
    yield camera
    camera.stop()


def film(path: Path, frames: int = 12) -> Path:
    """A recording that turns from blue to red in the middle."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, SIZE)
    for n in range(frames):
        writer.write(plain(BLUE if n < frames // 2 else RED))
    writer.release()
    return path


def jpeg(tmp_path: Path, picture: Pixels) -> str:
    path = tmp_path / "shown.jpg"
    cv2.imwrite(str(path), picture)
    return str(path)


def test_frames_of_a_stream_arrive_stamped_and_in_the_size_of_the_config(front: Camera) -> None:
    before_s = time.monotonic()
    frame = front.wait(before_s, SOON_S)
    assert frame is not None
    assert frame.picture.shape == (SIZE[1], SIZE[0], 3)
    assert before_s < frame.at_s <= time.monotonic()


def test_what_the_camera_is_shown_is_seen(front: Camera, stream: Callable[..., None], tmp_path: Path) -> None:
    stream(show=jpeg(tmp_path, plain(RED)))
    assert wait_for(lambda: shows(front.latest(), RED), front)


def test_a_frame_is_given_only_if_it_is_newer_than_asked(front: Camera) -> None:
    frame = front.wait(0.0, SOON_S)
    assert frame is not None
    assert front.latest(after_s=time.monotonic() + 60) is None


def test_a_working_camera_has_no_trouble(front: Camera) -> None:
    assert front.wait(0.0, SOON_S) is not None
    assert wait_for(lambda: front.trouble() is None, front)  # a machine that stops its server is trouble, too


def test_a_stalled_stream_is_trouble_and_comes_back_by_itself(front: Camera, stream: Callable[..., None]) -> None:
    assert front.wait(0.0, SOON_S) is not None
    stream(stall=True)
    assert wait_for(lambda: front.trouble() is not None, front)
    assert wait_for(lambda: front.counters.reconnects >= 1, front)
    stream(stall=False)
    assert wait_for(lambda: front.trouble() is None, front)


def test_a_stream_that_drops_is_trouble_and_comes_back_by_itself(front: Camera, stream: Callable[..., None]) -> None:
    assert front.wait(0.0, SOON_S) is not None
    stream(drop=True)
    assert wait_for(lambda: front.trouble() is not None, front)
    stream(drop=False)
    assert wait_for(lambda: front.trouble() is None, front)


def test_garbage_in_the_stream_is_survived(front: Camera, stream: Callable[..., None], tmp_path: Path) -> None:
    assert front.wait(0.0, SOON_S) is not None
    stream(garbage=True)
    assert wait_for(lambda: front.trouble() is not None, front)
    stream(garbage=False, show=jpeg(tmp_path, plain(RED)))
    assert wait_for(lambda: shows(front.latest(), RED), front)


def idles(camera: Camera) -> bool:
    """Whether it decodes no more of the next frames than its idle pace allows in the time that they take."""
    began_s, taken, decoded = time.monotonic(), camera.counters.frames, camera.counters.decoded
    assert wait_for(lambda: camera.counters.frames >= taken + 20, camera)
    return camera.counters.decoded - decoded <= 2 * IDLE_FPS * (time.monotonic() - began_s) + 2


def test_few_frames_are_decoded_while_nobody_asks_and_each_for_whoever_does(front: Camera) -> None:
    assert front.wait(0.0, SOON_S) is not None
    assert idles(front)
    front.pace(20)
    assert wait_for(lambda: every_frame(front), front)
    front.pace(None)
    assert idles(front)


def every_frame(camera: Camera) -> bool:
    """Whether it decodes two of three of the next frames: those that come in one heap after a stop are too many."""
    taken, decoded = camera.counters.frames, camera.counters.decoded
    assert wait_for(lambda: camera.counters.decoded >= decoded + 20, camera)
    return camera.counters.frames - taken <= 30


def test_an_address_where_nobody_answers_is_trouble_without_the_address() -> None:
    told: list[str | None] = []
    with socket.socket() as kept:  # nobody listens there, and nobody else can
        kept.bind(("127.0.0.1", 0))
        address = f"http://user:secret@127.0.0.1:{kept.getsockname()[1]}/x.mjpg"
        camera = Camera(FRONT, address, width=320, height=240, fps=10, on_trouble=lambda _, why: told.append(why))
        camera.start()
        assert wait_for(lambda: bool(told), camera)
        camera.stop()
    assert "secret" not in str(told)
    assert "cable" in str(camera.trouble())


def test_a_camera_that_was_never_there_can_be_stopped_at_once() -> None:
    camera = Camera(FRONT, "/dev/video987", width=320, height=240, fps=10)
    camera.start()
    camera.stop()
    assert not camera._thread.is_alive()


def test_a_recording_that_ends_keeps_its_last_frame_and_says_so(tmp_path: Path) -> None:
    camera = Camera(FRONT, str(film(tmp_path / "f.avi")), width=320, height=240, fps=25)
    camera.pace(25)
    camera.start()
    assert wait_for(lambda: "ended" in str(camera.trouble()), camera)
    assert shows(camera.latest(), RED)
    camera.stop()


def test_a_recording_in_a_loop_starts_again(tmp_path: Path) -> None:
    camera = Camera(FRONT, str(film(tmp_path / "f.avi")), width=320, height=240, fps=25, loop=True)
    camera.pace(25)
    camera.start()
    assert wait_for(lambda: camera.counters.frames > 30, camera)
    assert camera.counters.reconnects == 0
    camera.stop()


def test_a_file_that_is_no_recording_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "f.avi").write_bytes(b"no film at all")
    camera = Camera(FRONT, str(tmp_path / "f.avi"), width=320, height=240, fps=25)
    camera.start()
    assert wait_for(lambda: "cannot be" in str(camera.trouble()), camera)
    camera.stop()


def test_a_csi_camera_without_picamera2_names_the_remedy() -> None:
    with pytest.raises(PortError, match="apt-get install python3-picamera2"):
        open_source("csi:0", SIZE, 10, 2.0)


class Pi:
    """A Pi's camera as picamera2 shows it."""

    def __init__(self, number: int) -> None:
        self.number, self.running = number, False
        self.asked: dict[str, Any] = {}

    def create_video_configuration(self, **asked: Any) -> dict[str, Any]:
        return asked

    def configure(self, asked: dict[str, Any]) -> None:
        self.asked = asked

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def close(self) -> None:
        assert not self.running

    def capture_request(self) -> "Pi":
        assert self.running
        return self

    def make_array(self, name: str) -> Pixels:
        return plain(BLUE, self.asked[name]["size"])

    def release(self) -> None: ...


def test_a_csi_camera_gives_frames_in_the_right_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    library = types.ModuleType("picamera2")
    library.__dict__["Picamera2"] = Pi
    monkeypatch.setitem(sys.modules, "picamera2", library)
    source = open_source("csi:0", SIZE, 10, 2.0)
    assert source.grab()
    picture = source.retrieve()
    source.release()
    assert shows(Frame(FRONT, 0.0, picture if picture is not None else plain(RED)), BLUE)


@pytest.mark.parametrize("shape", [(480, 640), (100, 320), (500, 100)])
def test_a_picture_of_other_proportions_is_never_distorted(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 200, np.uint8)
    inner = np.argwhere(fitted(picture, SIZE)[..., 0] > 100)
    high, wide = inner.max(axis=0) - inner.min(axis=0) + 1
    assert wide / high == pytest.approx(shape[1] / shape[0], rel=0.03)
    assert fitted(picture, SIZE).shape == (240, 320, 3)
