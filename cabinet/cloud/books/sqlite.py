"""The books in one SQLite file, with the cabinet's own settings for files that survive a power cut."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cabinet.cloud.books import BooksAwayError
from cabinet.cloud.books.schema import migrations
from cabinet.ledger.errors import LedgerError
from cabinet.ledger.file import LedgerFile

APPLICATION_ID: Final = 0x43414243  # "CABC"
LOG_PAGES: Final = 4_000  # 16 MiB; an event writes a dozen pages, and moving them into the file costs two waits
BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class SqliteBooks:
    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Raises cabinet.ledger.LedgerError for a file that cannot be used."""
        self._file = LedgerFile(
            path, mark=APPLICATION_ID, migrations=migrations("sqlite"), what="cloud database", read_only=read_only
        )
        if read_only:
            self._check_version(len(migrations("sqlite")))
        else:
            self._file.connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
        self._asking = self._file.connection.cursor()  # our questions are too many for a new one each
        self._used = False  # since the batch began

    def _check_version(self, newest: int) -> None:
        (version,) = self._file.connection.execute("PRAGMA user_version").fetchone()
        if version < newest:
            self._file.close()
            raise LedgerError(
                f"the cloud database {self.where} has schema version {version}, this program reads {newest}:"
                " start cabinet cloud run on it once, which brings it up to date"
            )

    @property
    def where(self) -> str:
        return str(self._file.path)

    @contextlib.contextmanager
    def writing(self, of: str = "") -> Iterator[None]:
        del of  # the file has one writer at a time
        self._used = True
        try:
            with self._file.writing():
                yield
        except LedgerError as error:
            if _code(error.__cause__) in BUSY:  # another worker's turn took longer than the patience for it
                raise BooksAwayError(str(error)) from error
            raise

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        if self._file.connection.in_transaction:
            yield
            return
        self._used = False
        self._ask("PRAGMA synchronous=NORMAL")  # a commit goes to the log and does not wait
        try:
            yield
        finally:
            self._ask("PRAGMA synchronous=FULL")
        if self._used:
            self._flush()

    def _flush(self) -> None:
        """A commit that waits.  It has to change something, else SQLite leaves the disk alone."""
        with self.writing():
            self._asking.execute(f"PRAGMA application_id={APPLICATION_ID}")  # what it is already

    def run(self, sql: str, *values: object) -> int:
        return self._asking.execute(sql, values).rowcount

    def row(self, sql: str, *values: object) -> dict[str, Any] | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        self._used = True
        return self._ask(sql, *values)

    def _ask(self, sql: str, *values: object) -> list[dict[str, Any]]:
        try:
            found = self._asking.execute(sql, values).fetchall()  # all of it: no cursor stays open across a write
        except sqlite3.Error as error:
            if self._file.connection.in_transaction:
                raise  # `writing` explains it
            if _code(error) in BUSY:
                raise BooksAwayError(f"cloud database {self.where}: {error}") from error
            return self._file.rows(sql, *values)  # asked again, so that the file explains it and remembers a lost disk
        if not found:
            return []
        names = [column[0] for column in self._asking.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    def forget_deleted(self) -> None:
        self._file.forget_deleted()

    def close(self) -> None:
        self._file.close()


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest the detail
