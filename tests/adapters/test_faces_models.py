"""The small networks for faces, on a real portrait: found, aligned, encoded; broken model folders are refused."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.adapters.tflite import ModelError
from cabinet.adapters.tflite.blazeface import FaceFinder, Found, tiles
from cabinet.adapters.tflite.blazenet import anchors
from cabinet.adapters.tflite.facemarks import FaceMarks
from cabinet.adapters.tflite.faceprint import FacePrint
from cabinet.adapters.tflite.facetable import covering, merged, unseen
from cabinet.adapters.tflite.liveness import Liveness
from cabinet.adapters.tflite.runner import RUNTIMES, Runner
from cabinet.config import MODELS
from cabinet.ports import PortError
from cabinet.vision import faces
from tests.adapters.portrait import Pixels, beside, placed
from tests.adapters.portrait import astronaut as portrait

Change = Callable[..., Path]


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(MODELS / "face-detect", MODELS / "face-far")


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    return portrait()


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    """A copy of a model's folder, with lines of its model.toml changed: key="text of the line's value"."""

    def copy(name: str, **lines: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(MODELS / name, folder, ignore=shutil.ignore_patterns("training"))
        card = folder / "model.toml"
        text = card.read_text()
        for key, value in lines.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
            assert count == 1, key
        card.write_text(text)
        return folder

    return copy


# Found.


def inside(face: Found, x: float, y: float) -> bool:
    left, top, right, bottom = face.box
    return left < x < right and top < y < bottom


def test_the_face_is_found_where_it_is(finder: FaceFinder, astronaut: Pixels) -> None:
    (face,) = finder.find(astronaut)
    assert inside(face, 225, 110)


def test_marks_are_where_eyes_nose_mouth_and_ears_are(finder: FaceFinder, astronaut: Pixels) -> None:
    right_eye, left_eye, nose, mouth, right_ear, left_ear = finder.find(astronaut)[0].marks
    assert right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0]
    assert right_eye[1] < nose[1] < mouth[1]


def test_a_face_stays_the_same_place_in_a_wide_frame(finder: FaceFinder, astronaut: Pixels) -> None:
    here, there = finder.find(astronaut)[0], finder.find(placed(astronaut, 1.0, 500, 100))[0]
    moved = np.array(there.marks) - (500, 100) - np.array(here.marks)
    assert abs(moved).max() < 6


@pytest.mark.parametrize(("factor", "x"), [(0.75, 0), (0.75, 780), (1.0, 300), (1.35, 400)])
def test_somebody_at_any_usual_distance_is_found(finder: FaceFinder, astronaut: Pixels, factor: float, x: int) -> None:
    (face,) = finder.find(placed(astronaut, factor, x, 50))
    assert inside(face, x + 225 * factor, 50 + 110 * factor)


def test_the_largest_face_comes_first(finder: FaceFinder, astronaut: Pixels) -> None:
    frame = placed(astronaut, 0.9, 20, 200)
    frame[0:720, 600:] = placed(astronaut, 1.4, 600, 0)[0:720, 600:]
    first, second = finder.find(frame)
    assert first.area > second.area
    assert first.box[0] > 600


def test_a_far_face_has_exact_marks_too(finder: FaceFinder, astronaut: Pixels) -> None:
    here, there = finder.find(astronaut)[0], finder.find(placed(astronaut, 0.75, 600, 100))[0]
    moved = (np.array(there.marks) - (600, 100)) / 0.75 - np.array(here.marks)
    assert abs(moved[:4]).max() < 6


def test_without_the_network_for_far_faces_tiles_are_looked_at(astronaut: Pixels) -> None:
    frame = placed(astronaut, 0.9, 500, 100)
    (face,) = FaceFinder(MODELS / "face-detect").find(frame)
    assert inside(face, 500 + 225 * 0.9, 100 + 110 * 0.9)


def test_two_people_are_two_faces(finder: FaceFinder, astronaut: Pixels) -> None:
    assert len(finder.find(beside(astronaut, astronaut))) == 2


