"""How late each camera's stream is, over visits: its first movement is held against what the zones it sees felt."""

from cabinet.recording import Recording
from cabinet.sightings import Polygons
from cabinet.units import CameraId
from cabinet.vision.timing import Timing


class Lags:
    def __init__(self) -> None:
        self._timing: dict[CameraId, Timing] = {}

    def of(self, camera: CameraId) -> Timing:
        return self._timing.setdefault(camera, Timing())

    def lag_s(self, camera: CameraId, recording: Recording, polygons: Polygons) -> float:
        """How late its pictures of this visit are, as far as known."""
        return self.of(camera).lag_s(recording.moved_s.get(camera), recording.felt.first_s(polygons))

    def visit(self, camera: CameraId, recording: Recording, polygons: Polygons) -> None:
        """Learn from a visit that is over."""
        self.of(camera).visit(recording.moved_s.get(camera), recording.felt.first_s(polygons))

    def trouble(self, camera: CameraId) -> str | None:
        return self.of(camera).trouble()
