"""`cabinet eval` as a person runs it: on pictures the project has never seen, and on what cannot be right."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from cabinet.cli.app import app
from cabinet.sim import pictures

Pixels = NDArray[np.uint8]
SKUS = tuple(pictures.LOOKS)


def photograph(sku: str, seed: int) -> Pixels:
    """A whole photograph: the product somewhere on a quiet ground."""
    dice = np.random.default_rng(seed)
    unit = pictures.product(pictures.LOOKS[sku])
    scene = np.full((300, 260, 3), dice.integers(90, 160), np.uint8)
    left, top = int(dice.integers(20, 160)), int(dice.integers(20, 120))
    ground = np.all(unit == (255, 0, 255), axis=2)
    place = scene[top : top + 150, left : left + 70]
    place[~ground] = unit[~ground]
    noisy = scene + dice.normal(0, 4, scene.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("photographs")
    for n, sku in enumerate(SKUS):
        for folder, count in (("gallery", 4), ("queries", 3)):
            (place / folder / sku).mkdir(parents=True)
            for k in range(count):
                seed = 100 * n + k + (50 if folder == "queries" else 0)
                cv2.imwrite(str(place / folder / sku / f"{k}.jpg"), photograph(sku, seed))
    return place / "gallery", place / "queries"


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["eval", *map(str, words)])


def test_products_never_seen_are_told_apart_from_whole_photographs(folders: tuple[Path, Path]) -> None:
    gallery, queries = folders
    answer = json.loads(run("items", "--gallery", gallery, "--queries", queries, "--json").stdout)
    assert (answer["skus"], answer["queries"]) == (len(SKUS), 3 * len(SKUS))
    assert answer["top1"] >= 0.9
    assert answer["wilson"][0] <= answer["top1"] <= answer["wilson"][1]
    assert {"top3", "open_set_auroc", "ece", "ms_per_image", "overhead", "by_sku", "confusions"} <= set(answer)


def test_a_photograph_that_cannot_be_read_is_named_and_the_rest_is_measured(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    gallery, _ = folders
    (tmp_path / SKUS[0]).mkdir()
    cv2.imwrite(str(tmp_path / SKUS[0] / "good.jpg"), photograph(SKUS[0], 7))
    (tmp_path / SKUS[0] / "torn.jpg").write_bytes(b"\xff\xd8 torn")
    answer = json.loads(run("items", "--gallery", gallery, "--queries", tmp_path, "--json").stdout)
    assert answer["queries"] == 1
    assert ["torn.jpg" in line for line in answer["skipped"]] == [True]


def test_a_product_that_the_gallery_lacks_is_a_stranger(folders: tuple[Path, Path], tmp_path: Path) -> None:
    _, queries = folders
    (tmp_path / SKUS[1]).mkdir()
    cv2.imwrite(str(tmp_path / SKUS[1] / "one.jpg"), photograph(SKUS[1], 8))
    answer = json.loads(run("items", "--gallery", tmp_path, "--queries", queries, "--json").stdout)
    assert (answer["queries"], answer["strangers"]) == (3, 3 * (len(SKUS) - 1))


def test_the_picture_of_the_figures_is_drawn(folders: tuple[Path, Path], tmp_path: Path) -> None:
    gallery, queries = folders
    run("items", "--gallery", gallery, "--queries", queries, "--picture", tmp_path / "map.png")
    assert cv2.imread(str(tmp_path / "map.png")) is not None


@pytest.mark.parametrize("wrong", ["nowhere", "."], ids=["no folder", "no pictures"])
def test_folders_without_pictures_are_refused(tmp_path: Path, wrong: str) -> None:
    answer = run("items", "--gallery", tmp_path / wrong, "--queries", tmp_path)
    assert answer.exit_code == 2
    assert "--gallery" in answer.stderr


def film(path: Path, states: list[tuple[float, list[str | None]]]) -> None:
    """A shelf whose goods change; a hand comes in between."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (640, 480))
    seed = 0
    for n, (seconds, goods) in enumerate(states):
        for k in range(round(10 * seconds)):
            seed += 1
            frame = pictures.cabinet([goods, [None] * 6], seed=seed)
            if n and k < 12:  # until 1.2 s after the change the hand is still there
                x = 40 + 40 * k
                cv2.rectangle(frame, (x, 60), (x + 70, 300), (120, 150, 200), -1)
            writer.write(frame)
    writer.release()


def truth(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"events": events}))
    return path


def test_a_take_and_a_return_of_a_video_are_found_and_nothing_is_invented(tmp_path: Path) -> None:
    a, b = SKUS[:2]
    film(tmp_path / "film.avi", [(3, [a, b, a]), (4, [a, None, a]), (4, [a, b, a])])
    events = [{"t0": 3.0, "t1": 4.2, "action": "take"}, {"t0": 7.0, "t1": 8.2, "action": "return"}]
    answer = json.loads(
        run("frames", tmp_path / "film.avi", "--truth", truth(tmp_path / "t.json", events), "--json").stdout
    )
    assert (answer["matched"], answer["missed"], answer["invented"]) == (2, 0, 0)


def test_an_event_that_did_not_happen_is_missed(tmp_path: Path) -> None:
    film(tmp_path / "film.avi", [(4, [SKUS[0], SKUS[1]])])
    events = [{"t0": 2.0, "t1": 3.0, "action": "take"}]
    answer = json.loads(
        run("frames", tmp_path / "film.avi", "--truth", truth(tmp_path / "t.json", events), "--json").stdout
    )
    assert (answer["matched"], answer["missed"], answer["recall"]) == (0, 1, 0.0)


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"events": [{"t0": 1, "t1": 2, "action": "steal"}]}'], ids=["torn", "empty", "action"]
)
def test_a_truth_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    answer = run("frames", tmp_path / "film.avi", "--truth", tmp_path / "t.json")
    assert answer.exit_code == 2
    assert "t.json" in answer.stderr


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film")
    answer = run("frames", tmp_path / "film.mp4", "--truth", truth(tmp_path / "t.json", []))
    assert answer.exit_code != 0
    assert "film.mp4" in answer.stderr


def test_every_event_of_the_real_video_is_found_and_none_invented(shared_data: Path) -> None:
    bottles = shared_data / "interiors" / "bottles"
    answer = json.loads(run("frames", bottles / "bottles.mp4", "--truth", bottles / "truth.json", "--json").stdout)
    assert (answer["matched"], answer["missed"], answer["invented"]) == (3, 0, 0)
