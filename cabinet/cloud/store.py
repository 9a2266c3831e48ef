"""The cloud's database: every event once, every charge once, one mark per store of a cabinet.

One transaction per event.  Dedupe is a unique index and lasts for ever.  Nothing is overwritten: an event with another
hash at a taken place, or a charge with another amount, is kept beside the first and raises an alarm.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from cabinet.ledger.file import LedgerFile
from cabinet.wire import GENESIS, Payload, WireError, text_of, whole_of

APPLICATION_ID: Final = 0x43414243  # "CABC"

FIRST: Final = """
CREATE TABLE event (
    n INTEGER PRIMARY KEY,                 -- the order of arrival
    cab TEXT NOT NULL,
    store TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    h TEXT NOT NULL,
    prev TEXT NOT NULL,
    boot TEXT NOT NULL,
    visit TEXT,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock TEXT NOT NULL,
    stored_ms INTEGER NOT NULL,
    UNIQUE (cab, store, seq, h)
) STRICT;
CREATE TABLE charge (
    n INTEGER PRIMARY KEY,                 -- the order of arrival
    visit TEXT NOT NULL UNIQUE,
    cab TEXT NOT NULL,
    store TEXT NOT NULL,
    seq INTEGER NOT NULL,
    h TEXT NOT NULL,
    member TEXT,
    total_minor INTEGER NOT NULL CHECK (total_minor >= 0),
    currency TEXT NOT NULL,
    lines TEXT NOT NULL,
    stored_ms INTEGER NOT NULL,
    review TEXT NOT NULL DEFAULT ''        -- why a person has to look at it before it is captured
) STRICT;
CREATE TRIGGER amount_never_changes BEFORE UPDATE OF visit, cab, total_minor, currency, lines ON charge
    BEGIN SELECT RAISE(ABORT, 'the amount never changes after its commit'); END;
CREATE TABLE mark (
    cab TEXT NOT NULL,
    store TEXT NOT NULL,
    hwm INTEGER NOT NULL,
    h TEXT NOT NULL,
    PRIMARY KEY (cab, store)
) STRICT;
CREATE TABLE alarm (
    n INTEGER PRIMARY KEY,
    cab TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (cab, kind, what)
) STRICT;
"""

MAX_SELECTIVE: Final = 48  # 64 + 9 bytes each: such an ack stays well below 4 KiB

Finding = Literal["stored", "duplicate", "fork"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything up to `hwm` is stored, and `h` is that event's hash; (0, 64 zeros) before the first."""

    hwm: int = 0
    h: str = GENESIS


@dataclass(frozen=True, slots=True)
class Charge:
    visit: str
    cab: str
    member: str | None
    total_minor: int
    currency: str
    lines: tuple[dict[str, Any], ...]
    seq: int
    stored_ms: int
    review: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    cab: str
    store: str
    seq: int
    h: str
    visit: str | None
    type: str
    body: dict[str, Any]
    wall_ms: int
    clock: str
    stored_ms: int


@dataclass(frozen=True, slots=True)
class Alarm:
    cab: str
    kind: str
    what: str
    at_ms: int


