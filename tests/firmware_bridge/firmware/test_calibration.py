"""Two known masses on a shelf: what makes a line, what is refused and with which residual, what stays after that."""

import struct
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware.calibration import (
    CALIBRATE,
    MASS_OUT_OF_RANGE,
    MASSES_TOO_NEAR,
    NO_SIGNAL,
    NOT_STEADY,
    NOT_STORED,
    POINT,
    POINTS_MISSING,
    REQUEST,
    RESIDUAL,
    SPAN_OUT_OF_RANGE,
    STORED,
    TARE,
    WIRES_SWAPPED,
    ZERO_OUT_OF_RANGE,
    Calibration,
    fit,
    root,
)
from firmware_bridge.firmware.memory import Memory
from tests.firmware_bridge.firmware.chips import COUNTS_PER_G, Chip, Shelf


class Report(NamedTuple):
    zone: int
    about: int
    answer: int
    mean: int
    noise: int
    zero: int
    span: int
    residual_cg: int


def read(report: bytes) -> Report:
    """As PROTOCOL.md lays it out."""
    assert len(report) == 21
    return Report(*struct.unpack("<BBBiHiIi", report))


class Bench:
    """One zone, a person with masses, and a memory."""

    def __init__(
        self, *, slope: float = COUNTS_PER_G, zero: int = 0, noise: float = 45.0, seed: int = 1, chip: Chip | None = None
    ) -> None:
        self.chip = chip or Chip()
        self.memory = Memory(self.chip, 2)
        self.on_shelf_g = 0.0
        self.felt: Callable[[float], float] = lambda grams: grams
        self.shelf = Shelf(
            lambda zone, t_s: self.felt(self.on_shelf_g) if zone == 0 else 100.0,
            2,
            memory=self.memory,
            slope=slope,
            zero=zero,
            noise=noise,
            seed=seed,
        )
        self.calibration = Calibration(self.shelf.cells, self.memory)
        self.shelf.run(120)

    @property
    def now_ms(self) -> int:
        return self.shelf.now_ms

    def put(self, grams: float) -> None:
        self.on_shelf_g = grams
        self.shelf.run(100)

    def tare(self) -> Report:
        return read(self.calibration.tare(0, self.now_ms))

    def point(self, slot: int, grams: float) -> Report:
        return read(self.calibration.point(0, slot, round(10 * grams), self.now_ms))

    def calibrate(self) -> Report:
        return read(self.calibration.calibrate(0, self.now_ms))

    def whole(self, said_1: float, said_2: float, put_1: float | None = None, put_2: float | None = None) -> Report:
        """Tare, both points, fit; `said` is what the person types, `put` what lies there."""
        self.put(0)
        assert self.tare().answer == STORED
        self.put(said_1 if put_1 is None else put_1)
        assert self.point(1, said_1).answer == STORED
        self.put(said_2 if put_2 is None else put_2)
        assert self.point(2, said_2).answer == STORED
        return self.calibrate()

    def weigh_dg(self) -> int:
        self.shelf.run(100)
        return self.shelf.cells.means_dg(self.now_ms, 1000)[0]


# What is accepted.


