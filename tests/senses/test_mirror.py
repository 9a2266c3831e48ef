"""Charges told to the board: at once, never in the way, and again after a reconnection."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cabinet.daemon import Happened
from cabinet.ledger import JournalEntry, Ledger
from cabinet.parts import Part
from cabinet.ports import Charged, PortError
from cabinet.senses.mirror import Mirroring
from cabinet.session import effects as do
from cabinet.session.events import DeadlineReached
from cabinet.session.states import Idle
from cabinet.units import VisitId
from tests.ledger.examples import shop, stamp, visit_id


@dataclass
class Board:
    fails: bool = False
    told: list[Charged] = field(default_factory=list)

    async def mirror(self, charge: Charged) -> None:
        if self.fails:
            raise PortError("board: the board is not connected")
        self.told.append(charge)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "l.db") as made:
        yield made


def closing(visit: VisitId, outcome: str = "charge") -> Happened:
    return Happened(1.0, DeadlineReached(1.0), Idle(), Idle(), (do.CloseVisit(visit, outcome),))  # type: ignore[arg-type]  # tests name outcomes as plain text


def board_is(why: str | None) -> Part:
    return Part("board", why, 0.0, needed=True)


def mirrored(ledger: Ledger, board: Board, *news: Happened | Part) -> list[Charged]:
    async def live() -> None:
        mirroring = Mirroring(ledger, board)
        for one in news:
            if isinstance(one, Part):
                mirroring.part_changed(one)
            else:
                mirroring.happened(one)
        await asyncio.gather(*mirroring._telling)

    asyncio.run(live())
    return board.told


def test_a_charge_is_told_with_amount_and_hash_of_its_closing(ledger: Ledger) -> None:
    visit = shop(ledger, 2)
    assert mirrored(ledger, Board(), closing(visit)) == [Charged(visit, 500, "USD", bytes.fromhex(ledger.head()[1]))]


@pytest.mark.parametrize("outcome", ["nothing", "review", "void", "serviced"])
def test_what_charges_nothing_is_not_told(ledger: Ledger, outcome: str) -> None:
    assert mirrored(ledger, Board(), closing(shop(ledger, 1), outcome)) == []


def test_a_board_that_is_away_fails_nothing(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    assert mirrored(ledger, Board(fails=True), closing(shop(ledger, 1))) == []
    assert "charge_not_mirrored" in caplog.text


def test_after_a_reconnection_the_newest_charge_is_told_again(ledger: Ledger) -> None:
    for number in (1, 2):
        shop(ledger, number)
    assert [charge.visit for charge in mirrored(ledger, Board(), board_is(None))] == [visit_id(2)]


def test_a_charge_that_the_boards_journal_shows_is_not_told_again(ledger: Ledger) -> None:
    visit = shop(ledger, 1)
    ledger.journal(JournalEntry("aa", 1, 1, 0, "mirror", visit, {}), stamp())
    assert mirrored(ledger, Board(), board_is(None)) == []


def test_a_board_that_goes_away_is_told_nothing(ledger: Ledger) -> None:
    shop(ledger, 1)
    assert mirrored(ledger, Board(), board_is("unplugged"), Part("lock", None, 0.0, needed=True)) == []


def test_a_cabinet_that_never_charged_tells_nothing(ledger: Ledger) -> None:
    assert mirrored(ledger, Board(), board_is(None)) == []
