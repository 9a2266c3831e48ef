"""One SQLite file, opened the way that survives a power cut, and the transactions on it.

Knows pragmas, migrations and errors; knows nothing of visits or members.  It refuses a build of SQLite that does not
keep `synchronous=FULL`, a file of somebody else, a damaged file and a file from the future.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

from cabinet.ledger.errors import (
    EntryRefusedError,
    LedgerDamagedError,
    LedgerError,
    LedgerForeignError,
    LedgerFullError,
    LedgerLostError,
    LedgerNewerError,
)

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S: Final = 5.0  # longer than any transaction of ours by three orders of magnitude

# name, value to set, value that must be read back
SETTINGS: Final[tuple[tuple[str, str, str | int], ...]] = (
    ("busy_timeout", str(int(BUSY_TIMEOUT_S * 1000)), int(BUSY_TIMEOUT_S * 1000)),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),  # NORMAL loses acknowledged commits in a power cut
    ("foreign_keys", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("secure_delete", "ON", 1),  # an erased face is overwritten, not just forgotten
)

_FATAL: Final = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PROTOCOL}


class LedgerFile:
    """An open database with our settings, and `writing()` as the only way to change it."""

    def __init__(
        self, path: Path, *, mark: int, migrations: Sequence[str], what: str = "ledger", read_only: bool = False
    ) -> None:
        """`mark` is the file's application_id; `migrations[n]` leads from version n to n + 1.  Raises LedgerError."""
        self.path = path
        self.what = what
        self._lost: str | None = None
        self.make_room: Callable[[], bool] = lambda: False  # on a full disk: whether something was given up
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        try:
            self.connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        except sqlite3.Error as error:
            raise LedgerError(f"cannot open the {what} {path}: {error}; check the folder and its owner") from error
        try:
            self._begin_using(mark, migrations, read_only=read_only)
        except BaseException:
            self.connection.close()
            raise

    def _begin_using(self, mark: int, migrations: Sequence[str], *, read_only: bool) -> None:
        try:
            if not read_only:
                self._check_owner(mark, migrations)
            self._settle(SETTINGS[:1] if read_only else SETTINGS)
            self._check_pages()
            self._check_owner(mark, migrations)
            if not read_only:
                self._migrate(mark, migrations)
        except UnicodeDecodeError as error:  # of a name or a message that is no text any more
            raise self._damaged(str(error)) from error
        except sqlite3.DatabaseError as error:
            if _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise self._damaged(str(error)) from error
            raise LedgerError(f"cannot open the {self.what} {self.path}: {error}") from error
        # One connection, one object: sqlite-utils never opens another behind our back.
        self.db = Database(self.connection, execute_plugins=False)

    def _settle(self, settings: Sequence[tuple[str, str, str | int]]) -> None:
        for name, value, wanted in settings:
            self.connection.execute(f"PRAGMA {name}={value}")
            (found,) = self.connection.execute(f"PRAGMA {name}").fetchone()
            if found != wanted:
                raise LedgerError(
                    f"this SQLite ({sqlite3.sqlite_version}) answers {name}={found} instead of {wanted} for"
                    f" {self.path}: charges would not survive a power cut, so it is not used"
                )

    def _check_pages(self) -> None:
        found = [row[0] for row in self.connection.execute("PRAGMA quick_check(5)")]
        if found != ["ok"]:
            raise self._damaged("; ".join(found))

    def _damaged(self, found: str) -> LedgerDamagedError:
        return LedgerDamagedError(
            f"the {self.what} {self.path} is damaged ({found}); stop the cabinet, keep the file and its -wal and"
            f" -shm beside it (mv {self.path}* to a safe place), put back the last copy or start with an empty one"
        )

    def _check_owner(self, mark: int, migrations: Sequence[str]) -> None:
        newest = len(migrations)
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        (owner,) = self.connection.execute("PRAGMA application_id").fetchone()
        (tables,) = self.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if owner != mark and (tables or owner or version):
            if self._looks_like(migrations):
                raise self._damaged(f"its header says application_id {owner:#x}")
            raise LedgerForeignError(
                f"{self.path} is a database of something else (application_id {owner:#x}, ours is {mark:#x}):"
                f" name another path for the {self.what}"
            )
        if version < newest and tables and self._looks_like(migrations):
            raise self._damaged(f"its header says schema version {version}, its tables are those of {newest}")
        if version > newest:
            raise LedgerNewerError(
                f"the {self.what} {self.path} has schema version {version}, this program knows versions up to"
                f" {newest}: install the program that wrote it, or put back the copy made before the upgrade"
            )

    def _looks_like(self, migrations: Sequence[str]) -> bool:
        """Has it exactly the tables that our migrations make?  Then what its header says is wrong."""
        found = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name"
        with contextlib.closing(sqlite3.connect(":memory:")) as ours:
            for migration in migrations:
                ours.executescript(migration)
            return ours.execute(found).fetchall() == self.connection.execute(found).fetchall()

    def _migrate(self, mark: int, migrations: Sequence[str]) -> None:
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        for number in range(version, len(migrations)):
            self.connection.executescript(
                f"BEGIN IMMEDIATE;\n{migrations[number]}\n"
                f"PRAGMA application_id={mark}; PRAGMA user_version={number + 1}; COMMIT;"
            )
            log.info("schema_migrated file=%s version=%d", self.path, number + 1)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction: all of it is on disk afterwards, or none.  Nested use joins the outer one.

        Raises EntryRefusedError for a broken rule, LedgerLostError where the disk failed, LedgerError otherwise.
        """
        self.check()
        try:
            if self.connection.in_transaction:
                with self.db.atomic():
                    yield self.db
                return
            # sqlite-utils' own BEGIN is deferred and meets "database is locked" when a read turns into a write.
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        except sqlite3.IntegrityError as error:
            raise EntryRefusedError(f"{self.what} {self.path}: {error}") from error
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # the error that brought us here is the one to tell
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    def _explain(self, error: sqlite3.Error) -> LedgerError:
        if _code(error) in _FATAL:
            self._lost = (
                f"writing to the {self.what} {self.path} failed ({error}): what was committed is safe, nothing more"
                " is written before a restart; check the card and the power supply"
            )
            return LedgerLostError(self._lost)
        if _code(error) == sqlite3.SQLITE_FULL:
            return LedgerFullError(f"no room on the disk for the {self.what} {self.path}: nothing was written")
        return LedgerError(f"{self.what} {self.path}: {error}")

    def check(self) -> None:
        """Raises LedgerLostError if the disk has ever failed us, whoever was told of it then."""
        if self._lost is not None:
            raise LedgerLostError(self._lost)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """What a SELECT finds, all of it: no cursor stays open across a write.  Raises LedgerError."""
        try:
            return list(self.db.query(sql, values))
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def row(self, sql: str, *values: object) -> dict[str, Any] | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def forget_deleted(self) -> None:
        """Move the write-ahead log into the file and cut it, so that no copy of a deleted row stays in it."""
        try:
            (busy, _, _) = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise self._explain(error) from error
        if busy:
            log.warning("deleted_rows_stay_in_the_log_for_now file=%s why=somebody is reading", self.path)

    def close(self) -> None:
        self.connection.close()


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest the detail
