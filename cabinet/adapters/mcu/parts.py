"""The serial board as the cabinet's parts: lock, lamp, buzzer and mirror on one side, what it senses on the other.

Translates between the bridge's words and the ports; decides nothing.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ulid import ULID

from cabinet.adapters.mcu.faults import LOCK, FaultBook
from cabinet.adapters.mcu.key import COMMISSION, KeyFile
from cabinet.adapters.mcu.lines import Line, journal_entry, line, word
from cabinet.ports import BoardSenses, Charged, PortError
from cabinet.units import VisitId, ZoneId
from firmware_bridge import happenings as felt
from firmware_bridge.board import Board
from firmware_bridge.codes import Answer
from firmware_bridge.errors import BridgeError, Refused
from firmware_bridge.messages import BuzzerPattern, LampMode

SIGNAL_ATTEMPT_S = 1.0  # a lamp is not worth a longer wait

ANSWERS = {  # of the board to an unlock, with what to do
    Answer.DOOR_OPEN: "the board sees the door open: shut it",
    Answer.FAULT: "a fault of the board stands: cabinet doctor names it",
    Answer.BUSY: "another visit holds the lock: wait until it has ended",
    Answer.BAD_TTL: "a lease has a length",
    Answer.BUDGET: "the board has granted all unlocks of this hour or day: wait",
    Answer.STALE: "the order came too late for its challenge: is this computer overloaded? try again",
    Answer.NO_KEY: f"the board has no key: {COMMISSION}",
}


@dataclass
class LeftAlone:
    """The port is somebody else's until then."""

    why: str = ""
    until: asyncio.Event = field(default_factory=asyncio.Event)


