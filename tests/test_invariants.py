"""The nine invariants of the way from the shelf to the settlement, each by its number, on the real classes.

Each test fails where its rule is broken.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet import wire
from cabinet.cloud.books import open_books
from cabinet.cloud.money.cashier import Cashier
from cabinet.cloud.money.counter import Counter
from cabinet.cloud.money.office import Office
from cabinet.cloud.money.sandbox import Moods, Sandbox
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from cabinet.ledger import EntryRefusedError, Ledger, LedgerError, OutboxRow, Stamp
from cabinet.session.states import Idle, Watching
from cabinet.units import VisitId
from tests.ledger.examples import ANNA, charged, opened, shop, stamp, visit_id
from tests.test_daemon import Cabinet, V, daemon_of
from tests.test_daemon import shop as visit_of_daemon
from tests.uplink.world import CAB, KEY, WALL_MS, Weather, World

YEARS_MS = 10 * 365 * 24 * 3600 * 1000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "edge.db") as made:
        yield made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, seed=5)
    yield made
    made.close()


class Eyewitness(Cabinet):
    """At the unlock it looks into the file with another connection: what is not committed is not there."""

    async def release(self, visit: VisitId, lease_s: float) -> None:
        with Ledger(self.ledger._file.path, read_only=True) as other:
            self.told.append(f"durable {[record.visit for record in other.open_visits()]}")


def test_i1_no_unlock_leaves_the_host_before_the_visit_is_durable(ledger: Ledger) -> None:
    eyewitness = Eyewitness(ledger)
    visit_of_daemon(daemon_of(eyewitness))
    assert [said for said in eyewitness.told if said.startswith("durable")] == [f"durable ['{V}']"]


def test_i1_what_cannot_be_made_durable_is_not_unlocked(ledger: Ledger) -> None:
    eyewitness = Eyewitness(ledger)
    ledger._file.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LedgerError, match="readonly"):
        visit_of_daemon(daemon_of(eyewitness))
    assert not [said for said in eyewitness.told if said.startswith("durable")]


def closings(ledger: Ledger) -> list[OutboxRow]:
    return [row for row in ledger.outbox(1000) if row.type == "visit.closed"]


def test_i2_a_visit_has_one_closing_event_whoever_closes_it_again(ledger: Ledger) -> None:
    shop(ledger, 1)
    with pytest.raises(EntryRefusedError, match="closed already"):
        ledger.commit(Idle(), [charged(1)], stamp())
    assert [row.visit for row in closings(ledger)] == [visit_id(1)]


def test_i2_a_visit_that_was_cut_by_a_restart_is_closed_once(ledger: Ledger) -> None:
    ledger.commit(Watching(V, ANNA, 0.0, 1e9), [opened(1)], stamp())
    ledger.commit(Idle(), [charged(1)], stamp())
    path = ledger._file.path
    ledger.close()
    with Ledger(path) as again:
        with pytest.raises(EntryRefusedError):
            again.commit(Idle(), [charged(1)], stamp())
        assert not again.open_visits()
        assert len(closings(again)) == 1


@pytest.mark.parametrize("upto", [1, 2])
def test_i3_a_row_leaves_only_by_an_acknowledgement_of_its_hash(world: World, upto: int) -> None:
    world.shop()
    before = world.ledger.unacknowledged()
    lie = {"store": world.ledger.store, "upto": upto, "h": "0" * 64, "selective": [{"seq": 1, "h": "f" * 64}]}
    world.hear("ack", lie)
    assert world.ledger.unacknowledged() == before
    truth = {**lie, "h": world.ledger.hash_at(upto), "selective": []}
    world.hear("ack", truth)
    assert [row.seq for row in world.ledger.unacknowledged()] == list(range(upto + 1, 3))


def told(cloud: CloudService, row: OutboxRow) -> wire.Payload:
    (reply, *_) = cloud.heard(wire.topic(CAB, "up", "ev"), wire.canonical(row.message()), mono_ms=0, wall_ms=1)
    return wire.parse(reply.payload)


def test_i4_an_acknowledgement_covers_only_what_is_committed_without_a_gap(world: World, tmp_path: Path) -> None:
    for _ in range(3):
        world.shop()
    rows = world.ledger.unacknowledged()
    for row in (rows[0], rows[2], rows[3], rows[5]):
        ack = told(world.cloud, row)
        with_others = CloudStore(tmp_path / "cloud.db", read_only=True)
        stored = {event.seq for event in with_others.events()}
        with_others.close()
        assert set(range(1, ack["upto"] + 1)) <= stored
        assert {one["seq"] for one in ack["selective"]} <= stored
    assert ack["upto"] == 1


class Broken:
    """A bookkeeper whose disk fails within the event's own transaction."""

    def opened(self, *_: object) -> None:
        raise LedgerError("the disk failed")

    closed = adjusted = alarmed = opened


