"""Looks with the cameras inside: before the visit, at moving hands during it, and at the shelves after the closing.

What they show is written down; the pictures themselves are worked on in one thread.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING

from cabinet import barrier, clock
from cabinet.basket.evidence import Sighting
from cabinet.ports import Codes, Eye, Frame, PortError, Recogniser
from cabinet.recording import Recording
from cabinet.scales import Scales
from cabinet.sightings import Polygons, compared, moving
from cabinet.units import CameraId
from cabinet.witness.album import Album
from cabinet.witness.lags import Lags
from cabinet.witness.writer import Writer

if TYPE_CHECKING:
    from cabinet.vision.motion import MotionFinder

LOOK_EVERY_S = 0.2  # moving regions are looked for 5 times a second
FRESH_S = 0.15  # the after-picture is at least so much younger than the closing: exposure settles with the lamp
POLL_S = 0.05

log = logging.getLogger(__name__)


class Looker:
    def __init__(
        self,
        eyes: Mapping[CameraId, tuple[Eye, Polygons]],
        recogniser: Recogniser | None,
        scales: Scales,
        writer: Writer,
        album: Album,
        lags: Lags,
        door_open: Callable[[], bool],
    ) -> None:
        self.eyes = eyes
        self.codes: Codes | None = None
        self.thread: Executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seeing")
        self._recogniser, self._scales, self._writer = recogniser, scales, writer
        self._album, self._lags, self._door_open = album, lags, door_open

    def close(self) -> None:
        self.thread.shutdown(wait=False, cancel_futures=True)

    def look_before(self, recording: Recording) -> None:
        for camera, (eye, _) in self.eyes.items():
            frame = eye.latest()
            if frame is not None:
                recording.before[camera] = frame
                self._album.before(recording, frame)

    # During the visit.

    def watch(self, recording: Recording) -> None:
        """From now on; anew where it is being watched or has been."""
        if recording.watching is not None:
            recording.watching.cancel()
        recording.watching = asyncio.get_running_loop().create_task(self._watch(recording))

    async def watch_no_more(self, recording: Recording) -> None:
        if recording.watching is not None:
            recording.watching.cancel()
            await asyncio.wait({recording.watching})  # it has a last word about the cameras' pace

    async def _watch(self, recording: Recording) -> None:
        """Moving regions, recognised while they move."""
        from cabinet.vision.barcodes import BarcodeFinder  # noqa: PLC0415  OpenCV only where there is a camera
        from cabinet.vision.motion import MotionFinder  # noqa: PLC0415  likewise

        finders: dict[CameraId, MotionFinder] = {}
        seen_s = dict.fromkeys(self.eyes, clock.now_s())
        self._pace(1 / LOOK_EVERY_S)
        loop = asyncio.get_running_loop()
        try:
            while True:
                for camera, (eye, polygons) in self.eyes.items():
                    frame = eye.latest(after_s=seen_s[camera])
                    if frame is None or not self._door_open():
                        continue
                    seen_s[camera] = frame.at_s
                    if camera not in finders:
                        finders[camera] = MotionFinder(None if self.codes is None else BarcodeFinder(self.codes))
                    finder = finders[camera]
                    seen = await loop.run_in_executor(self.thread, self._moving, finder, frame, polygons, recording)
                    for sighting in seen:
                        self._writer.write(recording, sighting)
                    if seen:
                        self._album.between(recording, frame, seen, len(self.eyes))
                await asyncio.sleep(LOOK_EVERY_S)
        except PortError as error:
            log.warning("watch_stopped why=%s", error)
        finally:
            self._pace(None)

    def _moving(self, finder: "MotionFinder", frame: Frame, polygons: Polygons, recording: Recording) -> list[Sighting]:
        if self._recogniser is None or not recording.gallery:
            return []
        found = moving(finder, frame, polygons, self._recogniser, recording.gallery, recording.t)
        if finder.began_s is not None:
            recording.moved_s.setdefault(frame.camera, finder.began_s)
        return found

    # After the closing.

    async def look_after(self, recording: Recording) -> None:
        """A fresh picture of every camera, compared with the one from before; what cannot be had is written down."""
        try:
            recording.awaited = {camera: self._wanted_s(recording, camera) for camera in self.eyes}
            for camera, (eye, polygons) in self.eyes.items():
                await self._look_again(recording, camera, eye, polygons)
                del recording.awaited[camera]
        except PortError as error:
            log.warning("look_failed why=%s", error)
            self._writer.unwell(recording, "recogniser", str(error))
        finally:
            self._pace(None)

    async def _look_again(self, recording: Recording, camera: CameraId, eye: Eye, polygons: Polygons) -> None:
        before = recording.before.get(camera)
        if before is None:
            self._writer.unwell(recording, f"camera:{camera}", "no frame before the opening")
            return
        eye.pace(1 / POLL_S)
        after = await _fresh(eye, recording.awaited[camera])
        if after is None:
            self._writer.unwell(recording, f"camera:{camera}", "no frame at closing")
            return
        if self._repeats(recording, before, after, polygons):
            self._writer.unwell(recording, f"clock:{camera}", "shows the very picture from before the opening")
        self._album.after(recording, after)
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(self.thread, self._compare, before, after, polygons, recording)
        recording.seen_s = max(recording.seen_s, after.at_s)
        for sighting in seen:
            self._writer.write(recording, sighting)

    def missing(self, recording: Recording, now_s: float) -> list[barrier.Missing]:
        """Cameras whose pictures are still awaited, and why."""
        found = []
        for camera, wanted_s in recording.awaited.items():
            frame = self.eyes[camera][0].latest()
            why = barrier.frame(None if frame is None else frame.at_s, recording.closed_s, wanted_s, now_s)
            found.append(barrier.Missing(f"camera {camera}", why or "its picture was not compared in time"))
        return found

    def _wanted_s(self, recording: Recording, camera: CameraId) -> float:
        """A frame stamped later shows the shelves after the closing, however late the camera's stream is."""
        lag_s = self._lags.lag_s(camera, recording, self.eyes[camera][1])
        if lag_s:
            self._writer.unwell(recording, f"clock:{camera}", f"its stream is {lag_s:.1f} s late")
        return recording.closed_s + FRESH_S + lag_s

    def _repeats(self, recording: Recording, before: Frame, after: Frame, polygons: Polygons) -> bool:
        """Bit for bit the picture from before the opening, although a zone in it weighs something else by now."""
        felt = {zone: self._scales.zones[zone] for zone in recording.felt.at_s if zone in polygons}
        moved = any(recording.felt.differs(zone, scale.since(scale.last_s - FRESH_S)) for zone, scale in felt.items())
        same = moved and before.picture.shape == after.picture.shape
        return same and bool((before.picture == after.picture).all())

    def _compare(self, before: Frame, after: Frame, polygons: Polygons, recording: Recording) -> list[Sighting]:
        if self._recogniser is None or not recording.gallery:
            return []
        return compared(before, after, polygons, self._recogniser, recording.gallery, recording.t)

    def _pace(self, fps: float | None) -> None:
        for eye, _ in self.eyes.values():
            eye.pace(fps)


async def _fresh(eye: Eye, after_s: float) -> Frame | None:
    while eye.trouble() is None:
        frame = eye.latest(after_s=after_s)
        if frame is not None and frame.at_s <= clock.now_s() + barrier.AHEAD_S:  # else another clock stamped it
            return frame
        await asyncio.sleep(POLL_S)
    return None
