"""What a technician may ask to see.  Nothing here changes anything."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cabinet
from cabinet import clock
from cabinet.basket.verdict import Interim
from cabinet.caretaker import rss_mib
from cabinet.config import Config
from cabinet.control.enrolment import Enrolment
from cabinet.control.evidence import EvidenceDesk
from cabinet.control.requests import Answer, Arguments, RequestError, integer, text
from cabinet.control.trust import told as told_admission
from cabinet.control.watching import taken
from cabinet.daemon import Daemon
from cabinet.ledger import Ledger, VisitRecord
from cabinet.parts import Part, Parts
from cabinet.receipt import receipt_text
from cabinet.senses import Nerves
from cabinet.session.states import faults, open_visit
from cabinet.units import VisitId


@dataclass
class Looking:
    config: Config
    ledger: Ledger
    daemon: Daemon
    parts: Parts
    nerves: Nerves
    enrolment: Enrolment
    traces: Path
    screen: Callable[[], str]
    cloud: Callable[[], Mapping[str, Any]]
    counters: Mapping[str, Callable[[], Mapping[str, float]]]
    interim: Callable[[], Interim | None] = lambda: None  # what seems to have been taken while a shopper's door is open
    started_s: float = field(default_factory=clock.now_s)

    def operations(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "doctor": self.doctor,
            "visits.list": self.visits_list,
            "visits.show": self.visits_show,
            "outbox": self.outbox,
            "catalog.list": self.catalog_list,
            "stock.list": self.stock_list,
            **EvidenceDesk(self.ledger, self.traces).operations(),
        }

    async def status(self, _: Arguments, __: str) -> Answer:
        state = self.daemon.state
        backlog, oldest_ms = self.ledger.backlog()
        return {
            "cabinet": self.config.cabinet.id,
            "version": cabinet.__version__,
            "state": type(state).__name__,
            "screen": self.screen(),
            "interim": taken(self.interim()),
            "faults": [{"part": f.part, "why": f.why, "latched": f.latched} for f in faults(state)],
            "visit": open_visit(state),
            "member": getattr(state, "member", None),
            "uptime_s": round(clock.now_s() - self.started_s, 1),
            "zones": {
                zone: {"g": _rounded(scale.steady()), "steady_g": _rounded(scale.steady_g)}
                for zone, scale in self.nerves.witness.scales.zones.items()
            },
            "door_open": self.nerves.door_open,
            "bolt_locked": self.nerves.bolt_locked,
            "temperature_c": {probe: c for probe, (c, _) in self.nerves.temperatures_c.items()},
            "backlog": {"count": backlog, "oldest_wall_ms": oldest_ms},
            "cloud": dict(self.cloud()),
            "members": len(self.ledger.members()),
            "skus": len(self.ledger.catalog()),
            "clock": clock.quality(),
            "rss_mib": rss_mib(),
        }

    async def doctor(self, _: Arguments, __: str) -> Answer:
        return {
            "parts": [_part(part) for part in self.parts] + self._other_faults(),
            "counters": {group: dict(figures()) for group, figures in self.counters.items()},
        }

    def _other_faults(self) -> list[Answer]:
        """What stops the selling without being a part that fails now: a door that was forced, say."""
        failing = {part.name for part in self.parts if not part.ok}
        return [
            {
                "part": fault.part,
                "ok": False,
                "why": fault.why,
                "needed": True,
                "remedy": 'look at it, then: cabinet unlock --purpose service --reason "..."' if fault.latched else "",
                "since_s": 0.0,
            }
            for fault in faults(self.daemon.state)
            if fault.part not in failing
        ]

    async def visits_list(self, arguments: Arguments, _: str) -> Answer:
        limit = integer(arguments, "limit", 20, low=1, high=1000)
        outcome = arguments.get("outcome")
        records = self.ledger.visits(limit=1000 if outcome else limit)
        return {"visits": [_brief(r) for r in records if outcome is None or r.outcome == outcome][:limit]}

    async def visits_show(self, arguments: Arguments, _: str) -> Answer:
        record = self._record(arguments)
        tally = self.traces / record.visit / "tally.json"
        whole = {
            **_brief(record),
            "lines": [_line(line) for line in record.lines],
            "best_guess": [_line(line) for line in record.best_guess],
            "who": record.who,
            "reason": record.reason,
            "evidence_hash": record.evidence_hash,
            "price_version": record.price_version,
            "baseline_g": dict(record.baseline_g),
        }
        told = json.loads(tally.read_text()) if tally.is_file() else None
        kept = {"path": str(tally.parent), "kept": tally.parent.is_dir(), "hash": record.evidence_hash}
        admitted, changes = self.ledger.admission(record.visit), self.ledger.adjustments(record.visit)
        admission = (
            None if admitted is None else {**told_admission(admitted), "terms": dataclasses.asdict(record.terms)}
        )
        receipt = None if record.outcome is None else receipt_text(record, self.config.cabinet.id, changes)
        return {
            "visit": whole, "tally": told, "receipt": receipt, "board": self._weighed_by_board(record.visit),
            "evidence": kept, "admission": admission,
        }  # fmt: skip  # a table

    async def outbox(self, _: Arguments, __: str) -> Answer:
        count, oldest_ms = self.ledger.backlog()
        rows = [
            {"seq": row.seq, "visit": row.visit, "type": row.type, "wall_ms": row.wall_ms, "acked": False}
            for row in self.ledger.unacknowledged()
        ]
        return {"count": count, "oldest_wall_ms": oldest_ms, "head_seq": self.ledger.head()[0], "rows": rows}

    async def catalog_list(self, _: Arguments, __: str) -> Answer:
        references = self.enrolment.references()
        stock = self.ledger.stock()
        products = [
            {
                "sku": sku,
                **dataclasses.asdict(product),
                "references": references.get(sku, 0),
                "zones": {zone: counts[sku] for zone, counts in stock.items() if sku in counts},
            }
            for sku, product in self.ledger.catalog().items()
        ]
        return {
            "products": products,
            "price_version": self.ledger.price_version(),
            "currency": self.config.cabinet.currency,
        }

    async def stock_list(self, _: Arguments, __: str) -> Answer:
        return {"stock": stock_rows(self.ledger)}

    def _weighed_by_board(self, visit: VisitId) -> Answer | None:
        """What the board's own journal says of the visit, net grams a zone: also of one that this program missed."""
        rows = [row.entry for row in self.ledger.journal_of(visit)]
        if not rows:
            return None
        unlocked = next((dict(e.facts["masses_g"]) for e in rows if e.kind == "unlock granted"), {})
        closed = next((dict(e.facts["masses_g"]) for e in reversed(rows) if e.kind == "masses"), {})
        net = {
            zone: round(closed[zone] - g, 1)
            for zone, g in unlocked.items()
            if g is not None and closed.get(zone) is not None
        }
        told = [{"kind": e.kind, "boot": e.boot, "t_s": e.t_ms / 1000, "index": e.index} for e in rows]
        return {"unlock_g": unlocked, "close_g": closed, "net_g": net, "entries": told}

    def _record(self, arguments: Arguments) -> VisitRecord:
        record = self.ledger.visit(VisitId(text(arguments, "visit")))
        if record is None:
            raise RequestError("there is no such visit", "cabinet visits list shows the ids")
        return record


def stock_rows(ledger: Ledger) -> list[Answer]:
    catalog = ledger.catalog()
    return [
        {"zone": zone, "sku": sku, "name": catalog[sku].name if sku in catalog else "", "count": count}
        for zone, counts in sorted(ledger.stock().items())
        for sku, count in sorted(counts.items())
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _part(part: Part) -> Answer:
    since_s = round(clock.now_s() - part.since_s, 1)
    return {
        "part": part.name,
        "ok": part.ok,
        "why": part.why,
        "needed": part.needed,
        "remedy": part.remedy if not part.ok else "",
        "since_s": since_s,
    }


def _brief(record: VisitRecord) -> Answer:
    return {
        "visit": record.visit,
        "member": record.member,
        "purpose": record.purpose,
        "opened_wall_ms": record.opened.wall_ms,
        "closed_wall_ms": None if record.closed is None else record.closed.wall_ms,
        "outcome": record.outcome,
        "why": record.why,
        "total_minor": record.total_minor,
        "currency": record.currency,
        "confidence": record.confidence,
    }


def _line(line: Any) -> Answer:  # noqa: ANN401  a verdict's Line
    return {**dataclasses.asdict(line), "total": line.total}
