"""TFLite files used while teaching: the product's detector, a people cutter, the teacher."""

import os
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

MODELS = Path(__file__).parents[2]
SCRATCH = Path(os.environ.get("FACE_LIVE_SCRATCH", "."))


class Engine:
    def __init__(self, path: Path) -> None:
        self.inner = Interpreter(str(path), num_threads=1)
        self.inner.allocate_tensors()
        self.entry, self.leaving = self.inner.get_input_details()[0], self.inner.get_output_details()

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        self.inner.set_tensor(self.entry["index"], values)
        self.inner.invoke()
        return [self.inner.get_tensor(d["index"]).copy() for d in self.leaving]


_detector = Engine(MODELS / "face-detect" / "model.tflite")
_anchors = np.array(
    [[(x + 0.5) / g, (y + 0.5) / g] for g, n in ((16, 2), (8, 6)) for y in range(g) for x in range(g) for _ in range(n)],
    np.float32,
)


def faces(picture: np.ndarray, least: float = 0.5) -> list:
    """(x0, y0, x1, y1, likelihood, six points) of each face in a BGR picture, surest first."""
    height, width = picture.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    small = cv2.resize(square, (128, 128), interpolation=cv2.INTER_AREA)[..., ::-1]
    out = _detector(((small.astype(np.float32) - 127.5) / 127.5)[None])
    rows, odds = out if out[0].shape[2] == 16 else out[::-1]
    likely = 1 / (1 + np.exp(-np.clip(odds[0, :, 0].astype(np.float64), -80, 80)))
    good = likely >= least
    rows, likely, middles = rows[0][good] / 128, likely[good], _anchors[good]
    rows[:, 0:2] += middles
    for n in range(4, 16, 2):
        rows[:, n : n + 2] += middles
    boxes = np.stack([rows[:, 0] - rows[:, 2] / 2, rows[:, 1] - rows[:, 3] / 2, rows[:, 0] + rows[:, 2] / 2, rows[:, 1] + rows[:, 3] / 2], 1)
    used, found = np.zeros(len(likely), bool), []
    for i in np.argsort(-likely):
        if used[i]:
            continue
        low, high = np.maximum(boxes[:, :2], boxes[i, :2]), np.minimum(boxes[:, 2:], boxes[i, 2:])
        both = np.clip(high - low, 0, None).prod(1)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        mine = (both / (areas + areas[i] - both + 1e-9) > 0.3) & ~used
        used |= mine
        weight = likely[mine, None] / likely[mine].sum()
        box = (boxes[mine] * weight).sum(0) * side - np.array([left, top, left, top])
        points = (rows[mine, 4:] * weight).sum(0).reshape(6, 2) * side - np.array([left, top])
        found.append((*(float(b) for b in box), float(likely[i]), points))
    return found


class Cutter:
    """Which pixels are people: MediaPipe's selfie segmentation (Apache-2.0), out of the same wheel as face-detect."""

    def __init__(self) -> None:
        self.engine = Engine(SCRATCH / "selfie_segmentation.tflite")

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32) / 255
        mask = self.engine(small[None])[0].reshape(256, 256)
        return np.clip(cv2.resize(mask, picture.shape[1::-1]), 0, 1)


class Teacher:
    """MiniFASNet V2 and V1SE (Apache-2.0): teaches what it makes of a frame, is measured beside, is not shipped."""

    def __init__(self, data: Path) -> None:
        folder = data / "models" / "antispoof"
        self.two = ((2.7, Engine(folder / "mini_MiniFASNetV2.tflite")), (4.0, Engine(folder / "mini_MiniFASNetV1SE.tflite")))

    def __call__(self, frame: np.ndarray, box: tuple) -> list[float]:
        out = []
        for scale, engine in self.two:
            values = engine(cv2.resize(crop(frame, box, scale), (80, 80)).astype(np.float32)[None])[0][0]
            if values.min() < 0 or abs(values.sum() - 1) > 1e-3:
                values = np.exp(values - values.max())
                values /= values.sum()
            out.append(float(values[1]))
        return out


def crop(frame: np.ndarray, box: tuple, scale: float) -> np.ndarray:
    """The square round a face: `scale` times its box, less where the frame is too small, moved inside the frame."""
    height, width = frame.shape[:2]
    side = max(box[2] - box[0], box[3] - box[1])
    side = min(side * scale, height, width)
    left = min(max((box[0] + box[2] - side) / 2, 0), width - side)
    top = min(max((box[1] + box[3] - side) / 2, 0), height - side)
    left, top, side = round(left), round(top), max(round(side), 1)
    return frame[top : top + side, left : left + side]
