"""The pace of the converters, found from conversions that are seen late by a busy loop."""

import random
from collections.abc import Callable

import pytest

from firmware_bridge.firmware.beat import Beat

Lateness = Callable[[random.Random], float]


def punctual(_: random.Random) -> float:
    return 0.0


def up_to_5_ms(dice: random.Random) -> float:
    return dice.uniform(0, 5000)


def mostly_prompt(dice: random.Random) -> float:
    return dice.choice((20, 40, 60, 80, 100, 150, 300, 8000))


LATENESS = [punctual, up_to_5_ms, mostly_prompt]
ERRORS = [-0.10, -0.05, -0.02, 0.0, 0.0001, 0.02, 0.05, 0.10]


class Oscillator:
    """Conversions at `spacing_us`, seen late."""

    def __init__(self, error: float, lateness: Lateness, start_us: float = 50_000) -> None:
        self.spacing_us = 12_500 / (1 + error)
        self.lateness, self.start_us = lateness, start_us
        self.dice = random.Random(5)
        self.beat = Beat(80)
        self.conversion = -1
        self.index = -1

    def true_us(self) -> float:
        return self.start_us + self.conversion * self.spacing_us

    def next(self, missed: int = 0) -> None:
        self.conversion += 1 + missed
        seen_us = int(self.true_us() + self.lateness(self.dice))
        slots = max(self.beat.slots(seen_us), 1)
        self.beat.move(seen_us, slots, heard=True)
        self.index += slots


@pytest.mark.parametrize("lateness", LATENESS)
@pytest.mark.parametrize("error", ERRORS)
def test_no_conversion_is_counted_twice_or_not_at_all(error: float, lateness: Lateness) -> None:
    clock = Oscillator(error, lateness)
    for _ in range(10_000):
        clock.next()
        assert clock.index == clock.conversion


@pytest.mark.parametrize("lateness", LATENESS)
@pytest.mark.parametrize("error", ERRORS)
def test_the_spacing_is_measured_to_a_thousandth(error: float, lateness: Lateness) -> None:
    clock = Oscillator(error, lateness)
    for _ in range(800):
        clock.next()
    for _ in range(5000):
        clock.next()
        assert abs(clock.beat.spacing_us() / clock.spacing_us - 1) < 0.0015


@pytest.mark.parametrize("lateness", LATENESS)
@pytest.mark.parametrize("error", ERRORS)
def test_times_are_smooth_and_true_to_two_milliseconds_however_late_the_loop_is(
    error: float, lateness: Lateness
) -> None:
    clock = Oscillator(error, lateness)
    for _ in range(800):
        clock.next()
    before_us = clock.beat.time_us(0)
    for _ in range(5000):
        clock.next()
        now_us = clock.beat.time_us(0)
        assert abs(now_us - clock.true_us()) < 2000
        assert abs(now_us - before_us - clock.spacing_us) < 900
        before_us = now_us


@pytest.mark.parametrize("lateness", [punctual, up_to_5_ms])
@pytest.mark.parametrize("error", ERRORS)
def test_missed_conversions_are_counted_exactly(error: float, lateness: Lateness) -> None:
    clock = Oscillator(error, lateness)
    for _ in range(400):
        clock.next()
    for missed in (1, 1, 2, 3, 7, 20, 60):
        clock.next(missed)
        assert clock.index == clock.conversion
        for _ in range(200):
            clock.next()
            assert clock.index == clock.conversion


