"""What is a spike or a slip, and what is a person: takes, slams, ringing shelves, hands; and broken converters."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware import codes as c
from tests.firmware_bridge.firmware.chips import COUNTS_PER_G, NOISE_COUNTS, Shelf, filtered

BAD_SETTLING, BAD_SATURATED, BAD_SLIP, BAD_SPIKE, BAD_NONE = (
    c.BAD_SAMPLE + n for n in (c.BAD_SETTLING, c.BAD_SATURATED, c.BAD_SLIP, c.BAD_SPIKE, c.BAD_NONE)
)
QUIET = 160  # conversions before anything happens: two seconds
REST = 1000.0  # grams on the shelf

Load = Callable[[float], float]


def quiet(_zone: int, _t_s: float) -> float:
    return REST


def bad_of(load: Load, seconds: float = 3.0, seed: int = 1) -> dict[int, int]:
    """Index to reason of everything called bad after settling; `load` begins at 0 s, after two quiet seconds."""
    shelf = Shelf(lambda _, t_s: load(t_s - QUIET / 80), seed=seed)
    shelf.run(QUIET + int(80 * seconds))
    return {at: value for at, value in shelf.counts().items() if value < -(2**30) and at >= 8}


# What may never be called bad.


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(2, 40), st.floats(-5000, 5000)), min_size=1, max_size=60),
    st.sampled_from(("sharp", "filtered")),
    st.integers(0, 99),
)
@example([(2, 500.0), (2, -500.0)] * 10, "sharp", 1)  # 25 ms apart, there and back
@example([(2, 5000.0)] * 10, "filtered", 1)
def test_takes_and_puts_25_ms_apart_or_more_are_never_bad(
    steps: list[tuple[int, float]], shown: str, seed: int
) -> None:
    """Each step `n` conversions after the one before, sharp or as the converter's filter shows it."""

    def load(t_s: float) -> float:
        grams, at = REST, 0
        for wait, change in steps:
            at += wait
            if t_s >= at / 80 - 1e-9:
                grams += change
        return grams

    assert not bad_of(filtered(load) if shown == "filtered" else load, sum(n for n, _ in steps) / 80 + 0.2, seed)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.floats(2.0, 200.0),
    st.floats(0.03, 1.0),
    st.floats(20.0, 5000.0),
    st.floats(0.0, math.tau),
    st.floats(0.0, 0.0125),
    st.floats(-2000.0, 2000.0),
)
@example(20.0, 0.5, 3000.0, 0.0, 0.0, 0.0)  # a quarter of the rate, each other sample at rest
@example(80 / 3, 1.0, 3000.0, math.pi / 2, 0.0, 0.0)  # a third: two of three samples level
@example(26.0, 1.0, 20.0, 0.0, 0.0, 0.0)
@example(40.0, 0.03, 3000.0, math.pi / 2, 0.0, 0.0)
@example(20.0, 0.03, 3000.0, 0.0, 0.0, 0.0)
def test_a_ringing_tray_is_never_bad(
    ring_hz: float, decay_s: float, swing_g: float, phase: float, after_s: float, step_g: float
) -> None:
    """Sharper than any shelf: it starts at once, at any phase and place between two conversions, without a filter."""

    def load(t_s: float) -> float:
        t_s -= after_s
        if t_s < 0:
            return REST
        ring = math.exp(-t_s / decay_s) * math.sin(math.tau * ring_hz * t_s + phase)
        return REST + step_g + swing_g * ring

    assert not bad_of(load)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(0.002, 0.06), st.floats(50.0, 10_000.0), st.floats(0.0, 0.0125))
@example(0.002, 10_000.0, 0.006)
def test_a_slam_of_any_length_is_never_bad_as_the_converter_shows_it(
    length_s: float, blow_g: float, at_s: float
) -> None:
    def blow(t_s: float) -> float:
        inside = at_s <= t_s < at_s + length_s
        return REST + (blow_g * math.sin(math.pi * (t_s - at_s) / length_s) if inside else 0.0)

    assert not bad_of(filtered(blow), 0.5)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(0.1, 2.0), st.floats(-3000.0, 3000.0), st.integers(0, 99))
def test_a_hand_is_never_bad(length_s: float, push_g: float, seed: int) -> None:
    """It presses and lifts, and trembles at any pace; as the converter shows it."""
    dice = random.Random(seed)
    tremor = [dice.gauss(0, abs(push_g) / 10) for _ in range(400)]

    def load(t_s: float) -> float:
        if not 0 <= t_s < length_s:
            return REST
        return REST + push_g * math.sin(math.pi * t_s / length_s) + tremor[int(t_s * 80)]

    assert not bad_of(filtered(load), length_s + 0.5)


@pytest.mark.parametrize("seed", range(10))
def test_an_hour_of_noise_is_never_bad(seed: int) -> None:
    shelf = Shelf(quiet, noise=NOISE_COUNTS * (1 + seed), seed=seed)
    shelf.run(80 * 360)
    assert all(value > -(2**30) for at, value in shelf.counts().items() if at >= 8)


