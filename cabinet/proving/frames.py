"""Rendered stills of a recorded visit: what each interior camera saw before, while somebody reached in, and after.

They show the truth of the world, not the sightings of the trace, which come from the confusion model of the fast depth.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2

from cabinet.basket.evidence import Door, Mass, Visit
from cabinet.proving.recorded import Move, Recorded
from cabinet.sim.shop import Plan
from cabinet.sim.sight.conditions import USUAL, Conditions
from cabinet.sim.sight.hands import Hand, crossing
from cabinet.sim.sight.interior import Interior
from cabinet.sim.sight.products import assortment
from cabinet.units import Sku, ZoneId

FPS = 5.0  # while a hand is in; the daemon looks as often
REACH_S = 0.9  # a hand comes in before, and goes out after, the move itself
BEFORE_T = -0.15  # of the still before the unlock
AFTER_S = 0.2  # after the closing
QUALITY = 85
ROWS = 3  # units behind each other
MOST_FACINGS = 6
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
        views = _views(told.plan, camera)
        here = folder / "frames" / camera
        here.mkdir(parents=True, exist_ok=True)
        for n, (t, hand) in enumerate(_moments(told, about.sees)):
            what = _blinded(told, camera, t)
            if what in {"away", "frozen"}:
                continue  # no frame comes, or none that is new
            counts = _counts(told, views, t)
            picture = views.render(counts, [] if hand is None else [hand], BLINDED.get(what, USUAL), n)
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
            about, polygons={ZoneId(zone): corners for zone, corners in _views(told.plan, name).polygons().items()}
        )
        for name, about in told.visit.header.cameras.items()
    }
    return replace(told.visit, header=replace(told.visit.header, cameras=cameras))


def facings(plan: Plan, zone: ZoneId) -> tuple[Sku, ...]:
    """What stands side by side: as many columns of a product as its units need, and all fit."""
    held = plan.shelves[zone]
    columns = [sku for sku, count in held.items() for _ in range(-(-count // ROWS))]
    return tuple(columns[:MOST_FACINGS]) if len(columns) > MOST_FACINGS else tuple(columns)


@lru_cache(maxsize=32)
def _interior(key: tuple[tuple[ZoneId, tuple[Sku, ...]], ...], viewpoint: str) -> Interior:
    shelves = {str(zone): [str(sku) for sku in skus] for zone, skus in key}
    cutouts = assortment({sku for skus in shelves.values() for sku in skus})
    return Interior(shelves, cutouts, viewpoint, rows=ROWS)  # type: ignore[arg-type]  # top, left or right


def _views(plan: Plan, camera: str) -> Interior:
    sees = plan.cameras[camera].sees  # type: ignore[index]  # a camera's id is text
    return _interior(tuple((zone, facings(plan, zone)) for zone in sees), camera)


def _moments(told: Recorded, sees: tuple[ZoneId, ...]) -> Iterator[tuple[float, Hand | None]]:
    """When a still is kept, and the hand that is in it."""
    closed = [e.t for e in told.visit.events if isinstance(e, Door) and not e.open]
    ended_t = max((e.t + len(e.g) / e.hz for e in told.visit.events if isinstance(e, Mass)), default=0.0)
    yield BEFORE_T, None
    for move in told.moves:
        if move.zone in sees:
            yield from _reaching(told, move)
    yield (min(closed[-1] + AFTER_S, ended_t) if closed else ended_t), None


def _reaching(told: Recorded, move: Move) -> Iterator[tuple[float, Hand | None]]:
    t0, t1 = move.t - REACH_S, move.t + min(move.over_s, 2.0) + REACH_S
    columns = facings(told.plan, move.zone)
    column = columns.index(move.sku) if move.sku in columns else len(columns) - 1
    for n in range(int((t1 - t0) * FPS) + 1):
        t = t0 + n / FPS
        hand = Hand(str(move.zone), column, 0.0)
        arm = crossing(hand, str(move.sku), t, (t0, t1), put_back=move.action == "return")
        if arm is not None and move.sku not in columns:
            arm = replace(arm, holds=None)  # a thing of one's own has no picture
        yield t, arm


def _counts(told: Recorded, views: Interior, t: float) -> dict[str, list[int]]:
    """Units in each facing at t: the first column of a product is emptied first."""
    stands = {zone: dict(held) for zone, held in told.stood.items()}
    for move in told.moves:
        if move.t <= t:
            change = -1 if move.action == "take" else 1
            stands[move.zone][move.sku] = stands[move.zone].get(move.sku, 0) + change
    found: dict[str, list[int]] = {}
    for zone in views.polygons():
        left = dict(stands.get(ZoneId(zone), {}))
        columns = facings(told.plan, ZoneId(zone))
        counts = []
        for sku in reversed(columns):  # the last ones are full
            here = min(ROWS, max(0, left.get(sku, 0)))
            left[sku] = left.get(sku, 0) - here
            counts.append(here)
        found[zone] = counts[::-1]
    return found


def _blinded(told: Recorded, camera: str, t: float) -> str:
    what = "well"
    for at, name, befell in told.blind:
        if name == camera and at <= t:
            what = befell
    return what
