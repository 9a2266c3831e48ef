"""A new ledger out of what was salvaged of a damaged one: each row is judged before it is taken.

An event is taken if its hash is right; a closed visit if its event, or else its own sums, bear it out.  What waits for
the cloud is chained anew in order, under the same visit ids, so that the cloud charges nobody twice.  A visit of which
not enough is left is closed once, as a review.  Nothing is charged by guess.
"""

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args

from cabinet.ledger import Ledger
from cabinet.ledger.adjustments import EVENTS, _adjustment
from cabinet.ledger.audit_chain import FIELDS, line_hash
from cabinet.ledger.entries import ClosedVisit, OpenedVisit, Outcome, Stamp
from cabinet.ledger.errors import EntryRefusedError, LedgerError
from cabinet.ledger.outbox import RETENTION_MS
from cabinet.ledger.privacy import receipt_is_right
from cabinet.ledger.salvage import Row
from cabinet.ledger.state import revive
from cabinet.ledger.visits import check_closing, record_of
from cabinet.session.states import Idle, State, open_visit
from cabinet.wire import CLOCK_QUALITIES, EVENT_FIELDS, GENESIS, WireError, event_hash

DAMAGED: Final = "the ledger was damaged, and what was taken is not known any more"
MARGIN_MS: Final = 10 * 24 * 3600 * 1000  # a closing without its event is told again if it may have been waiting
PLAIN: Final = (  # in an order in which what is referred to comes first
    "product", "gallery", "planogram", "stock", "price_rules", "member", "template", "token", "note", "board_journal",
    "belief", "lesson", "uncounted", "stray", "shadow", "blocked", "consent", "member_key", "admission", "trust_event",
    "technician", "technician_key", "audit_line", "audit_end", "roster", "access_log", "erasure",
)  # fmt: skip  # a list
CLOSING: Final = ("outcome", "why", "lines", "best_guess", "total_minor", "currency", "confidence", "evidence_hash")


