"""The sandbox provider and the desk of the cloud, as they are at the fast depth: in memory, and without a thread.

What they decide is the product's.  Replaced are the sandbox's file (one connection in memory) and the desk's worker
threads (a question is worked on as soon as it was asked), so that a seed plays the same visit every time.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from cabinet import wire
from cabinet.cloud.books import Books
from cabinet.cloud.money.cashier import Cashier
from cabinet.cloud.money.desk import CloudDesk
from cabinet.cloud.money.provider import Payer, Provider, ProviderAwayError
from cabinet.cloud.money.sandbox import Moods, Sandbox
from cabinet.cloud.money.values import Intent
from cabinet.cloud.service import Reply
from cabinet.units import Minor

GRANTS: Final = "grants_"  # the method of a card that is good for so much in all, in minor units


class PaperSandbox(Sandbox):
    """Its books are in memory; `away`: it does not answer at all."""

    def __init__(self, moods: Moods, now_ms: Callable[[], int]) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self.away = False
        super().__init__(Path(":memory:"), moods, now_ms)

    def authorise(self, key: str, visit: str, payer: Payer, amount_minor: Minor, currency: str) -> Intent:
        if payer.method.startswith(GRANTS):
            left_minor = int(payer.method.removeprefix(GRANTS)) - self.used_minor(payer.customer)
            payer = payer if left_minor > 0 else Payer(payer.customer, "declines")
            amount_minor = min(amount_minor, max(left_minor, 1))
        return super().authorise(key, visit, payer, amount_minor, currency)

    def used_minor(self, customer: str) -> Minor:
        """Held or captured for this customer."""
        sql = "SELECT sum(iif(status = 'held', amount_minor, captured_minor)) FROM intent WHERE customer = ?"
        return int(self._db.execute(sql, (customer,)).fetchone()[0] or 0)

    def asked_for(self, visit: str) -> list[sqlite3.Row]:
        """Every authorisation of the visit, as this provider's books have it."""
        return self._db.execute("SELECT * FROM intent WHERE visit = ?", (visit,)).fetchall()

    def every(self) -> list[sqlite3.Row]:
        return self._db.execute("SELECT * FROM intent").fetchall()

    @contextlib.contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        if self.away:
            raise ProviderAwayError("the provider does not answer")
        self._db.execute("BEGIN")
        try:
            yield self._db
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def close(self) -> None:
        self._db.close()


class PromptDesk(CloudDesk):
    """Works on a question in the thread that brought it; the answer is what `due` says next."""

    def __init__(self, books: Books, keys: Mapping[str, bytes], provider: Provider, now_ms: Callable[[], int]) -> None:
        super().__init__(books, keys, provider, lambda: books, now_ms)
        self._cashier = Cashier(books, provider, now_ms)

    def asked(self, cab: str, ask: wire.Payload, now_ms: int) -> list[Reply]:
        replies = super().asked(cab, ask, now_ms)
        while not self._asks.empty():
            asked = self._asks.get()
            if asked is not None:
                self._cashier.attend(*asked)
                self._done.append(asked[0])
        return replies

    def _serve(self) -> None:
        """No thread of this desk does anything."""
