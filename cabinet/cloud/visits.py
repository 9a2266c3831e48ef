"""What an event says of its visit: the cloud's view of each visit, its one charge, and the bookkeeper's call.

Within the caller's transaction.  The two halves of a visit come in any order.  A charge is keyed by its visit: a second
one changes nothing, and where it says something else a person looks at the first.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from cabinet.cloud.books import Books
from cabinet.cloud.entries import Bookkeeper, Charge
from cabinet.cloud.forgetting import forget, unshare
from cabinet.cloud.roster import FleetRoster
from cabinet.wire import Payload, WireError, text_of, whole_of

Alarm = Callable[[str, str], None]  # kind, what

to_json: Final = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes an encoder a call

ADJUSTING: Final = frozenset({"visit.refunded", "visit.corrected", "visit.disputed"})

OPENED: Final = (
    "INSERT INTO visit (visit, cab, member, purpose, opened_ms, terms) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (visit) DO UPDATE SET member = coalesce(visit.member, excluded.member),"
    " purpose = coalesce(visit.purpose, excluded.purpose), opened_ms = coalesce(visit.opened_ms, excluded.opened_ms),"
    " terms = CASE WHEN visit.opened_ms IS NULL THEN excluded.terms ELSE visit.terms END"
    " WHERE visit.cab = excluded.cab RETURNING closed_ms"
)
CLOSED: Final = (
    "INSERT INTO visit (visit, cab, member, closed_ms, outcome, evidence_hash) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (visit) DO UPDATE SET"
    " member = CASE WHEN visit.closed_ms IS NULL THEN coalesce(excluded.member, visit.member) ELSE visit.member END,"
    " outcome = CASE WHEN visit.closed_ms IS NULL THEN excluded.outcome ELSE visit.outcome END,"
    " evidence_hash = CASE WHEN visit.closed_ms IS NULL THEN excluded.evidence_hash ELSE visit.evidence_hash END,"
    " closed_ms = coalesce(visit.closed_ms, excluded.closed_ms)"
    " WHERE visit.cab = excluded.cab"
)


class Visits:
    def __init__(self, books: Books, bookkeeper: Bookkeeper | None) -> None:
        self._books, self._bookkeeper = books, bookkeeper

    def told(self, cab: str, event: Payload, now_ms: int, alarm: Alarm) -> bool:
        """Take in what one newly stored event says; whether it brought a charge."""
        match event["type"]:
            case "visit.opened":
                self._opened(cab, event, now_ms, alarm)
            case "visit.closed":
                return self._closed(cab, event, now_ms, alarm)
            case "member.erased":
                self._erased(cab, event, now_ms, alarm)
            case "member.withdrew":
                self._withdrew(cab, event, now_ms, alarm)
            case kind if kind in ADJUSTING and self._bookkeeper is not None:
                self._bookkeeper.adjusted(cab, event, now_ms)
        return False

    def _erased(self, cab: str, event: Payload, now_ms: int, alarm: Alarm) -> None:
        """Wherever else the member is known: forgotten there too."""
        member = field_of(event["body"], "member")
        if member is None:
            return
        why = FleetRoster(self._books).erased(cab, member, now_ms) or forget(self._books, cab, member, event, now_ms)
        if why:
            alarm("roster", why)

    def _withdrew(self, cab: str, event: Payload, now_ms: int, alarm: Alarm) -> None:
        """The face is known at no other cabinet any more; everything else stays."""
        member = field_of(event["body"], "member")
        why = "" if member is None else unshare(self._books, cab, member, now_ms)
        if why:
            alarm("roster", why)

    def _opened(self, cab: str, event: Payload, now_ms: int, alarm: Alarm) -> None:
        visit, body = event["visit"], event["body"]
        if visit is None:
            alarm("malformed", f"store {event['store']} event {event['seq']}: an opening of no visit")
            return
        member, terms = field_of(body, "member"), body.get("terms")
        said = to_json(terms) if isinstance(terms, dict) else "{}"
        known = self._books.row(OPENED, visit, cab, member, field_of(body, "purpose"), now_ms, said)
        if known is None:
            alarm("foreign", f"visit {visit} belongs to another cabinet; {cab} says it was opened")
            return
        if member is not None and known["closed_ms"] is not None:  # the closing came first
            sql = "UPDATE charge SET member = ? WHERE visit = ? AND cab = ? AND member IS NULL"
            self._books.run(sql, member, visit, cab)
        if self._bookkeeper is not None:
            self._bookkeeper.opened(cab, event, now_ms)

    def _closed(self, cab: str, event: Payload, now_ms: int, alarm: Alarm) -> bool:
        visit, body = event["visit"], event["body"]
        if visit is None:
            alarm("malformed", f"store {event['store']} event {event['seq']}: a closing of no visit")
            return False
        outcome, evidence = field_of(body, "outcome"), field_of(body, "evidence_hash")
        ours = self._books.run(CLOSED, visit, cab, field_of(body, "member"), now_ms, outcome, evidence)
        charge = None
        if outcome == "charge":
            charge = self._charge(cab, event, now_ms, alarm)
        elif not ours:
            alarm("foreign", f"visit {visit} belongs to another cabinet; {cab} says it was closed")
        if self._bookkeeper is not None and (ours or charge is not None):
            self._bookkeeper.closed(cab, event, charge, now_ms)
            if charge is not None and charge.review:
                self._bookkeeper.alarmed(visit, charge.review, now_ms)
        return charge is not None

    def _charge(self, cab: str, event: Payload, now_ms: int, alarm: Alarm) -> Charge | None:
        """The charge if it is new."""
        body, visit = event["body"], event["visit"]
        try:
            total_minor, currency = whole_of(body, "total_minor"), text_of(body, "currency", 3)
        except WireError as error:  # kept as an event; a charge of nobody knows what cannot be made of it
            alarm("malformed", f"store {event['store']} event {event['seq']}: {error}")
            return None
        currency = currency if currency.isprintable() else "???"
        told = body.get("lines")
        lines = tuple(told) if isinstance(told, list) else ()
        member = field_of(body, "member")
        if member is None:
            known = self._books.row("SELECT member FROM visit WHERE visit = ? AND cab = ?", visit, cab)
            member = None if known is None else known["member"]
        review = _wrong_sum(visit, total_minor, lines, body)
        charge = Charge(visit, cab, member, total_minor, currency, lines, event["seq"], now_ms, review)
        if not self._insert(charge, event):
            self._again(charge, now_ms, alarm)
            return None
        if charge.review:
            alarm("sum", charge.review)
        return charge

    def _insert(self, charge: Charge, event: Payload) -> int:
        return self._books.run(
            "INSERT INTO charge (visit, cab, store, seq, h, member, total_minor, currency, lines, stored_ms, review)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            charge.visit, charge.cab, event["store"], charge.seq, event["h"], charge.member, charge.total_minor,
            charge.currency, to_json(charge.lines), charge.stored_ms, charge.review,
        )  # fmt: skip  # a table

    def _again(self, second: Charge, now_ms: int, alarm: Alarm) -> None:
        said = {"cab": second.cab, "total_minor": second.total_minor, "currency": second.currency}
        first = self._books.row("SELECT cab, total_minor, currency FROM charge WHERE visit = ?", second.visit)
        if first == said:
            return
        why = f"visit {second.visit}: charged {second.total_minor} {second.currency} by {second.cab} after {first}"
        self._books.run("UPDATE charge SET review = ? WHERE visit = ?", why, second.visit)
        alarm("amount", why)
        if self._bookkeeper is not None:
            self._bookkeeper.alarmed(second.visit, why, now_ms)


def field_of(body: Payload, key: str) -> str | None:
    """A short printable text of a body, else None: a body is free in form, and nothing in it may stop the ingest."""
    value = body.get(key)
    return value if isinstance(value, str) and len(value) <= 128 and value.isprintable() else None


def _wrong_sum(visit: str, total_minor: int, lines: tuple[Any, ...], body: Payload) -> str:
    """Lines that do not add up to the total send the charge to a person; omitted ones cannot be held against it."""
    if "lines_omitted" in body or not body.get("lines"):
        return ""
    try:
        summed = str(sum(line_total(line) for line in lines)) if lines else "no lines"
    except (WireError, AttributeError, TypeError) as error:
        summed = f"nothing known ({error})"
    if summed == str(total_minor):
        return ""
    return f"visit {visit}: charged {total_minor}, its lines add up to {summed}"


def line_total(line: dict[str, Any]) -> int:
    """Of one line of a closing event, in minor units.  Raises WireError for what is no such line."""
    there = {"deposit_minor": 0, "discount_minor": 0, **line}
    each = whole_of(there, "unit_price_minor") + whole_of(there, "deposit_minor")
    added = sum(whole_of(tax, "tax_minor") for tax in line.get("taxes", []) if tax.get("added") is True)
    return whole_of(line, "quantity") * each - whole_of(there, "discount_minor") + added
