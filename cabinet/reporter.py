"""Tells the fleet what is going on: state at each change, health and stock now and then, each visit in one line.

What it tells is informative only and may be lost; money goes through the outbox.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

from cabinet import clock
from cabinet.caretaker import PROBE_SILENT_S, rss_mib
from cabinet.daemon import Happened
from cabinet.ledger import Ledger
from cabinet.parts import Parts
from cabinet.senses import Nerves
from cabinet.session import effects as do
from cabinet.session.events import DoorClosed
from cabinet.session.states import State, faults, open_visit

SHED_S = 5.0  # what was shed, at the start too, is told anew so soon after a connection


class Fleet(Protocol):
    def publish_state(self, state: Mapping[str, Any]) -> None: ...
    def publish_telemetry(self, telemetry: Mapping[str, Any]) -> bool: ...
    def poke(self) -> None: ...


@dataclass
class Reporter:
    fleet: Fleet
    ledger: Ledger
    parts: Parts
    nerves: Nerves
    data_dir: Path
    every_s: float
    screen: Callable[[], str]
    state: Callable[[], State]
    closed_s: float | None = None  # when the door of the visit under way was shut
    _started_s: float = field(default_factory=clock.now_s)

    async def run(self) -> NoReturn:
        while True:
            told = (self.tell_health(), self.tell_stock())
            await asyncio.sleep(self.every_s if all(told) else min(self.every_s, SHED_S))

    def happened(self, step: Happened) -> None:
        if isinstance(step.event, DoorClosed) and open_visit(step.before) is not None:
            self.closed_s = step.event.at_s
        for effect in step.effects:
            if isinstance(effect, do.CloseVisit):
                self._tell_visit(effect, step.at_s)
            if isinstance(effect, do.OpenVisit | do.CloseVisit | do.RaiseIncident):
                self.fleet.poke()
        if step.before != step.after or any(isinstance(effect, do.Show) for effect in step.effects):
            self.tell_state()

    def tell_state(self) -> None:
        state = self.state()
        told = [{"part": fault.part, "why": fault.why, "latched": fault.latched} for fault in faults(state)]
        self.fleet.publish_state({"state": type(state).__name__, "screen": self.screen(), "faults": told})

    def tell_health(self) -> bool:
        """False: it was shed."""
        now_s = clock.now_s()
        fresh_c = [c for c, at_s in self.nerves.temperatures_c.values() if now_s - at_s < PROBE_SILENT_S]
        return self.fleet.publish_telemetry(
            {
                "kind": "health",
                "parts": [{"part": part.name, "ok": part.ok, "why": part.why or ""} for part in self.parts],
                "temperature_c": max(fresh_c, default=None),
                "disk_free_mib": shutil.disk_usage(self.data_dir).free >> 20,
                "backlog": self.ledger.backlog()[0],
                "clock_quality": clock.quality(),
                "rss_mib": rss_mib(),
                "uptime_s": round(now_s - self._started_s),
                "visits_open": int(open_visit(self.state()) is not None),
            }
        )

    def tell_stock(self) -> bool:
        """Likewise."""
        rows = [
            {"zone": zone, "sku": sku, "count": count}
            for zone, counts in self.ledger.stock().items()
            for sku, count in counts.items()
        ]
        return self.fleet.publish_telemetry({"kind": "stock", "rows": rows})

    def _tell_visit(self, closing: do.CloseVisit, at_s: float) -> None:
        record = self.ledger.visit(closing.visit)
        if record is None:
            return
        took_ms = None if self.closed_s is None else round((at_s - self.closed_s) * 1000)
        self.closed_s = None
        self.fleet.publish_telemetry(
            {
                "kind": "visit",
                "visit": record.visit,
                "outcome": record.outcome,
                "total_minor": record.total_minor,
                "currency": record.currency,
                "lines": len(record.lines),
                "confidence": record.confidence,
                "t_close_to_verdict_ms": took_ms,
            }
        )
