"""The cloud's database: every event once, every charge once, one mark per store of a cabinet.

One transaction per event, with the cabinet's lock: two workers that hold two events of one cabinet take them one after
the other, so that the second one sees the first and the mark never stays behind.  Dedupe is a unique index and lasts
for ever.  Nothing is overwritten: an event with another hash at a taken place, or a charge with another amount, is kept
beside the first and raises an alarm.  It refuses a store that is known under another cabinet.
"""

import json
from pathlib import Path
from typing import Any, Final

from cabinet.cloud.books import open_books
from cabinet.cloud.chain import above, reach
from cabinet.cloud.entries import Alarm, Bookkeeper, Charge, Finding, Mark, StoredEvent, Taken
from cabinet.cloud.visits import Visits, line_total, to_json
from cabinet.ledger.errors import EntryRefusedError
from cabinet.wire import GENESIS, Payload, may_hold_cards, redact_payload

__all__ = [
    "Alarm", "Bookkeeper", "Charge", "CloudStore", "Finding", "ForeignStoreError", "Mark", "StoredEvent", "Taken",
    "line_total",
]  # fmt: skip  # a list

FIELDS: Final = ("store", "seq", "h", "prev", "boot", "visit", "type", "mono_ms", "wall_ms", "clock")
INSERT: Final = (
    f"INSERT INTO event (cab, body, stored_ms, redacted, {', '.join(FIELDS)})"  # noqa: S608  # our own text
    f" VALUES (?, ?, ?, ?{', ?' * len(FIELDS)}) ON CONFLICT DO NOTHING RETURNING n"
)
STANDS: Final = "SELECT hwm, h, head, gap_ms FROM mark WHERE cab = ? AND store = ?"
MOVE: Final = (
    "UPDATE mark SET hwm = ?, h = ?, gap_ms = ?, head = ?, events = events + 1, charges = charges + ?, last_n = ?"
    " WHERE cab = ? AND store = ?"
)


class ForeignStoreError(EntryRefusedError):
    """The event's store belongs to another cabinet."""


