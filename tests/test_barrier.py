"""What is missing at the closing is named, part by part, with the count of what is due."""

import math
from collections.abc import Mapping

import pytest

from cabinet import barrier
from cabinet.barrier import Counts, Missing
from cabinet.basket.evidence import BARRIER, MISSING, Door, Header, Mass, State, Visit, Zone
from cabinet.scales import STEADY_S, Scales
from cabinet.units import VisitId, ZoneId

S1, S2, S3 = ZoneId("s1"), ZoneId("s2"), ZoneId("s3")
HZ, BATCH = 80.0, 8
CLOSED_S = 100.0


def weighed(until_s: Mapping[ZoneId, float], *, swing_g: float = 0.0, bad: ZoneId | None = None) -> Scales:
    """Every zone reported in batches of eight, its last sample at `until_s`."""
    scales = Scales({zone: Zone() for zone in until_s})
    for zone, last_s in until_s.items():
        for batch in range(24, -1, -1):
            first_s = last_s - (BATCH * batch + BATCH - 1) / HZ
            times = [first_s + i / HZ for i in range(BATCH)]
            grams = [1000.0 + swing_g * math.sin(20 * t) for t in times]
            scales.add(zone, first_s, HZ, [None] * BATCH if zone == bad else grams)
    return scales


def named(scales: Scales, until_s: float = 0.0) -> dict[str, str]:
    missing = barrier.cells(scales, CLOSED_S, until_s)
    assert barrier.complete(scales, CLOSED_S, until_s) == (not missing)
    return {one.part: one.why for one in missing}


def test_nothing_is_missing_once_every_zone_has_rested_after_the_closing() -> None:
    assert named(weighed({S1: CLOSED_S + 0.6, S2: CLOSED_S + 1.0})) == {}


def test_a_zone_that_fell_silent_is_named_with_its_last_sample_and_what_is_due() -> None:
    said = named(weighed({S1: CLOSED_S + 1.0, S2: CLOSED_S - 1.3}))
    assert said == {"zone s2": "last sample 1.30 s before the closing, 104 samples due"}


def test_a_zone_that_never_reported_is_named() -> None:
    scales = weighed({S1: CLOSED_S + 1.0})
    scales.zones |= Scales({S2: Zone()}).zones
    assert named(scales) == {"zone s2": "no sample at all"}


def test_where_no_zone_reports_it_is_the_board_that_is_missing() -> None:
    said = named(weighed({S1: CLOSED_S - 2.0, S2: CLOSED_S - 0.5, S3: CLOSED_S - 0.6}))
    assert said == {"board": "last sample 0.50 s before the closing, 40 samples of each of 3 zones due"}


def test_the_only_zone_is_named_itself() -> None:
    assert [*named(weighed({S1: CLOSED_S - 1.0}))] == ["zone s1"]


def test_a_zone_that_has_not_yet_said_enough_is_told_how_many_samples_it_owes() -> None:
    said = named(weighed({S1: CLOSED_S + 1.0, S2: CLOSED_S + 0.25}))
    assert said == {"zone s2": "21 samples since the closing, 44 due"}


def test_a_zone_that_swings_is_named_for_it() -> None:
    said = named(weighed({S1: CLOSED_S + 1.0, S2: CLOSED_S + 1.0}, swing_g=50.0))
    assert said["zone s2"] == "has not come to rest in 1.0 s since the closing"


def test_bad_samples_count_as_come_and_are_named_as_bad() -> None:
    said = named(weighed({S1: CLOSED_S + 1.0, S2: CLOSED_S + 1.0}, bad=S2))
    assert said == {"zone s2": "81 of 81 samples since the closing are bad"}


def test_samples_up_to_the_last_picture_are_due_too() -> None:
    said = named(weighed({S1: CLOSED_S + 1.0, S2: CLOSED_S + 0.8}), until_s=CLOSED_S + 0.9)
    assert said == {"zone s2": "last sample 0.10 s before the last picture, 8 samples due"}


def test_a_zone_that_delivers_fewer_samples_than_its_rate_does_not_pass_as_settled() -> None:
    scales = weighed({S1: CLOSED_S + 1.0})
    scales.zones |= Scales({S2: Zone()}).zones
    for n in range(30):  # steady, evenly spaced, and a quarter of what is due
        scales.add(S2, CLOSED_S - 0.5 + n / 20, 20.0, [500.0])
    assert scales.settled(CLOSED_S)
    assert named(scales)["zone s2"].endswith(f"samples in its last {STEADY_S:g} s, at least 28 due")


