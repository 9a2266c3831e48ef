"""What a camera's pictures become in a trace: the vision modules' words with the visit's times.

The witness asks it while a visit happens, `rewatch` when stills of one are looked at again: both tell the same of the
same pictures.  Knows no camera, no clock and no file; errors of the recogniser are raised, never turned into "nothing".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cabinet.basket.evidence import Sighting
from cabinet.ports import Frame, Recogniser
from cabinet.units import ZoneId
from cabinet.vision.gallery import Gallery

if TYPE_CHECKING:
    from cabinet.vision.motion import MotionFinder

Polygons = Mapping[ZoneId, Sequence[tuple[float, float]]]
Clock = Callable[[float], float]  # from a frame's time to the visit's t


def moving(
    finder: "MotionFinder", frame: Frame, polygons: Polygons, recogniser: Recogniser, gallery: Gallery, t: Clock
) -> list[Sighting]:
    """During the visit: the bursts of movement that are over with this frame.  Raises PortError, ValueError."""
    found = []
    for seen in finder.update(frame.picture, frame.at_s, polygons, recogniser, gallery):
        t0, t1 = map(t, seen.between_s or (frame.at_s, frame.at_s))
        found.append(
            Sighting(t(frame.at_s), frame.camera, seen.zone, seen.action, t0, t1, seen.scores, seen.other, seen.box)
        )
    return found


def compared(
    before: Frame, after: Frame, polygons: Polygons, recogniser: Recogniser, gallery: Gallery, t: Clock
) -> list[Sighting]:
    """The pictures before and after the visit.  Raises PortError, ValueError."""
    from cabinet.vision.takes import look  # noqa: PLC0415  OpenCV only where there is a camera

    t0, t1 = t(before.at_s), t(after.at_s)
    return [
        Sighting(t1, after.camera, seen.zone, seen.action, t0, t1, seen.scores, seen.other, seen.box)
        for seen in look(before.picture, after.picture, polygons, recogniser, gallery)
    ]