def test_a_fan_that_starts_is_noise_and_not_spikes() -> None:
    dice = random.Random(3)
    assert not bad_of(lambda t_s: REST + (dice.gauss(0, 20) if t_s >= 0 else 0), 20.0)


# What has to be called bad.


@pytest.mark.parametrize("place", range(16))
@pytest.mark.parametrize("height", [-4_000_000, -100_000, -3000, 3000, 100_000, 4_000_000])
def test_one_sample_far_from_its_neighbours_is_a_spike_wherever_it_falls_in_a_batch(place: int, height: int) -> None:
    shelf = Shelf(quiet)
    shelf.run(320, lambda at, raw: raw + height if at == 200 + place else raw)
    bad = {at: value for at, value in shelf.counts().items() if value < -(2**30) and at >= 8}
    assert list(bad) == [200 + place]
    assert bad[200 + place] in (BAD_SPIKE, BAD_SLIP)  # some of these heights are also half or double


def test_a_spike_of_an_odd_height_is_called_one() -> None:
    shelf = Shelf(quiet)
    shelf.run(320, lambda at, raw: raw + 31_000 if at == 200 else raw)
    assert shelf.counts()[200] == BAD_SPIKE


def test_a_bump_within_the_noise_is_no_spike() -> None:
    shelf = Shelf(quiet)
    shelf.run(320, lambda at, raw: raw + 200 if at == 200 else raw)
    assert shelf.counts()[200] > 0


def test_what_stays_is_a_step_and_no_spike() -> None:
    shelf = Shelf(quiet)
    shelf.run(320, lambda at, raw: raw + 31_000 if at >= 200 else raw)
    assert all(value > 0 for at, value in shelf.counts().items() if at >= 8)


@pytest.mark.parametrize("every", [4, 5, 7, 10])
def test_a_cell_with_many_spikes_is_noisy_within_a_second(every: int) -> None:
    shelf = Shelf(quiet)
    shelf.run(QUIET, None)
    assert not shelf.cells.faults(shelf.now_ms)
    shelf.run(80, lambda at, raw: raw + 50_000 if at % every == 0 else raw)
    expected = [(c.CELL_NOISY, 0)] if 80 // every - 2 > 10 else []
    assert shelf.cells.faults(shelf.now_ms) == expected


def test_ten_of_eighty_are_not_yet_noisy_and_eleven_are() -> None:
    for spikes in (10, 11):
        shelf = Shelf(quiet)
        shelf.run(QUIET)
        spoilt = range(QUIET, QUIET + 5 * spikes, 5)
        shelf.run(80, lambda at, raw, spoilt=spoilt: raw + 50_000 * (at in spoilt))  # type: ignore[misc]  # a default
        assert shelf.cells.faults(shelf.now_ms) == ([(c.CELL_NOISY, 0)] if spikes == 11 else [])
        shelf.run(80)
        assert not shelf.cells.faults(shelf.now_ms)


def lost_clock(raw: int) -> int:
    """The leading bit read twice: the converter missed a pulse."""
    return raw >> 1


def extra_clock(raw: int) -> int:
    """The leading bit never read: the converter saw a pulse too many, and gives ones at the end."""
    return (raw << 1 | 1) & 0xFFFFFF


def asleep(raw: int) -> int:
    """The clock stayed high for more than 60 us after eight bits."""
    return raw & 0xFF0000 | 0xFFFF


@pytest.mark.parametrize("zero", [-3_000_000, -300_000, 0, 300_000, 3_000_000])
@pytest.mark.parametrize("slip", [lost_clock, extra_clock, asleep])
def test_half_double_and_all_ones_among_good_samples_are_slips(slip: Callable[[int], int], zero: int) -> None:
    shelf = Shelf(quiet, zero=zero)
    shelf.run(320, lambda at, raw: slip(raw) if at == 200 else raw)
    assert shelf.counts()[200] == BAD_SLIP
    assert all(value > -(2**30) for at, value in shelf.counts().items() if at >= 8 and at != 200)


def test_taking_one_of_two_equal_bottles_is_a_step_though_it_halves_the_counts() -> None:
    shelf = Shelf(lambda _, t_s: 1000.0 if t_s < 2.5 else 500.0)
    shelf.run(400)
    assert all(value > 0 for at, value in shelf.counts().items() if at >= 8)


def test_a_converter_that_fell_asleep_and_starts_anew_gives_a_slip_then_nothing_then_settles() -> None:
    def spoil(at: int, raw: int) -> int | None:
        return asleep(raw) if at == 200 else None if 200 < at <= 204 else raw

    shelf = Shelf(quiet)
    shelf.run(320, spoil)
    counts = shelf.counts()
    assert [counts[at] for at in range(200, 205)] == [BAD_SLIP] + [BAD_NONE] * 4
    assert counts[199] > 0
    assert counts[205] > 0


