"""What stays open and what stays missing is told to a person once; whatever comes late is taken."""

import pytest

from cabinet.cloud.watchdogs import GAP_MS, OPEN_AWAY_MS, OPEN_ONLINE_MS, RECENT_MS, OpenVisit, patrol, too_long_open
from tests.cloud.counterpart import CAB, Counterpart, chain
from tests.ledger.examples import visit_id


def heard_at(desk: Counterpart, wall_ms: int) -> None:
    """The cabinet says anything at all."""
    desk.say("telemetry", b"{}", wall_ms=wall_ms)
    desk.service._refusals.write(desk.store.books)


@pytest.mark.parametrize(
    ("open_ms", "silent_ms", "told"),
    [
        (OPEN_ONLINE_MS, 0, True),
        (OPEN_ONLINE_MS - 1, 0, False),
        (OPEN_ONLINE_MS, RECENT_MS, True),
        (OPEN_ONLINE_MS, RECENT_MS + 1, False),
        (OPEN_AWAY_MS - 1, RECENT_MS + 1, False),
        (OPEN_AWAY_MS, RECENT_MS + 1, True),
        (OPEN_AWAY_MS - 1, None, False),
        (OPEN_AWAY_MS, None, True),
    ],
)
def test_an_open_visit_is_too_long_by_whether_its_cabinet_is_heard(
    open_ms: int, silent_ms: int | None, *, told: bool
) -> None:
    now_ms = 10 * OPEN_AWAY_MS
    heard_ms = None if silent_ms is None else now_ms - silent_ms
    visit = OpenVisit("01J", CAB, "01ANNA", "shop", now_ms - open_ms, heard_ms)
    assert (too_long_open(visit, now_ms) is not None) == told


def test_a_visit_open_for_15_minutes_while_the_cabinet_is_online_alarms_once(desk: Counterpart) -> None:
    desk.tell(desk.events[0], wall_ms=1_000)
    now_ms = 1_000 + OPEN_ONLINE_MS
    heard_at(desk, now_ms)
    assert patrol(desk.store, now_ms - 1) == []
    (what,) = patrol(desk.store, now_ms)
    assert (visit_id(1) in what, "01ANNA" in what) == (True, True)
    assert patrol(desk.store, now_ms + 1) == []
    assert desk.alarms() == ["open"]
    assert desk.notebook.lines[-1] == ("alarmed", visit_id(1))


def test_a_visit_of_a_silent_cabinet_is_given_a_day(desk: Counterpart) -> None:
    desk.tell(desk.events[0], wall_ms=1_000)
    assert patrol(desk.store, 1_000 + OPEN_AWAY_MS - 1) == []
    assert len(patrol(desk.store, 1_000 + OPEN_AWAY_MS)) == 1


def test_a_closing_that_comes_late_is_taken_and_the_alarm_stays(desk: Counterpart) -> None:
    desk.tell(desk.events[0])
    patrol(desk.store, 7 + OPEN_AWAY_MS)
    desk.tell(desk.events[1])
    assert [charge.visit for charge in desk.store.charges()] == [visit_id(1)]
    assert (desk.alarms(), desk.store.unclosed()) == (["open"], [])


def test_a_visit_whose_halves_come_together_after_a_day_away_never_alarms(desk: Counterpart) -> None:
    for event in desk.events:
        desk.tell(event, wall_ms=event["wall_ms"] + 10 * OPEN_AWAY_MS)
    assert patrol(desk.store, desk.events[0]["wall_ms"] + 20 * OPEN_AWAY_MS) == []


def test_a_closing_without_an_opening_is_not_open(desk: Counterpart) -> None:
    desk.tell(desk.events[1])
    assert (patrol(desk.store, 10 * OPEN_AWAY_MS), desk.store.unclosed()) == (
        ["store " + what for what in gap(desk)],
        [],
    )


def gap(desk: Counterpart) -> list[str]:
    return [f"{desk.ledger.store}: event 1 is missing for 24 h, later ones are here"]


def test_a_gap_of_a_day_is_told_to_the_operator_once(desk: Counterpart) -> None:
    first, _, last = chain(3)
    for event, wall_ms in ((first, 5), (last, 10), (last, 20)):
        desk.tell(event, wall_ms=wall_ms)
    assert patrol(desk.store, 10 + GAP_MS - 1) == []
    assert len(patrol(desk.store, 10 + GAP_MS)) == 1
    assert patrol(desk.store, 10 + 2 * GAP_MS) == []
    assert desk.alarms() == ["gap"]


def test_a_gap_that_closes_is_forgotten(desk: Counterpart) -> None:
    for seq in (1, 4, 3, 2):
        desk.tell(desk.events[seq - 1])
    assert patrol(desk.store, 10 * GAP_MS) == []


def test_the_service_patrols_by_itself(desk: Counterpart) -> None:
    desk.tell(desk.events[0], wall_ms=7)
    desk.service.patrol(7)
    desk.service.patrol(7 + OPEN_AWAY_MS)
    assert desk.service.counts["watchdog alarms"] == 1
