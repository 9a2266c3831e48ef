"""Room held back beforehand, given up for the closing of a visit."""

import contextlib
import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.ballast import BLOCK, MIB, Ballast
from cabinet.ledger import Ledger, LedgerFullError
from cabinet.session.states import Idle
from tests.ledger.examples import charged, opened, stamp, visit_id


def test_its_blocks_are_allocated(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 2)
    assert not ballast.there
    ballast.make()
    assert ballast.there
    assert (tmp_path / "ballast").stat().st_blocks * BLOCK >= 2 * MIB


def test_a_sparse_file_is_no_ballast(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 2)
    (tmp_path / "ballast").touch()
    os.truncate(tmp_path / "ballast", 2 * MIB)
    assert not ballast.there


def test_where_allocating_only_notes_the_size_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", _noted)
    ballast = Ballast(tmp_path / "ballast", 2)
    ballast.make()
    assert ballast.there


def _noted(handle: int, begin: int, size: int) -> None:
    os.ftruncate(handle, begin + size)


def test_one_that_cannot_be_had_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        Ballast(tmp_path / "ballast", 2).make()
    assert list(tmp_path.iterdir()) == []


def test_it_is_given_up_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 2)
    ballast.make()
    assert [ballast.give_up(), ballast.give_up()] == [True, False]
    assert ballast.given_up
    assert not ballast.there


def open_many(ledger: Ledger, below: int) -> None:
    for number in range(1, below):
        ledger.commit(Idle(), [opened(number)], stamp())


def close_all(ledger: Ledger) -> None:
    for number in range(1, 30):
        ledger.commit(Idle(), [charged(number)], stamp())


def full_file(ledger: Ledger) -> None:
    """SQLite's own limit stands for the full disk: it answers a write with SQLITE_FULL."""
    ledger._file.forget_deleted()
    (pages,) = ledger._file.connection.execute("PRAGMA page_count").fetchone()
    ledger._file.connection.execute(f"PRAGMA max_page_count={pages}")


def more_room(ledger: Ledger) -> None:
    ledger._file.connection.execute("PRAGMA max_page_count=1000000")


@pytest.mark.parametrize("given_up", [True, False])
def test_a_closing_that_finds_the_disk_full_is_committed_with_the_room_given_up(
    tmp_path: Path, *, given_up: bool
) -> None:
    asked: list[int] = []
    with Ledger(tmp_path / "l.db") as ledger:

        def make_room() -> bool:
            asked.append(1)
            if given_up:
                more_room(ledger)
            return given_up

        ledger.on_full_disk(make_room)
        open_many(ledger, 30)
        full_file(ledger)
        if given_up:
            close_all(ledger)
            assert not ledger.open_visits()
        else:
            with pytest.raises(LedgerFullError, match="nothing was written"):
                close_all(ledger)
            assert ledger.open_visits()
        assert asked == [1]


def test_a_disk_that_stays_full_is_asked_once_and_told(tmp_path: Path) -> None:
    asked: list[int] = []
    with Ledger(tmp_path / "l.db") as ledger:

        def useless() -> bool:
            asked.append(1)
            return True

        ledger.on_full_disk(useless)
        with pytest.raises(LedgerFullError), ledger._file.writing():
            raise _full()
        ledger._file.connection.execute("PRAGMA max_page_count=1")
        full_file(ledger)
        with pytest.raises(LedgerFullError):
            open_many(ledger, 100)
        assert asked == [1]
        more_room(ledger)
        ledger.commit(Idle(), [opened(500)], stamp())  # what failed was rolled back, and the file goes on
        assert ledger.visit(visit_id(500)) is not None


def _full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real one of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a file system cannot be mounted here: the tests with SQLite's own limit stand for it")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)


def test_on_a_disk_that_is_really_full_every_open_visit_is_closed(small_disk: Path) -> None:
    ballast = Ballast(small_disk / "ballast", 2)
    ballast.make()
    with Ledger(small_disk / "l.db") as ledger:
        ledger.on_full_disk(ballast.give_up)
        for number in range(1, 40):
            ledger.commit(Idle(), [opened(number)], stamp())
        fill(small_disk)
        for number in range(1, 40):
            ledger.commit(Idle(), [charged(number)], stamp())
        assert not ledger.open_visits()
        assert ballast.given_up
    with Ledger(small_disk / "l.db") as again:
        assert len(again.visits(100)) == 39
        assert again.rotten() is None
