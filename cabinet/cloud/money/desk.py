"""Answers the cabinets whether this member may shop, and for how much.

`asked` is fast: it looks into the books, writes the payment down, and leaves the card to a worker thread with books of
its own; `due` brings what the workers have found out.  A visit that is asked about again gets the same answer.
"""

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cabinet import wire
from cabinet.cloud.books import Books
from cabinet.cloud.money import roster
from cabinet.cloud.money.cashier import Cashier, Clock, wall_ms
from cabinet.cloud.money.gate import Gate
from cabinet.cloud.money.leases import LEASE_MS, new_claim
from cabinet.cloud.money.provider import Provider
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.values import Abandoned, Asked, Payment
from cabinet.cloud.service import Reply
from cabinet.ledger.errors import LedgerError

log = logging.getLogger(__name__)

MAX_HOLDS: Final = 3  # of one member, over all cabinets
WORKERS: Final = 4
END_S: Final = 3.0  # for what is under way, at the end; the next process looks up what was not answered by then

LOOK_MS: Final = 250  # at a question that somebody else works on
FORGET_MS: Final = 10_000  # the cabinet has decided without us long before

ASKING: Final = ("asked", "unknown")


@dataclass(frozen=True, slots=True)
class Ask:
    cab: str
    visit: str
    nonce: str
    at_ms: int


class CloudDesk:
    """A cabinet.cloud.service.Desk.  `books` belong to the caller's thread; `open_own` gives each worker its own."""

    answers = True

    def __init__(
        self, books: Books, keys: Mapping[str, bytes], provider: Provider, open_own: Callable[[], Books],
        now_ms: Clock = wall_ms,
    ) -> None:  # fmt: skip  # a list
        self._books, self._register, self._keys, self._provider = books, Register(books), keys, provider
        self._open_own, self._now_ms = open_own, now_ms
        self._asks: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()  # visit, our claim on it
        self._workers = [threading.Thread(target=self._serve, name=f"desk-{n}", daemon=True) for n in range(WORKERS)]
        for worker in self._workers:
            worker.start()
        self._done: deque[str] = deque()
        self._pending: dict[str, Ask] = {}  # visit → whom to answer
        self._looked_ms = 0
        self._gate = Gate(books, keys)
        self._ready: Callable[[], None] = lambda: None

    def asked(self, cab: str, ask: wire.Payload, now_ms: int) -> list[Reply]:
        """Raises WireError for what is no such question, LedgerError where the books failed."""
        visit, member = wire.text_of(ask, "visit", 64), wire.text_of(ask, "member")
        nonce, currency = wire.text_of(ask, "nonce", 64), wire.text_of(ask, "currency", 3)
        hold_minor = wire.whole_of(ask, "hold_minor")
        with self._books.writing(cab):
            known = self._register.payment(visit)
            why = "denied" if known is not None and known.cab != cab else self._why_not(cab, member, visit, now_ms)
            if why:
                return [self._terms(cab, visit, nonce, 0, why)]
            payment = known or Payment(visit, cab, member, currency)
            if known is None:
                self._register.make(payment, now_ms)
            payment = self._register.move(payment, Asked(hold_minor), now_ms)
            claim = self._claim(visit, now_ms) if payment.state in ASKING else ""
        ask_ = Ask(cab, visit, nonce, now_ms)
        if payment.state not in ASKING:
            return [self._answer(ask_, payment)]
        self._pending[visit] = ask_
        if claim:
            self._asks.put((visit, claim))
        return []

    def due(self, now_ms: int) -> list[Reply]:
        replies = []
        ready = {self._done.popleft() for _ in range(len(self._done))}
        if self._pending and now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            ready |= set(self._pending)
        for ask in [self._pending[visit] for visit in sorted(ready) if visit in self._pending]:
            payment = self._register.payment(ask.visit)
            answered = payment is not None and payment.state not in ASKING
            if payment is not None and answered:
                replies.append(self._answer(ask, payment))
            if answered or now_ms - ask.at_ms >= FORGET_MS:
                del self._pending[ask.visit]
        return replies + self._gate.due(now_ms)

    def greeted(self, cab: str, now_ms: int) -> list[Reply]:
        return self._gate.greeted(cab, now_ms)

    def call(self, when_ready: Callable[[], None]) -> None:
        """From a worker's thread, whenever `due` has something new."""
        self._ready = when_ready

    def close(self) -> None:
        """Waits a moment for what is under way.  An answer that comes later is looked up by the next process."""
        for _ in self._workers:
            self._asks.put(None)
        until_s = time.monotonic() + END_S
        for worker in self._workers:
            worker.join(max(0.0, until_s - time.monotonic()))

    def _why_not(self, cab: str, member: str, visit: str, now_ms: int) -> str:
        if why := roster.why_not(self._books, member):
            return why
        if self._books.row("SELECT 1 AS one FROM wallet WHERE member = ?", member) is None:
            return "no wallet"
        others = self._books.rows(
            "SELECT visit, cab FROM payment WHERE member = ? AND visit <> ? AND state IN ('asked', 'held', 'unknown')",
            member, visit,
        )  # fmt: skip  # a table
        for other in others:
            if other["cab"] == cab and (earlier := self._register.payment(other["visit"])) is not None:
                self._register.move(earlier, Abandoned(), now_ms)
        return "denied" if len([other for other in others if other["cab"] != cab]) >= MAX_HOLDS else ""

    def _claim(self, visit: str, now_ms: int) -> str:
        """Ours at once, before a cashier sees it; "" where somebody has it."""
        claim = new_claim()
        taken = self._books.run(
            "UPDATE payment SET claim = ?, claim_until_ms = ? WHERE visit = ? AND claim_until_ms <= ?",
            claim, now_ms + LEASE_MS, visit, now_ms,
        )  # fmt: skip  # a table
        return claim if taken else ""

    def _serve(self) -> None:
        """A worker thread's life.  What fails here is tried again by the cashier; the cabinet decides without us."""
        with contextlib.ExitStack() as stack:
            cashier: Cashier | None = None
            while (asked := self._asks.get()) is not None:
                visit, claim = asked
                try:
                    if cashier is None:
                        books = stack.enter_context(contextlib.closing(self._open_own()))
                        cashier = Cashier(books, self._provider, self._now_ms)
                    cashier.attend(visit, claim)
                    self._done.append(visit)
                    self._ready()
                except LedgerError:
                    log.exception("ask_failed visit=%s", visit)

    def _answer(self, ask: Ask, payment: Payment) -> Reply:
        granted = 0 if payment.closed else payment.held_minor
        return self._terms(ask.cab, ask.visit, ask.nonce, granted, "" if granted else "declined")

    def _terms(self, cab: str, visit: str, nonce: str, hold_minor: int, why: str) -> Reply:
        said = {"visit": visit, "nonce": nonce, "granted": not why, "hold_minor": hold_minor, "why": why}
        return Reply(wire.topic(cab, "dn", "terms"), wire.signed(self._keys[cab], cab, "terms", said))
