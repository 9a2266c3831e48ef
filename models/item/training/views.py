"""Random views of a product, as a cabinet would show it: tilt, any rotation, hands, blur, fog, glare, casts, JPEG."""

import cv2
import numpy as np

from network import GRID, SIDE
from photos import Box


def warp(rgb: np.ndarray, box: Box, degrees: float, dice: np.random.Generator, tilt: float) -> np.ndarray:
    """The box, turned about its middle and tilted, on the input square; what lies outside is mirrored."""
    left, top, right, bottom = box
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    half = np.array([right - left, bottom - top]) / 2
    if degrees % 180 > 45 and degrees % 180 < 135:
        half = half[::-1]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    angle = np.deg2rad(degrees)
    turned = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if 15 < degrees % 90 < 75:  # a tight upright box round a slanted thing is larger
        turned *= 1.15
    turned += dice.uniform(-tilt, tilt, (4, 2)) * half.mean()
    square = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    movement = cv2.getPerspectiveTransform((middle + turned).astype(np.float32), square)
    shrink = min(1.0, SIDE / max(half.max() * 2, 1))
    if shrink < 0.6:
        rgb = cv2.GaussianBlur(rgb, (0, 0), 0.4 / shrink)
    return cv2.warpPerspective(rgb, movement, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def jittered(box: Box, dice: np.random.Generator) -> Box:
    """Tight and loose crops: the box grown or shrunk, and shifted."""
    left, top, right, bottom = box
    w, h = right - left, bottom - top
    wide, high = w * np.exp(dice.normal(0.06, 0.14)), h * np.exp(dice.normal(0.06, 0.14))
    cx = (left + right) / 2 + dice.normal(0, 0.06) * w
    cy = (top + bottom) / 2 + dice.normal(0, 0.06) * h
    return cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2


def view(rgb: np.ndarray, box: Box, dice: np.random.Generator) -> np.ndarray:
    """One random view (uint8 RGB, the input square)."""
    kind = dice.random()
    degrees = dice.normal(0, 7) if kind < 0.65 else dice.choice([90, 180, 270]) + dice.normal(0, 8)
    if kind > 0.85:
        degrees = dice.uniform(0, 360)
    out = warp(rgb, jittered(box, dice), float(degrees), dice, 0.12 if dice.random() < 0.5 else 0.03)
    if dice.random() < 0.3:
        out = hand(out, dice)
    return weather(out, dice)


def hand(out: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Fingers and a sleeve over a part of the picture: skin tones, soft edges, some shading."""
    mask = np.zeros(out.shape[:2], np.uint8)
    side, depth = int(dice.integers(0, 4)), dice.uniform(0.15, 0.4) * SIDE
    for finger in range(int(dice.integers(2, 5))):
        start = SIDE * (0.2 + 0.18 * finger) + dice.normal(0, 8)
        reach = depth * dice.uniform(0.7, 1.3)
        cv2.line(mask, (round(start), 0), (round(start + dice.normal(0, 15)), round(reach)), 255, int(dice.integers(18, 34)))
    mask = np.ascontiguousarray(np.rot90(mask, side))
    alpha = cv2.GaussianBlur(mask, (0, 0), 2.0)[..., None].astype(np.float32) / 255
    skin = np.array([224, 172, 138], np.float32) * dice.uniform(0.3, 1.05) * np.exp(dice.normal(0, 0.06, 3))
    if dice.random() < 0.2:
        skin = dice.uniform(20, 235, 3)  # a glove, or a sleeve
    shade = cv2.GaussianBlur(dice.normal(0, 60, (SIDE, SIDE, 1)).astype(np.float32), (0, 0), 12)
    cover = np.clip(skin + (shade[..., None] if shade.ndim == 2 else shade), 0, 255)
    return (out * (1 - alpha) + cover * alpha).astype(np.uint8)


def weather(out: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Light, lens and wire."""
    x = out.astype(np.float32)
    x = 255 * (x / 255) ** np.exp(dice.normal(0, 0.22)) * np.exp(dice.normal(0, 0.1, 3)) * np.exp(dice.normal(0, 0.1))
    if dice.random() < 0.12:  # fog, frost
        x = x * (1 - (thick := dice.uniform(0.15, 0.5))) + thick * dice.uniform(150, 235)
    if dice.random() < 0.12:  # glare
        spot = np.zeros((SIDE, SIDE), np.float32)
        at, size = dice.uniform(0, SIDE, 2), dice.uniform(8, 45, 2)
        cv2.ellipse(spot, at.round().astype(int).tolist(), size.round().astype(int).tolist(), float(dice.uniform(0, 180)), 0, 360, 255, -1)
        x += cv2.GaussianBlur(spot, (0, 0), float(size.min() * 0.5))[..., None]
    if dice.random() < 0.2:  # motion
        length = int(dice.integers(3, 15))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(dice.uniform(0, 180)), 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        x = cv2.filter2D(x, -1, kernel / max(kernel.sum(), 1e-3))
    if dice.random() < 0.3:  # far away, or out of focus
        small = int(dice.integers(45, 160))
        x = cv2.resize(cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if dice.random() < 0.3:
        x = x + dice.normal(0, dice.uniform(2, 10), x.shape)
    x = np.clip(x, 0, 255).astype(np.uint8)
    if dice.random() < 0.4:
        _, code = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(dice.integers(25, 85))])
        x = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return x


def scene(rgb: np.ndarray, box: Box, ground: np.ndarray, dice: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A whole photograph with the product somewhere in it, and how much of each of GRID x GRID cells it covers.

    Half of them: a part of the photograph that holds the product; the rest: the product put on another photograph.
    """
    h, w = rgb.shape[:2]
    left, top, right, bottom = box
    if dice.random() < 0.65:
        x0, y0 = dice.uniform(0, max(left, 1)), dice.uniform(0, max(top, 1))
        x1, y1 = dice.uniform(min(right, w - 1), w), dice.uniform(min(bottom, h - 1), h)
        if dice.random() < 0.25:
            x0, y0, x1, y1 = 0, 0, w, h
        part = rgb[int(y0) : max(int(y1), int(y0) + 8), int(x0) : max(int(x1), int(x0) + 8)]
        inside = np.array([left - int(x0), top - int(y0), right - int(x0), bottom - int(y0)])
        inside = inside / np.array([part.shape[1], part.shape[0]] * 2)
        out = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    else:
        out = cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        out = cv2.GaussianBlur(out, (0, 0), dice.uniform(0.3, 4))
        share = np.exp(dice.uniform(np.log(0.25), np.log(0.8)))
        form = np.sqrt((right - left) / max(bottom - top, 1)) * np.exp(dice.normal(0, 0.15))
        ww, hh = int(np.clip(SIDE * share * form, 40, 210)), int(np.clip(SIDE * share / form, 40, 210))
        item = cv2.resize(rgb[int(top) : int(bottom), int(left) : int(right)], (ww, hh), interpolation=cv2.INTER_AREA)
        x, y = int(dice.integers(0, SIDE - ww)), int(dice.integers(0, SIDE - hh))
        soft = np.zeros((SIDE, SIDE), np.float32)
        cv2.rectangle(soft, (x + 2, y + 2), (x + ww - 3, y + hh - 3), 1.0, -1)
        soft = cv2.GaussianBlur(soft, (0, 0), 2)[..., None]
        over = out.copy()
        over[y : y + hh, x : x + ww] = item
        out = (out * (1 - soft) + over * soft).astype(np.uint8)
        inside = np.array([x, y, x + ww, y + hh]) / SIDE
    if dice.random() < 0.5:
        out, inside = out[:, ::-1], np.array([1 - inside[2], inside[1], 1 - inside[0], inside[3]])
    edges = np.arange(GRID + 1) / GRID
    across = np.clip(np.minimum(edges[1:], inside[2]) - np.maximum(edges[:-1], inside[0]), 0, None) * GRID
    down = np.clip(np.minimum(edges[1:], inside[3]) - np.maximum(edges[:-1], inside[1]), 0, None) * GRID
    return weather(np.ascontiguousarray(out), dice), (down[:, None] * across[None]).astype(np.float32).ravel()
