"""One camera over OpenCV: a USB device, a recording, an RTSP or MJPEG address; a Pi's CSI camera over picamera2.

A thread takes every frame the source has, so that none is stale, but decodes only as many as somebody asked for
(`pace`).  A source that ends, stalls or goes away is opened again, with growing pauses, for ever; until then `trouble`
says so.  Every frame has the size of the config, because the zones' polygons are drawn on it.  Never says an address:
it may hold a password.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.ports import Frame, PortError
from cabinet.units import CameraId

IDLE_FPS = 2.0  # frames decoded a second while nobody asks: enough to notice a person walking up
FIRST_PAUSE_S, LAST_PAUSE_S = 0.2, 5.0  # between attempts to open: a replugged camera is back at once, a dead one cheap
OPEN_TIMEOUT_S = 3.0  # RTSP takes up to two
RATE_S = 2.0  # over which frames are counted
LEAST_RATE = 0.3  # of what it ought to send; a dark scene halves the rate of many cameras by itself
SLACK_S = 0.005  # a frame that comes so much early is on time
DEFAULT_FILE_FPS = 25.0  # of a recording that does not say

log = logging.getLogger(__name__)
Pixels = NDArray[np.uint8]
OnTrouble = Callable[[CameraId, str | None], None]


class Source(Protocol):
    def grab(self) -> bool:
        """Take the next frame, undecoded; False: there is none any more.  May block for the read timeout."""

    def retrieve(self) -> Pixels | None:
        """Decode the frame just taken; None: it was garbage."""

    def release(self) -> None: ...


@dataclass
class Counters:
    frames: int = 0  # taken
    decoded: int = 0
    garbage: int = 0
    reconnects: int = 0


class Camera:
    """Implements `Eye`.  `start` it once, `stop` it once."""

    def __init__(
        self,
        camera: CameraId,
        source: int | str,
        *,
        width: int,
        height: int,
        fps: float,
        read_timeout_s: float = 2.0,
        loop: bool = False,
        on_trouble: OnTrouble | None = None,
    ) -> None:
        """`source`: V4L2 index or /dev/video*, a recording's path, rtsp:// or http:// address, or csi:N.

        `loop`: a recording starts again at its end; otherwise its last frame stays and `trouble` tells of the end.
        `on_trouble` is called on the camera's thread, at changes only.
        """
        self._camera = camera
        self._source = source
        self._size = width, height
        self._fps = fps
        self._read_timeout_s = read_timeout_s
        self._loop = loop
        self._on_trouble = on_trouble
        self.counters = Counters()
        self._latest: Frame | None = None
        self._pace_s = 1 / IDLE_FPS
        self._due_s = 0.0
        self._grabbed_s: float | None = None
        self._times_s: deque[float] = deque(maxlen=round(RATE_S * fps) + 1)
        self._opened_s: float | None = None
        self._expected_fps = fps
        self._why: str | None = "is being opened"
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera}", daemon=True)

    @property
    def camera(self) -> CameraId:
        return self._camera

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end and wait for it, at most a little longer than a read may block."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(max(self._read_timeout_s, OPEN_TIMEOUT_S) + 1.0)
            if self._thread.is_alive():
                log.warning("camera_stuck camera=%s", self._camera)

    def latest(self, after_s: float = float("-inf")) -> Frame | None:
        frame = self._latest
        return frame if frame is not None and frame.at_s > after_s else None

    def wait(self, after_s: float, timeout_s: float) -> Frame | None:
        """The first frame newer than `after_s`, waited for at most `timeout_s`.  For tools and tests: this blocks."""
        with self._changed:
            self._changed.wait_for(lambda: self.latest(after_s) is not None, timeout_s)
        return self.latest(after_s)

    def pace(self, fps: float | None) -> None:
        self._pace_s = 1 / min(fps or IDLE_FPS, self._fps)
        self._due_s = 0.0  # whoever asks wants the next frame

    def trouble(self) -> str | None:
        if self._why is not None:
            return self._why
        now_s = time.monotonic()
        if self._grabbed_s is None or now_s - self._grabbed_s > self._read_timeout_s:
            return f"no frame for {self._read_timeout_s:g} s: look at its cable and power"
        return self._dropping(now_s)

    def _dropping(self, now_s: float) -> str | None:
        """Frames that do not arrive, by the times of the last ones: judged once it has run for RATE_S."""
        if self._opened_s is None or now_s - self._opened_s < RATE_S:
            return None
        came = sum(at_s > now_s - RATE_S for at_s in tuple(self._times_s)) / RATE_S
        least = LEAST_RATE * self._expected_fps
        if came >= least:
            return None
        return f"drops frames: {came:.1f} a second, at least {least:.1f} of {self._expected_fps:g}: look at its cable"

    # On the camera's thread.

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            before = self.counters.frames
            try:
                source = open_source(self._source, self._size, self._fps, self._read_timeout_s)
            except PortError as error:
                self._say(str(error))
            else:
                try:
                    self._pump(source)
                except (PortError, cv2.error) as error:
                    log.warning("camera_lost camera=%s kind=%s", self._camera, type(error).__name__)
                    self._say("stopped in the middle of a frame; being opened again")
                finally:
                    source.release()
                if self._stopping.is_set() or not self._again():
                    return
            pause_s = FIRST_PAUSE_S if self.counters.frames > before else min(pause_s * 2, LAST_PAUSE_S)
            if not (self._recording and self._loop and self.counters.frames > before):
                self.counters.reconnects += 1
                self._stopping.wait(pause_s)

    def _pump(self, source: Source) -> None:
        """Take frames until there are none."""
        step_s = source.frame_s if isinstance(source, _Video) and self._recording else 0.0
        next_s = self._opened_s = time.monotonic()
        self._expected_fps = min(self._fps, 1 / step_s) if step_s else self._fps
        while not self._stopping.is_set() and source.grab():
            now_s = time.monotonic()
            self._grabbed_s = now_s
            self._times_s.append(now_s)
            self.counters.frames += 1
            if now_s >= self._due_s - SLACK_S:
                self._due_s = max(self._due_s + self._pace_s, now_s + self._pace_s / 2)
                self._decode(source, now_s)
            if step_s:
                next_s = max(next_s + step_s, now_s - step_s)
                self._stopping.wait(max(next_s - time.monotonic(), 0.0))

    def _decode(self, source: Source, at_s: float) -> None:
        picture = source.retrieve()
        if picture is None or picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            self.counters.garbage += 1
            return
        picture = fitted(picture, self._size)
        self.counters.decoded += 1
        self._say(None)
        with self._changed:
            self._latest = Frame(self._camera, at_s, picture)
            self._changed.notify_all()

    @property
    def _recording(self) -> bool:
        return isinstance(self._source, str) and is_recording(self._source)

    def _again(self) -> bool:
        """Whether a source that gave no more frames is worth opening again."""
        if self._recording:
            if self._loop and self.counters.frames:
                return True
            self._say("the recording has ended" if self.counters.frames else "the recording cannot be read")
            return False
        self._say("gives no frames; being opened again: look at its cable and power")
        return True

    def _say(self, why: str | None) -> None:
        if why == self._why:
            return
        self._why = why
        log.log(logging.INFO if why is None else logging.WARNING, "camera camera=%s why=%s", self._camera, why)
        if self._on_trouble is not None:
            self._on_trouble(self._camera, why)


def fitted(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """Brought to size (width, height) without distortion: black bars where the proportions differ."""
    width, height = size
    high, wide = picture.shape[:2]
    if (wide, high) == size:
        return picture
    factor = min(width / wide, height / high)
    inner = max(round(wide * factor), 1), max(round(high * factor), 1)
    small = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    bars = top, height - inner[1] - top, left, width - inner[0] - left
    return np.asarray(cv2.copyMakeBorder(small, *bars, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)


def is_recording(source: str) -> bool:
    return "://" not in source and not source.startswith(("csi:", "/dev/"))


def open_source(source: int | str, size: tuple[int, int], fps: float, read_timeout_s: float) -> Source:
    """Raises PortError where there is nothing to open; the message never holds an address."""
    if isinstance(source, str) and source.startswith("csi:"):
        return _Csi(source.removeprefix("csi:"), size, fps)
    if isinstance(source, str) and is_recording(source) and not Path(source).is_file():
        raise PortError("the recording is not there: correct source = in the config")
    return _Video(source, size, fps, read_timeout_s)


class _Video:
    """cv2.VideoCapture."""

    def __init__(self, source: int | str, size: tuple[int, int], fps: float, read_timeout_s: float) -> None:
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # quiet: its complaints hold addresses
        cv2.setNumThreads(1)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # likewise
        if isinstance(source, str) and source.startswith("/dev/video"):
            source = int(source.removeprefix("/dev/video"))
        if isinstance(source, str):
            asked = [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(OPEN_TIMEOUT_S * 1000),
                cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(read_timeout_s * 1000),
                cv2.CAP_PROP_N_THREADS, 1,
            ]  # fmt: skip
            self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, asked)
        else:
            self._capture = cv2.VideoCapture(source, cv2.CAP_V4L2)
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))  # a third of the USB bandwidth
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
            self._capture.set(cv2.CAP_PROP_FPS, fps)
            self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not the oldest kept
        if not self._capture.isOpened():
            self._capture.release()
            raise PortError("cannot be opened: look at its cable and power, and at source = in the config")
        said_fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_s = 1 / (said_fps if 0 < said_fps <= 240 else DEFAULT_FILE_FPS)

    def grab(self) -> bool:
        return self._capture.grab()

    def retrieve(self) -> Pixels | None:
        ok, picture = self._capture.retrieve()
        return np.asarray(picture) if ok else None

    def release(self) -> None:
        self._capture.release()


class _Csi:
    """A Pi's own camera.  picamera2 comes from apt, into the system's Python."""

    def __init__(self, number: str, size: tuple[int, int], fps: float) -> None:
        if not number.isdigit():
            raise PortError("source = csi:N needs a number, such as csi:0")
        try:
            from picamera2 import Picamera2  # noqa: PLC0415  only on a Pi, and only from apt
        except ImportError as error:
            raise PortError(
                "a CSI camera needs picamera2: sudo apt-get install python3-picamera2, "
                "and a virtual environment with --system-site-packages"
            ) from error
        try:
            self._device = Picamera2(int(number))
            shape = {"size": size, "format": "RGB888"}  # which picamera2 stores as B, G, R
            self._device.configure(self._device.create_video_configuration(main=shape, controls={"FrameRate": fps}))
            self._device.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise PortError("the CSI camera does not start: rpicam-hello --list-cameras says what is there") from error
        self._frame: Pixels | None = None

    def grab(self) -> bool:
        request = self._device.capture_request()
        try:
            self._frame = np.array(request.make_array("main"), np.uint8)
        finally:
            request.release()
        return True

    def retrieve(self) -> Pixels | None:
        return self._frame

    def release(self) -> None:
        self._device.stop()
        self._device.close()
