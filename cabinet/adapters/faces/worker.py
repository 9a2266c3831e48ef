"""Faces through face_recognition (dlib), in a process of its own.

The library costs 200 MB and a second to import, ends the process where pkg_resources is missing, and may crash or hang
on a picture: none of that may happen to the daemon, so a worker does the looking.  It starts at the first question,
is killed when a picture takes too long, and goes home after a while without work.
"""

import asyncio
import importlib.util
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cabinet.adapters.faces.line import ENCODE, FIND, HEAD, ask
from cabinet.ports import PortError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Box = tuple[int, int, int, int]  # left, top, right, bottom

MODEL = "dlib-resnet-v1-small"  # which model made a template: others never compare
DETECT_WIDTH = 640  # pixels; HOG finds faces from 80 pixels on, a person within a metre of a usual camera
ENCODE_SIDE = 600  # pixels of a face; the network sees 150
AROUND = 0.6  # of a face's side: so much of the picture goes with it, as the network looks beyond the box
FRAME_TIMEOUT_S = 5.0  # usual: 0.1 s to find, 0.2 s to encode
START_TIMEOUT_S = 60.0  # the models take 3 s on a Pi with a cold card; a busy machine takes longer
REST_S = 600.0
MAX_SIDE = 8192  # pixels
LEAST_FACE = 16  # pixels
REMEDY = "make setup installs face-recognition, dlib-bin and setuptools < 81 (the library needs its pkg_resources)"


@dataclass(frozen=True, slots=True)
class Place:
    """A face as the library's detector finds it, in pixels of the picture."""

    box: "Box"
    score: float  # 0.25 and up; 1 is a good one
    marks: tuple[tuple[float, float], ...]  # right eye, left eye, nose


class FaceWorker:
    """Questions queue up; one worker answers them."""

    def __init__(self, *, rest_s: float = REST_S, frame_timeout_s: float = FRAME_TIMEOUT_S) -> None:
        self._rest_s = rest_s
        self._frame_timeout_s = frame_timeout_s
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="faces")
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self.restarts = 0  # after a hang or a crash; going home is none

    @property
    def pid(self) -> int | None:
        """Of the worker, while there is one."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def available(self) -> str | None:
        """None if the library seems to be there, else what is missing.  Imports nothing, so costs nothing."""
        wanted = ("face_recognition", "face_recognition_models", "dlib", "pkg_resources")
        missing = [name for name in wanted if importlib.util.find_spec(name) is None]
        return f"{', '.join(missing)} cannot be imported: {REMEDY}" if missing else None

    async def warm(self) -> None:
        """Start the worker now, so that the first shopper does not wait for it.  Raises PortError."""
        await self._run(self._started)

    async def find(self, picture: "Pixels") -> Sequence[Place]:
        """The faces of a picture (BGR), largest first.  Raises PortError."""
        found: list[Place] = await self._run(self._find, picture)
        return found

    async def encode(self, picture: "Pixels", box: "Box") -> tuple[float, ...]:
        """The face in the box as 128 numbers, by the library's small model.  Raises PortError."""
        vector: tuple[float, ...] = await self._run(self._encode, picture, box)
        return vector

    def rest(self) -> None:
        """Send the worker home; the next question starts a new one."""
        line, self._line = self._line, None
        process, self._process = self._process, None
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        """For good.  Whoever still waits for an answer gets a PortError."""
        self._queue.shutdown(wait=False, cancel_futures=True)
        self.rest()

    async def _run(self, call: Any, *arguments: Any) -> Any:  # noqa: ANN401  run_in_executor's own types
        try:
            return await asyncio.get_running_loop().run_in_executor(self._queue, call, *arguments)
        except RuntimeError as error:
            raise PortError("faces: the worker was closed") from error

    # On the queue's thread.

    def _find(self, picture: "Pixels") -> list[Place]:
        small, factor = _shrunk(_checked(picture), picture.shape[1], DETECT_WIDTH)
        places = [_place(found, factor) for found in self._ask(small, FIND, (0, 0, 0, 0))["places"]]
        return sorted(places, key=lambda p: (p.box[2] - p.box[0]) * (p.box[3] - p.box[1]), reverse=True)

    def _encode(self, picture: "Pixels", box: "Box") -> tuple[float, ...]:
        part, inner = _around(_checked(picture), box)
        small, factor = _shrunk(part, inner[2] - inner[0], ENCODE_SIDE)
        left, top, right, bottom = (round(side * factor) for side in inner)
        answer = self._ask(small, ENCODE, (left, top, right, bottom))
        return tuple(float(x) for x in answer["vector"])

    def _ask(self, picture: "Pixels", question: int, box: "Box") -> dict[str, Any]:
        head = HEAD.pack(picture.shape[0], picture.shape[1], question, *box)
        for attempt in (1, 2):
            line = self._started()
            try:
                return ask(line, head + picture.tobytes(), self._frame_timeout_s)
            except EOFError as error:
                self._lost()
                if attempt == 2:  # once may be a worker that was just going home
                    raise PortError("faces: the worker crashed twice on a picture") from error
            except OSError as error:
                self._lost()
                raise PortError(f"faces: no answer within {self._frame_timeout_s:g} s; worker restarted") from error
        raise AssertionError  # the second attempt returned or raised

    def _lost(self) -> None:
        gone_home = self._process is not None and self._process.poll() == 0
        self.restarts += not gone_home
        self.rest()

    def _started(self) -> socket.socket:
        """The line to a worker that has loaded its models.  Raises PortError."""
        if self._line is not None and self.pid is not None:
            return self._line
        self.rest()
        ours, theirs = socket.socketpair()
        module = "cabinet.adapters.faces.library"
        command = [sys.executable, "-m", module, str(theirs.fileno()), f"{self._rest_s:g}"]
        quiet = subprocess.DEVNULL
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=quiet, stdout=quiet, stderr=quiet, pass_fds=[theirs.fileno()]
            )
        self._line = ours
        try:
            answer = ask(ours, b"", START_TIMEOUT_S)
        except (EOFError, OSError) as error:
            self._lost()
            raise PortError(f"faces: the worker did not start: {REMEDY}") from error
        if "fatal" in answer:
            self.rest()
            raise PortError(f"faces: {answer['fatal']}: {REMEDY}")
        return ours