@pytest.mark.parametrize("missed", [80, 800, 8000])
def test_after_a_long_pause_the_count_is_true_within_a_hundredth_and_the_phase_taken_anew(missed: int) -> None:
    clock = Oscillator(0.03, up_to_5_ms)
    for _ in range(1000):
        clock.next()
    clock.next(missed)
    assert abs(clock.index - clock.conversion) <= max(1, missed // 100)
    off = clock.index - clock.conversion
    for _ in range(300):
        clock.next()
        assert clock.index - clock.conversion == off
    assert abs(clock.beat.time_us(0) - clock.true_us()) < 1500


def test_an_oscillator_that_drifts_with_the_cold_is_followed() -> None:
    clock = Oscillator(0.0, up_to_5_ms)
    for _ in range(2000):
        clock.next()
    for n in range(40_000):  # 1 percent slower in eight minutes
        wanted = 12_500 * (1 + 0.01 * n / 40_000)
        clock.start_us += clock.conversion * (clock.spacing_us - wanted)  # keeps the phase
        clock.spacing_us = wanted
        clock.next()
        assert clock.index == clock.conversion
        assert abs(clock.beat.time_us(0) - clock.true_us()) < 2500


def test_a_second_of_a_busy_loop_does_not_move_the_times_by_more_than_two_milliseconds() -> None:
    clock = Oscillator(0.01, punctual)
    for _ in range(1000):
        clock.next()
    clock.lateness = lambda dice: dice.uniform(4000, 6000)
    for _ in range(100):
        clock.next()
        assert abs(clock.beat.time_us(0) - clock.true_us()) < 2000
    clock.lateness = punctual
    clock.next()
    assert abs(clock.beat.time_us(0) - clock.true_us()) < 600


def test_times_without_an_answering_converter_do_not_move_the_phase() -> None:
    clock = Oscillator(0.0, punctual)
    for _ in range(500):
        clock.next()
    expected_us = clock.beat.time_us(0)
    for n in range(1, 100):
        clock.beat.move(expected_us + n * 12_500 + 5000, 1, heard=False)
    assert abs(clock.beat.time_us(0) - expected_us - 99 * 12_500) < 300


def test_a_line_far_along_in_time_is_as_exact() -> None:
    clock = Oscillator(0.02, up_to_5_ms, start_us=40 * 86_400 * 10**6)
    for _ in range(2000):
        clock.next()
    assert abs(clock.beat.time_us(0) - clock.true_us()) < 1500


def test_the_earlier_conversions_lie_before_the_newest() -> None:
    clock = Oscillator(0.0, punctual)
    for _ in range(500):
        clock.next()
    assert abs(clock.beat.time_us(0) - clock.beat.time_us(8) - 100_000) < 100


def test_a_spacing_too_wide_for_its_field_is_held_at_its_end() -> None:
    beat = Beat(16)
    for n in range(200):
        t_us = n * 69_000
        beat.move(t_us, max(beat.slots(t_us), 1), heard=True)
    assert beat.spacing_us() == 65_535


def test_a_converter_at_half_the_nominal_rate_is_one_that_misses_every_other_conversion() -> None:
    clock = Oscillator(-0.5, punctual)
    for _ in range(2000):
        clock.next()
    assert abs(clock.index - 2 * clock.conversion) <= 1
    assert abs(clock.beat.spacing_us() - 12_500) < 20


def test_a_stretch_of_which_only_a_part_was_heard_turns_nothing() -> None:
    for silent in ((0, 40), (30, 64), (10, 70)):
        clock = Oscillator(0.03, punctual)
        for _ in range(160 + 64):
            clock.next()
        spacing_us = clock.beat.spacing_us()
        for n in range(200):
            clock.conversion += 1
            seen_us = int(clock.true_us())
            clock.beat.move(seen_us, 1, heard=not silent[0] <= n < silent[1])
            assert abs(clock.beat.spacing_us() - spacing_us) <= 1
            assert abs(clock.beat.time_us(0) - clock.true_us()) < 200


def test_times_may_be_counted_from_a_later_moment() -> None:
    clock = Oscillator(0.01, punctual)
    for _ in range(300):
        clock.next()
    before_us = clock.beat.time_us(5)
    clock.beat.rebase(1_000_000)
    assert clock.beat.time_us(5) == before_us - 1_000_000
    clock.start_us -= 1_000_000
    for _ in range(300):
        clock.next()
        assert clock.index == clock.conversion
        assert abs(clock.beat.time_us(0) - clock.true_us()) < 200