def test_i4_what_could_not_be_committed_is_not_acknowledged(world: World) -> None:
    world.shop()
    world.cloud_store.keep_books(Broken())
    with pytest.raises(LedgerError):
        told(world.cloud, world.ledger.unacknowledged()[0])
    assert not world.cloud_store.events()


def test_i5_a_visit_is_one_row_of_the_clouds_ledger_whatever_is_said_again(world: World) -> None:
    world.shop()
    world.shop()
    for row in world.ledger.unacknowledged() * 2:
        told(world.cloud, row)
    world.ledger.renew_store("a copy was put back", world.stamp())  # the same visits under another store
    for row in world.ledger.unacknowledged() * 2:
        told(world.cloud, row)
    assert sorted(world.charged()) == [visit_id(1), visit_id(2)]


def test_i5_a_charge_is_captured_once_however_often_it_is_told_and_worked_on(world: World) -> None:
    books = open_books(str(world.folder / "cloud.db"))
    sandbox = Sandbox(world.folder / "provider.db", Moods(), lambda: WALL_MS)
    Office(books).set_wallet(ANNA, "cus_anna", "pm_anna", WALL_MS)
    world.cloud_store.keep_books(Counter(world.cloud_store.books))
    cashiers = [Cashier(books, sandbox, lambda: WALL_MS) for _ in range(2)]
    world.shop()
    for _ in range(3):
        for row in world.ledger.unacknowledged():
            told(world.cloud, row)
        for _ in range(10):
            sum(cashier.work() for cashier in cashiers)
    books.close()
    assert [(intent.visit, intent.captured_minor) for intent in sandbox.export()] == [(visit_id(1), 250)]


@pytest.mark.parametrize("change", ["total_minor = 1", "lines = '[]'", "currency = 'EUR'"])
def test_i6_the_amount_never_changes_after_its_commit_at_the_edge(ledger: Ledger, change: str) -> None:
    shop(ledger, 1)
    before = ledger.visits()
    with pytest.raises(EntryRefusedError, match="never changes"), ledger._file.writing() as db:
        db.execute(f"UPDATE visit SET {change}")  # noqa: S608  # our own text
    assert ledger.visits() == before


def test_i6_an_event_never_changes_after_its_commit(ledger: Ledger) -> None:
    shop(ledger, 1)
    with pytest.raises(EntryRefusedError, match="never changes"), ledger._file.writing() as db:
        db.execute("UPDATE outbox SET body = '{}'")


def test_i6_another_amount_for_the_same_visit_changes_nothing_in_the_cloud(world: World) -> None:
    world.shop()
    rows = world.ledger.unacknowledged()
    for row in rows:
        told(world.cloud, row)
    other = {**rows[1].message(), "store": "another", "seq": 1, "prev": wire.GENESIS}
    other["body"] = {**other["body"], "total_minor": 1}
    other["h"] = wire.event_hash(other, wire.GENESIS)
    world.cloud.heard(wire.topic(CAB, "up", "ev"), wire.canonical(other), mono_ms=0, wall_ms=1)
    (charge,) = world.cloud_store.charges()
    assert charge.total_minor == 250
    assert charge.review


