"""One BlazeFace network: the faces in one square of a picture, as rows of a table.  Where to look is `blazeface`'s."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from cabinet.adapters.tflite.card import ModelError
from cabinet.adapters.tflite.facetable import Table, merged
from cabinet.adapters.tflite.runner import Numbers, Pixels, Runner

MARKS = 6  # right eye, left eye, nose, mouth, right ear, left ear
ROW = 5 + 2 * MARKS  # numbers of a row: the box, the marks, the score

Window = tuple[int, int, int]  # left, top, side of a square in the picture; it may reach over the edge


class BlazeNet:
    """Calls from several threads wait for each other."""

    def __init__(self, folder: Path, runtime: str = "auto") -> None:
        """Raises ModelError with the remedy."""
        self._runner = Runner(folder, runtime=runtime)
        self.name, self.runtime = self._runner.name, self._runner.runtime
        self.side = self._runner.width
        try:
            self._read(self._runner)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{folder / 'model.toml'}: {error}; put the model's folder back") from error

    def _read(self, runner: Runner) -> None:
        layers, match = runner.table("anchors"), runner.table("match")
        self._anchors = anchors(self.side, [int(n) for n in layers["grids"]], [int(n) for n in layers["each"]])
        self._least, self.overlap = float(match["least_score"]), float(match["overlap"])
        wanted = sorted([(1, len(self._anchors), 4 + 2 * MARKS), (1, len(self._anchors), 1)])
        if sorted(runner.shapes()) != wanted or runner.height != runner.width:
            raise ValueError(f"the file gives {runner.shapes()}, not {wanted}")
        if not 0 < self._least < 1 or not 0 < self.overlap < 1:
            raise ValueError("least_score and overlap are between 0 and 1")

    def look(self, picture: Pixels, window: Window) -> Table:
        """The faces in one square of a picture, in the picture's pixels, best first."""
        square, (left, top), (wide, high) = squared(picture, window, self.side)
        regressors, logits = sorted((answer[0] for answer in self._runner.run(square)), key=lambda a: -a.shape[1])
        rows = merged(decoded(regressors, logits[:, 0], self._anchors, self._least), self.overlap)
        rows[:, 0:-1:2] = rows[:, 0:-1:2] * wide + left
        rows[:, 1:-1:2] = rows[:, 1:-1:2] * high + top
        return rows

    def inner(self, picture: Pixels, window: Window) -> Table:
        """As `look`, without faces that the window's edge cuts: a neighbouring window or the whole has them whole."""
        left, top, side = window
        height, width = picture.shape[:2]
        rows = self.look(picture, window)
        inside = (
            ((rows[:, 0] > left) | (left <= 0))
            & ((rows[:, 1] > top) | (top <= 0))
            & ((rows[:, 2] < left + side) | (left + side >= width))
            & ((rows[:, 3] < top + side) | (top + side >= height))
        )
        return np.asarray(rows[inside])


def anchors(side: int, grids: Sequence[int], each: Sequence[int]) -> Table:
    """Middles, in pixels of the model's square: so many in every cell of each grid, row by row."""
    middles = []
    for grid, count in zip(grids, each, strict=True):
        cells = (np.arange(grid) + 0.5) * side / grid
        middles.append(np.repeat(np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 2), count, axis=0))
    return np.concatenate(middles)


def decoded(regressors: Numbers, logits: Numbers, centres: Table, least: float) -> Table:
    """The candidates whose score is at least `least`, in pixels of the model's square."""
    passing = np.flatnonzero(logits >= np.log(least / (1.0 - least)))
    raw, at = regressors[passing].astype(np.float64), centres[passing]
    middle, size = raw[:, :2] + at, raw[:, 2:4]
    marks = raw[:, 4:] + np.tile(at, MARKS)
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits[passing], -80.0, 80.0)))
    table = np.concatenate([middle - size / 2, middle + size / 2, marks, scores[:, None]], axis=1)
    return np.asarray(table[(size > 0).all(axis=1)], np.float64)


def squared(picture: Pixels, window: Window, size: int) -> tuple[Pixels, tuple[float, float], tuple[float, float]]:
    """The window at size x size pixels, black where it reaches over the edge; where in the picture the square's corner
    lies, and how many of the picture's pixels one of the square's covers, across and down.
    """
    left, top, side = window
    height, width = picture.shape[:2]
    from_x, from_y = max(left, 0), max(top, 0)
    part = picture[from_y : min(top + side, height), from_x : min(left + side, width)]
    factor = size / side
    if part.size == 0:
        return np.zeros((size, size, 3), np.uint8), (left, top), (side / size, side / size)
    wide, high = max(round(part.shape[1] * factor), 1), max(round(part.shape[0] * factor), 1)
    across, down = part.shape[1] / wide, part.shape[0] / high
    x, y = min(round((from_x - left) * factor), size - wide), min(round((from_y - top) * factor), size - high)
    square = np.zeros((size, size, 3), np.uint8)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    square[y : y + high, x : x + wide] = cv2.resize(part, (wide, high), interpolation=method)
    return square, (from_x - x * across, from_y - y * down), (across, down)
