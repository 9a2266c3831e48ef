"""The cloud's books as an audit reads them, SQLite or PostgreSQL: page by page, in one snapshot.

Nothing is written.  It refuses (LedgerError) a database without a cloud's books.
"""

import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

from cabinet.audit.edges import hash_of
from cabinet.audit.rows import Event, Fact, Finding
from cabinet.cloud.books import Books, open_books

PAGE: Final = 2_000  # rows in memory at a time
SERVER_COLUMNS: Final = (
    "SELECT table_name AS tbl, column_name AS name FROM information_schema.columns"
    " WHERE table_schema = current_schema()"
)
FILE_COLUMNS: Final = (
    "SELECT s.name AS tbl, c.name AS name FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table'"
)
MONEY: Final = {"payment", "posting", "adjustment"}
FIELDS: Final = "seq, h, prev, visit, type, body, boot, mono_ms, wall_ms, clock, stored_ms"
NO_ROW: Final = -1


class CloudBooks:
    def __init__(self, url: str) -> None:
        """Raises LedgerError, BooksAwayError among them, with the place."""
        self._books: Books = open_books(url, read_only=True)
        server = self._books.where.startswith("postgresql:")
        try:
            rows = self._books.rows(SERVER_COLUMNS if server else FILE_COLUMNS)
            columns = {(row["tbl"], row["name"]) for row in rows}
            self._redacts = ("event", "redacted") in columns  # books of an older program have no such column
            self.keeps_money = {table for table, _ in columns} >= MONEY
            self._books.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if server else "BEGIN")
        except BaseException:
            self._books.close()
            raise

    def stores(self) -> dict[str, str]:
        """Store -> its cabinet, one look at the index for each."""
        found: dict[str, str] = {}
        cab = store = ""
        sql = "SELECT cab, store FROM event WHERE (cab, store) > (?, ?) ORDER BY cab, store LIMIT 1"
        while (row := self._books.row(sql, cab, store)) is not None:
            cab, store = row["cab"], row["store"]
            found[store] = cab
        return found

    def mark(self, cab: str, store: str) -> int:
        row = self._books.row("SELECT hwm FROM mark WHERE cab = ? AND store = ?", cab, store)
        return 0 if row is None else int(row["hwm"])

    def newest_ms(self) -> int:
        row = self._books.row("SELECT stored_ms FROM event ORDER BY n DESC LIMIT 1")
        return 0 if row is None else int(row["stored_ms"])

    def events(self, cab: str, store: str) -> Iterator[Event]:
        redacted = "redacted" if self._redacts else "0 AS redacted"
        sql = (
            f"SELECT {FIELDS}, {redacted} FROM event WHERE cab = ? AND store = ? AND (seq, h) > (?, ?)"  # noqa: S608  # ours
            f" ORDER BY seq, h LIMIT {PAGE}"
        )
        seq, h = NO_ROW, ""
        while rows := self._books.rows(sql, cab, store, seq, h):
            yield from (_event(store, row) for row in rows)
            seq, h = rows[-1]["seq"], rows[-1]["h"]

    def facts(self, cabs: frozenset[str], heads: Mapping[str, int]) -> Iterator[Fact]:
        """`cabs`: whose files were given; `heads`: their newest events, by store."""
        sql = f"SELECT n, visit, cab, store, seq, total_minor, currency FROM charge WHERE n > ? ORDER BY n LIMIT {PAGE}"  # noqa: S608  # ours
        for row in self._pages(sql, "n", NO_ROW):
            yield Fact(
                row["visit"], "charge", row["cab"], row["total_minor"], row["currency"],
                above=row["seq"] > heads.get(row["store"], row["seq"]), ours=row["cab"] in cabs,
            )  # fmt: skip  # a row
        if self.keeps_money:
            yield from self._money(cabs)

    def _money(self, cabs: frozenset[str]) -> Iterator[Fact]:
        columns = "charged_minor, back_minor, captured_minor, returned_minor, held_minor"
        sql = f"SELECT visit, cab, state, next_ms, {columns} FROM payment WHERE visit > ? ORDER BY visit LIMIT {PAGE}"  # noqa: S608  # ours
        for row in self._pages(sql, "visit", ""):
            amounts = tuple(NO_ROW if row[name] is None else int(row[name]) for name in columns.split(", "))
            idle, ours = row["next_ms"] is None, row["cab"] in cabs
            yield Fact(row["visit"], "payment", row["cab"], word=row["state"], amounts=amounts, last=idle, ours=ours)
        sql = f"SELECT id, visit, cab, back_minor, state FROM adjustment WHERE id > ? ORDER BY id LIMIT {PAGE}"  # noqa: S608  # ours
        for row in self._pages(sql, "id", ""):
            ours = row["cab"] in cabs
            yield Fact(row["visit"], "booked", row["cab"], row["back_minor"], "", row["state"], row["id"], ours=ours)

    def unbalanced(self) -> Iterator[Finding]:
        """Of all cabinets: whose a transaction is nobody can say once it is wrong."""
        if not self.keeps_money:
            return
        sql = (
            "SELECT txn, min(visit) AS visit, currency, sum(amount_minor) AS minor FROM posting WHERE txn > ?"
            " GROUP BY txn, currency HAVING sum(amount_minor) <> 0 ORDER BY txn LIMIT 2000"
        )
        for row in self._pages(sql, "txn", ""):
            what = f"{row['txn']} adds up to {row['minor']} {row['currency']}"
            yield Finding("postings", "cloud", what, row["visit"])

    def _pages(self, sql: str, key: str, begin: object) -> Iterator[dict[str, Any]]:
        while rows := self._books.rows(sql, begin):
            yield from rows
            begin = rows[-1][key]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._books.close()


def _event(store: str, row: Mapping[str, Any]) -> Event:
    try:
        body = json.loads(row["body"])
    except ValueError:
        body = {"unreadable": row["body"]}
    told = {
        "store": store, "boot": row["boot"], "seq": row["seq"], "visit": row["visit"], "type": row["type"],
        "body": body, "mono_ms": row["mono_ms"], "wall_ms": row["wall_ms"], "clock": row["clock"],
    }  # fmt: skip  # a table
    true_h = "" if row["redacted"] else hash_of(told, row["prev"])
    moment = f"{row['boot']}:{row['mono_ms']}:{row['wall_ms']}"
    return Event(
        row["seq"], row["h"], row["prev"], true_h, row["visit"] or "", row["type"], body, moment,
        stored_ms=row["stored_ms"],
    )  # fmt: skip  # a row
