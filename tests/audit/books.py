"""Real books for an audit: a cabinet's ledger, what the cloud made of it with payments, and the provider's export."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from cabinet.cloud.money.cashier import Cashier
from cabinet.cloud.money.counter import Counter
from cabinet.cloud.money.sandbox import Sandbox
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Adjustment, Ledger
from cabinet.units import VisitId
from tests.ledger.examples import ANNA, shop, stamp, visit_id

NOW_MS = 1_795_000_000_000
CAB = "c1"


@dataclass
class RealBooks:
    """`sell` and `refund` at the cabinet, `deliver` to the cloud, `settle` with the provider."""

    folder: Path
    url: str

    def __post_init__(self) -> None:
        self.edge, self.export = self.folder / "ledger.db", self.folder / "provider.jsonl"
        self._provider = Sandbox(self.folder / "sandbox.db", now_ms=lambda: NOW_MS)

    def sell(self, *numbers: int, refunded_minor: int = 0) -> list[VisitId]:
        with Ledger(self.edge) as ledger:
            visits = [shop(ledger, number) for number in numbers]
            for number, visit in zip(numbers, visits, strict=True):
                if refunded_minor:
                    change = Adjustment(f"01R{number:023d}", visit, "refund", "x", "ann", refunded_minor)
                    ledger.adjust(change, stamp())
        return visits

    def deliver(self, *, confirm: bool = True) -> None:
        store = CloudStore(self.url)
        store.keep_books(Counter(store.books))
        with Ledger(self.edge) as ledger:
            for row in ledger.unacknowledged(10_000):
                store.take(CAB, row.message(), NOW_MS)
            if confirm:
                ledger.acknowledge(*ledger.head(), clock=stamp())
        store.close()

    def settle(self) -> None:
        """Every payment captured, every refund paid out, and the provider's books exported."""
        store = CloudStore(self.url)
        with store.books.writing():
            values = "VALUES (?, 'cus', 'pm', 0) ON CONFLICT DO NOTHING"
            store.books.run(f"INSERT INTO wallet (member, customer, method, set_ms) {values}", ANNA)
        cashier = Cashier(store.books, self._provider, now_ms=lambda: NOW_MS)
        while cashier.work():
            pass
        store.close()
        lines = [json.dumps(dataclasses.asdict(intent)) for intent in self._provider.export()]
        self.export.write_text("".join(line + "\n" for line in lines))

    def run(self, sql: str, *values: object) -> None:
        """Something that the books themselves would never allow."""
        store = CloudStore(self.url)
        with store.books.writing():
            store.books.run(sql, *values)
        store.close()


__all__ = ["CAB", "NOW_MS", "RealBooks", "visit_id"]
