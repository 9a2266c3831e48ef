"""Attempts and trust events: kept once, bounded, gone with their member, and timed without a wall clock."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.identity.credit import Roster
from cabinet.identity.risk import Allow, AllowWithDigits, Deny, Judgement
from cabinet.identity.trust import Instant
from cabinet.ledger import Adjustment, ClosedVisit, Consent, EntryRefusedError, Incident, Ledger, Stamp, admissions
from cabinet.ledger import trust as rooms
from cabinet.ledger.outbox import RETENTION_MS
from cabinet.ledger.ran import RAN
from cabinet.session.states import Idle
from cabinet.units import MemberId, VisitId
from tests.ledger.examples import charged, opened, stamp, visit_id

BOOT, NEXT = "boot-1", "boot-2"
DAY_MS = 86_400_000
NOBODY = MemberId("01NOBODY")
LET_IN = Allow(2_000, ("new: limit 2000",))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "l.db") as made:
        yield made


@pytest.fixture
def ann(ledger: Ledger) -> MemberId:
    return ledger.add_member("Ann", Consent("1", 0, "en"))


def note(
    ledger: Ledger,
    number: int,
    member: MemberId | None,
    said: Judgement = LET_IN,
    *,
    way: str = "face",
    now: Stamp | None = None,
) -> VisitId:
    ledger.note_admission(visit_id(number), member, way, said, now or stamp(), 5_000)
    return visit_id(number)


def live(ledger: Ledger, number: int, member: MemberId, closing: ClosedVisit | None = None) -> None:
    ledger.commit(Idle(), [replace(opened(number), member=member)], stamp())
    if closing is not None:
        ledger.commit(Idle(), [closing], stamp())


# Attempts.


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (Allow(2_000, ("new: limit 2000",)), ("allow", 2_000, "", ("new: limit 2000",))),
        (AllowWithDigits(900, ("trust 45 < 50", "x")), ("digits", 900, "", ("trust 45 < 50", "x"))),
        (Deny("low trust", ("trust 3 < 20",)), ("deny", 0, "low trust", ("trust 3 < 20",))),
    ],
)
def test_an_attempt_is_kept_with_what_was_decided_and_why(
    ledger: Ledger, ann: MemberId, said: Judgement, kept: tuple[object, ...]
) -> None:
    found = ledger.admission(note(ledger, 1, ann, said, way="token"))
    assert found is not None
    assert (found.judgement, found.limit_minor, found.why, found.reasons) == kept
    assert (found.member, found.way, found.at, found.ran_ms) == (ann, "token", stamp(), 5_000)


def test_an_attempt_survives_a_restart(ledger: Ledger, ann: MemberId, tmp_path: Path) -> None:
    visit = note(ledger, 1, ann)
    before = ledger.admission(visit)
    ledger.close()
    with Ledger(tmp_path / "l.db") as again:
        assert again.admission(visit) == before is not None


def test_of_an_attempt_that_is_decided_twice_the_last_word_stands(ledger: Ledger, ann: MemberId) -> None:
    note(ledger, 1, ann, AllowWithDigits(2_000, ("night 23-6",)))
    found = ledger.admission(note(ledger, 1, ann, Allow(2_000, ("night 23-6",)), way="digits"))
    assert found is not None
    assert (found.judgement, found.way) == ("allow", "digits")
    assert len(ledger._file.rows("SELECT 1 FROM admission")) == 1


def test_nobody_is_named_where_nobody_is_known(ledger: Ledger) -> None:
    for number, member in ((1, None), (2, NOBODY)):
        found = ledger.admission(note(ledger, number, member, Deny("not recognised")))
        assert found is not None
        assert found.member is None


def test_an_attempt_that_nobody_made_is_none(ledger: Ledger) -> None:
    assert ledger.admission(visit_id(9)) is None


def test_refused_attempts_are_listed_the_newest_first_and_let_in_ones_are_not(ledger: Ledger, ann: MemberId) -> None:
    note(ledger, 1, ann, Deny("low trust", ("trust 3 < 20",)))
    note(ledger, 2, ann)
    note(ledger, 3, ann, AllowWithDigits(2_000, ("unpaid",)))  # no digits came
    assert [one.visit for one in ledger.refused()] == [visit_id(3), visit_id(1)]
    assert [one.visit for one in ledger.refused(1)] == [visit_id(3)]


def test_an_attempt_that_became_a_visit_was_not_refused(ledger: Ledger, ann: MemberId) -> None:
    note(ledger, 1, ann, AllowWithDigits(2_000, ("unpaid",)))
    live(ledger, 1, ann)
    assert ledger.refused() == []


def test_visits_that_were_unlocked_are_counted_but_those_that_nobody_opened(ledger: Ledger, ann: MemberId) -> None:
    for number in range(1, 5):
        note(ledger, number, ann, way="card" if number == 1 else "face")
    live(ledger, 1, ann, charged(1))
    live(ledger, 2, ann)
    live(ledger, 3, ann, ClosedVisit(visit_id(3), "void"))
    assert [one.visit for one in ledger.let_in(ann, 9)] == [visit_id(2), visit_id(1)]
    assert [one.visit for one in ledger.let_in(ann, 1)] == [visit_id(2)]
    assert [one.visit for one in ledger.let_in(ann, 9, "card")] == [visit_id(1)]
    assert ledger.let_in(NOBODY, 9) == []


def test_whoever_stands_there_unknown_pushes_out_no_member(
    ledger: Ledger, ann: MemberId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admissions, "MOST_OF_NOBODY", 3)
    note(ledger, 1, ann)
    for number in range(2, 12):
        note(ledger, number, None, Deny("not recognised"))
    assert ledger.admission(visit_id(1)) is not None
    assert [one.visit for one in ledger.refused()] == [visit_id(11), visit_id(10), visit_id(9)]


def test_attempts_are_bounded_by_number(ledger: Ledger, ann: MemberId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admissions, "MOST_ADMISSIONS", 4)
    for number in range(1, 10):
        note(ledger, number, ann)
    assert [ledger.admission(visit_id(n)) is None for n in (5, 6, 9)] == [True, False, False]


# Paid visits.


def test_a_visit_is_paid_once_the_cloud_has_its_closing(ledger: Ledger, ann: MemberId) -> None:
    live(ledger, 1, ann, charged(1))
    assert (ledger.has_paid(ann, confirmed=False), ledger.has_paid(ann, confirmed=True)) == (True, False)
    seq, h = ledger.head()
    ledger.acknowledge(seq, h, clock=stamp())
    assert ledger.has_paid(ann, confirmed=True)
    assert not ledger.has_paid(NOBODY, confirmed=False)


@pytest.mark.parametrize("outcome", ["nothing", "review", "void"])
def test_a_visit_that_cost_nothing_is_no_paid_one(ledger: Ledger, ann: MemberId, outcome: str) -> None:
    live(ledger, 1, ann, ClosedVisit(visit_id(1), outcome))  # type: ignore[arg-type]  # tests name outcomes as text
    assert not ledger.has_paid(ann, confirmed=False)


# What trust is made of.


def test_trust_events_come_in_the_order_of_happening(ledger: Ledger, ann: MemberId) -> None:
    assert ledger.add_trust_event(ann, "swap", 25, stamp(), 7, visit=visit_id(1))
    assert ledger.add_trust_event(ann, "forgiven", 5, stamp(quality="none"), 9, note="a mistake", who="tom")
    first, second = ledger.trust_events(ann)
    assert (first.kind, first.points, first.visit, first.event.at) == (
        "swap",
        25,
        visit_id(1),
        Instant(7, 1_795_000_000_000),
    )
    assert (second.note, second.who, second.event.at) == ("a mistake", "tom", Instant(9))


def test_a_visit_tells_each_kind_of_thing_once(ledger: Ledger, ann: MemberId) -> None:
    told = [
        ledger.add_trust_event(ann, kind, 25, stamp(), 0, visit=visit_id(1)) for kind in ("swap", "swap", "covered")
    ]
    assert told == [True, False, True]
    assert [row.kind for row in ledger.trust_events(ann)] == ["swap", "covered"]


def test_what_is_of_no_visit_may_happen_again(ledger: Ledger, ann: MemberId) -> None:
    assert [ledger.add_trust_event(ann, "forgiven", 5, stamp(), 0) for _ in range(2)] == [True, True]


def test_nothing_is_kept_of_whom_we_do_not_know(ledger: Ledger) -> None:
    assert not ledger.add_trust_event(NOBODY, "swap", 25, stamp(), 0)
    assert ledger._file.rows("SELECT 1 FROM trust_event") == []


def test_points_below_nothing_are_refused(ledger: Ledger, ann: MemberId) -> None:
    with pytest.raises(EntryRefusedError, match="give 0 or more"):
        ledger.add_trust_event(ann, "forgiven", -5, stamp(), 0)


def test_a_members_events_are_bounded(ledger: Ledger, ann: MemberId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST_EVENTS", 3)
    ben = ledger.add_member("Ben", Consent("1", 0, "en"))
    ledger.add_trust_event(ben, "swap", 25, stamp(), 0)
    for points in range(9):
        ledger.add_trust_event(ann, "forgiven", points, stamp(), 0)
    assert [row.points for row in ledger.trust_events(ann)] == [6, 7, 8]
    assert len(ledger.trust_events(ben)) == 1


def test_erasing_a_member_erases_both(ledger: Ledger, ann: MemberId) -> None:
    note(ledger, 1, ann)
    ledger.add_trust_event(ann, "swap", 25, stamp(), 0)
    ledger.erase(ann, stamp())
    for table in ("admission", "trust_event"):
        assert ledger._file.rows(f"SELECT 1 FROM {table}") == []  # noqa: S608  our own table names


def test_whoever_owes_by_the_clouds_list_is_told_from_whom_we_have_noted(ledger: Ledger, ann: MemberId) -> None:
    ben, eve = (ledger.add_member(name, Consent("1", 0, "en")) for name in ("Ben", "Eve"))
    ledger.keep_roster(Roster(1, {ann: "unpaid", ben: "denied", NOBODY: "unpaid"}), stamp(), BOOT)
    ledger.add_trust_event(ben, "unpaid", 25, stamp(), 0)
    ledger.add_trust_event(eve, "unpaid", 25, stamp(), 0)
    ledger.add_trust_event(eve, "paid", 25, stamp(), 0)
    assert ledger.debtors() == ({ann}, {ben})


# Forgetting.


def later(quality: str = "ntp") -> Stamp:
    return stamp(wall_ms=stamp().wall_ms + RETENTION_MS + 1, quality=quality)


def test_after_ninety_days_attempts_and_events_are_forgotten(ledger: Ledger, ann: MemberId) -> None:
    note(ledger, 1, ann)
    note(ledger, 2, ann, now=later())
    ledger.add_trust_event(ann, "swap", 25, stamp(), 0)
    ledger.add_trust_event(ann, "foreign", 15, later(), 0)
    assert ledger.prune_trust(later()) == 2
    assert (ledger.admission(visit_id(1)), [row.kind for row in ledger.trust_events(ann)]) == (None, ["foreign"])


def test_an_open_debt_and_a_technicians_word_are_not_forgotten(ledger: Ledger, ann: MemberId) -> None:
    ben = ledger.add_member("Ben", Consent("1", 0, "en"))
    for member in (ann, ben):
        ledger.add_trust_event(member, "vouched", 10, stamp(), 0)
        ledger.add_trust_event(member, "unpaid", 25, stamp(), 0)
    ledger.add_trust_event(ben, "paid", 25, stamp(), 0)
    ledger.prune_trust(later())
    assert [row.kind for row in ledger.trust_events(ann)] == ["vouched", "unpaid"]
    assert [row.kind for row in ledger.trust_events(ben)] == ["vouched"]


@pytest.mark.parametrize(("then", "now"), [("ntp", "floor"), ("floor", "ntp")])
def test_a_clock_that_nobody_vouches_for_forgets_nothing(ledger: Ledger, ann: MemberId, then: str, now: str) -> None:
    note(ledger, 1, ann, now=stamp(quality=then))
    assert ledger.prune_trust(later(now)) == 0


# What the store's events tell.


def test_nobody_is_judged_by_what_was_before(ledger: Ledger, ann: MemberId) -> None:
    live(ledger, 1, ann, charged(1))
    told, upto = ledger.trust_unread()
    assert (told, upto) == ((), 2)


def test_closings_incidents_and_disputes_of_visits_are_told_once(ledger: Ledger, ann: MemberId) -> None:
    ledger.trust_read(0)
    live(ledger, 1, ann, charged(1))
    ledger.commit(Idle(), [Incident("the door was forced open", visit_id(1)), Incident("of no visit")], stamp())
    ledger.adjust(Adjustment("01A", visit_id(1), "dispute", "not me", "ann"), stamp())
    told, upto = ledger.trust_unread()
    assert [(one.type, one.visit) for one in told] == [
        ("visit.closed", visit_id(1)), ("incident", visit_id(1)), ("visit.disputed", visit_id(1)),
    ]  # fmt: skip  # a list
    assert told[1].why == "the door was forced open"
    ledger.trust_read(upto)
    assert ledger.trust_unread() == ([], upto)


def test_a_new_store_is_read_from_its_beginning(ledger: Ledger, ann: MemberId) -> None:
    ledger.trust_read(0)
    live(ledger, 1, ann, charged(1))
    ledger.trust_read(2)
    ledger.renew_store("a copy was put back", stamp())
    told, upto = ledger.trust_unread()
    assert ([one.type for one in told], upto) == (["visit.closed"], 3)


def test_no_more_than_so_many_are_read_at_once(ledger: Ledger, ann: MemberId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "AT_ONCE", 3)
    ledger.trust_read(0)
    for number in (1, 2, 3):
        live(ledger, number, ann, charged(number))
    told, upto = ledger.trust_unread()
    assert ([one.visit for one in told], upto) == ([visit_id(1)], 3)


# How long the cabinet has been running.


def test_the_running_is_summed_over_every_start(ledger: Ledger) -> None:
    assert ledger.ran_ms(stamp(1_000), BOOT) == 1_000
    ledger.keep_ran(stamp(1_000), BOOT)
    assert ledger.ran_ms(stamp(61_000), BOOT) == 61_000
    ledger.keep_ran(stamp(61_000), BOOT)
    assert ledger.ran_ms(stamp(500), NEXT) == 61_500  # since its own beginning
    ledger.keep_ran(stamp(500), NEXT)
    assert ledger.ran_ms(stamp(700), NEXT) == 61_700


def test_the_running_needs_no_wall_clock_and_never_goes_back(ledger: Ledger) -> None:
    ledger.keep_ran(stamp(DAY_MS, wall_ms=0, quality="none"), BOOT)
    assert ledger.ran_ms(stamp(10, wall_ms=0, quality="none"), NEXT) == DAY_MS + 10


def test_a_computer_that_cannot_name_its_starts_loses_little(ledger: Ledger) -> None:
    ledger.keep_ran(stamp(DAY_MS), "unknown")
    assert ledger.ran_ms(stamp(10), "unknown") == DAY_MS + 10
    assert ledger.note(RAN) is not None
