"""The item recogniser: a TFLite embedder and a comparison with the class means of the gallery.

Either runtime serves (`tflite_runtime` or `ai_edge_litert`); what a model folder must say is in its model.toml.  A file
that is not the one model.toml speaks of is refused with both hashes.  Numbers that are no numbers, a crop that is no
picture, a gallery of another model: always an error, never "nothing seen".
"""

import hashlib
import importlib
import platform
import threading
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.ports import PortError, Scores
from cabinet.units import Sku
from cabinet.vision.gallery import Gallery

TFLITE, LITERT = "tflite_runtime.interpreter", "ai_edge_litert.interpreter"
THREADS = 1  # two threads on a busy box took 800 ms and more instead of 18
SMALLEST_PX = 8  # a crop with a shorter side shows no product
UNIT_TOLERANCE = 0.02  # of a class mean's length; a mean that is not of unit length was not made by us

Vector = NDArray[np.float64]


class ModelError(PortError):
    """The model folder or its file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Card:
    """model.toml."""

    name: str
    version: str
    file: str
    sha256: str
    shape: tuple[int, ...]  # batch, height, width, channel
    colour: str
    mean: float
    std: float
    dim: int
    temperature: float
    other_threshold: float  # the cosine that "something else" is given


def runtimes() -> tuple[str, ...]:
    """Fastest first: on x86 the older one is 9-28 times slower with int8; on ARM they are equal, and it is smaller."""
    return (LITERT, TFLITE) if platform.machine() in {"x86_64", "AMD64"} else (TFLITE, LITERT)


class ItemRecogniser:
    """Implements `Recogniser`.  Calls from several threads take turns."""

    def __init__(self, folder: Path, runtime: str | None = None) -> None:
        """Loads `folder`/model.toml and the file it names.  `runtime`: a module, or None for the fastest that works.

        Raises ModelError with the remedy.
        """
        self.card = read_card(folder)
        model = _checked_bytes(folder / self.card.file, self.card.sha256)
        self.runtime, self._engine = _build(model, (runtime,) if runtime else runtimes())
        self._entry = self._engine.get_input_details()[0]
        self._leaving = self._engine.get_output_details()[0]
        self._turn = threading.Lock()
        self._check_tensors(folder)

    @property
    def name(self) -> str:
        """Which model made a vector: vectors of different names never compare."""
        return f"{self.card.name}-{self.card.version}-{self.card.sha256[:8]}"

    def model_info(self) -> dict[str, str]:
        """For doctor."""
        card = self.card
        return {
            "model": self.name, "runtime": self.runtime, "sha256": card.sha256, "input": "x".join(map(str, card.shape)),
            "temperature": f"{card.temperature:g}", "other_threshold": f"{card.other_threshold:g}",
        }  # fmt: skip

    def embed(self, crop: NDArray[np.uint8]) -> tuple[float, ...]:
        """A unit vector of a tight crop (BGR).  Raises PortError."""
        return tuple(float(x) for x in self._vector(crop))

    def embed_all(self, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[float, ...]]:
        return [self.embed(crop) for crop in crops]

    def scores_all(self, crops: Sequence[NDArray[np.uint8]], gallery: Gallery) -> list[Scores]:
        return [self.scores(crop, gallery) for crop in crops]

    def find(self, picture: NDArray[np.uint8]) -> tuple[int, int, int, int]:
        """The middle of the photograph."""
        height, width = picture.shape[:2]
        side = round(min(height, width) * 0.65)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side

    def scores(self, crop: NDArray[np.uint8], gallery: Gallery) -> Scores:
        """Softmax over cosine / temperature, with `other` as one more product of constant cosine.

        An empty gallery knows nothing: `other` is 1.  Raises PortError.
        """
        vector = self._vector(crop)
        means = [self._mean(sku, known.mean) for sku, known in gallery.items()]
        cosines = np.array([*(float(vector @ mean) for mean in means), self.card.other_threshold])
        powers = np.exp((cosines - cosines.max()) / self.card.temperature)
        shares = powers / powers.sum()
        if not np.isfinite(shares).all():
            raise PortError("recogniser: its scores are no numbers; check the model with cabinet doctor")
        return Scores(dict(zip(gallery, map(float, shares), strict=False)), float(shares[-1]))

    def _mean(self, sku: Sku, mean: Sequence[float]) -> Vector:
        vector = np.asarray(mean, np.float64)
        if vector.shape != (self.card.dim,) or not abs(float(np.linalg.norm(vector)) - 1) < UNIT_TOLERANCE:
            raise PortError(f"recogniser: the reference of {sku} was made by another model: add its photographs again")
        return vector

    def _vector(self, crop: NDArray[np.uint8]) -> Vector:
        tensor = self._prepared(crop)
        with self._turn:
            self._engine.set_tensor(self._entry["index"], tensor)
            self._engine.invoke()
            raw = np.array(self._engine.get_tensor(self._leaving["index"]), np.float64).reshape(-1)
        scale, zero = self._leaving["quantization"]
        vector = (raw - zero) * scale if scale else raw
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length < 1e-6:
            raise PortError("recogniser: the model's answer is no vector; check it with cabinet doctor")
        return np.asarray(vector / length, np.float64)

    def _prepared(self, crop: NDArray[np.uint8]) -> NDArray[Any]:
        if crop.dtype != np.uint8 or crop.ndim != 3 or crop.shape[2] != 3 or min(crop.shape[:2]) < SMALLEST_PX:
            raise PortError(f"recogniser: no picture to look at: {crop.dtype} {crop.shape}")
        height, width = self.card.shape[1:3]
        shrinking = min(crop.shape[:2]) > min(height, width)
        square = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
        ordered = cv2.cvtColor(square, cv2.COLOR_BGR2RGB) if self.card.colour == "RGB" else square
        values = (ordered.astype(np.float32) - self.card.mean) / self.card.std
        kind = np.dtype(self._entry["dtype"])
        scale, zero = self._entry["quantization"]
        if np.issubdtype(kind, np.integer) and scale:
            bounds = np.iinfo(kind)
            values = np.clip(np.round(values / scale) + zero, bounds.min, bounds.max)
        return np.asarray(values[None].astype(kind))

    def _check_tensors(self, folder: Path) -> None:
        given, asked = tuple(int(n) for n in self._entry["shape"]), self.card.shape
        size = int(np.prod(self._leaving["shape"]))
        if given != asked or size != self.card.dim:
            raise ModelError(
                f"{folder}: the file takes {given}, gives {size} numbers; model.toml says {asked} and {self.card.dim}"
            )


def read_card(folder: Path) -> Card:
    """Raises ModelError naming the file and the key."""
    path = folder / "model.toml"
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
        entry, match = facts["input"], facts["match"]
        card = Card(
            str(facts["name"]), str(facts["version"]), str(facts["file"]), str(facts["sha256"]).lower(),
            tuple(int(n) for n in entry["shape"]), str(entry.get("colour", "RGB")),
            float(entry["mean"]), float(entry["std"]), int(facts["output"]["dim"]),
            float(match["temperature"]), float(match["other_threshold"]),
        )  # fmt: skip
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; name the model's folder under [items]") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from error
    except KeyError as error:
        raise ModelError(f"{path}: the key {error} is missing") from error
    if len(card.shape) != 4 or card.temperature <= 0 or card.std <= 0 or card.colour not in {"RGB", "BGR"}:
        raise ModelError(f"{path}: shape, std, temperature or colour is out of its range")
    return card


def _checked_bytes(path: Path, wanted: str) -> bytes:
    try:
        model = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; fetch the model again") from error
    found = hashlib.sha256(model).hexdigest()
    if found != wanted:
        raise ModelError(f"{path}: sha256 is {found}, model.toml says {wanted}: fetch the model again")
    return model


def _build(model: bytes, names: Sequence[str]) -> tuple[str, Any]:
    """The first runtime that can really run the model: importing alone proves nothing."""
    complaints = []
    for name in names:
        try:
            engine = importlib.import_module(name).Interpreter(model_content=model, num_threads=THREADS)
            engine.allocate_tensors()
        except (ImportError, AttributeError, RuntimeError, ValueError, SystemError, TypeError) as error:
            complaints.append(f"{name}: {error}")
        else:
            return name.partition(".")[0], engine
    raise ModelError(f"no TFLite runtime can run the model; make setup installs one ({'; '.join(complaints)})")
