"""Payments in the books: read, moved by the pure machine, and written back with what the ledger has to say.

All of it within the caller's transaction.  Adjustments, too: at most what was charged, edge and cloud together.
"""

import json
import logging
from dataclasses import asdict, fields, replace
from typing import Any, Final

from cabinet.cloud.books import Books
from cabinet.cloud.money import accounts
from cabinet.cloud.money.payments import step, wake_ms
from cabinet.cloud.money.values import Adjusted, Call, Event, Payment, Taken
from cabinet.units import Minor

log = logging.getLogger(__name__)

COLUMNS: Final = (
    "visit", "cab", "member", "currency", "hold_minor", "held_minor", "charged_minor", "back_minor", "intent",
    "tries", "why",
)  # fmt: skip  # a list
FACTS: Final = tuple(field.name for field in fields(Payment) if field.name not in COLUMNS)
DERIVED: Final = ("state", "due_minor", "captured_minor", "returned_minor")


class Register:
    def __init__(self, books: Books) -> None:
        self.books = books

    def payment(self, visit: str) -> Payment | None:
        row = self.books.row("SELECT * FROM payment WHERE visit = ?", visit)
        return None if row is None else _payment(row)

    def make(self, payment: Payment, now_ms: int) -> None:
        columns = (*COLUMNS, *DERIVED, "facts", "next_ms", "updated_ms")
        values = [getattr(payment, name) for name in (*COLUMNS, *DERIVED)]
        self.books.run(
            f"INSERT INTO payment ({', '.join(columns)}) VALUES (?{', ?' * (len(columns) - 1)})",  # noqa: S608  # ours
            *values, _facts(payment), wake_ms(payment, now_ms), now_ms,
        )  # fmt: skip  # what goes where

    def start(self, payment: Payment, event: Event, now_ms: int) -> Payment:
        """A payment that is not in the books yet, after its first event."""
        after, _ = step(payment, event, now_ms)
        self.make(after, now_ms)
        return after

    def move(self, payment: Payment, event: Event, now_ms: int, *, known: Payment | None = None) -> Payment:
        """The payment after the event: written, and its entries posted.  `known`: as the books have it, if not so."""
        after, entries = step(payment, event, now_ms)
        for entry in entries:
            accounts.post_entry(self.books, after, entry, now_ms)
        if after != (known or payment):
            self.save(after, now_ms)
            if after.state != payment.state:
                log.info("payment_%s visit=%s why=%r", after.state.replace(" ", "_"), after.visit, after.why)
            self._paid(after)
        return after

    def save(self, payment: Payment, now_ms: int) -> None:
        names = (*COLUMNS[1:], *DERIVED, "facts", "next_ms", "updated_ms")
        self.books.run(
            f"UPDATE payment SET {' = ?, '.join(names)} = ? WHERE visit = ?",  # noqa: S608  # our own text
            *(getattr(payment, name) for name in (*COLUMNS[1:], *DERIVED)), _facts(payment),
            wake_ms(payment, now_ms), now_ms, payment.visit,
        )  # fmt: skip  # what goes where

    def alarm(self, cab: str, kind: str, what: str, now_ms: int) -> None:
        """The same alarm is kept once."""
        self.books.run(
            "INSERT INTO alarm (cab, kind, what, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            cab, kind, what[:400], now_ms,
        )  # fmt: skip  # a table

    def adjust(self, adjustment: dict[str, Any], now_ms: int) -> str:
        """Store and book it, or let it wait for the charge; returns its state, "known" for one that stands already."""
        names = ("id", "visit", "kind", "back_minor", "reason", "who", "source", "cab")
        added = self.books.run(
            f"INSERT INTO adjustment ({', '.join(names)}, state, at_ms)"  # noqa: S608  # our own text
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?) ON CONFLICT DO NOTHING",
            *(adjustment[name] for name in names), now_ms,
        )  # fmt: skip  # a table
        if not added:
            self._check_same(adjustment, now_ms)
            return "known"
        self.book_waiting(adjustment["visit"], now_ms)
        row = self.books.row("SELECT state FROM adjustment WHERE id = ?", adjustment["id"])
        return "waiting" if row is None else str(row["state"])

    def _check_same(self, adjustment: dict[str, Any], now_ms: int) -> None:
        known = self.books.row("SELECT visit, kind, back_minor FROM adjustment WHERE id = ?", adjustment["id"])
        if known != {name: adjustment[name] for name in ("visit", "kind", "back_minor")}:
            what = f"{adjustment['kind']} {adjustment['id']} of {adjustment['back_minor']}, stored before as {known}"
            self.alarm(adjustment["cab"], "refund", what, now_ms)

    def book_waiting(self, visit: str, now_ms: int, payment: Payment | None = None) -> None:
        """What was said of the visit before its charge was here, in the order of arrival."""
        payment = payment or self.payment(visit)
        if payment is None or not payment.closed or (payment.charged_minor is None and payment.review):
            return
        for row in self.books.rows(
            "SELECT * FROM adjustment WHERE visit = ? AND state = 'waiting' ORDER BY at_ms, id", visit
        ):
            payment = self._book(payment, row, now_ms)

    def _book(self, payment: Payment, row: dict[str, Any], now_ms: int) -> Payment:
        back: Minor = row["back_minor"]
        foreign = row["source"] == "edge" and row["cab"] != payment.cab
        if foreign or back > payment.due_minor:
            what = f"{row['kind']} {row['id']} of {back} for visit {payment.visit}"
            why = f"it is {payment.cab}'s" if foreign else f"{payment.due_minor} is left of the charge"
            self.alarm(row["cab"] or payment.cab, "refund", f"{what} refused: {why}", now_ms)
            self.books.run("UPDATE adjustment SET state = 'refused' WHERE id = ?", row["id"])
            return payment
        self.books.run("UPDATE adjustment SET state = 'booked' WHERE id = ?", row["id"])
        forgiven = row["kind"] == "writeoff"
        said = accounts.post_writeoff if forgiven else accounts.post_back
        said(self.books, payment, row["id"], back, now_ms)
        return self.move(payment, Adjusted(back, forgiven=forgiven), now_ms)

    def _paid(self, payment: Payment) -> None:
        """Where nothing is to be given back any more, what was booked is done."""
        if payment.back_minor and payment.rest_minor >= 0 and payment.call is None:
            sql = "UPDATE adjustment SET state = 'paid' WHERE visit = ? AND state = 'booked'"
            self.books.run(sql, payment.visit)


def _facts(payment: Payment) -> str:
    """Written out rather than asdict of it all: ingest waits for this at every closing."""
    bare = {name: getattr(payment, name) for name in FACTS}
    bare["call"] = None if payment.call is None else asdict(payment.call)
    bare["taken"] = [asdict(part) for part in payment.taken]
    return json.dumps(bare)


def _payment(row: dict[str, Any]) -> Payment:
    facts = json.loads(row["facts"])
    call = None if facts["call"] is None else Call(**facts.pop("call"))
    taken = tuple(Taken(**part) for part in facts.pop("taken"))
    facts.pop("call", None)
    bare = Payment(**{name: row[name] for name in COLUMNS}, **facts)
    return replace(bare, call=call, taken=taken)
