"""Photographs of a simulated shop's products, as a technician takes them for `cabinet catalog add`.

Held by hand in another light and larger than on the shelves: no crop of a rendered still is among them.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2

from cabinet.sim.sight.references import references
from cabinet.units import Sku

NAME = "gallery"  # beside the traces: it holds no visit.json, so no reader of traces takes it for one
PHOTOS = 5
QUALITY = 90


def photograph(folder: Path, skus: Iterable[Sku]) -> int:
    """Write SKU/N.jpg of the products that have no folder yet; how many products.  Raises OSError."""
    written = 0
    for sku in sorted(set(skus)):
        place = folder / sku
        if place.exists():
            continue
        place.mkdir(parents=True)
        for n, picture in enumerate(references(sku, PHOTOS), 1):
            _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            (place / f"{n}.jpg").write_bytes(coded.tobytes())
        written += 1
    return written
