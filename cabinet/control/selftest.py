"""The board tries itself out: lock pulse, bolt, door contact, cells, thermometer.  Each is measured against a limit.

The lock is driven once, for at most a second, under a visit of its own that is nobody's, with the door shut, while
nothing is sold; whatever happens it is ordered locked afterwards, and the lease ends by itself besides.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cabinet import clock
from cabinet.caretaker import BOLT_GRACE_S, PROBE_SILENT_S
from cabinet.control.maintenance import Maintenance
from cabinet.control.requests import Answer, Arguments
from cabinet.ports import Desk, Lock, PortError
from cabinet.scales import STEADY_SIGMA
from cabinet.senses import Nerves
from cabinet.units import ZoneId

PULSE_S = 1.0  # the lease of the test, never more
BOLT_OUT_S = 0.6  # the board itself calls a bolt stuck after so long (PROTOCOL.md, fault 8)
LOOK_EVERY_S = 0.01
BAD_SHARE = 0.125  # 10 of 80: the board itself calls a cell noisy beyond (fault 16)
COLDEST_C, WARMEST_C = -30.0, 60.0  # a cabinet's thermometer is broken outside of it

Row = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass
class Selftest:
    nerves: Nerves
    lock: Lock
    desk: Desk
    maintenance: Maintenance

    def operations(self) -> dict[str, Any]:
        return {"board.selftest": self.run}

    async def run(self, _: Arguments, who: str) -> Answer:
        """All of it; `ok` if every line is."""
        async with self.maintenance.during("selftest", who, alone=True):
            rows = [self._faults(), self._door()]
            rows += [row async for row in self._pulse(may=rows[1]["ok"])]
            rows += [await self._cell(zone) for zone in self.nerves.witness.scales.zones]
            rows.append(self._probe())
        ok = all(row["ok"] for row in rows)
        log.info("selftest who=%s ok=%s", who, ok)
        return {"ok": ok, "tests": rows}

    def _faults(self) -> Row:
        known = self.desk.facts()
        names = [fault["fault"] for fault in known.get("faults", [])]
        if not known["connected"]:
            return _row("board", "away", "connected", ok=False, remedy="cabinet board info says why")
        return _row("board", ", ".join(names) or "no fault", "no fault", ok=not names, remedy="cabinet board info")

    def _door(self) -> Row:
        where = {None: "unknown", True: "open", False: "shut"}[self.nerves.door_open]
        return _row("door contact", where, "shut", ok=where == "shut", remedy="shut the door; look at its contacts")

    async def _pulse(self, *, may: bool) -> AsyncIterator[Row]:
        out, home = f"{BOLT_OUT_S * 1000:.0f} ms", f"{BOLT_GRACE_S * 1000:.0f} ms"
        if not may:
            for test, limit in (("lock pulse", out), ("bolt home again", home)):
                yield _row(test, "not tried", limit, ok=False, remedy="only with the door shut")
            return
        visit, begin_s = clock.new_visit(), clock.now_s()
        log.info("selftest_pulse visit=%s", visit)
        try:
            await self.lock.release(visit, PULSE_S)
            moved = await self._wait(lambda: self.nerves.bolt_locked is False, BOLT_OUT_S)
            took_s = self.nerves.bolt_since_s - begin_s
            measured = _ms(took_s) if moved else "the bolt did not move"
            yield _row("lock pulse", measured, out, ok=moved, remedy="look at the lock's plug, supply and bolt switch")
        except PortError as error:
            yield _row("lock pulse", str(error), out, ok=False, remedy="cabinet board info")
        finally:
            locked_s = clock.now_s()
            with contextlib.suppress(PortError):  # then the lease ends by itself
                await self.lock.engage()
        back = await self._wait(lambda: self.nerves.bolt_locked is True, BOLT_GRACE_S)
        measured = _ms(max(0.0, self.nerves.bolt_since_s - locked_s)) if back else "the bolt stays away"
        yield _row("bolt home again", measured, home, ok=back, remedy="look for what jams it; do not leave it so")

    async def _cell(self, zone: ZoneId) -> Row:
        scale = self.nerves.witness.scales.zones[zone]
        limit_g = STEADY_SIGMA * max(scale.zone.noise_g, scale.zone.quantum_g)
        limit, test = f"0 < noise < {limit_g:g} g, bad < {BAD_SHARE:.1%}", f"cell {zone}"
        try:
            reading = await self.desk.cell(zone)
        except PortError as error:
            return _row(test, str(error), limit, ok=False, remedy="cabinet board info")
        noise_g, bad = reading.noise_g, scale.figures().bad_share
        if noise_g is None:
            return _row(test, "not calibrated", limit, ok=False, remedy=f"cabinet scale calibrate {zone}")
        still = reading.noise_counts > 0 and noise_g < limit_g
        measured = f"noise {noise_g:.2f} g ({reading.noise_counts:.1f} counts), bad {bad or 0:.1%}"
        ok = still and bad is not None and bad <= BAD_SHARE and reading.answer != "no signal"
        return _row(test, measured, limit, ok=ok, remedy=f"cabinet scale watch {zone}; look at plug and wires")

    def _probe(self) -> Row:
        limit = f"{COLDEST_C:g} to {WARMEST_C:g} °C, within {PROBE_SILENT_S:g} s"
        if not _able(self.desk.facts(), "temperature"):
            return _row("probe", "not fitted", "-", ok=True, remedy="")
        fresh = [c for c, at_s in self.nerves.temperatures_c.values() if clock.now_s() - at_s < PROBE_SILENT_S]
        measured = ", ".join(f"{c:.2f} °C" for c in fresh) or "no reading"
        ok = bool(fresh) and all(COLDEST_C <= c <= WARMEST_C for c in fresh)
        return _row("probe", measured, limit, ok=ok, remedy="look at the thermometer's plug and wire")

    async def _wait(self, true: Callable[[], bool], within_s: float) -> bool:
        until_s = clock.now_s() + within_s
        while not true():
            if clock.now_s() >= until_s:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        return True


def _able(facts: Mapping[str, Any], capability: str) -> bool:
    return capability in facts.get("capabilities", [])


def _row(test: str, measured: str, limit: str, *, ok: bool, remedy: str) -> Row:
    return {"test": test, "ok": ok, "measured": measured, "limit": limit, "remedy": "" if ok else remedy}


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
