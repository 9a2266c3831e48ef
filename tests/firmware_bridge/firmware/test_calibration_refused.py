"""Calibrations that must not be believed: each with its answer, its residual, and the old line still there."""

from collections.abc import Callable

import pytest

from firmware_bridge.firmware.calibration import (
    MASS_OUT_OF_RANGE,
    MASSES_TOO_NEAR,
    NO_SIGNAL,
    NOT_STEADY,
    NOT_STORED,
    POINTS_MISSING,
    RESIDUAL,
    SPAN_OUT_OF_RANGE,
    STORED,
    WIRES_SWAPPED,
    ZERO_OUT_OF_RANGE,
)
from firmware_bridge.firmware.memory import Memory
from tests.firmware_bridge.firmware.chips import COUNTS_PER_G
from tests.firmware_bridge.firmware.scale_bench import Scale, read

# What is refused.


@pytest.mark.parametrize(("one", "other"), [(500, 2000), (2000, 500), (300, 3000)])
def test_swapped_masses_are_refused_with_their_residual(one: float, other: float) -> None:
    report = Scale().whole(one, other, put_1=other, put_2=one)
    assert report.answer == RESIDUAL
    light, heavy = min(one, other), max(one, other)
    off_g = heavy * heavy / light - light  # the line of the light mass under the heavy one's name
    assert abs(report.residual_cg / 100 / off_g - 1) < 0.01
    assert report.span == 0


@pytest.mark.parametrize(("one", "other"), [(1000, 1000), (1000, 751), (800, 1000)])
def test_masses_that_are_nearly_equal_are_refused(one: float, other: float) -> None:
    assert Scale().whole(one, other).answer == MASSES_TOO_NEAR


def test_masses_a_quarter_apart_are_accepted() -> None:
    assert Scale().whole(1000, 750).answer == STORED


@pytest.mark.parametrize("grams", [0, 1, 49.9, 200_000.1, 400_000_000])
def test_absurd_masses_are_refused(grams: float) -> None:
    bench = Scale()
    bench.tare()
    bench.put(1000)
    assert bench.point(1, grams).answer == MASS_OUT_OF_RANGE
    bench.point(1, 1000)
    assert bench.point(2, grams).answer == MASS_OUT_OF_RANGE
    assert bench.calibrate().answer == POINTS_MISSING


@pytest.mark.parametrize("grams", [50, 200_000])
def test_the_lightest_and_the_heaviest_mass_are_taken(grams: float) -> None:
    bench = Scale()
    bench.tare()
    bench.put(1000)
    assert bench.point(1, grams).answer == STORED


@pytest.mark.parametrize(("slope", "answer"), [(1.9, SPAN_OUT_OF_RANGE), (2.1, STORED), (3900.0, STORED)])
def test_a_slope_out_of_range_is_refused(slope: float, answer: int) -> None:
    assert Scale(slope=slope, noise=1.0).whole(500, 1500).answer == answer


def test_a_slope_too_steep_is_refused() -> None:
    assert Scale(slope=4100.0).whole(500, 1500).answer == SPAN_OUT_OF_RANGE


def test_masses_typed_in_the_wrong_unit_are_refused() -> None:
    assert Scale().whole(50_000, 200_000, put_1=50, put_2=200).answer == SPAN_OUT_OF_RANGE


def test_masses_that_were_never_put_there_are_refused() -> None:
    assert Scale().whole(500, 2000, put_1=0, put_2=0).answer == SPAN_OUT_OF_RANGE


def test_swapped_wires_are_refused() -> None:
    report = Scale(slope=-COUNTS_PER_G).whole(500, 2000)
    assert (report.answer, report.span) == (WIRES_SWAPPED, 0)


