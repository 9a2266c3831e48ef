"""What lies there, over half a second; why that cannot be said; and when it has come to rest."""

import pytest

from firmware_bridge.firmware import codes as c
from tests.firmware_bridge.firmware.chips import SPACING_US, Shelf, calibrated, steady

BAD_NONE = c.BAD_SAMPLE + c.BAD_NONE
UNCALIBRATED = c.BAD_SAMPLE + c.BAD_UNCALIBRATED


def test_means_are_those_of_the_last_half_second() -> None:
    memory = calibrated(3)
    shelf = Shelf(lambda zone, t_s: 500.0 * (zone + 1) if t_s > 3.0 else 0.0, 3, memory=memory)
    shelf.run(242)
    assert all(abs(mean) < 1000 for mean in shelf.cells.means_dg(shelf.now_ms, 500))
    shelf.run(42)
    for zone, mean in enumerate(shelf.cells.means_dg(shelf.now_ms, 500)):
        assert abs(mean - 5000 * (zone + 1)) <= 3


def test_means_leave_out_spikes() -> None:
    shelf = Shelf(steady, 1, memory=calibrated(1))
    shelf.run(400, lambda at, raw: raw + 2_000_000 if at % 10 == 0 else raw)
    assert abs(shelf.cells.means_dg(shelf.now_ms, 500)[0] - 10_000) <= 3


def test_means_that_cannot_be_say_why() -> None:
    memory = calibrated(4)
    memory.spans[3] = 0
    shelf = Shelf(steady, 4, memory=memory)
    for n in range(160):
        raws: list[int | None] = [shelf.raw(0), None if n >= 100 else shelf.raw(1), 0x7FFFFF, shelf.raw(3)]
        shelf.cells.sampled(n * SPACING_US, raws, 0)
    means = shelf.cells.means_dg(160 * SPACING_US // 1000, 500)
    assert abs(means[0] - 10_000) < 20
    assert means[1:] == [BAD_NONE, c.BAD_SAMPLE + c.BAD_SATURATED, UNCALIBRATED]
    assert shelf.cells.means_dg(10_000, 500) == [BAD_NONE] * 4


def test_just_after_power_up_a_mean_is_settling() -> None:
    shelf = Shelf(steady, 1, memory=calibrated(1))
    shelf.run(12)
    assert shelf.cells.means_dg(shelf.now_ms, 500) == [c.BAD_SAMPLE + c.BAD_SETTLING]


def test_asking_for_means_disturbs_no_batch() -> None:
    asked, left = Shelf(steady, 2), Shelf(steady, 2)
    for _ in range(600):
        asked.run(1)
        asked.cells.means_dg(asked.now_ms, 500)
        asked.cells.settled()
    left.run(600)
    assert asked.batches == left.batches


def test_cells_settle_half_a_second_after_the_last_step_and_not_before() -> None:
    shelf = Shelf(lambda zone, t_s: 1000.0 if zone == 0 or t_s < 5 else 700.0, 2)
    shelf.run(380)
    assert shelf.cells.settled()
    shelf.run(40)
    assert not shelf.cells.settled()
    while not shelf.cells.settled():
        shelf.run(1)
    assert 5.5 <= shelf.now_ms / 1000 <= 5.8


def test_a_slow_swing_is_not_settled() -> None:
    shelf = Shelf(lambda _, t_s: 1000.0 + (40.0 * (t_s % 2) if t_s > 4 else 0))
    shelf.run(360)
    for _ in range(200):
        shelf.run(1)
        assert not shelf.cells.settled()


def test_a_dead_zone_does_not_keep_the_others_from_settling() -> None:
    shelf = Shelf(steady, 2)
    for n in range(300):
        shelf.cells.sampled(n * SPACING_US, [shelf.raw(0), None if n > 100 else shelf.raw(1)], 0)
    assert shelf.cells.settled()


@pytest.mark.parametrize("seed", range(5))
def test_once_settled_noise_alone_does_not_unsettle(seed: int) -> None:
    shelf = Shelf(steady, seed=seed)
    shelf.run(160)
    for _ in range(8000):
        shelf.run(1)
        assert shelf.cells.settled()
