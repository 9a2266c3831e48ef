"""Two known masses on a shelf: what makes a line, what it weighs after that, what outlives a reset."""

import struct

from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware.calibration import CALIBRATE, POINT, REQUEST, STORED, TARE, fit, root
from firmware_bridge.firmware.memory import Memory
from tests.firmware_bridge.firmware.chips import COUNTS_PER_G
from tests.firmware_bridge.firmware.scale_bench import Scale, read

# What is accepted.


@settings(max_examples=50, deadline=None)
@given(
    st.floats(5.0, 3000.0),
    st.integers(-2_000_000, 2_000_000),
    st.floats(1.0, 60.0),
    st.floats(500.0, 2000.0),
    st.floats(0.1, 0.74),
    st.sampled_from((1, 2)),
    st.integers(0, 99),
)
@example(3000.0, 2_000_000, 1.0, 2000.0, 0.5, 1, 0)
def test_a_true_cell_with_noise_calibrates_within_a_thousandth(
    slope: float, zero: int, noise: float, heavy_g: float, part: float, heavy_slot: int, seed: int
) -> None:
    slope = min(slope, 6_000_000 / heavy_g)  # stays within the converter
    noise = min(noise, slope * heavy_g / 5000)
    bench = Scale(slope=slope, zero=zero, noise=noise, seed=seed)
    heavy_g, light_g = round(heavy_g), round(max(50.0, heavy_g * part))
    masses = (heavy_g, light_g) if heavy_slot == 1 else (light_g, heavy_g)
    report = bench.whole(*masses)
    assert report.answer == STORED
    assert abs(bench.memory.spans[0] / (10 / slope * 2**24) - 1) < 0.001
    assert abs(report.residual_cg) <= max(200, heavy_g * 10 // 20)
    bench.put(light_g)
    assert abs(bench.weigh_dg() - 10 * light_g) <= max(10, light_g // 100)


def test_a_report_says_what_was_stored() -> None:
    bench = Scale(zero=50_000)
    report = bench.whole(500, 2000)
    assert report.about == CALIBRATE
    assert (report.zero, report.span) == (bench.memory.zeros[0], bench.memory.spans[0])
    assert abs(report.mean - 50_000 - 2000 * COUNTS_PER_G) < 50
    assert 350 < report.noise < 550
    assert abs(report.residual_cg) < 50


def test_a_calibration_outlives_a_reset() -> None:
    bench = Scale(zero=-70_000)
    bench.whole(500, 2000)
    after = Memory(bench.chip.again(), 2)
    assert (after.zeros, after.spans) == (bench.memory.zeros, bench.memory.spans)
    assert after.spans[0]


def test_a_tare_alone_moves_the_zero_and_keeps_the_span() -> None:
    bench = Scale()
    bench.whole(500, 2000)
    span = bench.memory.spans[0]
    bench.put(300)
    assert bench.tare().answer == STORED
    assert bench.memory.spans[0] == span
    assert abs(bench.weigh_dg()) < 10
    assert abs(Memory(bench.chip.again(), 2).zeros[0] - 300 * COUNTS_PER_G) < 50


def test_a_report_on_request_changes_nothing() -> None:
    bench = Scale(zero=1000)
    bench.chip.written.clear()
    report = read(bench.calibration.report(1, bench.now_ms))
    assert (report.zone, report.about, report.answer, report.zero, report.span) == (1, REQUEST, STORED, 0, 0)
    assert abs(report.mean - 1000 - 100 * COUNTS_PER_G) < 30
    assert not bench.chip.written


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


def test_about_names_what_was_asked_and_only_a_fit_has_a_residual() -> None:
    bench = Scale()
    reports = [bench.tare(), bench.point(1, 1), read(bench.calibration.report(0, bench.now_ms)), bench.calibrate()]
    assert [report.about for report in reports] == [TARE, POINT, REQUEST, CALIBRATE] == [1, 2, 0, 3]
    assert [report.residual_cg for report in reports] == [0, 0, 0, 0]
