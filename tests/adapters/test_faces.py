"""Faces in a process of its own: found, matched, and whatever the library does, the daemon lives."""

import asyncio
import importlib.util
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

from cabinet.adapters.faces import EnrolError, FaceWorker
from cabinet.identity.match import Match, Stranger, match
from cabinet.ports import Face, PortError, Template
from cabinet.units import MemberId

Pixels = NDArray[np.uint8]
Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def worker() -> Iterator[FaceWorker]:
    worker = FaceWorker(frame_timeout_s=60.0)  # two busy cores
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    """NASA's portrait of Eileen Collins, public domain, as scikit-image ships it."""
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        pytest.skip("scikit-image, which ships the portrait, is not installed")
    return read(Path(package.origin).parent / "data" / "astronaut.png")


def run(call: Awaitable[Answer]) -> Answer:
    async def wait() -> Answer:
        return await call

    return asyncio.run(wait())


def read(path: Path) -> Pixels:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def beside(left: Pixels, right: Pixels) -> Pixels:
    height = max(left.shape[0], right.shape[0])
    both = [cv2.copyMakeBorder(p, 0, height - p.shape[0], 0, 0, cv2.BORDER_REPLICATE) for p in (left, right)]
    return np.asarray(np.hstack(both), np.uint8)


def test_a_face_is_found_where_it_is(worker: FaceWorker, astronaut: Pixels) -> None:
    (face,) = run(worker.find(astronaut))
    assert face.left < 225 < face.right
    assert face.top < 110 < face.bottom


def test_a_template_has_128_numbers(worker: FaceWorker, astronaut: Pixels) -> None:
    (face,) = run(worker.find(astronaut))
    assert len(face.template) == 128


def test_places_are_in_pixels_of_a_large_picture_too(worker: FaceWorker, astronaut: Pixels) -> None:
    large = np.asarray(cv2.resize(astronaut, None, fx=3, fy=3), np.uint8)
    (face,) = run(worker.find(large))
    assert face.left < 675 < face.right
    assert face.top < 330 < face.bottom


def test_a_picture_without_faces_has_none(worker: FaceWorker) -> None:
    assert run(worker.find(np.full((480, 640, 3), 128, np.uint8))) == []


def test_what_is_no_picture_is_an_error(worker: FaceWorker) -> None:
    with pytest.raises(PortError, match="no picture"):
        run(worker.find(np.zeros((480, 640), np.uint8)))


def test_a_good_photograph_enrols(worker: FaceWorker, astronaut: Pixels) -> None:
    assert len(run(worker.enrol(astronaut)).template) == 128


def test_a_photograph_without_a_face_enrols_nobody(worker: FaceWorker) -> None:
    with pytest.raises(EnrolError, match="no face"):
        run(worker.enrol(np.full((480, 640, 3), 128, np.uint8)))


def test_a_photograph_of_two_people_enrols_nobody(worker: FaceWorker, astronaut: Pixels) -> None:
    with pytest.raises(EnrolError, match="2 faces"):
        run(worker.enrol(beside(astronaut, astronaut)))


def test_a_blurred_photograph_enrols_nobody_and_says_where(worker: FaceWorker, astronaut: Pixels) -> None:
    blurred = np.asarray(cv2.GaussianBlur(astronaut, (0, 0), 2.5), np.uint8)
    with pytest.raises(EnrolError, match="blurred") as refusal:
        run(worker.enrol(blurred))
    assert refusal.value.where is not None


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

class api:
    class face_detector:
        def run(picture, upsample, score):
            return [Place(*sides) for sides in look()], [], []

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
    worker = FaceWorker(frame_timeout_s=1.0)
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
    with pytest.raises(PortError, match="no answer"):
        run(troubled.find(PICTURE))
    library("def look():\n    return [(5, 10, 60, 70)]")
    (face,) = run(troubled.find(PICTURE))
    assert (face.left, face.top, face.right, face.bottom) == (5, 10, 60, 70)


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
    process.wait(20)
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
        "worker._queue.submit(worker._look, np.zeros((99, 99, 3), np.uint8), 640)\n"  # hangs in the library
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
        return bool(select.select([handle], [], [], 20)[0])
    finally:
        os.close(handle)


# On real people.


@pytest.fixture(scope="module")
def family(shared_data: Path, worker: FaceWorker) -> dict[str, list[Face]]:
    """Name -> the face of each of their photographs."""
    folders = sorted((shared_data / "faces" / "azure_family").iterdir())
    people = {f.name: sorted(f.glob("*.jpg")) for f in folders if f.is_dir()}
    return {name: [run(worker.find(read(path)))[0] for path in paths] for name, paths in people.items()}


def enrolled(family: dict[str, list[Face]], *without: str) -> list[Template]:
    """Everybody by their first photograph."""
    return [Template(MemberId(n), faces[0].template) for n, faces in family.items() if n not in without]


def test_everybody_is_recognised_on_another_photograph(family: dict[str, list[Face]]) -> None:
    members = enrolled(family)
    answers = [(n, match(f.template, members)) for n, faces in family.items() for f in faces[1:]]
    assert [n for n, answer in answers if not (isinstance(answer, Match) and answer.member == n)] == []
    assert len(answers) >= 8


def test_nobody_who_is_not_enrolled_is_taken_for_a_member(family: dict[str, list[Face]]) -> None:
    answers = [match(f.template, enrolled(family, n)) for n, faces in family.items() for f in faces]
    assert [answer for answer in answers if not isinstance(answer, Stranger)] == []
