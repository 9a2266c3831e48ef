"""What is still kept of a member who was erased: in a cabinet's files, and in the far end's books.

Here a past visit keeps the bare id.  There payments, charges and visits do, because accounts have to be kept, and the
note that the id is to be taken no more (cloud/money/MONEY.md).  Everything else must be gone.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from cabinet.ledger.copies import STAYS

THERE: Final = frozenset({"payment", "charge", "visit", "forgotten"})
KEPT: Final = (  # of a member, as it stands in the file: their own key and name, faces, the hashes of codes
    ("member", "wrapped"), ("member", "name"), ("template", "vector"), ("token", "sha256"),
)  # fmt: skip  # a table
PURSE: Final = (("wallet", "customer"), ("wallet", "method"))  # what leads the far end to a person
WITH_A_MEMBER: Final = (
    "SELECT DISTINCT s.name FROM sqlite_schema s, pragma_table_info(s.name) c"
    " WHERE s.type = 'table' AND c.name = 'member' ORDER BY s.name"
)


def pieces(ledger: Path, member: str) -> dict[str, bytes]:
    """What stands there of a member now, by what it is: to be sought again after the erasure."""
    return _cells(ledger, KEPT, member)


def purse(books: Path, member: str) -> dict[str, bytes]:
    """Likewise of the far end's books."""
    return _cells(books, PURSE, member)


def found(sought: Mapping[str, bytes], files: Iterable[Path]) -> list[str]:
    """Which of them stand in any of the files, wherever in it."""
    there = [_content(file) for file in files]
    return [about for about, piece in sought.items() if any(piece in content for content in there)]


def in_rows(sought: Mapping[str, bytes], books: Path) -> list[str]:
    """Which of them stand in any row there.  SQLite's log may hold an old page of the books for a while."""
    with closing(_reading(books)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        cells = [_bytes(cell) for name in tables for row in db.execute(f'SELECT * FROM "{name}"') for cell in row]  # noqa: S608  # names by SQLite
    return [about for about, piece in sought.items() if any(piece in cell for cell in cells)]


def rows_here(ledger: Path, members: Iterable[str]) -> list[str]:
    return [f"here {told}" for member in members for told in _rows(ledger, member, STAYS)]


def rows_there(books: Path, members: Iterable[str]) -> list[str]:
    """Also that the far end has not heard of it at all."""
    told = []
    for member in members:
        told += [f"there {row}" for row in _rows(books, member, THERE)]
        with closing(_reading(books)) as db:
            if not db.execute("SELECT 1 FROM forgotten WHERE member = ?", [member]).fetchall():
                told.append("the far end was not told")
    return told


def _rows(file: Path, member: str, stays: Collection[str]) -> list[str]:
    with closing(_reading(file)) as db:
        tables = [name for (name,) in db.execute(WITH_A_MEMBER) if name not in stays]
        sql = 'SELECT count(*) FROM "{}" WHERE member = ?'
        counts = {name: db.execute(sql.format(name), [member]).fetchone()[0] for name in tables}
    return [f"{count} rows of {name}" for name, count in counts.items() if count]


def _cells(file: Path, columns: Iterable[tuple[str, str]], member: str) -> dict[str, bytes]:
    told: dict[str, bytes] = {}
    with closing(_reading(file)) as db:
        for table, column in columns:
            sql = f'SELECT "{column}" FROM "{table}" WHERE member = ?'  # noqa: S608  # names of our own
            for n, (cell,) in enumerate(db.execute(sql, [member])):
                told[f"{table}.{column} {n}"] = _bytes(cell)
    return told


def _content(file: Path) -> bytes:
    """Empty for a folder, and for a file that has gone meanwhile."""
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""


def _bytes(cell: object) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode()


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True)