@pytest.mark.parametrize(
    "felt",
    [
        lambda grams: min(grams, 1200.0),  # rests on the frame beyond 1200 g
        lambda grams: grams if grams < 600 else 600 + (grams - 600) * 0.8,  # leans against the wall
        lambda grams: max(0.0, grams - 100),  # has to be lifted off a screw first
    ],
)
def test_a_shelf_that_touches_something_is_refused_with_its_residual(felt: Callable[[float], float]) -> None:
    bench = Scale()
    bench.felt = felt
    report = bench.whole(500, 2000)
    expected_g = felt(500) * 2000 / felt(2000) - 500
    assert report.answer == RESIDUAL
    assert abs(report.residual_cg / 100 - expected_g) < 2


def test_a_residual_of_two_grams_passes_with_small_masses_and_half_a_percent_with_large() -> None:
    for light, heavy, off, answer in (
        (100, 200, 1.5, STORED),
        (100, 200, 2.5, RESIDUAL),
        (2000, 4000, 19, STORED),
        (2000, 4000, 21, RESIDUAL),
    ):
        bench = Scale(noise=2.0)
        assert bench.whole(light, heavy, put_1=light + off).answer == answer


def test_a_zero_too_far_from_the_middle_is_refused() -> None:
    for zero, answer in ((4_190_000, STORED), (-4_190_000, STORED), (4_200_000, ZERO_OUT_OF_RANGE)):
        bench = Scale(zero=zero)
        report = bench.tare()
        assert report.answer == answer
        assert abs(report.mean - zero) < 50
        assert (bench.memory.zeros[0] != 0) == (answer == STORED)


def test_a_shelf_that_swings_is_not_steady() -> None:
    bench = Scale()
    bench.on_shelf_g = 20.0
    bench.shelf.run(40)
    assert bench.tare().answer == NOT_STEADY
    bench.shelf.run(80)
    assert bench.tare().answer == STORED


def test_a_hand_that_leans_slowly_is_not_steady() -> None:
    bench = Scale()
    bench.felt = lambda _: 20.0 * (bench.shelf.conversion % 160) / 160
    bench.shelf.run(100)
    assert bench.tare().answer == NOT_STEADY


def test_a_slow_drift_of_eight_grams_is_not_steady_though_its_noise_is_small() -> None:
    bench = Scale()
    bench.felt = lambda _: 8.0 * (bench.shelf.conversion % 1000) / 100
    bench.shelf.run(100)
    report = bench.tare()
    assert report.answer == NOT_STEADY
    assert report.noise < 4000


def test_the_page_numbers_the_answers() -> None:
    answers = (STORED, NOT_STEADY, NO_SIGNAL, ZERO_OUT_OF_RANGE, MASSES_TOO_NEAR, MASS_OUT_OF_RANGE, SPAN_OUT_OF_RANGE)
    assert (*answers, RESIDUAL, POINTS_MISSING, WIRES_SWAPPED, NOT_STORED) == tuple(range(11))


def test_more_than_400_counts_of_noise_are_not_steady() -> None:
    assert Scale(noise=300.0).tare().answer == STORED
    report = Scale(noise=500.0).tare()
    assert report.answer == NOT_STEADY
    assert 4000 < report.noise < 6500


@pytest.mark.parametrize("seed", range(40))
def test_a_quiet_shelf_is_steady(seed: int) -> None:
    assert Scale(seed=seed, noise=5.0 + 2 * seed).tare().answer == STORED


def test_noise_beyond_its_field_is_told_as_the_most_it_holds() -> None:
    bench = Scale(noise=100_000.0)
    assert read(bench.calibration.report(0, bench.now_ms)).noise == 65_535


def test_dead_stuck_and_saturated_cells_have_no_signal() -> None:
    spoils: list[Callable[[int, int], int | None]] = [
        lambda at, raw: None,
        lambda at, raw: 5000,
        lambda at, raw: 0x7FFFFF,
    ]
    for spoil in spoils:
        bench = Scale()
        bench.shelf.run(120, spoil)
        assert bench.tare().answer == NO_SIGNAL
        assert read(bench.calibration.report(0, bench.now_ms)).answer == NO_SIGNAL
        assert read(bench.calibration.report(1, bench.now_ms)).answer == STORED


