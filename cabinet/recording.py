"""One visit being written down: its trace, its clock, and what was seen before the door opened.

Knows files and the monotonic clock; decides nothing.  After a restart it goes on with the trace that is there.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cabinet import clock
from cabinet.barrier import Counts
from cabinet.basket.evidence import Gap, Header, Mass
from cabinet.ports import Frame
from cabinet.trace import Recorder
from cabinet.units import CameraId, VisitId, ZoneId
from cabinet.vision.gallery import Gallery

UNKNOWN_GAP_S = 1.0  # at least so long was the power away: the tally must see that something is missing
FELT_G = 40.0  # less may be a door that swings

log = logging.getLogger(__name__)


@dataclass
class Stills:
    """Which pictures of a visit are kept: before and after of each camera in any case, and not all of a long rummage.

    Once half the budget is spent only what shows something new is kept, and each camera's place for the picture after
    the closing is never given away.  Where the door is opened again, the newer after-picture replaces the older one.
    """

    kept: int = 0
    told: set[tuple[object, ...]] = field(default_factory=set)  # what the stills kept so far show
    after_t: dict[CameraId, float] = field(default_factory=dict)

    def wants(self, most: int, cameras: int, shows: Iterable[tuple[object, ...]] = ()) -> bool:
        """A picture of between, that `shows` (camera, zone, action, product); most, cameras: budget and places."""
        shown = set(shows)
        room = most - cameras + len(self.after_t)
        news = not shown <= self.told
        if self.kept >= room or (self.kept >= most / 2 and not news):
            return False
        self.told |= shown
        return True


@dataclass
class Felt:
    """When somebody first took or touched something: to be held against when the cameras saw it."""

    resting_g: Mapping[ZoneId, float] = field(default_factory=dict)  # before the door opened
    at_s: dict[ZoneId, float] = field(default_factory=dict)  # when each zone first felt somebody

    def add(self, zone: ZoneId, at_s: float, grams: Sequence[float | None]) -> None:
        """Samples of the open cabinet."""
        if zone not in self.at_s and self.differs(zone, [g for g in grams if g is not None]):
            self.at_s[zone] = at_s

    def differs(self, zone: ZoneId, grams: Sequence[float]) -> bool:
        """Whether the zone weighs something else than at rest."""
        resting_g = self.resting_g.get(zone)
        return bool(grams) and resting_g is not None and abs(sum(grams) / len(grams) - resting_g) > FELT_G

    def first_s(self, zones: Container[ZoneId]) -> float | None:
        """When the first of these zones felt somebody."""
        return min((at_s for zone, at_s in self.at_s.items() if zone in zones), default=None)


@dataclass
class Recording:
    visit: VisitId
    recorder: Recorder
    origin_s: float  # monotonic time of t = 0
    before: dict[CameraId, Frame] = field(default_factory=dict)
    gallery: Gallery = field(default_factory=dict)
    watching: asyncio.Task[None] | None = None
    finishing: asyncio.Task[None] | None = None
    stills: Stills = field(default_factory=Stills)
    felt: Felt = field(default_factory=Felt)
    moved_s: dict[CameraId, float] = field(default_factory=dict)  # when each camera first saw something move
    seen_s: float = 0.0  # up to when cells must have reported: the newest sighting or complaint at the closing
    closed_s: float = 0.0  # when the door shut that is being finished
    awaited: dict[CameraId, float] = field(default_factory=dict)  # not compared yet -> a later frame is wanted
    counted: Counts = field(default_factory=Counts)
    barrier_t: float | None = None  # what is stamped earlier and comes now is too late
    arrived: asyncio.Event = field(default_factory=asyncio.Event)  # samples, since it was last cleared

    def t(self, at_s: float) -> float:
        return round(at_s - self.origin_s, 4)

    def close(self) -> None:
        """Nothing more is looked at, waited for or written."""
        for task in (self.watching, self.finishing):
            if task is not None:
                task.cancel()
        try:
            self.recorder.finish()
        except OSError as error:
            log.error("trace_finish_failed why=%s", error)  # noqa: TRY400  the traceback says nothing more


def begin(visit: VisitId, folder: Path, header: Header, recent: Callable[[float], list[Mass]]) -> Recording:
    """A new trace, t = 0 now, beginning with the masses sensed just before (`recent(origin_s)`)."""
    origin_s = clock.now_s()
    recorder = Recorder.create(folder, header)
    _write_origin(folder, origin_s)
    for mass in sorted(recent(origin_s), key=lambda m: m.t):
        recorder.write(mass)
    return Recording(visit, recorder, origin_s)


def resume(visit: VisitId, folder: Path) -> Recording:
    """Go on after a restart, with a gap for the time that nobody listened.  OSError, TraceError."""
    recorder = Recorder.resume(folder)
    boot, origin_s = _read_origin(folder)
    now_s = clock.now_s()
    last_t = max(recorder.last_t, 0.0)
    lost_s = now_s - origin_s - last_t
    if boot != clock.boot_id():  # another boot, another monotonic clock: nobody knows how long the power was away
        origin_s, lost_s = now_s - last_t - UNKNOWN_GAP_S, UNKNOWN_GAP_S
        _write_origin(folder, origin_s)
    recorder.write(Gap(round(now_s - origin_s, 4), "cabinet", round(max(lost_s, 0.0), 3)))
    stills = Stills(kept=sum(1 for _ in folder.glob("frames/*/*.jpg")))
    return Recording(visit, recorder, origin_s, before=_before_frames(folder, origin_s), stills=stills)


def _write_origin(folder: Path, origin_s: float) -> None:
    """Which monotonic instant is t = 0, and of which boot of this machine."""
    (folder / "origin.json").write_text(json.dumps({"boot": clock.boot_id(), "monotonic_s": origin_s}))


def _read_origin(folder: Path) -> tuple[str, float]:
    try:
        origin = json.loads((folder / "origin.json").read_text())
        return str(origin["boot"]), float(origin["monotonic_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown", 0.0


def _before_frames(folder: Path, origin_s: float) -> dict[CameraId, Frame]:
    """After a restart: the still of each camera that was taken before the unlock."""
    import cv2  # noqa: PLC0415  only where there is a camera

    frames = {}
    for camera in (folder / "frames").glob("*"):
        for still in (*sorted(camera.glob("-*.jpg")), *camera.glob("00000000.jpg")):  # -0.4 ms is 0
            picture = cv2.imread(str(still))
            if picture is not None:
                name = CameraId(camera.name)
                frames[name] = Frame(name, origin_s + int(still.stem) / 1000, picture.astype("uint8"))
    return frames
