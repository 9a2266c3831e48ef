"""Whom the cloud blocks, how old that is, and what the cloud has not confirmed: all of it survives a power cut."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.identity.credit import NO_TERMS, Exposure, Roster, Terms
from cabinet.ledger import ClosedVisit, Consent, Ledger, Stamp
from cabinet.ledger.credit import KEEP_EVERY_S, ROSTER, Kept
from cabinet.session.states import Idle
from cabinet.units import MemberId
from tests.ledger.examples import ANNA, charged, line, opened, shop, stamp, visit_id

BEN, EVE = MemberId("01BEN"), MemberId("01EVE")
MACHINE, NEXT_START = "boot-1", "boot-2"
DAY_MS = 86_400_000
WALL_MS = 1_795_000_000_000
KEEP_MS = round(KEEP_EVERY_S * 1000)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "l.db") as made:
        yield made


def roster(version: int, *members: MemberId) -> Roster:
    return Roster(version, dict.fromkeys(members, "unpaid"))


def at(mono_ms: int, wall_ms: int = WALL_MS, quality: str = "floor") -> Stamp:
    return stamp(mono_ms, wall_ms, quality)


# The roster.


def test_a_roster_replaces_the_one_before_whole(ledger: Ledger) -> None:
    ledger.keep_roster(roster(1, BEN, EVE), at(0), MACHINE)
    ledger.keep_roster(roster(2, EVE), at(0), MACHINE)
    assert (ledger.blocked(), ledger.blocked_count()) == ({EVE: "unpaid"}, 1)
    assert (ledger.blocked_why(EVE), ledger.blocked_why(BEN)) == ("unpaid", None)


def test_an_older_roster_changes_nothing_nor_does_it_look_newer(ledger: Ledger) -> None:
    ledger.keep_roster(roster(2, EVE), at(0), MACHINE)
    assert not ledger.keep_roster(roster(1), at(9_000), MACHINE)
    assert (ledger.blocked(), ledger.roster(at(9_000), MACHINE)) == ({EVE: "unpaid"}, Kept(2, 9.0))


def test_the_same_roster_again_is_a_young_one(ledger: Ledger) -> None:
    ledger.keep_roster(roster(2, EVE), at(0), MACHINE)
    assert ledger.keep_roster(roster(2, EVE), at(9_000), MACHINE)
    assert ledger.roster(at(10_000), MACHINE) == Kept(2, 1.0)


def test_a_roster_that_cannot_be_kept_whole_is_not_kept_at_all(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.keep_roster(roster(1, EVE), at(0), MACHINE)

    def fail(*_: object) -> None:
        raise RuntimeError("the power is cut")

    monkeypatch.setattr(ledger, "set_note", fail)
    with pytest.raises(RuntimeError):
        ledger.keep_roster(roster(2, BEN), at(9_000), MACHINE)
    monkeypatch.undo()
    assert (ledger.blocked(), ledger.roster(at(9_000), MACHINE)) == ({EVE: "unpaid"}, Kept(1, 9.0))


def test_without_a_roster_there_is_no_age(ledger: Ledger) -> None:
    ledger.keep_roster_age(at(5_000), MACHINE)
    assert (ledger.roster(at(5_000), MACHINE), ledger.note(ROSTER)) == (None, None)


def test_the_roster_and_its_age_survive_a_restart(ledger: Ledger, tmp_path: Path) -> None:
    ledger.keep_roster(roster(3, EVE), at(1_000), MACHINE)
    ledger.close()
    with Ledger(tmp_path / "l.db") as again:
        assert again.roster(at(61_000), MACHINE) == Kept(3, 60.0)
        assert again.blocked() == {EVE: "unpaid"}


def test_a_new_start_of_the_computer_makes_no_roster_younger(ledger: Ledger) -> None:
    ledger.keep_roster(roster(3), at(1_000), MACHINE)
    ledger.keep_roster_age(at(1_000 + DAY_MS), MACHINE)
    # Then it ran for less than the time between two notes, and started anew with a clock from 1970.
    found = ledger.roster(at(500, wall_ms=0, quality="none"), NEXT_START)
    assert found == Kept(3, (DAY_MS + KEEP_MS) / 1000)


def test_power_cuts_by_the_hundred_do_not_stop_the_age(ledger: Ledger) -> None:
    ledger.keep_roster(roster(3), at(1_000), "boot-0")
    for start in range(1, 101):
        ledger.keep_roster_age(at(500), f"boot-{start}")
    found = ledger.roster(at(500), "boot-100")
    assert found is not None
    assert found.age_s == pytest.approx(100 * KEEP_EVERY_S)


def test_a_computer_that_cannot_name_its_starts_makes_no_roster_younger(ledger: Ledger) -> None:
    ledger.keep_roster(roster(3), at(0), "unknown")
    ledger.keep_roster_age(at(DAY_MS), "unknown")
    assert ledger.roster(at(500), "unknown") == Kept(3, DAY_MS / 1000)


def test_time_without_power_counts_where_both_clocks_were_trusted(ledger: Ledger) -> None:
    ledger.keep_roster(roster(3), at(1_000, quality="ntp"), MACHINE)
    found = ledger.roster(at(500, wall_ms=WALL_MS + 9 * DAY_MS, quality="ntp"), NEXT_START)
    assert found == Kept(3, 9 * DAY_MS / 1000)


@pytest.mark.parametrize(("then", "now"), [("floor", "ntp"), ("ntp", "floor"), ("ntp", "none")])
def test_a_wall_clock_that_nobody_vouches_for_makes_no_roster_old(ledger: Ledger, then: str, now: str) -> None:
    ledger.keep_roster(roster(3), at(1_000, quality=then), MACHINE)
    assert ledger.roster(at(2_000, wall_ms=WALL_MS + 999 * DAY_MS, quality=now), MACHINE) == Kept(3, 1.0)


@pytest.mark.parametrize("now", ["ntp", "floor"])
def test_a_wall_clock_set_back_makes_no_roster_young(ledger: Ledger, now: str) -> None:
    ledger.keep_roster(roster(3), at(1_000, quality="ntp"), MACHINE)
    assert ledger.roster(at(61_000, wall_ms=0, quality=now), MACHINE) == Kept(3, 60.0)


def test_erasing_a_member_erases_why_they_were_blocked(ledger: Ledger) -> None:
    ann = ledger.add_member("Ann", Consent("1", 0, "en"))
    ledger.keep_roster(roster(1, ann, EVE), at(0), MACHINE)
    ledger.erase(ann, at(0))
    assert ledger.blocked() == {EVE: "unpaid"}


# What the cloud has not confirmed.


def live(ledger: Ledger, number: int, member: MemberId = ANNA, closing: ClosedVisit | None = None) -> None:
    ledger.commit(Idle(), [replace(opened(number), member=member)], stamp())
    if closing is not None:
        ledger.commit(Idle(), [closing], stamp())


def test_unconfirmed_charges_are_a_risk_of_the_member_and_of_the_cabinet(ledger: Ledger) -> None:
    shop(ledger, 1)
    live(ledger, 2, BEN, charged(2, [line(3)]))
    assert ledger.exposure(ANNA) == Exposure(1, 250, 2, 1_000)
    assert ledger.exposure(EVE) == ledger.exposure() == Exposure(0, 0, 2, 1_000)


def test_open_visits_and_reviews_count_as_visits(ledger: Ledger) -> None:
    live(ledger, 1, ANNA, ClosedVisit(visit_id(1), "review", "unclear", best_guess=(line(9),)))
    live(ledger, 2)
    assert ledger.exposure(ANNA) == Exposure(2, 0, 2, 0)


@pytest.mark.parametrize("outcome", ["nothing", "void"])
def test_a_visit_that_cost_nothing_is_no_risk(ledger: Ledger, outcome: str) -> None:
    live(ledger, 1, ANNA, ClosedVisit(visit_id(1), outcome))  # type: ignore[arg-type]  # tests name outcomes as text
    assert ledger.exposure(ANNA) == Exposure()


@pytest.mark.parametrize("closed", [True, False])
def test_a_technicians_visit_is_no_risk(ledger: Ledger, *, closed: bool) -> None:
    ledger.commit(Idle(), [replace(opened(1), member=None, purpose="service")], stamp())
    if closed:
        ledger.commit(Idle(), [ClosedVisit(visit_id(1), "serviced")], stamp())
    assert ledger.exposure() == Exposure()


def test_what_the_cloud_has_confirmed_is_no_risk_until_it_loses_it(ledger: Ledger) -> None:
    shop(ledger, 1)
    seq, h = ledger.head()
    ledger.acknowledge(seq, h, clock=stamp())
    assert ledger.exposure(ANNA) == Exposure()
    ledger.reopen(0)
    assert ledger.exposure(ANNA) == Exposure(1, 250, 1, 250)


def test_a_new_store_keeps_what_is_at_risk(ledger: Ledger) -> None:
    shop(ledger, 1)
    ledger.renew_store("a copy was put back", stamp())
    assert ledger.exposure(ANNA) == Exposure(1, 250, 1, 250)


# The terms.


def test_the_terms_are_kept_with_the_visit_and_told_in_its_opening(ledger: Ledger) -> None:
    ledger.commit(Idle(), [replace(opened(1), terms=Terms("cloud", 1_500))], stamp())
    record, (event,) = ledger.visit(visit_id(1)), ledger.unacknowledged()
    assert record is not None
    assert (record.terms, event.body["terms"]) == (Terms("cloud", 1_500), {"by": "cloud", "hold_minor": 1_500})


def test_a_visit_without_an_account_says_so(ledger: Ledger) -> None:
    ledger.commit(Idle(), [opened(1)], stamp())
    record, (event,) = ledger.visit(visit_id(1)), ledger.unacknowledged()
    assert record is not None
    assert (record.terms, event.body["terms"]) == (NO_TERMS, {"by": "none", "hold_minor": 0})


def test_a_visit_above_its_hold_is_charged_whole(ledger: Ledger) -> None:
    ledger.commit(Idle(), [replace(opened(1), terms=Terms("cloud", 100))], stamp())
    ledger.commit(Idle(), [charged(1, [line(2)])], stamp())
    record, closing = ledger.visit(visit_id(1)), ledger.unacknowledged()[-1]
    assert record is not None
    assert (record.total_minor, closing.body["total_minor"]) == (500, 500)
