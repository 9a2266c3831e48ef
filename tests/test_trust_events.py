"""What is held against a member and what is not, in the words of whoever found it; booked once, whatever happens."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.basket.tally import tally
from cabinet.basket.verdict import Review
from cabinet.caretaker import REMEDIES
from cabinet.identity.credit import Roster
from cabinet.identity.risk import AllowWithDigits, Policy
from cabinet.ledger import Adjustment, ClosedVisit, Consent, Ledger, LedgerError, LedgerLostError, Stamp
from cabinet.ledger import trust as rooms
from cabinet.ports import BoardEntry
from cabinet.senses.diary import FAULT, Diary
from cabinet.session import effects as do
from cabinet.session import events as ev
from cabinet.session.machine import UNSEEN, step
from cabinet.session.policy import Policy as Waits
from cabinet.session.states import Fault, Idle, Tallying
from cabinet.trustkeeper import TrustKeeper, suspicious
from cabinet.units import MemberId
from tests.basket.visits import COLA, Scene
from tests.ledger.examples import charged, line, opened, visit_id
from tests.support.trust_stage import NOON_MS, SWAP, Stage, reviewed


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Ledger(tmp_path / "l.db") as ledger:
        yield Stage(ledger)


# What happened.


def test_a_swap_that_the_tally_suspects_lowers_the_trust(stage: Stage) -> None:
    stage.visits(SWAP)
    assert (stage.booked(), stage.trust()) == (["swap"], 45)


def verdict_of(scene: Scene) -> Review:
    verdict = tally(scene.visit(9))
    assert isinstance(verdict, Review), verdict
    return verdict


def test_the_tallys_own_words_for_goods_taken_and_a_stone_left_are_a_swap(stage: Stage) -> None:
    scene = Scene()
    scene.right = scene.notice = 1.0
    scene.take(3, "s1", COLA)
    scene.load(6, "s1", 480.0)
    found = verdict_of(scene)
    stage.visits(reviewed(found.reason, *found.best_guess))
    assert stage.booked() == ["swap"]


def test_the_tallys_own_words_for_a_thing_left_and_nothing_taken_are_less(stage: Stage) -> None:
    scene = Scene()
    scene.right = scene.notice = 1.0
    scene.load(3, "s1", 333.0)
    found = verdict_of(scene)
    stage.visits(reviewed(found.reason, *found.best_guess))
    assert (stage.booked(), stage.trust()) == (["foreign"], 55)


def test_the_door_opened_again_before_the_bill_is_tampering(stage: Stage) -> None:
    """In the machine's own words."""
    visit = stage.visits()
    after = step(Tallying(visit, stage.ann, 99.0), ev.DoorOpened(1.0), Waits())
    (closing,) = (one for one in after.effects if isinstance(one, do.CloseVisit))
    stage.closes(ClosedVisit(visit, closing.outcome, closing.why))
    assert (stage.booked(), stage.trust()) == (["tamper"], 40)


def test_a_camera_that_stays_covered_is_held_against_the_shopper(stage: Stage) -> None:
    """In the machine's own words, with the caretaker's."""
    visit = stage.visits()
    fault = Fault("camera:top", f"the picture is covered: {REMEDIES['covered']}")
    after = step(Tallying(visit, stage.ann, 99.0, (fault,)), ev.VisitTallied(1.0, visit, "nothing"), Waits())
    (raised,) = (one for one in after.effects if isinstance(one, do.RaiseIncident))
    stage.incident(raised.why, raised.visit)
    assert (stage.booked(), stage.trust()) == (["covered"], 55)


@pytest.mark.parametrize("what", sorted(set(REMEDIES) - {"covered"}))
def test_a_camera_that_fails_in_another_way_is_nobodys_misconduct(what: str) -> None:
    assert suspicious(f"camera:top failed in a visit: the picture is {what}: {REMEDIES[what]}") is None


