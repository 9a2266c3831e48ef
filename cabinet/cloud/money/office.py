"""What a person at the far end does about money: refund, settle, write off, answer a dispute, block, keep wallets.

Each is a new row with who and why; nothing is edited.  Refusals are RefusedHereError with the remedy in words.
"""

from typing import Any, Final

from ulid import ULID

from cabinet.cloud.books import Books
from cabinet.cloud.forgetting import is_forgotten
from cabinet.cloud.money import accounts
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.values import Again, Decided, Payment
from cabinet.units import Minor
from cabinet.wire import redact

MAX_BY_HAND: Final = 10_000_000  # minor units: a slip of the finger is not captured


class RefusedHereError(Exception):
    """The books do not allow what was asked; nothing was changed."""


class Office:
    def __init__(self, books: Books) -> None:
        self._books, self._register = books, Register(books)

    def refund(self, visit: str, back_minor: Minor, reason: str, who: str, now_ms: int) -> str:
        """Booked now, also while nothing is captured yet.  Returns the refund's id."""
        with self._books.writing(self._cab(visit)):
            return self._adjust(self._payment(visit), "refund", back_minor, reason, who, now_ms)

    def settle(self, visit: str, capture_minor: Minor, reason: str, who: str, now_ms: int) -> Payment:
        """What is captured of a visit in doubt; 0 releases it.  A debt is what cannot be captured from the hold."""
        with self._books.writing(self._cab(visit)):
            payment = self._payment(visit)
            if not payment.closed or not payment.review:
                raise RefusedHereError(f"the visit {visit} is {payment.state}: there is nothing to decide")
            most = MAX_BY_HAND if payment.charged_minor is None else payment.due_minor
            if not 0 <= capture_minor <= most:
                raise RefusedHereError(f"{capture_minor} is not within 0 and {most}")
            if payment.charged_minor is None and capture_minor and not payment.currency:
                raise RefusedHereError(f"the visit {visit} has no currency: its cabinet never asked for a hold")
            self._decide(visit, capture_minor, reason, who, now_ms)
            if payment.charged_minor is not None and capture_minor < payment.due_minor:
                back = payment.due_minor - capture_minor
                self._adjust(payment, "correction", back, reason, who, now_ms)
                payment = self._payment(visit)
            elif payment.charged_minor is None and capture_minor:
                accounts.post_sale(self._books, payment, {"revenue": capture_minor}, now_ms)
            self._register.move(payment, Decided(capture_minor), now_ms)
            self._register.book_waiting(visit, now_ms)
            return self._payment(visit)

    def again(self, visit: str, now_ms: int) -> Payment:
        """What hangs is put aside and the next step made now: for a person who has looked at the provider's books."""
        with self._books.writing(self._cab(visit)):
            return self._register.move(self._payment(visit), Again(), now_ms)

    def write_off(self, visit: str, reason: str, who: str, now_ms: int) -> Minor:
        """The rest of a debt is not asked for any more.  Returns how much that was."""
        with self._books.writing(self._cab(visit)):
            payment = self._payment(visit)
            if payment.state not in {"owed", "overdue"}:
                raise RefusedHereError(f"the visit {visit} is {payment.state}: only a debt is written off")
            rest = payment.rest_minor
            if payment.held_minor or payment.call is not None:
                raise RefusedHereError(f"the visit {visit} is being collected just now: ask again in a minute")
            self._adjust(payment, "writeoff", rest, reason, who, now_ms)
            return rest

    def answer(self, dispute: str, outcome: str, reason: str, who: str, now_ms: int) -> Minor:
        """`refund` gives back all that is left of the charge, `refuse` nothing.  Returns what is given back."""
        row = self._books.row("SELECT visit FROM dispute WHERE id = ?", dispute)
        if row is None:
            raise RefusedHereError(f"there is no dispute {dispute}: cabinet cloud disputes lists them")
        with self._books.writing(self._cab(row["visit"])):
            done = self._books.run(
                "UPDATE dispute SET answer = ?, answered_ms = ?, outcome = ? WHERE id = ? AND answered_ms IS NULL",
                redact(reason), now_ms, outcome, dispute,
            )  # fmt: skip  # a table
            if not done:
                raise RefusedHereError(f"the dispute {dispute} is answered already")
            back = self._payment(row["visit"]).due_minor if outcome == "refund" else 0
            if back:
                self._adjust(self._payment(row["visit"]), "refund", back, f"dispute {dispute}: {reason}", who, now_ms)
            return back

    def block(self, member: str, reason: str, now_ms: int) -> None:
        with self._books.writing("roster"):
            self._books.run(
                "INSERT INTO blocked (member, reason, since_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                member, redact(reason), now_ms,
            )  # fmt: skip  # a table

    def unblock(self, member: str) -> bool:
        """From the deny list; a debt blocks for as long as it is there."""
        with self._books.writing("roster"):
            return self._books.run("DELETE FROM blocked WHERE member = ?", member) > 0

    def set_wallet(self, member: str, customer: str, method: str, now_ms: int) -> None:
        for name, token in (("customer", customer), ("method", method)):
            if redact(token) != token or not token.isascii() or not token:
                raise RefusedHereError(f"--{name}: give the provider's token, never a card's number")
        if is_forgotten(self._books, member):
            raise RefusedHereError(f"member {member} has asked to be forgotten: they enrol anew, under another id")
        with self._books.writing():
            self._books.run(
                "INSERT INTO wallet (member, customer, method, set_ms) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (member) DO UPDATE SET customer = excluded.customer, method = excluded.method,"
                " set_ms = excluded.set_ms",
                member, customer, method, now_ms,
            )  # fmt: skip  # a table

    def _adjust(self, payment: Payment, kind: str, back_minor: Minor, reason: str, who: str, now_ms: int) -> str:
        if not 0 < back_minor <= payment.due_minor:
            raise RefusedHereError(
                f"{back_minor} is not within the {payment.due_minor} {payment.currency} left of the charge of"
                f" visit {payment.visit} ({payment.state})"
            )
        name = str(ULID())
        said = {
            "id": name, "visit": payment.visit, "kind": kind, "back_minor": back_minor, "reason": redact(reason),
            "who": redact(who), "source": "cloud", "cab": "",
        }  # fmt: skip  # a table
        self._register.adjust(said, now_ms)
        return name

    def _decide(self, visit: str, capture_minor: Minor, reason: str, who: str, now_ms: int) -> None:
        self._books.run(
            "INSERT INTO decision (visit, capture_minor, reason, who, at_ms) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (visit) DO UPDATE SET capture_minor = excluded.capture_minor, reason = excluded.reason,"
            " who = excluded.who, at_ms = excluded.at_ms",  # a second alarm asks for a second decision
            visit, capture_minor, redact(reason), redact(who), now_ms,
        )  # fmt: skip  # a table

    def _cab(self, visit: str) -> str:
        return self._payment(visit).cab

    def _payment(self, visit: str) -> Payment:
        payment = self._register.payment(visit)
        if payment is None:
            raise RefusedHereError(f"no payment of a visit {visit} is known here")
        return payment


