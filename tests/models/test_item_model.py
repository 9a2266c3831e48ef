"""The item embedder as shipped: the file is the one its card speaks of, runs, and tells unseen products apart."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from cabinet.adapters.tflite import ItemRecogniser

FOLDER = Path(__file__).parents[2] / "models" / "item"
CENTRE = 0.65  # share of the short side; as in training/photos.py
FLOOR = 0.80  # 0.14 is chance
REFERENCES, QUERIES = 5, 6  # photographs a class

Vectors = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]


class Embedder:
    """Runs the file the way model.toml says."""

    def __init__(self, runtime: Any, card: dict[str, Any]) -> None:
        self.engine = runtime.Interpreter(str(FOLDER / card["file"]), num_threads=1)
        self.engine.allocate_tensors()
        self.entry = self.engine.get_input_details()[0]
        leaving = {int(np.prod(d["shape"])): d for d in self.engine.get_output_details()}
        self.leaving = leaving[card["output"]["dim"]]
        self.map = leaving[card["output"]["grid"] ** 2]
        self.mean, self.std = card["input"]["mean"], card["input"]["std"]
        self.height, self.width = card["input"]["shape"][1:3]

    def __call__(self, rgb: Pixels) -> Vectors:
        square = cv2.resize(rgb, (self.width, self.height), interpolation=cv2.INTER_AREA).astype(np.float64)
        scale, zero = self.entry["quantization"]
        steps = np.clip(np.round((square - self.mean) / self.std / scale) + zero, -128, 127).astype(np.int8)
        self.engine.set_tensor(self.entry["index"], steps[None])
        self.engine.invoke()
        scale, zero = self.leaving["quantization"]
        vector = (self.engine.get_tensor(self.leaving["index"])[0].astype(np.float64) - zero) * scale
        return np.asarray(vector / np.linalg.norm(vector))


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "model.toml").read_text())


@pytest.fixture(scope="module")
def embedder(card: dict[str, Any]) -> Embedder:
    return Embedder(pytest.importorskip("ai_edge_litert.interpreter", exc_type=ImportError), card)


def middle(path: Path) -> Pixels:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, path
    height, width = picture.shape[:2]
    side = int(min(height, width) * CENTRE)
    top, left = (height - side) // 2, (width - side) // 2
    cut = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)[top : top + side, left : left + side]
    return np.asarray(cut, dtype=np.uint8)


def test_the_model_file_is_the_one_that_model_toml_names(card: dict[str, Any]) -> None:
    assert hashlib.sha256((FOLDER / card["file"]).read_bytes()).hexdigest() == card["sha256"]


def test_the_model_file_fits_a_small_board() -> None:
    assert (FOLDER / "model.tflite").stat().st_size <= 6_000_000


def test_the_file_takes_and_gives_tensors_as_stated(card: dict[str, Any], embedder: Embedder) -> None:
    assert embedder.entry["shape"].tolist() == card["input"]["shape"]
    assert embedder.entry["dtype"] == np.dtype(card["input"]["dtype"])
    assert embedder.leaving["shape"].tolist() == [1, card["output"]["dim"]]
    assert embedder.map["shape"].tolist() == [1, card["output"]["grid"] ** 2]
    assert embedder.leaving["dtype"] == np.dtype(card["output"]["dtype"])


def test_one_picture_always_gives_the_same_vector(embedder: Embedder) -> None:
    picture = np.random.default_rng(7).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    assert np.array_equal(embedder(picture), embedder(picture))


def test_both_runtimes_give_nearly_the_same_vector(card: dict[str, Any], embedder: Embedder) -> None:
    other = Embedder(pytest.importorskip("tflite_runtime.interpreter", exc_type=ImportError), card)
    picture = np.full((224, 224, 3), 90, np.uint8)
    cv2.circle(picture, (112, 112), 60, (220, 40, 30), -1)
    assert float(embedder(picture) @ other(picture)) > 0.98


def test_products_are_told_apart_from_five_references(shared_data: Path, embedder: Embedder) -> None:
    """A check that the file works: it has seen these products, and the figures of unseen ones are the folds'."""
    packaged = shared_data / "grocery" / "packaged"
    names = sorted(f.name for f in (packaged / "test").iterdir())[::3]
    means, queries = [], []
    for name in names:
        train, test = (sorted((packaged / split / name).glob("*.jpg")) for split in ("train", "test"))
        mean = np.mean([embedder(middle(p)) for p in train[:: len(train) // REFERENCES][:REFERENCES]], axis=0)
        means.append(mean / np.linalg.norm(mean))
        queries.append([embedder(middle(p)) for p in test[:: len(test) // QUERIES][:QUERIES]])
    right = [np.argmax(q @ np.stack(means).T, axis=1) == i for i, q in enumerate(np.array(queries))]
    assert float(np.mean(right)) > FLOOR


def test_the_finder_meets_a_product_put_anywhere_on_another_picture(shared_data: Path) -> None:
    recogniser = ItemRecogniser(FOLDER)
    packaged = shared_data / "grocery" / "packaged" / "test"
    ground = cv2.imread(str(min((shared_data / "interiors" / "shelf").glob("*.jpg"))))
    assert ground is not None
    ground = cv2.GaussianBlur(cv2.resize(ground, (480, 480)), (0, 0), 9)
    met = []
    for n, folder in enumerate(sorted(packaged.iterdir())[:12]):
        item = cv2.imread(str(min(folder.glob("*.jpg"))))
        assert item is not None
        item = cv2.resize(
            item[item.shape[0] // 5 : -item.shape[0] // 5, item.shape[1] // 4 : -item.shape[1] // 4], (150, 210)
        )
        left, top = 30 + 23 * n, 40 + 17 * n
        scene = ground.copy()
        scene[top : top + 210, left : left + 150] = item
        x0, y0, x1, y1 = recogniser.find(np.asarray(scene, np.uint8))
        across, down = min(x1, left + 150) - max(x0, left), min(y1, top + 210) - max(y0, top)
        both = max(across, 0) * max(down, 0)
        met.append(both / ((x1 - x0) * (y1 - y0) + 150 * 210 - both))
    assert float(np.median(met)) > 0.5