def test_an_empty_room_has_no_face(finder: FaceFinder) -> None:
    assert finder.find(np.full((720, 1280, 3), 128, np.uint8)) == []


def test_the_same_frame_gives_the_same_faces(finder: FaceFinder, astronaut: Pixels) -> None:
    assert finder.find(astronaut) == finder.find(astronaut.copy())


@pytest.mark.parametrize(
    "picture",
    [np.zeros((480, 640), np.uint8), np.zeros((48, 64, 3), np.float32), np.zeros((8, 640, 3), np.uint8),
     np.zeros((16, 9000, 3), np.uint8)],
)  # fmt: skip
def test_what_is_no_picture_is_an_error(finder: FaceFinder, picture: Pixels) -> None:
    with pytest.raises(PortError, match="picture"):
        finder.find(picture)


def test_a_strip_of_a_picture_is_looked_at_in_a_few_squares() -> None:
    assert len(list(tiles(8000, 20, 3))) <= 12


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (480, 640), (300, 900)])
def test_tiles_cover_the_picture_and_overlap(size: tuple[int, int]) -> None:
    seen = np.zeros((size[1], size[0]), np.int64)
    for left, top, side in tiles(*size, 2):
        assert left >= 0
        assert top >= 0
        seen[top : top + side, left : left + side] += 1
    assert seen.min() >= 1
    assert seen.max() >= 2


def test_far_faces_are_found_where_they_must_be_blurred(finder: FaceFinder, astronaut: Pixels) -> None:
    x, y = 900 + 225 * 0.33, 300 + 110 * 0.33
    boxes = finder.boxes(placed(astronaut, 0.33, 900, 300))
    assert any(left < x < right and top < y < bottom for left, top, right, bottom in boxes)


def test_boxes_stay_within_the_picture(finder: FaceFinder, astronaut: Pixels) -> None:
    for left, top, right, bottom in finder.boxes(np.ascontiguousarray(astronaut[90:, 200:])):
        assert 0 <= left < right <= 312
        assert 0 <= top < bottom <= 422


def test_a_blurred_face_is_found_no_more(finder: FaceFinder, astronaut: Pixels) -> None:
    assert finder.boxes(faces.blur_faces(astronaut, finder.boxes(astronaut))) == []


# Candidates.


def row(left: float, top: float, right: float, bottom: float, score: float) -> NDArray[np.float64]:
    return np.array([left, top, right, bottom, *([0.0] * 12), score])


def test_candidates_of_one_face_are_averaged_by_their_scores() -> None:
    (one,) = merged(np.array([row(0, 0, 10, 10, 0.9), row(1, 1, 11, 11, 0.6)]), 0.3)
    assert one[:4] == pytest.approx([0.4, 0.4, 10.4, 10.4])


def test_a_small_box_within_a_face_is_no_other_face() -> None:
    assert len(merged(np.array([row(0, 0, 100, 100, 0.9), row(20, 20, 50, 50, 0.5)]), 0.3)) == 1


def test_neighbours_stay_two() -> None:
    assert len(merged(np.array([row(0, 0, 100, 100, 0.9), row(90, 0, 190, 100, 0.5)]), 0.3)) == 2


def test_a_face_that_is_known_is_not_new() -> None:
    known, rows = np.array([row(0, 0, 100, 100, 0.7)]), np.array([row(4, 4, 104, 104, 0.9), row(200, 0, 300, 90, 0.6)])
    np.testing.assert_array_equal(unseen(rows, known, 0.3), rows[1:])


def test_where_nobody_is_known_everybody_is_new() -> None:
    rows = np.array([row(0, 0, 100, 100, 0.7)])
    np.testing.assert_array_equal(unseen(rows, rows[:0], 0.3), rows)


def test_what_must_be_blurred_is_all_that_was_seen_of_a_face() -> None:
    (box,) = covering(np.array([row(0, 0, 100, 100, 0.9), row(10, 10, 130, 120, 0.5)]), 0.3)
    assert box[:4].tolist() == [0, 0, 130, 120]


def test_anchors_stand_in_the_middle_of_their_cells() -> None:
    assert anchors(4, [2], [1]).tolist() == [[1, 1], [3, 1], [1, 3], [3, 3]]


