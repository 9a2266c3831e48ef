"""Light, lens and misfortunes: each changes what it says, and nothing while it is off."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.sim.pictures import cabinet
from cabinet.sim.sight.conditions import CLEAN, USUAL, Conditions, apply

SCENE = cabinet([["5000000000011", "5000000000028", None, "5000000000035"], ["5000000000042"] * 4])


def seen(conditions: Conditions, seed: int = 1) -> NDArray[np.uint8]:
    picture = apply(SCENE, conditions, seed)
    assert picture is not None
    return picture


def detail(picture: NDArray[np.uint8]) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_64F).std())


def test_with_everything_off_the_picture_is_as_it_was_and_a_copy() -> None:
    shown = seen(CLEAN)
    assert np.array_equal(shown, SCENE)
    assert not np.shares_memory(shown, SCENE)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_noise() -> None:
    assert np.array_equal(seen(USUAL, 5), seen(USUAL, 5))
    assert not np.array_equal(seen(USUAL, 5), seen(USUAL, 6))


def test_the_given_picture_is_left_alone() -> None:
    before = SCENE.copy()
    for conditions in (USUAL, Conditions(glare=1.0), Conditions(covered=0.5), Conditions(moved=(5, 5, 2))):
        seen(conditions)
    assert np.array_equal(SCENE, before)


def test_a_stop_less_is_darker_and_a_stop_more_is_lighter() -> None:
    assert seen(Conditions(exposure=-1)).mean() < 0.8 * SCENE.mean() < seen(Conditions(exposure=1)).mean()


def test_warmer_light_has_more_red_and_less_blue() -> None:
    warmer = seen(Conditions(white_balance=30)).astype(float).mean(axis=(0, 1)) - SCENE.astype(float).mean(axis=(0, 1))
    assert warmer[0] < -2
    assert abs(warmer[1]) < 0.01
    assert warmer[2] > 2


def test_glare_burns_a_spot_out_and_leaves_the_far_corner() -> None:
    shown = seen(Conditions(glare=1.0, glare_at=(0.75, 0.25)))
    assert shown[120, 480].min() >= 240
    assert np.array_equal(shown[400:, :100], SCENE[400:, :100])


def test_thicker_fog_leaves_less_contrast_and_lighter_shadows() -> None:
    clear, thin, thick = (seen(Conditions(fog=fog)) for fog in (0.0, 0.4, 0.9))
    assert clear.std() > thin.std() > thick.std()
    assert np.quantile(clear, 0.02) < np.quantile(thin, 0.02) < np.quantile(thick, 0.02)


def test_noise_has_the_deviation_that_it_says() -> None:
    grey = np.full((360, 640, 3), 128, np.uint8)
    noisy = apply(grey, Conditions(noise=6.0), 3)
    assert noisy is not None
    assert float(noisy.astype(float).std()) == pytest.approx(6.0, rel=0.03)


def test_a_blurred_lens_takes_detail() -> None:
    assert detail(seen(Conditions(blur=2.0))) < 0.5 * detail(SCENE)


def test_a_worse_jpeg_is_further_from_the_scene() -> None:
    errors = [np.abs(seen(Conditions(jpeg=q)).astype(int) - SCENE.astype(int)).mean() for q in (95, 60, 15)]
    assert errors == sorted(errors)
    assert errors[0] > 0


def test_a_quality_that_jpeg_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="101"):
        seen(Conditions(jpeg=101))


def test_a_covered_lens_is_dark_and_flat_and_a_half_covered_one_half() -> None:
    whole, half = seen(Conditions(covered=1.0)), seen(Conditions(covered=0.5))
    assert whole.mean() < 70
    assert whole.std(axis=(0, 1)).max() < 1
    assert np.array_equal(half[:, 420:], SCENE[:, 420:])
    assert half[:, :200].std(axis=(0, 1)).max() < 1


def test_without_the_lamp_little_is_left() -> None:
    assert seen(Conditions(dark=1.0)).mean() < 6


def test_a_moved_camera_shifts_the_picture_by_what_it_says() -> None:
    shifted = seen(Conditions(moved=(12.0, -7.0, 0.0)))
    assert np.array_equal(shifted[20:-20, 20:-20], SCENE[27:-13, 8:-32])


def test_a_turned_camera_keeps_the_middle_and_moves_the_rim() -> None:
    apart = np.abs(seen(Conditions(moved=(0, 0, 3.0))).astype(int) - SCENE.astype(int)).mean(axis=2)
    assert apart[230:250, 310:330].mean() < apart[:, :60].mean()


def test_a_frozen_sensor_gives_one_noise_again_and_again() -> None:
    frozen = replace(USUAL, frozen=True)
    assert np.array_equal(seen(frozen, 1), seen(frozen, 2))


def test_a_dropped_frame_is_none() -> None:
    assert apply(SCENE, Conditions(dropped=True), 1) is None
