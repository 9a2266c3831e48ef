"""The queue to the cloud: gapless, chained, and freed by hashes alone."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cabinet.ledger import Incident, Ledger
from cabinet.ledger.outbox import RETENTION_MS
from cabinet.session.states import Idle
from cabinet.wire import GENESIS, checked_event, event_hash, parse, plain
from tests.ledger.examples import shop, stamp, visit_id


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "l.db")


def test_events_are_numbered_without_gaps_and_chained(ledger: Ledger) -> None:
    for number in range(1, 4):
        shop(ledger, number)
    prev = GENESIS
    for seq, event in enumerate(ledger.unacknowledged(), start=1):
        assert (event.seq, event.prev) == (seq, prev)
        assert event.h == event_hash(event.message(), prev)
        prev = event.h
    assert ledger.head() == (6, prev)


def test_an_event_survives_the_wire_byte_for_byte(ledger: Ledger) -> None:
    ledger.commit(Idle(), [Incident('Straße "3"\\ 🥤', None, "door")], stamp())
    (event,) = ledger.unacknowledged()
    assert checked_event(parse(plain(event.message()))) == event.message()


def test_a_new_ledger_has_an_empty_chain(ledger: Ledger) -> None:
    assert (ledger.head(), ledger.backlog(), ledger.unacknowledged()) == ((0, GENESIS), (0, None), [])


def test_an_ack_with_our_hash_frees_everything_up_to_it(ledger: Ledger) -> None:
    for number in (1, 2):
        shop(ledger, number)
    third = ledger.unacknowledged()[2]
    assert ledger.acknowledge(3, third.h, clock=stamp()) == 3
    assert [event.seq for event in ledger.unacknowledged()] == [4]
    assert ledger.acknowledge(3, third.h, clock=stamp()) == 0


@pytest.mark.parametrize("upto", [0, 1, 2, 9])
def test_an_ack_with_another_hash_frees_nothing(ledger: Ledger, upto: int) -> None:
    shop(ledger, 1)
    assert ledger.acknowledge(upto, "0" * 64, {1: "f" * 64, 7: "f" * 64}, clock=stamp()) == 0
    assert len(ledger.unacknowledged()) == 2


def test_a_selective_ack_frees_the_one_row_it_names(ledger: Ledger) -> None:
    for number in (1, 2):
        shop(ledger, number)
    third = ledger.unacknowledged()[2]
    assert ledger.acknowledge(0, GENESIS, {3: third.h}, clock=stamp()) == 1
    assert [event.seq for event in ledger.unacknowledged()] == [1, 2, 4]


def test_the_window_is_the_lowest_rows(ledger: Ledger) -> None:
    for number in range(1, 11):
        shop(ledger, number)
    assert [event.seq for event in ledger.unacknowledged(limit=16)] == list(range(1, 17))


def test_the_backlog_counts_rows_and_dates_the_oldest(ledger: Ledger) -> None:
    shop(ledger, 1, stamp(wall_ms=1_000))
    shop(ledger, 2, stamp(wall_ms=2_000))
    assert ledger.backlog() == (4, 1_000)


@pytest.mark.parametrize("sql", ["DELETE FROM outbox", "UPDATE outbox SET body = '{}'"])
def test_the_file_itself_refuses_to_lose_or_alter_a_waiting_event(ledger: Ledger, sql: str) -> None:
    shop(ledger, 1)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        ledger._file.connection.execute(sql)


def test_pruning_takes_only_rows_acknowledged_more_than_90_days_ago(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        shop(ledger, number)
    rows = ledger.unacknowledged()
    ledger.acknowledge(2, rows[1].h, clock=stamp(wall_ms=0))
    ledger.acknowledge(4, rows[3].h, clock=stamp(wall_ms=1_000))
    assert ledger.prune(stamp(wall_ms=RETENTION_MS + 500)) == 2
    assert [event.seq for event in ledger.outbox()] == [6, 5, 4, 3]


def test_pruning_keeps_the_newest_so_that_the_chain_goes_on(ledger: Ledger) -> None:
    shop(ledger, 1)
    seq, h = ledger.head()
    ledger.acknowledge(seq, h, clock=stamp(wall_ms=0))
    ledger.prune(stamp(wall_ms=2 * RETENTION_MS))
    assert ledger.head() == (seq, h)
    shop(ledger, 2)
    assert [event.seq for event in ledger.unacknowledged()] == [3, 4]


@pytest.mark.parametrize("quality", ["none", "floor"])
def test_nothing_is_pruned_by_a_clock_nobody_vouches_for(ledger: Ledger, quality: str) -> None:
    shop(ledger, 1)
    ledger.acknowledge(*ledger.head(), clock=stamp(wall_ms=0))
    assert ledger.prune(stamp(wall_ms=2 * RETENTION_MS, quality=quality)) == 0


def test_a_row_acknowledged_under_a_bad_clock_begins_its_90_days_at_the_next_pruning(ledger: Ledger) -> None:
    shop(ledger, 1)
    ledger.acknowledge(*ledger.head(), clock=stamp(wall_ms=5, quality="none"))
    assert ledger.prune(stamp(wall_ms=2 * RETENTION_MS)) == 0
    assert ledger.prune(stamp(wall_ms=3 * RETENTION_MS + 1)) == 1


def test_rows_that_the_cloud_lost_are_ours_to_deliver_again(ledger: Ledger) -> None:
    for number in (1, 2):
        shop(ledger, number)
    ledger.acknowledge(*ledger.head(), clock=stamp())
    assert ledger.reopen(1) == 3
    assert [event.seq for event in ledger.unacknowledged()] == [2, 3, 4]


def test_a_renewed_store_takes_what_waits_along_in_order_and_tells_of_it(ledger: Ledger) -> None:
    for number in (1, 2):
        shop(ledger, number)
    ledger.acknowledge(1, ledger.unacknowledged()[0].h, clock=stamp())
    old = ledger.store
    new = ledger.renew_store("the cloud's mark is 9", stamp())
    rows = ledger.unacknowledged()
    assert ledger.store == new != old
    assert [(row.seq, row.type) for row in rows] == [
        (1, "visit.closed"),
        (2, "visit.opened"),
        (3, "visit.closed"),
        (4, "incident"),
    ]
    assert [row.visit for row in rows] == [visit_id(1), visit_id(2), visit_id(2), None]
    assert all(checked_event(row.message()) for row in rows)


def test_nothing_is_sold_after_a_renewal_until_its_incident_is_stored(ledger: Ledger) -> None:
    assert ledger.split() is None
    ledger.renew_store("a clone", stamp())
    assert "another history" in str(ledger.split())
    ledger.acknowledge(*ledger.head(), clock=stamp())
    assert ledger.split() is None


Step = tuple[str, int]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["shop", "ack", "forge", "reopen", "renew"]), st.integers(0, 9))))
def test_whatever_happens_the_chain_holds_and_no_event_is_lost(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("l") / "l.db")
    visits = 0
    for what, number in steps:
        rows = ledger.unacknowledged()
        if what == "shop":
            visits += 1
            shop(ledger, visits)
        elif what == "ack" and rows:
            row = rows[number % len(rows)]
            ledger.acknowledge(row.seq, row.h, clock=stamp())
        elif what == "forge":
            ledger.acknowledge(number, f"{number}" * 64, {number: "a" * 64}, clock=stamp())
        elif what == "reopen":
            ledger.reopen(number)
        elif what == "renew":
            ledger.renew_store("again", stamp())
    kept = ledger._file.rows("SELECT count(*) AS n FROM outbox WHERE type != 'incident'")[0]["n"]
    assert kept == 2 * visits
    chain = list(reversed(ledger.outbox(limit=1000)))
    assert [row.seq for row in chain] == list(range(1, len(chain) + 1))
    prevs = [GENESIS, *(row.h for row in chain)]
    assert all(event_hash(row.message(), prev) == row.h for row, prev in zip(chain, prevs, strict=False))
    ledger.close()
