"""A database server that goes away and comes back: nothing acknowledged meanwhile, nobody dies, nothing is lost."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cabinet import wire
from cabinet.cloud.books import BooksAwayError, LedgerError, open_books
from cabinet.cloud.loop import CloudLoop
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from tests.cloud.counterpart import CAB, KEYS, chain
from tests.support.postgres import Postgres, binaries

pytestmark = pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")


class Pipe:
    """An `MqttPipe` without a broker."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, wire.Payload]] = []
        self.room = 1_000

    def start(self, heard: Callable[[str, bytes], None], changed: Callable[[bool], None]) -> None:
        self.heard, self.changed = heard, changed

    def send(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> bool:
        if len(self.sent) >= self.room:
            return False
        place = wire.split_topic(topic)
        assert place is not None
        self.sent.append((place[2], wire.parse(payload)))
        return True

    def trouble(self) -> str | None:
        return None

    async def stop(self) -> None:
        pass


@pytest.fixture(scope="module")
def ours() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


@pytest.fixture
def own(ours: Postgres) -> Postgres:
    """A server that a test may stop; each test has a database of its own on it."""
    if not ours._running:
        ours.start()
    return ours


def loop_over(store: CloudStore) -> tuple[CloudLoop, Pipe, CloudService]:
    service, pipe = CloudService(store, KEYS), Pipe()
    loop = CloudLoop(service, pipe)  # type: ignore[arg-type]  # as much of a pipe as the loop uses
    pipe.start(loop._heard, loop._changed)
    return loop, pipe, service


def step(loop: CloudLoop) -> None:
    loop._turn()
    loop._send()


def hear(pipe: Pipe, *events: wire.Payload) -> None:
    for event in events:
        pipe.heard(wire.topic(CAB, "up", "ev"), wire.canonical(event))


def test_a_server_that_is_killed_and_comes_back_costs_patience_and_nothing_else(
    own: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    store, events = CloudStore(own.fresh()), chain(20)
    loop, pipe, service = loop_over(store)
    hear(pipe, *events[:3])
    step(loop)
    own.kill()
    sent = len(pipe.sent)
    with caplog.at_level(logging.WARNING):
        for event in events[3:9]:
            hear(pipe, event)
            step(loop)
    assert (pipe.sent[sent:], service.counts["books away"]) == ([], 6)
    assert [record.levelname for record in caplog.records if "books_away" in record.message] == ["ERROR"]
    own.start()
    assert loop._away is not None
    loop._away.until_s = 0.0  # its pause is over
    step(loop)
    assert pipe.sent[sent][0] == "welcome"
    assert pipe.sent[sent][1]["hwm"] == 3
    hear(pipe, *events[3:])
    step(loop)
    assert pipe.sent[-1][1]["upto"] == 20
    assert store.mark(CAB, "5" * 32).hwm == 20
    store.close()


def test_the_pauses_between_two_looks_for_the_database_grow_and_are_bounded(own: Postgres) -> None:
    store = CloudStore(own.fresh())
    loop, pipe, _ = loop_over(store)
    own.kill()
    hear(pipe, chain(1)[0])
    step(loop)
    away = loop._away
    assert away is not None
    pauses = []
    for _ in range(7):
        pauses.append(away.pause_s)
        away.until_s = 0.0
        step(loop)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    store.close()


def test_a_server_that_goes_within_a_batch_leaves_nothing_acknowledged_of_it(own: Postgres) -> None:
    """What was committed before had not waited for the disk yet."""
    store, events = CloudStore(own.fresh()), chain(3)
    loop, pipe, service = loop_over(store)
    taken, take = [0], store.taken

    def failing(cab: str, event: wire.Payload, now_ms: int) -> object:
        taken[0] += 1
        if taken[0] == 3:
            own.kill()
        return take(cab, event, now_ms)

    store.taken = failing  # type: ignore[method-assign,assignment]  # the server goes between two commits
    hear(pipe, *events)
    step(loop)
    assert pipe.sent == []
    assert service.counts["books away"] == 3
    own.start()
    store.taken = take  # type: ignore[method-assign]  # as it was
    assert loop._away is not None
    loop._away.until_s = 0.0  # its pause is over
    step(loop)
    hear(pipe, *events)
    step(loop)
    assert [(kind, said["upto"]) for kind, said in pipe.sent if kind == "ack"] == [("ack", 3)]
    store.close()


def test_a_transaction_whose_server_went_is_not_half_done_by_a_new_connection(own: Postgres) -> None:
    books = open_books(own.fresh())
    insert = "INSERT INTO alarm (cab, kind, what, at_ms) VALUES ('a', 'b', ?, 1)"
    with pytest.raises(BooksAwayError, match="in the middle of"), books.writing(CAB):  # noqa: PT012  # what follows what
        books.run(insert, "first")
        own.kill()
        own.start()
        with contextlib.suppress(BooksAwayError):
            books.run(insert, "lost")
        books.run(insert, "never on its own")
    assert books.rows("SELECT what FROM alarm") == []
    books.close()


def test_a_url_that_does_not_answer_is_told_with_its_place_and_no_password(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="does not answer") as refusal:
        CloudStore("postgresql://books:sesame@127.0.0.1:1/none")
    assert "port=1" in str(refusal.value)
    assert "sesame" not in str(refusal.value)


def test_a_full_pipe_keeps_the_answers_in_order(tmp_path: Path) -> None:
    store = CloudStore(tmp_path / "cloud.db")
    loop, pipe, _ = loop_over(store)
    pipe.room = 1
    events = chain(24)
    for number in (0, 8, 16):
        hear(pipe, *events[number : number + 8])
        step(loop)
    assert [said["upto"] for _, said in pipe.sent] == [8]
    pipe.room = 100
    step(loop)
    assert [said["upto"] for _, said in pipe.sent] == [8, 16, 24]
    store.close()


def test_a_batch_of_one_cabinet_costs_one_acknowledgement(tmp_path: Path) -> None:
    store = CloudStore(tmp_path / "cloud.db")
    loop, pipe, _ = loop_over(store)
    hear(pipe, *chain(20))
    step(loop)
    assert [(kind, said["upto"]) for kind, said in pipe.sent] == [("ack", 20)]
    store.close()


def test_a_loop_that_ends_writes_down_what_it_refused(tmp_path: Path) -> None:
    store = CloudStore(tmp_path / "cloud.db")
    loop, pipe, _ = loop_over(store)

    async def life() -> None:
        running = asyncio.create_task(loop.run())
        await asyncio.sleep(0)
        pipe.heard(wire.topic(CAB, "up", "ev"), b"garbage")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    pipe.start(loop._heard, loop._changed)
    pipe.heard(wire.topic(CAB, "up", "ev"), b"garbage")
    asyncio.run(life())
    assert [(row["why"], row["n"]) for row in store.books.rows("SELECT * FROM refusal")] == [("garbage", 1)]
    store.close()