# Encoded.


def vector(astronaut: Pixels, finder: FaceFinder) -> NDArray[np.float32]:
    chip = faces.warped(astronaut, faces.by_marks(finder.find(astronaut)[0].marks), faces.CHIP)
    return FacePrint(MODELS / "face-embed").vector(chip)


def test_a_face_becomes_128_numbers(astronaut: Pixels, finder: FaceFinder) -> None:
    assert vector(astronaut, finder).shape == (128,)


def test_a_face_and_its_mirror_image_are_the_same(astronaut: Pixels, finder: FaceFinder) -> None:
    chip = faces.warped(astronaut, faces.by_marks(finder.find(astronaut)[0].marks), faces.CHIP)
    model = FacePrint(MODELS / "face-embed")
    np.testing.assert_allclose(model.vector(chip), model.vector(np.ascontiguousarray(chip[:, ::-1])), atol=1e-5)


def test_a_face_in_other_light_stays_near(astronaut: Pixels, finder: FaceFinder) -> None:
    dark = np.asarray(cv2.convertScaleAbs(astronaut, alpha=0.6), np.uint8)
    assert np.linalg.norm(vector(astronaut, finder) - vector(dark, finder)) < 0.3


def test_both_runtimes_encode_a_face_alike(astronaut: Pixels, finder: FaceFinder) -> None:
    chip = faces.warped(astronaut, faces.by_marks(finder.find(astronaut)[0].marks), faces.CHIP)
    one, other = (FacePrint(MODELS / "face-embed", runtime).vector(chip) for runtime in RUNTIMES)
    assert np.linalg.norm(one - other) < 0.03


def test_a_chip_of_another_size_is_refused() -> None:
    with pytest.raises(PortError, match="150x150"):
        FacePrint(MODELS / "face-embed").vector(np.zeros((100, 100, 3), np.uint8))


def test_a_network_for_something_else_is_no_face_print() -> None:
    with pytest.raises(ModelError, match="no network of 150 pixels"):
        FacePrint(MODELS / "face-marks")


# The mesh.


@pytest.fixture(scope="module")
def marks() -> FaceMarks:
    return FaceMarks(MODELS / "face-marks")


def test_the_mesh_lies_on_the_face(marks: FaceMarks, finder: FaceFinder, astronaut: Pixels) -> None:
    face = finder.find(astronaut)[0]
    mesh = marks.mesh(astronaut, face.box)
    assert mesh is not None
    assert np.linalg.norm(mesh.points[1] - face.marks[2]) < 12  # the nose


def test_the_mesh_follows_a_head_that_leans(marks: FaceMarks, finder: FaceFinder, astronaut: Pixels) -> None:
    turn = cv2.getRotationMatrix2D((225, 110), -35, 1.0)
    leaning = np.asarray(cv2.warpAffine(astronaut, turn, (512, 512)), np.uint8)
    (face,) = finder.find(leaning)
    mesh = marks.mesh(leaning, face.box, faces.pose(face.marks)[2])
    assert mesh is not None
    eyes = mesh.points[[33, 263]]
    assert faces.pose([tuple(eyes[0]), tuple(eyes[1]), tuple(eyes[0])])[2] == pytest.approx(35, abs=8)


def test_open_eyes_are_open(marks: FaceMarks, finder: FaceFinder, astronaut: Pixels) -> None:
    mesh = marks.mesh(astronaut, finder.find(astronaut)[0].box)
    assert mesh is not None
    assert mesh.eyes_open > 0.18


def test_a_wall_has_no_mesh(marks: FaceMarks) -> None:
    assert marks.mesh(np.full((480, 640, 3), 90, np.uint8), (200, 100, 400, 300)) is None


# Liveness, with a network of 128 answers standing in: what is read from model.toml, and what is made of the answer.

LIVE = """
[crop]
scales = [2.7, 4.0]
fit = "inside"
[output]
live = 3
classes = 128
softmax = true
[match]
live_from = 0.8
spoof_below = 0.2
"""


