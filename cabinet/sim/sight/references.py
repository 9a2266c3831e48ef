"""Tight pictures of one product as a technician takes them for the recogniser's gallery."""

from pathlib import Path

import numpy as np

from cabinet.sim.pictures import Picture
from cabinet.sim.sight.conditions import Conditions, apply
from cabinet.sim.sight.products import Cutout, dice_of, drawn, photographs
from cabinet.sim.sight.sprites import Points, layer_of, paint, sprite, warped

AIR = 0.03  # around the product, of its size: what `takes.PAD` leaves around a changed place
TILT = 0.05  # corners are off by so much of the size: held by hand, roughly straight
LIGHT_STOPS, LIGHT_MIRED = 0.3, 15.0  # from picture to picture, at most
GROUND_BGR = (150, 152, 150)  # the cabinet's own wall


def references(sku: str, k: int, cutout: Cutout | None = None, photos: Path | None = None) -> list[Picture]:
    """`k` pictures of a product (H x W x 3, BGR), different ones, the same each time.

    Of the photographs in `photos`/SKU, first to last, where that is a folder; else of its cut-out (None: as drawn).
    Raises OSError, ValueError where a photograph cannot be read.
    """
    if photos is not None and (photos / sku).is_dir():
        return photographs(photos / sku, range(k))
    shown = drawn(sku) if cutout is None else cutout
    dice = dice_of(sku + "/references")
    return [_taken(shown, dice) for _ in range(k)]


def _taken(cutout: Cutout, dice: np.random.Generator) -> Picture:
    high, wide = cutout.alpha.shape
    air = round(AIR * max(high, wide))
    size = wide + 2 * air, high + 2 * air
    frame: Points = np.array([(air, air), (air + wide, air), (air + wide, air + high), (air, air + high)], np.float64)
    quad = frame + dice.uniform(-TILT, TILT, (4, 2)) * min(high, wide)
    ground = np.full((size[1], size[0], 3), GROUND_BGR, np.uint8)
    paint(ground, sprite(warped(layer_of(cutout.colour, cutout.alpha), quad, (0, 0, *size)), 0, 0))
    stops, mired = float(dice.uniform(-LIGHT_STOPS, LIGHT_STOPS)), float(dice.uniform(-LIGHT_MIRED, LIGHT_MIRED))
    light = Conditions(exposure=stops, white_balance=mired, noise=1.5, blur=0.4, jpeg=90)
    shown = apply(ground, light, int(dice.integers(1 << 30)))
    return ground if shown is None else shown
