"""The board's journal in the ledger, and the incidents of what nobody here saw."""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cabinet import clock
from cabinet.ledger import Ledger, LedgerLostError
from cabinet.ledger.journal import AGAIN
from cabinet.ports import BoardEntry
from cabinet.senses.diary import Diary
from cabinet.session.states import Idle, Servicing, State
from cabinet.units import VisitId

BOARD = "00112233aabbccdd"
SERVICE = Servicing(VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), "rosa", "service", door_open=True, deadline_s=9.0)


@dataclass
class Stage:
    ledger: Ledger
    state: State = field(default_factory=Idle)
    pokes: int = 0

    def __post_init__(self) -> None:
        self.diary = self.reopened()

    def reopened(self) -> Diary:
        """As after a restart."""
        return Diary(self.ledger, lambda: self.state, self._poke)

    def _poke(self) -> None:
        self.pokes += 1

    def incidents(self) -> list[str]:
        return [row.body["why"] for row in reversed(self.ledger.outbox()) if row.type == "incident"]

    def know_the_board(self) -> None:
        self.diary.write(entry(1, kind="boot"), while_away=False)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Ledger(tmp_path / "l.db") as ledger:
        yield Stage(ledger)


def entry(index: int, fault: str = "", *, kind: str = "fault raised") -> BoardEntry:
    facts: dict[str, Any] = {"fault": fault} if fault else {}
    return BoardEntry(BOARD, index, 1, 100 * index, kind, None, facts)


def test_an_entry_is_kept(stage: Stage) -> None:
    stage.diary.write(entry(5, kind="boot"), while_away=False)
    (row,) = stage.ledger.journal_rows()
    assert (row.entry.board, row.entry.index, row.entry.kind) == (BOARD, 5, "boot")


def test_a_door_forced_while_away_is_an_incident_once(stage: Stage) -> None:
    stage.know_the_board()
    for diary in (stage.diary, stage.diary, stage.reopened()):
        diary.write(entry(2, "door forced"), while_away=True)
    assert stage.incidents() == ["the door was forced open while the cabinet was not watching (board journal 2)"]
    assert stage.pokes == 1


def test_a_door_forced_before_our_eyes_was_told_by_the_machine(stage: Stage) -> None:
    stage.know_the_board()
    stage.diary.write(entry(2, "door forced"), while_away=False)
    assert stage.incidents() == []


@pytest.mark.parametrize("away", [True, False], ids=["away", "present"])
def test_a_housing_that_was_opened_is_an_incident(stage: Stage, *, away: bool) -> None:
    stage.know_the_board()
    stage.diary.write(entry(2, "housing open"), while_away=away)
    (why,) = stage.incidents()
    assert why.startswith("the board's housing was opened ")


def test_a_housing_that_a_technician_opens_is_none(stage: Stage) -> None:
    stage.know_the_board()
    stage.state = SERVICE
    stage.diary.write(entry(2, "housing open"), while_away=False)
    assert stage.incidents() == []


@pytest.mark.parametrize("away", [True, False], ids=["away", "present"])
def test_unlocks_with_a_wrong_key_are_an_incident(stage: Stage, *, away: bool) -> None:
    stage.know_the_board()
    stage.diary.write(entry(2, "unsigned unlocks"), while_away=away)
    assert len(stage.incidents()) == 1


@pytest.mark.parametrize("fault", ["not latched", "cell dead", "budget", "watchdog"])
def test_other_faults_are_kept_and_raise_none(stage: Stage, fault: str) -> None:
    stage.know_the_board()
    stage.diary.write(entry(2, fault), while_away=True)
    assert (stage.incidents(), len(stage.ledger.journal_rows())) == ([], 2)


def test_what_a_board_did_before_it_came_here_is_no_news(stage: Stage) -> None:
    for index in (1, 2):
        stage.diary.write(entry(index, "housing open"), while_away=True)
    assert (stage.incidents(), len(stage.ledger.journal_rows())) == ([], 2)


def test_a_board_whose_past_is_here_is_no_stranger_after_a_restart(stage: Stage) -> None:
    stage.diary.write(entry(1, "housing open"), while_away=True)
    stage.reopened().write(entry(2, "housing open"), while_away=True)
    assert len(stage.incidents()) == 1


def test_a_ledger_that_refuses_ends_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.ledger._file.connection.execute("PRAGMA query_only=ON")
    stage.diary.write(entry(1, kind="boot"), while_away=False)
    assert "journal_not_kept index=1" in caplog.text


# Visits that only the board knows.

LOST = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAW")


def of_visit(index: int, kind: str, **facts: Any) -> BoardEntry:
    return BoardEntry(BOARD, index, 1, 100 * index, kind, LOST, facts)


def reviews(stage: Stage) -> list[str]:
    return [record.why for record in stage.ledger.visits() if record.outcome == "review"]


@pytest.mark.parametrize("again", [True, False], ids=["recovered", "log lost"])
def test_a_visit_that_only_the_board_knows_is_closed_once_for_a_person(stage: Stage, *, again: bool) -> None:
    stage.know_the_board()
    if again:
        stage.ledger.set_note(AGAIN, "1")
    stage.diary.end = lambda: 4
    stage.diary.write(of_visit(2, "door opened"), while_away=True)
    stage.diary.settle()
    assert reviews(stage) == []  # the rest of its journal is still to come
    stage.diary.write(of_visit(3, "mirror", amount_minor=450, currency="USD"), while_away=True)
    for _ in range(2):
        stage.diary.settle()
    assert reviews(stage) == ["known only from the board's journal: it was charged 450 USD (minor units)"]
    (record,) = stage.ledger.visits()
    assert (record.total_minor, record.lines, stage.ledger.note(AGAIN)) == (0, (), None)


def test_a_visit_that_the_ledger_knows_is_left_as_it_is(stage: Stage) -> None:
    stage.know_the_board()
    stage.ledger.set_note(AGAIN, "1")
    stage.ledger.close_unknown(LOST, "once", clock.stamp())
    stage.diary.end = lambda: 3
    stage.diary.write(of_visit(2, "door opened"), while_away=True)
    stage.diary.settle()
    assert reviews(stage) == ["once"]


def test_without_a_board_nothing_is_settled(stage: Stage) -> None:
    stage.ledger.set_note(AGAIN, "1")
    stage.diary.settle()
    assert stage.ledger.note(AGAIN) == "1"


def test_a_disk_that_fails_is_not_taken_for_a_refusal(stage: Stage) -> None:
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = sqlite3.SQLITE_IOERR
    with contextlib.suppress(LedgerLostError), stage.ledger._file.writing():
        raise failure
    with pytest.raises(LedgerLostError):
        stage.diary.write(entry(1, kind="boot"), while_away=False)
