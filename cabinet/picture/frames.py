"""The stills that matter, side by side: before, after, and those nearest to the changes that decided."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from cabinet.basket.evidence import Sighting
from cabinet.picture.looks import COLOURS, best
from cabinet.picture.page import INK, MARGIN_IN, ODD, PALE, WIDTH_IN, Page, Taken
from cabinet.picture.told import Still, Told
from cabinet.units import CameraId, ZoneId

MOST_FRAMES = 6
NEAR_S = 2.0  # a still farther from a change shows something else
GAP_IN = 0.1


def key_frames(told: Told) -> list[Still]:
    """At most MOST_FRAMES, in order of time: the main camera's first and last, then what decided, then the others'."""
    if not told.stills:
        return []
    looks = _shown_on(told)
    main = _main(told, looks)
    chosen: dict[Still, str] = {}

    def choose(still: Still | None, why: str) -> None:
        if still is not None and len(chosen) < MOST_FRAMES:
            chosen[still] = f"{chosen[still]}, {why}" if still in chosen else why

    first, last = _ends(told, main)
    choose(first, "before")
    choose(last if last is not first else None, "after")
    review = told.tally.get("outcome") == "review"  # there what no product explains is what somebody must see
    numbered = [(n, step) for n, step in enumerate(told.steps, 1) if step.get("items") or review]
    for n, step in sorted(numbered, key=lambda pair: -abs(pair[1]["delta_g"])):
        choose(_nearest(told, ZoneId(str(step.get("zone"))), step["t"], looks), f"change {n}")
    for still in sorted(looks, key=lambda s: (-max(_worth(look) for look in looks[s]), s.t)):
        if still not in chosen:
            choose(still, "sighting")
    for camera in sorted({s.camera for s in told.stills} - {main}):
        for still, why in zip(_ends(told, camera), ("before", "after"), strict=True):
            if still not in chosen:
                choose(still, why)
    found = [replace(s, why=why, looks=tuple(looks.get(s, ()))) for s, why in chosen.items()]
    return sorted(found, key=lambda s: (s.t, s.camera))


def _shown_on(told: Told) -> dict[Still, list[Sighting]]:
    """Each look on the still of its camera that is nearest in time."""
    found: dict[Still, list[Sighting]] = {}
    for look in told.visit.events:
        if isinstance(look, Sighting):
            mine = [s for s in told.stills if s.camera == look.camera]
            nearest = min(mine, key=lambda s: abs(s.t - look.t), default=None)
            if nearest is not None and abs(nearest.t - look.t) < NEAR_S:
                found.setdefault(nearest, []).append(look)
    return found


def _main(told: Told, looks: dict[Still, list[Sighting]]) -> CameraId:
    """The camera that saw most; the first by name where none saw anything."""
    seen = {s.camera: 0.0 for s in told.stills}
    for still, mine in looks.items():
        seen[still.camera] += sum(_worth(look) for look in mine)
    return min(seen, key=lambda camera: (-seen[camera], camera))


def _ends(told: Told, camera: CameraId) -> tuple[Still, Still]:
    mine = [s for s in told.stills if s.camera == camera]
    return mine[0], mine[-1]


def _nearest(told: Told, zone: ZoneId, t: float, looks: dict[Still, list[Sighting]]) -> Still | None:
    """Of the cameras that see the zone; one with a look at it before one without."""
    cameras = told.visit.header.cameras
    near = [
        s for s in told.stills
        if abs(s.t - t) <= NEAR_S and (s.camera not in cameras or zone in cameras[s.camera].sees)
    ]  # fmt: skip  # one search
    return min(
        near, key=lambda s: (not any(look.zone == zone for look in looks.get(s, ())), abs(s.t - t)), default=None
    )


def _worth(look: Sighting) -> float:
    return max(look.scores.values(), default=0.0) + (1.0 if look.box else 0.0)


def draw_frames(page: Page, told: Told, stills: Sequence[Still], top: float, height: float) -> None:
    slots = max(len(stills), 4)
    width = (WIDTH_IN - 2 * MARGIN_IN - GAP_IN * (slots - 1)) / slots
    for i, still in enumerate(stills):
        x = MARGIN_IN + i * (width + GAP_IN)
        title = f"{still.why} · {still.camera} {still.t:.1f} s".replace("-", "−")
        page.write(x, top + 0.06, page.cut(title, width, 7, "bold"), 7, INK, weight="bold")
        room = (x, top + 0.15, width, height - 0.28)
        try:
            pixels, shrunk = _load(still)
        except (OSError, ValueError, SyntaxError):  # Pillow's words for a broken file
            page.box(*room, "#f1e4eb")
            page.write(x + width / 2, top + height / 2, "damaged still", 8, ODD, ha="center")
            continue
        drawn = _image(page, told, still, (pixels, shrunk), room)
        words = ", ".join(_said(told, look) for look in still.looks if look.box is None)
        page.write(x, top + 0.15 + drawn + 0.07, page.cut(words, width, 6.2), 6.2, PALE)


def _load(still: Still) -> tuple[NDArray[np.uint8], float]:
    """The pixels, no more of them than the page can show, and how many of them stand for one of the camera's."""
    with Image.open(still.path) as opened:
        whole = opened.width
        opened.draft("RGB", (640, 360))
        pixels = np.asarray(opened.convert("RGB"))
    return pixels, pixels.shape[1] / whole


def _image(
    page: Page, told: Told, still: Still, picture: tuple[NDArray[np.uint8], float],
    room: tuple[float, float, float, float],
) -> float:  # fmt: skip  # one still
    """Its height on the page, in inches."""
    x, y, width, height = room
    pixels, shrunk = picture
    height = min(height, width * pixels.shape[0] / pixels.shape[1])
    width = height * pixels.shape[1] / pixels.shape[0]
    axes = page.axes(x, y, width, height)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.imshow(pixels, aspect="auto")
    inch = pixels.shape[1] / width
    taken = Taken()
    for look in sorted((look for look in still.looks if look.box is not None), key=lambda look: -best(look)[1]):
        left, top, right, bottom = ((n * shrunk) for n in look.box or ())
        colour = COLOURS[look.action]
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.5))
        text = page.cut(_said(told, look), width * 0.8, 5.8)
        wide, high = page.width(text, 5.8) + 0.06, 0.105
        x0 = min(max(left / inch, 0.0), width - wide)
        for y0 in (top / inch - high, bottom / inch, top / inch + 0.02, height - high):
            if 0 <= y0 <= height - high and taken.free(x0, x0 + wide, y0, y0 + high):
                taken.take(x0, x0 + wide, y0, y0 + high)
                axes.add_patch(Rectangle((x0 * inch, y0 * inch), wide * inch, high * inch, facecolor=colour))
                axes.text((x0 + 0.03) * inch, (y0 + high / 2) * inch, text, fontsize=5.8, color="white", va="center",
                          parse_math=False)  # fmt: skip  # one text
                break
    return height


def _said(told: Told, look: Sighting) -> str:
    sku, score = best(look)
    verb = {"take": "took", "return": "put", "unknown": "saw"}[look.action]
    return f"{verb} {told.name(sku) if sku else 'something else'} {100 * score:.0f} %"
