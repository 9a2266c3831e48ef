"""The file: settings that survive a power cut, migrations, and files that are not ours."""

import sqlite3
from pathlib import Path

import pytest

from cabinet.ledger import EntryRefusedError, Ledger, LedgerDamagedError, LedgerError, LedgerLostError, LedgerNewerError
from cabinet.ledger import file as file_module
from cabinet.ledger.schema import MIGRATIONS
from tests.ledger.examples import shop, visit_id


def pragma(ledger: Ledger, name: str) -> object:
    return ledger._file.connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("busy_timeout", 5000),
        ("secure_delete", 1),
        ("user_version", len(MIGRATIONS)),
    ],
)
def test_an_open_ledger_has_the_setting(tmp_path: Path, name: str, value: object) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        assert pragma(ledger, name) == value


def test_an_sqlite_that_does_not_keep_synchronous_full_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = [(name, "NORMAL" if name == "synchronous" else value, want) for name, value, want in file_module.SETTINGS]
    monkeypatch.setattr(file_module, "SETTINGS", tuple(weak))
    with pytest.raises(LedgerError, match="synchronous=1 instead of 2"):
        Ledger(tmp_path / "l.db")


def test_every_table_is_strict(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        tables = ledger._file.rows("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    loose = {row["name"] for row in tables if not row["strict"]}
    assert loose == {"sqlite_schema"}


def test_a_newer_schema_is_refused_with_both_versions(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with Ledger(path) as ledger:
        ledger._file.connection.execute("PRAGMA user_version=99")
    with pytest.raises(LedgerNewerError, match=f"version 99.*up to {len(MIGRATIONS)}"):
        Ledger(path)


def test_a_file_of_something_else_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE shopping (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(LedgerDamagedError, match=r"other\.db is a database of something else"):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_with_its_name_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(LedgerDamagedError, match=r"l\.db is damaged .*put back the last copy"):
        Ledger(path)


def test_a_damaged_page_is_found_at_open(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with Ledger(path) as ledger:
        for number in range(1, 40):
            shop(ledger, number)
        size = pragma(ledger, "page_size")
    assert isinstance(size, int)
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // size):
        content[page * size : page * size + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(LedgerDamagedError, match="put back the last copy"):
        Ledger(path)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"nowhere/l\.db.*check the folder"):
        Ledger(tmp_path / "nowhere" / "l.db")


def test_the_store_stays_and_the_boot_changes_with_each_opening(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as first:
        store, boot = first.store, first.boot
    with Ledger(tmp_path / "l.db") as second:
        assert second.store == store
        assert second.boot != boot
    assert (len(store), len(boot)) == (32, 16)


def test_two_ledgers_are_two_stores(tmp_path: Path) -> None:
    with Ledger(tmp_path / "a.db") as one, Ledger(tmp_path / "b.db") as other:
        assert one.store != other.store


def test_a_ledger_opened_for_reading_shows_visits_and_takes_none(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        shop(ledger, 1)
        with Ledger(tmp_path / "l.db", read_only=True) as watched:
            assert [record.visit for record in watched.visits()] == [visit_id(1)]
            with pytest.raises(LedgerError, match="readonly"):
                shop(watched, 2)


def test_a_refused_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        shop(ledger, 1)
        head = ledger.head()
        with pytest.raises(EntryRefusedError, match="UNIQUE"):
            shop(ledger, 1)
        assert ledger.head() == head


def test_after_the_disk_has_failed_nothing_more_is_written(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        failure = sqlite3.OperationalError("disk I/O error")
        failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        with pytest.raises(LedgerLostError, match="disk I/O error"), ledger._file.writing():
            raise failure
        with pytest.raises(LedgerLostError, match="restart"):
            ledger.set_note("floor", "1")


def test_a_writer_that_holds_the_file_is_told_of_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = [
        (name, "20" if name == "busy_timeout" else value, 20 if name == "busy_timeout" else want)
        for name, value, want in file_module.SETTINGS
    ]
    monkeypatch.setattr(file_module, "SETTINGS", tuple(quick))
    with Ledger(tmp_path / "l.db") as one, Ledger(tmp_path / "l.db") as other:  # noqa: SIM117  # the inner one is the test
        with one._file.writing(), pytest.raises(LedgerError, match="locked"):
            other.set_note("floor", "1")