def test_goods_that_left_by_a_door_that_never_seemed_open_are_held_against_the_shopper(stage: Stage) -> None:
    stage.incident(UNSEEN, stage.visits())
    assert stage.booked() == ["covered"]


@pytest.mark.parametrize("fault", ["door forced", "housing open"])
def test_what_the_board_alone_saw_in_a_visit_is_booked_when_it_is_read(stage: Stage, fault: str) -> None:
    """In the diary's own words; no step of the machine tells of it."""
    visit = stage.visits()
    diary = Diary(stage.ledger, Idle)
    known = BoardEntry("aa" * 8, 1, 1, 900, "boot", None, {})
    diary.write(known, while_away=False)
    diary.write(BoardEntry("aa" * 8, 2, 1, 1_000, FAULT, visit, {"fault": fault}), while_away=True)
    assert stage.booked() == []
    stage.keeper.read()
    assert (stage.booked(), stage.trust()) == (["tamper"], 40)


@pytest.mark.parametrize(
    "why", ["door held open", "lock: the bolt does not answer", "scale:s1 failed in a visit: it is silent", "anything"]
)
def test_a_part_that_fails_and_a_door_held_open_are_nobodys_misconduct(stage: Stage, why: str) -> None:
    stage.incident(why, stage.visits())
    assert stage.booked() == []


@pytest.mark.parametrize(
    "why", ["ambiguous: Cola (0.6) or Water", "s1: +80 g that no product explains", "the tally took too long"]
)
def test_a_bill_that_nobody_is_sure_of_is_nobodys_misconduct(stage: Stage, why: str) -> None:
    stage.visits(reviewed(why, line(1)))
    assert stage.booked() == []


def test_an_incident_of_no_visit_is_held_against_nobody(stage: Stage) -> None:
    stage.visits(charged(1))
    stage.incident("the door was forced open while the cabinet was not watching", None)
    assert stage.booked() == []


def test_a_technicians_visit_is_held_against_nobody(stage: Stage) -> None:
    service = replace(opened(1), visit=visit_id(50), member=None, purpose="service")
    stage.ledger.commit(Idle(), [service], stage.now)
    stage.closes(ClosedVisit(visit_id(50), "serviced"))
    stage.incident("the board's housing was opened (board journal 9)", visit_id(50))
    assert stage.ledger._file.rows("SELECT 1 FROM trust_event") == []


def test_of_an_honest_member_nothing_is_kept(stage: Stage) -> None:
    for _ in range(3):
        stage.visits(charged(1))
    assert (stage.booked(), stage.trust()) == ([], 70)


def test_paid_visits_give_back_what_was_lost(stage: Stage) -> None:
    stage.visits(SWAP)
    for _ in range(2):
        stage.visits(charged(1))
    assert (stage.booked(), stage.trust()) == (["swap", "paid-visit", "paid-visit"], 47)


def test_a_dispute_costs_nothing_and_asks_for_digits(stage: Stage) -> None:
    visit = stage.visits(charged(1))
    stage.ledger.adjust(Adjustment("01A", visit, "dispute", "it was not me", "tom"), stage.now)
    stage.keeper.read()
    assert (stage.booked(), stage.trust()) == (["dispute"], 70)
    assert isinstance(stage.at_door()[1], AllowWithDigits)


# Once, whatever happens.


def test_a_crash_between_the_closing_and_the_booking_loses_nothing(stage: Stage) -> None:
    visit = stage.visits()
    stage.ledger.commit(Idle(), [replace(SWAP, visit=visit)], stage.now)  # and the power is cut
    stage.restarted("boot-2")
    assert stage.booked() == ["swap"]


def test_every_restart_books_it_once(stage: Stage) -> None:
    stage.visits(SWAP)
    for start in range(2, 5):
        stage.restarted(f"boot-{start}")
        stage.keeper.read()
    assert stage.booked() == ["swap"]