class CloudStore:
    def __init__(self, where: str | Path, *, read_only: bool = False, bookkeeper: Bookkeeper | None = None) -> None:
        """`where`: a file's path or a URL, see `open_books`.  Raises cabinet.ledger.LedgerError."""
        self.books = open_books(where, read_only=read_only)
        self.keep_books(bookkeeper)

    def keep_books(self, bookkeeper: Bookkeeper | None) -> None:
        """From now on the bookkeeper is called, with `self.books`, in each event's transaction."""
        self.bookkeeper = bookkeeper
        self._visits = Visits(self.books, bookkeeper)

    def close(self) -> None:
        self.books.close()

    def take(self, cab: str, event: Payload, now_ms: int) -> Finding:
        """Store one checked event, its charge, and the moved mark, in one transaction.  Durable on return.

        Raises ForeignStoreError, BooksAwayError where nothing was stored, LedgerError.
        """
        return self.taken(cab, event, now_ms).finding

    def taken(self, cab: str, event: Payload, now_ms: int) -> Taken:
        """`take`, and where the store stands after it."""
        store, (body, text, cards) = event["store"], _without_cards(event["body"])
        with self.books.writing(cab):
            stands = self.books.row(STANDS, cab, store) or self._settle_in(cab, store)
            values = [event[field] for field in FIELDS]
            added = self.books.row(INSERT, cab, text, now_ms, int(bool(cards)), *values)
            if added is None:
                mark = Mark(stands["hwm"], stands["h"])
                return Taken("duplicate", mark, self._beyond(cab, store, mark, stands["head"]))
            alarms: list[str] = []

            def alarm(kind: str, what: str) -> None:
                alarms.append(kind)
                self._alarm(cab, kind, what, now_ms)

            if cards:
                where = ", ".join(cards[:8])[:200]
                alarm("card", f"store {store} event {event['seq']}: what looks like a card number stood in {where}")
            body = _without_nul(body, text)
            said = event if body is event["body"] else {**event, "body": body}
            charged = self._visits.told(cab, said, now_ms, alarm)
            mark, above, fork = self._move(cab, event, stands, (added["n"], int(charged), now_ms))
            if fork is not None:
                alarm("fork", f"store {store}: two histories at event {fork}")
            return Taken("stored" if fork is None else "fork", mark, above, tuple(alarms))

    def _settle_in(self, cab: str, store: str) -> dict[str, Any]:
        """The first event of a store: it belongs to this cabinet from now on."""
        self.books.run("INSERT INTO home (store, cab) VALUES (?, ?) ON CONFLICT DO NOTHING", store, cab)
        if (owner := self.owner(store)) != cab:
            raise ForeignStoreError(f"the store {store} told by {cab} belongs to {owner}")
        self.books.run("INSERT INTO mark (cab, store, hwm, h) VALUES (?, ?, 0, ?)", cab, store, GENESIS)
        return {"hwm": 0, "h": GENESIS, "head": 0, "gap_ms": None}

    def _move(
        self, cab: str, event: Payload, stands: dict[str, Any], counted: tuple[int, int, int]
    ) -> tuple[Mark, dict[int, str], int | None]:
        """The mark along the chain as far as it goes; what is above it; and where two histories part, if they do."""
        store, (n, charges, now_ms) = event["store"], counted
        begin, head = Mark(stands["hwm"], stands["h"]), max(stands["head"], event["seq"])
        in_turn = event["seq"] == begin.hwm + 1 and event["prev"] == begin.h and stands["head"] <= begin.hwm
        if in_turn:  # nothing else is there beyond the mark: no need to look
            mark, above = Mark(event["seq"], event["h"]), dict[int, str]()
        else:
            mark, above = reach(self.books, cab, store, begin, head)
        gap_ms = None if head <= mark.hwm else stands["gap_ms"] if mark == begin and stands["gap_ms"] else now_ms
        self.books.run(MOVE, mark.hwm, mark.h, gap_ms, head, charges, n, cab, store)
        return mark, above, None if in_turn else self._fork(cab, event, mark)

    def _fork(self, cab: str, event: Payload, reached: Mark) -> int | None:
        """Where a place is taken twice, or what is stored just above the mark does not follow it."""
        sql = "SELECT count(*) AS n FROM event WHERE cab = ? AND store = ? AND seq = ?"
        for seq, allowed in ((event["seq"], 1), (reached.hwm + 1, 0)):
            row = self.books.row(sql, cab, event["store"], seq)
            if row is not None and row["n"] > allowed:
                return int(seq)
        return None

    def owner(self, store: str) -> str | None:
        """The cabinet that the store belongs to; None for one never heard of."""
        row = self.books.row("SELECT cab FROM home WHERE store = ?", store)
        return None if row is None else str(row["cab"])

    def mark(self, cab: str, store: str) -> Mark:
        row = self.books.row("SELECT hwm, h FROM mark WHERE cab = ? AND store = ?", cab, store)
        return Mark() if row is None else Mark(row["hwm"], row["h"])

    def stands(self, cab: str, store: str) -> tuple[Mark, dict[int, str]]:
        """The mark, and what is stored beyond its gap."""
        row = self.books.row(STANDS, cab, store)
        if row is None:
            return Mark(), {}
        mark = Mark(row["hwm"], row["h"])
        return mark, self._beyond(cab, store, mark, row["head"])

    def _beyond(self, cab: str, store: str, mark: Mark, head: int) -> dict[int, str]:
        return above(self.books, cab, store, mark) if head > mark.hwm else {}

    def differs(self, cab: str, store: str, seq: int, h: str) -> bool:
        """True where there is an event `seq`, but none with this hash."""
        sql = "SELECT h FROM event WHERE cab = ? AND store = ? AND seq = ?"
        found = [row["h"] for row in self.books.rows(sql, cab, store, seq)]
        return bool(found) and h not in found

    def stores(self) -> list[tuple[str, str]]:
        """(cabinet, its newest store) of every cabinet that was ever heard."""
        newest = "SELECT cab, store, row_number() OVER (PARTITION BY cab ORDER BY last_n DESC) AS place FROM mark"
        rows = self.books.rows(f"SELECT cab, store FROM ({newest}) AS s WHERE place = 1 ORDER BY cab")  # noqa: S608  # ours
        return [(row["cab"], row["store"]) for row in rows]

    def above(self, cab: str, store: str, mark: Mark) -> dict[int, str]:
        """What is stored beyond the gap: seq → hash, the lowest first.  A place with two hashes is left out."""
        return above(self.books, cab, store, mark)

    def alarm(self, cab: str, kind: str, what: str, now_ms: int) -> None:
        """The same alarm is kept once."""
        with self.books.writing():
            self._alarm(cab, kind, what, now_ms)

    def _alarm(self, cab: str, kind: str, what: str, now_ms: int) -> None:
        sql = "INSERT INTO alarm (cab, kind, what, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        self.books.run(sql, cab, kind, what, now_ms)

    def charges(self) -> list[Charge]:
        """In the order of arrival."""
        fields = "visit, cab, member, total_minor, currency, lines, seq, stored_ms, review"
        rows = self.books.rows(f"SELECT {fields} FROM charge ORDER BY n")  # noqa: S608  # our own text
        return [Charge(**{**row, "lines": tuple(json.loads(row["lines"]))}) for row in rows]

    def events(self, limit: int = 1000) -> list[StoredEvent]:
        """The newest, in the order of arrival."""
        fields = "cab, store, seq, h, visit, type, body, wall_ms, clock, stored_ms, redacted"
        rows = self.books.rows(f"SELECT {fields} FROM event ORDER BY n DESC LIMIT ?", limit)  # noqa: S608  # likewise
        return [StoredEvent(**{**row, "body": json.loads(row["body"])}) for row in reversed(rows)]

    def alarms(self) -> list[Alarm]:
        return [Alarm(**row) for row in self.books.rows("SELECT cab, kind, what, at_ms FROM alarm ORDER BY n")]

    def unclosed(self) -> list[str]:
        """Visits opened and not closed, the oldest first: what a destroyed card leaves behind."""
        rows = self.books.rows(
            "SELECT visit FROM visit WHERE closed_ms IS NULL AND opened_ms IS NOT NULL ORDER BY opened_ms, visit"
        )
        return [row["visit"] for row in rows]


def _without_cards(said: dict[str, Any]) -> tuple[dict[str, Any], str, list[str]]:
    """The body, its JSON, and where something was taken out; the usual body, without long numbers, is not searched."""
    text, cards = to_json(said), list[str]()
    if may_hold_cards(text):
        said, cards = redact_payload(said)
        text = to_json(said)
    return said, text, cards


def _without_nul(body: dict[str, Any], text: str) -> dict[str, Any]:
    """PostgreSQL's texts cannot hold NUL; in the stored JSON it is written as six plain characters."""
    return json.loads(text.replace("\\u0000", "\ufffd")) if "\\u0000" in text else body
