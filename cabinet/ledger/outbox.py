"""The queue to the cloud: events 1, 2, 3 … of this store, each chained to the one before by its hash.

A row leaves only by an acknowledgement that names its hash.  Unacknowledged rows are never deleted, whatever their
age or number; acknowledged ones stay 90 days, so that a cloud restored from a copy can be told again.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cabinet.ledger.entries import OutboxRow, Stamp
from cabinet.ledger.errors import EntryRefusedError, LedgerError
from cabinet.ledger.notes import NoteRoom
from cabinet.ledger.room import Room, from_json
from cabinet.units import VisitId
from cabinet.wire import EVENT_FIELDS, GENESIS, MAX_EVENT_BYTES, WireError, canonical, event_hash, redact

log = logging.getLogger(__name__)

RETENTION_MS: Final = 90 * 24 * 3600 * 1000
TRUSTED: Final = ("ntp", "cloud")
INSERT_EVENT: Final = (  # written out: at the closing somebody waits, and a table asked for its columns answers slowly
    "INSERT INTO outbox (store, seq, visit, type, body, prev, h, boot, mono_ms, wall_ms, quality)"
    " VALUES (:store, :seq, :visit, :type, :body, :prev, :h, :boot, :mono_ms, :wall_ms, :quality)"
)
SPLIT: Final = "uplink.split"  # note: the seq of the incident that tells of a rollback, a clone or a recovery
SPLIT_WHY: Final = "uplink.split.why"  # note: what to tell people meanwhile, if it is neither rollback nor clone


class OutboxRoom(NoteRoom, Room):
    def unacknowledged(self, limit: int = 16) -> list[OutboxRow]:
        """The lowest rows still ours to deliver, ascending."""
        return self._events("store = ? AND acked_at_ms IS NULL ORDER BY seq LIMIT ?", self.store, limit)

    def waiting(self, limit: int = 16) -> list[int]:
        """The seq of the lowest rows still ours to deliver, ascending: cheap, at every answer of the cloud."""
        sql = "SELECT seq FROM outbox WHERE store = ? AND acked_at_ms IS NULL ORDER BY seq LIMIT ?"
        return [row["seq"] for row in self._file.rows(sql, self.store, limit)]

    def events(self, seqs: Sequence[int]) -> list[OutboxRow]:
        """These rows of our store, ascending."""
        if not seqs:
            return []
        return self._events(f"store = ? AND seq IN ({', '.join('?' * len(seqs))}) ORDER BY seq", self.store, *seqs)

    def outbox(self, limit: int = 50) -> list[OutboxRow]:
        """The newest rows, acknowledged or not, newest first: for people."""
        return self._events("store = ? ORDER BY seq DESC LIMIT ?", self.store, limit)

    def backlog(self) -> tuple[int, int | None]:
        """How many rows wait, and the wall clock (ms) of the oldest."""
        row = self._file.row("SELECT count(*) AS n, min(wall_ms) AS oldest FROM outbox WHERE acked_at_ms IS NULL")
        return (0, None) if row is None else (row["n"], row["oldest"])

    def head(self) -> tuple[int, str]:
        """Sequence number and hash of the newest event; (0, 64 zeros) before the first."""
        row = self._file.row("SELECT seq, h FROM outbox WHERE store = ? ORDER BY seq DESC LIMIT 1", self.store)
        return (0, GENESIS) if row is None else (row["seq"], row["h"])

    def hash_at(self, seq: int) -> str | None:
        """The hash of our event `seq`; None if there is none, or not any more.  0 gives 64 zeros."""
        if seq == 0:
            return GENESIS
        row = self._file.row("SELECT h FROM outbox WHERE store = ? AND seq = ?", self.store, seq)
        return None if row is None else str(row["h"])

    def acknowledge(self, upto: int, h: str, selective: Mapping[int, str] | None = None, *, clock: Stamp) -> int:
        """The cloud has stored everything up to `upto`, whose hash is `h`, and the single rows of `selective`
        (seq → hash).  Returns how many rows were freed: none where a hash is not our row's.
        """
        store, freed = self.store, 0
        with self._file.writing() as db:
            stamp = [clock.wall_ms, clock.quality, store]
            told = "UPDATE outbox SET acked_at_ms = ?, acked_quality = ? WHERE store = ? AND acked_at_ms IS NULL"
            if upto > 0 and self.hash_at(upto) == h:
                freed += db.execute(f"{told} AND seq <= ?", [*stamp, upto]).rowcount
            for seq, its_hash in (selective or {}).items():
                freed += db.execute(f"{told} AND seq = ? AND h = ?", [*stamp, seq, its_hash]).rowcount
        return freed

    def highest_freed(self) -> int:
        """The highest event that somebody has acknowledged, singly or with all before it; 0 for none."""
        row = self._file.row(
            "SELECT seq FROM outbox WHERE store = ? AND acked_at_ms IS NOT NULL ORDER BY seq DESC LIMIT 1", self.store
        )
        return 0 if row is None else int(row["seq"])

    def reopen(self, above: int) -> int:
        """The cloud has lost what it had acknowledged above this seq: those rows are ours to deliver again."""
        with self._file.writing() as db:
            return db.execute(
                "UPDATE outbox SET acked_at_ms = NULL, acked_quality = NULL"
                " WHERE store = ? AND seq > ? AND acked_at_ms IS NOT NULL",
                [self.store, above],
            ).rowcount

    def prune(self, clock: Stamp) -> int:
        """Delete rows acknowledged more than 90 days ago, save the newest (the chain goes on from it).

        Under a clock that nobody vouches for nothing is deleted; a row acknowledged under such a clock begins its
        90 days now.
        """
        if clock.quality not in TRUSTED:
            return 0
        seq, _ = self.head()
        with self._file.writing() as db:
            db.execute(
                "UPDATE outbox SET acked_at_ms = ?, acked_quality = ?"
                " WHERE acked_at_ms IS NOT NULL AND acked_quality NOT IN ('ntp', 'cloud')",
                [clock.wall_ms, clock.quality],
            )
            return db.execute(
                "DELETE FROM outbox WHERE acked_at_ms < ? AND NOT (store = ? AND seq = ?)",
                [clock.wall_ms - RETENTION_MS, self.store, seq],
            ).rowcount

    def renew_store(self, why: str, clock: Stamp) -> str:
        """The cloud knows another history of this store (an old copy was put back, or there is a clone): go on under
        a new name.  What waits moves there in order and is chained anew; an incident tells of it.  Returns the name.
        """
        old, new = self.store, secrets.token_hex(16)
        with self._file.writing() as db:
            waiting = self._events("store = ? AND acked_at_ms IS NULL ORDER BY seq", old)
            db.execute("UPDATE identity SET store = ?", [new])
            prev = GENESIS
            for seq, row in enumerate(waiting, start=1):
                h = event_hash({**row.message(), "store": new, "seq": seq}, prev)
                moved = [new, seq, prev, h, old, row.seq]
                db.execute("UPDATE outbox SET store = ?, seq = ?, prev = ?, h = ? WHERE store = ? AND seq = ?", moved)
                prev = h
            seq = self._append("incident", None, [{"why": redact(why), "at": "ledger"}], clock)
            self.set_note(SPLIT, str(seq))
            self.drop_note(SPLIT_WHY)
        log.warning("store_renewed old=%s new=%s moved=%d", old, new, len(waiting))
        return new

    def split(self) -> str | None:
        """Why nothing may be sold after `renew_store`, until the cloud has stored the incident; else None."""
        noted = self.note(SPLIT)
        if noted is None:
            return None
        row = self._file.row("SELECT acked_at_ms FROM outbox WHERE store = ? AND seq = ?", self.store, int(noted))
        if row is None or row["acked_at_ms"] is not None:
            self.forget_split()
            return None
        known = "the cloud knows another history of this ledger; waiting until it has stored that incident"
        return self.note(SPLIT_WHY) or known

    def forget_split(self) -> None:
        """It is settled: the cloud has stored the incident, or a technician has looked where there is no cloud."""
        with self._file.writing():
            self.drop_note(SPLIT)
            self.drop_note(SPLIT_WHY)

    def rotten(self) -> str | None:
        """What is wrong with what is written here, beyond what SQLite sees at opening; None: nothing.

        An event that waits for the cloud and has rotted would be refused there for ever.
        """
        try:
            found = self._file.rows("PRAGMA integrity_check(1)")[0]["integrity_check"]  # the indexes as well
            events = self._events("1 ORDER BY store, seq")
        except (LedgerError, ValueError, TypeError) as error:
            return str(error)
        if found != "ok":
            return str(found)
        before: OutboxRow | None = None
        for row in events:
            follows = before is None or (before.store, before.seq + 1) != (row.store, row.seq) or before.h == row.prev
            if not (follows and _is_right(row)):
                return f"event {row.seq} is not what was written"
            before = row
        return None

    def _events(self, where: str, *values: object) -> list[OutboxRow]:
        fields = "store, seq, visit, type, body, prev, h, boot, mono_ms, wall_ms, quality, acked_at_ms"
        found = self._file.rows(f"SELECT {fields} FROM outbox WHERE {where}", *values)  # noqa: S608  # our own text
        return [OutboxRow(**{**row, "body": from_json(row["body"])}) for row in found]

    def _append(self, kind: str, visit: VisitId | None, bodies: Sequence[dict[str, Any]], clock: Stamp) -> int:
        """Chain one event to the newest, inside the running transaction; returns its seq.

        `bodies` says the same with fewer and fewer details: the first that fits into 4 KiB is taken.
        """
        seq, prev = self.head()
        for body in bodies:
            event = {
                "store": self.store, "boot": self.boot, "seq": seq + 1, "visit": visit, "type": kind, "body": body,
                "mono_ms": clock.mono_ms, "wall_ms": clock.wall_ms, "clock": clock.quality,
            }  # fmt: skip  # one line per group reads better than one per key
            try:
                h = event_hash(event, prev)
                if len(canonical({**event, "prev": prev, "h": h})) > MAX_EVENT_BYTES:
                    continue
            except WireError as error:
                raise EntryRefusedError(f"{kind} of visit {visit}: {error}") from error
            row = {field: event[field] for field in EVENT_FIELDS if field != "clock"}
            row |= {"body": canonical(body).decode(), "prev": prev, "h": h, "quality": clock.quality}
            self._file.db.execute(INSERT_EVENT, row)
            return seq + 1
        raise EntryRefusedError(f"{kind} of visit {visit} does not fit into {MAX_EVENT_BYTES} bytes")


def _is_right(row: OutboxRow) -> bool:
    try:
        return event_hash(row.message(), row.prev) == row.h
    except (WireError, AttributeError, TypeError):
        return False
