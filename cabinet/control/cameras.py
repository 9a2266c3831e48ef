"""What a technician does with the interior cameras: look, see the zones they see, and calibrate these.

By corner marks in one step; by restock pictures in two (`empty`, then `filled`), between which nothing is sold.  What
was refused is an answer, with the picture that shows why, and changes nothing.  Refused while a visit is open.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cabinet import clock
from cabinet.config import Camera, Config
from cabinet.control.geometry import Corners, Geometry, Outline
from cabinet.control.maintenance import FREE, Maintenance
from cabinet.control.requests import Answer, Arguments, RequestError, text
from cabinet.ports import Eye
from cabinet.session.states import Servicing
from cabinet.units import CameraId, ZoneId

if TYPE_CHECKING:
    from cabinet.vision.calibration import Finding
    from cabinet.vision.pictures import Picture

FRESH_S = 5.0  # a camera that is well has shown a new picture by then
POLL_S = 0.05
MEAN_OF = 5  # frames: a dim camera's noise is halved
RESTOCK_S = 600.0  # somebody who never fills the shelf is waited for so long
QUALITY = 92  # JPEG, of what is kept


@dataclass
class CameraRoom:
    config: Config
    eyes: Mapping[CameraId, Eye]
    geometry: Geometry
    maintenance: Maintenance
    changed: Callable[[], None]  # other polygons are in force
    _empty: dict[tuple[str, ZoneId], "Picture"] = field(default_factory=dict, init=False)

    def operations(self) -> dict[str, Any]:
        return {
            "camera.list": self.listed,
            "camera.snapshot": self.snapshot,
            "camera.calibrate": self.calibrate,
            "camera.forget": self.forget,
        }

    async def listed(self, _: Arguments, __: str) -> Answer:
        channels = {zone.id: zone.channel for zone in self.config.zones}
        return {"cameras": [self._told(camera) for camera in self.config.cameras], "zones": channels}

    async def snapshot(self, arguments: Arguments, _: str) -> Answer:
        """The present picture; with `draw` the zones in force on it."""
        camera = self._camera(arguments, interior=False)
        if camera.role == "front" and not isinstance(self.maintenance.daemon.state, (*FREE, Servicing)):
            raise RequestError("somebody stands before the front camera", "wait until the visit has ended")
        shown = await self._fresh(camera)
        if arguments.get("draw"):
            from cabinet.vision.calibration import drawn  # noqa: PLC0415  OpenCV only where there is a camera

            shown = await asyncio.to_thread(drawn, shown, self.geometry.polygons(camera))
        return {**self._told(camera), "png_b64": _coded(await asyncio.to_thread(_encoded, shown, ".png"))}

    async def calibrate(self, arguments: Arguments, who: str) -> Answer:
        """`how` "markers" at once; "restock" with `step` "empty", "filled" or "cancel", and one zone."""
        camera, how = self._camera(arguments), text(arguments, "how", "markers")
        if how == "markers":
            zones, must = self._zones(camera, arguments)
            async with self.maintenance.during(f"calibrate camera {camera.id}", who):
                return await self._by_markers(camera, await self._fresh(camera, MEAN_OF), zones, must=must)
        if how != "restock":
            raise RequestError(f"how is {how!r}", 'give "markers" or "restock"')
        zone, step = self._zone(text(arguments, "zone")), text(arguments, "step")
        doing = f"restock pictures of {zone} by {camera.id}"
        match step:
            case "empty":
                await self.maintenance.begin(doing, who, for_s=RESTOCK_S)
                try:
                    self._empty = {(camera.id, zone): await self._fresh(camera, MEAN_OF)}
                except BaseException:
                    self._done()
                    raise
                return {"camera": camera.id, "zone": zone, "ok": True, "for_s": RESTOCK_S}
            case "filled":
                return await self._by_restock(camera, zone, doing)
            case "cancel":
                self.maintenance.refuse_others(doing)
                self._done()
                return {"camera": camera.id, "zone": zone, "ok": True}
        raise RequestError(f"step is {step!r}", 'give "empty", "filled" or "cancel"')

    async def forget(self, arguments: Arguments, who: str) -> Answer:
        """The config's polygons again."""
        camera = self._camera(arguments)
        async with self.maintenance.during(f"calibrate camera {camera.id}", who):
            self.geometry.forget(camera)
            self.changed()
        return self._told(camera)

    async def _by_markers(self, camera: Camera, picture: "Picture", zones: dict[ZoneId, int], *, must: bool) -> Answer:
        from cabinet.vision.calibration import by_markers  # noqa: PLC0415  OpenCV only where there is a camera

        finding = await asyncio.to_thread(by_markers, picture, zones, self.geometry.polygons(camera))
        if not must:
            numbers = {mark.number // 4 for mark in finding.markers}
            seen = tuple(found for found in finding.zones if zones[found.zone] in numbers)
            finding = replace(finding, zones=seen)
        return await self._judged(camera, picture, finding, "markers")

    async def _by_restock(self, camera: Camera, zone: ZoneId, doing: str) -> Answer:
        from cabinet.vision.calibration import by_restock  # noqa: PLC0415  likewise

        empty = self._empty.get((camera.id, zone))
        if empty is None or self.maintenance.doing != doing:
            raise RequestError(f"there is no picture of {zone} empty", 'begin with step "empty"; it is kept 10 minutes')
        try:
            filled = await self._fresh(camera, MEAN_OF)
            finding = await asyncio.to_thread(by_restock, empty, filled, zone, self.geometry.polygons(camera))
            return await self._judged(camera, filled, finding, "restock")
        finally:
            self._done()

    def _done(self) -> None:
        self._empty.clear()
        self.maintenance.end()

    async def _judged(self, camera: Camera, picture: "Picture", finding: "Finding", how: str) -> Answer:
        """Kept if every zone was found, else nothing is."""
        from cabinet.vision.calibration import drawn  # noqa: PLC0415  likewise

        at = clock.wall_text()
        new: dict[ZoneId, Corners] = {one.zone: one.polygon for one in finding.zones if one.polygon is not None}
        found = await asyncio.to_thread(drawn, picture, new, finding.markers)
        shown = await asyncio.to_thread(_encoded, found, ".jpg")
        if finding.ok:
            notes = {one.zone: one.notes for one in finding.zones}
            outlines = {zone: Outline(corners, how, at, notes[zone]) for zone, corners in new.items()}
            clean = await asyncio.to_thread(_encoded, picture, ".jpg")
            self.geometry.keep(camera, outlines, clean, shown)
            self.changed()
        zones = [
            {"zone": one.zone, "corners": one.polygon, "why": one.why, "notes": list(one.notes)}
            for one in finding.zones
        ]
        why = None if finding.ok else "no marks were found" if not zones else "not every zone was found"
        kept = str(self.geometry.picture(camera.id)) if finding.ok else None
        return {
            "camera": camera.id, "ok": finding.ok, "why": why, "how": how, "at": at, "zones": zones,
            "marks": [mark.number for mark in finding.markers], "notes": list(finding.notes), "kept": kept,
            "jpg_b64": _coded(shown),
        }  # fmt: skip  # a row

    async def _fresh(self, camera: Camera, frames: int = 1) -> "Picture":
        """Younger than the question; the mean of so many frames.  Raises RequestError where none comes.

        For a single one the camera's pace stays as it is: somebody may be shopping before it.
        """
        import numpy as np  # noqa: PLC0415  only where there is a camera

        eye, now_s = self.eyes[CameraId(camera.id)], clock.now_s()
        taken: list[Picture] = []
        last_s, hurried = now_s, frames > 1
        if hurried:
            eye.pace(1 / POLL_S)
        try:
            while len(taken) < frames and clock.now_s() < now_s + FRESH_S:
                frame = eye.latest(after_s=last_s)
                if frame is not None:
                    taken.append(frame.picture)
                    last_s = frame.at_s
                if len(taken) < frames:
                    await asyncio.sleep(POLL_S)
        finally:
            if hurried:
                eye.pace(None)
        if not taken:
            raise RequestError(f"{camera.id}: {eye.trouble() or 'no new picture'}", "cabinet doctor; look at its cable")
        if len(taken) == 1:
            return taken[0]
        return np.asarray(np.round(np.mean(np.asarray(taken, np.float32), axis=0)), np.uint8)

    def _told(self, camera: Camera) -> Answer:
        eye = self.eyes[CameraId(camera.id)]
        zones = [
            {"zone": zone, "corners": one.corners, "source": one.source, "at": one.at, "notes": list(one.notes)}
            for zone, one in self.geometry.in_force(camera).items()
        ]
        return {
            "camera": camera.id, "role": camera.role, "width": camera.width, "height": camera.height,
            "trouble": eye.trouble(), "calibration": self.geometry.trouble(camera), "zones": zones,
        }  # fmt: skip  # a row

    def _camera(self, arguments: Arguments, *, interior: bool = True) -> Camera:
        named = text(arguments, "camera")
        able = [camera for camera in self.config.cameras if camera.role == "interior" or not interior]
        for camera in able:
            if camera.id == named:
                return camera
        kind = "interior camera" if interior else "camera"
        names = ", ".join(camera.id for camera in able) or "none"
        raise RequestError(f"there is no {kind} {named!r}", f"{kind}s here: {names}")

    def _zone(self, zone: str) -> ZoneId:
        known = [one.id for one in self.config.zones]
        if zone not in known:
            raise RequestError(f"there is no zone {zone!r}", f"zones here: {', '.join(known)}")
        return ZoneId(zone)

    def _zones(self, camera: Camera, arguments: Arguments) -> tuple[dict[ZoneId, int], bool]:
        """Which zones are looked for, and whether each of them must be found: those named, else those that this camera
        is known to see, else whichever zones of the cabinet it turns out to see.
        """
        named = arguments.get("zones") or []
        if not isinstance(named, list):
            raise RequestError(f"zones is {named!r}", "give a list of zone ids")
        must = [self._zone(str(zone)) for zone in named] or [*self.geometry.in_force(camera)]
        channels = {ZoneId(zone.id): zone.channel for zone in self.config.zones}
        return ({zone: channels[zone] for zone in must}, True) if must else (channels, False)


def _encoded(picture: "Picture", kind: str) -> bytes:
    import cv2  # noqa: PLC0415  only where there is a camera

    done, content = cv2.imencode(kind, picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if kind == ".jpg" else [])
    if not done:
        raise RequestError("the picture could not be encoded", "cabinet doctor")
    return content.tobytes()


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode()
