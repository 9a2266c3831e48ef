"""Faces put together: the small networks find, measure and encode; face_recognition's own process is asked where they
leave doubt, at enrolment, and in place of one that cannot be loaded.

Pictures are looked at and forgotten; nothing here writes or logs a face.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from cabinet.adapters.faces import MODEL as REFERENCE_MODEL
from cabinet.adapters.faces import FaceWorker
from cabinet.adapters.tflite.blazeface import FaceFinder
from cabinet.adapters.tflite.facemarks import FaceMarks
from cabinet.adapters.tflite.faceprint import FacePrint
from cabinet.adapters.tflite.liveness import Liveness
from cabinet.config import MODELS, Identity
from cabinet.identity.seen import Quality, SeenFace
from cabinet.ports import Face, PortError
from cabinet.vision import faces as eye
from cabinet.vision.pictures import Box
from cabinet.wiring.enrolling import EnrolError, checked, the_one

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

__all__ = ["EnrolError", "FaceFolders", "FaceReader", "face_reader"]

ALIGNED: Final = "m1"  # how a chip is cut and its mirror image added: templates made in another way never compare
MOST_LIVE: Final = 2  # faces, largest first, whose liveness is looked at: nobody else comes in
GREY: Final = 2.0  # of colourfulness: a face without colour is none that the liveness model knows, so it is in doubt
MOST_WAITING: Final = 16  # questions; more than that is nobody's honest use

log = logging.getLogger(__name__)

Model = TypeVar("Model")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class FaceFolders:
    """Where each model's folder is; None: not to be used."""

    detect: Path = MODELS / "face-detect"
    far: Path | None = MODELS / "face-far"
    embed: Path = MODELS / "face-embed"
    marks: Path = MODELS / "face-marks"
    live: Path | None = MODELS / "face-live"


def face_reader(who: Identity) -> "FaceReader":
    """As the config has it."""
    live = None if who.liveness == "off" else who.live_model
    return FaceReader(FaceWorker(rest_s=who.face_worker_rest_s), FaceFolders(live=live))


