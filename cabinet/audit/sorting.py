"""Facts in the order of their visits, however many: on disk beyond a few megabytes, gone when closed."""

import json
import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

from cabinet.audit.rows import Fact

CACHE_KIB: Final = 16_384
BATCH: Final = 500
COLUMNS: Final = 12


class Sorter:
    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # no name: a temporary file that SQLite removes itself
        self._db.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute(
            "CREATE TABLE fact (visit, of, place, amount, currency, word, name, sure, above, last, ours, n)"
        )
        self._db.execute("BEGIN")
        self._batch: list[tuple[object, ...]] = []

    def add(self, fact: Fact) -> None:
        self._batch.append((
            fact.visit, fact.of, fact.where, fact.amount, fact.currency, fact.word, fact.name, fact.sure, fact.above,
            fact.last, fact.ours, json.dumps(fact.amounts) if fact.amounts else "",
        ))  # fmt: skip  # a table
        if len(self._batch) >= BATCH:
            self._flush()

    def sorted(self) -> Iterator[Fact]:
        self._flush()
        for row in self._db.execute("SELECT * FROM fact ORDER BY visit, rowid"):
            yield _fact(row)

    def _flush(self) -> None:
        self._db.executemany(f"INSERT INTO fact VALUES (?{', ?' * (COLUMNS - 1)})", self._batch)  # noqa: S608  # marks
        self._batch.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()


def _fact(row: tuple[Any, ...]) -> Fact:
    visit, of, where, amount, currency, word, name, sure, above, last, ours, amounts = row
    return Fact(
        visit, of, where, amount, currency, word, name, bool(sure), bool(above), bool(last), bool(ours),
        tuple(json.loads(amounts)) if amounts else (),
    )  # fmt: skip  # a row
