"""Writes into a visit's trace, up to its barrier.  What comes after it is logged and counted, never applied."""

import logging
from collections import Counter
from collections.abc import Callable

from cabinet import barrier, clock
from cabinet.basket.evidence import BARRIER, Happening, Health, State
from cabinet.recording import Recording

log = logging.getLogger(__name__)


class Writer:
    def __init__(self) -> None:
        self.watchers: list[Callable[[Happening], None]] = []  # hear what is written
        self.counts: Counter[str] = Counter()  # what was wrong with the evidence since the start, for doctor

    def write(self, recording: Recording, event: Happening) -> None:
        timely = self._in_time(recording, event)
        if timely is None:
            return
        try:
            recording.recorder.write(timely)
        except OSError as error:
            log.error("trace_write_failed why=%s", error)  # noqa: TRY400  the traceback says nothing more
        for watcher in self.watchers:
            watcher(timely)

    def unwell(self, recording: Recording, part: str, why: str) -> None:
        """The tally must hear of it: the barrier comes after it."""
        now_s = clock.now_s()
        recording.seen_s = max(recording.seen_s, now_s)
        self.write(recording, Health(recording.t(now_s), part, ok=False, why=why))

    def bar(self, recording: Recording, at_s: float) -> None:
        """What has been written up to here is the evidence."""
        self.write(recording, State(recording.t(at_s), BARRIER))
        recording.barrier_t = recording.t(at_s)
        recording.recorder.sync()

    def _in_time(self, recording: Recording, event: Happening) -> Happening | None:
        """The event, or what of it was not too late for the barrier."""
        late, left = barrier.late(event, recording.barrier_t)
        if late:
            self.counts["events after the barrier"] += 1
            log.warning("late_event visit=%s what=%s barrier_t=%s", recording.visit, late, recording.barrier_t)
            now_t = max(recording.t(clock.now_s()), (recording.barrier_t or 0.0) + 1e-4)
            self.write(recording, State(now_t, f"late {late}"))
        return left
