"""From the taught network to a full-integer TFLite file, and running such a file."""

from pathlib import Path

import litert_torch
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

from network import MEAN, SIDE, SPREAD, Whole


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
        drift = float(np.abs(wrapped(example).numpy() - converted(example)).max())
    signatures = Interpreter(str(floats)).get_signature_list()
    key = next(iter(signatures))
    name = signatures[key]["inputs"][0]
    worker = quantizer.Quantizer(str(floats))
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    ranges = worker.calibrate({key: [{name: normalised(p[None])} for p in calibration]})
    target.unlink(missing_ok=True)
    worker.quantize(ranges).export_model(str(target))
    return drift


def embed(model: Path, pictures: np.ndarray) -> np.ndarray:
    """uint8 RGB N,224,224,3 through the file: float32 N,128, not brought to unit length."""
    engine = Interpreter(str(model), num_threads=1)
    engine.allocate_tensors()
    entry, leaving = engine.get_input_details()[0], engine.get_output_details()[0]
    (scale, zero), (gain, rest) = entry["quantization"], leaving["quantization"]
    assert entry["shape"].tolist() == [1, SIDE, SIDE, 3], entry["shape"]
    out = []
    for picture in pictures:
        steps = np.clip(np.round(normalised(picture[None]) / scale) + zero, -128, 127).astype(np.int8)
        engine.set_tensor(entry["index"], steps)
        engine.invoke()
        out.append((engine.get_tensor(leaving["index"])[0].astype(np.float32) - rest) * gain)
    return np.stack(out)
