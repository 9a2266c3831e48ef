"""Events wait for the disk together, and nobody is answered before the disk has answered (I4)."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cabinet import wire
from cabinet.cloud.books import Books, BooksAwayError, open_books
from cabinet.cloud.books.postgres import PostgresBooks
from cabinet.cloud.books.sqlite import SqliteBooks
from cabinet.cloud.service import CloudService, Reply
from cabinet.cloud.store import CloudStore
from cabinet.ledger import LedgerError
from tests.cloud.counterpart import CAB, KEYS, OTHER, Notebook, chain, opened
from tests.support.postgres import Postgres, binaries

FULL, NORMAL = 2, 1
TRIES = 20
INSERT = "INSERT INTO alarm (cab, kind, what, at_ms) VALUES ('a', 'b', ?, 1)"


def waits(books: Books) -> bool:
    """Whether a commit of this moment would wait for the disk."""
    if isinstance(books, SqliteBooks):
        return bool(books._file.connection.execute("PRAGMA synchronous").fetchone()[0] == FULL)
    assert isinstance(books, PostgresBooks)
    row = books.row("SHOW synchronous_commit")
    return row is not None and row["synchronous_commit"] == "on"


class Diary:
    """What happens to the books in which order: each commit of an event, and the flush that ends a batch."""

    def __init__(self, books: Any) -> None:
        self.lines: list[str] = []
        self.fails: Exception | None = None
        self._books = books
        self._writing: Callable[..., Any] = books.writing
        books.writing = self.writing
        if isinstance(books, SqliteBooks):
            self._flush: Callable[..., Any] = books._flush
            books._flush = self.flush  # type: ignore[method-assign,assignment]  # watched
        else:
            self._flush = books.row
            books.row = self.row

    @contextmanager
    def writing(self, of: str = "") -> Iterator[None]:
        with self._writing(of):
            yield
            if of:
                self.lines.append(f"commit that waits: {waits(self._books)}")

    def row(self, sql: str, *values: object) -> object:
        return self.flush(sql) if "emit_message" in sql else self._flush(sql, *values)

    def flush(self, *words: object) -> object:
        assert waits(self._books)
        if self.fails is not None:
            raise self.fails
        found = self._flush(*words)
        self.lines.append("flush")
        return found


@pytest.fixture
def store(place: str) -> Iterator[CloudStore]:
    store = CloudStore(place)
    yield store
    store.close()


def said(events: list[wire.Payload], cab: str = CAB) -> list[tuple[str, bytes]]:
    return [(wire.topic(cab, "up", "ev"), wire.canonical(event)) for event in events]


def batch(store: CloudStore, messages: list[tuple[str, bytes]]) -> list[Reply]:
    return CloudService(store, KEYS).batch(messages, mono_ms=0, wall_ms=7)


def test_a_batch_commits_each_event_waits_once_and_then_answers(store: CloudStore) -> None:
    diary = Diary(store.books)
    replies = batch(store, said(chain(5)) + said(chain(3, store="6" * 32), OTHER))
    assert diary.lines == ["commit that waits: False"] * 8 + ["flush"]
    assert sorted((kind, ack["upto"]) for kind, ack in opened(replies)) == [("ack", 3), ("ack", 5)]
    assert waits(store.books)


@pytest.mark.parametrize("error", [BooksAwayError("gone"), LedgerError("the disk")])
def test_without_the_flush_there_is_no_answer(store: CloudStore, error: Exception) -> None:
    diary, service = Diary(store.books), CloudService(store, KEYS)
    diary.fails = error
    with pytest.raises(type(error)):
        service.batch(said(chain(5)), mono_ms=0, wall_ms=7)
    diary.fails = None
    assert service.batch([], mono_ms=0, wall_ms=7) == []  # nor later, of its own accord
    ((_, ack),) = opened(service.batch(said(chain(5)[:1]), mono_ms=0, wall_ms=7))
    assert (ack["upto"], diary.lines[-1]) == (5, "flush")


def test_a_batch_that_ends_by_an_exception_answers_nothing_and_waits_again_afterwards(store: CloudStore) -> None:
    class Broken(Notebook):
        def opened(self, cab: str, event: wire.Payload, now_ms: int) -> None:
            raise ZeroDivisionError

    diary, service, events = Diary(store.books), CloudService(store, KEYS), chain(3)
    store.keep_books(Broken())
    events[2] = {**events[2], "type": "visit.opened", "visit": "01V", "body": {}}
    events[2]["h"] = wire.event_hash(events[2], events[2]["prev"])
    with pytest.raises(ZeroDivisionError):
        service.batch(said(events), mono_ms=0, wall_ms=7)
    assert (diary.lines, waits(store.books)) == (["commit that waits: False"] * 2, True)
    store.keep_books(Notebook())
    ((_, ack),) = opened(service.batch(said(events), mono_ms=0, wall_ms=7))
    assert ack["upto"] == 3


def test_a_last_event_that_is_refused_leaves_the_others_durable_and_acknowledged(store: CloudStore) -> None:
    diary = Diary(store.books)
    ((_, ack),) = opened(batch(store, [*said(chain(2)), (wire.topic(CAB, "up", "ev"), b"garbage")]))
    assert (ack["upto"], diary.lines[-1]) == (2, "flush")


def test_a_duplicate_is_answered_after_a_flush_because_another_worker_may_have_committed_it_just_now(
    store: CloudStore,
) -> None:
    other = CloudStore(store.books.where if isinstance(store.books, SqliteBooks) else store.books._url)  # type: ignore[attr-defined]  # the other kind
    with other.books.batch():
        other.take(CAB, chain(1)[0], 1)  # committed, and not durable yet
        diary = Diary(store.books)
        ((_, ack),) = opened(batch(store, said(chain(1))))
        assert (ack["upto"], diary.lines[-1]) == (1, "flush")
    other.close()


@pytest.mark.parametrize("how", ["hello", "greeting"])
def test_a_welcome_is_said_after_a_flush_because_its_mark_acknowledges(store: CloudStore, how: str) -> None:
    store.take(CAB, chain(1)[0], 1)
    diary, service = Diary(store.books), CloudService(store, KEYS)
    hello = {"store": "5" * 32, "nonce": "n", "head": 1, "h": chain(1)[0]["h"]}
    topic = wire.topic(CAB, "up", "hello")
    replies = (
        service.greetings(7) if how == "greeting" else service.heard(topic, wire.canonical(hello), mono_ms=0, wall_ms=7)
    )
    assert [kind for kind, _ in opened(replies)] == ["welcome"]
    assert diary.lines == ["flush"]


def test_what_asks_nothing_of_the_books_costs_no_flush(store: CloudStore) -> None:
    diary = Diary(store.books)
    assert batch(store, [(wire.topic(CAB, "up", "telemetry"), b"{}"), (wire.topic(CAB, "up", "ev"), b"{}")]) == []
    assert diary.lines == []


def test_within_a_transaction_a_batch_leaves_the_waiting_to_it(store: CloudStore) -> None:
    with store.books.writing(CAB):
        with store.books.batch():
            store.books.run(INSERT, "x")
        assert waits(store.books)
    assert len(store.alarms()) == 1


def test_the_flush_of_a_file_reaches_its_log(tmp_path: Path) -> None:
    """SQLite leaves the disk alone where a transaction changes nothing: ours grows the log."""
    books, log = SqliteBooks(tmp_path / "cloud.db"), tmp_path / "cloud.db-wal"
    with books.batch():
        books.rows("SELECT 1 AS one")
        before = log.stat().st_size
    assert log.stat().st_size > before
    assert books._file.connection.execute("PRAGMA application_id").fetchone()[0] == 0x43414243
    books.close()


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
def test_a_server_that_crashes_after_a_batch_has_all_of_it(tmp_path: Path) -> None:
    """Its own background writer sleeps for ten seconds, so that nothing is durable but what a commit waited for."""
    with Postgres("-c wal_writer_delay=10s", "-c wal_writer_flush_after=0") as server:
        url = server.fresh()
        books = open_books(url)
        with psycopg.connect(url, autocommit=True) as watcher:
            lsn = "SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn() AS behind"
            for _ in range(TRIES):  # should its writer wake up just now
                with books.batch():
                    with books.writing(CAB):
                        books.run(INSERT, "kept")
                    in_memory = watcher.execute(lsn).fetchone() != (0,)  # committed, seen by all
                if in_memory:
                    break
            assert in_memory
            assert watcher.execute(lsn).fetchone() == (0,)
            (kept,) = watcher.execute("SELECT count(*) FROM alarm").fetchall()
        books.close()
        server.kill()
        server.start()
        again = open_books(url)
        assert [row["what"] for row in again.rows("SELECT what FROM alarm")] == ["kept"] * kept[0]
        again.close()


def test_a_file_read_by_another_process_before_the_flush_shows_whole_transactions(tmp_path: Path) -> None:
    books = SqliteBooks(tmp_path / "cloud.db")
    with books.batch():
        with books.writing():
            books.run(INSERT, "one")
        with sqlite3.connect(tmp_path / "cloud.db") as reader:
            assert reader.execute("SELECT what FROM alarm").fetchall() == [("one",)]
    books.close()
