"""What a technician may ask of the running daemon, and how it is answered.  The socket is `control`'s business."""

import asyncio
import base64
import binascii
import dataclasses
import io
import json
import resource
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cabinet
from cabinet import clock, trace
from cabinet.basket.evidence import Happening, Product, Sighting
from cabinet.caretaker import Caretaker
from cabinet.config import Config
from cabinet.control import Answer, Arguments, RequestError
from cabinet.daemon import Daemon, Happened
from cabinet.enrolment import Enrolment
from cabinet.ledger import Consent, EntryRefusedError, Ledger, VisitRecord
from cabinet.parts import Part, Parts
from cabinet.receipt import Receipt, as_text
from cabinet.senses import Nerves
from cabinet.session.events import ServiceRequested
from cabinet.session.states import faults, open_visit
from cabinet.units import MemberId, Sku, VisitId, ZoneId

MAX_PHOTOS = 20
MAX_WATCH_BACKLOG = 1000  # lines a slow watcher may be behind before it loses some
SERVICE_ANSWER_S = 2.0


@dataclass
class Office:
    config: Config
    ledger: Ledger
    daemon: Daemon
    parts: Parts
    nerves: Nerves
    caretaker: Caretaker
    enrolment: Enrolment
    traces: Path
    screen: Callable[[], str]
    cloud: Callable[[], Mapping[str, Any]]
    counters: Mapping[str, Callable[[], Mapping[str, float]]]
    changed: Callable[[], None]  # the catalogue, stock or members changed
    started_s: float = field(default_factory=clock.now_s)
    _watchers: set[asyncio.Queue[Answer]] = field(default_factory=set)

    def streams(self) -> dict[str, Callable[[], AsyncIterator[Answer]]]:
        return {"watch": self.watch}

    def operations(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "doctor": self.doctor,
            "visits.list": self.visits_list,
            "visits.show": self.visits_show,
            "visits.export": self.visits_export,
            "visits.picture": self.visits_picture,
            "outbox": self.outbox,
            "members.add": self.members_add,
            "members.list": self.members_list,
            "members.erase": self.members_erase,
            "catalog.add": self.catalog_add,
            "catalog.list": self.catalog_list,
            "stock.set": self.stock_set,
            "stock.list": self.stock_list,
            "unlock": self.unlock,
        }

    # Looking.

    async def status(self, _: Arguments, __: str) -> Answer:
        state = self.daemon.state
        backlog, oldest_ms = self.ledger.backlog()
        return {
            "cabinet": self.config.cabinet.id,
            "version": cabinet.__version__,
            "state": _state_name(state),
            "screen": self.screen(),
            "faults": [dataclasses.asdict(fault) for fault in faults(state)],
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
            "parts": [_part(part) for part in self.parts],
            "counters": {group: dict(figures()) for group, figures in self.counters.items()},
        }

    async def visits_list(self, arguments: Arguments, _: str) -> Answer:
        limit = _integer(arguments, "limit", 20, low=1, high=1000)
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
        receipt = None if record.outcome is None else as_text(self._receipt(record))
        return {"visit": whole, "tally": told, "receipt": receipt}

    async def visits_export(self, arguments: Arguments, _: str) -> Answer:
        folder = self._trace(self._record(arguments).visit)
        content = await asyncio.to_thread(_tar, folder)
        return {"name": f"{folder.name}.tar", "tar_b64": base64.b64encode(content).decode()}

    async def visits_picture(self, arguments: Arguments, _: str) -> Answer:
        folder = self._trace(self._record(arguments).visit)
        return {"png_b64": base64.b64encode(await asyncio.to_thread(_picture, folder)).decode()}

    async def outbox(self, _: Arguments, __: str) -> Answer:
        count, oldest_ms = self.ledger.backlog()
        rows = [
            {"seq": row.seq, "visit": row.visit, "type": row.type, "wall_ms": row.wall_ms, "acked": False}
            for row in self.ledger.unacknowledged()
        ]
        return {"count": count, "oldest_wall_ms": oldest_ms, "head_seq": self.ledger.head()[0], "rows": rows}

    async def members_list(self, _: Arguments, __: str) -> Answer:
        return {
            "members": [
                {
                    "member": member.member,
                    "name": member.name,
                    "templates": member.templates,
                    "tokens": member.tokens,
                    "consent_version": member.consent.version,
                    "consent_wall_ms": member.consent.at_ms,
                    "erased": False,
                }
                for member in self.ledger.members()
            ]
        }

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
        catalog = self.ledger.catalog()
        rows = [
            {"zone": zone, "sku": sku, "name": catalog[sku].name if sku in catalog else "", "count": count}
            for zone, counts in sorted(self.ledger.stock().items())
            for sku, count in sorted(counts.items())
        ]
        return {"stock": rows}

    # Changing.

    async def members_add(self, arguments: Arguments, _: str) -> Answer:
        photos = _photos(arguments)
        templates = await self.enrolment.faces(photos)  # refused before anything is written
        consent = Consent(_text(arguments, "consent", "1"), clock.stamp().wall_ms, _text(arguments, "language", "en"))
        with _refusals():
            member = self.ledger.add_member(_text(arguments, "name"), consent)
            for template in templates:
                self.ledger.add_template(member, template, self.enrolment.face_model)
            token = self.ledger.add_token(member) if arguments.get("code") else None
        self.changed()
        qr = None if token is None else base64.b64encode(_qr(token)).decode()
        return {"member": member, "templates": len(templates), "token": token, "qr_png_b64": qr}

    async def members_erase(self, arguments: Arguments, _: str) -> Answer:
        member = self.ledger.member(MemberId(_text(arguments, "member")))
        if member is None:
            raise RequestError("there is no such member", "cabinet members list shows the ids")
        self.ledger.erase(member.member, clock.stamp())
        self.changed()
        return {"member": member.member, "templates": member.templates, "tokens": member.tokens}

    async def catalog_add(self, arguments: Arguments, _: str) -> Answer:
        sku = Sku(_text(arguments, "sku"))
        zone = arguments.get("zone")
        if zone is not None:
            self._zone(zone)
        photos = _photos(arguments)
        mean = await self.enrolment.references_of(photos) if photos else None
        with _refusals():
            version = self.ledger.put_product(sku, _product(arguments))
            if mean is not None:
                self.ledger.put_gallery(sku, mean, len(photos), self.enrolment.item_model)
            if zone is not None:
                self.ledger.set_stock(ZoneId(zone), sku, _integer(arguments, "count", 0, low=0, high=10_000))
        warnings = [] if photos else ["no photographs: mass alone has to tell it apart"]
        warnings += _equal_masses(self.ledger.catalog(), sku)
        self.changed()
        return {"sku": sku, "price_version": version, "references": len(photos), "warnings": warnings}

    async def stock_set(self, arguments: Arguments, _: str) -> Answer:
        zone = self._zone(_text(arguments, "zone"))
        with _refusals():
            self.ledger.set_stock(zone, Sku(_text(arguments, "sku")), _integer(arguments, "count", low=0, high=10_000))
        self.changed()
        return await self.stock_list({}, "")

    async def unlock(self, arguments: Arguments, who: str) -> Answer:
        """Not for shopping: a service visit, recorded with the technician's name and reason."""
        purpose, reason = _text(arguments, "purpose", "service"), _text(arguments, "reason")
        if purpose not in {"restock", "service"}:
            raise RequestError(f"purpose {purpose!r} is unknown", "restock or service")
        visit = clock.new_visit()
        step = await self.daemon.ask(ServiceRequested(clock.now_s(), visit, who, purpose, reason))  # type: ignore[arg-type]  # checked above
        if open_visit(step.after) != visit:
            raise RequestError(f"the cabinet is {_state_name(step.after)}", "wait until the visit has ended")
        trouble = self.parts.why("lock")
        if trouble is not None:
            raise RequestError(trouble, "cabinet doctor names the part")
        return {"visit": visit}

    # Watching.

    async def watch(self) -> AsyncIterator[Answer]:
        queue: asyncio.Queue[Answer] = asyncio.Queue(MAX_WATCH_BACKLOG)
        self._watchers.add(queue)
        try:
            yield {"type": "hello", "state": _state_name(self.daemon.state), "screen": self.screen()}
            while True:
                yield await queue.get()
        finally:
            self._watchers.discard(queue)

    def tell(self, line: Answer) -> None:
        for queue in self._watchers:
            if not queue.full():
                queue.put_nowait(line)

    def happened(self, step: Happened) -> None:
        if step.before == step.after and not step.effects:
            return
        names = [type(effect).__name__ for effect in step.effects]
        self.tell(
            {
                "type": "step",
                "at_s": round(step.at_s, 3),
                "event": type(step.event).__name__,
                "before": _state_name(step.before),
                "after": _state_name(step.after),
                "visit": open_visit(step.after) or open_visit(step.before),
                "effects": names,
            }
        )

    def sensed(self, event: Happening) -> None:
        if isinstance(event, Sighting):
            self.tell({"type": "sighting", **{k: v for k, v in trace.event_to_dict(event).items() if k != "type"}})

    def part_changed(self, part: Part) -> None:
        self.tell({"type": "part", "part": part.name, "ok": part.ok, "why": part.why})

    # Help.

    def _record(self, arguments: Arguments) -> VisitRecord:
        record = self.ledger.visit(VisitId(_text(arguments, "visit")))
        if record is None:
            raise RequestError("there is no such visit", "cabinet visits list shows the ids")
        return record

    def _receipt(self, record: VisitRecord) -> Receipt:
        cabinet_facts = self.config.cabinet
        outcome = record.outcome if record.outcome in {"charge", "review"} else "nothing"
        return Receipt(
            record.visit,
            cabinet_facts.id,
            clock.wall_text(record.opened.wall_ms),
            record.currency or cabinet_facts.currency,
            outcome,
            record.lines,
        )

    def _trace(self, visit: VisitId) -> Path:
        folder = self.traces / visit
        if not folder.is_dir():
            raise RequestError("the recording of this visit is no longer kept", "storage.traces_days bounds it")
        return folder

    def _zone(self, zone: str) -> ZoneId:
        known = [z.id for z in self.config.zones]
        if zone not in known:
            raise RequestError(f"there is no zone {zone!r}", f"zones here: {', '.join(known)}")
        return ZoneId(zone)