class BoardParts:
    """Lock, Signals and Mirror over one board; `run()` tells `senses` what the board feels.

    `zones[i]` is the zone on channel i of the board, None where the channel is not used.  `switches` is False where
    door and bolt are on GPIO: then the board's own say nothing; `lock` likewise.
    """

    def __init__(
        self,
        board: Board,
        zones: Sequence[ZoneId | None],
        senses: BoardSenses,
        key: KeyFile,
        *,
        lock: bool = True,
        switches: bool = True,
    ) -> None:
        self.board = board
        self.zones = zones
        self.key = key
        self.book = FaultBook(zones, lock, switches)
        self.told: dict[str, float] = {}  # faults said once and over: name -> when, monotonic
        self.watchers: list[Callable[[Line], None]] = []
        self.keyed = True  # as the board last said
        self.unfit = False  # the board refused our signature
        self._senses = senses
        self._lock = lock
        self._switches = switches
        self._away_below: int | None = None  # journal entries below it are older than this connection
        self._board_id = ""  # of the last session; the journal's entries come after its beginning
        self._why_not: str | None = "not connected yet"
        self._left: LeftAlone | None = None
        self._leave = asyncio.Event()

    @property
    def why_away(self) -> str | None:
        """Why there is no board, or None."""
        return self._why_not

    # The lock.

    async def release(self, visit: VisitId, lease_s: float) -> None:
        try:
            await self.board.unlock(ULID.from_str(visit).bytes, lease_s)
        except Refused as error:
            self.unfit = self.unfit or error.answer is Answer.UNSIGNED
            raise PortError(self.why_no_lock() or f"lock: {ANSWERS.get(error.answer, error)}") from error
        except BridgeError as error:
            raise PortError(f"lock: {error}") from error
        self.unfit = False

    async def engage(self) -> None:
        await self._ordered(self.board.lock(), "lock")

    async def clear_faults(self) -> None:
        await self._ordered(self.board.clear_faults(), "lock")

    async def check(self) -> None:
        try:
            self.book.found(await self.board.status())
        except BridgeError as error:
            raise PortError(f"lock: {error}") from error
        self.tell_parts()
        why = self.why_no_lock()
        if why is not None:
            raise PortError(why)

    def keep_alive(self) -> None:
        self.board.heartbeat()

    def why_no_lock(self) -> str | None:
        """What stands against an unlock, in words: key first, then faults."""
        return "; ".join(why for why in (self._why_no_key(), self.book.parts()[LOCK]) if why) or None

    def _why_no_key(self) -> str | None:
        if not self._lock:
            return None
        file = self.key.path
        if self.key.key is None:
            missing = self.keyed and self._why_not is None and not file.exists()
            again = f"put {file} back, or open the board's housing and {COMMISSION}"
            return f"the board has a key and this computer has none: {again}" if missing else self.key.why
        if not self.keyed:
            return f"the board has no key: {COMMISSION}"
        if self.unfit:
            again = f"put the right one back and restart, or open the board's housing and {COMMISSION}"
            return f"the board has another key than {file}: {again}"
        return None

    # Lamp, buzzer, mirror.

    async def lamp(self, mode: str) -> None:
        await self._signal(self.board.lamp(LampMode[mode.upper()]), "lamp")

    async def buzzer(self, pattern: str) -> None:
        await self._signal(self.board.buzzer(BuzzerPattern[pattern.upper()]), "buzzer")

    async def mirror(self, charge: Charged) -> None:
        order = self.board.mirror(
            ULID.from_str(charge.visit).bytes, charge.amount_minor, charge.currency, charge.digest
        )
        await self._ordered(order, "board")

    # What it feels.

    async def run(self) -> NoReturn:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live())
            while True:
                self._tell(await self.board.happenings.get())

    def let_go(self, why: str) -> None:
        """Close the port until `take_back`."""
        self._left = self._left or LeftAlone(why)
        self._leave.set()

    def take_back(self) -> None:
        if self._left is not None:
            self._left.until.set()
            self._left = None

    async def _live(self) -> NoReturn:
        while True:
            self._leave.clear()
            living = asyncio.create_task(self.board.run())
            leaving = asyncio.create_task(self._leave.wait())
            try:
                await asyncio.wait({living, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                living.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await living
            if self._left is not None:
                self._away(self._left.why)
                await self._left.until.wait()
                self._away("is being connected again")

    def _tell(self, happening: felt.Happening) -> None:
        now_s = asyncio.get_running_loop().time()
        self._learn_journal()
        match happening:
            case felt.Connected():
                self._connected(happening, now_s)
            case felt.Disconnected(why):
                self._away(f"{why}: check the cable and board.port ({self.board.port})")
            case felt.DoorChanged(is_open, at_s):
                if self._switches:
                    self._senses.door(at_s, is_open=is_open)
            case felt.BoltChanged(locked, at_s):
                if self._switches:
                    self._senses.bolt(at_s, locked=locked)
            case felt.Masses():
                self._masses(happening)
            case felt.Gap(seconds, what):
                self._senses.gap(self._named(what), seconds)
            case felt.FaultRaised(code, detail):
                if code.told:
                    self.told[word(code)] = now_s
                self.book.add(code, detail)
                self.tell_parts()
            case felt.FaultGone(code, detail):
                self.book.drop(code, detail)
                self.tell_parts()
            case felt.TemperatureRead(probe, celsius):
                self._senses.temperature(f"probe{probe}", celsius)
            case felt.Journaled(entry):
                away = self._away_below is None or entry.index < self._away_below
                self._senses.journaled(journal_entry(entry, self._board_id, self.zones), while_away=away)
            case felt.LeaseOver() | felt.TemperatureBad() | felt.CellCounts():
                pass  # the machine's own deadline, the fault and the technician's view say the same
        self._show(happening)

    def _connected(self, new: felt.Connected, now_s: float) -> None:
        """Faults first and the board last: nothing is sold on a board of which half was told."""
        hello, status = new.hello, new.status
        self._away_below = None
        self._board_id = hello.board_id.hex()
        self._why_not = None
        self.keyed = hello.keyed
        self.book.clear()
        self.book.found(status)
        self.tell_parts()
        missing = [zone for zone in self.zones[hello.zones :] if zone is not None]
        if missing:
            why = f"has {hello.zones} channels and none for {', '.join(missing)}: correct zones.channel"
            self._senses.part("board", why)
        else:
            self._senses.part("board", None)
        if self._switches:
            self._senses.bolt(now_s, locked=status.bolt_locked)
            self._senses.door_found(now_s, is_open=status.door_open)

    def tell_parts(self) -> None:
        for part, why in self.book.parts().items():
            if part != LOCK:
                self._senses.part(part, why)
            elif self._lock:
                self._senses.part(LOCK, self.why_no_lock())

    def _away(self, why: str) -> None:
        self._why_not = why
        self._senses.part("board", why)

    def _masses(self, new: felt.Masses) -> None:
        if new.zone_index < len(self.zones) and (zone := self.zones[new.zone_index]) is not None:
            self._senses.masses(zone, new.at_s, new.hz, new.grams)
            if new.bad:
                self._senses.bad(zone, new.at_s, [word(reason) for reason in new.bad if reason is not None])

    def _learn_journal(self) -> None:
        """The first that is heard of the journal's end after connecting parts what was missed from what is lived."""
        facts = self.board.facts
        if self._away_below is None and facts is not None:
            self._away_below = facts.journal_next

    def _show(self, happening: felt.Happening) -> None:
        told = line(happening, self.zones) if self.watchers else None
        if told is not None:
            for watcher in self.watchers:
                watcher(told)

    def _named(self, what: str) -> str:
        """`mass zone 2` as the cabinet names it."""
        index = what.removeprefix("mass zone ")
        if index.isdigit() and int(index) < len(self.zones) and (zone := self.zones[int(index)]) is not None:
            return f"scale:{zone}"
        return "board"

    async def _ordered(self, order: Coroutine[Any, Any, None], what: str) -> None:
        try:
            await order
        except BridgeError as error:
            raise PortError(f"{what}: {error}") from error

    async def _signal(self, order: Coroutine[Any, Any, None], what: str) -> None:
        try:
            async with asyncio.timeout(SIGNAL_ATTEMPT_S):
                await self._ordered(order, what)
        except TimeoutError as error:
            raise PortError(f"{what}: the board did not answer") from error
