"""The audit over real databases: a cabinet's file, the cloud's on SQLite and PostgreSQL, and a provider's export."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from cabinet.audit import KINDS, Report, audit
from cabinet.audit.ledger import CloudBooks
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger, LedgerError
from tests.audit.books import NOW_MS, RealBooks, visit_id
from tests.ledger.examples import shop, stamp

POSTING = (
    "INSERT INTO posting (txn, line, visit, kind, account, amount_minor, currency, at_ms)"
    " VALUES ('capture:x', 1, ?, 'capture', 'clearing', 5, 'USD', 0)"
)


@pytest.fixture
def settled(books: RealBooks) -> RealBooks:
    """Three charges, of each a part given back, everything paid."""
    books.sell(1, 2, 3, refunded_minor=100)
    books.deliver()
    books.settle()
    return books


def audited(books: RealBooks, most: int = 20) -> Report:
    return audit([books.edge], books.url, books.export if books.export.exists() else None, most)


def found(books: RealBooks) -> set[tuple[str, str]]:
    return {(one.kind, one.visit) for one in audited(books).findings}


def test_books_that_agree_are_proved(settled: RealBooks) -> None:
    told = audited(settled).told()
    assert {kind: told[kind] for kind in KINDS} == dict.fromkeys(KINDS, 0)
    assert (told["ok"], told["sold"], told["charges"], told["edge_events"], told["cloud_events"]) == (True, 3, 3, 9, 9)


def test_what_waits_is_not_lost(settled: RealBooks) -> None:
    settled.sell(4)
    told = audited(settled).told()
    assert (told["ok"], told["lost"], told["waiting"]) == (True, 0, 1)
    settled.deliver(confirm=False)
    told = audited(settled).told()
    assert (told["ok"], told["waiting"], told["charges"]) == (True, 0, 4)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("DELETE FROM charge WHERE visit = ?", "lost"),
        ("DELETE FROM event WHERE visit = ? AND type = 'visit.closed'", "freed"),
        ("UPDATE event SET body = '{}' WHERE visit = ? AND type = 'visit.opened'", "hashes"),
        ("UPDATE payment SET captured_minor = captured_minor - 1 WHERE visit = ?", "captured"),
        ("UPDATE payment SET held_minor = 5 WHERE visit = ?", "holds"),
        ("UPDATE adjustment SET state = 'refused' WHERE visit = ?", "refunds"),
        (POSTING, "postings"),
    ],
)
def test_damage_to_the_clouds_books_is_found_with_its_visit(settled: RealBooks, sql: str, kind: str) -> None:
    settled.run(sql, visit_id(2))
    assert (kind, visit_id(2)) in found(settled)


def test_a_charge_that_no_cabinet_sold_is_foreign(settled: RealBooks) -> None:
    settled.run(
        "INSERT INTO charge (visit, cab, store, seq, h, member, total_minor, currency, lines, stored_ms)"
        " SELECT 'X', cab, store, seq + 100, h, member, total_minor, currency, lines, stored_ms FROM charge"
        " WHERE visit = ?",
        visit_id(1),
    )
    assert found(settled) == {("foreign", "X")}


def test_what_the_provider_took_twice_is_doubled(settled: RealBooks) -> None:
    lines = settled.export.read_text().splitlines(keepends=True)
    settled.export.write_text("".join([*lines, next(line for line in lines if visit_id(1) in line)]))
    assert ("doubled", visit_id(1)) in found(settled)


@pytest.mark.parametrize("visit", [1, 3])
def test_damage_to_the_cabinets_file_is_found(settled: RealBooks, visit: int) -> None:
    with sqlite3.connect(settled.edge) as file:
        file.execute("DROP TRIGGER visit_is_closed_once")
        file.execute("UPDATE visit SET total_minor = 1 WHERE visit = ?", [visit_id(visit)])
    assert ("changed", visit_id(visit)) in found(settled)


def test_a_copy_of_the_file_from_before_may_be_given(settled: RealBooks, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(settled.edge, copy)
    settled.sell(4)
    settled.deliver()
    settled.settle()
    told = audit([copy], settled.url, settled.export).told()
    assert (told["ok"], told["newer"], told["sold"]) == (True, 1, 3)


def test_other_cabinets_are_left_out_unless_their_files_are_given(settled: RealBooks, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with Ledger(other) as ledger:
        shop(ledger, 77)
        rows = ledger.unacknowledged()
        ledger.acknowledge(*ledger.head(), clock=stamp())
    store = CloudStore(settled.url)
    for row in rows:
        store.take("c2", row.message(), NOW_MS)
    store.close()
    settled.run("DELETE FROM charge WHERE visit = ?", visit_id(77))
    assert audited(settled).ok
    told = audit([settled.edge, other], settled.url).told()
    assert (told["lost"], told["sold"], told["findings"][0]["visit"]) == (1, 4, visit_id(77))


def test_all_are_counted_and_only_so_many_are_listed(books: RealBooks) -> None:
    books.sell(*range(1, 9))
    books.deliver()
    books.run("DELETE FROM charge")
    report = audited(books, most=3)
    assert (report.found["lost"], len(report.findings)) == (8, 3)


def test_a_cabinet_that_was_never_heard_has_nothing_but_waiting_charges(books: RealBooks) -> None:
    books.sell(1)
    books.deliver()
    books.folder = books.folder / "new"
    books.folder.mkdir()
    with Ledger(books.folder / "l.db") as ledger:
        shop(ledger, 5)
    told = audit([books.folder / "l.db"], books.url).told()
    assert (told["ok"], told["waiting"], told["charges"]) == (True, 1, 0)


def test_nothing_is_written(settled: RealBooks) -> None:
    before = settled.edge.read_bytes()
    audited(settled)
    assert settled.edge.read_bytes() == before
    with CloudBooks(settled.url) as cloud, pytest.raises(Exception, match=r"read.?only"):
        cloud._books.run("DELETE FROM charge")


@pytest.mark.parametrize("content", [b"", b"no database at all, only words" * 50])
def test_a_file_that_is_no_ledger_is_refused(settled: RealBooks, tmp_path: Path, content: bytes) -> None:
    strange = tmp_path / "strange.db"
    strange.write_bytes(content)
    with pytest.raises(LedgerError, match=r"strange\.db"):
        audit([strange], settled.url)
    with pytest.raises(LedgerError, match=r"strange\.db"):
        audit([settled.edge], str(strange))
    with pytest.raises(LedgerError, match="is not there"):
        audit([tmp_path / "none.db"], settled.url)


def test_a_line_of_an_export_that_is_none_is_refused_with_its_number(settled: RealBooks) -> None:
    settled.export.write_text(settled.export.read_text() + '{"visit": "x"}\n')
    with pytest.raises(LedgerError, match=r"provider\.jsonl line 4 .*'captured_minor' is missing"):
        audited(settled)