def test_a_crash_in_the_middle_of_the_booking_books_it_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark and what it stands for are one transaction."""

    def cut(_: int) -> None:
        raise LedgerError("the power is cut")

    monkeypatch.setattr(stage.ledger, "trust_read", cut)
    stage.visits(SWAP)
    assert stage.booked() == []
    monkeypatch.undo()
    stage.restarted("boot-2")
    assert stage.booked() == ["swap"]


def test_a_store_under_a_new_name_books_nothing_again(stage: Stage) -> None:
    stage.visits(SWAP)
    stage.ledger.renew_store("a copy was put back", stage.now)
    stage.restarted("boot-2")
    assert stage.booked() == ["swap"]


def test_a_long_absence_is_caught_up_with_whole(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "AT_ONCE", 2)
    for _ in range(3):
        visit = stage.visits()
        stage.ledger.commit(Idle(), [replace(SWAP, visit=visit)], stage.now)
    stage.restarted("boot-2")
    assert stage.booked() == ["swap"] * 3


def test_a_cabinet_that_gets_this_program_judges_nobody_by_the_past(tmp_path: Path) -> None:
    with Ledger(tmp_path / "old.db") as ledger:
        ann = ledger.add_member("Ann", Consent("1", 0, "en"))
        ledger.commit(Idle(), [replace(opened(1), member=ann)], Stamp(1, NOON_MS, "ntp"))
        ledger.commit(Idle(), [SWAP], Stamp(2, NOON_MS, "ntp"))
        keeper = TrustKeeper(ledger, Policy(), lambda: Stamp(3, NOON_MS, "ntp"), "boot-1")
        keeper.start()
        assert ledger.trust_events(ann) == []


def test_of_an_erased_member_nothing_is_booked(stage: Stage) -> None:
    visit = stage.visits()
    stage.ledger.erase(stage.ann, stage.now)
    stage.closes(replace(SWAP, visit=visit))
    assert stage.booked() == []


# Debts.


def listed(stage: Stage, version: int, *members: MemberId) -> None:
    stage.ledger.keep_roster(Roster(version, dict.fromkeys(members, "unpaid")), stage.now, "boot-1")
    stage.keeper.debts()


def test_a_debt_is_noted_once_and_its_payment_cancels_it(stage: Stage) -> None:
    listed(stage, 1, stage.ann, MemberId("01ELSEWHERE"))
    listed(stage, 2, stage.ann)
    stage.restarted("boot-2")
    assert (stage.booked(), stage.trust()) == (["unpaid"], 45)
    listed(stage, 3)
    listed(stage, 4)
    assert (stage.booked(), stage.trust()) == (["unpaid", "paid"], 70)


def test_a_second_debt_counts_anew(stage: Stage) -> None:
    for version in range(4):
        listed(stage, version, *([stage.ann] if version % 2 == 0 else []))
    assert stage.booked() == ["unpaid", "paid"] * 2


def test_a_list_that_was_kept_before_a_crash_is_booked_at_the_start(stage: Stage) -> None:
    stage.ledger.keep_roster(Roster(1, {stage.ann: "unpaid"}), stage.now, "boot-1")
    stage.restarted("boot-2")
    assert stage.booked() == ["unpaid"]


def test_a_full_disk_puts_debts_and_booking_off_and_loses_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> bool:
        raise LedgerError("no room on the disk")

    monkeypatch.setattr(stage.ledger, "add_trust_event", full)
    stage.visits(SWAP)
    listed(stage, 1, stage.ann)
    assert stage.booked() == []
    monkeypatch.undo()
    stage.keeper.read()
    stage.keeper.debts()
    assert stage.booked() == ["swap", "unpaid"]


def test_a_disk_that_failed_for_good_is_not_put_off(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> bool:
        raise LedgerLostError("fsync")

    monkeypatch.setattr(stage.ledger, "add_trust_event", lost)
    with pytest.raises(LedgerLostError):
        stage.visits(SWAP)
