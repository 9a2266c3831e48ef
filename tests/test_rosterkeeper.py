"""The keeper: last good list, how old it may be, and whom it keeps out of the faces then."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cabinet.identity.roster import BUSY, HASH, Delta
from cabinet.ledger import Consent, Ledger, Stamp
from cabinet.rosterkeeper import LOOK_S, MANY, NOT_KEPT, RosterKeeper
from cabinet.units import MemberId
from tests.ledger.examples import stamp
from tests.ledger.test_roster import KEY, MODEL, A, B, raw, whole, with_face
from tests.support.virtual_time import run_in_virtual_time

DAY_S = 86_400.0


@dataclass
class Stage:
    ledger: Ledger
    now_s: float = 0.0
    changes: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keeper = RosterKeeper(
            self.ledger, self.stamp, "boot-1", 7 * DAY_S, lambda: self.changes.append(self.now_s)
        )

    def stamp(self) -> Stamp:
        return stamp(round(self.now_s * 1000))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Ledger(tmp_path / "l.db") as ledger:
        yield Stage(ledger)


def test_what_fits_is_in_force_and_told_to_whoever_knows_faces(stage: Stage) -> None:
    assert stage.keeper.take(whole(1, raw(A, **with_face())), fresh=True) == ""
    assert stage.keeper.known()[0] == 1
    assert stage.changes == [0.0]
    assert [member for member, _ in stage.keeper.templates(MODEL)] == [A]


def test_a_confirmation_makes_nobody_load_the_faces_anew(stage: Stage) -> None:
    stage.keeper.take(whole(1, raw(A)), fresh=True)
    stage.changes.clear()
    said = Delta(1, 1, (), stage.keeper.known()[1])
    assert (stage.keeper.take(said, fresh=True), stage.changes) == ("", [])


def test_what_does_not_fit_is_counted_and_told_why(stage: Stage) -> None:
    assert stage.keeper.take(Delta(0, 3, (), "0" * 64), fresh=True) == HASH
    assert stage.keeper.counts == {HASH: 1}
    assert stage.changes == []


def test_many_changes_wait_until_no_visit_is_open_and_few_do_not(stage: Stage) -> None:
    members = [raw(MemberId(f"01J{number:023d}")) for number in range(MANY + 1)]
    stage.keeper.busy = lambda: True
    assert stage.keeper.take(whole(1, *members), fresh=True) == BUSY
    assert stage.keeper.known()[0] == 0
    assert stage.keeper.take(whole(2, *members[1:]), fresh=True) == ""
    stage.keeper.busy = lambda: False
    assert stage.keeper.take(whole(3, *members), fresh=True) == ""


def test_a_list_that_the_ledger_refuses_is_told_until_the_next_one_is_kept(stage: Stage) -> None:
    assert stage.keeper.take(whole(1, raw(A, keys=["00" * 32])), fresh=True) == NOT_KEPT
    assert "was not kept" in str(stage.keeper.trouble())
    stage.keeper.take(whole(2, raw(A, keys=[KEY])), fresh=True)
    assert stage.keeper.trouble() is None


def test_beyond_its_days_the_clouds_members_are_not_known_by_face_and_the_others_are(stage: Stage) -> None:
    own = stage.ledger.add_member("Ada", Consent("3", 0, "en"))
    stage.ledger.add_template(own, (0.5, 0.5, 0.5), MODEL)
    stage.keeper.take(whole(1, raw(A, **with_face()), raw(B)), fresh=True)
    stage.now_s = 7 * DAY_S
    assert {member for member, _ in stage.keeper.templates(MODEL)} == {own, A}
    stage.now_s += 1
    assert {member for member, _ in stage.keeper.templates(MODEL)} == {own}
    assert "7.0 days old" in str(stage.keeper.trouble())
    stage.keeper.take(Delta(1, 1, (), stage.keeper.known()[1]), fresh=True)
    assert {member for member, _ in stage.keeper.templates(MODEL)} == {own, A}
    assert stage.keeper.trouble() is None


def test_members_of_a_list_whose_age_was_lost_are_not_known_by_face(stage: Stage) -> None:
    stage.keeper.take(whole(1, raw(A, **with_face())), fresh=True)
    stage.ledger.drop_note("members.roster")
    assert stage.keeper.templates(MODEL) == []


def test_an_answer_that_was_not_fresh_does_not_bring_the_faces_back(stage: Stage) -> None:
    stage.keeper.take(whole(1, raw(A, **with_face())), fresh=True)
    stage.now_s = 8 * DAY_S
    stage.keeper.take(Delta(1, 1, (), stage.keeper.known()[1]), fresh=False)
    assert stage.keeper.templates(MODEL) == []


def test_it_is_noticed_within_a_minute_that_the_list_is_too_old_and_kept_how_old_it_is(stage: Stage) -> None:
    stage.keeper.take(whole(1, raw(A, **with_face())), fresh=True)
    stage.keeper.templates(MODEL)
    stage.changes.clear()

    async def story() -> None:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        stage.keeper.stamp = lambda: stamp(round((loop.time() - begin_s) * 1000))
        running = asyncio.create_task(stage.keeper.run())
        await asyncio.sleep(7 * DAY_S - 1)
        assert stage.changes == []
        await asyncio.sleep(LOOK_S + 2)
        assert len(stage.changes) == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_in_virtual_time(story())
    kept = stage.ledger.fleet_age(stamp(0, quality="none"), "boot-2")
    assert kept is not None
    assert kept.age_s >= 7 * DAY_S


def test_figures_for_status_and_doctor(stage: Stage) -> None:
    assert stage.keeper.figures() == {
        "version": 0, "age_s": None, "members": 0, "stale": False, "most_s": 604_800,
    }  # fmt: skip  # a row
    stage.keeper.take(whole(5, raw(A), raw(B)), fresh=True)
    stage.now_s = 8 * DAY_S
    assert stage.keeper.figures() == {
        "version": 5, "age_s": 691_200, "members": 2, "stale": True, "most_s": 604_800,
    }  # fmt: skip  # a row
