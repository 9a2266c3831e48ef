"""Books written before there was a view of visits: brought up to date, with nothing lost and nothing scanned later."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cabinet import wire
from cabinet.cloud.books import schema
from cabinet.cloud.overview import overview
from cabinet.cloud.run import charges
from cabinet.cloud.store import CloudStore, ForeignStoreError
from cabinet.cloud.watchdogs import patrol
from cabinet.ledger import LedgerError
from tests.cloud.counterpart import CAB, OTHER, Counterpart, chain, forged
from tests.ledger.examples import visit_id


def old_books(folder: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> list[wire.Payload]:
    """Version 1, with visits 1 (closed), 2 (open) and a store that has a gap.  The rows as version 1 wrote them."""
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        schema.migrations.cache_clear()
        from cabinet.cloud.books import open_books

        books = open_books(place)
    schema.migrations.cache_clear()
    desk = Counterpart(folder, str(folder / "unused.db"))
    events = [*desk.events[:3], chain(3, store="6" * 32)[2]]
    desk.close()
    with books.writing():
        for event in events:
            books.run(
                "INSERT INTO event (cab, store, seq, h, prev, boot, visit, type, body, mono_ms, wall_ms, clock,"
                " stored_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                CAB, *(event[name] for name in ("store", "seq", "h", "prev", "boot", "visit", "type")),
                json.dumps(event["body"]), event["mono_ms"], event["wall_ms"], event["clock"], 100,
            )  # fmt: skip  # a table
        first, last = events[0], events[2]
        books.run("INSERT INTO mark VALUES (?, ?, 3, ?)", CAB, first["store"], last["h"])
        books.run(
            "INSERT INTO charge (visit, cab, store, seq, h, total_minor, currency, lines, stored_ms)"
            " VALUES (?, ?, ?, 2, ?, 250, 'USD', '[]', 100)",
            visit_id(1), CAB, first["store"], events[1]["h"],
        )  # fmt: skip  # a table
    books.close()
    return events


def test_books_of_before_get_their_visits_marks_and_members(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = old_books(tmp_path, monkeypatch, place)
    store = CloudStore(place)
    visits = store.books.rows(
        "SELECT visit, cab, member, purpose, opened_ms, closed_ms, outcome FROM visit ORDER BY visit"
    )
    assert [tuple(visit.values()) for visit in visits] == [
        (visit_id(1), CAB, "01ANNA", "shop", 100, 100, "charge"),
        (visit_id(2), CAB, "01ANNA", "shop", 100, None, None),
    ]
    assert (store.unclosed(), [charge.member for charge in store.charges()]) == ([visit_id(2)], ["01ANNA"])
    found = overview(store)
    assert (found.events, found.charges, found.stores, found.behind) == (4, 1, 2, 3)
    assert [(gap["missing"], gap["since_ms"]) for gap in found.gaps] == [(1, 100)]
    assert store.take(CAB, events[0], 200) == "duplicate"
    store.close()


def test_a_store_of_before_goes_on_and_stays_its_cabinets(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = old_books(tmp_path, monkeypatch, place)
    store = CloudStore(place)
    following = forged(events[2], seq=4, prev=events[2]["h"], type="incident", visit=None)
    with pytest.raises(ForeignStoreError):
        store.take(OTHER, following, 200)
    assert store.take(CAB, following, 200) == "stored"
    assert store.mark(CAB, events[0]["store"]).hwm == 4
    store.close()


def test_an_old_file_is_not_changed_by_who_only_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_books(tmp_path, monkeypatch, str(tmp_path / "old.db"))
    with pytest.raises(LedgerError, match="start cabinet cloud run on it once"):
        charges(tmp_path / "old.db")
    with sqlite3.connect(tmp_path / "old.db") as file:
        assert file.execute("PRAGMA user_version").fetchone() == (1,)
    file.close()


class Watched:
    """SQLite books that note the plan of each question."""

    def __init__(self, store: CloudStore) -> None:
        self.plans: list[str] = []
        books: Any = store.books
        self._connection = books._file.connection
        ask, run = books.rows, books.run

        def rows(sql: str, *values: object) -> list[dict[str, Any]]:
            self._note(sql, values)
            found: list[dict[str, Any]] = ask(sql, *values)
            return found

        def change(sql: str, *values: object) -> int:
            self._note(sql, values)
            changed: int = run(sql, *values)
            return changed

        books.rows, books.run = rows, change

    def _note(self, sql: str, values: tuple[object, ...]) -> None:
        plan = self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        self.plans += [f"{step[3]}   <- {sql}" for step in plan]


def test_nothing_that_is_asked_all_day_looks_through_events_visits_or_charges(tmp_path: Path) -> None:
    desk = Counterpart(tmp_path, str(tmp_path / "cloud.db"))
    watched = Watched(desk.store)
    for number in (0, 3, 1, 2, 2):
        desk.tell(desk.events[number])
    desk.tell(forged(desk.events[3], visit="01OTHER"))
    desk.hello()
    desk.service.greetings(7)
    desk.service.tick(100_000)
    patrol(desk.store, 10**12)
    desk.store.unclosed()
    desk.store.stands(CAB, desk.ledger.store)
    overview(desk.store)
    desk.close()
    scans = [plan for plan in watched.plans if plan.startswith("SCAN")]
    allowed = ("SCAN mark", "SCAN s", "SCAN alarm", "SCAN refusal", "SCAN visit USING INDEX visit_open",
               "SCAN visit USING COVERING INDEX visit_open", "SCAN (subquery")  # fmt: skip  # a list
    assert [plan for plan in scans if not plan.startswith(allowed)] == []
    assert len(watched.plans) > 40
