"""face_recognition in a process of its own: finds, encodes, and whatever the library does, the daemon lives."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.adapters.faces import FaceWorker
from cabinet.ports import PortError
from tests.adapters.portrait import astronaut as portrait

Pixels = NDArray[np.uint8]
Answer = TypeVar("Answer")
FACE = (170, 60, 280, 170)  # of the portrait
PATIENCE_S = 60.0  # two busy cores


@pytest.fixture(scope="module")
def worker() -> Iterator[FaceWorker]:
    worker = FaceWorker(frame_timeout_s=PATIENCE_S)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    return portrait()


def run(call: Awaitable[Answer]) -> Answer:
    async def wait() -> Answer:
        return await call

    return asyncio.run(wait())


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return float(np.linalg.norm(np.array(one) - np.array(other)))


def test_a_face_is_found_where_it_is(worker: FaceWorker, astronaut: Pixels) -> None:
    (face,) = run(worker.find(astronaut))
    left, top, right, bottom = face.box
    assert left < 225 < right
    assert top < 110 < bottom


def test_eyes_and_nose_are_found_where_they_are(worker: FaceWorker, astronaut: Pixels) -> None:
    (right, left, nose) = run(worker.find(astronaut))[0].marks
    assert right[0] < nose[0] < left[0]
    assert max(right[1], left[1]) < nose[1]


def test_places_are_in_pixels_of_a_large_picture_too(worker: FaceWorker, astronaut: Pixels) -> None:
    large = np.asarray(cv2.resize(astronaut, None, fx=3, fy=3), np.uint8)
    left, top, right, bottom = run(worker.find(large))[0].box
    assert left < 675 < right
    assert top < 330 < bottom


def test_a_picture_without_faces_has_none(worker: FaceWorker) -> None:
    assert run(worker.find(np.full((480, 640, 3), 128, np.uint8))) == []


def test_a_face_is_128_numbers(worker: FaceWorker, astronaut: Pixels) -> None:
    assert len(run(worker.encode(astronaut, FACE))) == 128


def test_a_face_has_nearly_the_same_numbers_in_a_picture_twice_as_large(worker: FaceWorker, astronaut: Pixels) -> None:
    large = np.asarray(cv2.resize(astronaut, None, fx=2, fy=2), np.uint8)
    here, there = run(worker.encode(astronaut, FACE)), run(worker.encode(large, (340, 120, 560, 340)))
    assert apart(here, there) < 0.2


def test_a_face_is_encoded_by_its_box_alone(worker: FaceWorker, astronaut: Pixels) -> None:
    moved = np.zeros((900, 900, 3), np.uint8)
    moved[300:812, 300:812] = astronaut
    there = run(worker.encode(moved, (470, 360, 580, 470)))
    assert apart(run(worker.encode(astronaut, FACE)), there) < 0.02


@pytest.mark.parametrize("box", [(900, 900, 990, 990), (100, 100, 100, 200), (5, 5, 10, 10), (-90, -90, 5, 5)])
def test_a_box_that_holds_no_face_is_an_error(worker: FaceWorker, box: tuple[int, int, int, int]) -> None:
    with pytest.raises(PortError, match="holds no face"):
        run(worker.encode(np.zeros((480, 640, 3), np.uint8), box))


@pytest.mark.parametrize(
    "picture",
    [np.zeros((480, 640), np.uint8), np.zeros((0, 640, 3), np.uint8), np.zeros((48, 64, 3), np.float32)],
)
def test_what_is_no_picture_is_an_error(worker: FaceWorker, picture: Pixels) -> None:
    with pytest.raises(PortError, match="no picture"):
        run(worker.find(picture))


def test_the_daemon_itself_never_imports_the_library() -> None:
    code = "import sys; import cabinet.adapters.faces as f; f.FaceWorker().available(); print('dlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_library_is_there(worker: FaceWorker) -> None:
    assert worker.available() is None


# Where the library misbehaves: a stand-in of its name comes first on the worker's path.

FACES = """
class Place:
    def __init__(self, *sides):
        self.left, self.top, self.right, self.bottom = ((lambda side=side: side) for side in sides)

