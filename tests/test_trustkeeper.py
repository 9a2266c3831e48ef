"""What the keeper of trust gathers at the door, and what it writes down of each attempt."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cabinet.basket.verdict import Review
from cabinet.daemon import Tallied
from cabinet.identity.risk import NOT_KEPT, Allow, AllowWithDigits, Deny, Facts, Policy
from cabinet.ledger import ClosedVisit, Consent, Ledger, LedgerError, LedgerLostError, Stamp
from cabinet.session import events as ev
from cabinet.session.states import Idle
from cabinet.trustkeeper import TrustKeeper
from cabinet.units import MemberId
from tests.ledger.examples import charged, visit_id
from tests.support.trust_stage import DAY_MS, HOUR_MS, NOON_MS, SWAP, Stage
from tests.support.virtual_time import run_in_virtual_time
from tests.test_daemon import Cabinet, daemon_of, live


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Ledger(tmp_path / "l.db") as ledger:
        yield Stage(ledger)


# At the door.


def test_a_newcomer_is_let_in_for_little_and_it_is_written_down_why(stage: Stage) -> None:
    visit, said = stage.at_door()
    assert said == Allow(2_000, ("new: limit 2000",))
    kept = stage.ledger.admission(visit)
    assert kept is not None
    assert (kept.member, kept.judgement, kept.limit_minor, kept.reasons) == (stage.ann, "allow", 2_000, said.reasons)


def test_after_a_paid_visit_the_whole_limit_holds(stage: Stage) -> None:
    stage.visits(charged(1))
    assert stage.at_door()[1] == Allow(5_000, ("limit 5000",))


def test_with_a_cloud_a_visit_is_paid_once_the_cloud_says_so(stage: Stage) -> None:
    stage.restarted("boot-1", cloud=True)
    stage.visits(charged(1))
    assert stage.at_door()[1].limit_minor == 2_000
    stage.ledger.acknowledge(*stage.ledger.head(), clock=stage.now)
    assert stage.at_door()[1].limit_minor == 5_000


def test_a_verified_member_is_no_newcomer(stage: Stage) -> None:
    stage.ledger.set_verified(stage.ann, True, "tom", stage.now)  # noqa: FBT003  the ledger's own signature
    assert stage.at_door()[1] == Allow(5_000, ("limit 5000",))


def test_the_proof_of_age_is_asked_of_the_ledger(stage: Stage) -> None:
    stage.keeper.policy = Policy(min_age=18)
    assert isinstance(stage.at_door()[1], Deny)
    stage.ledger.verify_age(stage.ann, 18, "tom", stage.now)
    assert isinstance(stage.at_door()[1], Allow)


def test_a_tokens_limit_reaches_the_policy(stage: Stage) -> None:
    assert stage.at_door("token", 700)[1] == Allow(700, ("offered: limit 700", "new: limit 2000"))


def test_the_digits_of_an_attempt_leave_one_row_with_both_reasons(stage: Stage) -> None:
    stage.visits(SWAP)
    visit, asked = stage.at_door()
    assert isinstance(asked, AllowWithDigits)
    let_in = stage.keeper.assess(visit, stage.ann, "digits", None)
    kept = stage.ledger.admission(visit)
    assert kept is not None
    assert (kept.way, kept.judgement, kept.reasons) == ("digits", "allow", let_in.reasons)
    assert "trust 45 < 50" in kept.reasons


@pytest.mark.parametrize(
    ("wall_ms", "zone", "hour"),
    [(NOON_MS, "UTC", 12), (NOON_MS, "Asia/Shanghai", 20), (NOON_MS + 13 * HOUR_MS, "UTC", 1)],
)
def test_the_hour_is_that_of_the_cabinets_time_zone(stage: Stage, wall_ms: int, zone: str, hour: int) -> None:
    stage.restarted("boot-1", time_zone=zone)
    now = replace(stage.now, wall_ms=wall_ms)
    assert stage.keeper.facts(stage.ann, "face", None, now).hour == hour


@pytest.mark.parametrize("quality", ["floor", "none"])
def test_a_clock_that_nobody_vouches_for_tells_no_hour(stage: Stage, quality: Any) -> None:
    now = replace(stage.now, quality=quality)
    assert stage.keeper.facts(stage.ann, "face", None, now).hour is None


def test_the_age_of_the_clouds_list_concerns_the_clouds_members_alone(stage: Stage) -> None:
    stage.restarted("boot-1", members_age_s=lambda: 8 * 86_400.0)
    bob = stage.ledger.add_member("Bob", Consent("1", 0, "en"), member=MemberId("01BOB"), source="cloud")
    assert isinstance(stage.at_door()[1], Allow)
    assert isinstance(stage.keeper.assess(visit_id(9), bob, "face", None), Deny)


# How often.


def test_the_seventh_visit_within_an_hour_is_refused_and_an_hour_later_it_is_not(stage: Stage) -> None:
    for _ in range(6):
        stage.visits(charged(1))
        stage.passes(60_000)
    assert stage.at_door()[1].why == "too many visits"
    stage.passes(HOUR_MS - 6 * 60_000)  # the first was an hour ago
    assert isinstance(stage.at_door()[1], Allow)


def test_refused_attempts_and_visits_that_nobody_opened_do_not_count(stage: Stage) -> None:
    for _ in range(8):
        stage.visits(ClosedVisit(visit_id(1), "void"))
        stage.at_door()
    assert isinstance(stage.at_door()[1], Allow)


def test_a_restart_without_a_clock_is_no_way_round_the_hour(stage: Stage) -> None:
    stage.now = Stamp(DAY_MS, 0, "none")
    for _ in range(6):
        stage.visits(charged(1))
    stage.keeper.start()  # the sum is written down, as every ten minutes
    stage.now = Stamp(20_000, 0, "none")
    stage.restarted("boot-2")
    assert stage.at_door()[1].why == "too many visits"
    stage.passes(HOUR_MS)
    assert isinstance(stage.at_door()[1], Allow)


def test_a_card_opens_three_times_a_day(stage: Stage) -> None:
    for _ in range(3):
        stage.visits(charged(1), way="card")
        stage.passes(2 * HOUR_MS)
    assert stage.at_door("card")[1].why == "too many visits by card"
    assert isinstance(stage.at_door("face")[1], Allow)
    stage.passes(19 * HOUR_MS)
    assert stage.at_door("card")[1].limit_minor == 1_000


# What it writes, and where it does not.


def test_a_decision_that_cannot_be_written_down_is_a_refusal(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise LedgerError("no room on the disk")

    monkeypatch.setattr(stage.ledger, "note_admission", full)
    _, said = stage.at_door()
    assert (type(said), said.why) == (Deny, NOT_KEPT)


def test_a_disk_that_failed_for_good_is_told_to_whoever_restarts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise LedgerLostError("fsync")

    monkeypatch.setattr(stage.ledger, "note_admission", lost)
    with pytest.raises(LedgerLostError):
        stage.at_door()


def test_the_log_tells_the_reasons_and_nobody(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        stage.visits(SWAP)
        stage.at_door()
        stage.keeper.turned_away(visit_id(7), stage.ann, "face", "unpaid")
    assert "reasons=trust 45 < 50" in caplog.text
    assert stage.ann not in caplog.text
    assert "Wonder" not in caplog.text


def test_whom_the_till_turns_away_is_refused_with_what_was_thought_before(stage: Stage) -> None:
    visit, _ = stage.at_door()
    stage.keeper.turned_away(visit, stage.ann, "face", "unpaid")
    (kept,) = stage.ledger.refused()
    assert (kept.visit, kept.why, kept.reasons) == (visit, "unpaid", ("unpaid", "new: limit 2000"))


def test_whoever_fails_the_digits_is_refused_as_whom_they_were_taken_for(stage: Stage) -> None:
    stage.visits(SWAP)
    visit, _ = stage.at_door()
    stage.keeper.turned_away(visit, None, None, "wrong digits")
    (kept,) = stage.ledger.refused()
    assert (kept.member, kept.way, kept.why, kept.reasons[1]) == (stage.ann, "face", "wrong digits", "trust 45 < 50")
    assert stage.trust() == 45  # and nothing is held against them


def test_a_stranger_is_refused_under_no_name(stage: Stage) -> None:
    stage.keeper.turned_away(visit_id(7), None, None, "not recognised")
    (kept,) = stage.ledger.refused()
    assert (kept.member, kept.way, kept.why) == (None, "", "not recognised")


# From one visit to the next.


def test_misconduct_in_one_visit_asks_for_digits_in_the_next_and_time_forgives_it(stage: Stage) -> None:
    stage.visits(charged(1))
    assert isinstance(stage.at_door()[1], Allow)
    stage.visits(SWAP)
    _, said = stage.at_door()
    assert isinstance(said, AllowWithDigits)
    assert said.reasons[0] == "trust 45 < 50"
    stage.passes(31 * DAY_MS)
    assert stage.at_door()[1] == Allow(5_000, ("limit 5000",))


def test_without_a_clock_time_forgives_by_the_running_alone(stage: Stage) -> None:
    stage.now = Stamp(DAY_MS, 0, "none")
    stage.visits(SWAP)
    stage.now = Stamp(20_000, 0, "none")
    stage.restarted("boot-2")
    assert stage.trust() == 45
    stage.passes(31 * DAY_MS)
    assert stage.trust() == 58


def test_the_daemon_itself_brings_it_about(tmp_path: Path) -> None:
    """Recognised, opened, closed and tallied as a swap by the daemon: the next attempt needs digits."""
    with Ledger(tmp_path / "l.db") as ledger:
        ann = ledger.add_member("Ann", Consent("1", 0, "en"))
        cabinet = Cabinet(ledger)
        daemon = daemon_of(cabinet)
        keeper = TrustKeeper(ledger, Policy(), daemon.stamp, "boot-1")
        keeper.start()
        daemon.watchers.append(keeper.happened)
        visit = visit_id(1)
        assert isinstance(keeper.assess(visit, ann, "face"), Allow)
        live(
            daemon,
            ev.ShopperApproached(0.0, visit),
            ev.MemberRecognised(1.0, visit, ann, "face"),
            ev.DoorOpened(2.0),
            ev.DoorClosed(9.0),
            ev.EvidenceComplete(10.0, visit),
        )
        cabinet.tallied = Tallied(Review(SWAP.why), "e" * 64)
        live(daemon, ev.VisitTallied(11.0, visit, "review"))
        assert isinstance(keeper.assess(visit_id(2), ann, "face"), AllowWithDigits)


def test_the_facts_of_whom_nobody_knows_are_those_of_a_newcomer(stage: Stage) -> None:
    assert stage.keeper.facts(MemberId("01NOBODY"), "face", None, stage.now) == Facts(hour=12)


def test_its_loop_reads_forgets_and_writes_the_running_down(stage: Stage) -> None:
    visit = stage.visits()
    stage.ledger.commit(Idle(), [replace(SWAP, visit=visit)], stage.now)
    stage.passes(100 * DAY_MS)

    async def for_a_while() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stage.keeper.run(), 1.0)

    run_in_virtual_time(for_a_while())
    assert (stage.booked(), stage.ledger.admission(visit)) == ([], None)
    assert stage.ledger.ran_ms(replace(stage.now, mono_ms=0), "boot-9") == stage.now.mono_ms
