"""Rendered stills of a recorded visit: what each interior camera saw before, while somebody reached in, and after.

They show the truth of the world, not the sightings of the trace, which come from the confusion model of the fast depth.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2

from cabinet.basket.evidence import Visit
from cabinet.proving.facings import depth, facings, standing
from cabinet.proving.reaching import moments
from cabinet.proving.recorded import Recorded
from cabinet.sim.sight.conditions import Conditions
from cabinet.sim.sight.interior import Interior
from cabinet.sim.sight.products import assortment
from cabinet.units import Sku, ZoneId

QUALITY = 85
SENSOR = Conditions(noise=2.0)  # of a usual one; the still's own coding is the coding
BLINDED: Mapping[str, Conditions] = {
    "covered": Conditions(covered=1.0),
    "dark": Conditions(dark=0.95),
    "fogged": Conditions(fog=0.9),
    "moved": Conditions(moved=(40.0, 12.0, 3.0)),
}


def render(folder: Path, told: Recorded) -> int:
    """Write frames/CAMERA/MS.jpg into the trace; how many.  Raises OSError."""
    written = 0
    for camera, about in told.plan.cameras.items():
        views = _views(told, camera)
        here = folder / "frames" / camera
        here.mkdir(parents=True, exist_ok=True)
        for n, (t, hands) in enumerate(moments(told, about.sees)):
            what = _blinded(told, camera, t)
            if what in {"away", "frozen"}:
                continue  # no frame comes, or none that is new
            counts = {str(zone): standing(told, zone, t) for zone in about.sees}
            picture = views.render(counts, hands, BLINDED.get(what, SENSOR), n)
            ms = round(t * 1000)
            name = f"{'-' if ms < 0 else ''}{abs(ms):08d}.jpg"
            if picture is not None:
                _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
                (here / name).write_bytes(coded.tobytes())
                written += 1
    return written


def placed(told: Recorded) -> Visit:
    """The visit with the zones' polygons in its header, as these cameras see them."""
    cameras = {
        name: replace(
            about, polygons={ZoneId(zone): corners for zone, corners in _views(told, name).polygons().items()}
        )
        for name, about in told.visit.header.cameras.items()
    }
    return replace(told.visit, header=replace(told.visit.header, cameras=cameras))


def _views(told: Recorded, camera: str) -> Interior:
    sees = told.plan.cameras[camera].sees  # type: ignore[index]  # a camera's id is text
    return _interior(tuple((zone, facings(told, zone)) for zone in sees), camera, depth(told.plan))


@lru_cache(maxsize=32)
def _interior(key: tuple[tuple[ZoneId, tuple[Sku, ...]], ...], viewpoint: str, rows: int) -> Interior:
    shelves = {str(zone): [str(sku) for sku in skus] for zone, skus in key}
    cutouts = assortment({sku for skus in shelves.values() for sku in skus})
    return Interior(shelves, cutouts, viewpoint, rows=rows)  # type: ignore[arg-type]  # top, left or right


def _blinded(told: Recorded, camera: str, t: float) -> str:
    what = "well"
    for at, name, befell in told.blind:
        if name == camera and at <= t:
            what = befell
    return what
