"""A real payment on real books (ingest's counter, the cashier, the sandbox), killed and put off, written down in steps.

What the cashier did is read from the attempt rows that are committed, what the provider did from the sandbox's own
books, and what became of it from the payment's row: not from what the code says of itself.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cabinet.cloud.money import values as v
from cabinet.cloud.money.leases import LEASE_MS
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.sandbox import Moods, Sandbox
from tests.cloud.money.conftest import CAB, Shop
from tests.cloud.money.test_cashier import DyingBooks, Fuse, Killed

ASKED, ABANDONED, OPENED, CLOSED, ALARMED, DECIDED, LATE, LAPSING, AGED = 1, 2, 3, 4, 5, 6, 7, 8, 9
BOOKS, BEGUN, POSTED, ANSWERED, LOOKS, AGAIN, KILLED, DONE = 11, 12, 13, 14, 15, 16, 17, 18
SEEN, LOST, REFUSED, MISSING = 1, 2, 3, 4
OPS = {"authorise": 1, "capture": 2, "cancel": 3}
STATUSES = {"held": 1, "declined": 2, "captured": 3, "canceled": 4}
SAID = re.compile(r"sb_\d+ (\w+) (\d+), (\d+) captured")
VISIT = "01JVISIT00000000000000000A"
WAITS_MS = (6_000, 60_000, v.OPENS_WITHIN_MS, v.HOUR_MS, v.REPOST_WITHIN_MS, v.DAY_MS, 7 * v.DAY_MS)
NEVER = 1_000_000  # a fuse that does not burn down


class RecordedPayment:
    def __init__(self, folder: Path, seed: int) -> None:
        self.steps: list[tuple[int, ...]] = []
        self.dice = random.Random(seed)
        self.shop = Shop(str(folder / "cloud.db"), folder / "provider.db")
        moods = Moods(seed=seed, decline=0.25, partial=0.2, lost_before=0.2, lost_after=0.2, twice=0.3)
        self.sandbox = self.shop.sandbox(moods if seed % 4 else Moods())
        self.fuse = Fuse(NEVER)
        self._read = 0  # attempt rows
        self._timed: set[tuple[int, int]] = set()
        self._register = Register(self.shop.books)

    def note(self, *step: int) -> None:
        self.steps.append(step)

    def payment(self) -> v.Payment | None:
        return self._register.payment(VISIT)

    def told(self, event: v.Event, *step: int) -> None:
        payment = self.payment()
        assert payment is not None
        with self.shop.books.writing(CAB):
            self._register.move(payment, event, self.shop.clock.ms)
        self.note(*step)

    def read_attempts(self) -> None:
        for row in self.shop.books.rows("SELECT * FROM attempt WHERE n > ? ORDER BY n", self._read):
            self._read = row["n"]
            op, nth = call_of(row["key"])
            if row["phase"] == "after":
                self.note(ANSWERED, op, nth, *answer_of(row["said"]))
            elif row["op"] == "find":
                self.note(LOOKS, op, nth)
            elif row["said"]:
                self.note(AGAIN, op, nth)
            else:
                self.note(BEGUN, op, nth, row["amount_minor"])

    def work(self) -> None:
        """The cashier, possibly killed on the way; then nobody has a lease for two minutes."""
        provider: Any = WatchedProvider(self)
        try:
            self.shop.cashier(provider, DyingBooks(self.shop.books, self.fuse)).work()
            self.read_attempts()
        except Killed:
            self.read_attempts()
            self.note(KILLED, 0)
            self.fuse = Fuse(NEVER)
            self.wait(LEASE_MS)

    def wait(self, ms: int) -> None:
        self.shop.clock.ms += ms
        payment, now_ms = self.payment(), self.shop.clock.ms
        if payment is None:
            return
        if payment.asked_ms and now_ms >= payment.asked_ms + v.OPENS_WITHIN_MS:
            self._once(LATE, 0)
        if payment.held_minor and now_ms >= payment.held_ms + v.HOLD_MS:
            self._once(LAPSING, payment.nth)
        if payment.call is not None and not payment.stuck and now_ms - payment.call.first_ms >= v.REPOST_WITHIN_MS:
            self._once(AGED, payment.call.first_ms)

    def _once(self, what: int, of: int) -> None:
        if (what, of) not in self._timed:
            self._timed.add((what, of))
            self.note(what, 0)

    def end(self) -> None:
        payment = self.payment()
        if payment is not None:
            row = self.shop.row(VISIT)
            under_way = 0 if payment.call is None else OPS[payment.call.op]
            ends = (int(row["state"] == "stuck"), int(payment.closed))
            self.note(BOOKS, row["captured_minor"], row["held_minor"], *ends, row["tries"], payment.nth, under_way)
        self.shop.books.close()


class WatchedProvider:
    """The sandbox; what its books say before and after each request is written down."""

    def __init__(self, life: RecordedPayment) -> None:
        self._life = life

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def asked(*args: Any) -> Any:
            life, sandbox = self._life, self._life.sandbox
            life.read_attempts()
            life.fuse.burn()
            if verb == "find":
                return sandbox.find(*args)
            call = call_of(args[0] if verb == "authorise" else args[1])
            life.note(POSTED, *call)
            before = list(sandbox.export())
            try:
                return getattr(sandbox, verb)(*args)
            finally:
                self._done(sandbox, before, call)
                life.fuse.burn()

        return asked

    def _done(self, sandbox: Sandbox, before: list[v.Intent], call: tuple[int, int]) -> None:
        for number, intent in enumerate(sandbox.export(), 1):
            if number > len(before) or before[number - 1] != intent:
                shown = (STATUSES[intent.status], intent.amount_minor, intent.captured_minor)
                self._life.note(DONE, *call, number, *shown)


def call_of(key: str) -> tuple[int, int]:
    """What is asked, and which authorisation it belongs to, counted from 1."""
    auth, _, last = key.rpartition(":")
    op = OPS.get(last, OPS["authorise"])
    beyond = (key if op == OPS["authorise"] else auth).removeprefix(VISIT).split(":")[1:]
    return op, len(beyond) + 1 if len(beyond) < 2 else int(beyond[1]) + 1


def answer_of(said: str) -> tuple[int, ...]:
    if said.startswith("unknown"):
        return (LOST,)
    if said.startswith("refused"):
        return (REFUSED,)
    found = SAID.match(said)
    return (MISSING,) if found is None else (SEEN, STATUSES[found[1]], int(found[2]), int(found[3]))


def lived(folder: Path, seed: int) -> RecordedPayment:
    life = RecordedPayment(folder, seed)
    dice = life.dice
    plan = ["ask", "open", "close"] if dice.random() < 0.7 else dice.sample(["ask", "open", "close"], 3)
    if dice.random() < 0.2:
        plan.remove(dice.choice(["ask", "open", "close"]))
    for _ in range(dice.randint(0, 3)):
        plan.insert(dice.randint(1, len(plan)), dice.choice(["abandon", "alarm", "decide"]))
    for what in plan:
        happen(life, what)
        for _ in range(dice.randint(0, 3)):
            life.fuse = Fuse(dice.randint(0, 40) if dice.random() < 0.3 else NEVER)
            life.work()
            life.wait(dice.choice(WAITS_MS[:3] if dice.random() < 0.8 else WAITS_MS))
    life.fuse = Fuse(NEVER)
    for _ in range(30):
        life.work()
        life.wait(dice.choice(WAITS_MS[1:]))
    life.end()
    return life


def happen(life: RecordedPayment, what: str) -> None:
    payment, shop, dice = life.payment(), life.shop, life.dice
    if what == "ask":
        shop.ask(VISIT, 1000)
        life.note(ASKED, 1000)
    elif what == "open":
        shop.open(VISIT)
        life.note(OPENED, 0)
    elif what == "close":
        total = dice.choice([0, 400, 1000, 1700])
        review = dice.random() < 0.15
        if dice.random() < 0.15:
            shop.close_without(VISIT, "review")
            life.note(CLOSED, 0, 1, 0)
        else:
            shop.close(VISIT, total, review="amount" if review else "", lines=[])
            life.note(CLOSED, total, 0, int(review))
    elif payment is None:
        return
    elif what == "abandon":
        life.told(v.Abandoned(), ABANDONED, 0)
    elif what == "alarm":
        life.told(v.Alarmed("a fork"), ALARMED, 0)
    elif payment.closed and payment.review:
        minor = dice.choice([0, 500])
        life.told(v.Decided(minor), DECIDED, minor)