def _checked(picture: "Pixels") -> "Pixels":
    import numpy as np  # noqa: PLC0415  only where there is a picture

    fits = picture.ndim == 3 and picture.shape[2] == 3 and 0 < min(picture.shape[:2]) <= max(picture.shape) <= MAX_SIDE
    if picture.dtype != np.uint8 or not fits:
        raise PortError(f"faces: no picture to look at: {picture.dtype} {picture.shape}")
    return picture


def _around(picture: "Pixels", box: "Box") -> "tuple[Pixels, Box]":
    """The part of the picture that the network needs, and the box within it.  Raises PortError for a box outside."""
    height, width = picture.shape[:2]
    left, top, right, bottom = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    if right - left < LEAST_FACE or bottom - top < LEAST_FACE:
        raise PortError(f"faces: the box {box} holds no face")
    more = round(AROUND * max(right - left, bottom - top))
    from_x, from_y = max(left - more, 0), max(top - more, 0)
    part = picture[from_y : min(bottom + more, height), from_x : min(right + more, width)]
    return part, (left - from_x, top - from_y, right - from_x, bottom - from_y)


def _shrunk(picture: "Pixels", width: int, most: int) -> "tuple[Pixels, float]":
    """So far that what is `width` pixels wide becomes `most` at most."""
    import cv2  # noqa: PLC0415  whoever asks only whether faces are available needs none of it
    import numpy as np  # noqa: PLC0415  likewise

    factor = min(1.0, most / width)
    if factor == 1.0:
        return np.ascontiguousarray(picture), 1.0
    size = max(round(picture.shape[1] * factor), 1), max(round(picture.shape[0] * factor), 1)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), factor


def _place(found: dict[str, Any], factor: float) -> Place:
    left, top, right, bottom = (round(side / factor) for side in found["box"])
    return Place(
        (left, top, right, bottom), float(found["score"]), tuple((x / factor, y / factor) for x, y in found["marks"])
    )
