"""The books on a PostgreSQL server, over psycopg.

One connection; where it breaks, the running transaction is lost as a whole and the next question connects anew.  It
refuses a server that does not wait for its disk: an acknowledged charge must survive a power cut there too.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from cabinet.cloud.books import BooksAwayError
from cabinet.cloud.books.schema import migrations
from cabinet.ledger.errors import EntryRefusedError, LedgerDamagedError, LedgerError, LedgerNewerError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 5
STATEMENT_TIMEOUT_MS: Final = 30_000  # a question that takes longer is a fault, not a wait
SILENCE_MS: Final = 15_000  # a server whose machine has gone says nothing at all
FLUSH: Final = "SELECT pg_logical_emit_message(true, 'cabinet', '')"  # a commit without a record waits for nothing
MIGRATING: Final = "cabinet: schema"  # the lock of whoever makes or changes the tables


class PostgresBooks:
    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Raises BooksAwayError where nobody answers, LedgerError for a server or tables that cannot be used."""
        try:
            facts = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise LedgerError(f"the database URL cannot be read: {error}".strip()) from error
        self._url, self._read_only = url, read_only
        bare = {key: value for key, value in facts.items() if key in {"host", "port", "dbname"}}
        self.where = f"postgresql:{make_conninfo(**bare)}"  # type: ignore[arg-type]  # only texts and numbers
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._writing = self._batch = False
        self._used = False  # since the batch began
        if not read_only:
            self._migrate()
        else:
            self._check_version(self._connected(), migrations("postgresql"))

    @contextlib.contextmanager
    def writing(self, of: str = "") -> Iterator[None]:
        if self._writing:
            with self._explained():
                yield
            return
        connection = self._connected()
        self._used = True
        begin = "BEGIN; SET LOCAL synchronous_commit = off" if self._batch else "BEGIN"
        lock = f"; SELECT pg_advisory_xact_lock({_lock(of)})" if of else ""
        with self._explained():
            connection.execute(begin + lock)  # one round trip for all; nobody reads before it has the lock
            self._writing = True
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(psycopg.Error):  # the error that brought us here is the one to tell
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._writing = False

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        if self._writing or self._batch:
            yield
            return
        self._batch, self._used = True, False
        try:
            yield
        finally:
            self._batch = False
        if self._used:
            self.row(FLUSH)

    def run(self, sql: str, *values: object) -> int:
        with self._explained():
            return self._connected().execute(_marks(sql), values).rowcount

    def row(self, sql: str, *values: object) -> dict[str, Any] | None:
        self._used = True
        with self._explained():
            return self._connected().execute(_marks(sql), values).fetchone()

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        self._used = True
        with self._explained():
            return self._connected().execute(_marks(sql), values).fetchall()

    def forget_deleted(self) -> None:
        """Nothing: autovacuum and the log's own rotation are the server's."""

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection[dict[str, Any]]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if self._writing:  # the transaction is gone; half of it must not go on by itself
            raise BooksAwayError(f"the database at {self.where} went away in the middle of a transaction")
        try:
            connection = psycopg.connect(
                self._url, autocommit=True, row_factory=dict_row, connect_timeout=CONNECT_TIMEOUT_S,
                application_name="cabinet", options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
                keepalives_idle=10, keepalives_interval=3, keepalives_count=3, tcp_user_timeout=SILENCE_MS,
            )  # fmt: skip  # a list
            self._settle(connection)
        except psycopg.OperationalError as error:
            raise BooksAwayError(f"the database at {self.where} does not answer: {_words(error)}") from error
        self._connection = connection
        return connection

    def _settle(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        connection.execute("SET synchronous_commit = on")
        if self._read_only:
            connection.execute("SET default_transaction_read_only = on")
        found = connection.execute("SHOW fsync").fetchone()
        if found is None or found["fsync"] != "on":
            connection.close()
            raise LedgerError(
                f"the server at {self.where} runs with fsync={found and found['fsync']}: charges would not survive a"
                " power cut, so it is not used; set fsync = on in postgresql.conf"
            )

    def _migrate(self) -> None:
        steps = migrations("postgresql")
        with self.writing(MIGRATING):
            connection = self._connected()
            connection.execute("CREATE TABLE IF NOT EXISTS book (version integer NOT NULL)")
            version = self._check_version(connection, steps)
            for number in range(version, len(steps)):
                connection.execute(steps[number])
                log.info("schema_migrated books=%s version=%d", self.where, number + 1)
            if version < len(steps):
                connection.execute("DELETE FROM book")
                connection.execute("INSERT INTO book VALUES (%s)", [len(steps)])

    def _check_version(self, connection: psycopg.Connection[dict[str, Any]], steps: tuple[str, ...]) -> int:
        try:
            row = connection.execute("SELECT version FROM book").fetchone()
        except psycopg.errors.UndefinedTable as error:
            raise LedgerDamagedError(f"there are no books at {self.where}: has a cloud run there?") from error
        version = 0 if row is None else int(row["version"])
        if version > len(steps):
            raise LedgerNewerError(
                f"the books at {self.where} have schema version {version}, this program knows versions up to"
                f" {len(steps)}: install the program that wrote them"
            )
        return version

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.IntegrityError as error:
            raise EntryRefusedError(f"books {self.where}: {_words(error)}") from error
        except psycopg.errors.RaiseException as error:  # one of our triggers
            raise EntryRefusedError(f"books {self.where}: {_words(error)}") from error
        except psycopg.DataError as error:  # a text or a number that the server cannot hold
            raise EntryRefusedError(f"books {self.where}: {_words(error)}") from error
        except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction) as error:  # or a standby took over
            raise BooksAwayError(f"the database at {self.where} failed: {_words(error)}") from error
        except psycopg.Error as error:
            raise LedgerError(f"books {self.where}: {_words(error)}") from error


@lru_cache(maxsize=4096)
def _lock(of: str) -> int:
    """The lock's number: 64 bits of its name, the same in every process."""
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:8], "big", signed=True)


@lru_cache(maxsize=256)
def _marks(sql: str) -> str:
    """Our `?` as psycopg's `%s`.  Our SQL has no literal with a question mark in it."""
    return sql.replace("%", "%%").replace("?", "%s")


def _words(error: psycopg.Error) -> str:
    """The server's message as one line."""
    return " ".join(str(error).split())
