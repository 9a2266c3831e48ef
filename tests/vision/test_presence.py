"""Somebody before the cabinet, or nobody."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cabinet.vision.presence import FORGET_S, Presence

Pixels = NDArray[np.uint8]
STEP_S = 0.5  # a camera at its idle rate


def room(seed: int = 0, light: float = 1.0, noise: float = 6.0) -> Pixels:
    """A wall with a door and a plant, as a noisy sensor sees it."""
    picture = np.full((480, 640, 3), 120.0, np.float32)
    picture[100:480, 60:220] = (60, 80, 100)
    picture[250:480, 480:560] = (50, 120, 60)
    picture = picture * light + np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def person(seed: int = 0, x: int = 330) -> Pixels:
    picture = room(seed)
    cv2.ellipse(picture, (x, 200), (70, 95), 0, 0, 360, (150, 170, 215), -1)
    cv2.rectangle(picture, (x - 130, 300), (x + 130, 480), (140, 60, 30), -1)
    return picture


def quiet(presence: Presence, seconds: float = 20.0, start_s: float = 0.0) -> float:
    for step in range(round(seconds / STEP_S)):
        presence.update(room(step), start_s + step * STEP_S)
    return start_s + seconds


def test_somebody_who_steps_up_is_noticed_with_the_second_frame() -> None:
    presence = Presence()
    now_s = quiet(presence)
    assert [presence.update(person(n), now_s + n * STEP_S) for n in range(3)] == [False, True, True]


def test_a_picture_that_suddenly_and_steadily_shows_a_person_counts() -> None:
    presence, still = Presence(), person()
    now_s = quiet(presence, 2.0)
    assert [presence.update(still, now_s + n * 0.1) for n in range(20)][-1]


def test_sensor_noise_is_nobody() -> None:
    presence = Presence()
    assert not any(presence.update(room(n, noise=18.0), n * STEP_S) for n in range(80))


def test_slowly_changing_light_is_nobody() -> None:
    presence = Presence()
    assert not any(presence.update(room(n, light=1.0 - n / 400), n * STEP_S) for n in range(200))


def test_a_lamp_switched_on_is_nobody() -> None:
    presence = Presence()
    now_s = quiet(presence)
    assert not any(presence.update(room(n, light=1.5), now_s + n * STEP_S) for n in range(20))


def test_a_fly_before_the_lens_is_nobody() -> None:
    presence = Presence()
    now_s = quiet(presence)
    assert not any(presence.update(person(n) if n == 3 else room(n), now_s + n * STEP_S) for n in range(12))


def test_whoever_leaves_is_gone_after_four_frames() -> None:
    presence = Presence()
    now_s = quiet(presence)
    for n in range(10):
        presence.update(person(n), now_s + n * STEP_S)
    now_s += 5
    assert [presence.update(room(n), now_s + n * STEP_S) for n in range(5)] == [True, True, True, False, False]


def test_somebody_who_stands_for_a_minute_stays_present() -> None:
    presence = Presence()
    now_s = quiet(presence)
    seen = [presence.update(person(n, x=330 + n % 7), now_s + n * STEP_S) for n in range(120)]
    assert all(seen[1:])


def test_what_was_put_there_becomes_furniture() -> None:
    presence, parcel = Presence(), person()
    now_s = quiet(presence)
    seen = [presence.update(parcel, now_s + n * STEP_S) for n in range(round(FORGET_S / STEP_S) + 20)]
    assert not seen[-1]


def test_one_short_visitor_after_the_other_never_becomes_the_background() -> None:
    presence = Presence()
    now_s = quiet(presence)
    seen = [presence.update((person if n % 8 < 3 else room)(n), now_s + n * 0.25) for n in range(400)]
    assert not any(seen[7::8])  # each has left when the next one comes


def test_who_stood_there_at_the_beginning_is_not_taken_for_the_place_for_long() -> None:
    presence = Presence()
    for n in range(20):  # five seconds of somebody, from the first frame on
        presence.update(person(n), n / 4)
    for n in range(20, 20 + 60):  # they leave; after a quarter of a minute the empty room is the background
        presence.update(room(n), n / 4)
    assert not presence.present
    presence.update(person(90), 22.5)
    assert presence.update(person(91), 22.75)
