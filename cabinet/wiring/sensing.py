"""What is sensed, put together: the cameras, the recogniser of items, the witness of visits, the board's nerves."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

from cabinet import clock
from cabinet.adapters.codes import CodeReader
from cabinet.adapters.tflite import ItemRecogniser
from cabinet.basket.evidence import Header
from cabinet.config import Config, Items
from cabinet.control.geometry import Geometry
from cabinet.parts import Parts
from cabinet.ports import Eye, PortError
from cabinet.scales import Scales
from cabinet.senses import Nerves
from cabinet.session.events import Event
from cabinet.units import CameraId, VisitId
from cabinet.vision.gallery import Gallery
from cabinet.wiring import facts as words
from cabinet.wiring.hardware import cameras
from cabinet.witness import Witness


class Sensing:
    """Everything that feels and sees.  `gallery`: how the products look, set anew where the catalogue changes."""

    def __init__(
        self,
        facts: Config,
        parts: Parts,
        geometry: Geometry,
        header: Callable[[VisitId, str], Header],
        post: Callable[[Event], None],
    ) -> None:
        self._facts = facts
        self.geometry = geometry
        self.cameras = cameras(facts)
        self.recogniser = _recogniser(facts.items, parts)
        self.gallery: Gallery = {}
        self.witness = Witness(
            Scales(words.zones(facts)),
            self._eyes(),
            self.recogniser,
            words.traces(facts),
            header,
            lambda: self.gallery,
            post,
            facts.storage.frames_per_visit,
        )
        self.witness.codes = None if self.recogniser is None else _item_codes()
        self.nerves = Nerves(post, self.witness, parts, now=clock.now_s)

    @property
    def item_model(self) -> str:
        return "" if self.recogniser is None else self.recogniser.name

    def front(self) -> Eye | None:
        front = next((c.id for c in self._facts.cameras if c.role == "front"), None)
        return None if front is None else self.cameras[CameraId(front)]

    def calibrated(self) -> None:
        """Another visit looks at other polygons: none is open meanwhile."""
        self.witness.eyes = self._eyes()

    def start(self) -> None:
        for camera in self.cameras.values():
            camera.start()

    async def close(self) -> None:
        self.witness.close()
        for camera in self.cameras.values():
            await asyncio.to_thread(camera.stop)

    def troubles(self) -> dict[str, Callable[[], str | None]]:
        """Parts that do not report by themselves: what is wrong with each."""
        return {} if self.recogniser is None else {"recogniser": self.recogniser.trouble}

    def camera_counters(self) -> dict[str, Callable[[], Mapping[str, float]]]:
        groups: dict[str, Callable[[], Mapping[str, float]]] = {}
        for name, camera in self.cameras.items():
            groups[f"camera:{name}"] = lambda camera=camera: dataclasses.asdict(camera.counters)  # type: ignore[misc]  # bound now
        return groups

    def _eyes(self) -> dict[CameraId, tuple[Eye, words.Polygons]]:
        return {
            CameraId(camera.id): (self.cameras[CameraId(camera.id)], self.geometry.polygons(camera))
            for camera in self._facts.cameras
            if camera.role == "interior"
        }


def _recogniser(items: Items, parts: Parts) -> ItemRecogniser | None:
    try:
        recogniser = ItemRecogniser(items.model, items.runtime, items.delegate or None)
    except PortError as error:
        parts.report("recogniser", str(error))
        return None
    parts.report("recogniser", None)
    if items.delegate:
        parts.report("accelerator", recogniser.engines.trouble)
    return recogniser


def _item_codes() -> CodeReader | None:
    """Barcodes on items are extra evidence: without a reader the cabinet sells as before."""
    try:
        return CodeReader()
    except PortError:
        return None
