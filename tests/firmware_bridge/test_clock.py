"""How well the board's milliseconds become the host's seconds: simulated crystals, queues and laps."""

import functools
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from firmware_bridge.clock import IMPOSSIBLE_S, LAP_MS, MEASURED_S, SETTLED_S, BoardClock

STARTED_S = 100_000.0  # the host's clock when the board's shows 0: neither may be taken for the other
QUICKEST_S = 0.003  # the journey that waits nowhere
RATE_HZ = 20.0

Delay = Callable[[float, random.Random], float]  # true time since the board's start, dice -> s on top of the quickest


def steady(_at_s: float, dice: random.Random) -> float:
    return dice.expovariate(1 / 0.002)


def bursts(at_s: float, dice: random.Random) -> float:
    """Every 40 s a queue of 15 s that makes everything up to 0.4 s late."""
    queue_s = 0.1 + 0.3 * (at_s // 40 % 2) if at_s % 40 > 25 else 0.0
    return queue_s + steady(at_s, dice)


def one_long_queue(at_s: float, dice: random.Random) -> float:
    """After three good minutes two bad ones."""
    return (0.25 if at_s % 300 > 180 else 0.0) + steady(at_s, dice)


def growing(at_s: float, dice: random.Random) -> float:
    """A queue that fills by a hundredth a second for half a minute, every two minutes."""
    return max(0.0, at_s % 120 - 90) / 100 + steady(at_s, dice)


@dataclass(frozen=True)
class Told:
    at_s: float  # true, since the board's start
    error_s: float  # of host_s
    clock: BoardClock


@functools.cache
def live(ppm: float, delay: Delay, for_s: float = 600.0, start_ms: int = 0) -> tuple[Told, ...]:
    """A board whose crystal is `ppm` fast tells its time RATE_HZ times a second."""
    dice, clock = random.Random(1), BoardClock()
    told: list[Told] = []
    arrived_s = 0.0
    for n in range(int(for_s * RATE_HZ)):
        at_s = (n + dice.random()) / RATE_HZ
        t_ms = int(start_ms + 1000 * at_s * (1 + ppm * 1e-6)) % LAP_MS
        arrived_s = max(arrived_s, STARTED_S + at_s + QUICKEST_S + delay(at_s, dice))
        clock.observe(t_ms, arrived_s)
        told.append(Told(at_s, clock.host_s(t_ms) - STARTED_S - at_s, clock))
    return tuple(told)


CRYSTALS = pytest.mark.parametrize("ppm", [-200, -37, 0, 50, 200])
QUEUES = pytest.mark.parametrize("delay", [steady, bursts, one_long_queue, growing])


@CRYSTALS
@QUEUES
def test_once_settled_it_is_never_a_millisecond_early_nor_later_than_the_quickest_journey_and_two(
    ppm: float, delay: Delay
) -> None:
    errors_s = [told.error_s for told in live(ppm, delay) if told.at_s > SETTLED_S + 5]
    assert min(errors_s) > -0.001
    assert max(errors_s) < QUICKEST_S + 0.002


@CRYSTALS
def test_before_that_it_is_off_by_at_most_four_milliseconds_more(ppm: float) -> None:
    errors_s = [told.error_s for told in live(ppm, steady, 30.0) if told.at_s > 1.0]
    assert min(errors_s) > -0.001 - 0.004
    assert max(errors_s) < QUICKEST_S + 0.002 + 0.004


@CRYSTALS
@QUEUES
def test_the_drift_is_measured_to_within_ten_parts_in_a_million(ppm: float, delay: Delay) -> None:
    measured = live(ppm, delay)[-1].clock.drift_ppm
    assert measured == pytest.approx(ppm, abs=10)


def test_no_drift_is_told_before_it_can_be_known() -> None:
    early = live(100, steady, MEASURED_S - 5)[-1].clock
    assert early.drift_ppm is None
    late = live(100, steady, MEASURED_S + 5)[-1].clock
    assert late.drift_ppm == pytest.approx(100, abs=20)


@CRYSTALS
@QUEUES
def test_the_lap_of_the_boards_counter_changes_nothing(ppm: float, delay: Delay) -> None:
    lapped = live(ppm, delay, 600.0, LAP_MS - 200_000)
    plain = live(ppm, delay)
    assert all(abs(a.error_s - b.error_s) < 0.0011 for a, b in zip(lapped, plain, strict=True))  # the rounding differs


@CRYSTALS
@QUEUES
def test_corrections_are_let_in_smoothly(ppm: float, delay: Delay) -> None:
    settled = [told for told in live(ppm, delay) if told.at_s > SETTLED_S - 5]
    for one, two in itertools.pairwise(settled):
        rounding_s = 0.001
        assert abs(two.error_s - one.error_s) < rounding_s + 0.011 * (two.at_s - one.at_s) + 0.0002


def test_the_jitter_is_what_a_journey_takes_longer_than_the_quickest() -> None:
    assert live(0, steady)[-1].clock.jitter_s == pytest.approx(0.0025, abs=0.001)  # 2 ms of queue, half of rounding


def test_the_offset_is_the_hosts_time_less_the_boards() -> None:
    clock = live(0, steady, 60.0)[-1].clock
    assert clock.offset_s == pytest.approx(STARTED_S + QUICKEST_S, abs=0.002)


@pytest.mark.parametrize("t_ms", [90_000, 2_000_000_000, 3_000_000_000])  # ahead, far ahead, and behind
def test_one_absurd_time_moves_nothing(t_ms: int) -> None:
    clock = live.__wrapped__(0, steady, 60.0)[-1].clock
    before_s = clock.host_s(60_000)
    clock.observe(t_ms, STARTED_S + 60.1)
    assert clock.host_s(60_000) == pytest.approx(before_s, abs=0.001)


def test_a_clock_born_in_a_long_queue_believes_the_times_that_come_after_it() -> None:
    clock = BoardClock()
    late_s = 4 * IMPOSSIBLE_S
    clock.observe(1000, STARTED_S + 1 + late_s)
    for n in range(10):
        clock.observe(3000 + 100 * n, STARTED_S + 3 + 0.1 * n + 0.001)
    assert clock.host_s(4000) == pytest.approx(STARTED_S + 4, abs=0.002)


def test_a_clock_that_heard_nothing_for_weeks_still_knows_the_lap() -> None:
    clock = live.__wrapped__(10, steady, 120.0)[-1].clock
    away_s = 40 * 86_400.0  # more than half a lap
    t_ms = int(1000 * (120 + away_s) * (1 + 10e-6)) % LAP_MS
    clock.observe(t_ms, STARTED_S + 120 + away_s + QUICKEST_S)
    for n in range(1, 100):
        clock.observe((t_ms + 100 * n) % LAP_MS, STARTED_S + 120 + away_s + 0.1 * n + QUICKEST_S)
    assert clock.host_s(t_ms) == pytest.approx(STARTED_S + 120 + away_s, abs=0.005)