class FaceReader:
    """Implements `Faces`.  Computes on one thread of its own, one question after the other."""

    def __init__(self, worker: FaceWorker, folders: FaceFolders | None = None) -> None:
        """Loads the models.  One that cannot be loaded is in `troubles`, and what it does is done without it."""
        where = FaceFolders() if folders is None else folders
        self.worker = worker
        self.troubles: dict[str, str] = {}  # what is done without a model, and why
        self._finder = self._finding(where)
        self._print = self._loaded("face_recognition encodes the faces", FacePrint, where.embed)
        self._marks = self._loaded("faces are aligned less exactly, eyes are not looked at", FaceMarks, where.marks)
        self._live = self._loaded("liveness is not scored", Liveness, where.live) if where.live is not None else None
        self.model = REFERENCE_MODEL if self._print is None else f"{self._print.name}-{ALIGNED}"
        self.reference_model = REFERENCE_MODEL
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="face-models")
        self._waiting = 0

    @property
    def live_thresholds(self) -> tuple[float, float] | None:
        """Of the liveness model: live from, and an attack below; None where no model looks."""
        return None if self._live is None else (self._live.live_from, self._live.spoof_below)

    def trouble(self) -> str | None:
        """Which models cannot be used, and what is done instead; None where all are in order."""
        return "; ".join(f"{instead}: {why}" for instead, why in self.troubles.items()) or None

    def model_info(self) -> dict[str, str]:
        """For doctor: what each stage runs on."""
        models = {"find": self._finder, "encode": self._print, "marks": self._marks, "live": self._live}
        return {
            stage: "none" if model is None else f"{model.name} ({model.runtime})" for stage, model in models.items()
        }

    async def warm(self) -> None:
        """Start face_recognition's process now, so that the first doubt does not wait for it.  Raises PortError."""
        await self.worker.warm()

    async def find(self, picture: "Pixels") -> Sequence[SeenFace]:
        """Every face of the frame (BGR), largest first, with quality and liveness.  Raises PortError."""
        if self._finder is not None:
            return await self._run(self.look, picture)
        places = await self.worker.find(picture)
        found = [(place.box, min(max(place.score, 0.0), 1.0), place.marks) for place in places]
        return await self._run(self._seen, picture, found)

    async def encode(self, picture: "Pixels", face: SeenFace) -> Sequence[float]:
        """The face as 128 numbers.  Raises PortError."""
        if self._print is None:
            return await self.reference(picture, face)
        return await self._run(self.vector, picture, face)

    async def reference(self, picture: "Pixels", face: SeenFace) -> Sequence[float]:
        """The face as 128 numbers by face_recognition's small model.  Raises PortError."""
        return await self.worker.encode(picture, _box(face))

    async def attend(self, picture: "Pixels", face: SeenFace) -> SeenFace:
        """The same face with the openness of its eyes and its yaw by the mesh; unchanged where no mesh is found."""
        return await self._run(self._attended, picture, face)

    async def enrol(self, picture: "Pixels") -> Face:
        """The one face of a photograph, by both networks.  Raises EnrolError (why and where), PortError."""
        photograph = checked(picture)
        found = await self.find(photograph)
        closer = [await self.attend(photograph, face) for face in found[:1]]
        face = await self._run(the_one, photograph, [*closer, *found[1:]])
        templates = {self.model: tuple(await self.encode(photograph, face))}
        if self.reference_model not in templates:
            templates[self.reference_model] = tuple(await self.reference(photograph, face))
        return Face(face, templates)

    def close(self) -> None:
        """For good.  Whoever still waits for an answer gets a PortError."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self.worker.close()

    # On any thread: these compute, for the loop's thread too long.

    def look(self, picture: "Pixels") -> Sequence[SeenFace]:
        """As `find`, by the small network.  Raises PortError where it is absent."""
        return self._seen(picture, [(one.box, one.score, one.marks) for one in self._by_network().find(picture)])

    def faces_in(self, picture: "Pixels") -> list[tuple[int, int, int, int]]:
        """Every face, far ones too, for making them unrecognisable.  Raises PortError where the network is absent."""
        return self._by_network().boxes(picture)

    def vector(self, picture: "Pixels", face: SeenFace) -> tuple[float, ...]:
        """As `encode`, by the small network.  Raises PortError where it is absent."""
        if self._print is None:
            raise PortError(f"faces: {self.trouble()}")
        _within(picture, face)
        return tuple(map(float, self._print.vector(eye.warped(picture, self._placed(picture, face), eye.CHIP))))

    def _by_network(self) -> FaceFinder:
        if self._finder is None:
            raise PortError(f"faces: {self.trouble()}")
        return self._finder

    def _placed(self, picture: "Pixels", face: SeenFace) -> eye.Similarity:
        """Where the network wants the face: by its mesh, else by its marks, else by its box."""
        mesh = None if self._marks is None else self._marks.mesh(picture, _box(face), face.quality.roll_deg)
        if mesh is not None:
            return eye.by_mesh(mesh.points)
        return eye.by_marks(face.marks) if len(face.marks) > 1 else eye.by_box(_box(face))

    def _attended(self, picture: "Pixels", face: SeenFace) -> SeenFace:
        _within(picture, face)
        mesh = None if self._marks is None else self._marks.mesh(picture, _box(face), face.quality.roll_deg)
        if mesh is None:
            return face
        return replace(face, quality=replace(face.quality, yaw=mesh.yaw), eyes_open=mesh.eyes_open)

    def _seen(
        self,
        picture: "Pixels",
        found: Sequence[tuple[Box, float, tuple[eye.Point, ...]]],
    ) -> list[SeenFace]:
        faces = []
        for n, (box, score, marks) in enumerate(found):
            judged = self._live is not None and n < MOST_LIVE and eye.colourfulness(picture, box) >= GREY
            live = self._live.score(picture, box) if self._live is not None and judged else None
            left, top, right, bottom = box
            quality = _quality(picture, box, marks)
            faces.append(SeenFace(left, top, right, bottom, score, quality, marks, live))
        return faces

    def _finding(self, where: FaceFolders) -> FaceFinder | None:
        """With the network for far faces; where that cannot be loaded without it."""
        finder = self._loaded("face_recognition finds the faces", FaceFinder, where.detect)
        far = where.far
        if finder is None or far is None:
            return finder
        return self._loaded("far faces are found less", lambda folder: FaceFinder(folder, far), where.detect) or finder

    def _loaded(self, instead: str, kind: Callable[[Path], Model], folder: Path) -> Model | None:
        try:
            return kind(folder)
        except PortError as error:
            self.troubles[instead] = str(error)
            log.warning("face_model_missing instead=%r why=%s", instead, error)
            return None

    async def _run(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        if self._waiting >= MOST_WAITING:
            raise PortError(f"faces: {MOST_WAITING} pictures are waiting already; ask again later")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
        except RuntimeError as error:
            raise PortError("faces: the reader was closed") from error
        finally:
            self._waiting -= 1


def _quality(picture: "Pixels", box: Box, marks: Sequence[eye.Point]) -> Quality:
    sharpness, brightness, contrast = eye.light(picture, box)
    yaw, pitch, roll_deg = eye.pose(marks)
    height = float(box[3] - box[1])
    return Quality(height, sharpness, brightness, contrast, yaw, pitch, roll_deg, cut=eye.cut_off(picture, box))


def _within(picture: "Pixels", face: SeenFace) -> None:
    """Raises PortError where there is no picture, or the face lies outside it."""
    if picture.dtype.name != "uint8" or picture.ndim != 3 or picture.shape[2] != 3:
        raise PortError(f"faces: no picture to look at: {picture.dtype} {picture.shape}")
    height, width = picture.shape[:2]
    if min(face.right, width) <= max(face.left, 0) or min(face.bottom, height) <= max(face.top, 0):
        raise PortError("faces: the face lies outside the picture: find it in this very frame first")


def _box(face: SeenFace) -> Box:
    return face.left, face.top, face.right, face.bottom
