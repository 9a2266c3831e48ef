"""The far end's database, SQLite by default and PostgreSQL by a URL, behind one small way of asking.

SQL is written once, in what both understand, with `?` for every value.  Whoever writes says for which cabinet, so that
several workers on one database never interleave two events of one cabinet.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from cabinet.ledger.errors import LedgerError

__all__ = ["Books", "BooksAwayError", "LedgerError", "open_books"]


class BooksAwayError(LedgerError):
    """The database does not answer now; what was committed is safe, and the same question may be asked again."""


class Books(Protocol):
    @property
    def where(self) -> str:
        """A path, or a URL without its password: for messages."""
        ...

    def writing(self, of: str = "") -> AbstractContextManager[None]:
        """One transaction: all of it is on disk afterwards, or none.  Nested use joins the outer one.

        Writers of the same `of` (a cabinet's id, or "" for none) wait for each other, in other processes too.  Raises
        EntryRefusedError for a broken rule, BooksAwayError or LedgerLostError where nothing was stored.
        """
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Transactions that wait for the disk together: each is atomic, none is durable before the end of the batch.

        When it ends without an exception, all that was committed or read within is on disk, whoever wrote it: the log
        is one and in order, so that one flush covers all before it.  After an exception nothing of it may be told.
        Within `writing` it does nothing: the outer transaction waits for the disk.
        """
        ...

    def run(self, sql: str, *values: object) -> int:
        """A statement within `writing`; how many rows it changed."""
        ...

    def row(self, sql: str, *values: object) -> dict[str, Any] | None: ...

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]: ...

    def forget_deleted(self) -> None:
        """Outside any transaction: no copy of a deleted row stays where this process can reach it.

        A server's own log is the server's (its checkpoints and vacuum take it).
        """
        ...

    def close(self) -> None: ...


def open_books(url: str | Path, *, read_only: bool = False) -> Books:
    """A file's path, `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/NAME`; tables are made where missing.

    Raises LedgerError with the place and the remedy.
    """
    scheme, found, rest = str(url).partition("://")
    if not found or scheme == "sqlite":
        from cabinet.cloud.books.sqlite import SqliteBooks  # noqa: PLC0415  # sqlite-utils takes its time

        path = rest.removeprefix("/") if found else str(url)  # sqlite:///relative, sqlite:////absolute
        return SqliteBooks(Path(path), read_only=read_only)
    if scheme in {"postgresql", "postgres"}:
        from cabinet.cloud.books.postgres import PostgresBooks  # noqa: PLC0415  # only where there is such a server

        return PostgresBooks(str(url), read_only=read_only)
    raise LedgerError(
        f"{scheme}:// is no database we know: give a file's path, sqlite:///PATH or postgresql://USER@HOST:PORT/NAME"
    )