@pytest.mark.parametrize("seed", range(3))
def test_i7_what_is_acknowledged_is_never_beyond_what_the_cloud_has(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed=seed, weather=Weather(loss=0.3, double=0.3, delay_ms=2_000))
    world.connect()
    for half in range(240):
        if half % 8 == 0 and half < 120:
            world.shop()
        if half == 20:
            world.crash_cloud()
        world.run(500)
        mark = world.cloud_store.mark(CAB, world.ledger.store)
        stored = {event.h for event in world.cloud_store.events()}
        acked = [row for row in world.ledger.outbox(1000) if row.acked_at_ms is not None]
        assert {row.h for row in acked} <= stored
        waiting = world.ledger.unacknowledged(1)
        assert (waiting[0].seq - 1 if waiting else world.ledger.head()[0]) <= mark.hwm
    assert not world.ledger.unacknowledged()
    world.close()


def test_i8_what_is_not_acknowledged_is_never_deleted(ledger: Ledger) -> None:
    for number in range(1, 4):
        shop(ledger, number)
    first = ledger.unacknowledged(1)[0]
    ledger.acknowledge(1, first.h, clock=stamp())
    much_later = Stamp(1, stamp().wall_ms + YEARS_MS, "ntp")
    assert ledger.prune(much_later) == 1
    assert [row.seq for row in ledger.unacknowledged(100)] == [2, 3, 4, 5, 6]
    with pytest.raises(EntryRefusedError, match="never deleted"), ledger._file.writing() as db:
        db.execute("DELETE FROM outbox WHERE seq = 4")


def test_i9_a_copy_put_back_is_seen_at_the_first_greeting(world: World) -> None:
    world.shop()
    world.connect()
    world.run(3_000)
    old, store = world.ledger._file.path, world.ledger.store
    world.ledger.close()
    for name in ("", "-wal", "-shm"):
        old.with_name(old.name + name).unlink(missing_ok=True)
    with Ledger(old) as copy, copy._file.writing() as db:  # the same store, from before anything was sold
        db.execute("UPDATE identity SET store = ?", [store])
    world.crash_edge()
    before = len(world.said)
    world.connect()
    world.run(100)
    assert [kind for _, kind, _ in world.said[before : before + 1]] == ["hello"]
    assert world.ledger.store != store
    assert "the cloud's mark is 2 with another hash" in world.ledger.outbox(1)[0].body["why"]


def test_i9_a_clone_is_an_alarm_at_its_first_greeting(world: World, tmp_path: Path) -> None:
    with Ledger(tmp_path / "clone.db") as clone:
        with clone._file.writing() as db:
            db.execute("UPDATE identity SET store = ?", [world.ledger.store])
        shop(clone, 7)
        world.shop()
        world.connect()
        world.run(3_000)
        head, h = clone.head()
        hello = {"store": clone.store, "nonce": "n", "head": head, "h": h}
        world.cloud.heard(wire.topic(CAB, "up", "hello"), wire.canonical(hello), mono_ms=0, wall_ms=1)
    assert [alarm.kind for alarm in world.cloud_store.alarms()] == ["fork"]


def test_i9_a_cloud_that_lost_events_is_told_them_again_after_one_greeting(world: World) -> None:
    world.shop()
    world.connect()
    world.run(3_000)
    assert not world.ledger.unacknowledged()
    world.disconnect()
    world.cloud_store.close()
    for file in world.folder.glob("cloud.db*"):
        file.unlink()
    world.crash_cloud()
    world.connect()
    world.run(3_000)
    assert world.charged() == [visit_id(1)]


def test_i9_a_gap_is_asked_for(world: World) -> None:
    for _ in range(2):
        world.shop()
    rows = world.ledger.unacknowledged()
    told(world.cloud, rows[0])
    told(world.cloud, rows[3])
    (nak,) = world.cloud.tick(10_000)
    said = wire.parse(nak.payload)
    assert (said["from"], said["to"], said["why"]) == (2, 3, "gap")
    assert wire.authentic(KEY, CAB, "nak", said)