def test_converters_that_stopped_have_no_signal_though_their_last_second_was_fine() -> None:
    bench = Scale()
    assert read(bench.calibration.tare(0, bench.now_ms + 300)).answer == NO_SIGNAL


def test_the_order_is_tare_slot_1_slot_2() -> None:
    bench = Scale()
    assert bench.calibrate().answer == POINTS_MISSING
    bench.put(500)
    assert bench.point(1, 500).answer == POINTS_MISSING
    bench.put(0)
    bench.tare()
    bench.put(2000)
    assert bench.point(2, 2000).answer == POINTS_MISSING
    assert bench.calibrate().answer == POINTS_MISSING
    assert bench.point(1, 2000).answer == STORED
    assert bench.calibrate().answer == POINTS_MISSING
    bench.put(500)
    assert bench.point(2, 500).answer == STORED
    assert bench.calibrate().answer == STORED
    assert bench.calibrate().answer == POINTS_MISSING


def test_a_new_tare_or_slot_1_forgets_what_came_after_it() -> None:
    bench = Scale()
    bench.whole(500, 1000, put_2=2000)  # refused
    bench.put(500)
    assert bench.point(1, 500).answer == STORED
    assert bench.calibrate().answer == POINTS_MISSING
    bench.put(2000)
    assert bench.point(2, 2000).answer == STORED
    bench.put(0)
    bench.tare()
    assert bench.calibrate().answer == POINTS_MISSING


def test_slot_2_may_be_corrected_after_a_refusal() -> None:
    bench = Scale()
    assert bench.whole(500, 1500, put_2=2000).answer == RESIDUAL
    assert bench.point(2, 2000).answer == STORED
    assert bench.calibrate().answer == STORED


def test_points_older_than_ten_minutes_are_missing() -> None:
    bench = Scale()
    bench.tare()
    tared_ms = bench.now_ms
    bench.put(500)
    bench.point(1, 500)
    bench.put(2000)
    bench.point(2, 2000)
    late = [
        read(bench.calibration.calibrate(0, tared_ms + 600_001)),
        read(bench.calibration.calibrate(0, tared_ms + 600_000)),
    ]
    assert [report.answer for report in late] == [POINTS_MISSING, STORED]


def test_zones_do_not_mix() -> None:
    bench = Scale()
    bench.tare()
    assert read(bench.calibration.point(1, 1, 5000, bench.now_ms)).answer == POINTS_MISSING


@pytest.mark.parametrize(
    ("said", "put"), [((500, 2000), (2000, 500)), ((1000, 1000), (1000, 1000)), ((500, 2000), (0, 0))]
)
def test_a_refused_calibration_leaves_the_old_line(said: tuple[float, float], put: tuple[float, float]) -> None:
    bench = Scale()
    bench.whole(500, 2000)
    span = bench.memory.spans[0]
    report = bench.whole(*said, *put)
    assert report.answer != STORED
    assert report.span == span == bench.memory.spans[0] == Memory(bench.chip.again(), 2).spans[0]


def test_a_memory_that_refuses_leaves_the_old_line() -> None:
    bench = Scale()
    bench.whole(500, 2000)
    line = bench.memory.zeros[0], bench.memory.spans[0]
    bench.put(300)
    bench.chip.silent = True
    report = bench.tare()
    assert report.answer == NOT_STORED
    assert (report.zero, report.span) == line == (bench.memory.zeros[0], bench.memory.spans[0])


def test_a_refused_store_of_the_fit_leaves_the_old_span() -> None:
    bench = Scale()
    bench.put(0)
    bench.tare()
    for slot, grams in ((1, 500), (2, 2000)):
        bench.put(grams)
        bench.point(slot, grams)
    bench.chip.protected = True
    assert bench.calibrate().answer == NOT_STORED
    assert bench.memory.spans[0] == 0
