"""Who looks after what nobody sends: gaps that stay, visits that stay open.

Each decision is a function of what the books say and the cloud's clock; each alarm is raised in one transaction with
the note that it was, so that several workers may look at the same time and a person is told once.  Whatever comes late
is accepted; no watchdog closes or changes anything.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

from cabinet.cloud.store import CloudStore

log = logging.getLogger(__name__)

OPEN_ONLINE_MS: Final = 15 * 60_000  # longer than any visit, and the cabinet could have told us
OPEN_AWAY_MS: Final = 24 * 3_600_000  # a cabinet without a network may be just that
GAP_MS: Final = 24 * 3_600_000  # naks have asked for it every ten seconds until now
RECENT_MS: Final = 5 * 60_000  # a cabinet that is connected tells its state more often than this
MOST: Final = 200  # of one round; the next one takes the rest


@dataclass(frozen=True, slots=True)
class OpenVisit:
    visit: str
    cab: str
    member: str | None
    purpose: str | None
    opened_ms: int
    heard_ms: int | None


def too_long_open(visit: OpenVisit, now_ms: int) -> str | None:
    """Why a person has to look at this visit now, else None."""
    online = visit.heard_ms is not None and now_ms - visit.heard_ms <= RECENT_MS
    open_ms = now_ms - visit.opened_ms
    if open_ms < (OPEN_ONLINE_MS if online else OPEN_AWAY_MS):
        return None
    how = "while its cabinet is online" if online else "and its cabinet is not heard"
    whose = f"of member {visit.member}" if visit.member else "of nobody known"
    what = f" ({visit.purpose})" if visit.purpose not in {None, "", "shop"} else ""
    limit = "15 min" if online else "24 h"
    return f"visit {visit.visit}{what} {whose}: opened and not closed for {limit} {how}"


def patrol(store: CloudStore, now_ms: int) -> list[str]:
    """Look after everything once; the alarms that this round has raised."""
    return _open_visits(store, now_ms) + _gaps(store, now_ms)


def _open_visits(store: CloudStore, now_ms: int) -> list[str]:
    rows = store.books.rows(
        "SELECT v.visit, v.cab, v.member, v.purpose, v.opened_ms, h.last_ms AS heard_ms FROM visit v"
        " LEFT JOIN heard h ON h.cab = v.cab"
        " WHERE v.closed_ms IS NULL AND v.opened_ms IS NOT NULL AND v.opened_ms <= ? AND v.alarmed_ms IS NULL"
        " AND (h.last_ms >= ? OR v.opened_ms <= ?) ORDER BY v.opened_ms LIMIT ?",
        now_ms - OPEN_ONLINE_MS, now_ms - RECENT_MS, now_ms - OPEN_AWAY_MS, MOST,
    )  # fmt: skip  # a table
    told = []
    for row in rows:
        visit = OpenVisit(**row)
        why = too_long_open(visit, now_ms)
        if why is not None and _alarm_open(store, visit, why, now_ms):
            log.error("visit_stays_open cab=%s visit=%s", visit.cab, visit.visit)
            told.append(why)
    return told


def _alarm_open(store: CloudStore, visit: OpenVisit, why: str, now_ms: int) -> bool:
    """False where another worker was first, or the closing has come."""
    with store.books.writing(visit.cab):
        noted = store.books.run(
            "UPDATE visit SET alarmed_ms = ? WHERE visit = ? AND closed_ms IS NULL AND alarmed_ms IS NULL",
            now_ms, visit.visit,
        )  # fmt: skip  # a table
        if noted:
            store.alarm(visit.cab, "open", why, now_ms)
            if store.bookkeeper is not None:
                store.bookkeeper.alarmed(visit.visit, why, now_ms)
    return bool(noted)


def _gaps(store: CloudStore, now_ms: int) -> list[str]:
    rows = store.books.rows(
        "SELECT cab, store, hwm FROM mark WHERE gap_ms IS NOT NULL AND gap_ms <= ? AND gap_told <= hwm"
        " ORDER BY gap_ms LIMIT ?",
        now_ms - GAP_MS, MOST,
    )  # fmt: skip  # a table
    return [what for row in rows if (what := _alarm_gap(store, row, now_ms)) is not None]


def _alarm_gap(store: CloudStore, row: dict[str, Any], now_ms: int) -> str | None:
    """None where another worker was first, or the gap has just closed."""
    what = f"store {row['store']}: event {row['hwm'] + 1} is missing for 24 h, later ones are here"
    with store.books.writing(row["cab"]):
        noted = store.books.run(
            "UPDATE mark SET gap_told = hwm + 1 WHERE cab = ? AND store = ? AND hwm = ? AND gap_told <= hwm"
            " AND gap_ms IS NOT NULL",
            row["cab"], row["store"], row["hwm"],
        )  # fmt: skip  # a table
        if noted:
            store.alarm(row["cab"], "gap", what, now_ms)
    if not noted:
        return None
    log.error("gap_stays cab=%s store=%s event=%d", row["cab"], row["store"], row["hwm"] + 1)
    return what