class Point:
    x, y = 20, 30

class api:
    class face_detector:
        def run(picture, upsample, score):
            places = [Place(*sides) for sides in look()]
            return places, [1.0] * len(places), []

    class pose_predictor_5_point:
        def __new__(cls, picture, place):
            return cls

        def parts():
            return [Point] * 5

def face_encodings(picture, places, model):
    return [[0.5] * 128 for _ in places]
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a face_recognition of our own before the real one."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return lambda source: void((tmp_path / "face_recognition.py").write_text(source + "\n" + FACES))


def void(_: object) -> None: ...


@pytest.fixture
def troubled() -> Iterator[FaceWorker]:
    worker = FaceWorker(frame_timeout_s=PATIENCE_S)
    yield worker
    worker.close()


PICTURE = np.full((240, 320, 3), 90, np.uint8)


def test_a_library_that_quits_at_import_is_an_error_with_a_remedy(
    library: Callable[[str], None], troubled: FaceWorker
) -> None:
    library("quit()")
    with pytest.raises(PortError, match="make setup"):
        run(troubled.find(PICTURE))


def test_a_library_that_hangs_is_stopped_and_started_anew(library: Callable[[str], None], troubled: FaceWorker) -> None:
    library("import threading\ndef look():\n    threading.Event().wait()")
    run(troubled.warm())
    troubled._frame_timeout_s = 0.5
    with pytest.raises(PortError, match="no answer"):
        run(troubled.find(PICTURE))
    troubled._frame_timeout_s = PATIENCE_S
    library("def look():\n    return [(5, 10, 60, 70)]")
    (face,) = run(troubled.find(PICTURE))
    assert face.box == (5, 10, 60, 70)


def test_a_library_that_crashes_is_an_error(library: Callable[[str], None], troubled: FaceWorker) -> None:
    library("import os\ndef look():\n    os.abort()")
    with pytest.raises(PortError, match="crashed"):
        run(troubled.find(PICTURE))
    assert troubled.restarts == 2


def test_a_library_that_chatters_does_not_disturb_the_answers(
    library: Callable[[str], None], troubled: FaceWorker
) -> None:
    library("print('hello')\ndef look():\n    print('found')\n    return []")
    assert run(troubled.find(PICTURE)) == []


def test_a_worker_that_was_killed_is_replaced(library: Callable[[str], None], troubled: FaceWorker) -> None:
    library("def look():\n    return []")
    run(troubled.warm())
    assert troubled.pid is not None
    os.kill(troubled.pid, signal.SIGKILL)
    assert run(troubled.find(PICTURE)) == []


def test_an_idle_worker_goes_home_and_comes_back(library: Callable[[str], None]) -> None:
    library("def look():\n    return []")
    worker = FaceWorker(rest_s=0.05)
    run(worker.warm())
    process: Any = worker._process
    process.wait(PATIENCE_S)
    assert worker.pid is None
    assert run(worker.find(PICTURE)) == []
    assert worker.restarts == 0
    worker.close()


def test_a_closed_worker_is_an_error(troubled: FaceWorker) -> None:
    troubled.close()
    with pytest.raises(PortError, match="closed"):
        run(troubled.find(PICTURE))


def test_the_worker_dies_with_its_parent(library: Callable[[str], None], tmp_path: Path) -> None:
    library("import threading\ndef look():\n    threading.Event().wait()")
    code = (
        "import asyncio, os, numpy as np\n"
        "from cabinet.adapters.faces import FaceWorker\n"
        "worker = FaceWorker(frame_timeout_s=60)\n"
        "asyncio.run(worker.warm())\n"
        "worker._queue.submit(worker._find, np.zeros((99, 99, 3), np.uint8))\n"  # hangs in the library
        "print(worker.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert gone(int(done.stdout))


def gone(pid: int) -> bool:
    """Waits for a process that is no child of ours, by its file descriptor."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE_S)[0])
    finally:
        os.close(handle)
