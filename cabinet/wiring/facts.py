"""The config's words as the trace's words."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from cabinet import config
from cabinet.basket import evidence
from cabinet.basket.policy import Costs
from cabinet.basket.prices import LocalTime, PriceList
from cabinet.config import Config
from cabinet.ledger import Ledger, Stamp
from cabinet.units import CameraId, ZoneId

BOARD_HZ = 80.0  # of every channel (PROTOCOL.md)
Polygons = dict[ZoneId, tuple[tuple[float, float], ...]]


def traces(facts: Config) -> Path:
    """Where every visit has its folder."""
    return facts.cabinet.data_dir / "traces"


def zones(facts: Config) -> dict[ZoneId, evidence.Zone]:
    return {ZoneId(zone.id): _zone(zone) for zone in facts.zones}


def cameras(facts: Config, polygons: Callable[[config.Camera], Polygons]) -> dict[CameraId, evidence.Camera]:
    """With the polygons in force."""
    return {CameraId(camera.id): _camera(camera, polygons(camera)) for camera in facts.cameras}


def _zone(zone: config.Zone) -> evidence.Zone:
    return evidence.Zone(zone.kind, zone.cells, zone.capacity_g, BOARD_HZ, zone.noise_g, zone.quantum_g)


def _camera(camera: config.Camera, seen: Polygons) -> evidence.Camera:
    return evidence.Camera(camera.width, camera.height, camera.fps, tuple(seen), seen)


def costs(tally: config.Tally) -> Costs:
    return Costs(tally.overcharge_cost, tally.undercharge_cost, tally.review_cost)


def prices(facts: Config, ledger: Ledger, at: Stamp) -> PriceList:
    """What is in force now, frozen for a visit unlocked at this instant."""
    return prices_at(facts, ledger, at, ledger.price_version())


def prices_at(facts: Config, ledger: Ledger, at: Stamp, version: int) -> PriceList:
    """The price list that had this version, for a visit unlocked at that instant."""
    local = local_time(at, facts.prices.time_zone)
    return PriceList(version, ledger.price_rules(version), facts.prices.tax_included, local)


def local_time(at: Stamp, time_zone: str) -> LocalTime | None:
    """None: nobody can tell, the clock is not to be trusted."""
    if at.quality not in {"ntp", "cloud"}:
        return None
    there = dt.datetime.fromtimestamp(at.wall_ms // 1000, ZoneInfo(time_zone))
    return LocalTime(there.weekday(), there.hour * 60 + there.minute)
