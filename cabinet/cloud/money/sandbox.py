"""A payment provider of our own on one SQLite file, for tests, demonstrations and chaos.

It keeps its books through any kill, and misbehaves on order: declines, grants in part, loses the answer before or after
the work is done, hears a request twice, and forgets idempotency keys after 24 hours.  Its dice follow the seed and the
request, so that the same life comes out the same in any process.  No real money: never use it for a sale.
"""

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from cabinet.cloud.money.provider import Payer, ProviderAwayError, ProviderRefusedError
from cabinet.cloud.money.values import DAY_MS, Intent
from cabinet.units import Minor

TABLES: Final = """
CREATE TABLE IF NOT EXISTS intent (
    n INTEGER PRIMARY KEY, key TEXT NOT NULL, visit TEXT NOT NULL, customer TEXT NOT NULL, status TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, captured_minor INTEGER NOT NULL DEFAULT 0,
    refunded_minor INTEGER NOT NULL DEFAULT 0, currency TEXT NOT NULL, why TEXT NOT NULL DEFAULT '',
    CHECK (captured_minor <= amount_minor), CHECK (refunded_minor <= captured_minor)
) STRICT;
CREATE INDEX IF NOT EXISTS intent_key ON intent (key);
CREATE TABLE IF NOT EXISTS idem (key TEXT PRIMARY KEY, said TEXT NOT NULL, n INTEGER NOT NULL, at_ms INTEGER NOT NULL)
STRICT;
CREATE TABLE IF NOT EXISTS heard (n INTEGER PRIMARY KEY, op TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL)
STRICT;
"""


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Moods:
    """Chances from 0 to 1."""

    seed: int = 0
    decline: float = 0.0
    partial: float = 0.0
    lost_before: float = 0.0  # no answer, and nothing done
    lost_after: float = 0.0  # no answer, yet done
    twice: float = 0.0  # the request arrives twice
    latency_s: float = 0.0