@settings(max_examples=50, deadline=None)
@given(
    st.floats(5.0, 3000.0),
    st.integers(-2_000_000, 2_000_000),
    st.floats(1.0, 60.0),
    st.floats(500.0, 2000.0),
    st.floats(0.1, 0.74),
    st.booleans(),
    st.integers(0, 99),
)
@example(3000.0, 2_000_000, 1.0, 2000.0, 0.5, True, 0)
def test_a_true_cell_with_noise_calibrates_within_a_thousandth(
    slope: float, zero: int, noise: float, heavy_g: float, part: float, heavy_first: bool, seed: int
) -> None:
    slope = min(slope, 6_000_000 / heavy_g)  # stays within the converter
    noise = min(noise, slope * heavy_g / 5000)
    bench = Bench(slope=slope, zero=zero, noise=noise, seed=seed)
    heavy_g, light_g = round(heavy_g), round(max(50.0, heavy_g * part))
    masses = (heavy_g, light_g) if heavy_first else (light_g, heavy_g)
    report = bench.whole(*masses)
    assert report.answer == STORED
    assert abs(bench.memory.spans[0] / (10 / slope * 2**24) - 1) < 0.001
    assert abs(report.residual_cg) <= max(200, heavy_g * 10 // 20)
    bench.put(light_g)
    assert abs(bench.weigh_dg() - 10 * light_g) <= max(10, light_g // 100)


def test_a_report_says_what_was_stored() -> None:
    bench = Bench(zero=50_000)
    report = bench.whole(500, 2000)
    assert report.about == CALIBRATE
    assert (report.zero, report.span) == (bench.memory.zeros[0], bench.memory.spans[0])
    assert abs(report.mean - 50_000 - 2000 * COUNTS_PER_G) < 50
    assert 350 < report.noise < 550
    assert abs(report.residual_cg) < 50


def test_a_calibration_outlives_a_reset() -> None:
    bench = Bench(zero=-70_000)
    bench.whole(500, 2000)
    after = Memory(bench.chip.again(), 2)
    assert (after.zeros, after.spans) == (bench.memory.zeros, bench.memory.spans)
    assert after.spans[0]


def test_a_tare_alone_moves_the_zero_and_keeps_the_span() -> None:
    bench = Bench()
    bench.whole(500, 2000)
    span = bench.memory.spans[0]
    bench.put(300)
    assert bench.tare().answer == STORED
    assert bench.memory.spans[0] == span
    assert abs(bench.weigh_dg()) < 10
    assert abs(Memory(bench.chip.again(), 2).zeros[0] - 300 * COUNTS_PER_G) < 50


def test_a_report_on_request_changes_nothing() -> None:
    bench = Bench(zero=1000)
    bench.chip.written.clear()
    report = read(bench.calibration.report(1, bench.now_ms))
    assert (report.zone, report.about, report.answer, report.zero, report.span) == (1, REQUEST, STORED, 0, 0)
    assert abs(report.mean - 1000 - 100 * COUNTS_PER_G) < 30
    assert not bench.chip.written


# What is refused.


@pytest.mark.parametrize(("one", "other"), [(500, 2000), (2000, 500), (300, 3000)])
def test_swapped_masses_are_refused_with_their_residual(one: float, other: float) -> None:
    report = Bench().whole(one, other, put_1=other, put_2=one)
    assert report.answer == RESIDUAL
    light, heavy = min(one, other), max(one, other)
    off_g = heavy * heavy / light - light  # the line of the light mass under the heavy one's name
    assert abs(report.residual_cg / 100 / off_g - 1) < 0.01
    assert report.span == 0


@pytest.mark.parametrize(("one", "other"), [(1000, 1000), (1000, 751), (800, 1000)])
def test_masses_that_are_nearly_equal_are_refused(one: float, other: float) -> None:
    assert Bench().whole(one, other).answer == MASSES_TOO_NEAR


def test_masses_a_quarter_apart_are_accepted() -> None:
    assert Bench().whole(1000, 750).answer == STORED


@pytest.mark.parametrize("grams", [0, 1, 49.9, 200_000.1, 400_000_000])
def test_absurd_masses_are_refused(grams: float) -> None:
    bench = Bench()
    bench.tare()
    bench.put(1000)
    assert bench.point(1, grams).answer == MASS_OUT_OF_RANGE
    bench.point(1, 1000)
    assert bench.point(2, grams).answer == MASS_OUT_OF_RANGE
    assert bench.calibrate().answer == POINTS_MISSING


@pytest.mark.parametrize("grams", [50, 200_000])
def test_the_lightest_and_the_heaviest_mass_are_taken(grams: float) -> None:
    bench = Bench()
    bench.tare()
    bench.put(1000)
    assert bench.point(1, grams).answer == STORED


@pytest.mark.parametrize(("slope", "answer"), [(1.9, SPAN_OUT_OF_RANGE), (2.1, STORED), (3900.0, STORED)])
def test_a_slope_out_of_range_is_refused(slope: float, answer: int) -> None:
    assert Bench(slope=slope, noise=1.0).whole(500, 1500).answer == answer


def test_a_slope_too_steep_is_refused() -> None:
    assert Bench(slope=4100.0).whole(500, 1500).answer == SPAN_OUT_OF_RANGE


def test_masses_typed_in_the_wrong_unit_are_refused() -> None:
    assert Bench().whole(50_000, 200_000, put_1=50, put_2=200).answer == SPAN_OUT_OF_RANGE


def test_masses_that_were_never_put_there_are_refused() -> None:
    assert Bench().whole(500, 2000, put_1=0, put_2=0).answer == SPAN_OUT_OF_RANGE


def test_swapped_wires_are_refused() -> None:
    report = Bench(slope=-COUNTS_PER_G).whole(500, 2000)
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
    bench = Bench()
    bench.felt = felt
    report = bench.whole(500, 2000)
    expected_g = felt(500) * 2000 / felt(2000) - 500
    assert report.answer == RESIDUAL
    assert abs(report.residual_cg / 100 - expected_g) < 2


def test_a_residual_of_two_grams_passes_with_small_masses_and_half_a_percent_with_large() -> None:
    for light, heavy, off, answer in ((100, 200, 1.5, STORED), (100, 200, 2.5, RESIDUAL), (2000, 4000, 19, STORED), (2000, 4000, 21, RESIDUAL)):
        bench = Bench(noise=2.0)
        assert bench.whole(light, heavy, put_1=light + off).answer == answer


def test_a_zero_too_far_from_the_middle_is_refused() -> None:
    for zero, answer in ((4_190_000, STORED), (-4_190_000, STORED), (4_200_000, ZERO_OUT_OF_RANGE)):
        bench = Bench(zero=zero)
        report = bench.tare()
        assert report.answer == answer
        assert abs(report.mean - zero) < 50
        assert (bench.memory.zeros[0] != 0) == (answer == STORED)


def test_a_shelf_that_swings_is_not_steady() -> None:
    bench = Bench()
    bench.on_shelf_g = 20.0
    bench.shelf.run(40)
    assert bench.tare().answer == NOT_STEADY
    bench.shelf.run(80)
    assert bench.tare().answer == STORED


def test_a_hand_that_leans_slowly_is_not_steady() -> None:
    bench = Bench()
    bench.felt = lambda _: 20.0 * (bench.shelf.conversion % 160) / 160
    bench.shelf.run(100)
    assert bench.tare().answer == NOT_STEADY


def test_more_than_400_counts_of_noise_are_not_steady() -> None:
    assert Bench(noise=300.0).tare().answer == STORED
    report = Bench(noise=500.0).tare()
    assert report.answer == NOT_STEADY
    assert 4000 < report.noise < 6500


@pytest.mark.parametrize("seed", range(40))
def test_a_quiet_shelf_is_steady(seed: int) -> None:
    assert Bench(seed=seed, noise=5.0 + 2 * seed).tare().answer == STORED


def test_noise_beyond_its_field_is_told_as_the_most_it_holds() -> None:
    bench = Bench(noise=100_000.0)
    assert read(bench.calibration.report(0, bench.now_ms)).noise == 65_535


def test_dead_stuck_and_saturated_cells_have_no_signal() -> None:
    spoils: list[Callable[[int, int], int | None]] = [
        lambda at, raw: None,
        lambda at, raw: 5000,
        lambda at, raw: 0x7FFFFF,
    ]
    for spoil in spoils:
        bench = Bench()
        bench.shelf.run(120, spoil)
        assert bench.tare().answer == NO_SIGNAL
        assert read(bench.calibration.report(0, bench.now_ms)).answer == NO_SIGNAL
        assert read(bench.calibration.report(1, bench.now_ms)).answer == STORED


def test_converters_that_stopped_have_no_signal_though_their_last_second_was_fine() -> None:
    bench = Bench()
    assert read(bench.calibration.tare(0, bench.now_ms + 300)).answer == NO_SIGNAL


def test_the_order_is_tare_slot_1_slot_2() -> None:
    bench = Bench()
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
    bench = Bench()
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
    bench = Bench()
    assert bench.whole(500, 1500, put_2=2000).answer == RESIDUAL
    assert bench.point(2, 2000).answer == STORED
    assert bench.calibrate().answer == STORED


def test_points_older_than_ten_minutes_are_missing() -> None:
    bench = Bench()
    bench.tare()
    tared_ms = bench.now_ms
    bench.put(500)
    bench.point(1, 500)
    bench.put(2000)
    bench.point(2, 2000)
    late = [read(bench.calibration.calibrate(0, tared_ms + 600_001)), read(bench.calibration.calibrate(0, tared_ms + 600_000))]
    assert [report.answer for report in late] == [POINTS_MISSING, STORED]


def test_zones_do_not_mix() -> None:
    bench = Bench()
    bench.tare()
    assert read(bench.calibration.point(1, 1, 5000, bench.now_ms)).answer == POINTS_MISSING


@pytest.mark.parametrize(("said", "put"), [((500, 2000), (2000, 500)), ((1000, 1000), (1000, 1000)), ((500, 2000), (0, 0))])
def test_a_refused_calibration_leaves_the_old_line(said: tuple[float, float], put: tuple[float, float]) -> None:
    bench = Bench()
    bench.whole(500, 2000)
    span = bench.memory.spans[0]
    report = bench.whole(*said, *put)
    assert report.answer != STORED
    assert report.span == span == bench.memory.spans[0] == Memory(bench.chip.again(), 2).spans[0]


def test_a_memory_that_refuses_leaves_the_old_line() -> None:
    bench = Bench()
    bench.whole(500, 2000)
    line = bench.memory.zeros[0], bench.memory.spans[0]
    bench.put(300)
    bench.chip.silent = True
    report = bench.tare()
    assert report.answer == NOT_STORED
    assert (report.zero, report.span) == line == (bench.memory.zeros[0], bench.memory.spans[0])


def test_a_refused_store_of_the_fit_leaves_the_old_span() -> None:
    bench = Bench()
    bench.put(0)
    bench.tare()
    for slot, grams in ((1, 500), (2, 2000)):
        bench.put(grams)
        bench.point(slot, grams)
    bench.chip.protected = True
    assert bench.calibrate().answer == NOT_STORED
    assert bench.memory.spans[0] == 0


# The arithmetic.


COUNTS = st.integers(-(2**23), 2**23 - 1)
MASSES = st.integers(500, 2_000_000)


@given(st.integers(-(2**22), 2**22), COUNTS, MASSES, COUNTS, MASSES)
@example(0, 0, 500, 0, 500)
@example(5, 5, 500, 5, 2_000_000)
def test_any_two_points_give_an_answer_and_only_good_ones_a_line(
    zero: int, counts_1: int, dg_1: int, counts_2: int, dg_2: int
) -> None:
    answer, span, residual_cg = fit(zero, [(counts_1, dg_1), (counts_2, dg_2)])
    assert -(2**31) <= residual_cg < 2**31
    struct.pack("<i", residual_cg)
    if answer == STORED:
        assert 41_943 <= span <= 83_886_081
        (light, light_dg), (heavy, heavy_dg) = sorted([(counts_1, dg_1), (counts_2, dg_2)], key=lambda point: point[1])
        assert abs(((heavy - zero) * span >> 24) - heavy_dg) <= 1 + (heavy - zero) / 2**25
        assert abs(((light - zero) * span >> 24) - light_dg) <= max(20, heavy_dg // 200) + 1


@given(st.integers(0, 2**80))
def test_the_root_is_whole_and_never_too_much(square: int) -> None:
    assert root(square) ** 2 <= square < (root(square) + 1) ** 2


def test_about_names_what_was_asked() -> None:
    bench = Bench()
    assert bench.tare().about == TARE
    assert bench.point(1, 1).about == POINT
    assert bench.calibrate().about == CALIBRATE
