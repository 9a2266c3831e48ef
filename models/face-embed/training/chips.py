"""Faces cut the way dlib cuts them, and what a camera does to them."""

from pathlib import Path

import cv2
import dlib
import numpy as np

from network import package_file

SIDE, PADDING = 150, 0.25
_found = dlib.get_frontal_face_detector()
_marks = dlib.shape_predictor(str(package_file().with_name("shape_predictor_5_face_landmarks.dat")))


def chips_of(path: Path) -> list[np.ndarray]:
    """uint8 RGB 150,150,3 of each face the stock detector finds."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"train: {path} is no picture")
    rgb = np.ascontiguousarray(picture[..., ::-1])
    return [dlib.get_face_chip(rgb, _marks(rgb, box), SIDE, PADDING) for box in _found(rgb, 1)]


def varied(chip: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Light, colour, mirror, blur, noise."""
    values = chip.astype(np.float32) * dice.uniform(0.45, 1.3) * dice.uniform(0.85, 1.15, 3) + dice.uniform(-20, 20)
    if dice.random() < 0.5:
        values = values[:, ::-1]
    if dice.random() < 0.4:
        values = cv2.GaussianBlur(values, (0, 0), float(dice.uniform(0.5, 2.0)))
    values = values + dice.normal(0, dice.uniform(0, 8), values.shape)
    return np.clip(values, 0, 255).astype(np.uint8)
