"""A board without a wire: takes orders or fails them, and tells what a test puts into `happenings`."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from cabinet.adapters.mcu import BoardParts, KeyFile
from cabinet.ports import BoardEntry
from cabinet.units import ZoneId
from firmware_bridge import happenings as felt
from firmware_bridge.board import Board
from firmware_bridge.codes import About, CellAnswer, ResetCause
from firmware_bridge.errors import BridgeError
from firmware_bridge.facts import BoardFacts
from firmware_bridge.messages import BuzzerPattern, Capability, CellReport, HelloReply, LampMode, Status

S1, S2 = ZoneId("s1"), ZoneId("s2")
NOTHING = Capability(0)
SPAN_OF_100 = round(2**24 / 10)  # 100 counts a gram


def status(faults: int = 0, *, cells: int = 0, door_open: bool = False, locked: bool = True) -> Status:
    return Status(door_open, locked, lock_driven=False, housing_open=False, uptime_ms=1, faults=faults, cells=cells)


def hello(zones: int = 2, *, keyed: bool = True, able: Capability = NOTHING) -> HelloReply:
    return HelloReply(2, b"b" * 8, 1, zones, 80, able, b"i" * 8, ResetCause.POWER, keyed, "1.0")


def report(zone: int = 0, about: About = About.REQUEST, answer: CellAnswer = CellAnswer.OK, **facts: int) -> CellReport:
    """1000 g at 100 counts a gram."""
    known = {
        "mean_counts": 101_000,
        "noise_decicounts": 503,
        "zero_counts": 1000,
        "span": SPAN_OF_100,
        "residual_cg": 0,
    }
    return CellReport(zone, about, answer, **{**known, **facts})


@dataclass
class FakeBoard:
    port: str = "/dev/ttyACM0"
    fails: BridgeError | None = None
    hangs: bool = False
    faults: int = 0
    connected: bool = True
    journal_next: int | None = None
    answer: CellAnswer = CellAnswer.OK
    running: bool = False
    counters: felt.Counters = field(default_factory=felt.Counters)
    orders: list[tuple[Any, ...]] = field(default_factory=list)
    happenings: asyncio.Queue[felt.Happening] = field(default_factory=asyncio.Queue)

    @property
    def facts(self) -> BoardFacts | None:
        if not self.connected:
            return None
        return BoardFacts(
            hello(), status(self.faults), frozenset(), self.counters,
            offset_s=-100.0, drift_ppm=None, jitter_ms=1.5, journal_next=self.journal_next, journal_read=1,
        )  # fmt: skip  # a table

    async def run(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False

    async def _order(self, *order: object) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails
        self.orders.append(order)

    async def unlock(self, visit: bytes, ttl_s: float) -> None:
        await self._order("unlock", visit, ttl_s)

    async def lock(self) -> None:
        await self._order("lock")

    async def clear_faults(self) -> None:
        await self._order("clear faults")

    async def lamp(self, mode: LampMode) -> None:
        await self._order("lamp", mode)

    async def buzzer(self, pattern: BuzzerPattern) -> None:
        await self._order("buzzer", pattern)

    async def status(self) -> Status:
        await self._order("status")
        return status(self.faults)

    async def mirror(self, visit: bytes, amount_minor: int, currency: str, digest: bytes) -> None:
        await self._order("mirror", visit, amount_minor, currency, digest)

    async def commission(self, key: bytes, per_hour: int, per_day: int) -> None:
        await self._order("commission", key, per_hour, per_day)

    async def cell(self, zone: int) -> CellReport:
        await self._order("cell", zone)
        return report(zone, answer=self.answer)

    async def tare(self, zone: int) -> CellReport:
        await self._order("tare", zone)
        return report(zone, About.TARE, self.answer)

    async def calibration_point(self, zone: int, slot: int, mass_g: float) -> CellReport:
        await self._order("point", zone, slot, mass_g)
        return report(zone, About.POINT, self.answer)

    async def calibrate(self, zone: int) -> CellReport:
        await self._order("calibrate", zone)
        return report(zone, About.CALIBRATE, self.answer, residual_cg=-1234)

    def heartbeat(self) -> None:
        self.orders.append(("heartbeat",))


@dataclass
class Senses:
    """Writes down what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def door_found(self, at_s: float, *, is_open: bool) -> None:
        self.told.append(("door found", is_open))

    def door(self, at_s: float, *, is_open: bool) -> None:
        self.told.append(("door", at_s, is_open))

    def bolt(self, at_s: float, *, locked: bool) -> None:
        self.told.append(("bolt", locked))

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: Sequence[float | None]) -> None:
        self.told.append(("masses", zone, at_s, hz, list(grams)))

    def bad(self, zone: ZoneId, at_s: float, reasons: Sequence[str]) -> None:
        self.told.append(("bad", zone, at_s, list(reasons)))

    def gap(self, part: str, seconds: float) -> None:
        self.told.append(("gap", part, seconds))

    def temperature(self, probe: str, celsius: float) -> None:
        self.told.append(("temperature", probe, celsius))

    def part(self, part: str, why: str | None) -> None:
        self.told.append(("part", part, why))

    def journaled(self, entry: BoardEntry, *, while_away: bool) -> None:
        self.told.append(("journaled", entry, while_away))


def key_in(folder: Path) -> Path:
    path = folder / "board.key"
    path.touch(0o600)
    path.write_text("11" * 32)
    return path


def parts_of(
    board: FakeBoard,
    zones: Sequence[ZoneId | None] = (S1, S2),
    *,
    switches: bool = True,
    lock: bool = True,
    key: Path | None = None,
) -> BoardParts:
    """`key`: the file; by default one that holds a key."""
    with tempfile.TemporaryDirectory() as folder:
        file = KeyFile(key or key_in(Path(folder)))
    return BoardParts(cast("Board", board), zones, Senses(), file, lock=lock, switches=switches)
