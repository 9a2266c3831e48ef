"""The last seconds of each zone: steady, settled after the door, silent, dead."""

import random

import pytest

from cabinet.basket.evidence import Zone
from cabinet.scales import KEPT_S, STEADY_S, Scale, Scales
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


def test_the_baseline_is_the_last_steady_level() -> None:
    scales = Scales({ZONE: Zone()})
    scales.zones[ZONE] = fed([500.0] * 20)
    scales.learn_baseline()
    for n in range(3):  # somebody leans on it
        scales.add(ZONE, 2.0 + n * 0.1, HZ, [900.0 + 50 * n] * 8)
        scales.learn_baseline()
    assert scales.baseline_g()[ZONE] == pytest.approx(500.0, abs=1.0)
