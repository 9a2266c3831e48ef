"""dlib's face recognition network (ResNet with 29 convolutions) in torch, with the weights read out of dlib's own file."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"
WEIGHTS_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
MEAN = (122.782, 117.001, 104.298)  # dlib's input layer: (pixel - mean) / 256, RGB
SCALE = 256.0
WIDTHS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)  # of the 14 residual blocks
LAST = 256 * 128  # weights of the last layer, the only one written as a table
HALVING = {3, 7, 10, 13}  # the blocks that halve height and width


def package_file() -> Path:
    """The weights in the installed package, whose own module is not imported (it asks for pkg_resources)."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("train: install face-recognition-models (requirements.txt)")
    path = Path(spec.submodule_search_locations[0]) / "models" / WEIGHTS
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        raise SystemExit(f"train: {path} has sha256 {found}, not {WEIGHTS_SHA256}")
    return path


def tensors(blob: bytes, sizes: list[int]) -> list[np.ndarray]:
    """The parameters in dlib's serialised network, from the input to the output; `sizes`: how many numbers each has.

    dlib writes a tensor as version 2, four dimensions, then little-endian floats; each whole number as one byte that
    tells its length, then its bytes.  What lies between (names, rates) is passed over.
    """
    found, place = [], 0
    for size in sizes:
        shape = (256, 128, 1, 1) if size == LAST else (size, 1, 1, 1)
        head = b"\x01\x02" + b"".join(_whole(side) for side in shape)
        place = blob.index(head, place) + len(head)
        found.append(np.frombuffer(blob, "<f4", size, place))
        place += 4 * size
    return found


def _whole(number: int) -> bytes:
    length = (number.bit_length() + 7) // 8
    return bytes([length]) + number.to_bytes(length, "little")


def _folded(values: np.ndarray, affine: np.ndarray, into: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A convolution with dlib's affine layer (which batch normalisation became) multiplied into it."""
    width = len(affine) // 2
    filters, bias = values[:-width].reshape(width, into, side, side), values[-width:]
    gain, offset = affine[:width], affine[width:]
    return filters * gain[:, None, None, None], bias * gain + offset


class Block(nn.Module):
    def __init__(self, into: int, width: int, halving: bool) -> None:
        super().__init__()
        self.halving, self.more = halving, width - into
        self.first = nn.Conv2d(into, width, 3, 2 if halving else 1, 0 if halving else 1)
        self.second = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.second(functional.relu(self.first(x)))
        if not self.halving:
            return functional.relu(out + x)
        pooled = functional.avg_pool2d(x, 2, 2)
        out = functional.pad(out, (0, pooled.shape[3] - out.shape[3], 0, pooled.shape[2] - out.shape[2]))
        return functional.relu(out + functional.pad(pooled, (0, 0, 0, 0, 0, self.more)))


class Network(nn.Module):
    """Pixels 0..255 (N,3,150,150, RGB) to 128 numbers.  dlib's mean and scale are in the first convolution.

    That is exact, as that convolution has no padding.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Conv2d(3, 32, 7, 2)
        self.blocks = nn.Sequential(
            *(Block(i, w, n in HALVING) for n, (i, w) in enumerate(zip((32, *WIDTHS), WIDTHS, strict=False)))
        )
        self.last = nn.Linear(256, 128, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.entry(x)), 3, 2)
        return self.last(functional.avg_pool2d(self.blocks(x), 2).flatten(1))


def loaded(path: Path) -> Network:
    network = Network().eval()
    convolutions = [network.entry, *(c for b in network.blocks for c in (b.first, b.second))]
    sizes = [n for c in convolutions for n in (c.weight.numel() + c.out_channels, 2 * c.out_channels)]
    *rows, last = tensors(path.read_bytes(), [*sizes, LAST])
    for n, (convolution, values, affine) in enumerate(zip(convolutions, rows[::2], rows[1::2], strict=True)):
        weight, bias = _folded(values, affine, convolution.in_channels, convolution.kernel_size[0])
        if n == 0:
            weight = weight / SCALE
            bias = bias - (weight * np.array(MEAN, np.float32)[None, :, None, None]).sum(axis=(1, 2, 3))
        convolution.weight.data = torch.from_numpy(weight.astype(np.float32))
        convolution.bias.data = torch.from_numpy(bias.astype(np.float32))
    network.last.weight.data = torch.from_numpy(last.reshape(256, 128).T.copy())
    return network
