"""Along the unbroken chain of a store's events, and what is stored beyond its first gap."""

from typing import Any, Final

from cabinet.cloud.books import Books
from cabinet.cloud.entries import Mark

MAX_SELECTIVE: Final = 48  # 64 + 9 bytes each: such an ack stays well below 4 KiB
STRIDE: Final = 64  # events looked at in one go; more than a cabinet's window
LONG_STRIDE: Final = 2_000  # when a gap has closed under a long tail

BEYOND: Final = "SELECT seq, h, prev, n FROM event WHERE cab = ? AND store = ? AND seq > ? ORDER BY seq LIMIT ?"


def reach(books: Books, cab: str, store: str, begin: Mark, head: int) -> tuple[Mark, dict[int, str]]:
    """How far the chain goes from `begin`, and what is beyond.  `head`: the highest event there is."""
    mark, stride = begin, STRIDE
    while mark.hwm < head:
        rows = books.rows(BEYOND, cab, store, mark.hwm, stride)
        before, mark = mark, _along(mark, rows)
        if mark == before or len(rows) < stride:
            break
        stride = LONG_STRIDE
    return mark, above(books, cab, store, mark) if mark.hwm < head else {}


def _along(mark: Mark, rows: list[dict[str, Any]]) -> Mark:
    """Where two follow the same event, the one that was here first goes on."""
    at: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        at.setdefault(row["seq"], []).append(row)
    while follows := [row for row in at.get(mark.hwm + 1, ()) if row["prev"] == mark.h]:
        first = min(follows, key=lambda row: int(row["n"]))
        mark = Mark(first["seq"], first["h"])
    return mark


def above(books: Books, cab: str, store: str, mark: Mark) -> dict[int, str]:
    """Stored beyond the gap: seq → hash, the lowest first.  A place with two hashes is left out."""
    rows = books.rows(
        "SELECT seq, min(h) AS h FROM event WHERE cab = ? AND store = ? AND seq > ?"
        " GROUP BY seq HAVING count(*) = 1 ORDER BY seq LIMIT ?",
        cab, store, mark.hwm, MAX_SELECTIVE,
    )  # fmt: skip  # a table
    return {row["seq"]: row["h"] for row in rows}
