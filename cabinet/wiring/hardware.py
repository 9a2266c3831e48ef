"""Which lock, switches, lamp, buzzer and cameras: the serial board or this computer's pins, part by part."""

from collections.abc import Callable
from dataclasses import dataclass

from cabinet import config
from cabinet.adapters.camera import Camera
from cabinet.adapters.gpio import GpioLock, GpioSignals, GpioSwitches
from cabinet.adapters.mcu import BoardDesk, BoardParts, KeyFile
from cabinet.config import Config
from cabinet.ports import BoardSenses, Lock, PortError, Senses, Signals
from cabinet.units import CameraId, ZoneId
from firmware_bridge.board import Board


@dataclass(frozen=True, slots=True)
class Hardware:
    board: BoardParts
    desk: BoardDesk
    lock: Lock
    signals: Signals
    switches: GpioSwitches | None  # None: door and bolt are on the board


@dataclass(frozen=True, slots=True)
class SplitSignals:
    """Lamp and buzzer may be on different hardware."""

    on_lamp: Signals
    on_buzzer: Signals

    async def lamp(self, mode: str) -> None:
        await self.on_lamp.lamp(mode)

    async def buzzer(self, pattern: str) -> None:
        await self.on_buzzer.buzzer(pattern)


def hardware(facts: Config, senses: BoardSenses, journal_next: Callable[[str], int] = lambda _: 1) -> Hardware:
    """Opens the pins; the board's port is opened by its own loop.  Raises PortError for pins that cannot be had.

    `journal_next`: from which entry on the journal of a board, named by its id, is wanted.
    """
    if facts.board is None:
        raise PortError("board: the cells are on it; add [board] to the config")
    channels: list[ZoneId | None] = [None] * (1 + max(zone.channel for zone in facts.zones))
    for zone in facts.zones:
        channels[zone.channel] = ZoneId(zone.id)
    on_pins = facts.door.via == "gpio"
    pin = facts.lock.pin
    key = KeyFile(facts.board_key_file)
    link = Board(
        facts.board.port, facts.board.baud, key=key.key, journal_from=lambda board_id: journal_next(board_id.hex())
    )
    board = BoardParts(link, channels, senses, key, lock=pin is None, switches=not on_pins)
    relay = None if pin is None else GpioLock(pin, active_high=facts.lock.active_high)
    lock: Lock = board if relay is None else relay
    pins = GpioSignals(
        facts.lamp.pin, facts.buzzer.pin, lamp_high=facts.lamp.active_high, buzzer_high=facts.buzzer.active_high
    )
    signals = SplitSignals(board if facts.lamp.via == "board" else pins, board if facts.buzzer.via == "board" else pins)
    return Hardware(board, BoardDesk(board), lock, signals, _switches(facts, senses, relay))


def cameras(facts: Config) -> dict[CameraId, Camera]:
    return {CameraId(camera.id): _camera(camera) for camera in facts.cameras}


def _switches(facts: Config, senses: Senses, relay: GpioLock | None) -> GpioSwitches | None:
    if facts.door.pin is None or facts.bolt.pin is None:
        return None
    return GpioSwitches(
        facts.door.pin,
        facts.bolt.pin,
        senses,
        open_high=facts.door.active_high,
        locked_high=facts.bolt.active_high,
        on_open=_nothing if relay is None else relay.door_opened,
    )


def _nothing() -> None:
    """The lock on the board sees the door itself."""


def _camera(camera: config.Camera) -> Camera:
    return Camera(
        CameraId(camera.id),
        camera.source,
        width=camera.width,
        height=camera.height,
        fps=camera.fps,
        read_timeout_s=camera.read_timeout_s,
        loop=camera.loop,
    )
