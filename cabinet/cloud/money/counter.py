"""What ingest says, turned into money: the bookkeeper within ingest's own transaction.

Order-independent: a closing may come before its opening, a refund before its charge.  It refuses nothing by raising: an
event that makes no sense is kept as an event, and an alarm says so.
"""

import logging
from dataclasses import replace
from typing import Any, Final

from cabinet.cloud.books import Books
from cabinet.cloud.entries import Charge
from cabinet.cloud.money import accounts
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.values import Alarmed, Closed, Opened, Payment
from cabinet.wire import Payload, WireError, redact, text_of, whole_of

log = logging.getLogger(__name__)

KINDS: Final = {"visit.refunded": "refund", "visit.corrected": "correction"}


class Counter:
    """A cabinet.cloud.entries.Bookkeeper on the same books as the store."""

    def __init__(self, books: Books) -> None:
        self._books, self._register = books, Register(books)

    def opened(self, cab: str, event: Payload, now_ms: int) -> None:
        body, visit = event["body"], event["visit"]
        if not isinstance(visit, str) or body.get("purpose", "shop") != "shop":
            return
        member, known = _text(body, "member"), self._register.payment(visit)
        if known is None:
            self._register.start(Payment(visit, cab, member, ""), Opened(), now_ms)
            return
        if known.cab != cab:
            self._register.alarm(cab, "visit", f"visit {visit} is {known.cab}'s, opened again by {cab}", now_ms)
            return
        payment = replace(known, member=known.member or member)
        if member is not None and payment.member != member:
            why = f"a hold was asked for {payment.member}, the visit was opened for {member}"
            self._register.alarm(cab, "member", f"visit {visit}: {why}", now_ms)
            payment = known = self._register.move(payment, Alarmed(why), now_ms)
        self._register.move(payment, Opened(), now_ms, known=known)

    def closed(self, cab: str, event: Payload, charge: Charge | None, now_ms: int) -> None:
        body, visit = event["body"], event["visit"]
        outcome = body.get("outcome")
        if not isinstance(visit, str):
            return
        known = self._register.payment(visit)
        if (known is None and outcome == "serviced") or (known is not None and known.closed):
            return
        member = _text(body, "member") or (None if charge is None else charge.member)
        payment = known or Payment(visit, cab, member, "")
        currency = payment.currency or _text(body, "currency") or "" if charge is None else charge.currency
        payment = replace(payment, member=payment.member or member, currency=currency)
        doubt = charge is None and outcome in {"review", "charge"}
        charged = None if doubt else 0 if charge is None else charge.total_minor
        review = self._review(payment, cab, body, charge)
        if known is not None and known.currency not in {"", currency}:  # a person releases it and asks elsewhere
            review = review or f"held in {known.currency}, charged in {currency}"
        closed = Closed(charged, review)
        if known is None:
            payment = self._register.start(payment, closed, now_ms)
        else:
            payment = self._register.move(payment, closed, now_ms, known=known)
        if charge is not None:
            taxes = body.get("taxes")
            parts = accounts.parts_of(charge.total_minor, charge.lines, taxes if isinstance(taxes, list) else [])
            accounts.post_sale(self._books, payment, parts, now_ms)
        self._register.book_waiting(visit, now_ms, payment)

    def _review(self, payment: Payment, cab: str, body: Payload, charge: Charge | None) -> str:
        """Why a person has to look before anything is captured; "" for a clean closing."""
        if payment.cab != cab:
            return f"asked for by {payment.cab}, closed by {cab}"
        if charge is None:
            return _text(body, "why") or "in doubt" if body.get("outcome") in {"review", "charge"} else ""
        row = self._books.row("SELECT review FROM charge WHERE visit = ?", payment.visit)
        return "" if row is None else str(row["review"])

    def adjusted(self, cab: str, event: Payload, now_ms: int) -> None:
        try:
            if event["type"] == "visit.disputed":
                self._disputed(event, now_ms)
            elif event["type"] in KINDS:
                self._register.adjust(_adjustment(cab, event), now_ms)
        except WireError as error:
            self._register.alarm(cab, "malformed", f"{event['type']} {event['seq']}: {error}", now_ms)

    def alarmed(self, visit: str, why: str, now_ms: int) -> None:
        payment = self._register.payment(visit)
        if payment is not None:
            self._register.move(payment, Alarmed(why), now_ms)

    def _disputed(self, event: Payload, now_ms: int) -> None:
        body = event["body"]
        self._books.run(
            "INSERT INTO dispute (id, visit, reason, who, evidence_hash, evidence, opened_ms, due_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            text_of(body, "id", 64), text_of(event, "visit"), redact(text_of(body, "reason", 400)),
            redact(text_of(body, "who", 400)), _text(body, "evidence_hash") or "", _text(body, "evidence") or "",
            now_ms, whole_of(body, "due_ms"),
        )  # fmt: skip  # a table


def _adjustment(cab: str, event: Payload) -> dict[str, Any]:
    body = event["body"]
    return {
        "id": text_of(body, "id", 64),
        "visit": text_of(event, "visit"),
        "kind": KINDS[event["type"]],
        "back_minor": whole_of(body, "back_minor"),
        "reason": redact(text_of(body, "reason", 400)),
        "who": redact(text_of(body, "who", 400)),
        "source": "edge",
        "cab": cab,
    }


def _text(payload: Payload, key: str) -> str | None:
    value = payload.get(key)
    return value[:400] if isinstance(value, str) and value else None
