"""The cabinet's ledger, the oracle and the cloud's books beside each other, once all is calm.

Pure comparison at the end of reading; the cloud's tables are read by SQL, so that a cloud that was broken on purpose
can be read as well.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cabinet.cloud.books import open_books
from cabinet.ledger import Ledger
from tests.chaos.shared import CAB, edge_file, oracle_file

ALL = 10_000_000
EventName = tuple[str, int, str]  # store, seq, hash


@dataclass(frozen=True, slots=True)
class Here:
    sold: Mapping[str, int]  # visit → total in minor units, as the ledger has it
    oracle: Mapping[str, int]  # the same, as it was told after the commit
    freed: Mapping[EventName, str]  # what the edge holds for delivered → its visit
    closings_freed: frozenset[str]  # visits whose closing is held for delivered


@dataclass(frozen=True, slots=True)
class There:
    events: frozenset[EventName]
    charges: tuple[tuple[str, str, int], ...]  # cabinet, visit, total in minor units
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    sold: int
    acknowledged: int  # sold visits that the edge holds for delivered
    lost: frozenset[str]
    doubled: frozenset[str]
    foreign: frozenset[str]

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.foreign)


def read_edge(folder: Path) -> Here:
    """The edge must be away."""
    with Ledger(edge_file(folder)) as ledger:
        visits = ledger.visits(ALL)
        rows = [row for row in ledger.outbox(ALL) if row.acked_at_ms is not None]
    oracle = oracle_file(folder).read_text(encoding="utf-8").splitlines() if oracle_file(folder).exists() else []
    return Here(
        sold={str(record.visit): record.total_minor for record in visits if record.outcome == "charge"},
        oracle={visit: int(total) for visit, total in (line.split() for line in oracle)},
        freed={(row.store, row.seq, row.h): str(row.visit) for row in rows},
        closings_freed=frozenset(str(row.visit) for row in rows if row.type == "visit.closed"),
    )


def read_cloud(url: str) -> There:
    books = open_books(url, read_only=True)
    try:
        charges = books.rows("SELECT cab, visit, total_minor FROM charge ORDER BY n")
        events = books.rows("SELECT store, seq, h FROM event WHERE cab = ?", CAB)
        alarms = books.rows("SELECT kind, what FROM alarm ORDER BY n")
    finally:
        books.close()
    return There(
        events=frozenset((row["store"], row["seq"], row["h"]) for row in events),
        charges=tuple((row["cab"], row["visit"], row["total_minor"]) for row in charges),
        alarms=tuple(f"{row['kind']}: {row['what']}" for row in alarms),
    )


def judge(here: Here, there: There) -> Verdict:
    """lost: sold, by the ledger or the oracle, or freed at the edge, and not at the cloud; doubled: charged twice, or
    another amount; foreign: charged and never sold by this cabinet.
    """
    times = Counter(visit for _, visit, _ in there.charges)
    sold = {**here.oracle, **here.sold}
    freed_in_vain = {visit for name, visit in here.freed.items() if name not in there.events}
    changed = {visit for _, visit, total in there.charges if visit in sold and sold[visit] != total}
    unbooked = {visit for visit, total in here.oracle.items() if here.sold.get(visit) != total}
    return Verdict(
        sold=len(here.sold),
        acknowledged=len(here.closings_freed & here.sold.keys()),
        lost=frozenset(_missing(sold, times) | freed_in_vain | unbooked),
        doubled=frozenset({visit for visit, n in times.items() if n > 1 and visit in sold} | changed),
        foreign=frozenset(visit for cab, visit, _ in there.charges if cab != CAB or visit not in sold),
    )


def _missing(visits: Iterable[str], there: Mapping[str, int]) -> set[str]:
    return {visit for visit in visits if not there.get(visit)}
