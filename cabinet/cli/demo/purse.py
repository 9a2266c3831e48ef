"""The money of a bench: what the provider's own file and the cloud's books say of the last charge."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from cabinet.cli.demo.acting import soon
from cabinet.cli.demo.processes import CURRENCY, Bench
from cabinet.cli.demo.shop import Member
from cabinet.ledger.entries import VisitRecord
from cabinet.receipt import money
from cabinet.sim import acts as a

PAID_S: Final = 60.0  # from the closing to the provider's answer, on a busy machine
OWED: Final = (
    "SELECT coalesce(sum(due_minor - captured_minor + returned_minor), 0) AS minor FROM payment"
    " WHERE member = ? AND state IN ('owed', 'overdue')"
)
OF_VISIT: Final = {
    "captured": "SELECT coalesce(sum(captured_minor), 0) AS minor FROM intent WHERE visit = ?",
    "returned": "SELECT coalesce(sum(refunded_minor), 0) AS minor FROM intent WHERE visit = ?",
}
HELD: Final = "SELECT coalesce(sum(amount_minor), 0) AS minor FROM intent WHERE status = 'held'"


@dataclass(frozen=True, slots=True)
class Purse:
    bench: Bench
    members: Mapping[tuple[str, str], Member]

    def wrong(self, act: a.Expect, visits: Sequence[VisitRecord]) -> str:
        """What is not so within PAID_S; empty where it is."""
        if act.what == "owes":
            ids = [member.member for (who, _), member in self.members.items() if who == act.text]
            return self._settles(act.number, lambda: sum(self._books(OWED, one) for one in ids), f"{act.text} owes")
        if act.what == "released":
            return self._settles(0, lambda: self._provider(HELD), "held is")
        charged = next((visit for visit in visits if visit.outcome == "charge"), None)
        if charged is None:
            return "nobody was charged"
        told = f"the provider has {act.what}"
        return self._settles(act.number, lambda: self._provider(OF_VISIT[act.what], charged.visit), told)

    def tokens(self) -> set[str]:
        """The provider's, of everybody's card."""
        if not self.bench.provider:
            return set()
        with closing(sqlite3.connect(f"file:{self.bench.cloud_db}?mode=ro", uri=True)) as db:
            return {token for row in db.execute("SELECT customer, method FROM wallet") for token in row}

    def _settles(self, wanted: int, found: Callable[[], int], told: str) -> str:
        if soon(lambda: found() == wanted, PAID_S):
            return ""
        return f"{told} {money(found(), CURRENCY)}"

    def _books(self, sql: str, *values: Any) -> int:  # noqa: ANN401  # what SQL takes
        with closing(sqlite3.connect(f"file:{self.bench.cloud_db}?mode=ro", uri=True)) as db:
            return int(db.execute(sql, values).fetchone()[0])

    def _provider(self, sql: str, *values: Any) -> int:  # noqa: ANN401  # likewise
        with closing(sqlite3.connect(f"file:{self.bench.provider_db}?mode=ro", uri=True)) as db:
            return int(db.execute(sql, values).fetchone()[0])