class Sandbox:
    def __init__(self, file: Path, moods: Moods = Moods(), now_ms: Callable[[], int] = _wall_ms) -> None:
        self.moods = moods
        self._file, self._now_ms = file, now_ms
        with self._books() as db:
            for statement in TABLES.split(";"):
                db.execute(statement)

    @classmethod
    def of(cls, file: Path, moods: str) -> "Sandbox":
        """`seed=7&decline=0.1`.  Raises ValueError for a mood that there is not."""
        said = dict(parse_qsl(moods, strict_parsing=bool(moods)))
        known = {name: int if name == "seed" else float for name in Moods.__dataclass_fields__}
        if unknown := sorted(set(said) - set(known)):
            raise ValueError(f"sandbox: no mood {', '.join(unknown)}: there are {', '.join(known)}")
        return cls(file, Moods(**{name: known[name](value) for name, value in said.items()}))  # type: ignore[arg-type]  # each by its own type

    def authorise(self, key: str, visit: str, payer: Payer, amount_minor: Minor, currency: str) -> Intent:
        def work(db: sqlite3.Connection) -> int:
            status, granted, why = "held", amount_minor, ""
            if not payer.method or payer.method == "declines" or self._dice("decline", key) < self.moods.decline:
                status, why = "declined", "card_declined"
            elif payer.method == "partial" or self._dice("partial", key) < self.moods.partial:
                granted = max(1, amount_minor // 2)
            values = (key, visit, payer.customer, status, granted, currency, why)
            sql = (
                "INSERT INTO intent (key, visit, customer, status, amount_minor, currency, why) VALUES (?,?,?,?,?,?,?)"
            )
            return int(db.execute(sql, values).lastrowid or 0)

        return self._asked("authorise", key, [visit, payer.customer, payer.method, amount_minor, currency], work)

    def capture(self, intent: str, key: str, amount_minor: Minor, currency: str) -> Intent:
        def work(db: sqlite3.Connection) -> int:
            found = _held(db, intent)
            if currency != found["currency"]:
                raise ProviderRefusedError(f"{currency} is asked for, {found['currency']} is held")
            if not 0 < amount_minor <= found["amount_minor"]:
                raise ProviderRefusedError(f"{amount_minor} is not within the {found['amount_minor']} held")
            sql = "UPDATE intent SET status = 'captured', captured_minor = ? WHERE n = ?"
            db.execute(sql, (amount_minor, found["n"]))
            return int(found["n"])

        return self._asked("capture", key, [intent, amount_minor, currency], work)

    def cancel(self, intent: str, key: str) -> Intent:
        def work(db: sqlite3.Connection) -> int:
            found = _held(db, intent)
            db.execute("UPDATE intent SET status = 'canceled' WHERE n = ?", (found["n"],))
            return int(found["n"])

        return self._asked("cancel", key, [intent], work)

    def refund(self, intent: str, key: str, amount_minor: Minor, currency: str) -> Intent:
        def work(db: sqlite3.Connection) -> int:
            found = db.execute("SELECT * FROM intent WHERE n = ?", (_number(intent),)).fetchone()
            left = 0 if found is None else found["captured_minor"] - found["refunded_minor"]
            if not 0 < amount_minor <= left:
                raise ProviderRefusedError(f"{amount_minor} is not within the {left} that can be refunded")
            sql = "UPDATE intent SET refunded_minor = refunded_minor + ? WHERE n = ?"
            db.execute(sql, (amount_minor, found["n"]))
            return int(found["n"])

        return self._asked("refund", key, [intent, amount_minor, currency], work)

    def find(self, auth_key: str, payer: Payer, since_ms: int, intent: str = "") -> Intent | None:
        del payer, since_ms  # this one has an index
        self._pause("find", auth_key)
        with self._books() as db:
            where, value = ("n", _number(intent)) if intent else ("key", auth_key)
            row = db.execute(f"SELECT * FROM intent WHERE {where} = ? ORDER BY n", (value,)).fetchone()  # noqa: S608  # ours
        return None if row is None else _intent(row)

    def export(self) -> Iterator[Intent]:
        with self._books() as db:
            yield from map(_intent, db.execute("SELECT * FROM intent ORDER BY n").fetchall())

    def _asked(self, op: str, key: str, told: list[Any], work: Callable[[sqlite3.Connection], int]) -> Intent:
        self._pause(op, key)
        turn = self._note(op, key)
        if self._dice("lost before", key, turn) < self.moods.lost_before:
            raise ProviderAwayError(f"no answer to {op} {key}")
        answer = self._done(op, key, told, work)
        if self._dice("twice", key, turn) < self.moods.twice:
            answer = self._done(op, key, told, work)
        if self._dice("lost after", key, turn) < self.moods.lost_after:
            raise ProviderAwayError(f"no answer to {op} {key}")
        return answer

    def _done(self, op: str, key: str, told: list[Any], work: Callable[[sqlite3.Connection], int]) -> Intent:
        """The work, once for each key while the key is remembered."""
        said, now_ms = json.dumps([op, *told]), self._now_ms()
        with self._books() as db:
            db.execute("DELETE FROM idem WHERE at_ms <= ?", (now_ms - DAY_MS,))
            known = db.execute("SELECT said, n FROM idem WHERE key = ?", (key,)).fetchone()
            if known is not None and known["said"] != said:
                raise ProviderRefusedError(f"the key {key} was used for another request")
            n = work(db) if known is None else known["n"]
            if known is None:
                db.execute("INSERT INTO idem VALUES (?, ?, ?, ?)", (key, said, n, now_ms))
            return _intent(db.execute("SELECT * FROM intent WHERE n = ?", (n,)).fetchone())

    def _note(self, op: str, key: str) -> int:
        """How often this was asked, kept in the file: a fresh process must not throw the same dice again."""
        with self._books() as db:
            db.execute("INSERT INTO heard (op, key, at_ms) VALUES (?, ?, ?)", (op, key, self._now_ms()))
            row = db.execute("SELECT count(*) FROM heard WHERE op = ? AND key = ?", (op, key)).fetchone()
            return int(row[0])

    def _pause(self, op: str, key: str) -> None:
        if self.moods.latency_s:
            threading.Event().wait(self.moods.latency_s * 2 * self._dice("latency", op, key))  # nobody sets it

    def _dice(self, *what: object) -> float:
        digest = hashlib.sha256(repr((self.moods.seed, *what)).encode()).digest()
        return int.from_bytes(digest[:7], "big") / 2**56

    @contextlib.contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """One transaction on a connection of its own: any thread may come.  Raises ProviderAwayError."""
        try:
            db = sqlite3.connect(self._file, timeout=10, isolation_level=None)
        except sqlite3.Error as error:
            raise ProviderAwayError(f"sandbox {self._file}: {error}") from error
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = OFF")  # it survives kills; a power cut is not what it is for
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise ProviderAwayError(f"sandbox {self._file}: {error}") from error
        finally:
            db.close()  # rolls back what was not committed


def _number(intent: str) -> int:
    digits = intent.removeprefix("sb_")
    return int(digits) if digits.isdecimal() else 0


def _held(db: sqlite3.Connection, intent: str) -> sqlite3.Row:
    found: sqlite3.Row | None = db.execute("SELECT * FROM intent WHERE n = ?", (_number(intent),)).fetchone()
    if found is None or found["status"] != "held":
        raise ProviderRefusedError(f"{intent} is {'not there' if found is None else found['status']}")
    return found


def _intent(row: sqlite3.Row) -> Intent:
    return Intent(
        row["key"], row["visit"], f"sb_{row['n']}", row["status"], row["amount_minor"], row["captured_minor"],
        row["refunded_minor"], row["currency"], row["why"],
    )  # fmt: skip  # a row
