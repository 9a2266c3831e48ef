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


def shelf_states(folder: Path, states: list[list[str | None]]) -> Path:
    folder.mkdir(exist_ok=True)
    truth = {}
    for n, goods in enumerate(states):
        cv2.imwrite(str(folder / f"{n}.jpg"), pictures.cabinet([goods, [None] * 6], seed=n))
        truth[str(n)] = {sku: goods.count(sku) for sku in SKUS if sku in goods}
    (folder / "truth.json").write_text(json.dumps({"truth": truth}))
    return folder


def test_what_left_a_shelf_between_two_states_is_told_with_its_count(tmp_path: Path) -> None:
    a, b, c = SKUS[0], SKUS[2], SKUS[3]
    folder = shelf_states(tmp_path / "s", [[a, a, b, c], [None, a, b, None], [None, a, None, None]])
    answer = json.loads(run("states", folder, "--json").stdout)
    assert [(pair["seen"], pair["exact"]) for pair in answer["pairs"]] == [({a: -1, c: -1}, True), ({b: -1}, True)]
    assert (answer["exact"], answer["of"], answer["phantoms"], answer["missed"]) == (2, 2, 0, 0)


def test_references_may_be_given(tmp_path: Path) -> None:
    a, b = SKUS[0], SKUS[2]
    folder = shelf_states(tmp_path / "s", [[a, b], [a, None]])
    for sku in (a, b):
        (tmp_path / "refs" / sku).mkdir(parents=True)
        for k in range(3):
            cv2.imwrite(str(tmp_path / "refs" / sku / f"{k}.png"), photograph(sku, k))
    answer = json.loads(run("states", folder, "--references", tmp_path / "refs", "--json").stdout)
    assert [pair["seen"] for pair in answer["pairs"]] == [{b: -1}]


def test_a_truth_that_does_not_fit_is_not_called_exact(tmp_path: Path) -> None:
    a, b = SKUS[0], SKUS[2]
    folder = shelf_states(tmp_path / "s", [[a, b], [a, None]])
    (folder / "truth.json").write_text(json.dumps({"truth": {"0": {a: 2, b: 1}, "1": {a: 1}}}))
    assert json.loads(run("states", folder, "--json").stdout)["exact"] == 0


def test_a_missing_state_picture_is_named(tmp_path: Path) -> None:
    folder = shelf_states(tmp_path / "s", [[SKUS[0]], [None]])
    (folder / "1.jpg").unlink()
    answer = run("states", folder)
    assert answer.exit_code == 2
    assert "1.jpg" in answer.stderr


def test_every_change_of_the_real_cabinet_is_exact(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "interiors" / "vending_states"
    answer = json.loads(run("states", folder, "--picture", tmp_path / "states.png", "--json").stdout)
    assert (answer["exact"], answer["of"], answer["phantoms"]) == (4, 4, 0)
    assert (tmp_path / "states.png").is_file()