def story(books: Books, visit: str) -> dict[str, Any] | None:
    """Everything the books say of the money of one visit; None where they say nothing."""
    payment = books.row("SELECT * FROM payment WHERE visit = ?", visit)
    charge = books.row("SELECT visit, cab, member, total_minor, currency, review FROM charge WHERE visit = ?", visit)
    if payment is None and charge is None:
        return None
    if payment is not None:
        payment = {name: value for name, value in payment.items() if name not in {"facts", "claim", "claim_until_ms"}}
    return {
        "visit": visit,
        "charge": charge,
        "payment": payment,
        "decision": books.row("SELECT capture_minor, reason, who, at_ms FROM decision WHERE visit = ?", visit),
        "attempts": books.rows(
            "SELECT op, key, amount_minor, phase, said, at_ms FROM attempt WHERE visit = ? ORDER BY n", visit
        ),
        "postings": books.rows(
            "SELECT txn, kind, account, amount_minor, currency, at_ms FROM posting WHERE visit = ? ORDER BY n", visit
        ),
        "adjustments": books.rows(
            "SELECT id, kind, back_minor, reason, who, source, state, at_ms FROM adjustment WHERE visit = ?"
            " ORDER BY at_ms, id",
            visit,
        ),
        "disputes": books.rows("SELECT * FROM dispute WHERE visit = ? ORDER BY opened_ms", visit),
    }


def disputes(books: Books, due_ms: int | None = None) -> list[dict[str, Any]]:
    """The one that must be answered first comes first; with `due_ms` only those that must be answered by then."""
    rows = books.rows("SELECT * FROM dispute ORDER BY answered_ms IS NOT NULL, due_ms, id")
    return [row for row in rows if due_ms is None or (row["answered_ms"] is None and row["due_ms"] <= due_ms)]
