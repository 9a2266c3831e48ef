"""Does a face look like a person, or like a picture, a screen or a mask?  One number a frame; deciding is elsewhere."""

from pathlib import Path

import numpy as np

from cabinet.adapters.tflite.card import ModelError
from cabinet.adapters.tflite.runner import Pixels, Runner
from cabinet.vision.faces import square
from cabinet.vision.pictures import Box


class Liveness:
    """Calls from several threads wait for each other."""

    def __init__(self, folder: Path, runtime: str = "auto") -> None:
        """Raises ModelError with the remedy."""
        self._runner = Runner(folder, runtime=runtime)
        self.name, self.runtime = self._runner.name, self._runner.runtime
        try:
            self._read(self._runner)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{folder / 'model.toml'}: {error}; put the model's folder back") from error

    def _read(self, runner: Runner) -> None:
        self._scales = [float(scale) for scale in runner.table("crop")["scales"]]
        leaving, match = runner.table("output"), runner.table("match")
        self._live, classes = int(leaving["live"]), int(leaving["classes"])
        self._softmax = bool(leaving.get("softmax", False))
        self.live_from, self.spoof_below = float(match["live_from"]), float(match["spoof_below"])
        sizes = [int(np.prod(shape)) for shape in runner.shapes()]
        if sizes != [classes] or not 0 <= self._live < classes:
            raise ValueError(f"the file gives {sizes} numbers; model.toml says {classes}, of them number {self._live}")
        fit = str(runner.table("crop").get("fit", "inside"))
        if fit != "inside":
            raise ValueError(f"[crop] fit is {fit!r}, must be 'inside'")
        if not self._scales or min(self._scales) <= 0 or runner.width != runner.height:
            raise ValueError("the scales must be above 0, and the input a square")
        if not 0.0 <= self.spoof_below <= self.live_from <= 1.0:
            raise ValueError("spoof_below and live_from are between 0 and 1, in this order")

    def score(self, picture: Pixels, box: Box) -> float:
        """0 (an attack) … 1 (a person): the mean over the model's crops.  Raises PortError."""
        return float(np.mean([self._share(square(picture, box, scale, self._runner.width)) for scale in self._scales]))

    def _share(self, crop: Pixels) -> float:
        answer = self._runner.run(crop)[0].reshape(-1).astype(np.float64)
        if self._softmax:
            answer = np.exp(answer - answer.max())
        return float(answer[self._live] / answer.sum()) if self._softmax else float(answer[self._live])