class _refusals:  # noqa: N801  reads as a sentence after `with`
    """What the ledger refuses, told to whoever asked."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace_: object) -> None:
        if isinstance(error, EntryRefusedError):
            raise RequestError(str(error), "correct it and try again") from error


def rss_mib() -> float:
    """Resident memory of this process, now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * resource.getpagesize() / (1 << 20), 1)
    except (OSError, ValueError, IndexError):
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _state_name(state: object) -> str:
    return type(state).__name__


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


def _tar(folder: Path) -> bytes:
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "trace.tar"
        trace.export(folder, path)
        return path.read_bytes()


def _picture(folder: Path) -> bytes:
    from cabinet.picture import draw_visit  # noqa: PLC0415  matplotlib takes a second and 60 MB

    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "visit.png"
        draw_visit(folder, path)
        return path.read_bytes()


def _qr(text: str) -> bytes:
    import segno  # noqa: PLC0415  only when a code is issued

    buffer = io.BytesIO()
    segno.make_qr(text, error="m").save(buffer, kind="png", scale=8)
    return buffer.getvalue()


def _text(arguments: Arguments, key: str, default: str | None = None) -> str:
    value = arguments.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise RequestError(f"{key} is missing or empty", f"give {key} as text")
    return value


def _integer(arguments: Arguments, key: str, default: int | None = None, *, low: int, high: int) -> int:
    value = arguments.get(key, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(f"{key} is {value!r}", f"give a whole number from {low} to {high}")
    return value


def _number(arguments: Arguments, key: str) -> float | None:
    value = arguments.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RequestError(f"{key} is {value!r}", "give a number of grams")
    return float(value)


def _product(arguments: Arguments) -> Product:
    mass_g = _number(arguments, "mass_g")
    if mass_g is None:
        raise RequestError("mass_g is missing", "weigh one unit and give its grams")
    return Product(
        name=_text(arguments, "name"),
        mass_g=mass_g,
        unit_price=_integer(arguments, "unit_price", low=0, high=100_000_000),
        mass_sd_g=_number(arguments, "mass_sd_g"),
        tax=_text(arguments, "tax", "standard"),
        min_age=_integer(arguments, "min_age", 0, low=0, high=120),
    )


def _photos(arguments: Arguments) -> list[bytes]:
    given = arguments.get("photos") or []
    if not isinstance(given, list) or len(given) > MAX_PHOTOS:
        raise RequestError("too many photographs", f"give at most {MAX_PHOTOS}")
    try:
        return [base64.b64decode(photo, validate=True) for photo in given]
    except (binascii.Error, TypeError, ValueError) as error:
        raise RequestError("a photograph is not base64", "send the file's bytes as base64") from error


def _equal_masses(catalog: Mapping[Sku, Product], sku: Sku) -> list[str]:
    mine = catalog[sku]
    return [
        f"{other} {product.name!r} weighs within 5 g of it: sight has to tell them apart"
        for other, product in catalog.items()
        if other != sku and abs(product.mass_g - mine.mass_g) < 5.0
    ]
