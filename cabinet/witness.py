"""Writes down everything sensed during a visit, and looks at the shelves before, during and after.

The trace on disk is the only thing the tally reads, so whatever is not written here did not happen.  The witness
judges nothing: it says what the cells weighed and what the cameras saw, and when every part has reported up to the
instant the door shut (the barrier), so that no bill closes before its last event.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from cabinet import barrier, clock
from cabinet.basket.evidence import (
    BARRIER,
    SCALE,
    Bolt,
    Door,
    Gap,
    Happening,
    Header,
    Health,
    Mass,
    Sighting,
    State,
    Temperature,
)
from cabinet.ports import Codes, Eye, Frame, PortError, Recogniser
from cabinet.recording import Recording, begin, resume
from cabinet.scales import Scales
from cabinet.session.events import Event, EvidenceComplete
from cabinet.sightings import Polygons, compared, moving
from cabinet.trace import TraceError
from cabinet.units import CameraId, VisitId, ZoneId
from cabinet.vision.gallery import Gallery
from cabinet.vision.timing import Timing

if TYPE_CHECKING:
    from cabinet.vision.motion import MotionFinder

LOOK_EVERY_S = 0.2  # moving regions are looked for 5 times a second
AFTER_TAIL_S = 2.0  # a trace goes on so long after the door has shut
FRESH_S = 0.15  # the after-picture is at least so much younger than the closing: exposure settles with the lamp
POLL_S = 0.05
FELT_G = 40.0  # less may be a door that swings

log = logging.getLogger(__name__)


class Witness:
    def __init__(
        self,
        scales: Scales,
        eyes: Mapping[CameraId, tuple[Eye, Polygons]],
        recogniser: Recogniser | None,
        traces: Path,
        header: Callable[[VisitId, str], Header],
        gallery: Callable[[], Gallery],
        post: Callable[[Event], None],
        stills_per_visit: int = 40,
    ) -> None:
        self.scales = scales
        self.eyes = eyes
        self.recogniser = recogniser
        self.traces = traces
        self._header = header
        self._gallery = gallery
        self._post = post
        self._stills_per_visit = stills_per_visit
        self.codes: Codes | None = None  # barcodes on items; a reader of its own, it is used from another thread
        self._recording: Recording | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._door_open = False
        self._closed_s = 0.0  # when the door last touched its frame
        self._seeing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seeing")
        self._timing: dict[CameraId, Timing] = {}
        self.watchers: list[Callable[[Happening], None]] = []
        self.counts: Counter[str] = Counter()  # what was wrong with the evidence since the start, for doctor

    # What the hardware feels.

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.scales.add(zone, at_s, hz, grams)
        if self._recording is not None:
            self._count(self._recording, zone, at_s, hz, len(grams))
            self._write(Mass(self._recording.t(at_s), zone, hz, tuple(grams)))
            if self._door_open and zone not in self._recording.felt_s:
                self._feel(self._recording, zone, at_s, grams)
            self._recording.arrived.set()

    def _count(self, recording: Recording, zone: ZoneId, at_s: float, hz: float, count: int) -> None:
        """Samples that are missing though nobody told of a gap are a gap too."""
        hole_s = recording.counted.add(zone, at_s, hz, count)
        if hole_s:
            self.counts["samples lost in silence"] += round(hole_s * hz)
            log.warning("silent_gap zone=%s seconds=%.3f", zone, hole_s)
            self._write(Gap(recording.t(at_s), f"{SCALE}{zone}", round(hole_s, 3)))

    def _feel(self, recording: Recording, zone: ZoneId, at_s: float, grams: Sequence[float | None]) -> None:
        """When somebody first took or touched something: to be held against when the cameras saw it."""
        known = [g for g in grams if g is not None]
        resting_g = recording.resting_g.get(zone)
        if known and resting_g is not None and abs(sum(known) / len(known) - resting_g) > FELT_G:
            recording.felt_s[zone] = at_s

    def door(self, at_s: float, *, is_open: bool) -> None:
        self._door_open = is_open
        if not is_open:
            self._closed_s = at_s
        if self._recording is not None:
            if is_open:
                self._recording.barrier_t = None  # what was complete goes on
            self._write(Door(self._recording.t(at_s), is_open))
            if is_open:
                self._reopened(self._recording)

    def bolt(self, at_s: float, *, locked: bool) -> None:
        if self._recording is not None:
            self._write(Bolt(self._recording.t(at_s), locked))

    def gap(self, part: str, seconds: float) -> None:
        if self._recording is not None:
            self._recording.counted.gap(part, seconds)
            self._write(Gap(self._recording.t(clock.now_s()), part, round(seconds, 3)))

    def temperature(self, probe: str, celsius: float) -> None:
        if self._recording is not None:
            self._write(Temperature(self._recording.t(clock.now_s()), probe, celsius))

    def health(self, part: str, why: str | None) -> None:
        if self._recording is not None:
            self._write(Health(self._recording.t(clock.now_s()), part, why is None, why or ""))

    def state(self, name: str) -> None:
        if self._recording is not None:
            self._write(State(self._recording.t(clock.now_s()), name))

    # What the machine orders.

    def baseline_g(self) -> dict[ZoneId, float]:
        return self.scales.baseline_g()

    def trace_of(self, visit: VisitId) -> str:
        return visit

    def start(self, visit: VisitId, purpose: str) -> None:
        """Begin the visit's trace with what was sensed just before, or go on with the one that is there."""
        if self._recording is not None:
            if self._recording.visit == visit:
                return
            self._close()
        folder = self.traces / visit
        try:
            recording = resume(visit, folder) if folder.exists() else self._create(visit, folder, purpose)
        except (OSError, TraceError) as error:
            raise PortError(f"trace: {error}; free some disk or remove {folder}") from error
        recording.gallery = self._gallery()
        recording.resting_g = self.baseline_g()
        self._recording = recording
        if self.eyes and purpose == "shop":
            recording.watching = asyncio.get_running_loop().create_task(self._watch(recording))

    def finish(self, visit: VisitId) -> None:
        recording = self._recording
        if recording is None or recording.visit != visit:
            log.warning("finish_without_trace visit=%s", visit)
            self._post(EvidenceComplete(clock.now_s(), visit))
            return
        if recording.finishing is not None:
            recording.finishing.cancel()
        recording.closed_s = self._closed_s
        recording.barrier_t = None
        recording.finishing = asyncio.get_running_loop().create_task(self._finish(recording, self._closed_s))

    def give_up(self, visit: VisitId) -> None:
        """The hard limit: write down what is missing, then the barrier, so that what comes now changes no bill."""
        recording = self._recording
        if recording is None or recording.visit != visit or recording.barrier_t is not None:
            return
        if recording.finishing is not None:
            recording.finishing.cancel()
        now_s = clock.now_s()
        self.counts["barriers incomplete"] += 1
        for missing in self._missing(recording, now_s):
            log.warning("evidence_missing visit=%s part=%s why=%s", visit, missing.part, missing.why)
            self._write(missing.event(recording.t(now_s)))
        self._bar(recording, now_s)

    def end(self, visit: VisitId) -> None:
        """The visit is over; its trace goes on for 2 s, unless the next one begins."""
        recording = self._recording
        if recording is not None and recording.visit == visit:
            for camera in self.eyes:
                timing = self._timing.setdefault(camera, Timing())
                timing.visit(recording.moved_s.get(camera), self._felt_s(recording, camera))
            task = asyncio.get_running_loop().create_task(self._tail(recording))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def clock_trouble(self, camera: CameraId) -> str | None:
        """Why this camera's pictures cannot be set beside the scale's samples, or None."""
        timing = self._timing.get(camera)
        return None if timing is None else timing.trouble()

    def close(self) -> None:
        if self._recording is not None:
            self._close()
        self._seeing.shutdown(wait=False, cancel_futures=True)

    # How.

    def _reopened(self, recording: Recording) -> None:
        """The closing that was being finished was none: no answer about it, and the hands are watched again."""
        if recording.finishing is None:
            return
        recording.finishing.cancel()
        recording.finishing = None
        if recording.watching is not None:
            recording.watching.cancel()
            recording.watching = asyncio.get_running_loop().create_task(self._watch(recording))

    def _create(self, visit: VisitId, folder: Path, purpose: str) -> Recording:
        recording = begin(visit, folder, self._header(visit, purpose), self.scales.recent)
        for camera, (eye, _) in self.eyes.items():
            frame = eye.latest()
            if frame is not None:
                recording.before[camera] = frame
                self._still(recording, frame)
        return recording

    async def _watch(self, recording: Recording) -> None:
        """During the visit: moving regions, recognised while they move."""
        from cabinet.vision.barcodes import BarcodeFinder  # noqa: PLC0415  OpenCV only where there is a camera
        from cabinet.vision.motion import MotionFinder  # noqa: PLC0415  likewise

        finders: dict[CameraId, MotionFinder] = {}
        seen_s = dict.fromkeys(self.eyes, clock.now_s())
        for eye, _ in self.eyes.values():
            eye.pace(1 / LOOK_EVERY_S)
        loop = asyncio.get_running_loop()
        try:
            while True:
                for camera, (eye, polygons) in self.eyes.items():
                    frame = eye.latest(after_s=seen_s[camera])
                    if frame is None or not self._door_open:
                        continue
                    seen_s[camera] = frame.at_s
                    if camera not in finders:
                        finders[camera] = MotionFinder(None if self.codes is None else BarcodeFinder(self.codes))
                    finder = finders[camera]
                    seen = await loop.run_in_executor(self._seeing, self._moving, finder, frame, polygons, recording)
                    for sighting in seen:
                        self._write(sighting)
                    if seen:
                        self._between(recording, frame, seen)
                await asyncio.sleep(LOOK_EVERY_S)
        except PortError as error:
            log.warning("watch_stopped why=%s", error)
        finally:
            for eye, _ in self.eyes.values():
                eye.pace(None)

    def _moving(self, finder: "MotionFinder", frame: Frame, polygons: Polygons, recording: Recording) -> list[Sighting]:
        if self.recogniser is None or not recording.gallery:
            return []
        found = moving(finder, frame, polygons, self.recogniser, recording.gallery, recording.t)
        if finder.began_s is not None:
            recording.moved_s.setdefault(frame.camera, finder.began_s)
        return found

    def _missing(self, recording: Recording, now_s: float) -> list[barrier.Missing]:
        """What has not reported up to the closing, cameras after zones."""
        found = [*barrier.cells(self.scales, recording.closed_s, recording.seen_s)]
        for camera, wanted_s in recording.awaited.items():
            frame = self.eyes[camera][0].latest()
            why = barrier.frame(None if frame is None else frame.at_s, recording.closed_s, wanted_s, now_s)
            found.append(barrier.Missing(f"camera {camera}", why or "its picture was not compared in time"))
        return found or [barrier.Missing("cabinet", "was too busy to take note of what is there")]

    def _bar(self, recording: Recording, at_s: float) -> None:
        """What has been written up to here is the evidence."""
        self._write(State(recording.t(at_s), BARRIER))
        recording.barrier_t = recording.t(at_s)
        recording.recorder.sync()

    def _in_time(self, recording: Recording, event: Happening) -> Happening | None:
        """The event, or what of it was not too late for the barrier: the rest is logged and counted, never applied."""
        late, left = barrier.late(event, recording.barrier_t)
        if late:
            self.counts["events after the barrier"] += 1
            log.warning("late_event visit=%s what=%s barrier_t=%s", recording.visit, late, recording.barrier_t)
            now_t = max(recording.t(clock.now_s()), (recording.barrier_t or 0.0) + 1e-4)
            self._write(State(now_t, f"late {late}"))
        return left

    async def _finish(self, recording: Recording, closed_s: float) -> None:
        """Wait for counts, not for luck: settled samples of every zone and a fresh frame of every camera."""
        if recording.watching is not None:
            recording.watching.cancel()
            await asyncio.wait({recording.watching})  # it has a last word about the cameras' pace
        try:
            await self._look_after(recording, closed_s)
        except PortError as error:
            log.warning("look_failed why=%s", error)
            self._unwell(recording, "recogniser", str(error))
        finally:
            for eye, _ in self.eyes.values():
                eye.pace(None)
        while not barrier.complete(self.scales, closed_s, recording.seen_s):
            recording.arrived.clear()
            await recording.arrived.wait()
        self._bar(recording, self.scales.complete_until_s())
        self._post(EvidenceComplete(clock.now_s(), recording.visit))

    async def _look_after(self, recording: Recording, closed_s: float) -> None:
        loop = asyncio.get_running_loop()
        recording.awaited = {camera: self._wanted_s(recording, camera, closed_s) for camera in self.eyes}
        for camera, (eye, polygons) in self.eyes.items():
            before, wanted_s = recording.before.get(camera), recording.awaited[camera]
            if before is None:
                self._unwell(recording, f"camera:{camera}", "no frame before the opening")
                del recording.awaited[camera]
                continue
            eye.pace(1 / POLL_S)
            after = await self._fresh(eye, wanted_s)
            if after is None:
                self._unwell(recording, f"camera:{camera}", "no frame at closing")
                del recording.awaited[camera]
                continue
            if self._repeats(recording, before, after, polygons):
                self._unwell(recording, f"clock:{camera}", "shows the very picture from before the opening")
            self._after(recording, after)
            seen = await loop.run_in_executor(self._seeing, self._compare, before, after, polygons, recording)
            recording.seen_s = max(recording.seen_s, after.at_s)
            for sighting in seen:
                self._write(sighting)
            del recording.awaited[camera]

    def _wanted_s(self, recording: Recording, camera: CameraId, closed_s: float) -> float:
        """A frame stamped later shows the shelves after the closing, however late the camera's stream is."""
        moved_s, felt_s = recording.moved_s.get(camera), self._felt_s(recording, camera)
        lag_s = self._timing.setdefault(camera, Timing()).lag_s(moved_s, felt_s)
        if lag_s:
            self._unwell(recording, f"clock:{camera}", f"its stream is {lag_s:.1f} s late")
        return closed_s + FRESH_S + lag_s

    def _repeats(self, recording: Recording, before: Frame, after: Frame, polygons: Polygons) -> bool:
        """Bit for bit the picture from before the opening, although a zone in it weighs something else by now."""
        felt = [self.scales.zones[zone] for zone in recording.felt_s if zone in polygons]
        now_g = {scale.name: scale.since(scale.last_s - FRESH_S) for scale in felt}
        was_g = recording.resting_g
        moved = any(g and abs(sum(g) / len(g) - was_g[ZoneId(zone)]) > FELT_G for zone, g in now_g.items())
        same = moved and before.picture.shape == after.picture.shape
        return same and bool((before.picture == after.picture).all())

    def _felt_s(self, recording: Recording, camera: CameraId) -> float | None:
        """When a zone that this camera sees first felt somebody."""
        polygons = self.eyes[camera][1]
        return min((at_s for zone, at_s in recording.felt_s.items() if zone in polygons), default=None)

    def _unwell(self, recording: Recording, part: str, why: str) -> None:
        """The tally must hear of it: the barrier comes after it."""
        now_s = clock.now_s()
        recording.seen_s = max(recording.seen_s, now_s)
        self._write(Health(recording.t(now_s), part, ok=False, why=why))

    def _compare(self, before: Frame, after: Frame, polygons: Polygons, recording: Recording) -> list[Sighting]:
        if self.recogniser is None or not recording.gallery:
            return []
        return compared(before, after, polygons, self.recogniser, recording.gallery, recording.t)

    async def _fresh(self, eye: Eye, after_s: float) -> Frame | None:
        while eye.trouble() is None:
            frame = eye.latest(after_s=after_s)
            if frame is not None and frame.at_s <= clock.now_s() + barrier.AHEAD_S:  # else another clock stamped it
                return frame
            await asyncio.sleep(POLL_S)
        return None

    async def _tail(self, recording: Recording) -> None:
        await asyncio.sleep(AFTER_TAIL_S)
        if self._recording is recording:
            self._close()

    def _close(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            for task in (recording.watching, recording.finishing):
                if task is not None:
                    task.cancel()
            try:
                recording.recorder.finish()
            except OSError as error:
                log.error("trace_finish_failed why=%s", error)  # noqa: TRY400  the traceback says nothing more

    def _write(self, event: Happening) -> None:
        recording = self._recording
        timely = None if recording is None else self._in_time(recording, event)
        if recording is None or timely is None:
            return
        event = timely
        try:
            recording.recorder.write(event)
        except OSError as error:
            log.error("trace_write_failed why=%s", error)  # noqa: TRY400  the traceback says nothing more
        for watcher in self.watchers:
            watcher(event)

    def _between(self, recording: Recording, frame: Frame, seen: Sequence[Sighting]) -> None:
        shows = {(s.camera, s.zone, s.action, max(s.scores, key=s.scores.__getitem__, default=None)) for s in seen}
        if recording.stills.wants(self._stills_per_visit, len(self.eyes), shows):
            self._still(recording, frame)

    def _after(self, recording: Recording, frame: Frame) -> None:
        stills, t = recording.stills, recording.t(frame.at_s)
        older_t = stills.after_t.get(frame.camera)
        if older_t is not None and stills.kept >= self._stills_per_visit:
            with contextlib.suppress(OSError):  # then one picture more is kept
                recording.recorder.drop_frame(frame.camera, older_t)
            stills.kept -= 1
        stills.after_t[frame.camera] = t
        self._still(recording, frame)

    def _still(self, recording: Recording, frame: Frame) -> None:
        if recording.stills.kept >= self._stills_per_visit:
            return
        import cv2  # noqa: PLC0415  only where there is a camera

        recording.stills.kept += 1
        ok, jpeg = cv2.imencode(".jpg", frame.picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
        if not ok:
            return
        try:
            recording.recorder.frame(frame.camera, recording.t(frame.at_s), jpeg.tobytes())
        except OSError as error:
            log.error("still_write_failed why=%s", error)  # noqa: TRY400  the traceback says nothing more
