"""`cabinet eval frames`: takes and returns told from a video, beside what really happened in it.

The witness's own motion finder looks at the frames, at the witness's pace; without a gallery it names no product, only
that something left or came, and where.
"""

import json as codec
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cabinet.cli import show
from cabinet.cli.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from cabinet.vision.pictures import Seen

TOLERANCE_S = 1.0
LOOKS_PER_S = 5.0  # as the witness looks


@dataclass(frozen=True, slots=True)
class Event:
    t0: float
    t1: float
    action: str
    places: tuple[str, ...]


def frames(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A recording of the shelf.")],
    truth: Annotated[
        Path, typer.Option("--truth", metavar="FILE", help='{"events": [{"t0", "t1", "action", "pos"}], "zones": {}}')
    ],
    picture: Annotated[Path | None, typer.Option("--picture", metavar="PNG", help="Draw what was found.")] = None,
    json: show.AsJson = False,
) -> None:
    """Score take and return events of a video: found in time (1 s early or late), missed, invented.

    `zones` in the truth are polygons in pixels; without them the whole picture is one zone. A true event of two places
    wants as many places found.
    """
    events, zones = _truth(truth)
    found, facts = watch(video, zones)
    answer = {"video": str(video), **facts, **scored(events, found), "tolerance_s": TOLERANCE_S}
    if picture is not None:
        from cabinet.cli.evaluate.drawing import draw_frames  # noqa: PLC0415  matplotlib takes a second

        draw_frames(video, answer, picture)
    if json:
        show.as_json(answer)
        return
    rows = [
        (f"{e['t0']:.1f} - {e['t1']:.1f} s", e["action"], len(e["places"]) or 1, "yes" if e["matched"] else "MISSED")
        for e in answer["events"]
    ]
    console = show.console()
    console.print(show.table("What happened", ["when", "what", "things>", "found"], rows))
    rows = [(f"{f['t0']:.1f} - {f['t1']:.1f} s", f["action"], f["box"], f["true"]) for f in answer["found"]]
    console.print(show.table("What was told", ["when", "what", "where", "true"], rows))
    console.print(
        show.facts(
            [
                ("events found", f"{answer['matched']} of {len(events)}"),
                ("invented", answer["invented"]),
                ("time", f"{answer['ms_per_frame']} ms a frame looked at, decoding apart"),
            ]
        )
    )


def watch(video: Path, zones: dict[str, Any]) -> tuple[list["Seen"], dict[str, Any]]:
    """Everything that the motion finder tells.  Raises RefusedError for a video that cannot be read."""
    import cv2  # noqa: PLC0415  only where pictures are looked at
    import numpy as np  # noqa: PLC0415  likewise
    from rich.console import Console  # noqa: PLC0415  0.1 s
    from rich.progress import Progress  # noqa: PLC0415  likewise

    from cabinet.adapters.tflite import ItemRecogniser  # noqa: PLC0415  a runtime
    from cabinet.config import OUR_MODEL  # noqa: PLC0415  with it
    from cabinet.units import ZoneId  # noqa: PLC0415  likewise
    from cabinet.vision.motion import MotionFinder  # noqa: PLC0415  OpenCV

    if not video.is_file():
        raise BadInputError(f"{video} is not there", "name a video file")
    film = cv2.VideoCapture(str(video))
    fps, count = film.get(cv2.CAP_PROP_FPS), int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    if not film.isOpened() or not 1 <= fps <= 240:
        raise RefusedError(f"{video} is no readable video", "give an MP4, MKV or AVI file")
    recogniser, finder = ItemRecogniser(OUR_MODEL), MotionFinder()
    found: list[Seen] = []
    step, n, taken_s, looked, at_s = max(1, round(fps / LOOKS_PER_S)), 0, 0.0, 0, 0.0
    polygons: Any = None
    with Progress(console=Console(stderr=True), transient=True) as progress:
        watching = progress.add_task("watching", total=count)
        while film.grab():
            n += 1
            progress.advance(watching)
            if (n - 1) % step:
                continue
            ok, shown = film.retrieve()
            if not ok:
                continue
            high, wide = shown.shape[:2]
            polygons = polygons or {ZoneId(z): c for z, c in zones.items()} or {
                ZoneId("all"): [(0, 0), (wide, 0), (wide, high), (0, high)]
            }  # fmt: skip
            at_s, began = (n - 1) / fps, time.perf_counter()
            found += finder.update(np.asarray(shown, np.uint8), at_s, polygons, recogniser, {})
            taken_s, looked = taken_s + time.perf_counter() - began, looked + 1
    if not looked:
        raise RefusedError(f"{video} has no readable frame", "give a whole file")
    facts = {"frames": n, "fps": round(fps, 2), "seconds": round(n / fps, 2), "looked_at": looked,
             "ms_per_frame": round(1000 * taken_s / looked, 2), "until_s": round(at_s, 2)}  # fmt: skip
    return found, facts


def scored(events: list[Event], found: list["Seen"]) -> dict[str, Any]:
    """Each true event takes the told places of its action that overlap it within the tolerance, as many as it has."""
    told = [seen for seen in found if seen.action != "unknown" and seen.between_s is not None]
    free = set(range(len(told)))
    rows, matched = [], 0
    for event in events:
        wanted = max(1, len(event.places))
        mine = [
            n
            for n in sorted(free)
            if told[n].action == event.action
            and (told[n].between_s or (0, 0))[0] <= event.t1 + TOLERANCE_S
            and (told[n].between_s or (0, 0))[1] >= event.t0 - TOLERANCE_S
        ][:wanted]
        free -= set(mine)
        hit = len(mine) == wanted
        matched += hit
        rows.append(
            {"t0": event.t0, "t1": event.t1, "action": event.action, "places": list(event.places), "matched": hit,
             "told": len(mine)}
        )  # fmt: skip
    return {
        "events": rows,
        "found": [
            {
                "t0": round(t0, 2),
                "t1": round(t1, 2),
                "action": seen.action,
                "box": list(seen.box),
                "true": n not in free,
            }
            for n, seen in enumerate(told)
            for t0, t1 in [seen.between_s or (0.0, 0.0)]
        ],
        "matched": matched,
        "missed": len(events) - matched,
        "invented": len(free),
        "recall": round(matched / len(events), 4) if events else None,
        "precision": round((len(told) - len(free)) / len(told), 4) if told else None,
    }


def _truth(path: Path) -> tuple[list[Event], dict[str, Any]]:
    try:
        facts = codec.loads(path.read_text(encoding="utf-8"))
        until = float((facts.get("cut_s") or [0, float("inf")])[1])
        events = [
            Event(float(e["t0"]), float(e["t1"]), str(e["action"]), tuple(map(str, e.get("pos", ()))))
            for e in facts["events"]
            if float(e["t0"]) <= until
        ]
        zones = {
            str(zone): [(float(x), float(y)) for x, y in corners] for zone, corners in facts.get("zones", {}).items()
        }
    except OSError as error:
        raise BadInputError(f"--truth: {path} cannot be read ({error.strerror})", "name the truth.json") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadInputError(f"--truth: {path}: {error!r}", 'it holds {"events": [{"t0", "t1", "action"}]}') from error
    wrong = [e.action for e in events if e.action not in {"take", "return"}]
    if wrong:
        raise BadInputError(f"--truth: {path}: action {wrong[0]!r}", "take or return")
    return events, zones
