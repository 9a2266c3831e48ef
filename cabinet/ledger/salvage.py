"""Every row that can still be read in a damaged ledger, as (table, values), whoever finds it.

Two ways, the second always after the first, because together they find more: SQLite's own `.recover`, where the
command `sqlite3` is installed, and the pages themselves.  Rows whose table is not known any more are told by their
shape.  Nothing is judged here; the same row may come twice.
"""

import logging
import re
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cabinet.ledger import pages
from cabinet.ledger.pages import Value

log = logging.getLogger(__name__)

COMMAND: Final = "sqlite3"
RECOVER_S: Final = 120.0  # 100 MB take some ten seconds
LOST: Final = "lost_and_found"  # where `.recover` puts rows of no table: rootpgno, pgno, nfield, id, c0, c1 …

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_ULID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_JSON: Final = re.compile(r"[{\[].*[}\]]", re.DOTALL)
_NOTE: Final = re.compile(r"[a-z]+[.:][ -~]*")

Row = dict[str, Any]
Columns = Mapping[str, Sequence[str]]  # of each table of ours, in order


def salvaged(content: bytes, columns: Columns) -> tuple[dict[str, list[Row]], str]:
    """Table → its rows, and how they were found.  `content` as `pages.whole` gives it."""
    found: dict[str, list[Row]] = {table: [] for table in columns}
    official = _recover(content, columns)
    for table, values in (*(official or ()), *_carve(content)):
        named = table or _table_of(values)
        if named in found and len(values) <= len(columns[named]):
            found[named].append(dict(zip(columns[named], values, strict=False)))
    return found, "page by page" if official is None else "by sqlite3 .recover and page by page"


def _carve(content: bytes) -> Iterator[tuple[str | None, Sequence[Value]]]:
    return ((None, values) for values in pages.rows(content))


def _recover(content: bytes, columns: Columns) -> list[tuple[str | None, Sequence[Value]]] | None:
    """What `sqlite3 FILE .recover` finds; None where it is not installed or fails."""
    with tempfile.TemporaryDirectory() as folder:
        damaged, mended = Path(folder) / "damaged.db", Path(folder) / "mended.db"
        damaged.write_bytes(content)
        try:
            told = subprocess.run(
                [COMMAND, "-batch", str(damaged), ".recover"],
                capture_output=True, timeout=RECOVER_S, check=False, stdin=subprocess.DEVNULL,
            ).stdout  # fmt: skip  # what may go wrong with it leaves less text, and that is seen below
            subprocess.run(
                [COMMAND, "-batch", str(mended)], input=told, capture_output=True, timeout=RECOVER_S, check=False
            )
            return _read(mended, columns)
        except (OSError, subprocess.SubprocessError, sqlite3.Error) as error:
            log.warning("sqlite3_recover_failed why=%r", error)
            return None


def _read(mended: Path, columns: Columns) -> list[tuple[str | None, Sequence[Value]]]:
    connection = sqlite3.connect(f"{mended.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        there = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found: list[tuple[str | None, Sequence[Value]]] = []
        for table in there:
            rows = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names that SQLite itself gave
            if table in columns:
                found += [(table, row) for row in rows]
            elif table.startswith(LOST):
                found += [(None, _unlost(row)) for row in rows]
        return found
    finally:
        connection.close()


def _unlost(row: Sequence[Value]) -> Sequence[Value]:
    _, _, fields, rowid, *values = row
    kept = values[: fields if isinstance(fields, int) else None]
    return [rowid if not kept or kept[0] is None else kept[0], *kept[1:]]


def _table_of(values: Sequence[Value]) -> str | None:
    """The table that a row of this shape is of; None: of none of ours, or of one that is not worth a guess."""
    for table, (least, most, shape) in _SHAPES.items():
        if least <= len(values) <= most and all(map(_fits, shape, values)):
            return table
    return None


def _fits(wanted: object, value: Value) -> bool:
    if isinstance(wanted, re.Pattern):
        return isinstance(value, str) and wanted.fullmatch(value) is not None
    if isinstance(wanted, frozenset):
        return value in wanted
    return wanted is None or isinstance(value, wanted)  # type: ignore[arg-type]  # a type, by the table below


_N: Final = (int, float)
_KID: Final = re.compile(r"[0-9a-f]{16}")
_QUALITY: Final = frozenset({"none", "floor", "ntp", "cloud"})
_RESULT: Final = frozenset({"begun", "ok", "refused"})
# table: fewest and most columns (rows older than a column lack it), and what the first ones must be; the first that
# fits is taken.  `blocked` is missing: the cloud says it again; `technician_code`, too: one whose use was lost would be
# good once more.
_SHAPES: Final[Mapping[str, tuple[int, int, tuple[object, ...]]]] = {
    "sqlite_schema": (5, 5, (frozenset({"table", "index", "trigger", "view"}), str, str, int)),  # dropped: not ours
    "outbox": (13, 13, (str, int, None, str, _JSON, _HEX, _HEX, str, int, int, str)),
    "visit": (23, 24, (int, _ULID, None, frozenset({"shop", "restock", "service"}), str, str, int, _JSON, str, int)),
    "adjustment": (12, 13, (int, str, str, frozenset({"refund", "correction", "dispute"}), int, str, str, str)),
    "board_journal": (12, 12, (int, str, int, int, int, int, str, None, _JSON, int, int, str)),
    "identity": (3, 3, (frozenset({0}), re.compile(r"[0-9a-f]{32}"), int)),
    "state": (3, 3, (frozenset({0}), re.compile(r"[A-Z][A-Za-z]+"), _JSON)),
    "member": (5, 14, (str, str, str, int, str)),
    "template": (4, 4, (int, str, str, bytes)),
    "consent": (7, 7, (int, str, frozenset({"enrol", "face", "share-face"}), frozenset({0, 1}), str, str, int)),
    "member_key": (3, 3, (_KID, str, bytes)),
    "admission": (12, 12, (int, str, None, str, frozenset({"allow", "digits", "deny"}), int, str, _JSON, int, int)),
    "trust_event": (11, 11, (int, str, str, int, None, str, str, int, int, _QUALITY, int)),
    "access_log": (7, 7, (int, str, str, None, str, int, _QUALITY)),
    "audit_line": (14, 14, (int, None, str, int, int, _QUALITY, str, None, str, str, _RESULT, str, _HEX, _HEX)),
    "audit_end": (4, 4, (frozenset({0}), int, _HEX, int)),
    "technician": (6, 6, (_ULID, str, None, int, None, str)),
    "technician_key": (4, 4, (_KID, _ULID, bytes, int)),
    "roster": (3, 3, (str, _HEX, frozenset({"here", "own", "erased"}))),
    "erasure": (3, 3, (int, _JSON, int)),
    "product": (7, 8, (str, str, _N, None, int, str, int)),
    "gallery": (4, 6, (str, str, bytes, int)),
    "price_rules": (4, 4, (int, _JSON, str, int)),
    "shadow": (8, 8, (str, int, int, int, int, int, int, int)),
    "belief": (11, 12, (str, _N, _N, _N, _N, _N, _N, int, int, int, int)),
    "uncounted": (5, 5, (_ULID, str, str, _JSON, _JSON)),
    "stray": (6, 6, (str, str, str, int, int, int)),
    "planogram": (3, 3, (str, int, str)),
    "stock": (3, 3, (str, str, int)),
    "token": (2, 2, (_HEX, str)),
    "lesson": (2, 2, (_ULID, str)),
    "note": (2, 2, (_NOTE, str)),
}
