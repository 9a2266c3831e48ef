"""The item recogniser over TFLite: refuses what is not its model, and never mistakes an error for nothing."""

import hashlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.adapters.tflite import LITERT, TFLITE, ItemRecogniser, ModelError
from cabinet.adapters.tflite.engine import ALIKE, MOST_ENGINES, RUNTIMES, Engine
from cabinet.ports import PortError
from cabinet.units import Sku
from cabinet.vision.gallery import Reference

MODEL = Path(__file__).parents[2] / "models" / "item"
RED, STRIPES = Sku("red"), Sku("stripes")


def red() -> NDArray[np.uint8]:
    return np.full((120, 60, 3), (30, 30, 200), np.uint8)


def stripes() -> NDArray[np.uint8]:
    picture = np.full((90, 90, 3), 240, np.uint8)
    picture[::12] = picture[1::12] = picture[2::12] = (120, 60, 10)
    return picture


@pytest.fixture(scope="module")
def recogniser() -> ItemRecogniser:
    return ItemRecogniser(MODEL)


@pytest.fixture(scope="module")
def gallery(recogniser: ItemRecogniser) -> dict[Sku, Reference]:
    return {RED: Reference(recogniser.embed(red())), STRIPES: Reference(recogniser.embed(stripes()))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("model.toml", "model.tflite"):
        shutil.copy(MODEL / name, tmp_path / name)
    return tmp_path


def rewrite(folder: Path, old: str, new: str) -> None:
    text = (folder / "model.toml").read_text()
    assert old in text
    (folder / "model.toml").write_text(text.replace(old, new))


def test_a_vector_has_unit_length(recogniser: ItemRecogniser) -> None:
    assert float(np.linalg.norm(recogniser.embed(stripes()))) == pytest.approx(1)


def test_a_product_is_recognised_by_its_own_reference(
    recogniser: ItemRecogniser, gallery: dict[Sku, Reference]
) -> None:
    assert recogniser.scores(stripes(), gallery).skus[STRIPES] > 0.9


def test_scores_and_other_sum_to_one(recogniser: ItemRecogniser, gallery: dict[Sku, Reference]) -> None:
    scores = recogniser.scores(red(), gallery)
    assert sum(scores.skus.values()) + scores.other == pytest.approx(1)


def test_what_resembles_nothing_is_something_else(recogniser: ItemRecogniser, gallery: dict[Sku, Reference]) -> None:
    ring = np.full((160, 160, 3), 200, np.uint8)
    cv2.circle(ring, (80, 80), 50, (40, 160, 40), 14)
    assert recogniser.scores(ring, gallery).other > 0.5


def test_without_references_everything_is_something_else(recogniser: ItemRecogniser) -> None:
    assert recogniser.scores(red(), {}).other == 1


@pytest.mark.parametrize(
    "crop",
    [np.zeros((4, 50, 3), np.uint8), np.zeros((50, 50), np.uint8), np.full((50, 50, 3), np.nan)],
    ids=["sliver", "grey", "not bytes"],
)
def test_what_is_no_picture_is_an_error(recogniser: ItemRecogniser, crop: NDArray[np.uint8]) -> None:
    with pytest.raises(PortError, match="no picture"):
        recogniser.embed(crop)


@pytest.mark.parametrize("mean", [[1.0, 0.0], [float("nan")] * 128, [3.0] * 128], ids=["short", "nan", "long"])
def test_a_reference_of_another_model_is_an_error(recogniser: ItemRecogniser, mean: list[float]) -> None:
    with pytest.raises(PortError, match="another model"):
        recogniser.scores(red(), {RED: Reference(tuple(mean))})


def test_a_changed_file_is_refused_with_both_hashes(folder: Path) -> None:
    said = hashlib.sha256((folder / "model.tflite").read_bytes()).hexdigest()
    with (folder / "model.tflite").open("ab") as file:
        file.write(b"\0")
    found = hashlib.sha256((folder / "model.tflite").read_bytes()).hexdigest()
    with pytest.raises(ModelError) as refusal:
        ItemRecogniser(folder)
    assert said in str(refusal.value)
    assert found in str(refusal.value)


def test_a_model_that_is_not_as_described_is_refused(folder: Path) -> None:
    rewrite(folder, "dim = 128", "dim = 64")
    with pytest.raises(ModelError, match="64"):
        ItemRecogniser(folder)


def test_a_missing_key_is_named(folder: Path) -> None:
    rewrite(folder, "temperature =", "warmth =")
    with pytest.raises(ModelError, match="temperature"):
        ItemRecogniser(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.toml"):
        ItemRecogniser(tmp_path / "nowhere")


def test_bytes_that_are_no_model_are_refused(folder: Path) -> None:
    junk = b"not a model at all" * 100
    was = hashlib.sha256((folder / "model.tflite").read_bytes()).hexdigest()
    (folder / "model.tflite").write_bytes(junk)
    rewrite(folder, was, hashlib.sha256(junk).hexdigest())
    with pytest.raises(ModelError, match="no TFLite runtime"):
        ItemRecogniser(folder)


def test_both_runtimes_agree() -> None:
    one, other = (ItemRecogniser(MODEL, runtime) for runtime in (LITERT, TFLITE))
    assert float(np.dot(one.embed(stripes()), other.embed(stripes()))) > 0.98


def test_the_fastest_runtime_that_works_is_taken(recogniser: ItemRecogniser) -> None:
    def seconds(name: str) -> float:
        with ItemRecogniser(MODEL, name).engines.lent() as engine:
            engine.run(stripes())
            began = time.perf_counter()
            engine.run(stripes())
            return time.perf_counter() - began

    slower, faster = sorted(("tflite", "litert"), key=seconds, reverse=True)
    assert recogniser.runtime == RUNTIMES[faster].partition(".")[0] or seconds(slower) < 2 * seconds(faster)


def test_a_runtime_that_is_not_installed_is_said(folder: Path) -> None:
    with pytest.raises(ModelError, match="no_such_runtime"):
        ItemRecogniser(folder, "no_such_runtime")


def test_an_accelerator_that_is_not_there_is_said_and_the_cpu_computes() -> None:
    recogniser = ItemRecogniser(MODEL, "litert", delegate="libno_such_accelerator.so")
    assert "libno_such_accelerator.so" in str(recogniser.engines.trouble)
    assert recogniser.embed(red())


def test_several_crops_give_what_each_gives_alone(recogniser: ItemRecogniser) -> None:
    together = recogniser.embed_all([red(), stripes(), red()])
    assert together == [recogniser.embed(crop) for crop in (red(), stripes(), red())]


def test_two_threads_never_share_an_interpreter(recogniser: ItemRecogniser) -> None:
    with recogniser.engines.lent() as one, recogniser.engines.lent() as other:
        assert one is not other


def test_interpreters_are_used_again_and_bounded(recogniser: ItemRecogniser) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: recogniser.embed(red()), range(24)))
    assert recogniser.engines._made <= MOST_ENGINES


