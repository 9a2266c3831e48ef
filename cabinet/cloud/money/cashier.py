"""Whoever asks the provider: claims a payment with a lease, writes down what it will ask, asks, writes the answer down.

Several may work side by side on the same books, in other processes too.  No transaction is open while the provider is
asked.  A call found written down without an answer is looked up before anything is posted again, so that a kill at any
instant loses nothing and doubles nothing.  An answer and the call that follows from it are one transaction.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from cabinet.cloud.books import Books
from cabinet.cloud.money.leases import LEASE_MS, is_dead, new_claim
from cabinet.cloud.money.provider import Payer, Provider, ProviderAwayError, ProviderRefusedError
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.values import HOUR_MS, Call, Event, Lost, Missing, Payment, Refused, Seen, Ticked
from cabinet.ledger.errors import EntryRefusedError, LedgerError

log = logging.getLogger(__name__)

BATCH: Final = 32
APART: Final = 8  # in a batch, where several begin
MAX_CALLS: Final = 6  # of one payment in one go: hold, capture, rest, capture of the rest, and two spare
PAUSE_S: Final = 1.0

Clock = Callable[[], int]


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Turn:
    """A call that is written down and claimed by us."""

    payment: Payment
    call: Call
    found: bool  # by somebody before us: it is looked up before anything is posted again


class Cashier:
    def __init__(self, books: Books, provider: Provider, now_ms: Clock = wall_ms, nth: int = 0) -> None:
        """`books` are this cashier's alone; so is the thread it runs in.  `nth`: of several."""
        self._books, self._register, self._provider, self._now_ms = books, Register(books), provider, now_ms
        self._nth, self._stop = nth, threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until told to stop.  Raises LedgerError where the books fail.  What is wrong with one stops no other."""
        self._stop = stop
        while not stop.is_set():
            due = self._due()
            for visit in due:
                if not stop.is_set():
                    self._attend_or_put_off(visit)
            if not due:
                stop.wait(PAUSE_S)

    def _attend_or_put_off(self, visit: str) -> None:
        try:
            self.attend(visit)
        except EntryRefusedError as error:
            self._put_off(visit, error)
        except LedgerError:
            raise
        except Exception as error:  # noqa: BLE001  # a fault of ours in one payment must not leave all others uncollected
            self._put_off(visit, error)

    def _put_off(self, visit: str, error: Exception) -> None:
        """For an hour, with an alarm for a person."""
        log.error("payment_put_off visit=%s", visit, exc_info=error)
        now_ms, row = self._now_ms(), self._books.row("SELECT cab FROM payment WHERE visit = ?", visit)
        with self._writing(visit):
            self._books.run("UPDATE payment SET next_ms = ? WHERE visit = ?", now_ms + HOUR_MS, visit)
            what = f"visit {visit} cannot be collected: {type(error).__name__} {error}"
            self._register.alarm("" if row is None else row["cab"], "payment", what, now_ms)

    def work(self) -> int:
        """One round over what is due; how many payments were attended to."""
        return sum(self.attend(visit) for visit in self._due())

    def _due(self) -> list[str]:
        """What nobody works on; where there is none, what a dead process has left behind."""
        return self._unclaimed() or (self._unclaimed() if self._inherit() else [])

    def _unclaimed(self) -> list[str]:
        now_ms = self._now_ms()
        found = self._books.rows(
            "SELECT visit FROM payment WHERE next_ms <= ? AND claim_until_ms <= ? ORDER BY next_ms LIMIT ?",
            now_ms, now_ms, BATCH,
        )  # fmt: skip  # a table
        visits = [row["visit"] for row in found]
        at = self._nth * APART % max(1, len(visits))
        return visits[at:] + visits[:at]

    def _inherit(self) -> bool:
        """Take the claims away from processes that are provably dead; what they had begun is looked up as ever."""
        now_ms = self._now_ms()
        claimed = self._books.rows(
            "SELECT visit, claim FROM payment WHERE next_ms <= ? AND claim_until_ms > ? ORDER BY next_ms LIMIT ?",
            now_ms, now_ms, BATCH,
        )  # fmt: skip  # a table
        dead = [row for row in claimed if is_dead(row["claim"])]
        if not dead:
            return False
        with self._books.writing():
            for row in dead:
                self._give_back(row["visit"], row["claim"])
        return True

    def attend(self, visit: str, claim: str | None = None) -> bool:
        """Everything that can be done for this payment now.  False: somebody else has it, if it was not claimed."""
        mine = claim or new_claim()
        if claim is None and not self._claim(visit, mine):
            return False
        try:
            turn = self._begin(visit, mine)
            for left in reversed(range(MAX_CALLS)):
                if turn is None:
                    break
                turn = self._take_turn(turn, mine, last=not left or self._stop.is_set())
        except BaseException:
            with self._books.writing():
                self._give_back(visit, mine)
            raise
        return True

    def _claim(self, visit: str, claim: str) -> bool:
        now_ms = self._now_ms()
        sql = "UPDATE payment SET claim = ?, claim_until_ms = ? WHERE visit = ? AND claim_until_ms <= ?"
        with self._books.writing():
            return self._books.run(sql, claim, now_ms + LEASE_MS, visit, now_ms) > 0

    def _begin(self, visit: str, claim: str) -> _Turn | None:
        with self._writing(visit):
            payment = self._mine(visit, claim)
            if payment is None:
                return None
            if payment.call is None:
                return self._next(payment, claim)
            if payment.call.look_ms > self._now_ms():
                self._give_back(visit, claim)
                return None
            self._attempt(visit, payment.call, "find", "before", "")
            return _Turn(payment, payment.call, found=True)  # left by a call without an answer, or by a kill

    def _take_turn(self, turn: _Turn, claim: str, *, last: bool) -> _Turn | None:
        """One call with its answer, and what follows from it.  None: nothing more to do now."""
        payment, call = turn.payment, turn.call
        event = self._look(payment, call) if turn.found else self._ask(payment, call)
        with self._writing(payment.visit):
            self._attempt(payment.visit, call, call.op, "after", _said(event))
            mine = self._mine(payment.visit, claim)
            if mine is None:
                return None  # the lease is lost and somebody else looks this up: the answer is left to them
            after = self._register.move(mine, event, self._now_ms())
            if after.call is None and not last:
                return self._next(after, claim)
            if after.call is None or after.stuck or after.call.lost or last or not turn.found:
                self._give_back(payment.visit, claim)
                return None
            said = "again: a look-up found it not done"
            return self._written(after, after.call, claim, said)  # with the same key

    def _next(self, payment: Payment, claim: str) -> _Turn | None:
        """Within `writing`: the next call, written down before it is made; without one the claim is given back."""
        payment = self._register.move(payment, Ticked(), self._now_ms())
        if payment.call is not None and not payment.stuck:
            return self._written(payment, payment.call, claim, "")
        self._give_back(payment.visit, claim)
        return None

    def _written(self, payment: Payment, call: Call, claim: str, said: str) -> _Turn:
        self._attempt(payment.visit, call, call.op, "before", said)
        sql = "UPDATE payment SET claim_until_ms = ? WHERE visit = ? AND claim = ?"
        self._books.run(sql, self._now_ms() + LEASE_MS, payment.visit, claim)
        return _Turn(payment, call, found=False)

    def _give_back(self, visit: str, claim: str) -> None:
        sql = "UPDATE payment SET claim = '', claim_until_ms = 0 WHERE visit = ? AND claim = ?"
        self._books.run(sql, visit, claim)

    def _ask(self, payment: Payment, call: Call) -> Event:
        provider, currency = self._provider, call.currency or payment.currency
        try:
            match call.op:
                case "authorise":
                    payer = self._payer(payment.member)
                    seen = provider.authorise(call.key, payment.visit, payer, call.amount_minor, currency)
                case "capture":
                    seen = provider.capture(call.intent, call.key, call.amount_minor, currency)
                case "cancel":
                    seen = provider.cancel(call.intent, call.key)
                case "refund":
                    seen = provider.refund(call.intent, call.key, call.amount_minor, currency)
        except ProviderAwayError as error:
            return Lost(str(error))
        except ProviderRefusedError as error:
            return Refused(str(error))
        return Seen(seen)

    def _look(self, payment: Payment, call: Call) -> Event:
        try:
            payer = self._payer(payment.member)
            seen = self._provider.find(call.auth_key, payer, call.first_ms, call.intent)
        except (ProviderAwayError, ProviderRefusedError) as error:
            return Lost(f"look-up: {error}")
        return Missing() if seen is None else Seen(seen)

    def _payer(self, member: str | None) -> Payer:
        row = self._books.row("SELECT customer, method FROM wallet WHERE member = ?", member or "")
        return Payer() if row is None else Payer(row["customer"], row["method"])

    def _mine(self, visit: str, claim: str) -> Payment | None:
        held = self._books.row("SELECT 1 AS one FROM payment WHERE visit = ? AND claim = ?", visit, claim)
        return None if held is None else self._register.payment(visit)

    def _writing(self, visit: str) -> AbstractContextManager[None]:
        row = self._books.row("SELECT cab FROM payment WHERE visit = ?", visit)
        return self._books.writing("" if row is None else row["cab"])

    def _attempt(self, visit: str, call: Call, op: str, phase: str, said: str) -> None:
        self._books.run(
            "INSERT INTO attempt (visit, op, key, amount_minor, phase, said, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            visit, op, call.key, call.amount_minor, phase, said[:400], self._now_ms(),
        )  # fmt: skip  # a table


def _said(event: Event) -> str:
    match event:
        case Seen(intent):
            detail = f"{intent.captured_minor} captured, {intent.refunded_minor} refunded"
            return f"{intent.intent} {intent.status} {intent.amount_minor}, {detail} {intent.why}".strip()
        case Lost(why):
            return f"unknown: {why}"
        case Refused(why):
            return f"refused: {why}"
        case _:
            return "not there"
