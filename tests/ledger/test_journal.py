"""The board's journal: each entry once, whatever board it is of and however often it is read."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.identity.credit import NO_TERMS
from cabinet.ledger import Incident, JournalEntry, Ledger, LedgerError
from cabinet.ledger.journal import RING_ENTRIES
from cabinet.ledger.outbox import RETENTION_MS
from cabinet.ledger.schema import MIGRATIONS
from tests.ledger.examples import charged, opened, shop, stamp, visit_id

BOARD = "00112233aabbccdd"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "l.db") as made:
        yield made


def entry(index: int, *, board: str = BOARD, boot: int = 1, t_ms: int | None = None) -> JournalEntry:
    facts = {"masses_g": {"s1": 3000.5, "s2": None}}
    return JournalEntry(board, index, boot, 1000 * index if t_ms is None else t_ms, "masses", visit_id(1), facts)


def indexes(ledger: Ledger) -> list[int]:
    return [row.entry.index for row in ledger.journal_rows(1000)]


def test_an_entry_is_read_back_as_it_was_written(ledger: Ledger) -> None:
    assert ledger.journal(entry(7), stamp(5))
    (row,) = ledger.journal_rows()
    assert (row.entry, row.received) == (entry(7), stamp(5))


def test_an_entry_that_comes_again_is_kept_once(ledger: Ledger) -> None:
    assert [ledger.journal(entry(1), stamp()) for _ in range(3)] == [True, False, False]
    assert indexes(ledger) == [1]


def test_an_entry_is_the_same_when_a_zone_was_renamed_since(ledger: Ledger) -> None:
    ledger.journal(entry(1), stamp())
    assert not ledger.journal(replace(entry(1), facts={"masses_g": {"top": 3000.5}}), stamp())


def test_reading_goes_on_after_the_newest_entry_of_that_board(ledger: Ledger) -> None:
    for index in (1, 2, 3):
        ledger.journal(entry(index), stamp())
    assert (ledger.journal_next(BOARD), ledger.journal_next("another"), ledger.journal_board()) == (4, 1, BOARD)


def test_another_board_has_indexes_of_its_own(ledger: Ledger) -> None:
    ledger.journal(entry(50), stamp())
    assert ledger.journal(entry(2, board="ff" * 8), stamp())
    assert (ledger.journal_board(), ledger.journal_next("ff" * 8), ledger.journal_next(BOARD)) == ("ff" * 8, 3, 51)


def test_a_ring_that_begins_anew_is_kept_beside_the_old_one(ledger: Ledger) -> None:
    for index in (1, 2, 3):
        ledger.journal(entry(index), stamp())
    assert ledger.journal(entry(1, boot=1, t_ms=77), stamp())
    assert ledger.journal(entry(2, boot=1, t_ms=78), stamp())
    assert (indexes(ledger), ledger.journal_next(BOARD)) == ([1, 2, 3, 1, 2], 3)


def test_an_index_that_the_ring_cannot_hold_any_more_is_of_a_new_ring(ledger: Ledger) -> None:
    ledger.journal(entry(RING_ENTRIES + 10), stamp())
    ledger.journal(entry(10), stamp())
    assert ledger.journal_next(BOARD) == 11


def test_an_entry_that_was_torn_before_may_come_later(ledger: Ledger) -> None:
    for index in (1, 3, 2):
        assert ledger.journal(entry(index), stamp())
    assert ledger.journal_next(BOARD) == 4


def test_the_entries_of_a_visit_are_found(ledger: Ledger) -> None:
    for index in (1, 2):
        ledger.journal(entry(index), stamp())
    ledger.journal(replace(entry(3), visit=visit_id(2)), stamp())
    assert [row.entry.index for row in ledger.journal_of(visit_id(1))] == [1, 2]


def test_an_incident_is_raised_once_with_its_entry(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.journal(entry(1), stamp(), Incident("the door was forced"))
    assert [row.body["why"] for row in ledger.outbox()] == ["the door was forced"]


def test_what_the_board_wrote_never_changes(ledger: Ledger) -> None:
    ledger.journal(entry(1), stamp())
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        ledger._file.connection.execute("UPDATE board_journal SET facts = '{}'")


def test_a_charge_is_told_with_the_hash_of_its_closing(ledger: Ledger) -> None:
    shop(ledger, 1)
    charge = ledger.charge(visit_id(1))
    assert charge is not None
    assert (charge.visit, charge.total_minor, charge.currency, charge.h) == (visit_id(1), 250, "USD", ledger.head()[1])


def test_the_newest_charge_is_found_and_what_charges_nothing_is_none(ledger: Ledger) -> None:
    assert ledger.charge() is None
    for number in (1, 2):
        shop(ledger, number)
    ledger.commit(ledger.state(), [opened(3), replace(charged(3), outcome="review", lines=(), total_minor=0)], stamp())  # type: ignore[arg-type]  # the state is known
    charge = ledger.charge()
    assert charge is not None
    assert charge.visit == visit_id(2)
    assert ledger.charge(visit_id(3)) is None


def test_old_entries_go_and_the_last_ring_stays(ledger: Ledger) -> None:
    for index in range(1, RING_ENTRIES + 6):
        ledger.journal(entry(index), stamp())
    later = stamp(wall_ms=stamp().wall_ms + RETENTION_MS + 1)
    assert (ledger.prune_journal(stamp()), ledger.prune_journal(later)) == (0, 5)
    assert indexes(ledger) == list(range(6, RING_ENTRIES + 6))


def test_under_a_clock_that_nobody_vouches_for_nothing_goes(ledger: Ledger) -> None:
    for index in range(1, RING_ENTRIES + 6):
        ledger.journal(entry(index), stamp())
    assert ledger.prune_journal(stamp(wall_ms=stamp().wall_ms + 2 * RETENTION_MS, quality="floor")) == 0


OLD_VISIT = (
    "INSERT INTO visit (visit, purpose, who, reason, price_version, baseline_mg, trace, opened_mono_ms,"
    " opened_wall_ms, opened_quality) VALUES (?, 'shop', 'face', '', 1, '{}', 'visits/1', 1, 1, 'ntp')"
)


def test_a_ledger_of_the_first_schema_gets_the_journal_and_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.db"
    monkeypatch.setattr("cabinet.ledger.MIGRATIONS", MIGRATIONS[:1])
    with Ledger(path) as old:
        with old._file.writing() as db:  # as the first program wrote it
            db.execute(OLD_VISIT, [visit_id(1)])
        with pytest.raises(LedgerError, match="board_journal"):
            old.journal(entry(1), stamp())
    monkeypatch.setattr("cabinet.ledger.MIGRATIONS", MIGRATIONS)
    with Ledger(path) as new:
        assert new.journal(entry(1), stamp())
        kept = new.visit(visit_id(1))
        assert kept is not None
        assert kept.terms == NO_TERMS
