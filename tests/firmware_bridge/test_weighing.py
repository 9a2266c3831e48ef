"""What the host makes of the firmware's samples, both in the simulated cabinet, on virtual time."""

import itertools

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.codes import Bad, ProbeBad
from firmware_bridge.messages import (
    CalibrationPoint,
    CellAnswer,
    CellReport,
    RawStream,
    Tare,
)
from tests.firmware_bridge.firmware.bench import BORN_MS
from tests.firmware_bridge.meeting import READY_MS, STARTED_S, Meeting, masses, quiet
from tests.firmware_bridge.wires import clean


@pytest.mark.parametrize("rate_error", [-0.05, 0.0, 0.03])
@pytest.mark.parametrize("ppm", [-200, 200])
def test_samples_are_grams_on_the_hosts_clock_at_the_converters_own_rate_without_a_seam(
    rate_error: float, ppm: float
) -> None:
    meeting = quiet(2, rate_error=rate_error, ppm=ppm)
    meeting.world.cells[1].put(505.0, BORN_MS)
    meeting.connect().run(40_000)
    batches = [batch for batch in masses(meeting, 1) if batch.at_s > STARTED_S + 10]
    assert {gram for batch in batches for gram in batch.grams} == {505.0}
    for one, two in itertools.pairwise(batches):
        assert one.hz == pytest.approx(80 * (1 + rate_error), rel=0.001)
        assert two.at_s - one.at_s == pytest.approx(len(one.grams) / one.hz, abs=0.0015)
    assert meeting.said_to_host(h.Gap) == []


@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_a_step_on_the_shelf_is_seen_when_it_happened(ppm: float) -> None:
    meeting = quiet(ppm=ppm).connect()
    meeting.run(30_000)
    put_s = meeting.now_s
    meeting.world.cells[0].put(330.0, meeting.now_ms)
    meeting.run(500)
    stamped = [(b.at_s + i / b.hz, g) for b in masses(meeting) for i, g in enumerate(b.grams)]
    first_s = min(at_s for at_s, grams in stamped if grams == 330.0)
    assert -0.002 < first_s - put_s < 0.0125 + 0.015  # a sample's spacing, and the journey of a batch's end


def test_a_dead_cell_is_none_with_the_reason_and_never_a_number() -> None:
    meeting = quiet(2).connect()
    meeting.run(READY_MS)
    meeting.world.break_part("cell_dead", on=True, zone=0)
    meeting.run(200)
    meeting.heard.clear()
    meeting.run(500)
    dead = masses(meeting, 0)
    assert {gram for batch in dead for gram in batch.grams} == {None}
    assert {reason for batch in dead for reason in batch.bad} == {Bad.NO_CONVERSION}
    assert all(batch.bad == () and None not in batch.grams for batch in masses(meeting, 1))


def test_samples_after_power_up_are_settling() -> None:
    first = masses_of_first_second(quiet())
    assert first[0].bad[0] is Bad.SETTLING
    assert first[-1].bad == ()


def masses_of_first_second(meeting: Meeting) -> list[h.Masses]:
    meeting.connect().run(1000)
    return masses(meeting)


def test_lost_samples_are_a_gap_of_exactly_their_number_and_are_not_invented() -> None:
    meeting = quiet().connect()
    meeting.run(READY_MS)
    before = len(masses(meeting))
    meeting.to_host.damage = lambda _: b""
    meeting.run(300)  # three batches of 100 ms
    meeting.to_host.damage = clean()
    meeting.run(300)
    (gap,) = meeting.said_to_host(h.Gap)
    assert (gap.what, gap.samples) == ("mass zone 0", 24)
    assert gap.seconds == pytest.approx(24 / 80)
    assert (meeting.counters.gaps, meeting.counters.samples_lost) == (1, 24)
    around = masses(meeting)[before - 1 : before + 1]
    assert around[1].at_s - around[0].at_s == pytest.approx(0.4, abs=0.002)


def test_a_gap_between_sessions_of_one_boot_is_exact_too() -> None:
    meeting = quiet().connect()
    meeting.run(READY_MS)
    last = masses(meeting)[-1]
    meeting.host = None
    meeting.run(5000)
    meeting.connect().run(500)
    (gap,) = meeting.said_to_host(h.Gap)
    after = next(batch for batch in masses(meeting) if batch.at_s > last.at_s + 1)
    assert gap.samples == round((after.at_s - last.at_s) * 80) - 8


def test_a_new_boot_is_no_gap_of_samples() -> None:
    meeting = quiet().connect()
    meeting.run(READY_MS)
    meeting.host = None
    meeting.run(2000)
    meeting.power_on()
    meeting.connect().run(READY_MS)
    assert meeting.said_to_host(h.Gap) == []
    assert masses(meeting)[-1].at_s == pytest.approx(meeting.now_s, abs=0.25)


def test_counts_come_only_for_the_zone_asked_for_and_only_until_told_otherwise() -> None:
    meeting = quiet(2).connect()
    meeting.run(READY_MS)
    assert meeting.said_to_host(h.CellCounts) == []
    meeting.tell(RawStream(1, on=True))
    meeting.run(1000)
    counts = meeting.said_to_host(h.CellCounts)
    assert {batch.zone_index for batch in counts} == {1}
    zero = meeting.world.cells[1].zero_counts
    assert all(count is not None and abs(count - zero) < 10 for batch in counts for count in batch.counts)
    grams = {round(batch.at_s, 3): batch for batch in masses(meeting, 1)}
    assert all(any(abs(batch.at_s - at_s) < 0.002 for at_s in grams) for batch in counts)
    meeting.tell(RawStream(1, on=False))
    meeting.run(200)
    meeting.heard.clear()
    meeting.run(1000)
    assert meeting.said_to_host(h.CellCounts) == []


def test_reports_of_tare_and_calibration_come_back() -> None:
    meeting = quiet().connect()
    meeting.run(READY_MS)
    meeting.tell(Tare(0))
    meeting.tell(CalibrationPoint(0, 1, 100))
    meeting.run(100)
    reports = [answer for answer in meeting.answers if isinstance(answer, CellReport)]
    assert [report.answer for report in reports] == [CellAnswer.OK, CellAnswer.MASS_OUT_OF_RANGE]


def test_a_temperature_is_told_and_a_broken_probe_says_how_it_is_broken() -> None:
    meeting = Meeting().connect()
    meeting.run(3000)
    assert meeting.said_to_host(h.TemperatureRead)[-1].celsius == pytest.approx(4.0, abs=0.3)
    for part, reason in (("probe_open", ProbeBad.OPEN), ("probe_short", ProbeBad.SHORT)):
        meeting.world.break_part(part, on=True)
        meeting.heard.clear()
        meeting.run(3000)
        meeting.world.break_part(part, on=False)
        assert meeting.said_to_host(h.TemperatureBad)[-1] == h.TemperatureBad(0, reason)
