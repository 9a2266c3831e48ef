"""The last seconds of each zone: steady, settled after the door, silent, dead."""

import random

import pytest

from cabinet.basket.evidence import Zone
from cabinet.scales import KEPT_S, MAX_REASONS, REMEDIES, STEADY_S, Scale, Scales
from cabinet.units import ZoneId

HZ = 80.0
ZONE = ZoneId("s1")


def fed(levels_g: list[float], seed: int = 1, noise_g: float = 1.0) -> Scale:
    """A scale that was given 0.1 s at each level, one after the other, from 0 s on."""
    dice = random.Random(seed)
    scale = Scale(Zone())
    for n, level_g in enumerate(levels_g):
        scale.add(n * 0.1, HZ, [dice.gauss(level_g, noise_g) for _ in range(8)])
    return scale


def test_a_quiet_zone_is_steady_at_its_level() -> None:
    assert fed([500.0] * 20).steady() == pytest.approx(500.0, abs=1.0)


def test_a_zone_that_just_changed_is_not_steady() -> None:
    assert fed([500.0] * 18 + [300.0] * 2).steady() is None


def test_a_slow_pull_is_not_steady() -> None:
    assert fed([500.0 - 4.0 * n for n in range(20)]).steady() is None


def test_steady_before_the_door_shut_does_not_count() -> None:
    scale = fed([500.0] * 20)
    assert scale.steady(after_s=scale.last_s - STEADY_S + 0.01) is None


def test_old_samples_are_forgotten() -> None:
    scale = fed([500.0] * 100)
    assert scale.chunks[0][0] >= scale.chunks[-1][0] - KEPT_S


def test_a_silent_zone_is_in_trouble() -> None:
    scale = fed([500.0] * 20)
    scale.steady_g = 500.0
    assert scale.trouble(scale.last_s + 0.5) is None
    assert "no samples" in str(scale.trouble(scale.last_s + 1.5))


def test_a_zone_of_bad_samples_is_in_trouble() -> None:
    scale = Scale(Zone(), steady_g=500.0)
    for n in range(20):
        scale.add(n * 0.1, HZ, [None] * 8)
    assert "only bad samples" in str(scale.trouble(scale.last_s))


@pytest.mark.parametrize("reason", list(REMEDIES))
def test_a_zone_of_bad_samples_says_which_and_what_to_do(reason: str) -> None:
    scale = Scale(Zone(), steady_g=500.0)
    for n in range(20):
        scale.add(n * 0.1, HZ, [None] * 8)
        scale.note_bad(n * 0.1, [reason] * 8)
    assert scale.trouble(scale.last_s) == f"only bad samples ({reason}): {REMEDIES[reason]}"


@pytest.mark.parametrize(("hz", "why"), [(40.0, "delivers 40 samples a second of 80"), (72.0, ""), (88.0, "")])
def test_a_converter_that_is_far_too_slow_is_in_trouble(hz: float, why: str) -> None:
    scale = Scale(Zone(), steady_g=500.0)
    for n in range(50):
        scale.add(n * 8 / hz, hz, [500.0] * 8)
    assert (scale.trouble(scale.last_s) or "").startswith(why)
    assert bool(scale.trouble(scale.last_s)) == bool(why)


def test_a_zone_that_skips_samples_without_a_word_is_in_trouble() -> None:
    scale = Scale(Zone(), steady_g=500.0)
    for n in range(40):
        scale.add(n * 0.1, HZ, [500.0] * 4)
    assert "delivers 40 samples a second of 80" in str(scale.trouble(scale.last_s))


def test_a_zone_that_is_back_after_a_pause_is_in_order_at_once() -> None:
    scale = fed([500.0] * 20)
    scale.steady_g = 500.0
    for n in range(12):
        scale.add(3.5 + n * 0.1, HZ, [500.0] * 8)
    assert scale.trouble(scale.last_s) is None


def test_the_figures_are_of_the_last_second_alone() -> None:
    scale = fed([900.0] * 20 + [500.0] * 11)
    figures = scale.figures()
    assert figures.g == pytest.approx(500.0, abs=1.0)
    assert figures.noise_g == pytest.approx(1.0, abs=0.3)
    assert (figures.hz, figures.count, figures.bad, figures.bad_share) == (HZ, 80, {}, 0.0)


def test_bad_samples_are_counted_by_their_reason_and_as_unknown_without_one() -> None:
    scale = Scale(Zone())
    for n in range(10):
        scale.add(n * 0.1, HZ, [None, None] + [500.0] * 6)
    scale.note_bad(0.9, ["spike"])
    figures = scale.figures()
    assert (figures.bad, figures.bad_share) == ({"spike": 1, "unknown": 19}, 0.25)


def test_of_a_silent_zone_there_are_no_figures() -> None:
    figures = Scale(Zone()).figures()
    assert (figures.g, figures.noise_g, figures.hz, figures.count, figures.bad_share) == (None, None, None, 0, None)


def test_reasons_are_kept_within_bounds() -> None:
    scale = Scale(Zone())
    for n in range(1000):
        scale.note_bad(n * 0.1, ["spike"] * 8)
    assert len(scale.reasons) == MAX_REASONS


def test_a_zone_whose_zero_changed_has_to_come_to_rest_anew() -> None:
    scale = fed([500.0] * 20)
    scale.steady_g = 500.0
    scale.forget()
    assert (scale.steady(), scale.last_s) == (None, float("-inf"))
    scale.add(5.0, HZ, [0.0] * 8)
    assert "has not been steady" in str(scale.trouble(5.1))


def test_the_baseline_is_the_last_steady_level() -> None:
    scales = Scales({ZONE: Zone()})
    scales.zones[ZONE] = fed([500.0] * 20)
    scales.learn_baseline()
    for n in range(3):  # somebody leans on it
        scales.add(ZONE, 2.0 + n * 0.1, HZ, [900.0 + 50 * n] * 8)
        scales.learn_baseline()
    assert scales.baseline_g()[ZONE] == pytest.approx(500.0, abs=1.0)
