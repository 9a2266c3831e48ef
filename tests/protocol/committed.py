"""The log of a cabinet and a cloud that only left their databases behind: what was committed, in the order of commits.

What was said between the two is not in any file.  It is put in where it must have been: an event was sent before it
was stored, and the acknowledgement of a mark was heard after the mark had moved.  So this shows the order of each book
and that both fit one protocol, and nothing of the wire.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from tests.protocol import recorder as did

KINDS = {"visit.opened": did.OPENED, "visit.closed": did.CLOSED}
LONGEST = 88  # events: the model has room for a few more


def committed(edge: Path, cloud: Path) -> list[tuple[int, ...]]:
    """Of a cabinet with one store, its first 88 events."""
    book = _rows(edge, "SELECT store, seq, visit, type, h, prev FROM outbox")[:LONGEST]
    number = {row["h"]: n for n, row in enumerate(book, 1)}
    visits: dict[str, int] = {}
    steps: list[tuple[int, ...]] = [(did.HELLO, 0, 1, 0, 0), (did.WELCOME_SAID, 0, 1, 0)]
    steps.append((did.WELCOME_HEARD, 0, 0, 1, did.WELCOMED, 0))
    written = freed = mark = 0
    stored: set[int] = set()
    events = _rows(cloud, "SELECT h FROM event")
    for row in [number[event["h"]] for event in events if event["h"] in number]:
        for one in book[written:row]:
            visit = visits.setdefault(one["visit"], len(visits) + 1)
            place = (number[one["h"]], 1, one["seq"], number.get(one["prev"], 0))
            steps.append((KINDS[one["type"]], 0, *place, visit))
        written = max(written, row)
        stored.add(row)
        while mark + 1 in stored:
            mark += 1
        steps += [(did.SENT, 0, row), (did.STORED, row, mark)]
        if mark > freed:
            steps += [(did.ACK_SAID, 1, mark), (did.ACK_HEARD, 0, mark, mark - freed)]
            freed = mark
    charged = [row["visit"] for row in _rows(cloud, "SELECT visit FROM charge")]
    return steps + [(did.CHARGED, n, 1) for visit, n in visits.items() if visit in charged]


def _rows(file: Path, sql: str) -> list[dict[str, Any]]:
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(f"{sql} ORDER BY rowid")]
