"""Light, lens and misfortunes of one camera at one moment, and how a clean picture looks through them.

Geometry first, then the lens, then light, then the sensor and its coding: the order in which a real frame comes about.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.sim.pictures import Picture

GAMMA = 2.2  # sRGB's, nearly: stops count light, a picture's values are its 2.2th root
RED_PER_MIRED, BLUE_PER_MIRED = (
    0.0017,
    -0.0028,
)  # beside green, in sRGB: Planck's law at 6500 and 5000 K (46 mired), computed
FOG_SIGMA_PX = 4.5  # at fog 1: drops of a millimetre on a lens of four
FOG_VEIL, FOG_LIGHT = (
    0.75,
    190.0,
)  # at fog 1: share of the light that drops scatter, and its level (white lamp, grey walls)
DARK_LEFT = 0.02  # at dark 1: what a shut cabinet without its lamp gets through the door
PALM_BGR = (38, 44, 62)  # a palm on the lens: skin with little light behind it
COVER_EDGE = 0.12  # of the width: nothing that touches the lens has a sharp edge
TILES = 48  # pixels: noise is one tile, shown from one of 48 x 48 corners; drawing it anew costs 9 ms a frame


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything off: the picture as it was drawn.  Strengths are of a picture 640 pixels wide."""

    exposure: float = 0.0  # stops; +-1 while an automatic one catches up (judgement)
    white_balance: float = (
        0.0  # mired; + warmer; 6500 K against 5000 K is 46; an automatic one may wander by 30 (judgement)
    )
    glare: float = 0.0  # 0..1; the lamp in the door's glass or on foil: 1 burns a spot out
    glare_at: tuple[float, float] = (0.64, 0.3)  # centre of the glare, shares of width and height
    fog: float = 0.0  # 0..1; warm air meets a cold lens after the door opened; how thick, is judgement
    noise: float = (
        0.0  # sd, of 255; 1 a good sensor in good light (`sim.streams`); 4 as vision's own tests; 10 nearly dark
    )
    blur: float = 0.0  # sigma, pixels; 0.5 a lens in focus, 2 a lens that is not
    jpeg: int = 0  # quality 1..100; 0 not coded; 85 as `sim.streams`
    covered: float = 0.0  # 0..1; share of the lens under a palm or a carton, from the left
    dark: float = 0.0  # 0..1; 1 the lamp is out
    frozen: bool = False  # no new noise; Interior and Front then also repeat their newest picture
    moved: tuple[float, float, float] = (0.0, 0.0, 0.0)  # the camera was knocked: pixels right, pixels down, degrees
    dropped: bool = False  # no frame comes


CLEAN = Conditions()
USUAL = Conditions(noise=2.0, jpeg=85)  # as `cabinet.sim.streams` codes, with a usual sensor's noise


def apply(picture: Picture, conditions: Conditions, dice_seed: int) -> Picture | None:
    """The picture (H x W x 3, BGR; left as it is) through `conditions`; None for a dropped frame.

    The same seed gives the same bytes.  Raises ValueError where the quality is none that JPEG knows.
    """
    if conditions.dropped:
        return None
    shown = _lens(_moved(picture, conditions.moved), conditions)
    table = _light(conditions.exposure, conditions.white_balance, conditions.dark)
    shown = shown.copy() if table is None else np.asarray(cv2.LUT(shown, table), np.uint8)
    if conditions.covered > 0:
        shown = _cover(shown, conditions.covered)
    if conditions.noise > 0:
        shown = _noisy(shown, conditions.noise, 0 if conditions.frozen else dice_seed)
    return shown if conditions.jpeg == 0 else _coded(shown, conditions.jpeg)


