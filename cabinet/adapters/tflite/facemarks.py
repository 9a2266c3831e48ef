"""The mesh of a face: 468 points, for aligning it exactly, for the openness of the eyes and the turn of the head."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cabinet.adapters.tflite.card import ModelError
from cabinet.adapters.tflite.runner import Pixels, Runner
from cabinet.vision.faces import MESH_IN_CHIP, between, openness, upright, warped
from cabinet.vision.pictures import Box

RING = 6  # points around an eye


@dataclass(frozen=True, slots=True)
class Mesh:
    points: NDArray[np.float64]  # x, y in pixels of the picture
    eyes_open: float  # mean of both eyes, height by width; about 0.25 open, below 0.15 shut
    yaw: float  # as `cabinet.vision.faces.pose` has it


class FaceMarks:
    """Calls from several threads wait for each other."""

    def __init__(self, folder: Path, runtime: str = "auto") -> None:
        """Raises ModelError with the remedy."""
        self._runner = Runner(folder, runtime=runtime)
        self.name, self.runtime = self._runner.name, self._runner.runtime
        try:
            self._read(self._runner)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelError(f"{folder / 'model.toml'}: {error}; put the model's folder back") from error

    def _read(self, runner: Runner) -> None:
        points = runner.table("points")
        self._scale = float(runner.table("crop")["scales"][0])
        self._count = int(runner.table("output")["points"])
        self._logit = _logit(float(runner.table("match")["present_from"]))
        self._eyes = [[int(n) for n in points[eye]] for eye in ("right_eye", "left_eye")]
        self._across = [int(points[name]) for name in ("nose", "right_cheek", "left_cheek")]
        sizes = sorted(int(np.prod(shape)) for shape in runner.shapes())
        if sizes != [1, 3 * self._count]:
            raise ValueError(f"the file gives {sizes} numbers, not 1 and {3 * self._count}")
        used = [*self._eyes[0], *self._eyes[1], *self._across, *MESH_IN_CHIP]
        if not all(0 <= n < self._count for n in used) or {len(eye) for eye in self._eyes} != {RING}:
            raise ValueError("[points] names points that the file does not have")
        if self._scale <= 0 or runner.width != runner.height:
            raise ValueError("the scale must be above 0, and the input a square")

    def mesh(self, picture: Pixels, box: Box, roll_deg: float = 0.0) -> Mesh | None:
        """Of the face in the box; None where the model sees none there.  Raises PortError."""
        move = upright(box, roll_deg, self._scale, self._runner.width)
        present, found = sorted(self._runner.run(warped(picture, move, self._runner.width)), key=lambda a: a.size)
        if float(present.item()) < self._logit:
            return None
        level = found.reshape(self._count, 3)[:, :2].astype(np.float64)
        points = np.asarray((level - move[:, 2]) @ np.linalg.inv(move[:, :2]).T, np.float64)
        eyes_open = sum(openness(points[eye]) for eye in self._eyes) / len(self._eyes)
        nose, right, left = points[self._across]
        return Mesh(points, eyes_open, between(nose, right, left))


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))
