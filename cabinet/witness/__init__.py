"""Writes down everything sensed during a visit, and looks at the shelves before, during and after.

The trace on disk is the only thing the tally reads, so whatever is not written here did not happen.  The witness
judges nothing: it says what the cells weighed and what the cameras saw, and when every part has reported up to the
instant the door shut (the barrier), so that no bill closes before its last event.

Here is what hardware and machine call.  `writer` writes, `looker` has the cameras, `album` their stills, `lags` their
clocks, `closing` waits for the barrier.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cabinet import clock
from cabinet.basket.evidence import SCALE, Bolt, Door, Gap, Happening, Header, Health, Mass, State, Temperature
from cabinet.ports import Codes, Eye, PortError, Recogniser
from cabinet.recording import Recording, begin, resume
from cabinet.scales import Scales
from cabinet.session.events import Event, EvidenceComplete
from cabinet.sightings import Polygons
from cabinet.trace import TraceError
from cabinet.units import CameraId, VisitId, ZoneId
from cabinet.vision.gallery import Gallery
from cabinet.witness.album import Album
from cabinet.witness.closing import Closing
from cabinet.witness.lags import Lags
from cabinet.witness.looker import FRESH_S, LOOK_EVERY_S, Looker
from cabinet.witness.writer import Writer

__all__ = ["AFTER_TAIL_S", "FRESH_S", "LOOK_EVERY_S", "Witness"]

AFTER_TAIL_S = 2.0  # a trace goes on so long after the door has shut

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
        self._traces, self._header, self._gallery, self._post = traces, header, gallery, post
        self._recording: Recording | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._door_open = False
        self._closed_s = 0.0  # when the door last touched its frame
        self._writer, self._lags = Writer(), Lags()
        self._looker = Looker(
            eyes, recogniser, scales, self._writer, Album(stills_per_visit), self._lags, lambda: self._door_open
        )
        self._closing = Closing(scales, self._looker, self._writer, post)
        self.watchers = self._writer.watchers
        self.counts = self._writer.counts

    @property
    def eyes(self) -> Mapping[CameraId, tuple[Eye, Polygons]]:
        return self._looker.eyes

    @eyes.setter
    def eyes(self, eyes: Mapping[CameraId, tuple[Eye, Polygons]]) -> None:
        self._looker.eyes = eyes

    @property
    def codes(self) -> Codes | None:
        """Barcodes on items; a reader of its own, it is used from another thread."""
        return self._looker.codes

    @codes.setter
    def codes(self, codes: Codes | None) -> None:
        self._looker.codes = codes

    # What the hardware feels.

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.scales.add(zone, at_s, hz, grams)
        recording = self._recording
        if recording is not None:
            self._count(recording, zone, at_s, hz, len(grams))
            self._writer.write(recording, Mass(recording.t(at_s), zone, hz, tuple(grams)))
            if self._door_open:
                recording.felt.add(zone, at_s, grams)
            recording.arrived.set()

    def _count(self, recording: Recording, zone: ZoneId, at_s: float, hz: float, count: int) -> None:
        """Samples that are missing though nobody told of a gap are a gap too."""
        hole_s = recording.counted.add(zone, at_s, hz, count)
        if hole_s:
            self.counts["samples lost in silence"] += round(hole_s * hz)
            log.warning("silent_gap zone=%s seconds=%.3f", zone, hole_s)
            self._writer.write(recording, Gap(recording.t(at_s), f"{SCALE}{zone}", round(hole_s, 3)))

    def door(self, at_s: float, *, is_open: bool) -> None:
        self._door_open = is_open
        if not is_open:
            self._closed_s = at_s
        recording = self._recording
        if recording is not None:
            if is_open:
                recording.barrier_t = None  # what was complete goes on
            self._writer.write(recording, Door(recording.t(at_s), is_open))
            if is_open:
                self._closing.reopened(recording)

    def bolt(self, at_s: float, *, locked: bool) -> None:
        self._write(at_s, lambda t: Bolt(t, locked))

    def gap(self, part: str, seconds: float) -> None:
        if self._recording is not None:
            self._recording.counted.gap(part, seconds)
        self._write(clock.now_s(), lambda t: Gap(t, part, round(seconds, 3)))

    def temperature(self, probe: str, celsius: float) -> None:
        self._write(clock.now_s(), lambda t: Temperature(t, probe, celsius))

    def health(self, part: str, why: str | None) -> None:
        self._write(clock.now_s(), lambda t: Health(t, part, why is None, why or ""))

    def state(self, name: str) -> None:
        self._write(clock.now_s(), lambda t: State(t, name))

    def _write(self, at_s: float, make: Callable[[float], Happening]) -> None:
        """Outside a visit nothing is written."""
        if self._recording is not None:
            self._writer.write(self._recording, make(self._recording.t(at_s)))

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
        folder = self._traces / visit
        try:
            recording = resume(visit, folder) if folder.exists() else self._create(visit, folder, purpose)
        except (OSError, TraceError) as error:
            raise PortError(f"trace: {error}; free some disk or remove {folder}") from error
        recording.gallery = self._gallery()
        recording.felt.resting_g = self.baseline_g()
        self._recording = recording
        if self.eyes and purpose == "shop":
            self._looker.watch(recording)

    def _create(self, visit: VisitId, folder: Path, purpose: str) -> Recording:
        recording = begin(visit, folder, self._header(visit, purpose), self.scales.recent)
        self._looker.look_before(recording)
        return recording

    def finish(self, visit: VisitId) -> None:
        recording = self._recording
        if recording is None or recording.visit != visit:
            log.warning("finish_without_trace visit=%s", visit)
            self._post(EvidenceComplete(clock.now_s(), visit))
            return
        self._closing.begin(recording, self._closed_s)

    def give_up(self, visit: VisitId) -> None:
        """The hard limit: write down what is missing, then the barrier, so that what comes now changes no bill."""
        recording = self._recording
        if recording is not None and recording.visit == visit and recording.barrier_t is None:
            self._closing.give_up(recording)

    def end(self, visit: VisitId) -> None:
        """The visit is over; its trace goes on for 2 s, unless the next one begins."""
        recording = self._recording
        if recording is not None and recording.visit == visit:
            for camera, (_, polygons) in self.eyes.items():
                self._lags.visit(camera, recording, polygons)
            task = asyncio.get_running_loop().create_task(self._tail(recording))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def clock_trouble(self, camera: CameraId) -> str | None:
        """Why this camera's pictures cannot be set beside the scale's samples, or None."""
        return self._lags.trouble(camera)

    def close(self) -> None:
        self._close()
        self._looker.close()

    async def _tail(self, recording: Recording) -> None:
        await asyncio.sleep(AFTER_TAIL_S)
        if self._recording is recording:
            self._close()

    def _close(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()
