"""The serial board as the cabinet's parts: lock, lamp and buzzer on one side, what it senses on the other.

Translates between the bridge's words and the ports; decides nothing.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, NoReturn

from ulid import ULID

from cabinet.ports import PortError, Senses
from cabinet.units import VisitId, ZoneId
from firmware_bridge import happenings as felt
from firmware_bridge.board import Board
from firmware_bridge.errors import BridgeError
from firmware_bridge.messages import BuzzerPattern, FaultCode, LampMode, Status

SIGNAL_ATTEMPT_S = 1.0  # a lamp is not worth a longer wait


class BoardParts:
    """Lock and Signals over one board; `run()` tells `senses` what the board feels.

    `zones[i]` is the zone on channel i of the board, None where the channel is not used.  `switches` is False where
    door and bolt are on GPIO: then the board's own say nothing.
    """

    def __init__(self, board: Board, zones: Sequence[ZoneId | None], senses: Senses, *, switches: bool = True) -> None:
        self.board = board
        self._zones = zones
        self._senses = senses
        self._switches = switches

    async def release(self, visit: VisitId, lease_s: float) -> None:
        try:
            await self.board.unlock(ULID.from_str(visit).bytes, lease_s)
        except BridgeError as error:
            raise PortError(f"lock: {error}") from error

    async def engage(self) -> None:
        try:
            await self.board.lock()
        except BridgeError as error:
            raise PortError(f"lock: {error}") from error

    async def clear_faults(self) -> None:
        try:
            await self.board.clear_faults()
        except BridgeError as error:
            raise PortError(f"lock: {error}") from error

    async def check(self) -> None:
        try:
            status = await self.board.status()
        except BridgeError as error:
            raise PortError(f"lock: {error}") from error
        why = _latched(status)
        if why is not None:
            raise PortError(f"lock: {why}")

    def keep_alive(self) -> None:
        self.board.heartbeat()

    async def lamp(self, mode: str) -> None:
        await self._signal(self.board.lamp(LampMode[mode.upper()]), "lamp")

    async def buzzer(self, pattern: str) -> None:
        await self._signal(self.board.buzzer(BuzzerPattern[pattern.upper()]), "buzzer")

    async def run(self) -> NoReturn:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.board.run())
            while True:
                self._tell(await self.board.happenings.get())

    def _tell(self, happening: felt.Happening) -> None:
        now_s = asyncio.get_running_loop().time()
        match happening:
            case felt.Connected(hello, status):
                missing = [zone for zone in self._zones[hello.zones :] if zone is not None]
                if missing:
                    why = f"has {hello.zones} channels and none for {', '.join(missing)}: correct zones.channel"
                    self._senses.part("board", why)
                else:
                    self._senses.part("board", None)
                self._senses.part("lock", _latched(status))
                if self._switches:
                    self._senses.bolt(now_s, locked=status.bolt_locked)
                    self._senses.door_found(now_s, is_open=status.door_open)
            case felt.Disconnected(why):
                self._senses.part("board", f"{why}: check the cable and board.port ({self.board.port})")
            case felt.DoorChanged(is_open, at_s):
                if self._switches:
                    self._senses.door(at_s, is_open=is_open)
            case felt.BoltChanged(locked, at_s):
                if self._switches:
                    self._senses.bolt(at_s, locked=locked)
            case felt.Masses(index, at_s, hz, grams):
                if index < len(self._zones) and (zone := self._zones[index]) is not None:
                    self._senses.masses(zone, at_s, hz, grams)
            case felt.Gap(seconds, what):
                self._senses.gap(self._named(what), seconds)
            case felt.FaultRaised(code):
                self._senses.part("lock", f"the board reports {code.name.lower().replace('_', ' ')}")
            case felt.TemperatureRead(probe, celsius):
                self._senses.temperature(f"probe{probe}", celsius)
            case felt.LeaseOver():
                pass  # the machine's own deadline and the door say the same

    def _named(self, what: str) -> str:
        """`mass zone 2` as the cabinet names it."""
        index = what.removeprefix("mass zone ")
        if index.isdigit() and int(index) < len(self._zones) and (zone := self._zones[int(index)]) is not None:
            return f"scale:{zone}"
        return "board"

    async def _signal(self, order: Coroutine[Any, Any, None], what: str) -> None:
        try:
            async with asyncio.timeout(SIGNAL_ATTEMPT_S):
                await order
        except BridgeError as error:
            raise PortError(f"{what}: {error}") from error
        except TimeoutError as error:
            raise PortError(f"{what}: the board did not answer") from error


def _latched(status: Status) -> str | None:
    """What the board holds against the lock, in words."""
    if not status.faults:
        return None
    named = ", ".join(code.name.lower().replace("_", " ") for code in FaultCode if status.faults >> code & 1)
    return f"the board reports {named or status.faults}: look at lock, bolt and door switch"
