"""A recorded visit looked at again: the sightings that these eyes make of its stills, instead of those written in it.

Plays the pictures of every camera in order of time through the functions that the witness uses: movement while the door
is open, and the last picture before the unlock against the first fresh one after the closing.  Stills are sparse: until
the next one, what a camera showed is taken to stand (HOLD_S, at the pace of the witness).  Refuses, by name, a trace
whose eyes cannot be asked: no pictures, no polygons, none of its products in the gallery, a still that is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from operator import attrgetter
from pathlib import Path

from cabinet.basket.evidence import Bolt, Camera, Door, Happening, Health, Sighting, Visit
from cabinet.ports import Frame, PortError, Recogniser
from cabinet.sightings import Polygons, compared, moving
from cabinet.trace import TraceError
from cabinet.trace.stills import Still, clips, stills
from cabinet.units import CameraId
from cabinet.vision.gallery import Gallery
from cabinet.witness import FRESH_S, LOOK_EVERY_S

HOLD_S = 3.0  # a burst of movement is over after 0.6 s of rest, and the comparison picture has forgotten it by then
SHORT_S = 0.9 * LOOK_EVERY_S

Span = tuple[float, float]  # t, from and until


class RewatchError(Exception):
    """Why the eyes cannot be asked about a trace."""


def rewatch(path: Path, visit: Visit, recogniser: Recogniser, gallery: Gallery) -> Visit:
    """The visit of the trace folder or .tar at `path`, its sightings replaced.  The same pictures give the same visit.

    Barcodes are not looked for.  Raises RewatchError.
    """
    header = visit.header
    known = {sku: reference for sku, reference in sorted(gallery.items()) if sku in header.catalog}
    if not known:
        raise RewatchError(f"{header.visit}: the gallery has no picture of any product of its catalogue")
    try:
        events: list[Happening] = [event for event in visit.events if not isinstance(event, Sighting)]
        for name, pictures in _asked(path, visit).items():
            events += _Watch(name, visit, recogniser, known).events(pictures)
    except (TraceError, OSError) as error:
        raise RewatchError(f"{header.visit}: {error}") from error
    except (PortError, ValueError) as error:
        raise RewatchError(f"{header.visit}: looking failed: {error}") from error
    return replace(visit, events=tuple(sorted(events, key=attrgetter("t"))))


def _asked(path: Path, visit: Visit) -> dict[CameraId, "_Pictures"]:
    """Cameras that kept pictures and know where their zones are."""
    header, kept, films = visit.header, stills(path), clips(path)
    names = sorted({*kept, *films})
    if not names:
        raise RewatchError(f"{header.visit}: has neither stills (frames/CAMERA/MS.jpg) nor clips")
    for name in names:
        if name not in header.cameras:
            raise RewatchError(f"{header.visit}: visit.json does not know the camera {name}, which has pictures")
    found = {name: _Pictures(header.cameras[name], kept.get(name, ()), films.get(name)) for name in names}
    found = {name: pictures for name, pictures in found.items() if pictures.about.polygons}
    if not found:
        raise RewatchError(f"{header.visit}: no camera with pictures has polygons in visit.json")
    return found


@dataclass(frozen=True, slots=True)
class _Pictures:
    """What one camera kept, and where its zones are."""

    about: Camera
    stills: Sequence[Still]
    clip: Path | None

    def frames(self, camera: CameraId) -> Iterator[Frame]:
        """In ascending t, which is the frames' `at_s` here."""
        return merge(self._stills(camera), self._clip(camera), key=attrgetter("at_s"))

    def polygons(self, frame: Frame) -> Polygons:
        """In pixels of the frame, which may be kept smaller than the camera's pictures were."""
        across = frame.picture.shape[1] / self.about.width
        down = frame.picture.shape[0] / self.about.height
        return {zone: [(x * across, y * down) for x, y in corners] for zone, corners in self.about.polygons.items()}

    def _stills(self, camera: CameraId) -> Iterator[Frame]:
        import cv2  # noqa: PLC0415  only where pictures are looked at
        import numpy as np  # noqa: PLC0415  likewise

        for still in self.stills:
            jpeg = np.frombuffer(still.load(), np.uint8)
            picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR) if jpeg.size else None
            if picture is None:
                raise TraceError(f"{still.name}: no readable picture")
            yield Frame(camera, still.t, np.asarray(picture, np.uint8))

    def _clip(self, camera: CameraId) -> Iterator[Frame]:
        if self.clip is None:
            return
        import cv2  # noqa: PLC0415  only where pictures are looked at
        import numpy as np  # noqa: PLC0415  likewise

        film = cv2.VideoCapture(str(self.clip))
        fps = film.get(cv2.CAP_PROP_FPS)
        if not film.isOpened() or not 1 <= fps <= 240:
            raise TraceError(f"clips/{self.clip.name}: no readable video")
        step, n = max(1, round(fps * LOOK_EVERY_S)), 0
        while film.grab():
            ok, picture = film.retrieve() if n % step == 0 else (False, None)
            if ok:
                yield Frame(camera, self.about.starts_at_t + n / fps, np.asarray(picture, np.uint8))
            n += 1