def test_the_drivers_word_makes_a_slip_of_any_value() -> None:
    shelf = Shelf(quiet, 2)
    for conversion in range(320):
        raws: list[int | None] = [shelf.raw(0), shelf.raw(1)]
        shelf.cells.sampled(conversion * 12_500, raws, 2 if conversion == 200 else 0)
        shelf.batches += shelf.cells.ready()
    assert shelf.counts(1)[200] == BAD_SLIP
    assert shelf.counts(0)[200] > 0


def test_slips_alone_make_a_cell_noisy() -> None:
    shelf = Shelf(quiet)
    shelf.run(QUIET)
    for at in range(QUIET, QUIET + 80):
        shelf.cells.sampled(at * 12_500, [shelf.raw(0)], at % 2)
    assert (c.CELL_NOISY, 0) in shelf.cells.faults(shelf.now_ms + 1000)


# Ends of the range, power-up, stuck.


@pytest.mark.parametrize("raw", [0x7FFFFF, 0x800000, -0x800000])
def test_either_end_of_the_range_is_saturated(raw: int) -> None:
    shelf = Shelf(quiet)
    shelf.run(320, lambda at, value: raw if at in (200, 201) else value)
    assert [shelf.counts()[at] for at in (200, 201)] == [BAD_SATURATED] * 2
    assert shelf.counts()[202] > 0


@pytest.mark.parametrize("raw", [0x7FFFFE, -0x7FFFFF])
def test_one_count_before_the_end_is_not_saturated(raw: int) -> None:
    shelf = Shelf(quiet)
    shelf.run(400, lambda at, value: raw - at % 3 * (1 if raw > 0 else -1) if at >= 200 else value)
    assert BAD_SATURATED not in shelf.counts().values()


@pytest.mark.parametrize(("row", "raised"), [(39, 0), (56, 1)])
def test_forty_saturated_samples_in_a_row_are_a_fault_that_passes(row: int, raised: int) -> None:
    shelf = Shelf(quiet)
    shelf.run(QUIET)
    shelf.run(row, lambda at, raw: 0x7FFFFF)
    assert shelf.cells.faults(shelf.now_ms) == [(c.CELL_SATURATED, 0)] * raised
    shelf.run(16)
    assert not shelf.cells.faults(shelf.now_ms)


def test_counts_are_twos_complement_of_24_bits_with_or_without_their_sign() -> None:
    signed, unsigned = Shelf(quiet, zero=-300_000), Shelf(quiet, zero=-300_000)
    signed.run(200)
    unsigned.run(200, lambda at, raw: raw & 0xFFFFFF)
    assert signed.counts() == unsigned.counts()
    assert min(value for at, value in signed.counts().items() if at >= 8) < 0


def test_the_first_eight_conversions_are_settling() -> None:
    shelf = Shelf(quiet)
    shelf.run(40)
    assert [shelf.counts()[at] for at in range(8)] == [BAD_SETTLING] * 8
    assert shelf.counts()[8] > 0


def test_a_converter_plugged_in_again_settles_anew() -> None:
    shelf = Shelf(quiet)
    shelf.run(320, lambda at, raw: None if 200 <= at < 230 else raw)
    counts = shelf.counts()
    assert {counts[at] for at in range(200, 230)} == {BAD_NONE}
    assert {counts[at] for at in range(230, 238)} == {BAD_SETTLING}
    assert counts[238] > 0


def test_one_missing_conversion_is_no_reason_to_settle() -> None:
    shelf = Shelf(quiet)
    shelf.run(320, lambda at, raw: None if at == 200 else raw)
    assert shelf.counts()[200] == BAD_NONE
    assert shelf.counts()[201] > 0


@pytest.mark.parametrize(("row", "raised"), [(47, 0), (56, 1)])
def test_48_equal_counts_are_a_stuck_cell_until_one_differs(row: int, raised: int) -> None:
    shelf = Shelf(quiet)
    shelf.run(QUIET + 3)
    shelf.run(row, lambda at, raw: 107_000)
    assert shelf.cells.faults(shelf.now_ms) == [(c.CELL_STUCK, 0)] * raised
    shelf.run(8)
    assert not shelf.cells.faults(shelf.now_ms)


def test_a_quiet_cell_with_one_count_of_noise_is_not_stuck() -> None:
    shelf = Shelf(quiet, noise=0.0)
    shelf.run(800, lambda at, raw: raw + at // 60 % 2)
    assert not shelf.cells.faults(shelf.now_ms)


def test_the_smallest_spike_that_shows_is_some_ten_grams_of_the_reference_cell() -> None:
    found = 0
    for seed in range(50):
        shelf = Shelf(quiet, seed=seed)
        shelf.run(320, lambda at, raw: raw + int(15 * COUNTS_PER_G) if at == 200 else raw)
        found += shelf.counts()[200] == BAD_SPIKE
    assert found >= 45
