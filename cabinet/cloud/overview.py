"""Where the far end stands, for `cabinet cloud status`: from its small tables, never from all events.

Lists are bounded; each comes with how many there are of its kind.
"""

from dataclasses import dataclass
from typing import Any, Final

from cabinet.cloud.store import Alarm, CloudStore

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Overview:
    cabinets: int
    stores: int
    events: int
    charges: int
    behind: int  # events known of and not below a mark, all stores together
    open_visits: int
    forks: int
    marks: tuple[dict[str, Any], ...]  # the farthest behind first, then the newest
    gaps: tuple[dict[str, Any], ...]  # the oldest first
    open: tuple[dict[str, Any], ...]  # visits, the oldest first
    refusals: tuple[dict[str, Any], ...]
    alarms: tuple[Alarm, ...]  # the newest last
    alarm_counts: dict[str, int]


def overview(store: CloudStore) -> Overview:
    rows = store.books.rows
    sums = store.books.row(
        "SELECT count(DISTINCT cab) AS cabinets, count(*) AS stores, coalesce(sum(events), 0) AS events,"
        " coalesce(sum(charges), 0) AS charges, coalesce(sum(head - hwm), 0) AS behind FROM mark"
    )
    unclosed = "FROM visit WHERE closed_ms IS NULL AND opened_ms IS NOT NULL"
    kinds = rows("SELECT kind, count(*) AS n FROM alarm GROUP BY kind ORDER BY kind")
    counts = {row["kind"]: row["n"] for row in kinds}
    n_open = store.books.row(f"SELECT count(*) AS n {unclosed}")  # our own text
    newest = rows("SELECT cab, kind, what, at_ms FROM alarm ORDER BY n DESC LIMIT ?", MOST)
    return Overview(
        **{name: int(n) for name, n in (sums or {}).items()},  # PostgreSQL adds up to decimals
        open_visits=0 if n_open is None else n_open["n"],
        forks=counts.get("fork", 0),
        marks=tuple(rows(
            "SELECT cab, store, hwm, head, head - hwm AS lag, events, charges, gap_ms FROM mark"
            " ORDER BY head - hwm DESC, last_n DESC LIMIT ?", MOST,
        )),
        gaps=tuple(rows(
            "SELECT cab, store, hwm + 1 AS missing, head, gap_ms AS since_ms FROM mark WHERE gap_ms IS NOT NULL"
            " ORDER BY gap_ms LIMIT ?", MOST,
        )),
        open=tuple(rows(
            "SELECT visit, cab, member, purpose, opened_ms, alarmed_ms"  # our own text
            f" {unclosed} ORDER BY opened_ms, visit LIMIT ?", MOST,
        )),
        refusals=tuple(rows("SELECT cab, why, n, first_ms, last_ms FROM refusal ORDER BY cab, why LIMIT ?", 20 * MOST)),
        alarms=tuple(Alarm(**row) for row in reversed(newest)),
        alarm_counts=counts,
    )  # fmt: skip  # a question a line
