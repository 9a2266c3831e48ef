"""A consent that is taken back: what is left is found, wherever it stands, and a story cannot pass while it does."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.ledger import Consent, Ledger, Stamp
from cabinet.proving.forgotten import found, pieces, rows_here
from cabinet.proving.telling import Told, tell
from cabinet.sim.story import parse
from cabinet.units import MemberId

AGREED = Consent("1", 1_795_000_000_000, "en")
NOW = Stamp(1, 1_795_000_000_000, "ntp")
SHOPS = "ann comes\nann opens\nann takes cola from s1\nann closes\nann leaves\n"
BACK = "ann takes back her consent\n"
GONE = "expect nothing is kept of ann\n"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as book:
        yield book


@pytest.fixture
def ann(ledger: Ledger) -> MemberId:
    member = ledger.add_member("Ann", AGREED)
    ledger.set_consent(member, "face", AGREED)
    ledger.add_template(member, [0.1] * 128, "m")
    ledger.add_token(member)
    return member


def told(text: str) -> Told:
    return tell(parse(text))


def test_what_a_ledger_keeps_of_a_member_is_found_in_its_files_and_rows(
    ledger: Ledger, ann: MemberId, tmp_path: Path
) -> None:
    sought = pieces(tmp_path / "ledger.db", ann)
    assert set(sought) == {"member.wrapped 0", "member.name 0", "template.vector 0", "token.sha256 0"}
    assert set(found(sought, tmp_path.iterdir())) == set(sought)
    assert {"here 1 rows of member", "here 1 rows of template"} <= set(rows_here(tmp_path / "ledger.db", [ann]))


def test_after_an_erasure_neither_is(ledger: Ledger, ann: MemberId, tmp_path: Path) -> None:
    sought = pieces(tmp_path / "ledger.db", ann)
    assert ledger.erase(ann, NOW) is not None
    assert found(sought, tmp_path.iterdir()) == []
    assert rows_here(tmp_path / "ledger.db", [ann]) == []


def test_whoever_has_bought_is_forgotten_at_both_ends_and_keeps_the_bill() -> None:
    ended = told(SHOPS + BACK + GONE + "expect the books agree\nexpect captured 2.20 once\n")
    assert (ended.failures, ended.violations) == ((), ())


def test_a_far_end_that_was_not_told_is_not_taken_for_one_that_forgot() -> None:
    (failure,) = told(SHOPS + "the broker is away\n" + BACK + GONE).failures
    assert "there 1 rows of wallet" in failure
    assert "the far end was not told" in failure


def test_of_whoever_has_taken_nothing_back_nothing_is_proven() -> None:
    (failure,) = told(SHOPS + GONE).failures
    assert "ann has taken nothing back" in failure


def test_whoever_is_at_the_cabinet_is_not_erased() -> None:
    ended = told("ann comes\nann opens\n" + BACK + "ann takes cola from s1\nann closes\nexpect charge 1 cola\n" + GONE)
    assert any("refused: ann is at the cabinet" in line for line in ended.log)
    assert [failure.partition(":")[0] for failure in ended.failures] == ["line 7"]


@pytest.mark.parametrize("how", ["", " by code"])
def test_a_member_who_was_erased_finds_the_door_locked(how: str) -> None:
    ended = told(BACK + f"ann comes{how}\nann tries the door\nexpect the door locked\nexpect no visit\n")
    assert ended.failures == ()
    assert any("it is locked" in line for line in ended.log)


def test_a_member_who_was_not_erased_does_not() -> None:
    ended = told(f"ann comes\nann tries the door\n{BACK}expect no visit\n")
    assert [failure.partition(":")[0] for failure in ended.failures] == ["line 4"]
