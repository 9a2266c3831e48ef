"""The config's words as the trace's words."""

from collections.abc import Callable

from cabinet import config
from cabinet.basket import evidence
from cabinet.config import Config
from cabinet.units import CameraId, ZoneId

BOARD_HZ = 80.0  # of every channel (PROTOCOL.md)
Polygons = dict[ZoneId, tuple[tuple[float, float], ...]]


def zones(facts: Config) -> dict[ZoneId, evidence.Zone]:
    return {ZoneId(zone.id): _zone(zone) for zone in facts.zones}


def cameras(facts: Config, polygons: Callable[[config.Camera], Polygons]) -> dict[CameraId, evidence.Camera]:
    """With the polygons in force."""
    return {CameraId(camera.id): _camera(camera, polygons(camera)) for camera in facts.cameras}


def _zone(zone: config.Zone) -> evidence.Zone:
    return evidence.Zone(zone.kind, zone.cells, zone.capacity_g, BOARD_HZ, zone.noise_g, zone.quantum_g)


def _camera(camera: config.Camera, seen: Polygons) -> evidence.Camera:
    return evidence.Camera(camera.width, camera.height, camera.fps, tuple(seen), seen)
