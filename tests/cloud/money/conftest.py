"""The money on real books, SQLite and PostgreSQL, with a sandbox provider and a clock that is told what time it is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from cabinet.cloud.books import Books, open_books
from cabinet.cloud.entries import Charge
from cabinet.cloud.money.cashier import Cashier
from cabinet.cloud.money.counter import Counter
from cabinet.cloud.money.office import Office
from cabinet.cloud.money.provider import Provider
from cabinet.cloud.money.register import Register
from cabinet.cloud.money.sandbox import Moods, Sandbox
from cabinet.cloud.money.values import Asked, Payment
from tests.cloud.money.lives import T0
from tests.support.postgres import Postgres, binaries

CAB = "cab-1"
COLA = {"sku": "cola", "name": "Cola", "quantity": 1, "unit_price_minor": 700, "tax": "full"}


@pytest.fixture(scope="session")
def server() -> Iterator[str | None]:
    """The URL of one database for all these tests; None without a server."""
    if binaries() is None:
        yield None
        return
    with Postgres() as running:
        yield running.fresh()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of empty books."""
    if request.param == "sqlite":
        return str(tmp_path / "cloud.db")
    server: str | None = request.getfixturevalue("server")  # started by the first who needs it
    if server is None:
        pytest.skip("PostgreSQL is not installed: sudo apt-get install postgresql")
    open_books(server).close()  # makes the tables, once
    with psycopg.connect(server, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'book'"
        ).fetchall()
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(sql.Identifier(row[0]) for row in rows)))
    return server


@dataclass(slots=True)
class Clock:
    ms: int = T0

    def __call__(self) -> int:
        return self.ms


@dataclass(slots=True)
class Shop:
    """One cabinet, its members' wallets, the books and the sandbox."""

    url: str
    file: Path
    clock: Clock = field(default_factory=Clock)
    books: Books = field(init=False)
    counter: Counter = field(init=False)
    office: Office = field(init=False)

    def __post_init__(self) -> None:
        self.books = open_books(self.url)
        self.counter, self.office = Counter(self.books), Office(self.books)
        self.office.set_wallet("ada", "cus_ada", "pm_ada", T0)

    def sandbox(self, moods: Moods | None = None) -> Sandbox:
        return Sandbox(self.file, moods or Moods(), self.clock)

    def cashier(self, provider: Provider | None = None, books: Books | None = None) -> Cashier:
        return Cashier(books or self.books, provider or self.sandbox(), self.clock)

    def work(self, provider: Provider | None = None) -> None:
        """Until nothing is due any more."""
        cashier = self.cashier(provider)
        for _ in range(20):
            if not cashier.work():
                return
        raise AssertionError("there is always something to do")

    def ask(self, visit: str, hold_minor: int = 1000, member: str = "ada") -> None:
        register = Register(self.books)
        with self.books.writing(CAB):
            payment = register.payment(visit)
            if payment is None:
                payment = Payment(visit, CAB, member, "EUR")
                register.make(payment, self.clock.ms)
            register.move(payment, Asked(hold_minor), self.clock.ms)

    def open(self, visit: str, member: str = "ada", cab: str = CAB) -> None:
        with self.books.writing(cab):
            self.counter.opened(cab, event("visit.opened", visit, member=member, purpose="shop"), self.clock.ms)

    def close(self, visit: str, total_minor: int = 700, *, cab: str = CAB, review: str = "", **body: Any) -> None:
        """With a charge, as ingest stores it in the same transaction."""
        said = {
            "outcome": "charge",
            "total_minor": total_minor,
            "currency": "EUR",
            "lines": [COLA],
            "member": "ada",
            **body,
        }
        lines = tuple(said["lines"])
        with self.books.writing(cab):
            self.books.run(
                "INSERT INTO charge"
                " (store, seq, h, member, currency, visit, cab, total_minor, lines, stored_ms, review)"
                " VALUES ('s', 1, 'h', 'ada', 'EUR', ?, ?, ?, ?, ?, ?)",
                visit, cab, total_minor, json.dumps(lines), self.clock.ms, review,
            )  # fmt: skip  # a table
            charge = Charge(visit, cab, "ada", total_minor, "EUR", lines, 1, self.clock.ms, review)
            self.counter.closed(cab, event("visit.closed", visit, **said), charge, self.clock.ms)

    def close_without(self, visit: str, outcome: str) -> None:
        with self.books.writing(CAB):
            body = {"outcome": outcome, "why": "two stories", "member": "ada"}
            self.counter.closed(CAB, event("visit.closed", visit, **body), None, self.clock.ms)

    def adjust(
        self, visit: str, name: str, back_minor: object, *, cab: str = CAB, type_: str = "visit.refunded"
    ) -> None:
        said = {"id": name, "back_minor": back_minor, "currency": "EUR", "reason": "stale", "who": "desk"}
        with self.books.writing(cab):
            self.counter.adjusted(cab, event(type_, visit, **said), self.clock.ms)

    def row(self, visit: str) -> dict[str, Any]:
        found = self.books.row("SELECT * FROM payment WHERE visit = ?", visit)
        assert found is not None
        return found

    def state(self, visit: str) -> str:
        return str(self.row(visit)["state"])

    def accounts(self, visit: str) -> dict[str, int]:
        """What is left on each account that this visit has touched."""
        rows = self.books.rows(
            "SELECT account, sum(amount_minor) AS minor FROM posting WHERE visit = ? GROUP BY account", visit
        )
        return {row["account"]: int(row["minor"]) for row in rows if row["minor"]}

    def alarms(self) -> list[str]:
        return [row["kind"] for row in self.books.rows("SELECT kind FROM alarm ORDER BY n")]

    def adjustments(self) -> dict[str, str]:
        return {row["id"]: row["state"] for row in self.books.rows("SELECT id, state FROM adjustment")}


def event(type_: str, visit: str, **body: Any) -> dict[str, Any]:
    return {"type": type_, "visit": visit, "seq": 1, "body": body}


@pytest.fixture
def shop(url: str, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(url, tmp_path / "provider.db")
    yield made
    made.books.close()