@pytest.fixture
def live(changed: Change) -> Callable[..., Path]:
    """A folder of a liveness model; `old`, `new`: what is different in its model.toml."""

    def make(old: str = "", new: str = "") -> Path:
        folder = changed("face-embed")
        card = folder / "model.toml"
        head = card.read_text().split("[crop]")[0]
        card.write_text(head + (LIVE.replace(old, new) if old else LIVE))
        return folder

    return make


def test_liveness_is_a_share(live: Callable[..., Path], astronaut: Pixels) -> None:
    assert 0 < Liveness(live()).score(astronaut, (170, 60, 280, 170)) < 0.1  # one of 128


def test_liveness_is_the_mean_over_the_crops(live: Callable[..., Path], astronaut: Pixels, tmp_path: Path) -> None:
    box, scores = (170, 60, 280, 170), []
    for scales in ("[2.7, 4.0]", "[2.7]", "[4.0]"):
        scores.append(Liveness(live("[2.7, 4.0]", scales)).score(astronaut, box))
        shutil.rmtree(tmp_path / "face-embed")
    assert scores[0] == pytest.approx((scores[1] + scores[2]) / 2)


def test_the_thresholds_are_the_models_own(live: Callable[..., Path]) -> None:
    model = Liveness(live())
    assert (model.live_from, model.spoof_below) == (0.8, 0.2)


@pytest.mark.parametrize(
    ("old", "new"),
    [("live = 3", "live = 128"), ("classes = 128", "classes = 2"), ("scales = [2.7, 4.0]", "scales = []"),
     ("spoof_below = 0.2", "spoof_below = 0.9"), ("live_from = 0.8", ""), ("[2.7, 4.0]", "[2.7, -1]"),
     ('fit = "inside"', 'fit = "black"')],
)  # fmt: skip
def test_a_liveness_model_that_contradicts_its_card_is_refused(live: Callable[..., Path], old: str, new: str) -> None:
    with pytest.raises(ModelError, match=r"model\.toml"):
        Liveness(live(old, new))


def test_the_shipped_liveness_model_reads_as_its_card_says(astronaut: Pixels, finder: FaceFinder) -> None:
    score = Liveness(MODELS / "face-live").score(astronaut, finder.find(astronaut)[0].box)
    assert 0.0 <= score <= 1.0


# Folders that are not what they should be.


def test_a_file_that_is_another_is_refused(changed: Change) -> None:
    with pytest.raises(ModelError, match="sha256"):
        FaceFinder(changed("face-detect", sha256=f'"{"0" * 64}"'))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        FaceFinder(tmp_path / "nowhere")


def test_a_file_that_is_not_there_is_named(changed: Change) -> None:
    with pytest.raises(ModelError, match="gone"):
        FaceFinder(changed("face-detect", file='"gone.tflite"'))


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [("face-detect", "grids", "[16, 4]"), ("face-detect", "least_score", "1.5"), ("face-detect", "overlap", '"some"'),
     ("face-detect", "std", "0"), ("face-detect", "colour", '"GREY"'), ("face-detect", "version", ""),
     ("face-marks", "points", "400"), ("face-marks", "nose", "999"), ("face-marks", "right_eye", "[1, 2]"),
     ("face-marks", "scales", "[]"), ("face-marks", "present_from", "0")],
)  # fmt: skip
def test_a_card_that_contradicts_its_file_is_refused(changed: Change, model: str, key: str, value: str) -> None:
    kind = FaceFinder if model == "face-detect" else FaceMarks
    with pytest.raises(ModelError, match=r"model\.toml"):
        kind(changed(model, **{key: value}))


def test_a_machine_without_a_runtime_says_what_to_do() -> None:
    with pytest.raises(ModelError, match="make setup"):
        Runner(MODELS / "face-detect", runtime="no_such_runtime")


def test_both_runtimes_find_the_same_face(astronaut: Pixels) -> None:
    found = [FaceFinder(MODELS / "face-detect", runtime=runtime).find(astronaut) for runtime in RUNTIMES]
    assert found[0][0].marks == pytest.approx(np.array(found[1][0].marks), abs=0.5)