class CloudStore:
    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Raises cabinet.ledger.LedgerError for a file that cannot be used."""
        self._file = LedgerFile(
            path, mark=APPLICATION_ID, migrations=(FIRST,), what="cloud database", read_only=read_only
        )

    def close(self) -> None:
        self._file.close()

    def take(self, cab: str, event: Payload, now_ms: int) -> Finding:
        """Store one checked event, its charge, and the moved mark, in one transaction.  Durable on return."""
        with self._file.writing():
            if self._insert(cab, event, now_ms) == 0:
                return "duplicate"
            if event["type"] == "visit.closed" and event["body"].get("outcome") == "charge":
                self._charge(cab, event, now_ms)
            reached = self._move_mark(cab, event["store"])
            fork = self._fork(cab, event, reached)
            if fork is None:
                return "stored"
            self.alarm(cab, "fork", fork, now_ms)
        return "fork"

    def mark(self, cab: str, store: str) -> Mark:
        row = self._file.row("SELECT hwm, h FROM mark WHERE cab = ? AND store = ?", cab, store)
        return Mark() if row is None else Mark(row["hwm"], row["h"])

    def differs(self, cab: str, store: str, seq: int, h: str) -> bool:
        """True where there is an event `seq`, but none with this hash."""
        row = self._file.row(
            "SELECT count(*) AS n, total(h = ?) AS same FROM event WHERE cab = ? AND store = ? AND seq = ?",
            h, cab, store, seq,
        )  # fmt: skip
        return row is not None and row["n"] > 0 and not row["same"]

    def stores(self) -> list[tuple[str, str]]:
        """(cabinet, its newest store) of every cabinet that was ever heard."""
        rows = self._file.rows("SELECT cab, store, max(n) FROM event GROUP BY cab")
        return [(row["cab"], row["store"]) for row in rows]

    def above(self, cab: str, store: str, mark: Mark) -> dict[int, str]:
        """What is stored beyond the gap: seq → hash, the lowest first.  A place with two hashes is left out."""
        rows = self._file.rows(
            "SELECT seq, h FROM event WHERE cab = ? AND store = ? AND seq > ?"
            " GROUP BY seq HAVING count(*) = 1 ORDER BY seq LIMIT ?",
            cab, store, mark.hwm, MAX_SELECTIVE,
        )  # fmt: skip
        return {row["seq"]: row["h"] for row in rows}

    def alarm(self, cab: str, kind: str, what: str, now_ms: int) -> None:
        """The same alarm is kept once."""
        with self._file.writing() as db:
            db.execute(
                "INSERT INTO alarm (cab, kind, what, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [cab, kind, what, now_ms],
            )

    def charges(self) -> list[Charge]:
        """In the order of arrival."""
        fields = "visit, cab, member, total_minor, currency, lines, seq, stored_ms, review"
        rows = self._file.rows(f"SELECT {fields} FROM charge ORDER BY n")  # noqa: S608  # our own text
        return [Charge(**{**row, "lines": tuple(json.loads(row["lines"]))}) for row in rows]

    def events(self, limit: int = 1000) -> list[StoredEvent]:
        """The newest, in the order of arrival."""
        fields = "cab, store, seq, h, visit, type, body, wall_ms, clock, stored_ms"
        newest = f"SELECT n, {fields} FROM event ORDER BY n DESC LIMIT ?"  # noqa: S608  # our own text
        rows = self._file.rows(f"SELECT {fields} FROM ({newest}) ORDER BY n", limit)  # noqa: S608  # likewise
        return [StoredEvent(**{**row, "body": json.loads(row["body"])}) for row in rows]

    def alarms(self) -> list[Alarm]:
        return [Alarm(**row) for row in self._file.rows("SELECT cab, kind, what, at_ms FROM alarm ORDER BY n")]

    def unclosed(self) -> list[str]:
        """Visits opened and not closed, the oldest first: what a destroyed card leaves behind."""
        rows = self._file.rows(
            "SELECT visit FROM event o WHERE type = 'visit.opened' AND NOT EXISTS"
            " (SELECT 1 FROM event c WHERE c.visit = o.visit AND c.type = 'visit.closed')"
            " GROUP BY visit ORDER BY min(n)"
        )
        return [row["visit"] for row in rows]

    def _insert(self, cab: str, event: Payload, now_ms: int) -> int:
        fields = ("store", "seq", "h", "prev", "boot", "visit", "type", "mono_ms", "wall_ms", "clock")
        body = json.dumps(event["body"], ensure_ascii=False)
        return self._file.db.execute(
            f"INSERT INTO event (cab, body, stored_ms, {', '.join(fields)})"  # noqa: S608  # our own text
            f" VALUES (?, ?, ?{', ?' * len(fields)}) ON CONFLICT DO NOTHING",
            [cab, body, now_ms, *(event[field] for field in fields)],
        ).rowcount

    def _fork(self, cab: str, event: Payload, reached: Mark) -> str | None:
        """What is wrong where a place is taken twice, or what is stored just above the mark does not follow it."""
        store = event["store"]
        sql = "SELECT count(*) AS n FROM event WHERE cab = ? AND store = ? AND seq = ?"
        for seq, allowed in ((event["seq"], 1), (reached.hwm + 1, 0)):
            row = self._file.row(sql, cab, store, seq)
            if row is not None and row["n"] > allowed:
                return f"store {store}: two histories at event {seq}"
        return None

    def _charge(self, cab: str, event: Payload, now_ms: int) -> None:
        """Keyed by visit.  A second one changes nothing; one that says something else sends the first to review."""
        body, visit = event["body"], event["visit"]
        try:
            total_minor, currency = whole_of(body, "total_minor"), text_of(body, "currency", 3)
            text_of(event, "visit")
        except WireError as error:  # kept as an event; a charge of nobody knows what cannot be made of it
            self.alarm(cab, "malformed", f"store {event['store']} event {event['seq']}: {error}", now_ms)
            return
        lines = json.dumps(body.get("lines", []), ensure_ascii=False)
        opened = self._file.row(
            "SELECT body FROM event WHERE cab = ? AND visit = ? AND type = 'visit.opened' ORDER BY n", cab, visit
        )
        member = None if opened is None else json.loads(opened["body"]).get("member")
        added = self._file.db.execute(
            "INSERT INTO charge (visit, cab, store, seq, h, member, total_minor, currency, lines, stored_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                visit, cab, event["store"], event["seq"], event["h"], member, total_minor, currency, lines, now_ms,
            ],
        ).rowcount  # fmt: skip  # a table
        if added:
            return
        first = self._file.row("SELECT cab, total_minor, currency FROM charge WHERE visit = ?", visit)
        if first != {"cab": cab, "total_minor": total_minor, "currency": currency}:
            why = f"visit {visit}: charged {total_minor} {currency} by {cab} after {first}"
            self._file.db.execute("UPDATE charge SET review = ? WHERE visit = ?", [why, visit])
            self.alarm(cab, "amount", why, now_ms)

    def _move_mark(self, cab: str, store: str) -> Mark:
        """Along the unbroken chain from the mark, as far as it goes; returns where it is now."""
        begin = reached = self.mark(cab, store)
        while True:
            row = self._file.row(
                "SELECT seq, h FROM event WHERE cab = ? AND store = ? AND seq = ? AND prev = ? ORDER BY n",
                cab, store, reached.hwm + 1, reached.h,
            )  # fmt: skip
            if row is None:
                break
            reached = Mark(row["seq"], row["h"])
        if reached != begin:
            self._file.db.execute(
                "INSERT INTO mark VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET hwm = excluded.hwm, h = excluded.h",
                [cab, store, reached.hwm, reached.h],
            )
        return reached
