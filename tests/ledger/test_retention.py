"""Faces of those who come no more are forgotten, never by a clock that nobody vouches for."""

import logging
from pathlib import Path

import pytest

from cabinet.ledger import Consent, Ledger, OpenedVisit
from cabinet.ledger.retention import ACCESS_DAYS, DAY_MS, EVERY_MS, chore, forget_old
from cabinet.session.states import Idle
from cabinet.units import MemberId
from tests.ledger.examples import charged, stamp, visit_id

NOW_MS = 1_795_000_000_000
DAYS = 1095.0
VECTOR = (0.5,) * 128


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def enrolled(ledger: Ledger, days_ago: float) -> MemberId:
    member = ledger.add_member("Ann", Consent("3", round(NOW_MS - days_ago * DAY_MS), "en"))
    ledger.add_template(member, VECTOR, "small")
    return member


def faces(ledger: Ledger) -> list[MemberId]:
    return [member for member, _ in ledger.templates("small")]


def test_a_face_is_forgotten_when_its_member_has_not_come_for_so_long(ledger: Ledger) -> None:
    late, newer = enrolled(ledger, DAYS + 1), enrolled(ledger, DAYS - 1)
    assert forget_old(ledger, DAYS, stamp(wall_ms=NOW_MS)) == (1, 0)
    assert faces(ledger) == [newer]
    assert [one.member for one in ledger.members()] == [late, newer]  # the member stays, by code


def test_whoever_came_lately_keeps_their_face(ledger: Ledger) -> None:
    member = enrolled(ledger, DAYS + 100)
    opened = OpenedVisit(visit_id(1), member, "shop", "face", "", 1, {}, "")
    ledger.commit(Idle(), [opened, charged(1)], stamp(wall_ms=NOW_MS - 5 * DAY_MS))
    assert forget_old(ledger, DAYS, stamp(wall_ms=NOW_MS)) == (0, 0)
    assert faces(ledger) == [member]


def test_whoever_agreed_anew_lately_keeps_their_face(ledger: Ledger) -> None:
    member = enrolled(ledger, DAYS + 100)
    ledger.set_consent(member, "face", Consent("3", NOW_MS - DAY_MS, "en"))
    assert forget_old(ledger, DAYS, stamp(wall_ms=NOW_MS)) == (0, 0)


@pytest.mark.parametrize("quality", ["none", "floor"])
def test_under_a_clock_that_nobody_vouches_for_nothing_is_forgotten(quality: str, ledger: Ledger) -> None:
    member = enrolled(ledger, DAYS + 1)
    ledger.note_access("tina", "visits.export", None, "", stamp(wall_ms=1))
    assert forget_old(ledger, DAYS, stamp(wall_ms=NOW_MS, quality=quality)) == (0, 0)
    assert (faces(ledger), len(ledger.accesses())) == ([member], 1)


def test_old_accesses_are_forgotten(ledger: Ledger) -> None:
    for days in (ACCESS_DAYS + 1, ACCESS_DAYS - 1):
        ledger.note_access("tina", "visits.export", None, "", stamp(wall_ms=round(NOW_MS - days * DAY_MS)))
    assert forget_old(ledger, DAYS, stamp(wall_ms=NOW_MS)) == (0, 1)
    assert len(ledger.accesses()) == 1


def test_the_log_says_how_many_and_not_who(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    member = enrolled(ledger, DAYS + 1)
    caplog.set_level(logging.INFO)
    forget_old(ledger, DAYS, stamp(wall_ms=NOW_MS))
    assert "people_forgotten faces_of=1 templates=1 accesses=0" in caplog.text
    assert member not in caplog.text


def test_the_chore_works_every_six_hours_and_tells_the_door(ledger: Ledger) -> None:
    at, told = [0], list[int]()
    work = chore(ledger, DAYS, lambda: stamp(mono_ms=at[0], wall_ms=NOW_MS), lambda: told.append(at[0]))
    enrolled(ledger, DAYS + 1)
    work()
    enrolled(ledger, DAYS + 1)
    at[0] = EVERY_MS - 1
    work()
    assert (told, len(faces(ledger))) == ([0], 1)
    at[0] = EVERY_MS
    work()
    assert (told, faces(ledger)) == ([0, EVERY_MS], [])


def test_the_chore_waits_while_somebody_is_served_and_until_the_clock_is_trusted(ledger: Ledger) -> None:
    now, idle = [stamp(wall_ms=NOW_MS, quality="floor")], [True]
    work = chore(ledger, DAYS, lambda: now[0], lambda: None, lambda: idle[0])
    enrolled(ledger, DAYS + 1)
    work()
    now[0], idle[0] = stamp(wall_ms=NOW_MS), False
    work()
    assert len(faces(ledger)) == 1
    idle[0] = True
    work()
    assert faces(ledger) == []
