"""Faces through face_recognition (dlib), in a process of its own.

The library costs 200 MB and a second to import, ends the process where pkg_resources is missing, and may crash or hang
on a picture: none of that may happen to the daemon, so a worker does the looking.  It starts at the first question,
is killed when a picture takes too long, and goes home after a while without work.  Pictures are looked at and
forgotten; nothing here writes or logs a face.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from cabinet.ports import Face, PortError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

MODEL = "dlib-resnet-v1-small"  # which model made a template: others never compare
DETECT_WIDTH = 640  # pixels; HOG finds faces from 80 pixels on, a person within a metre of a usual camera
ENROL_WIDTH = 1280  # pixels; a photograph may show the person from further away
FRAME_TIMEOUT_S = 5.0  # usual: 0.1 s, and 0.2 s for each face
START_TIMEOUT_S = 60.0  # the models take 3 s on a Pi with a cold card; a busy machine takes longer
REST_S = 600.0
MOST_FACES = 3  # encoded in one frame, largest first: more people than that wait anyway
LEAST_SCORE = 0.25  # of the detector; measured: faces 0.44 and up, patterns in the background 0.14 and less
MAX_ANSWER = 1 << 20  # bytes
MAX_SIDE = 8192  # pixels
SMALLEST_ENROL_PX = (
    64  # of a face's height in the picture sent to the worker; the network takes 150, from 64 it still matches
)
LEAST_SHARPNESS = (
    22.0  # variance of the Laplacian of the face at 128 x 128.  Measured on 24 sharp photographs: 40 to 390;
)
# blurred so far (sigma 2 of 150 pixels) that the template moves by up to 0.3: 8 to 25
REMEDY = "make setup installs face-recognition, dlib-bin and setuptools < 81 (the library needs its pkg_resources)"

_HEAD = struct.Struct("<III")  # height, width, most faces
_ANSWER = struct.Struct("<I")  # length of the JSON that follows


class EnrolError(PortError):
    """The picture is not good enough to enrol from: says why, and where in the picture (left, top, right, bottom)."""

    def __init__(self, why: str, where: tuple[int, int, int, int] | None = None) -> None:
        super().__init__(why)
        self.where = where


class FaceWorker:
    """Implements `Faces`.  Questions queue up; one worker answers them."""

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

    async def find(self, picture: "Pixels") -> Sequence[Face]:
        """The faces of a frame (BGR), largest first, at most MOST_FACES.  Raises PortError."""
        found: list[Face] = await self._run(self._look, picture, DETECT_WIDTH)
        return found

    async def enrol(self, picture: "Pixels") -> Face:
        """The one face of a photograph.  Raises EnrolError (why and where), PortError."""
        faces = await self._run(self._look, picture, ENROL_WIDTH)
        return await asyncio.to_thread(good_enough, picture, faces)

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

    def _look(self, picture: "Pixels", width: int) -> list[Face]:
        small, factor = _shrunk(picture, width)
        head = _HEAD.pack(small.shape[0], small.shape[1], MOST_FACES)
        for attempt in (1, 2):
            line = self._started()
            try:
                answer = _ask(line, head + small.tobytes(), self._frame_timeout_s)
            except EOFError as error:
                self._lost()
                if attempt == 2:  # once may be a worker that was just going home
                    raise PortError("faces: the worker crashed twice on a picture") from error
            except OSError as error:
                self._lost()
                raise PortError(f"faces: no answer within {self._frame_timeout_s:g} s; worker restarted") from error
            else:
                return [_face(found, factor) for found in answer["faces"]]
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
        command = [sys.executable, "-m", "cabinet.adapters.faces", str(theirs.fileno()), f"{self._rest_s:g}"]
        quiet = subprocess.DEVNULL
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=quiet, stdout=quiet, stderr=quiet, pass_fds=[theirs.fileno()]
            )
        self._line = ours
        try:
            answer = _ask(ours, b"", START_TIMEOUT_S)
        except (EOFError, OSError) as error:
            self._lost()
            raise PortError(f"faces: the worker did not start: {REMEDY}") from error
        if "fatal" in answer:
            self.rest()
            raise PortError(f"faces: {answer['fatal']}: {REMEDY}")
        return ours


def good_enough(picture: "Pixels", faces: Sequence[Face]) -> Face:
    """The face, if it is one alone, large and sharp.  Raises EnrolError."""
    import cv2  # noqa: PLC0415  whoever asks only whether faces are available needs none of it

    if not faces:
        raise EnrolError("no face found: take it from nearer, from the front, in good light")
    face = faces[0]
    where = face.left, face.top, face.right, face.bottom
    if len(faces) > 1:
        raise EnrolError(f"{len(faces)} faces: only the person to be enrolled may be in the picture", where)
    seen_px = (face.bottom - face.top) * min(1.0, ENROL_WIDTH / picture.shape[1])
    if seen_px < SMALLEST_ENROL_PX:
        raise EnrolError(f"the face is only {seen_px:.0f} pixels high, {SMALLEST_ENROL_PX} needed: go nearer", where)
    crop = picture[max(face.top, 0) : face.bottom, max(face.left, 0) : face.right]
    grey = cv2.cvtColor(cv2.resize(crop, (128, 128), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    if sharpness < LEAST_SHARPNESS:
        raise EnrolError("the face is blurred or has no contrast: hold still, more light", where)
    return face


def _shrunk(picture: "Pixels", width: int) -> "tuple[Pixels, float]":
    import cv2  # noqa: PLC0415  likewise
    import numpy as np  # noqa: PLC0415  only where there is a picture

    if (
        picture.dtype != np.uint8
        or picture.ndim != 3
        or picture.shape[2] != 3
        or not 0 < max(picture.shape) <= MAX_SIDE
    ):
        raise PortError(f"faces: no picture to look at: {picture.dtype} {picture.shape}")
    factor = min(1.0, width / picture.shape[1])
    if factor == 1.0:
        return np.ascontiguousarray(picture), 1.0
    size = width, max(round(picture.shape[0] * factor), 1)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), factor


def _face(found: dict[str, Any], factor: float) -> Face:
    left, top, right, bottom = (round(side / factor) for side in found["box"])
    return Face(left, top, right, bottom, tuple(float(x) for x in found["template"]))


def _ask(line: socket.socket, question: bytes, timeout_s: float) -> dict[str, Any]:
    """Raises TimeoutError, OSError, EOFError."""
    until_s = time.monotonic() + timeout_s
    line.settimeout(timeout_s)
    try:
        line.sendall(question)
        (length,) = _ANSWER.unpack(_read(line, _ANSWER.size, until_s))
        if length > MAX_ANSWER:
            raise EOFError
        answer = json.loads(_read(line, length, until_s))
    except (BrokenPipeError, ConnectionResetError, ValueError) as error:
        raise EOFError from error
    return dict(answer)


def _read(line: socket.socket, length: int, until_s: float | None = None) -> bytes:
    got = bytearray()
    while len(got) < length:
        if until_s is not None:
            line.settimeout(max(until_s - time.monotonic(), 0.001))
        part = line.recv(length - len(got))
        if not part:
            raise EOFError
        got += part
    return bytes(got)


# In the worker.


def work(line: socket.socket, rest_s: float) -> None:
    """Answer until the other side goes, or nothing was asked for `rest_s`."""
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    try:
        import face_recognition  # noqa: PLC0415  this process exists for it
    except (ImportError, SystemExit) as error:  # it calls quit() where its models cannot be found
        _tell(line, {"fatal": f"the library cannot be imported ({type(error).__name__})"})
        return
    import numpy as np  # noqa: PLC0415  only where there is a picture

    _tell(line, {"ready": True})
    while True:
        line.settimeout(rest_s)
        try:
            height, width, most = _HEAD.unpack(_read(line, _HEAD.size))
            line.settimeout(FRAME_TIMEOUT_S)
            pixels = _read(line, height * width * 3)
        except (TimeoutError, EOFError):
            return
        rgb = np.ascontiguousarray(np.frombuffer(pixels, np.uint8).reshape(height, width, 3)[..., ::-1])
        places = _places(face_recognition.api.face_detector, rgb)
        places.sort(key=lambda place: (place[2] - place[0]) * (place[1] - place[3]), reverse=True)
        vectors = face_recognition.face_encodings(rgb, places[:most], model="small")
        found = [
            {"box": [left, top, right, bottom], "template": [float(x) for x in vector]}
            for (top, right, bottom, left), vector in zip(places, vectors, strict=False)
        ]
        _tell(line, {"faces": found})


def _places(detector: Any, rgb: "Pixels") -> list[tuple[int, int, int, int]]:  # noqa: ANN401  dlib has no types
    """Top, right, bottom, left of each face, within the picture.  As face_locations does it, but by score."""
    found, _, _ = detector.run(rgb, 0, LEAST_SCORE)
    height, width = rgb.shape[:2]
    return [(max(f.top(), 0), min(f.right(), width), min(f.bottom(), height), max(f.left(), 0)) for f in found]


def _tell(line: socket.socket, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    line.settimeout(FRAME_TIMEOUT_S)
    line.sendall(_ANSWER.pack(len(body)) + body)


def _leave_with(parent: int) -> None:
    """A worker that hangs in the library must not outlive a daemon that was killed."""
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    os._exit(1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError), socket.socket(fileno=int(sys.argv[1])) as _line:
        work(_line, float(sys.argv[2]))