def _moved(picture: Picture, moved: tuple[float, float, float]) -> Picture:
    if moved == (0.0, 0.0, 0.0):
        return picture
    high, wide = picture.shape[:2]
    right, down, degrees = moved
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1.0)
    turn[:, 2] = turn[:, 2] + np.array((right, down))
    return np.asarray(cv2.warpAffine(picture, turn, (wide, high), borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _lens(picture: Picture, conditions: Conditions) -> Picture:
    sigma = float(np.hypot(conditions.blur, FOG_SIGMA_PX * conditions.fog))
    if sigma > 0.05:  # less than a twentieth of a pixel shows nowhere
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
    if conditions.fog > 0:
        veil = FOG_VEIL * conditions.fog
        picture = np.asarray(cv2.convertScaleAbs(picture, alpha=1 - veil, beta=FOG_LIGHT * veil), np.uint8)
    if conditions.glare > 0:
        spot = _spot(picture.shape[1], picture.shape[0], conditions.glare_at)
        picture = np.asarray(cv2.addWeighted(picture, 1.0, spot, conditions.glare, 0.0), np.uint8)
    return picture


def _light(exposure: float, mired: float, dark: float) -> NDArray[np.uint8] | None:
    """A table (1 x 256 x 3) from levels as drawn to levels as lit; None where light changes nothing."""
    if (exposure, mired, dark) == (0.0, 0.0, 0.0):
        return None
    gain = 2.0 ** (exposure / GAMMA) * (1 - (1 - DARK_LEFT) * dark)
    gains = gain * np.exp(mired * np.array([BLUE_PER_MIRED, 0.0, RED_PER_MIRED]))
    levels = np.arange(256.0)[:, None] * gains[None, :]
    return np.asarray(np.clip(np.round(levels), 0, 255)[None], np.uint8)


def _cover(picture: Picture, share: float) -> Picture:
    """From the left; what is not covered gets the cover's shadow at its edge."""
    wide = picture.shape[1]
    edge = share * (1 + 2 * COVER_EDGE) - COVER_EDGE
    over = np.clip((edge - np.arange(wide) / wide) / COVER_EDGE + 0.5, 0, 1).astype(np.float32)[None, :, None]
    return np.asarray(picture * (1 - over) + np.array(PALM_BGR, np.float32) * over, np.uint8)


def _noisy(picture: Picture, sd: float, dice_seed: int) -> Picture:
    high, wide = picture.shape[:2]
    down, right, flip = (int(n) for n in np.random.default_rng(dice_seed).integers((TILES, TILES, 2)))
    grain = _grain(wide + TILES, high + TILES, round(sd, 2))[down : down + high, right : right + wide]
    if flip:
        return np.asarray(cv2.subtract(picture, grain, dtype=cv2.CV_8U), np.uint8)
    return np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U), np.uint8)


def _coded(picture: Picture, quality: int) -> Picture:
    if not 1 <= quality <= 100:
        raise ValueError(f"JPEG knows qualities of 1 to 100, not {quality}")
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


@lru_cache(maxsize=8)
def _grain(wide: int, high: int, sd: float) -> NDArray[np.int16]:
    return np.asarray(np.round(np.random.default_rng(1).normal(0, sd, (high, wide, 3))), np.int16)


@lru_cache(maxsize=8)
def _spot(wide: int, high: int, at: tuple[float, float]) -> NDArray[np.uint8]:
    """A burnt core with a halo and a faint streak, 0..255: how a lamp shows in glass."""
    across = (np.arange(wide)[None, :] - at[0] * wide) / wide
    down = (np.arange(high)[:, None] - at[1] * high) / wide
    core = np.exp(-(((across / 0.05) ** 2 + (down / 0.035) ** 2) ** 2))
    halo = 0.35 * np.exp(-((across / 0.14) ** 2 + (down / 0.1) ** 2))
    streak = 0.25 * np.exp(-(((across - 0.5 * down) / 0.02) ** 2) - (down / 0.2) ** 2)
    level = np.clip(core + halo + streak, 0, 1)[:, :, None] * np.array((255, 252, 244))
    return np.asarray(level, np.uint8)
