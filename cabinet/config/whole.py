"""The file as a whole, and what only the whole of it can show: a zone on no channel, a camera of an unknown zone."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from cabinet.config.computer import Cabinet, Screen, Storage
from cabinet.config.hardware import LEASE_CAP_S, Board, Camera, Part, Temperature, Zone
from cabinet.config.money import Credit, Mqtt
from cabinet.config.people import Identity, Risk
from cabinet.config.selling import Items, Prices, Tally
from cabinet.config.values import Section
from cabinet.session.policy import Policy


class Config(Section):
    cabinet: Cabinet
    board: Board | None = None
    lock: Part = Part()
    door: Part = Part()
    bolt: Part = Part()
    lamp: Part = Part()
    buzzer: Part = Part()
    zones: Annotated[list[Zone], Field(min_length=1)]
    cameras: list[Camera]
    identity: Identity = Identity()
    risk: Risk = Risk()
    screen: Screen = Screen()
    items: Items = Items()
    tally: Tally = Tally()
    prices: Prices = Prices()
    session: Policy = Policy()
    mqtt: Mqtt | None = None
    temperature: Temperature | None = None  # None: ambient goods, no probe is asked for
    storage: Storage = Storage()
    credit: Credit = Credit()

    @property
    def board_key_file(self) -> Path:
        """What signs the unlocks; it need not be there yet."""
        named = None if self.board is None else self.board.key_file
        return named or self.cabinet.data_dir / "board.key"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        complaints = "; ".join(_contradictions(self))
        if complaints:
            raise ValueError(complaints)
        return self


def _contradictions(config: Config) -> list[str]:
    zones = [zone.id for zone in config.zones]
    cameras = [camera.id for camera in config.cameras]
    found = [
        f"{what} {name!r} is there twice: rename one"
        for what, names in (("zone", zones), ("camera", cameras))
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    channels = [zone.channel for zone in config.zones]
    if len(set(channels)) < len(channels):
        found.append("two zones share a channel: give each its own channel = N")
    if config.board is None:
        found.append('the cells are on the board: add [board] with port = "/dev/ttyACM0"')
    elif config.board.unlocks_per_day < config.board.unlocks_per_hour:
        found.append("board.unlocks_per_day is below unlocks_per_hour: give a day at least as many as an hour")
    if sum(camera.role == "front" for camera in config.cameras) > 1:
        found.append('more than one camera has role = "front": keep one')
    if config.lock.via == "gpio" and not config.lock.active_high:
        found.append("lock.active_high = false would unlock while the computer boots: use a relay that is off when low")
    if config.door.via != config.bolt.via:
        found.append("door and bolt are debounced together: give both the same via")
    if config.session.unlock_timeout_s > LEASE_CAP_S:
        found.append(f"session.unlock_timeout_s is over {LEASE_CAP_S:g}: the board relocks by then, so wait no longer")
    found += [
        f"camera {camera.id!r} has a polygon for zone {zone!r}, which is not under [[zones]]"
        for camera in config.cameras
        for zone in camera.polygons
        if zone not in zones
    ]
    found += [
        f"camera {camera.id!r}: polygon of {zone!r} needs at least 3 corners"
        for camera in config.cameras
        for zone, corners in camera.polygons.items()
        if len(corners) < 3
    ]
    return found