@dataclass
class Rebuild:
    """Writes into `ledger`, an empty one, inside one transaction."""

    ledger: Ledger
    found: Mapping[str, list[Row]]
    kept: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  # refused, or known to be missing
    told: set[tuple[str, str]] = field(default_factory=set)  # (visit, type) of every event that was taken

    def run(self) -> None:
        events = self._events()
        self._identity()
        visits = self._visits(events)
        state = self._state(visits)
        waiting = [event for event in events.values() if event["acked_at_ms"] is None]
        for event in events.values():
            if event["acked_at_ms"] is not None:
                self._insert("outbox", event)
        self._chain(waiting)
        for name in ("product", "price_rules", "member"):
            self._copy(name)
        for visit in sorted(visits.values(), key=lambda row: (row["n"] is None, row["n"], row["visit"])):
            self._visit(visit, resumed=visit["visit"] == open_visit(state))
        for name in PLAIN:
            if name not in {"product", "price_rules", "member"}:
                self._copy(name)
        self._adjustments(events.values())
        self.ledger._keep_state(state)  # noqa: SLF001  # the new ledger is this module's to fill

    # Events.

    def _events(self) -> dict[tuple[str, int], Row]:
        """Those whose hash is right, by (store, seq), in the order in which they were written."""
        good: dict[tuple[str, int], Row] = {}
        for row in self.found["outbox"]:
            event = _event(row)
            if event is not None:
                good.setdefault((event["store"], event["seq"]), event)
        bad = {(row.get("store"), row.get("seq")) for row in self.found["outbox"]} - set(good)
        stores = {store for store, _ in good}
        missing = sum(self._holes([seq for of, seq in good if of == store]) for store in stores)
        self.lost["events"] = max(len(bad), missing)
        self.kept["events"] = len(good)
        self.told = {(event["visit"], event["type"]) for event in good.values()}
        first = {store: min(e["wall_ms"] for (of, _), e in good.items() if of == store) for store in stores}
        return dict(sorted(good.items(), key=lambda item: (first[item[0][0]], *item[0])))

    @staticmethod
    def _holes(seqs: list[int]) -> int:
        return max(seqs) - min(seqs) + 1 - len(seqs) if seqs else 0

    def _chain(self, waiting: Iterable[Row]) -> None:
        """As after a rollback: the same events in the same order, under the new store's name."""
        store, prev = self.ledger.store, GENESIS
        for seq, event in enumerate(waiting, start=1):
            moved = {**event, "store": store, "seq": seq, "prev": prev}
            prev = event_hash(_message(moved), prev)
            self._insert("outbox", {**moved, "h": prev})

    # Visits.

    def _visits(self, events: Mapping[tuple[str, int], Row]) -> dict[str, Row]:
        """By id: the row where it is sound, else what its events say."""
        visits: dict[str, Row] = {}
        for event in events.values():
            if event["type"] == "visit.opened" and event["visit"]:
                visits[event["visit"]] = _from_opening(event)
        for row in self.found["visit"]:
            if (sound := _sound(row)) is not None:
                visits[sound["visit"]] = sound
            elif row.get("visit") not in visits:
                self.lost["visits"] += 1
        for event in events.values():
            if event["type"] == "visit.closed" and event["visit"]:
                visit = visits.setdefault(event["visit"], _from_opening(event))
                visit |= _from_closing(event, visit)
        return visits

    def _visit(self, row: Row, *, resumed: bool) -> None:
        visit = row["visit"]
        told = (visit, "visit.closed") in self.told
        if (row["outcome"] is None and resumed) or told or self._long_past(row):
            self.kept["visits" if self._insert("visit", row) else "events without their visit"] += 1
            return
        closed, at = _closed(row), Stamp(row["closed_mono_ms"] or 0, row["closed_wall_ms"] or 0, _quality(row))
        self._open(row)
        if self.ledger.visit(visit) is None:  # what is in the row is not of a visit
            self._insert("visit", _from_opening({**_NOBODY, "visit": visit}))
            closed = ClosedVisit(visit, "review", DAMAGED)
        try:
            check_closing(closed)
            self.ledger._close(closed, at)  # noqa: SLF001  # likewise
        except (EntryRefusedError, LedgerError, sqlite3.Error, TypeError, AttributeError):
            closed = ClosedVisit(visit, "review", DAMAGED)
            self.ledger._close(closed, at)  # noqa: SLF001  # likewise
        if closed.why == DAMAGED:
            self.lost["visits"] += 1
        else:
            self.kept["visits"] += 1

    def _open(self, row: Row) -> None:
        """The row, open; with its event, unless the cloud has it or it waits already."""
        if (row["visit"], "visit.opened") in self.told:
            empty = _from_opening({**_NOBODY, "visit": row["visit"]})
            self._insert("visit", {**row, **{name: empty[name] for name in (*CLOSING, *_CLOSED)}})
            return
        try:
            record = record_of(row)
        except (LedgerError, KeyError, TypeError, ValueError, AttributeError):
            return
        entry = OpenedVisit(
            record.visit, record.member, cast("Any", record.purpose), record.who, record.reason, record.price_version,
            record.baseline_g, record.trace, record.terms,
        )  # fmt: skip  # what goes where
        with contextlib.suppress(LedgerError, sqlite3.Error):
            self.ledger._open(entry, record.opened)  # noqa: SLF001  # likewise

    def _long_past(self, row: Row) -> bool:
        """Closed so long ago that its event was confirmed and forgotten."""
        newest_ms = max((event["wall_ms"] for event in self.found["outbox"] if _event(event)), default=0)
        return row["outcome"] is not None and row["closed_wall_ms"] < newest_ms - RETENTION_MS - MARGIN_MS

    def _adjustments(self, events: Iterable[Row]) -> None:
        """Refunds, corrections and disputes; one whose event is lost is told anew, under its own id."""
        told = {json.loads(event["body"]).get("id") for event in events if event["type"] in EVENTS.values()}
        there: set[object] = set()
        for row in self.found["adjustment"]:
            if row["id"] in there:
                continue
            there.add(row["id"])
            if row["id"] in told:
                self.kept["adjustment"] += self._insert("adjustment", row)
                continue
            try:
                change = _adjustment(row)
                self.ledger.adjust(change, cast("Stamp", change.at))
                self.kept["adjustment"] += 1
            except (LedgerError, sqlite3.Error, KeyError, TypeError, ValueError, AttributeError):
                self.lost["adjustment"] += 1
        self.lost["adjustment"] += len(told - there)

    # The rest.

    def _identity(self) -> None:
        """A store of its own it has already; prices go on from the highest version that was ever named."""
        versions = [row["price_version"] for name in ("identity", "visit") for row in self.found[name]]
        versions += [row["version"] for row in self.found["price_rules"]]
        whole = [version for version in versions if isinstance(version, int) and 0 <= version < 1 << 40]
        self.ledger._file.db.execute("UPDATE identity SET price_version = ?", [max(whole, default=0)])  # noqa: SLF001  # likewise

    def _state(self, visits: Mapping[str, Row]) -> State:
        for row in self.found["state"]:
            try:
                state = revive(row["name"], json.loads(row["facts"]))
            except (LedgerError, ValueError, TypeError, AttributeError):
                continue
            visit = open_visit(state)
            if visit is None or (visit in visits and visits[visit]["outcome"] is None):
                return state
        self.lost["state"] = 1
        return Idle()

    def _copy(self, table: str) -> None:
        seen: set[object] = set()
        for row in self.found[table]:
            key = repr(sorted(row.items()))
            if key in seen:
                continue
            seen.add(key)
            if table in JUDGES and not JUDGES[table](row):
                self.lost[table] += 1
            else:
                self.kept[table] += self._insert(table, row)

    def _insert(self, table: str, row: Row) -> int:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        sql = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  # our own tables and columns
        try:
            return self.ledger._file.db.execute(sql, list(row.values())).rowcount  # noqa: SLF001  # likewise
        except sqlite3.Error:  # of another type than the column: the row is damaged
            self.lost[table] += 1
            return 0


def _line_is_right(row: Row) -> bool:
    try:
        return bool(line_hash([row[name] for name in FIELDS], row["prev"]) == row["h"])
    except (WireError, ValueError, TypeError, KeyError, AttributeError):
        return False


