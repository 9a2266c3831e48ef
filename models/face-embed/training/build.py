"""Write models/face-embed/model.tflite: `python build.py DATA` in the environment of requirements.txt.

The network with dlib's weights goes to TFLite and is quantised to 8 bits; the pictures in DATA/faces (colour ones only)
set the ranges of the activations and are not kept.  The result takes uint8 pixels and gives float32 numbers.
"""

import argparse
import hashlib
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import litert_torch
import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe, recipe_manager
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.utils import tfl_flatbuffer_utils as flat

from chips import SIDE, chips_of, varied
from network import Network, loaded, package_file

HERE = Path(__file__).parent
FOLDERS = ("azure_family", "azure_group", "official_portraits")
VIEWS = 4  # of each calibration chip
KEPT = 99.5  # percent of the pictures whose activations must fit into the ranges
FLOAT = (qtyping.TFLOperationName.FULLY_CONNECTED, qtyping.TFLOperationName.OUTPUT)  # the last layer: 0.1 % of the work


def as_input(chip: np.ndarray) -> np.ndarray:
    return chip[None].astype(np.float32)


def float_file(network: Network, target: Path) -> None:
    wrapped = litert_torch.to_channel_last_io(network, args=[0]).eval()
    litert_torch.convert(wrapped, (torch.zeros(1, SIDE, SIDE, 3),)).export(str(target))


def keep(old: dict, new: dict) -> dict:
    """Every picture's least and largest activation: the quantizer's own moving average forgets the rare ones."""
    return {**new, "all": [*(old.get("all") or [(old["min"], old["max"])]), (new["min"], new["max"])]}


def quantised(source: Path, pictures: list[np.ndarray], target: Path) -> None:
    reader = Interpreter(str(source))
    key, names = next(iter(reader.get_signature_list().items()))
    worker = quantizer.Quantizer(str(source))
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    for operation in FLOAT:
        worker.update_quantization_recipe(".*", operation, None, AlgorithmName.NO_QUANTIZE)
    rules = recipe_manager.RecipeManager()
    rules.load_quantization_recipe(worker.get_quantization_recipe())
    seen = calibrator.Calibrator(str(source), num_threads=1, qsv_update_func=keep)
    seen.calibrate({key: [{names["inputs"][0]: as_input(p)} for p in pictures]}, rules)
    ranges = seen.get_model_qsvs()
    for row in ranges.values():
        if every := row.pop("all", None):
            least, most = (np.stack(side) for side in zip(*every, strict=True))
            row["min"] = np.percentile(least, 100 - KEPT, axis=0).astype(np.float32)
            row["max"] = np.percentile(most, KEPT, axis=0).astype(np.float32)
    entry = ranges[reader.get_input_details()[0]["name"]]
    entry["min"], entry["max"] = np.zeros_like(entry["min"]), np.full_like(entry["max"], 255)
    worker.quantize(ranges).export_model(str(target), overwrite=True)


def takes_uint8(source: Path, target: Path) -> None:
    """Put a step before the first that turns uint8 (the pixel itself) into the int8 the network takes: exact."""
    model = flat.read_model(str(source))
    graph = model.subgraphs[0]
    inner = graph.inputs[0]
    gain, zero = graph.tensors[inner].quantization.scale, graph.tensors[inner].quantization.zeroPoint
    if list(zero) != [-128] or abs(float(gain[0]) - 1) > 1e-6:
        raise SystemExit(f"train: the input has scale {gain}, zero point {zero}; wanted 1 and -128")
    graph.tensors[inner].quantization.scale = np.array([1.0], np.float32)
    pixel = schema.TensorT()
    pixel.name, pixel.shape, pixel.type = b"image", graph.tensors[inner].shape, schema.TensorType.UINT8
    pixel.quantization = schema.QuantizationParametersT()
    pixel.quantization.scale, pixel.quantization.zeroPoint = np.array([1.0], np.float32), np.array([0], np.int64)
    graph.tensors.append(pixel)
    outer = len(graph.tensors) - 1
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = 1
    model.operatorCodes.append(code)
    step = schema.OperatorT()
    step.opcodeIndex = len(model.operatorCodes) - 1
    step.inputs, step.outputs = np.array([outer], np.int32), np.array([inner], np.int32)
    graph.operators.insert(0, step)
    graph.inputs = np.array([outer], np.int32)
    for signature in model.signatureDefs or []:
        for entry in signature.inputs:
            entry.tensorIndex = outer
    flat.write_model(model, str(target))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--out", type=Path, default=HERE.parent)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    network = loaded(package_file())
    files = sorted(f for name in FOLDERS for f in (given.data / "faces" / name).rglob("*.jpg"))
    dice = np.random.default_rng(0)
    chips = [chip for f in files for chip in chips_of(f)]
    pictures = [view for chip in chips for view in (chip, *(varied(chip, dice) for _ in range(VIEWS)))]
    print(f"train: {len(pictures)} calibration pictures of {len(chips)} faces")
    with TemporaryDirectory() as scratch:
        floats, inner = Path(scratch, "float.tflite"), Path(scratch, "int8.tflite")
        float_file(network, floats)
        quantised(floats, pictures, inner)
        takes_uint8(inner, given.out / "model.tflite")
    found = hashlib.sha256((given.out / "model.tflite").read_bytes()).hexdigest()
    card = given.out / "model.toml"
    if card.is_file():
        card.write_text(re.sub(r'^sha256 = ".*"', f'sha256 = "{found}"', card.read_text(), flags=re.M))
    print(json.dumps({"sha256": found, "bytes": (given.out / "model.tflite").stat().st_size}))


if __name__ == "__main__":
    main()
