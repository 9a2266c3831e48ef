"""From the door that shut to the barrier: the last look, every zone at rest, or what is missing by name."""

import asyncio
import logging
from collections.abc import Callable

from cabinet import barrier, clock
from cabinet.recording import Recording
from cabinet.scales import Scales
from cabinet.session.events import Event, EvidenceComplete
from cabinet.witness.looker import Looker
from cabinet.witness.writer import Writer

log = logging.getLogger(__name__)


class Closing:
    def __init__(self, scales: Scales, looker: Looker, writer: Writer, post: Callable[[Event], None]) -> None:
        self._scales, self._looker, self._writer, self._post = scales, looker, writer, post

    def begin(self, recording: Recording, closed_s: float) -> None:
        """The door shut at `closed_s`; `EvidenceComplete` is posted when everything up to then is in."""
        if recording.finishing is not None:
            recording.finishing.cancel()
        recording.closed_s = closed_s
        recording.barrier_t = None
        recording.finishing = asyncio.get_running_loop().create_task(self._finish(recording))

    def reopened(self, recording: Recording) -> None:
        """The closing that was being finished was none: no answer about it, and the hands are watched again."""
        if recording.finishing is None:
            return
        recording.finishing.cancel()
        recording.finishing = None
        if recording.watching is not None:
            self._looker.watch(recording)

    def give_up(self, recording: Recording) -> None:
        """Wait no longer: what is missing, cameras after zones, then the barrier."""
        if recording.finishing is not None:
            recording.finishing.cancel()
        now_s = clock.now_s()
        self._writer.counts["barriers incomplete"] += 1
        zones = barrier.cells(self._scales, recording.closed_s, recording.seen_s)
        for missing in (*zones, *self._looker.missing(recording, now_s)) or (barrier.BUSY,):
            log.warning("evidence_missing visit=%s part=%s why=%s", recording.visit, missing.part, missing.why)
            self._writer.write(recording, missing.event(recording.t(now_s)))
        self._writer.bar(recording, now_s)

    async def _finish(self, recording: Recording) -> None:
        """Wait for counts, not for luck: settled samples of every zone and a fresh frame of every camera."""
        await self._looker.watch_no_more(recording)
        await self._looker.look_after(recording)
        while not barrier.complete(self._scales, recording.closed_s, recording.seen_s):
            recording.arrived.clear()
            await recording.arrived.wait()
        self._writer.bar(recording, self._scales.complete_until_s())
        self._post(EvidenceComplete(clock.now_s(), recording.visit))