def _is_receipt(row: Row) -> bool:
    try:
        return receipt_is_right(json.loads(row["receipt"]))
    except (ValueError, TypeError, AttributeError, KeyError):
        return False


def _has_reasons(row: Row) -> bool:
    try:
        told = json.loads(row["reasons"])
    except (ValueError, TypeError, KeyError):
        return False
    return isinstance(told, list) and all(isinstance(one, str) for one in told)


JUDGES: Final[Mapping[str, Callable[[Row], bool]]] = {  # rows that say by themselves whether they are right
    "audit_line": _line_is_right, "erasure": _is_receipt, "admission": _has_reasons,
}  # fmt: skip  # a table

_NOBODY: Final[Row] = {"body": "{}", "mono_ms": 0, "wall_ms": 0, "quality": "none"}  # an opening that says nothing
_CLOSED: Final = ("closed_mono_ms", "closed_wall_ms", "closed_quality")


def _event(row: Row) -> Row | None:
    """The row, if its hash is right; acknowledged only where that is said without doubt."""
    try:
        if event_hash(_message(row), row["prev"]) != row["h"]:
            return None
    except (WireError, ValueError, KeyError, TypeError, AttributeError):
        return None
    acked = isinstance(row.get("acked_at_ms"), int) and row.get("acked_quality") in CLOCK_QUALITIES
    return row if acked else {**row, "acked_at_ms": None, "acked_quality": None}


def _message(row: Row) -> dict[str, Any]:
    said = {name: row["quality" if name == "clock" else name] for name in EVENT_FIELDS}
    return {**said, "body": json.loads(row["body"])}


def _sound(row: Row) -> Row | None:
    """The visit's row with every column, if it can be read; its sums are looked at where no event vouches for them."""
    try:
        whole = {**_from_opening({**_NOBODY, "visit": row["visit"]}), **row}
        record = record_of(whole)
        plausible = record.outcome is None or record.outcome in get_args(Outcome)
        return whole if plausible and _readable(whole) else None
    except (LedgerError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _readable(row: Row) -> bool:
    """Its times are times."""
    parts = ["opened"] + (["closed"] if row["outcome"] is not None else [])
    return all(isinstance(row[f"{at}_wall_ms"], int) and row[f"{at}_quality"] in CLOCK_QUALITIES for at in parts)


def _from_opening(event: Row) -> Row:
    """A visit's row as its opening tells it; what the event left out for want of room is empty."""
    body = json.loads(event["body"])
    return {
        "n": None, "visit": event["visit"], "member": body.get("member"), "purpose": body.get("purpose", "shop"),
        "who": body.get("who", ""), "reason": body.get("reason", ""), "price_version": body.get("price_version", 0),
        "baseline_mg": json.dumps(body.get("baseline_mg", {})), "trace": event["visit"],
        "opened_mono_ms": event["mono_ms"], "opened_wall_ms": event["wall_ms"], "opened_quality": event["quality"],
        "outcome": None, "why": "", "lines": "[]", "best_guess": "[]", "total_minor": 0, "currency": "",
        "confidence": None, "evidence_hash": "", "closed_mono_ms": None, "closed_wall_ms": None,
        "closed_quality": None, "terms": json.dumps(body.get("terms", {})),
    }  # fmt: skip  # a table


def _from_closing(event: Row, row: Row) -> Row:
    """The closing columns by the event, whose hash is right; the row's own where it says the same in more words."""
    body = json.loads(event["body"])
    same = row["outcome"] == body["outcome"] and row["total_minor"] == body["total_minor"]
    if same and row["outcome"] is not None and _adds_up(row):
        return {}
    ppm = body.get("confidence_ppm")
    return {
        "member": row["member"] or body.get("member"), "outcome": body["outcome"], "why": body.get("why", ""),
        "lines": json.dumps(body.get("lines", [])), "best_guess": json.dumps(body.get("best_guess", [])),
        "total_minor": body["total_minor"], "currency": body.get("currency", ""),
        "confidence": None if ppm is None else ppm / 1_000_000, "evidence_hash": body.get("evidence_hash", ""),
        "closed_mono_ms": event["mono_ms"], "closed_wall_ms": event["wall_ms"], "closed_quality": event["quality"],
    }  # fmt: skip  # a table


def _adds_up(row: Row) -> bool:
    try:
        check_closing(_closed(row))
    except (EntryRefusedError, TypeError, AttributeError, KeyError):
        return False
    return True


def _closed(row: Row) -> ClosedVisit:
    """A visit that nobody closed any more is one for a person."""
    if row["outcome"] is None:
        return ClosedVisit(row["visit"], "review", DAMAGED)
    record = record_of(row)
    return ClosedVisit(
        record.visit, cast("Outcome", record.outcome), record.why, record.lines, record.total_minor, record.currency,
        record.confidence, record.evidence_hash, record.best_guess,
    )  # fmt: skip  # what goes where


def _quality(row: Row) -> Any:  # noqa: ANN401  # a Quality: looked at by _readable
    return row["closed_quality"] or "none"
