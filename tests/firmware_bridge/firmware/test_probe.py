"""The thermometer against the formula its maker gives, and what it says when the wire or the chip lies."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.probe import FROZEN, NO_TEMPERATURE, OPEN, SHORT, Probe

CODES = st.integers(0, 65_520)


def code_at(celsius: float) -> int:
    """The converter's code by the beta formula: 10 k at 25 °C, B 3950, under 10 k."""
    ohms = 10_000 * math.exp(3950 * (1 / (celsius + 273.15) - 1 / 298.15))
    return round(65_520 * ohms / (ohms + 10_000))


def test_it_is_within_a_tenth_of_a_kelvin_from_minus_25_to_plus_60() -> None:
    probe = Probe()
    worst = max(abs(probe.read(code_at(n / 50), n) - 2 * n) for n in range(-1250, 3001))
    assert worst < 10


def test_it_is_within_half_a_kelvin_over_all_it_claims() -> None:
    probe = Probe()
    worst = max(abs(probe.read(code_at(n / 10), n) - 10 * n) for n in range(-399, 849))
    assert worst < 50


@given(CODES, CODES)
def test_a_higher_code_is_never_warmer(one: int, other: int) -> None:
    cold, warm = Probe().read(max(one, other), 0), Probe().read(min(one, other), 0)
    if cold > NO_TEMPERATURE + 3 and warm > NO_TEMPERATURE + 3:
        assert cold <= warm


@given(CODES)
def test_every_code_is_a_temperature_of_the_table_or_a_reason(code: int) -> None:
    read = Probe().read(code, 0)
    assert read in (NO_TEMPERATURE + OPEN, NO_TEMPERATURE + SHORT) or -4000 <= read <= 8500


@pytest.mark.parametrize("code", [65_520, 65_000, 64_100])
def test_an_open_wire_is_beyond_the_cold_end(code: int) -> None:
    probe = Probe()
    assert probe.read(code, 0) == NO_TEMPERATURE + OPEN
    assert probe.fault() == c.PROBE_OPEN


@pytest.mark.parametrize("code", [0, 500, 6300])
def test_a_short_is_beyond_the_warm_end(code: int) -> None:
    probe = Probe()
    assert probe.read(code, 0) == NO_TEMPERATURE + SHORT
    assert probe.fault() == c.PROBE_SHORT


def test_a_reading_that_does_not_change_for_a_minute_is_frozen() -> None:
    probe = Probe()
    code = code_at(4.0)
    assert all(probe.read(code, 1000 * second) > NO_TEMPERATURE + 3 for second in range(60))
    assert probe.fault() == -1
    assert probe.read(code, 60_000) == NO_TEMPERATURE + FROZEN
    assert probe.fault() == c.PROBE_FROZEN


def test_one_count_of_noise_in_a_minute_is_life() -> None:
    probe = Probe()
    for second in range(600):
        assert probe.read(code_at(4.0) + (second // 59) % 2, 1000 * second) > NO_TEMPERATURE + 3
    assert probe.fault() == -1


def test_a_frozen_probe_thaws_with_the_first_change() -> None:
    probe = Probe()
    probe.read(30_000, 0)
    assert probe.read(30_000, 90_000) == NO_TEMPERATURE + FROZEN
    assert probe.read(30_001, 91_000) > NO_TEMPERATURE + 3
    assert probe.fault() == -1


def test_a_wire_that_is_mended_reads_again() -> None:
    probe = Probe()
    probe.read(65_520, 0)
    probe.read(code_at(4.0), 1000)
    assert probe.fault() == -1


def test_before_the_first_reading_there_is_no_fault() -> None:
    assert Probe().fault() == -1


def test_reasons_are_the_page_numbers() -> None:
    probe = Probe()
    assert (probe.read(65_520, 0), probe.read(0, 0)) == (-32_767, -32_766)
    probe.read(30_000, 0)
    assert probe.read(30_000, 60_000) == -32_765


def test_the_ends_of_the_table_are_temperatures() -> None:
    probe = Probe()
    assert (probe.read(63_929, 0), probe.read(6422, 0)) == (-4000, 8500)
    assert (probe.read(63_930, 0), probe.read(6421, 0)) == (NO_TEMPERATURE + OPEN, NO_TEMPERATURE + SHORT)
