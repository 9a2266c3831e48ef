"""A cabinet's ledger as an audit reads it: a running one, a dead one's, or a copy.  Nothing is written.

It refuses (LedgerError) a file that is damaged, or no ledger of ours.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cabinet.audit.rows import Event, Fact
from cabinet.ledger.errors import LedgerError
from cabinet.ledger.file import LedgerFile
from cabinet.ledger.room import from_json
from cabinet.ledger.schema import APPLICATION_ID, MIGRATIONS
from cabinet.wire import WireError, event_hash

EVENTS = (
    "SELECT seq, h, prev, visit, type, body, boot, mono_ms, wall_ms, quality, acked_at_ms FROM outbox"
    " WHERE store = ? ORDER BY seq"
)
SOLD = "SELECT visit, outcome, total_minor, currency, n = (SELECT max(n) FROM visit) FROM visit"
CHANGES = "SELECT visit, id, back_minor FROM adjustment WHERE kind IN ('refund', 'correction')"


class EdgeFile:
    """One file in one snapshot, from the opening to the closing."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise LedgerError(f"{path} is not there: name a cabinet's ledger (ledger.db in its data_dir)")
        self.name = str(path)
        self._file = LedgerFile(path, mark=APPLICATION_ID, migrations=MIGRATIONS, read_only=True)
        self._tables: frozenset[str] = frozenset()
        try:
            self._ask("BEGIN")
            self._tables = frozenset(row[0] for row in self._ask("SELECT name FROM sqlite_schema WHERE type = 'table'"))
            self.heads: dict[str, int] = dict(self._ask("SELECT store, max(seq) FROM outbox GROUP BY store"))
        except BaseException:
            self._file.close()
            raise

    def events(self, store: str) -> Iterator[Event]:
        for seq, h, prev, visit, kind, text, boot, mono_ms, wall_ms, quality, acked_at_ms in self._ask(EVENTS, store):
            body = from_json(text)
            told = {
                "store": store, "boot": boot, "seq": seq, "visit": visit, "type": kind, "body": body,
                "mono_ms": mono_ms, "wall_ms": wall_ms, "clock": quality,
            }  # fmt: skip  # a table
            true_h, moment = hash_of(told, prev), f"{boot}:{mono_ms}:{wall_ms}"
            yield Event(seq, h, prev, true_h, visit or "", kind, body, moment, sure=acked_at_ms is not None)

    def facts(self) -> Iterator[Fact]:
        for visit, outcome, total_minor, currency, last in self._ask(SOLD):
            yield Fact(visit, "sold", self.name, total_minor, currency, outcome or "", last=bool(last))
        if "adjustment" in self._tables:  # a file of an older program has none
            for visit, name, back_minor in self._ask(CHANGES):
                yield Fact(visit, "change", self.name, back_minor, name=name)

    def _ask(self, sql: str, *values: object) -> Iterator[Any]:
        try:
            yield from self._file.connection.execute(sql, values)
        except sqlite3.Error as error:
            raise LedgerError(f"{self.name} cannot be read: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def hash_of(told: dict[str, Any], prev: str) -> str:
    try:
        return event_hash(told, prev)
    except WireError as error:  # a body that could never have been hashed
        return f"none: {error}"
