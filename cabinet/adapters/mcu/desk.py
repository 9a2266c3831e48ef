"""What a technician does with the board: a key, a zero, a span, and everything that is known of board and link."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from cabinet.adapters.mcu.faults import MEANINGS
from cabinet.adapters.mcu.lines import board as board_facts
from cabinet.adapters.mcu.lines import word, zone_name
from cabinet.adapters.mcu.parts import BoardParts
from cabinet.ports import CellReading, PortError
from cabinet.units import ZoneId
from firmware_bridge.codes import CellAnswer, Commissioning
from firmware_bridge.errors import BridgeError, NotCommissioned
from firmware_bridge.messages import CellReport

DG_PER_SPAN: Final = 2.0**-24  # of CellReport.span: 0.1 g per count (PROTOCOL.md, "Weighing")
RESIDUAL_SHARE, LEAST_RESIDUAL_G = 0.005, 2.0  # of the heavier mass: the board's own limit

SENTENCES: Final[dict[CellAnswer, tuple[str, str]]] = {
    CellAnswer.OK: ("", ""),
    CellAnswer.NOT_STEADY: (
        "the last second swung with {noise:.0f} counts rms", "wait until nothing moves, keep hands and doors off it"
    ),
    CellAnswer.NO_SIGNAL: ("the cell is dead, stuck or saturated", "cabinet doctor names which"),
    CellAnswer.ZERO_OUT_OF_RANGE: (
        "empty it reads {mean} counts, further than a quarter of its range from the middle",
        "empty the shelf; look at the bridge's wires and at a bent cell",
    ),
    CellAnswer.MASSES_TOO_NEAR: (
        "the two masses differ by less than a quarter of the heavier", "take masses such as 1000 g and 5000 g"
    ),
    CellAnswer.MASS_OUT_OF_RANGE: ("a mass must weigh 50 g to 200 kg", "take another one; the figure is in grams"),
    CellAnswer.SPAN_OUT_OF_RANGE: (
        "the masses give no span of 2 to 4000 counts a gram", "look at the figure typed, at gain and kind of the cell"
    ),
    CellAnswer.RESIDUAL: (
        "the lighter mass lies {residual:+.1f} g off the line, more than 0.5 % of the heavier",
        "were the masses swapped, or does the shelf touch something? then begin with the tare again",
    ),
    CellAnswer.POINTS_MISSING: (
        "tare, first mass, second mass: one is missing, or older than 10 minutes", "begin with the tare again"
    ),
    CellAnswer.WIRES_SWAPPED: ("the counts fall as the mass rises", "swap the cell's two signal wires (A+ and A-)"),
    CellAnswer.NOT_STORED: ("the board's memory refused it", "cabinet doctor; replace the memory chip"),
}  # fmt: skip  # a table


class BoardDesk:
    def __init__(self, parts: BoardParts) -> None:
        self._parts = parts
        self._again: asyncio.TimerHandle | None = None

    def facts(self) -> Mapping[str, Any]:
        parts, board = self._parts, self._parts.board
        known: dict[str, Any] = {
            "connected": board.connected,
            "why": parts.why_away,
            "port": board.port,
            "key_file": str(parts.key.path),
            "key": parts.why_no_lock() if parts.key.key is None else None,
            "counters": dataclasses.asdict(board.counters),
            "faults": self._faults(),
            "told": {name: round(_now_s() - at_s, 1) for name, at_s in parts.told.items()},
        }
        facts = board.facts
        if facts is None:
            return known
        return known | board_facts(facts.hello) | {
            "keyed": parts.keyed,
            "link": {"clock_offset_s": facts.offset_s, "drift_ppm": facts.drift_ppm, "jitter_ms": facts.jitter_ms},
            "uptime_s": round(_now_s() - facts.offset_s, 1),
            "journal_next": facts.journal_next,
        }  # fmt: skip  # a table

    async def commission(self, per_hour: int, per_day: int) -> str:
        key_file = self._parts.key
        key = key_file.fresh()
        try:
            await self._parts.board.commission(key, per_hour, per_day)
        except NotCommissioned as error:
            key_file.drop_fresh()
            raise PortError(_why_not(error.answer)) from error
        except BridgeError as error:  # it may have taken the key: the fresh one stays where it is
            raise PortError(
                f"board: {error}; if it turns out keyed: mv {key_file.path}.next {key_file.path}"
            ) from error
        key_file.keep()
        self._parts.keyed, self._parts.unfit = True, False
        self._parts.tell_parts()
        return str(key_file.path)

    async def cell(self, zone: ZoneId) -> CellReading:
        return await self._read(zone, self._parts.board.cell(self._channel(zone)))

    async def tare(self, zone: ZoneId) -> CellReading:
        return await self._read(zone, self._parts.board.tare(self._channel(zone)))

    async def point(self, zone: ZoneId, slot: int, mass_g: float) -> CellReading:
        return await self._read(zone, self._parts.board.calibration_point(self._channel(zone), slot, mass_g))

    async def calibrate(self, zone: ZoneId) -> CellReading:
        return await self._read(zone, self._parts.board.calibrate(self._channel(zone)))

    def let_go(self, for_s: float) -> str:
        """A technician who never comes back leaves no dead cabinet: the port is taken back by itself."""
        self._parts.let_go("a technician uses its port: cabinet board flash")
        self._forget_timer()
        self._again = asyncio.get_running_loop().call_later(for_s, self.take_back)
        return self._parts.board.port

    def take_back(self) -> None:
        self._forget_timer()
        self._parts.take_back()

    def _forget_timer(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _faults(self) -> list[dict[str, Any]]:
        return [
            {
                "fault": word(code),
                "zone": zone_name(self._parts.zones, detail) if MEANINGS[code].part == "scale" else None,
                "what": MEANINGS[code].what,
                "remedy": MEANINGS[code].remedy,
            }
            for code, detail in sorted(self._parts.book.raised)
        ]

    def _channel(self, zone: ZoneId) -> int:
        try:
            return list(self._parts.zones).index(zone)
        except ValueError as error:
            raise PortError(f"zone {zone} has no channel of the board") from error

    async def _read(self, zone: ZoneId, order: Awaitable[CellReport]) -> CellReading:
        try:
            report = await order
        except BridgeError as error:
            raise PortError(f"board: {error}") from error
        why, remedy = SENTENCES[report.answer]
        noise, residual_g = report.noise_decicounts / 10, report.residual_cg / 100
        return CellReading(
            zone=zone,
            answer=word(report.answer),
            why=why.format(noise=noise, mean=report.mean_counts, residual=residual_g),
            remedy=remedy,
            mean_counts=report.mean_counts,
            noise_counts=noise,
            zero_counts=report.zero_counts,
            counts_per_g=10 / (report.span * DG_PER_SPAN) if report.span else None,
            residual_g=residual_g,
        )


def _why_not(answer: Commissioning) -> str:
    if answer is Commissioning.HOUSING_SHUT:
        return "the board has a key already and its housing is shut: open the housing, then do it again"
    return "the board refuses the budget: correct board.unlocks_per_hour (1..120) and unlocks_per_day (1..1200)"


def _now_s() -> float:
    return asyncio.get_running_loop().time()
