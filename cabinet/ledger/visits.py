"""Visits: opened before the lock moves, closed exactly once, never deleted, never changed after closing.

Each opening, closing and incident is a row here and an event in the outbox, in one transaction.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from cabinet.basket.pricing import tax_table
from cabinet.basket.verdict import Line, Tax
from cabinet.identity.credit import NO_TERMS, Terms
from cabinet.ledger.entries import ClosedVisit, Incident, Moves, OpenedVisit, Stamp, VisitRecord
from cabinet.ledger.errors import EntryRefusedError
from cabinet.ledger.goods import GoodsRoom
from cabinet.ledger.outbox import OutboxRoom
from cabinet.ledger.room import from_json, to_json
from cabinet.units import MemberId, Sku, VisitId
from cabinet.wire import redact


class VisitRoom(OutboxRoom, GoodsRoom):
    def visits(self, limit: int = 50, *, before: VisitId | None = None) -> list[VisitRecord]:
        """The newest first; with `before` those opened before that one."""
        if before is None:
            return self._records("1 ORDER BY n DESC LIMIT ?", limit)
        return self._records("n < (SELECT n FROM visit WHERE visit = ?) ORDER BY n DESC LIMIT ?", before, limit)

    def visit(self, visit: VisitId) -> VisitRecord | None:
        found = self._records("visit = ?", visit)
        return found[0] if found else None

    def open_visits(self) -> list[VisitRecord]:
        """Opened and not closed, the oldest first."""
        return self._records("outcome IS NULL ORDER BY n")

    def _records(self, where: str, *values: object) -> list[VisitRecord]:
        rows = self._file.rows(f"SELECT * FROM visit WHERE {where}", *values)  # noqa: S608  # our own text
        return [record_of(row) for row in rows]

    def _open(self, entry: OpenedVisit, clock: Stamp) -> None:
        baseline_mg, terms = _milligrams(entry.baseline_g), asdict(entry.terms)
        self._file.db.execute(
            "INSERT INTO visit (visit, member, purpose, who, reason, price_version, baseline_mg, trace, opened_mono_ms,"
            " opened_wall_ms, opened_quality, terms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                entry.visit, entry.member, entry.purpose, entry.who, entry.reason, entry.price_version,
                to_json(baseline_mg), entry.trace, clock.mono_ms, clock.wall_ms, clock.quality, to_json(terms),
            ],
        )  # fmt: skip  # a table; written out, because somebody waits at the door
        bare = {
            "member": entry.member,
            "purpose": entry.purpose,
            "who": redact(entry.who),
            "reason": redact(entry.reason),
            "price_version": entry.price_version,
            "terms": terms,
        }
        self._append("visit.opened", entry.visit, [{**bare, "baseline_mg": baseline_mg}, bare], clock)

    def _close(self, entry: ClosedVisit, clock: Stamp) -> None:
        check_closing(entry)
        updated = self._file.db.execute(
            "UPDATE visit SET outcome = ?, why = ?, lines = ?, best_guess = ?, total_minor = ?, currency = ?,"
            " confidence = ?, evidence_hash = ?, closed_mono_ms = ?, closed_wall_ms = ?, closed_quality = ?"
            " WHERE visit = ? AND outcome IS NULL",
            [
                entry.outcome, entry.why, lines_json(entry.lines), lines_json(entry.best_guess), entry.total_minor,
                entry.currency, entry.confidence, entry.evidence_hash, clock.mono_ms, clock.wall_ms, clock.quality,
                entry.visit,
            ],
        ).rowcount  # fmt: skip  # a table
        if updated != 1:
            known = self.visit(entry.visit)
            was = "was never opened" if known is None else f"is closed already ({known.outcome})"
            raise EntryRefusedError(f"the visit {entry.visit} {was}; a second closing ({entry.outcome}) is refused")
        self._move_stock(entry.moves)
        self._append("visit.closed", entry.visit, _closing_bodies(entry, self._member_of(entry.visit)), clock)

    def _member_of(self, visit: VisitId) -> MemberId | None:
        row = self._file.row("SELECT member FROM visit WHERE visit = ?", visit)
        return None if row is None else row["member"]

    def _note_incident(self, entry: Incident, clock: Stamp) -> None:
        body = {"why": redact(entry.why), "at": redact(entry.at)}
        self._append("incident", entry.visit, [body], clock)


def check_closing(entry: ClosedVisit) -> None:
    """Raises EntryRefusedError where the entry says two things at once."""
    charged = sum(line.total for line in entry.lines)
    if entry.outcome == "charge":
        if not entry.lines or not entry.currency:
            raise EntryRefusedError(f"the charge of visit {entry.visit} has no lines or no currency")
        if entry.total_minor != charged:
            raise EntryRefusedError(
                f"the charge of visit {entry.visit} says {entry.total_minor}, its lines add up to {charged}"
            )
    elif entry.lines or entry.total_minor:
        raise EntryRefusedError(
            f"visit {entry.visit} closes as {entry.outcome} yet has lines or a total: only a charge has them"
        )
    elif any(_left(entry.moves).values()) or (entry.moves and entry.outcome != "nothing"):
        raise EntryRefusedError(
            f"visit {entry.visit} closes as {entry.outcome} yet goods left by its moves: only a charge may say that"
        )
    for line in (*entry.lines, *entry.best_guess):
        goods = line.quantity * line.unit_price
        if line.quantity < 1 or line.unit_price < 0 or line.deposit < 0 or not 0 <= line.discount <= goods:
            raise EntryRefusedError(
                f"visit {entry.visit}: {line.quantity} of {line.sku} at {line.unit_price},"
                f" deposit {line.deposit}, {line.discount} off"
            )
        if any(share.net < 0 or share.tax < 0 for share in line.taxes):
            raise EntryRefusedError(f"visit {entry.visit}: the taxes of {line.sku} are negative")


def _left(moves: Moves) -> Counter[Sku]:
    """Net units that left the cabinet: what moved to another shelf has not."""
    net: Counter[Sku] = Counter()
    for counts in moves.values():
        for sku, n in counts.items():
            net[sku] += n
    return net


def _closing_bodies(entry: ClosedVisit, member: MemberId | None) -> list[dict[str, Any]]:
    """The event's body with fewer and fewer details, for the visit that emptied the shelf; the total always stays."""
    bare: dict[str, Any] = {
        "outcome": entry.outcome,
        "member": member,
        "why": redact(entry.why),
        "total_minor": entry.total_minor,
        "currency": entry.currency,
        "confidence_ppm": None if entry.confidence is None else round(entry.confidence * 1_000_000),
        "evidence_hash": entry.evidence_hash,
        **({"taxes": taxes} if (taxes := _taxes(tax_table(entry.lines))) else {}),
    }
    charged, guessed = line_rows(entry.lines), line_rows(entry.best_guess)
    return [
        {**bare, "lines": charged, "best_guess": guessed},
        {**bare, "lines": nameless(charged), "best_guess": nameless(guessed)},
        {**bare, "lines": nameless(charged), "best_guess": []},
        {**bare, "lines": [], "best_guess": [], "lines_omitted": len(charged)},
    ]


