"""Folders of faces whose truth is known: NAME/*.jpg of people, SPECIES/*.jpg or *.jpg of attacks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cabinet.cli.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cabinet.ports import Picture

KINDS: Final = (".jpg", ".jpeg", ".png")
MOST_SIDE_PX: Final = 1280  # larger pictures are made so small for everybody: no camera here sends more
FRAME: Final = (1280, 720)  # in which decisions are timed
ENLARGED: Final = 3.0  # a small picture is made at most so much larger in that frame: a face near the camera
NAMELESS: Final = "stranger"  # whoever lies in no folder with a name
GREY_SPREAD: Final = 4.0  # mean difference of the colours of a picture that has none
QUIET_S: Final = 2.0  # work that takes no longer says nothing
SAY_EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Photo:
    name: str  # of the person, or the species of the attack
    path: Path


def people(folder: Path, option: str, *, flat: str = "") -> list[Photo]:
    """Every picture of DIR/NAME/, by name; with `flat` those of DIR itself as well, under that name.

    Raises BadInputError where there is none.
    """
    if not folder.is_dir():
        raise BadInputError(f"{option}: {folder} is no folder", f"name one that holds {_wanted(flat)}")
    found = [
        Photo(place.name, path)
        for place in sorted(folder.iterdir())
        if place.is_dir() and not place.name.startswith(".")
        for path in _pictures(place)
    ]
    if flat:
        found += [Photo(flat, path) for path in _pictures(folder)]
    if not found:
        raise BadInputError(f"{option}: no pictures in {folder}", f"put {_wanted(flat)} there")
    return found


def _wanted(flat: str) -> str:
    return (
        "pictures, or folders of pictures (.jpg, .jpeg, .png)" if flat else "NAME/*.jpg (or .jpeg, .png), a folder each"
    )


def _pictures(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.suffix.lower() in KINDS and not path.name.startswith("."))


def read(path: Path) -> "Picture | None":
    """BGR, at most MOST_SIDE_PX on its longer side; None where it is no picture that can be read."""
    import cv2  # noqa: PLC0415  only where pictures are looked at
    import numpy as np  # noqa: PLC0415  likewise

    cv2.setNumThreads(1)
    try:
        shown = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, OSError):  # empty, larger than OpenCV takes, or not ours to read
        return None
    if shown is None:
        return None
    factor = MOST_SIDE_PX / max(shown.shape[:2])
    if factor < 1.0:
        shown = cv2.resize(shown, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(shown, np.uint8) if min(shown.shape[:2]) > 0 else None


def is_grey(picture: "Picture") -> bool:
    import numpy as np  # noqa: PLC0415  likewise

    some = picture[::4, ::4].astype(np.int16)
    return float((some.max(2) - some.min(2)).mean()) < GREY_SPREAD


def framed(picture: "Picture") -> "Picture":
    """The picture in the middle of a frame of 1280 x 720, as large as fits, at most ENLARGED times."""
    import cv2  # noqa: PLC0415  likewise
    import numpy as np  # noqa: PLC0415  likewise

    wide, high = FRAME
    factor = min(wide / picture.shape[1], high / picture.shape[0], ENLARGED)
    size = min(round(picture.shape[1] * factor), wide), min(round(picture.shape[0] * factor), high)
    shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    frame = np.full((high, wide, 3), 118, np.uint8)
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    frame[top : top + size[1], left : left + size[0]] = shown
    return frame


def spread(photos: Sequence[Photo], most: int) -> list[Photo]:
    """At most so many, from the whole of the list."""
    return list(photos[:: max(1, -(-len(photos) // most))])


@contextmanager
def progress(what: str, total: int, *, tell: bool) -> "Iterator[Callable[[], None]]":
    """Call once for each thing done.  A bar on a terminal, else a line now and then; nothing of work of two seconds."""
    import sys  # noqa: PLC0415  with the rest of what only this needs
    import time  # noqa: PLC0415  likewise

    if tell and sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415  0.1 s
        from rich.progress import Progress  # noqa: PLC0415  likewise

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task: Any = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)
        return
    done, say_s = 0, time.monotonic() + QUIET_S

    def one() -> None:
        nonlocal done, say_s
        done += 1
        if tell and time.monotonic() >= say_s:
            say_s = time.monotonic() + SAY_EVERY_S
            sys.stderr.write(f"{what}: {done:,} of {total:,}\n")

    yield one
