"""Which part of a camera's picture is which zone, in force now: as calibrated where it was, else as the config says.

Kept in `data_dir/calibration`, three files a camera: CAMERA.json (the polygons), CAMERA.jpg (the picture they were
found in, clean, by which a moved camera can be told) and CAMERA-found.jpg (the same with what was found).
A calibration of another frame size is not used, and said to be useless.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cabinet.config import Camera, Config
from cabinet.parts import Parts
from cabinet.ports import PortError
from cabinet.units import ZoneId

Corners = tuple[tuple[float, float], ...]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outline:
    """A zone as one camera sees it."""

    corners: Corners
    source: str  # config, markers or restock
    at: str | None = None  # when it was calibrated, ISO 8601
    notes: tuple[str, ...] = ()


@dataclass
class Geometry:
    config: Config
    parts: Parts
    _calibrated: dict[str, dict[ZoneId, Outline]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for camera in self.config.cameras:
            self._read(camera)

    @property
    def folder(self) -> Path:
        return self.config.cabinet.data_dir / "calibration"

    def in_force(self, camera: Camera) -> dict[ZoneId, Outline]:
        drawn = {ZoneId(zone): Outline(tuple(corners), "config") for zone, corners in camera.polygons.items()}
        return {**drawn, **self._calibrated.get(camera.id, {})}

    def polygons(self, camera: Camera) -> dict[ZoneId, Corners]:
        return {zone: outline.corners for zone, outline in self.in_force(camera).items()}

    def keep(self, camera: Camera, new: Mapping[ZoneId, Outline], reference: bytes, found: bytes) -> None:
        """Beside the camera's other calibrated zones; in force at once.  Raises PortError where it cannot be stored.

        The polygons come last: pictures without polygons harm nobody.
        """
        zones = {**self._calibrated.get(camera.id, {}), **new}
        table = {"camera": camera.id, "width": camera.width, "height": camera.height, "zones": _told(zones)}
        try:
            self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            _write(self.reference(camera.id), reference)
            _write(self.picture(camera.id), found)
            _write(self.folder / f"{camera.id}.json", json.dumps(table, indent=2).encode())
        except OSError as error:
            raise PortError(f"calibration: {self.folder} cannot be written ({error.strerror})") from error
        self._calibrated[camera.id] = zones
        self._tell(camera, None)

    def forget(self, camera: Camera) -> None:
        """Back to the config's polygons.  Safe where there is no calibration."""
        try:
            for file in (self.folder / f"{camera.id}.json", self.picture(camera.id), self.reference(camera.id)):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise PortError(f"calibration: {self.folder} cannot be written ({error.strerror})") from error
        self._calibrated.pop(camera.id, None)
        self._tell(camera, None)

    def trouble(self, camera: Camera) -> str | None:
        return self.parts.why(f"calibration:{camera.id}")

    def reference(self, camera: str) -> Path:
        return self.folder / f"{camera}.jpg"

    def picture(self, camera: str) -> Path:
        return self.folder / f"{camera}-found.jpg"

    def _read(self, camera: Camera) -> None:
        file = self.folder / f"{camera.id}.json"
        try:
            table = json.loads(file.read_bytes())
            size = int(table["width"]), int(table["height"])
            zones = {ZoneId(zone): _outline(one) for zone, one in table["zones"].items()}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._tell(camera, f"{file.name} cannot be read ({type(error).__name__}): the config's polygons are used")
            return
        if size != (camera.width, camera.height):
            made, now = f"{size[0]} x {size[1]}", f"{camera.width} x {camera.height}"
            self._tell(camera, f"was made for {made} pixels, the config says {now}: the config's polygons are used")
            return
        known = {zone.id for zone in self.config.zones}
        gone = sorted(set(zones) - known)
        self._calibrated[camera.id] = {zone: outline for zone, outline in zones.items() if zone in known}
        self._tell(camera, f"has zones that the config does not have: {', '.join(gone)}" if gone else None)

    def _tell(self, camera: Camera, why: str | None) -> None:
        remedy = f"cabinet camera calibrate {camera.id}"
        if why is not None:
            log.error("calibration_invalid camera=%s why=%s", camera.id, why)
        self.parts.expect(f"calibration:{camera.id}", needed=False, why=why, remedy=remedy)


def _told(zones: Mapping[ZoneId, Outline]) -> dict[str, Any]:
    return {
        zone: {"corners": one.corners, "source": one.source, "at": one.at, "notes": one.notes}
        for zone, one in zones.items()
    }


def _outline(table: Mapping[str, Any]) -> Outline:
    corners = tuple((float(x), float(y)) for x, y in table["corners"])
    if len(corners) < 3:
        raise ValueError("fewer than 3 corners")
    return Outline(corners, str(table["source"]), table.get("at"), tuple(map(str, table.get("notes", ()))))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, also when the power goes."""
    half = path.with_name(f"{path.name}.new")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