def spoilt(recogniser: ItemRecogniser, monkeypatch: pytest.MonkeyPatch, numbers: NDArray[np.float32]) -> None:
    """From now on the model answers with these numbers, whatever it is shown."""
    monkeypatch.setattr(Engine, "_numbers", lambda self, leaving: numbers[: int(np.prod(leaving["shape"]))].copy())


def test_numbers_that_are_none_are_an_error_and_the_recogniser_stays_in_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recogniser = ItemRecogniser(MODEL, "litert")
    spoilt(recogniser, monkeypatch, np.full(196, np.nan, np.float32))
    with pytest.raises(PortError, match="no vector"):
        recogniser.embed(red())
    assert "no vector" in str(recogniser.trouble())


def test_one_answer_for_every_picture_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser = ItemRecogniser(MODEL, "litert")
    spoilt(recogniser, monkeypatch, np.ones(196, np.float32))
    crops = np.random.default_rng(1).integers(0, 256, (ALIKE + 2, 60, 60, 3), dtype=np.uint8)
    with pytest.raises(PortError, match="one answer"):
        recogniser.embed_all(list(crops))
    assert recogniser.trouble() is not None


def test_a_bad_crop_is_no_trouble_of_the_recogniser(recogniser: ItemRecogniser) -> None:
    with pytest.raises(PortError):
        recogniser.embed(np.zeros((2, 2, 3), np.uint8))
    assert recogniser.trouble() is None


def test_a_crop_is_not_copied_before_it_is_prepared(recogniser: ItemRecogniser) -> None:
    """A view into a larger frame gives what a copy of it gives."""
    frame = np.random.default_rng(3).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    view = frame[40:200, 100:260]
    assert recogniser.embed(view) == recogniser.embed(view.copy())
