"""One TFLite file on the faster of the runtimes that can run it, for models whose answer is read elsewhere.

A folder holds model.toml (name, version, file, sha256, [input] colour, mean, std and what else belongs to the model)
and the file.  A picture of the model's own size goes in, arrays of numbers come out.  Refuses a file that is not the
one of its model.toml, and answers that are no numbers.
"""

import importlib
import logging
import threading
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.adapters.tflite.card import ModelError, checked_bytes
from cabinet.ports import PortError

TFLITE, LITERT = "tflite_runtime.interpreter", "ai_edge_litert.interpreter"
RUNTIMES = {"tflite": TFLITE, "litert": LITERT}
THREADS = 1  # two threads on a busy box took 800 ms and more instead of 18

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.float32]

log = logging.getLogger(__name__)


def read_facts(folder: Path) -> dict[str, Any]:
    """model.toml as it stands.  Raises ModelError naming the file."""
    path = folder / "model.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; put the model's folder back") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: {error}; put the model's folder back") from error


class Runner:
    """Calls from several threads wait for each other."""

    def __init__(self, folder: Path, facts: Mapping[str, Any] | None = None, runtime: str = "auto") -> None:
        """`facts`: of one file, where model.toml speaks of several; `runtime`: litert, tflite, or auto for the faster.

        Raises ModelError with the remedy.
        """
        self.facts = read_facts(folder) if facts is None else facts
        self.path = folder / "model.toml"
        entry = self.table("input")
        try:
            self.name = f"{self.facts['name']}-{self.facts['version']}"
            model = checked_bytes(folder / str(self.facts["file"]), str(self.facts["sha256"]).lower())
            mean, std, self._rgb = float(entry["mean"]), float(entry["std"]), _is_rgb(str(entry.get("colour", "RGB")))
        except KeyError as error:
            raise ModelError(f"{self.path}: the key {error} is missing") from error
        except (TypeError, ValueError) as error:
            raise ModelError(f"{self.path}: {error}") from error
        if std <= 0:
            raise ModelError(f"{self.path}: std must be above 0")
        names = list(RUNTIMES.values()) if runtime == "auto" else [RUNTIMES.get(runtime, runtime)]
        self.runtime, self._interpreter = _fastest(_built(model, names), self.name)
        self._entry = self._interpreter.get_input_details()[0]
        self._leaving = self._interpreter.get_output_details()
        self.height, self.width = (int(n) for n in self._entry["shape"][1:3])
        self._steps = steps(mean, std, self._entry)
        self._turned = np.empty((self.height, self.width, 3), np.uint8)
        self._lock = threading.Lock()

    def table(self, name: str) -> Mapping[str, Any]:
        """A table of model.toml; empty where it is not there.  Raises ModelError where it is no table."""
        table = self.facts.get(name, {})
        if not isinstance(table, Mapping):
            raise ModelError(f"{self.path}: [{name}] must be a table")
        return table

    def shapes(self) -> list[tuple[int, ...]]:
        """Of the answers, in their order."""
        return [tuple(int(n) for n in leaving["shape"]) for leaving in self._leaving]

    def run(self, picture: Pixels) -> list[Numbers]:
        """`picture`: BGR, of the model's size.  Raises PortError."""
        if picture.shape != (self.height, self.width, 3) or picture.dtype != np.uint8:
            raise PortError(
                f"{self.name}: takes {self.width}x{self.height} pixels, not {picture.dtype} {picture.shape}"
            )
        with self._lock:
            self._fill(picture)
            self._interpreter.invoke()
            answers = [numbers(self._interpreter.get_tensor(d["index"]), d["quantization"]) for d in self._leaving]
        if not all(np.isfinite(answer).all() for answer in answers):
            raise PortError(f"{self.name}: the model's answer is no number; put its folder back and restart")
        return answers

    def _fill(self, picture: Pixels) -> None:
        if self._rgb:
            picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, self._turned), np.uint8)
        tensor = self._interpreter.tensor(self._entry["index"])()[0]  # a view: gone before the model runs
        if self._steps.dtype.itemsize == 1:
            cv2.LUT(np.ascontiguousarray(picture), self._steps.view(np.uint8), tensor.view(np.uint8))
        else:
            np.take(self._steps, picture, out=tensor)


def steps(mean: float, std: float, entry: Any) -> NDArray[Any]:  # noqa: ANN401  the runtime's description of a tensor
    """What the tensor holds for each of the 256 brightnesses."""
    values = (np.arange(256, dtype=np.float32) - mean) / std
    kind = np.dtype(entry["dtype"])
    scale, zero = entry["quantization"]
    if np.issubdtype(kind, np.integer) and scale:
        bounds = np.iinfo(kind)
        values = np.clip(np.round(values / scale) + zero, bounds.min, bounds.max)
    return np.asarray(values.astype(kind))


def numbers(raw: NDArray[Any], quantization: tuple[float, int]) -> Numbers:
    """A tensor's numbers, whatever it holds them as."""
    scale, zero = quantization
    real = raw.astype(np.float32)
    return np.asarray((real - np.float32(zero)) * np.float32(scale) if scale else real, np.float32)


def _is_rgb(colour: str) -> bool:
    if colour not in {"RGB", "BGR"}:
        raise ValueError(f"colour is {colour!r}, must be RGB or BGR")
    return colour == "RGB"


def _built(model: bytes, names: Sequence[str]) -> dict[str, Any]:
    built, complaints = {}, []
    for name in names:
        try:
            interpreter = importlib.import_module(name).Interpreter(model_content=model, num_threads=THREADS)
            interpreter.allocate_tensors()
            built[name.partition(".")[0]] = interpreter
        except (ImportError, AttributeError, RuntimeError, ValueError, SystemError, TypeError) as error:
            complaints.append(f"{name}: {error}")
    if not built:
        raise ModelError(f"no TFLite runtime can run the model; make setup installs one ({'; '.join(complaints)})")
    return built


def _fastest(built: Mapping[str, Any], model: str) -> tuple[str, Any]:
    """Each runs once to wake up, then against the clock.  One that is alone need not run."""
    if len(built) > 1:
        taken = {name: _seconds(interpreter) for name, interpreter in built.items()}
        log.info("runtimes model=%s %s", model, " ".join(f"{name}_ms={1000 * s:.1f}" for name, s in taken.items()))
        best = min(taken, key=taken.__getitem__)
        return best, built[best]
    return next(iter(built.items()))


def _seconds(interpreter: Any) -> float:  # noqa: ANN401  the runtimes have no types
    interpreter.invoke()
    began = time.perf_counter()
    interpreter.invoke()
    return time.perf_counter() - began