def line_rows(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price_minor": line.unit_price,
            "tax": line.tax,
            **({"deposit_minor": line.deposit} if line.deposit else {}),
            **({"discount_minor": line.discount} if line.discount else {}),
            **({"reason": line.reason} if line.reason else {}),
            **({"taxes": _taxes(line.taxes)} if line.taxes else {}),
        }
        for line in lines
    ]


def _taxes(taxes: Iterable[Tax]) -> list[dict[str, Any]]:
    return [
        {"tax": tax.name, "rate_ppm": tax.rate_ppm, "net_minor": tax.net, "tax_minor": tax.tax, "added": tax.added}
        for tax in taxes
    ]


def nameless(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what only people read."""
    return [{key: value for key, value in line.items() if key not in {"name", "reason"}} for line in lines]


def lines_json(lines: Iterable[Line]) -> str:
    return to_json(line_rows(lines))


def lines_from(text: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            line["sku"],
            line["name"],
            line["quantity"],
            line["unit_price_minor"],
            line["tax"],
            line.get("deposit_minor", 0),
            line.get("discount_minor", 0),
            line.get("reason", ""),
            tuple(_tax_from(tax) for tax in line.get("taxes", [])),
        )
        for line in from_json(text)
    )


def _tax_from(row: Mapping[str, Any]) -> Tax:
    return Tax(row["tax"], row["rate_ppm"], row["net_minor"], row["tax_minor"], added=row["added"])


def _milligrams(masses_g: Mapping[Any, float]) -> dict[str, int]:
    """A dead cell's NaN is left out: there is no such mass."""
    return {str(zone): round(mass_g * 1000) for zone, mass_g in masses_g.items() if math.isfinite(mass_g)}


def record_of(row: dict[str, Any]) -> VisitRecord:
    closed = None
    if row["outcome"] is not None:
        closed = Stamp(row["closed_mono_ms"], row["closed_wall_ms"], row["closed_quality"])
    return VisitRecord(
        visit=row["visit"],
        member=row["member"],
        purpose=row["purpose"],
        who=row["who"],
        reason=row["reason"],
        price_version=row["price_version"],
        baseline_g={zone: mg / 1000 for zone, mg in from_json(row["baseline_mg"]).items()},
        trace=row["trace"],
        opened=Stamp(row["opened_mono_ms"], row["opened_wall_ms"], row["opened_quality"]),
        closed=closed,
        outcome=row["outcome"],
        why=row["why"],
        lines=lines_from(row["lines"]),
        best_guess=lines_from(row["best_guess"]),
        total_minor=row["total_minor"],
        currency=row["currency"],
        confidence=row["confidence"],
        evidence_hash=row["evidence_hash"],
        terms=Terms(**terms) if (terms := from_json(row["terms"])) else NO_TERMS,  # older visits have none
    )