@pytest.mark.parametrize("share", [0.9, 1.1])
def test_a_converter_ten_percent_off_its_rate_is_in_order(share: float) -> None:
    scales = Scales({S1: Zone()})
    for n in range(120):
        scales.add(S1, CLOSED_S - 0.1 + n / (HZ * share), HZ * share, [500.0])
    assert named(scales) == {}


# Samples counted over the visit.


def test_batches_without_a_hole_owe_nothing() -> None:
    counts = Counts()
    assert [counts.add(S1, 0.1 * n, HZ, BATCH) for n in range(10)] == [0.0] * 10
    assert counts.came == {S1: 80}


def test_a_hole_that_nobody_told_of_is_noticed_and_counted() -> None:
    counts = Counts()
    counts.add(S1, 0.0, HZ, BATCH)
    assert counts.add(S1, 0.6, HZ, BATCH) == pytest.approx(0.5)
    assert counts.silent == {S1: 40}


@pytest.mark.parametrize("part", ["scale:s1", "board"])
def test_a_hole_that_the_board_told_of_is_none(part: str) -> None:
    counts = Counts()
    counts.add(S1, 0.0, HZ, BATCH)
    counts.gap(part, 0.5)
    assert counts.add(S1, 0.6, HZ, BATCH) == 0.0


def test_a_gap_of_another_zone_explains_nothing() -> None:
    counts = Counts()
    for zone in (S1, S2):
        counts.add(zone, 0.0, HZ, BATCH)
    counts.gap("scale:s2", 0.5)
    assert counts.add(S1, 0.6, HZ, BATCH) > 0


# Frames.


@pytest.mark.parametrize(
    ("at_s", "why"),
    [
        (None, "no frame at all"),
        (CLOSED_S - 1.2, "no frame since the closing, the newest from 1.20 s before it"),
        (CLOSED_S + 4.0, "its frames are stamped 1.00 s in the future: they cannot be set beside the closing"),
        (CLOSED_S + 0.5, "no frame from 1.15 s after the closing, the newest from 0.50 s"),
        (CLOSED_S + 1.2, ""),
    ],
)
def test_a_camera_is_named_by_its_newest_frame(at_s: float | None, why: str) -> None:
    assert barrier.frame(at_s, CLOSED_S, CLOSED_S + 1.15, CLOSED_S + 3.0) == why


# What comes after the barrier.


def test_samples_of_before_the_barrier_are_late_and_the_rest_is_kept() -> None:
    late, left = barrier.late(Mass(9.9, S1, 10.0, (1.0, 2.0, 3.0)), 10.0)
    assert (late, left) == ("2 samples of zone s1 from 9.9 s on", Mass(10.1, S1, 10.0, (3.0,)))


def test_a_batch_that_is_late_as_a_whole_leaves_nothing() -> None:
    assert barrier.late(Mass(9.0, S1, 10.0, (1.0, 2.0)), 10.0)[1] is None


def test_an_event_of_before_the_barrier_is_late() -> None:
    assert barrier.late(Door(9.5, open=False), 10.0) == ("door of 9.5 s", None)


@pytest.mark.parametrize("barrier_t", [None, 9.0])
def test_what_comes_in_time_is_left_as_it_is(barrier_t: float | None) -> None:
    door = Door(9.5, open=False)
    assert barrier.late(door, barrier_t) == ("", door)


def test_a_state_of_the_same_instant_is_put_behind_the_barrier() -> None:
    assert barrier.late(State(10.0, "tallying"), 10.0) == ("", State(10.0001, "tallying"))


# As the trace keeps it.


def visit(*events: State) -> Visit:
    zones = {S1: Zone()}
    about = Header(VisitId("v"), "c", "2026-11-22T06:00:00Z", True, "shop", "USD", zones, {}, {}, {}, {})  # noqa: FBT003  a row
    return Visit(about, events)


def test_the_trace_tells_what_was_missing() -> None:
    told = visit(Missing("zone s2", "no sample at all").event(5.0), State(5.0, BARRIER)).judged()
    assert told.missing() == ("zone s2: no sample at all",)


def test_what_was_missing_at_a_closing_before_a_restart_is_settled() -> None:
    told = visit(State(5.0, f"{MISSING}zone s2: x"), State(5.0, BARRIER), State(9.0, BARRIER)).judged()
    assert told.missing() == ()
