"""Times: of each stage, of a whole decision in a frame of 1280 x 720 beside stock's, and of a search among 10,000."""

import time
from collections.abc import Sequence
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from cabinet.cli.evaluate.faces_pictures import Photo, framed, progress, read, spread
from cabinet.cli.evaluate.faces_seen import Look, seen
from cabinet.cli.evaluate.faces_sums import Crowd
from cabinet.identity.gallery import SIZE, FaceGallery
from cabinet.ports import Faces, PortError
from cabinet.units import MemberId

if TYPE_CHECKING:
    from cabinet.cli.evaluate.faces_stock import Stock
    from cabinet.ports import Picture

FRAMES: Final = 20  # in which whole decisions are timed
TEMPLATES: Final = 10_000
ROUNDS: Final = 8
SEARCHES: Final = 50  # of a round


def stages(looks: Sequence[Look], crowd: Crowd) -> dict[str, float | None]:
    """Median ms of each stage on the pictures as they came; `reference` where the slower network was asked."""
    found = [one for one in looks if one.vector]
    search, decide = [], []
    for look in found:
        began_s = time.perf_counter()
        crowd.gallery.nearest(look.vector)
        searched_s = time.perf_counter()
        crowd.whose(look)
        search.append(1000 * (searched_s - began_s))
        decide.append(max(0.0, 1000 * (time.perf_counter() - searched_s) - search[-1]))  # it searches once more
    return {
        "find": _middle([one.find_ms for one in looks if one.find_ms]),
        "encode": _middle([one.encode_ms for one in found]),
        "search": _middle(search, 4),
        "decide": _middle(decide, 4),
        "reference": _middle([one.reference_ms for one in looks if one.reference_ms]),
    }


@cache
def search_ms(templates: int = TEMPLATES) -> dict[str, float]:
    """1:N over so many members of one template each.  The vectors are drawn: only their number costs time.

    `quiet`: the median of the quickest of ROUNDS rounds, which other work on the machine lengthens least.
    """
    import numpy as np  # noqa: PLC0415  only where it is asked for

    dice = np.random.default_rng(10)
    rows = dice.normal(0, 0.12, (templates, SIZE)).astype(np.float32)
    gallery = FaceGallery((MemberId(f"m{n}"), row) for n, row in enumerate(rows))
    rounds: list[list[float]] = []
    for faces in dice.normal(0, 0.12, (ROUNDS, SEARCHES, SIZE)).astype(np.float32):
        rounds.append([])
        for face in faces:
            began_s = time.perf_counter()
            gallery.nearest(face)
            rounds[-1].append(1000 * (time.perf_counter() - began_s))
    took = sorted(ms for one in rounds for ms in one)
    return {
        "quiet": round(min(median(one) for one in rounds), 3),
        "p50": round(median(took), 3),
        "p95": round(took[int(0.95 * len(took))], 3),
        "max": round(took[-1], 3),
    }


async def frames(
    faces: Faces, photos: Sequence[Photo], crowd: Crowd, stock: "Stock | None", *, tell: bool
) -> dict[str, Any]:
    """Ours and stock's by turns on the same frames; only those in which both find a face are counted."""
    ours, theirs, asked = [], [], 0
    chosen = spread(photos, FRAMES)
    with progress("frames of 1280 x 720", len(chosen), tell=tell) as done:
        for photo in chosen:
            done()
            picture = read(photo.path)
            if picture is None:
                continue
            frame = framed(picture)
            mine = await _decided(faces, photo, frame, crowd)
            took = None if stock is None else stock.look(frame, photo)
            if mine is None or (took is not None and took.vector is None):
                continue
            ours.append(mine[0])
            asked += mine[1]
            if took is not None:
                theirs.append(took.find_ms + took.encode_ms)
    told: dict[str, Any] = {"frames": len(ours), "ours_ms": _middle(ours), "reference_asked": asked}
    told["ours_mean_ms"] = round(sum(ours) / len(ours), 2) if ours else None
    if theirs:
        told |= {"stock_ms": _middle(theirs), "speedup": round(median(theirs) / median(ours), 1)}
        told["speedup_of_means"] = round(sum(theirs) / sum(ours), 1)
    return told


async def _decided(faces: Faces, photo: Photo, frame: "Picture", crowd: Crowd) -> tuple[float, bool] | None:
    """From the decoded frame to whose face it is: ms, and whether the slower network was asked; None without a face."""
    began_s = time.perf_counter()
    try:
        look = await seen(faces, photo, frame)
        if look.face is None:
            return None
        doubted = crowd.doubts(look)
        if doubted:
            await faces.reference(frame, look.face)
        crowd.whose(look)
    except PortError:
        return None
    return 1000 * (time.perf_counter() - began_s), doubted


def _middle(values: Sequence[float], digits: int = 2) -> float | None:
    return round(median(values), digits) if values else None
