"""The face reader as the cabinet has it: small networks, face_recognition beside them, and what is left where one is
missing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import pytest

from cabinet.adapters.faces import FaceWorker
from cabinet.config import Identity
from cabinet.identity.seen import Quality, SeenFace
from cabinet.ports import Face, Faces, PortError
from cabinet.wiring import faces
from cabinet.wiring.enrolling import EnrolError, the_one
from cabinet.wiring.faces import FaceFolders, FaceReader, face_reader
from tests.adapters.portrait import Pixels, beside, placed, read
from tests.adapters.portrait import astronaut as portrait

Answer = TypeVar("Answer")
NO_LIVE = FaceFolders(live=None)
ROOM = np.full((720, 1280, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def worker() -> Iterator[FaceWorker]:
    worker = FaceWorker(frame_timeout_s=60.0)  # two busy cores
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def reader(worker: FaceWorker) -> FaceReader:
    return FaceReader(worker, NO_LIVE)


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    return portrait()


def run(call: Awaitable[Answer]) -> Answer:
    async def wait() -> Answer:
        return await call

    return asyncio.run(wait())


def apart(one: object, other: object) -> float:
    return float(np.linalg.norm(np.asarray(one, np.float64) - np.asarray(other, np.float64)))


def without(part: str, folder: Path) -> FaceFolders:
    return replace(NO_LIVE, **{part: folder / "nowhere"})


# In order.


def test_the_reader_is_what_the_greeter_asks_for(reader: FaceReader) -> None:
    faces_port: Faces = reader
    assert faces_port.reference_model == "dlib-resnet-v1-small"


def test_the_shipped_models_are_in_order(reader: FaceReader) -> None:
    assert reader.trouble() is None


def test_a_template_carries_the_name_and_the_version_of_its_network(reader: FaceReader) -> None:
    assert reader.model == "cabinet-face-embed-0.1.0-m1"


def test_a_face_is_found_with_its_quality(reader: FaceReader, astronaut: Pixels) -> None:
    (face,) = run(reader.find(astronaut))
    assert face.left < 225 < face.right
    assert abs(face.quality.yaw) < 0.3
    assert abs(face.quality.roll_deg) < 10
    assert face.quality.height_px == face.bottom - face.top


def test_quality_is_measured_on_the_frames_own_pixels(reader: FaceReader, astronaut: Pixels) -> None:
    soft = np.asarray(cv2.GaussianBlur(astronaut, (0, 0), 1.5), np.uint8)
    sharp, blurred = run(reader.find(astronaut))[0], run(reader.find(soft))[0]
    assert blurred.quality.sharpness < sharp.quality.sharpness / 3


def test_the_two_largest_faces_are_looked_at_for_liveness(worker: FaceWorker, astronaut: Pixels) -> None:
    three = np.hstack([cv2.resize(astronaut, None, fx=k, fy=k)[:420, :410] for k in (1.2, 1.1, 1.0)])
    found = run(FaceReader(worker).find(np.asarray(three, np.uint8)))
    assert [face.live is None for face in found] == [False, False, True]


def test_an_empty_room_holds_nobody(reader: FaceReader) -> None:
    assert run(reader.find(ROOM)) == []


def test_both_networks_see_the_same_face(reader: FaceReader, astronaut: Pixels) -> None:
    (face,) = run(reader.find(astronaut))
    assert apart(run(reader.encode(astronaut, face)), run(reader.reference(astronaut, face))) < 0.25


def test_a_face_farther_away_keeps_its_numbers(reader: FaceReader, astronaut: Pixels) -> None:
    frame = placed(astronaut, 0.75, 600, 100)
    near, far = run(reader.find(astronaut))[0], run(reader.find(frame))[0]
    assert apart(run(reader.encode(astronaut, near)), run(reader.encode(frame, far))) < 0.3


def test_the_same_picture_gives_the_same_numbers(reader: FaceReader, astronaut: Pixels) -> None:
    (face,) = run(reader.find(astronaut))
    assert run(reader.encode(astronaut, face)) == run(reader.encode(astronaut.copy(), face))


def test_a_face_looked_at_closely_shows_open_eyes(reader: FaceReader, astronaut: Pixels) -> None:
    (face,) = run(reader.find(astronaut))
    closer = run(reader.attend(astronaut, face))
    assert closer.eyes_open is not None
    assert closer.eyes_open > 0.18


def test_where_no_mesh_is_found_the_face_stays_as_it_was(reader: FaceReader) -> None:
    face = seen()
    assert run(reader.attend(ROOM, face)) == face


@pytest.mark.parametrize("what", ["encode", "attend"])
def test_a_face_of_another_frame_is_an_error(reader: FaceReader, what: str) -> None:
    with pytest.raises(PortError, match="outside the picture"):
        run(getattr(reader, what)(np.zeros((100, 100, 3), np.uint8), seen()))


@pytest.mark.parametrize("what", ["encode", "attend", "reference"])
def test_what_is_no_picture_has_no_face(reader: FaceReader, what: str) -> None:
    with pytest.raises(PortError, match="no picture"):
        run(getattr(reader, what)(np.zeros((480, 640), np.uint8), seen()))


def test_what_must_be_blurred_is_found_at_once(reader: FaceReader, astronaut: Pixels) -> None:
    assert any(left < 225 < right and top < 110 < bottom for left, top, right, bottom in reader.faces_in(astronaut))


def test_the_loop_goes_on_while_a_picture_is_looked_at(reader: FaceReader, astronaut: Pixels) -> None:
    async def beats() -> int:
        looking = asyncio.ensure_future(reader.find(astronaut))
        count = 0
        while not looking.done():
            await asyncio.sleep(0)
            count += 1
        await looking
        return count

    assert asyncio.run(beats()) > 1


def test_more_questions_than_anybody_asks_are_refused(reader: FaceReader, astronaut: Pixels) -> None:
    async def ask() -> list[object]:
        many = [reader.find(astronaut) for _ in range(faces.MOST_WAITING + 1)]
        return list(await asyncio.gather(*many, return_exceptions=True))

    answers = asyncio.run(ask())
    assert [type(answer) for answer in answers[-1:]] == [PortError]
    assert not any(isinstance(answer, Exception) for answer in answers[:-1])


def test_a_closed_reader_is_an_error() -> None:
    reader = FaceReader(FaceWorker(), NO_LIVE)
    reader.close()
    with pytest.raises(PortError, match="closed"):
        run(reader.find(ROOM))


def test_a_face_without_colour_is_left_in_doubt(worker: FaceWorker, astronaut: Pixels) -> None:
    reader = FaceReader(worker)
    assert run(reader.find(astronaut))[0].live is not None
    assert run(reader.find(grey(astronaut)))[0].live is None


def test_the_config_may_switch_liveness_off() -> None:
    reader = face_reader(Identity(liveness="off"))
    reader.close()
    assert reader.live_thresholds is None
    assert "liveness is not scored" not in reader.troubles


# Something is missing.


def test_without_the_detector_the_library_finds_the_faces(
    worker: FaceWorker, tmp_path: Path, astronaut: Pixels
) -> None:
    reader = FaceReader(worker, without("detect", tmp_path))
    (face,) = run(reader.find(astronaut))
    assert face.left < 225 < face.right
    assert abs(face.quality.yaw) < 0.4
    assert "face_recognition finds the faces" in str(reader.trouble())
    assert "far faces" not in str(reader.trouble())


def test_a_face_of_the_library_is_encoded_by_the_small_network(
    worker: FaceWorker, reader: FaceReader, tmp_path: Path, astronaut: Pixels
) -> None:
    fallen = FaceReader(worker, without("detect", tmp_path))
    other, usual = run(fallen.find(astronaut))[0], run(reader.find(astronaut))[0]
    assert apart(run(fallen.encode(astronaut, other)), run(reader.encode(astronaut, usual))) < 0.25


def test_without_the_small_network_the_library_encodes(worker: FaceWorker, tmp_path: Path, astronaut: Pixels) -> None:
    reader = FaceReader(worker, without("embed", tmp_path))
    (face,) = run(reader.find(astronaut))
    assert run(reader.encode(astronaut, face)) == run(reader.reference(astronaut, face))
    assert reader.model == reader.reference_model
    assert "face_recognition encodes" in str(reader.trouble())


def test_without_the_mesh_a_face_is_aligned_by_its_marks(
    worker: FaceWorker, reader: FaceReader, tmp_path: Path, astronaut: Pixels
) -> None:
    fallen = FaceReader(worker, without("marks", tmp_path))
    (face,) = run(reader.find(astronaut))
    assert 0 < apart(run(fallen.encode(astronaut, face)), run(reader.encode(astronaut, face))) < 0.25
    assert run(fallen.attend(astronaut, face)) == face


def test_without_marks_a_face_is_aligned_by_its_box(
    worker: FaceWorker, reader: FaceReader, tmp_path: Path, astronaut: Pixels
) -> None:
    fallen = FaceReader(worker, without("marks", tmp_path))
    (face,) = run(reader.find(astronaut))
    assert apart(run(fallen.encode(astronaut, replace(face, marks=()))), run(reader.encode(astronaut, face))) < 0.35


def test_without_the_network_for_far_faces_near_ones_are_found(
    worker: FaceWorker, tmp_path: Path, astronaut: Pixels
) -> None:
    reader = FaceReader(worker, without("far", tmp_path))
    assert len(run(reader.find(astronaut))) == 1
    assert "far faces are found less" in str(reader.trouble())


def test_without_a_liveness_model_nothing_is_said_of_it(worker: FaceWorker, tmp_path: Path, astronaut: Pixels) -> None:
    reader = FaceReader(worker, without("live", tmp_path))
    assert run(reader.find(astronaut))[0].live is None
    assert "liveness is not scored" in str(reader.trouble())


# Enrolment.


def test_a_good_photograph_enrols_by_both_networks(reader: FaceReader, astronaut: Pixels) -> None:
    face = run(reader.enrol(astronaut))
    assert {model: len(vector) for model, vector in face.templates.items()} == {
        reader.model: 128,
        reader.reference_model: 128,
    }


Spoil = Callable[[Pixels], Pixels]


def grey(picture: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)


def sepia(picture: Pixels) -> Pixels:
    return np.asarray(grey(picture) * np.array([0.72, 0.86, 1.0]), np.uint8)


def blurred(picture: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.5), np.uint8)


def dim(picture: Pixels) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=0.3), np.uint8)


def glaring(picture: Pixels) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=0.7, beta=130), np.uint8)


def small(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, (200, 200), interpolation=cv2.INTER_AREA), np.uint8)


def huge(_: Pixels) -> Pixels:
    return np.zeros((64, 6001, 3), np.uint8)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda _: ROOM, "no face found"),
        (lambda p: beside(p, p), "2 faces: only the person"),
        (grey, "no colour"),
        (sepia, "no colour"),
        (blurred, "blurred"),
        (dim, "too dark"),
        (glaring, "too bright"),
        (small, "pixels high, 64 needed"),
        (lambda p: p[:60, :60], "better 500"),
        (huge, "at most 6000"),
        (lambda p: p[:, :, 0], "send JPEG or PNG"),
        (lambda p: np.zeros((0, 0, 3), np.uint8), "better 500"),
    ],
)
def test_a_photograph_that_is_not_good_enough_is_refused(
    reader: FaceReader, astronaut: Pixels, spoil: Spoil, why: str
) -> None:
    with pytest.raises(EnrolError, match=why):
        run(reader.enrol(spoil(astronaut)))


def test_a_refusal_says_where_the_face_is(reader: FaceReader, astronaut: Pixels) -> None:
    with pytest.raises(EnrolError) as refusal:
        run(reader.enrol(blurred(astronaut)))
    assert refusal.value.where is not None


GOOD = Quality(height_px=160, sharpness=80, brightness=120, contrast=40, yaw=0.0, pitch=0.0, roll_deg=0.0)


def seen(quality: Quality = GOOD, score: float = 0.9, left: int = 200) -> SeenFace:
    return SeenFace(left, 60, left + 160, 220, score, quality, ((240.0, 100.0), (290.0, 100.0), (260.0, 130.0)))


def colours() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (480, 640, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("turned", "why"),
    [({"yaw": 0.8}, "turned away"), ({"pitch": -0.9}, "turned away"), ({"roll_deg": 50.0}, "turned away"),
     ({"contrast": 5.0}, "no contrast")],
)  # fmt: skip
def test_a_face_that_is_not_seen_well_is_refused(turned: dict[str, float], why: str) -> None:
    with pytest.raises(EnrolError, match=why):
        the_one(colours(), [seen(replace(GOOD, **turned))])  # type: ignore[arg-type]  # `cut` is not among them


def test_a_face_at_the_pictures_edge_is_refused() -> None:
    face = replace(seen(), marks=((-3.0, 100.0), (50.0, 100.0), (20.0, 130.0)))
    with pytest.raises(EnrolError, match="cut off"):
        the_one(colours(), [face])


def test_a_pattern_in_the_background_is_no_second_person() -> None:
    face = seen()
    assert the_one(colours(), [face, seen(score=0.51, left=400)]) == face


# On real people.


def photographs(folder: Path) -> dict[str, list[Path]]:
    people = {person.name: sorted(person.glob("*.jpg")) for person in sorted(folder.iterdir()) if person.is_dir()}
    return {name: paths for name, paths in people.items() if paths}


@pytest.fixture(scope="module")
def family(shared_data: Path, reader: FaceReader) -> dict[str, list[tuple[float, ...]]]:
    """Name -> the vector of each of their photographs."""
    people = photographs(shared_data / "faces" / "azure_family")
    return {name: [vector(reader, read(path)) for path in paths] for name, paths in people.items()}


def vector(reader: FaceReader, picture: Pixels) -> tuple[float, ...]:
    return reader.vector(picture, reader.look(picture)[0])


def test_photographs_of_one_person_are_nearer_than_those_of_two(family: dict[str, list[tuple[float, ...]]]) -> None:
    everybody = [(name, one) for name, vectors in family.items() for one in vectors]
    same = [apart(a, b) for n, (one, a) in enumerate(everybody) for other, b in everybody[:n] if one == other]
    different = [apart(a, b) for n, (one, a) in enumerate(everybody) for other, b in everybody[:n] if one != other]
    assert len(same) >= 8
    assert max(same) < min(different)


def test_every_portrait_of_the_grey_set_has_one_face(shared_data: Path, reader: FaceReader) -> None:
    paths = sorted((shared_data / "faces" / "orl").glob("*/*.png"))[::10]
    assert [path.name for path in paths if len(reader.look(read(path))) != 1] == []
    assert len(paths) >= 20


def test_a_photograph_as_members_send_them_enrols(shared_data: Path, reader: FaceReader) -> None:
    face: Face = run(reader.enrol(read(shared_data / "faces" / "azure_family" / "Family1-Dad" / "Family1-Dad1.jpg")))
    assert len(face.templates) == 2
