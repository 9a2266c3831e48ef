"""The far end with its money: a desk that answers asks, a cashier, a provider, cards; all on the simulation's clock.

The books, the payment machine, the double entry and the conversation are the product's.  The far end has a right clock
of its own, whatever befalls the cabinet's.  It never moves time by itself except where a campaign winds up.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cabinet import wire
from cabinet.cloud.money.cashier import Cashier
from cabinet.cloud.money.counter import Counter
from cabinet.cloud.money.office import Office, RefusedHereError
from cabinet.cloud.money.sandbox import Moods
from cabinet.cloud.service import CloudService, Reply
from cabinet.identity.credit import Answer
from cabinet.ledger import Ledger, Stamp
from cabinet.proving.bank import GRANTS, PaperSandbox, PromptDesk
from cabinet.proving.far_end import CAB, KEY, FarEnd
from cabinet.till import Till
from cabinet.units import Minor, VisitId
from cabinet.uplink.core import Sender

WALL_MS: Final = 1_795_000_000_000  # 2026-11-18: where every simulated wall clock begins
ANSWER_S: Final = 0.08  # there and back, and the books between
MOST_ROUNDS: Final = 60  # of a winding up: each is a call to the provider that is due at last
MONTH_MS: Final = 30 * 86_400_000
OWED: Final = (
    "SELECT due_minor - captured_minor + returned_minor AS rest FROM payment"
    " WHERE member = ? AND state IN ('owed', 'overdue')"
)
CHARGED: Final = (
    "SELECT c.visit, c.total_minor, c.review, (SELECT coalesce(sum(back_minor), 0) FROM adjustment a"
    " WHERE a.visit = c.visit AND a.state IN ('booked', 'paid')) AS back_minor"
    " FROM charge c JOIN payment p ON p.visit = c.visit WHERE c.member = ? AND p.state <> 'unknown'"
)
WAITING: Final = "SELECT visit, due_minor, charged_minor FROM payment WHERE state = 'waiting'"


class PayingFarEnd(FarEnd):
    def __init__(self, path: Path, dice: random.Random, now_s: Callable[[], float], moods: Moods | None = None) -> None:
        """`moods`: how the provider misbehaves."""
        super().__init__(path, dice)
        books, self._now_s, self._ahead_ms = self.store.books, now_s, 0
        self.provider = PaperSandbox(moods or Moods(), self.now_ms)
        self.store.keep_books(Counter(books))
        self._desk = PromptDesk(books, {CAB: KEY}, self.provider, self.now_ms)
        self._service = CloudService(self.store, {CAB: KEY}, desk=self._desk)
        self._cashier, self.office = Cashier(books, self.provider, self.now_ms), Office(books)
        self.cards: dict[str, str] = {}  # member → the provider's token of the card
        self.till: Till | None = None  # of the daemon that lives now
        self.later: Callable[[float, Callable[[], None]], None] = lambda _s, what: what()  # on virtual time
        self._line: Sender | None = None  # the conversation that is going on
        self.tapped: list[bytes] | None = None  # every payload either way, where somebody listens

    def close(self) -> None:
        self._desk.close()
        self.provider.close()
        super().close()

    def now_ms(self) -> int:
        return WALL_MS + self._ahead_ms + int(1000 * self._now_s())

    def pass_by(self, ms: int) -> None:
        """The far end's clock goes on, and nobody else's."""
        self._ahead_ms += ms

    # Cards.

    def card(self, member: str, what: str, grants_minor: Minor = 0) -> None:
        """`works`, `declines`, or `grants` so much in all from now on."""
        most_minor = self.provider.used_minor(f"cus_{member}") + grants_minor if what == "grants" else 0
        methods = {"works": f"pm_{member}_secret", "declines": "declines", "grants": f"{GRANTS}{most_minor}"}
        method = methods[what]
        if self.cards.get(member) != method:
            self.cards[member] = method
            self.office.set_wallet(member, f"cus_{member}", method, self.now_ms())

    def wallets(self) -> list[tuple[str, str]]:
        """The provider's tokens of everybody."""
        return [(row["customer"], row["method"]) for row in self.store.books.rows("SELECT * FROM wallet")]

    def owes_minor(self, member: str) -> Minor:
        """As the books have it: charged, declined, not paid yet."""
        rows = self.store.books.rows(OWED, member)
        return sum(int(row["rest"]) for row in rows)

    def unpaid_minor(self, member: str) -> Minor:
        """By the provider's books: declined after the closing, not captured since.

        What the provider has answered and nobody has heard is not known to be owed yet: it is being looked up.
        """
        unpaid = 0
        for row in self.store.books.rows(CHARGED, member):
            asked = self.provider.asked_for(row["visit"])
            kept = sum(one["captured_minor"] for one in asked)
            if asked and asked[-1]["status"] == "declined" and not row["review"]:
                unpaid += max(0, row["total_minor"] - row["back_minor"] - kept)
        return unpaid

    # The conversation.

    def sender(self, ledger: Ledger) -> Sender:
        till = self.till
        if till is None:
            return super().sender(ledger)

        def told(answer: Answer) -> None:
            self.later(ANSWER_S, lambda: till.answer(answer))

        self._line = Sender(ledger, KEY, CAB, dice=self.dice, told_terms=told, told_roster=till.take_roster)
        return self._line

    def deliver(self, ledger: Ledger, now: Stamp, *, bad: bool) -> bool:
        done = super().deliver(ledger, now, bad=bad)
        self.work()
        return done

    def ask(self, payload: wire.Payload, ledger: Ledger, now: Stamp, *, bad: bool) -> bool:
        """What waits goes first, as it would have gone long ago; then the ask, said once.  False: nobody to ask."""
        self.deliver(ledger, now, bad=bad)
        line = self._line
        message = None if line is None else line.ask(payload)
        if line is None or message is None:
            return False
        self._carry(message, line, now, bad=bad)
        return True

    def _replies(self, topic: str, payload: bytes, stamp: Stamp) -> list[Reply]:
        now_ms = self.now_ms()
        replies = self._service.heard(topic, payload, mono_ms=stamp.mono_ms, wall_ms=now_ms)
        replies += self._service.due(now_ms)
        if self.tapped is not None:
            self.tapped += [topic.encode(), payload, *(reply.payload for reply in replies)]
        return replies

    # The provider.

    def work(self) -> None:
        """Everything the cashier can do now."""
        for _ in range(MOST_ROUNDS):
            if not self._cashier.work():
                return

    def next_ms(self) -> int | None:
        """When the cashier has something to do again."""
        row = self.store.books.row("SELECT min(next_ms) AS ms FROM payment WHERE next_ms IS NOT NULL")
        return None if row is None or row["ms"] is None else int(row["ms"])

    def wind_up(self) -> None:
        """Every card is good, a person decides what waits, and the far end's clock runs until nothing is to be done."""
        for member in self.cards:
            self.card(member, "works")
        for row in self.store.books.rows(WAITING):
            self.office.settle(row["visit"], int(row["due_minor"]), "wound up", "operator", self.now_ms())
        until_ms = self.now_ms() + MONTH_MS
        for _ in range(MOST_ROUNDS):
            self.work()
            due_ms = self.next_ms()
            if due_ms is None or due_ms > until_ms:
                return
            self.pass_by(max(0, due_ms - self.now_ms()))

    def refund(self, visit: VisitId, back_minor: Minor) -> str:
        """Why not; empty where it was booked."""
        try:
            self.office.refund(visit, back_minor, "told", "operator", self.now_ms())
        except RefusedHereError as error:
            return str(error)
        self.work()
        return ""
