"""From the taught network to a full-integer TFLite file, and running such a file."""

from pathlib import Path

import cv2
import litert_torch
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

from network import DIM, GRID, MEAN, SIDE, SPREAD, Whole
from photos import Box


def normalised(pictures: np.ndarray) -> np.ndarray:
    """uint8 RGB N,224,224,3 to float in about [-1, 1], same shape."""
    return ((pictures.astype(np.float32) - MEAN) / SPREAD).astype(np.float32)


def write_int8(whole: Whole, calibration: np.ndarray, target: Path, scratch: Path) -> float:
    """Convert and quantise (8-bit weights, activations, input, output).

    `calibration`: uint8 pictures that set the ranges.  Returns the largest difference between torch and the float file.
    """
    wrapped = litert_torch.to_channel_last_io(whole.eval(), args=[0]).eval()
    example = torch.from_numpy(normalised(calibration[:1]))
    converted = litert_torch.convert(wrapped, (example,))
    floats = scratch / "float.tflite"
    converted.export(str(floats))
    with torch.no_grad():
        drift = max(float(np.abs(a.numpy() - b).max()) for a, b in zip(wrapped(example), converted(example), strict=True))
    signatures = Interpreter(str(floats)).get_signature_list()
    key = next(iter(signatures))
    name = signatures[key]["inputs"][0]
    worker = quantizer.Quantizer(str(floats))
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    ranges = worker.calibrate({key: [{name: normalised(p[None])} for p in calibration]})
    target.unlink(missing_ok=True)
    worker.quantize(ranges).export_model(str(target))
    return drift


class Embedder:
    """Runs a written file: the embedding is the output of DIM numbers, the finder's map that of GRID x GRID."""

    def __init__(self, model: Path) -> None:
        self.engine = Interpreter(str(model), num_threads=1)
        self.engine.allocate_tensors()
        self.entry = self.engine.get_input_details()[0]
        by_size = {int(np.prod(d["shape"])): d for d in self.engine.get_output_details()}
        self.vector, self.map = by_size[DIM], by_size[GRID * GRID]
        assert self.entry["shape"].tolist() == [1, SIDE, SIDE, 3], self.entry["shape"]

    def run(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 RGB 224,224,3: float32 DIM (not of unit length) and GRID,GRID (log-odds)."""
        scale, zero = self.entry["quantization"]
        steps = np.clip(np.round(normalised(picture[None]) / scale) + zero, -128, 127).astype(np.int8)
        self.engine.set_tensor(self.entry["index"], steps)
        self.engine.invoke()
        found = []
        for leaving in (self.vector, self.map):
            gain, rest = leaving["quantization"]
            found.append((self.engine.get_tensor(leaving["index"])[0].astype(np.float32) - rest) * gain)
        return found[0], found[1].reshape(GRID, GRID)


def box_of(odds: np.ndarray, width: int, height: int) -> Box:
    """The box of the product, from the finder's map (GRID,GRID log-odds).

    The connected cells round the strongest place, more likely than half of it; its sides are put where the likelihood, between
    the middles of two cells, passes that half.  The same rule stands in the product's recogniser.
    """
    likely = 1 / (1 + np.exp(-odds.astype(np.float64)))
    fine = cv2.resize(likely, (GRID * 4, GRID * 4), interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(fine, (0, 0), 3.0)
    mask = (fine > 0.5 * float(fine.max())).astype(np.uint8)
    _, labels = cv2.connectedComponents(mask)
    peak = np.unravel_index(int(np.argmax(np.where(mask > 0, smooth, -1))), smooth.shape)
    rows, columns = np.nonzero(labels == labels[peak])
    step = GRID * 4
    return (
        columns.min() / step * width, rows.min() / step * height,
        (columns.max() + 1) / step * width, (rows.max() + 1) / step * height,
    )  # fmt: skip
