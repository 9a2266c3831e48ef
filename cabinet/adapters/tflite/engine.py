"""Runs a TFLite file: chooses the runtime, hands crops to it without copies, lends each interpreter to one thread.

Either runtime serves (`ai_edge_litert`, `tflite_runtime`); where both are there and none is asked for, both run the
model once and the faster stays.  Numbers that are no numbers, or one answer for every picture: an error.
"""

import ctypes
import importlib
import logging
import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from cabinet.adapters.tflite.card import Card, ModelError
from cabinet.adapters.tflite.runner import LITERT, RUNTIMES, TFLITE, THREADS, Numbers, Pixels, numbers, steps
from cabinet.ports import PortError

MOST_ENGINES = 2  # of one model: the witness's thread and the technician's; each takes about 12 MB
SMALLEST_PX = 8  # a crop with a shorter side shows no product
ALIKE = 5  # different crops in a row with the very same answer: the model is broken

__all__ = ["ALIKE", "LITERT", "RUNTIMES", "TFLITE", "Answer", "Engine", "Engines", "Numbers", "Pixels"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    vector: Numbers  # of unit length
    odds: Numbers  # grid x grid, log-odds that a cell lies on the product


class Engine:
    """One interpreter: for one thread at a time."""

    def __init__(self, model: bytes, card: Card, runtime: str, delegate: str | None = None) -> None:
        """Raises what the runtime raises; ModelError where the tensors are not as the card says."""
        module = importlib.import_module(runtime)
        more = {} if delegate is None else {"experimental_delegates": [module.load_delegate(delegate)]}
        self.runtime = runtime.partition(".")[0]
        self.card = card
        self.interpreter = module.Interpreter(model_content=model, num_threads=THREADS, **more)
        self.interpreter.allocate_tensors()
        self._entry = self.interpreter.get_input_details()[0]
        leaving = {int(np.prod(d["shape"])): d for d in self.interpreter.get_output_details()}
        if tuple(int(n) for n in self._entry["shape"]) != card.shape or {card.dim, card.grid**2} - set(leaving):
            takes, gives = "x".join(map(str, self._entry["shape"])), " and ".join(map(str, leaving))
            raise ModelError(
                f"{card.file}: takes {takes}, gives {gives} numbers; model.toml says "
                f"{'x'.join(map(str, card.shape))}, {card.dim} and {card.grid**2}"
            )
        self._vector, self._map = leaving[card.dim], leaving[card.grid**2]
        self._steps = steps(card.mean, card.std, self._entry)
        self._square = np.empty((*card.shape[1:3], 3), np.uint8)
        self._last: tuple[bytes, bytes] = b"", b""
        self._repeats = 0

    def run(self, crop: Pixels) -> Answer:
        """A crop (BGR, any size).  Raises PortError for no picture, or an answer that is none."""
        self.fill(crop)
        return self.answer()

    def fill(self, crop: Pixels) -> None:
        """Bring the crop to the model's size, colour order and numbers, straight into the input tensor."""
        if crop.dtype != np.uint8 or crop.ndim != 3 or crop.shape[2] != 3 or min(crop.shape[:2]) < SMALLEST_PX:
            raise PortError(f"recogniser: no picture to look at: {crop.dtype} {crop.shape}")
        height, width = self.card.shape[1:3]
        cv2.resize(_shrunk(crop, width, height), (width, height), self._square, interpolation=cv2.INTER_LINEAR)
        if self.card.colour == "RGB":
            cv2.cvtColor(self._square, cv2.COLOR_BGR2RGB, self._square)
        tensor = self.interpreter.tensor(self._entry["index"])()[0]  # a view: gone before the model runs
        if self._steps.dtype.itemsize == 1:
            cv2.LUT(self._square, self._steps.view(np.uint8), tensor.view(np.uint8))
        else:
            np.take(self._steps, self._square, out=tensor)

    def answer(self) -> Answer:
        """Run the model on what was filled in.  Raises PortError where its answer is none."""
        self.interpreter.invoke()
        vector, odds = self._numbers(self._vector), self._numbers(self._map)
        length = float(np.sqrt(vector @ vector))
        if not np.isfinite(length) or length < 1e-6 or not np.isfinite(odds).all():
            raise PortError("recogniser: the model's answer is no vector; restore models/item and restart")
        marks = self._square[::16, ::16].tobytes(), vector.tobytes()
        same = marks[1] == self._last[1] and marks[0] != self._last[0]
        self._repeats = self._repeats + 1 if same else 0
        self._last = marks
        if self._repeats >= ALIKE:
            raise PortError("recogniser: the model gives one answer for every picture; restore models/item and restart")
        return Answer(np.asarray(vector / length, np.float32), odds.reshape(self.card.grid, self.card.grid))

    def _numbers(self, leaving: Any) -> Numbers:  # noqa: ANN401  the runtime's description of a tensor
        return numbers(self.interpreter.get_tensor(leaving["index"]), leaving["quantization"]).reshape(-1)


def _shrunk(crop: Pixels, width: int, height: int) -> Pixels:
    """Less than four times width x height: by whole factors first, as interpolating alone would skip pixels."""
    down, across = max(crop.shape[0] // (2 * height), 1), max(crop.shape[1] // (2 * width), 1)
    if down * across == 1:
        return crop
    whole = crop[: crop.shape[0] // down * down, : crop.shape[1] // across * across]
    size = whole.shape[1] // across, whole.shape[0] // down
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)


class Engines:
    """The interpreters of one model: made when first needed, at most MOST_ENGINES, lent to one thread at a time."""

    def __init__(self, model: bytes, card: Card, runtime: str = "auto", delegate: str | None = None) -> None:
        """`runtime`: litert, tflite, or auto for the faster of those that can run the model.

        `delegate`: shared library of an accelerator; where it cannot be used, `trouble` says so and the CPU computes.
        Raises ModelError with the remedy.
        """
        self._model, self._card, self._delegate = model, card, delegate
        self.trouble: str | None = None  # of the accelerator
        names = list(RUNTIMES.values()) if runtime == "auto" else [RUNTIMES.get(runtime, runtime)]
        first = self._accelerated(names) or _fastest(self._built(names))
        self.runtime = first.runtime
        self._name = next(name for name in names if name.partition(".")[0] == first.runtime)
        self._free: queue.SimpleQueue[Engine] = queue.SimpleQueue()
        self._free.put(first)
        self._made = 1

    @contextmanager
    def lent(self) -> Iterator[Engine]:
        """An interpreter for the calling thread; waits for one where all are out."""
        try:
            engine = self._free.get_nowait()
        except queue.Empty:
            engine = self._another() or self._free.get()
        try:
            yield engine
        finally:
            self._free.put(engine)

    def _another(self) -> Engine | None:
        if self._made >= MOST_ENGINES:
            return None
        self._made += 1
        return Engine(self._model, self._card, self._name, self._delegate if self.trouble is None else None)

    def _accelerated(self, names: Sequence[str]) -> Engine | None:
        """With the accelerator, on the first runtime that can; None where it is not asked for or not to be had."""
        if self._delegate is None:
            return None
        why: Exception | None = None
        for name in names:
            try:
                ctypes.CDLL(self._delegate)  # the runtimes' own attempt leaves a broken object behind where it fails
                return Engine(self._model, self._card, name, self._delegate)
            except (ImportError, OSError, AttributeError, RuntimeError, ValueError, TypeError) as error:
                why = error
        self.trouble = f"{self._delegate} cannot be used ({why}): install it or unset items.delegate; the CPU works"
        log.error("delegate_failed delegate=%s why=%s", self._delegate, why)
        return None

    def _built(self, names: Sequence[str]) -> list[Engine]:
        built, complaints = [], []
        for name in names:
            try:
                built.append(Engine(self._model, self._card, name))
            except (ImportError, AttributeError, RuntimeError, ValueError, SystemError, TypeError) as error:
                complaints.append(f"{name}: {error}")
        if not built:
            raise ModelError(f"no TFLite runtime can run the model; make setup installs one ({'; '.join(complaints)})")
        return built


def _fastest(engines: Sequence[Engine]) -> Engine:
    """Each runs once to wake up, then against the clock.  One that is alone need not run."""
    if len(engines) == 1:
        return engines[0]

    def seconds(engine: Engine) -> float:
        engine.interpreter.invoke()
        began = time.perf_counter()
        engine.interpreter.invoke()
        return time.perf_counter() - began

    taken = {engine.runtime: seconds(engine) for engine in engines}
    log.info("runtimes %s", " ".join(f"{name}_ms={1000 * s:.1f}" for name, s in taken.items()))
    return min(engines, key=lambda engine: taken[engine.runtime])