class _Watch:
    """One camera during one visit."""

    def __init__(self, camera: CameraId, visit: Visit, recogniser: Recogniser, gallery: Gallery) -> None:
        self.camera, self.recogniser, self.gallery = camera, recogniser, gallery
        self.open = _open(visit)
        closed = [event.t for event in visit.events if isinstance(event, Door) and not event.open]
        self.closed_t = closed[-1] if closed and self.open and self.open[-1][1] == closed[-1] else None
        self.complained = any(isinstance(e, Health) and e.part == f"camera:{camera}" for e in visit.events)

    def events(self, pictures: _Pictures) -> list[Happening]:
        found: list[Happening] = []
        before: Frame | None = None
        after: Frame | None = None
        began_t = self.open[0][0] if self.open else 0.0
        for frame in self._during(pictures, found):
            if frame.at_s <= 0 or (before is None and frame.at_s < began_t):
                before = frame
            late = self.closed_t is not None and frame.at_s > self.closed_t
            if late and (after is None or after.at_s <= (self.closed_t or 0.0) + FRESH_S):
                after = frame
        if before is not None and after is not None:
            zones = pictures.polygons(before)
            found += compared(before, after, zones, self.recogniser, self.gallery, _t)
        elif before is not None and self.closed_t is not None and not self.complained:
            found.append(Health(self.closed_t, f"camera:{self.camera}", ok=False, why="no frame at closing"))
        return found

    def _during(self, pictures: _Pictures, found: list[Happening]) -> Iterator[Frame]:
        """Every picture once, after what moved in it and until the next one was told."""
        from cabinet.vision.motion import MotionFinder  # noqa: PLC0415  OpenCV

        finders = [MotionFinder() for _ in self.open]
        for frame, next_t in _with_next(pictures.frames(self.camera)):
            zones = pictures.polygons(frame)
            for finder, (opened_t, closed_t) in zip(finders, self.open, strict=True):
                at_t, until_t = max(frame.at_s, opened_t), min(next_t, closed_t)
                for n in range(round(HOLD_S / LOOK_EVERY_S)):
                    now_t = at_t + n * LOOK_EVERY_S
                    if now_t >= until_t or (n and now_t > until_t - SHORT_S):
                        break  # a look so shortly before a new picture would keep the finder from looking at that
                    shown = replace(frame, at_s=now_t)
                    found += moving(finder, shown, zones, self.recogniser, self.gallery, _t)
            yield frame


def _t(at_s: float) -> float:
    return round(at_s, 4)


def _open(visit: Visit) -> list[Span]:
    """While the door stood open, until the visit's last event where nobody shut it.

    A door that bounces before it is bolted interrupts nothing: the witness goes on with the same finder.
    """
    spans: list[Span] = []
    since: float | None = None
    bolted = True
    for event in visit.events:
        if isinstance(event, Bolt):
            bolted = event.locked
        elif isinstance(event, Door) and event.open and since is None:
            since = event.t if bolted or not spans else spans.pop()[0]
        elif isinstance(event, Door) and not event.open and since is not None:
            spans.append((since, event.t))
            since, bolted = None, False
    return spans if since is None else [*spans, (since, visit.events[-1].t)]


def _with_next(frames: Iterator[Frame]) -> Iterator[tuple[Frame, float]]:
    """Each frame with the time of the one that follows it."""
    frame = next(frames, None)
    while frame is not None:
        following = next(frames, None)
        yield frame, float("inf") if following is None else following.at_s
        frame = following
