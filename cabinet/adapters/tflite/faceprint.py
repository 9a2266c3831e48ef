"""A face as 128 numbers: dlib's own network as a TFLite file.  A chip goes in; cutting it is `cabinet.vision.faces`."""

from pathlib import Path

import numpy as np

from cabinet.adapters.tflite.card import ModelError
from cabinet.adapters.tflite.runner import Numbers, Pixels, Runner
from cabinet.ports import PortError
from cabinet.vision.faces import CHIP

SIZE = 128
ALIKE = 1e-3  # apart; two pictures that have nothing in common are never so near


class FacePrint:
    """Calls from several threads wait for each other."""

    def __init__(self, folder: Path, runtime: str = "auto") -> None:
        """Raises ModelError with the remedy."""
        self._runner = Runner(folder, runtime=runtime)
        self.name, self.runtime = self._runner.name, self._runner.runtime
        if (self._runner.width, self._runner.height) != (CHIP, CHIP) or self._runner.shapes() != [(1, SIZE)]:
            raise ModelError(f"{folder}: the file is no network of {CHIP} pixels and {SIZE} numbers; put it back")
        self._wake(folder)

    def vector(self, chip: Pixels) -> Numbers:
        """The mean of the chip and its mirror image: the same person comes nearer, others hardly.  Raises PortError."""
        straight, mirrored = self._runner.run(chip)[0], self._runner.run(np.ascontiguousarray(chip[:, ::-1]))[0]
        return np.asarray((straight[0] + mirrored[0]) / 2, np.float32)

    def _wake(self, folder: Path) -> None:
        """Two pictures that have nothing in common must not look alike to it."""
        dark, speckled = np.zeros((CHIP, CHIP, 3), np.uint8), np.zeros((CHIP, CHIP, 3), np.uint8)
        speckled[::3, :, 1] = speckled[:, ::5, 2] = 255
        try:
            apart = float(np.linalg.norm(self.vector(dark) - self.vector(speckled)))
        except PortError as error:
            raise ModelError(str(error)) from error
        if apart < ALIKE:
            raise ModelError(f"{folder}: the model gives one answer for every picture; put its folder back")
