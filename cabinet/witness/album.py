"""A visit's stills on disk, within a budget: before and after of every camera, and some of between."""

import contextlib
import logging
from collections.abc import Sequence

from cabinet.basket.evidence import Sighting
from cabinet.ports import Frame
from cabinet.recording import Recording

log = logging.getLogger(__name__)


class Album:
    def __init__(self, stills_per_visit: int) -> None:
        self._most = stills_per_visit

    def before(self, recording: Recording, frame: Frame) -> None:
        self._keep(recording, frame)

    def between(self, recording: Recording, frame: Frame, seen: Sequence[Sighting], cameras: int) -> None:
        """What was seen in the frame decides whether it is kept; places for so many cameras stay free."""
        shows = {(s.camera, s.zone, s.action, max(s.scores, key=s.scores.__getitem__, default=None)) for s in seen}
        if recording.stills.wants(self._most, cameras, shows):
            self._keep(recording, frame)

    def after(self, recording: Recording, frame: Frame) -> None:
        stills, t = recording.stills, recording.t(frame.at_s)
        older_t = stills.after_t.get(frame.camera)
        if older_t is not None and stills.kept >= self._most:
            with contextlib.suppress(OSError):  # then one picture more is kept
                recording.recorder.drop_frame(frame.camera, older_t)
            stills.kept -= 1
        stills.after_t[frame.camera] = t
        self._keep(recording, frame)

    def _keep(self, recording: Recording, frame: Frame) -> None:
        if recording.stills.kept >= self._most:
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
