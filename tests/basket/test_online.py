"""The detector of levels: batches cut anyhow, while it happens and at the end, and signals that are no goods."""

import itertools
import math
import random
import statistics
from collections.abc import Callable, Sequence

import pytest

from cabinet.basket.evidence import Mass, Zone
from cabinet.basket.online import Detector, Level
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.steps import Weighing, weigh
from cabinet.units import ZoneId

HZ = 80
S1 = ZoneId("s1")
Samples = Sequence[float | None]


def signal(
    seconds: float, *shapes: Callable[[float], float], seed: int = 1, noise_g: float = 1.0
) -> list[float | None]:
    """Samples from 2.5 s before the release: 5 kg, the shapes of t, noise, and grams rounded."""
    dice = random.Random(seed)
    times = [i / HZ - 2.5 for i in range(int((seconds + 2.5) * HZ))]
    return [float(round(5000 + sum(shape(t) for shape in shapes) + dice.gauss(0, noise_g))) for t in times]


def move(t0: float, delta_g: float, over_s: float = 0.1, ring: float = 0.05) -> Callable[[float], float]:
    """Goods that come or go; the tray rings at 7 Hz afterwards."""

    def at(t: float) -> float:
        late = t - t0 - over_s
        if late < 0:
            return delta_g * max(0.0, (t - t0) / over_s)
        return delta_g * (1 - ring * math.exp(-late / 0.1) * math.cos(44 * late))

    return at


def hand(t0: float, t1: float, grams: float) -> Callable[[float], float]:
    def at(t: float) -> float:
        return (
            grams * max(0.0, min(1.0, (t - t0) / 0.2, (t1 - t) / 0.2)) * (1 + 0.08 * math.sin(9 * t) * math.sin(4 * t))
        )

    return at


def slam(t0: float, grams: float = 40) -> Callable[[float], float]:
    return lambda t: grams * math.exp(-(t - t0) / 0.3) * math.sin(44 * (t - t0)) if t > t0 else 0.0


def batches(grams: Samples, cuts: Sequence[int] = ()) -> list[Mass]:
    edges = [0, *(cuts or range(20, len(grams), 20)), len(grams)]
    return [Mass(a / HZ - 2.5, S1, HZ, tuple(grams[a:b])) for a, b in itertools.pairwise(edges)]


def weighed(grams: Samples, closed_t: float, masses: Sequence[Mass] = ()) -> Weighing:
    end = len(grams) / HZ - 2.5
    return weigh(
        S1,
        Zone(),
        masses or batches(grams),
        TallyPolicy(),
        released_t=0,
        opened_t=1.5,
        closed_t=closed_t,
        ended_t=end,
    )


def deltas(levels: Sequence[Level]) -> list[float]:
    return [b.first_g - a.last_g for a, b in itertools.pairwise(levels)]


def detected(masses: Sequence[Mass]) -> Detector:
    detector = Detector(Zone(), TallyPolicy())
    for mass in masses:
        detector.add(mass)
    return detector


BUSY = signal(16, move(3, -505), hand(4.5, 6, 700), move(7, -62, 0.3), move(9, 330), slam(12))


@pytest.mark.parametrize("seed", range(6))
def test_batches_cut_anyhow_give_the_same_levels(seed: int) -> None:
    dice = random.Random(seed)
    cuts = sorted(dice.sample(range(1, len(BUSY)), dice.choice([3, 40, 400])))
    assert weighed(BUSY, 12, batches(BUSY, cuts)) == weighed(BUSY, 12)


def test_a_batch_sent_twice_changes_nothing() -> None:
    masses = batches(BUSY)
    assert detected([*masses[:9], masses[8], *masses[9:]]).levels() == detected(masses).levels()


@pytest.mark.parametrize("seed", range(4))
def test_levels_that_another_follows_are_the_same_online_and_at_the_end(seed: int) -> None:
    dice = random.Random(seed)
    moves = [move(3 + 2 * i, dice.choice([-505, -211, 62, 330]), dice.uniform(0.1, 0.5)) for i in range(4)]
    grams = signal(15, *moves, slam(12), seed=seed)
    final = detected(batches(grams)).levels()
    assert len(final) == 5
    detector = Detector(Zone(), TallyPolicy())
    told = 0
    for mass in batches(grams):
        detector.add(mass)
        done = detector.levels()[:-1]
        told += len(done)
        assert done == final[: len(done)]
    assert told > 100


def test_it_is_settled_before_a_take_and_after_but_not_during_it() -> None:
    detector = Detector(Zone(), TallyPolicy())
    settled = {}
    for mass in batches(signal(6, move(2, -505, 1.0))):
        detector.add(mass)
        settled[round(mass.t + 0.25, 2)] = detector.settled
    assert (settled[1.5], settled[2.75], settled[4.5]) == (True, False, True)


def test_takes_a_third_of_a_second_apart_with_a_plateau_are_two_steps() -> None:
    found = deltas(weighed(signal(9, move(3, -505, ring=0.01), move(3.5, -211)), 6).levels)
    assert found == pytest.approx([-505, -211], abs=4)


@pytest.mark.parametrize("apart_s", [0.0, 0.1, 0.3])
def test_takes_without_a_plateau_between_them_are_one_step_of_both(apart_s: float) -> None:
    """A hand on the tray hides the plateau: rising before the first take, going after the second."""
    presses = hand(2.9, 3.8, 60)
    found = deltas(weighed(signal(9, move(3, -505), move(3.1 + apart_s, -211), presses), 6).levels)
    assert found[0] + sum(found[1:]) == pytest.approx(-716, abs=3)
    if apart_s < 0.2:
        assert len(found) == 1


@pytest.mark.parametrize("delta_g", [-505.0, -145.0])
def test_a_take_over_ten_seconds_is_one_step(delta_g: float) -> None:
    found = weighed(signal(17, move(3, delta_g, 10)), 14.5)
    assert deltas(found.levels) == pytest.approx([delta_g], abs=4)


def test_a_light_thing_lifted_for_ten_seconds_is_all_in_the_net() -> None:
    found = weighed(signal(17, move(3, -38, 10)), 14.5)
    assert sum(deltas(found.levels)) + found.rest_g == pytest.approx(-38, abs=2)


def test_a_take_during_the_slam_is_a_step() -> None:
    found = weighed(signal(10, slam(6), move(6.1, -211, 0.3)), 6)
    assert deltas(found.levels) == pytest.approx([-211], abs=2)


def test_a_hand_that_rests_for_five_seconds_leaves_nothing() -> None:
    found = weighed(signal(13, hand(3, 8, 800)), 10)
    assert found.levels[-1].last_g - found.levels[0].first_g == pytest.approx(0, abs=1.5)
    assert sum(deltas(found.levels)) == pytest.approx(0, abs=10)


@pytest.mark.parametrize("grams", [5.0, 15.0])
def test_a_compressor_is_no_step_and_hides_none(grams: float) -> None:
    found = weighed(signal(13, lambda t: grams * math.sin(155 * t), move(5, -211)), 9)
    assert deltas(found.levels) == pytest.approx([-211], abs=max(2.0, grams / 2))


def test_a_truck_that_passes_is_no_step() -> None:
    passes = signal(13, lambda t: 6 * math.exp(-(((t - 5) / 1.0) ** 2)) * math.sin(75 * t))
    assert deltas(weighed(passes, 9).levels) == []


def test_drift_of_twenty_grams_is_no_step() -> None:
    found = weighed(signal(25, lambda t: -20 * max(0.0, min(1.0, t / 20))), 21)
    assert deltas(found.levels) == []
    assert found.rest_g == pytest.approx(-20, abs=2)


@pytest.mark.parametrize("nonsense", [8_000_000.0, 6500.0, -1500.0, None])
def test_spikes_slips_and_flagged_samples_are_no_steps(nonsense: float | None) -> None:
    grams = signal(12, move(5, -211))
    for at in (250, 251, 300, 403, 700, 701, 830):
        grams[at] = nonsense
    assert deltas(weighed(grams, 9).levels) == pytest.approx([-211], abs=2)


def test_a_stretch_without_good_samples_hides_no_take() -> None:
    grams = signal(12, move(5, -211))
    grams[int(6.5 * HZ) : int(8.5 * HZ)] = [None] * (2 * HZ)  # from 4 s to 6 s
    found = weighed(grams, 9)
    assert deltas(found.levels) == pytest.approx([-211], abs=2)
    assert found.blind_s == pytest.approx(2, abs=0.1)


def test_the_sd_of_a_step_is_what_steps_are_off_by() -> None:
    offs = []
    for seed in range(60):
        dice = random.Random(seed)
        truth = [dice.choice([-505, -330, -211, -62, 145]) for _ in range(4)]
        shapes = [move(3 + 2 * i, delta_g, dice.uniform(0.1, 0.5)) for i, delta_g in enumerate(truth)]
        levels = weighed(signal(14, *shapes, slam(11.5), seed=seed), 11.5).levels
        assert len(levels) == 5
        for (a, b), delta_g in zip(itertools.pairwise(levels), truth, strict=True):
            offs.append((b.first_g - a.last_g - delta_g) / math.hypot(a.last_sd_g, b.sd_g))
    assert 0.8 < statistics.pstdev(offs) < 1.3
    assert abs(statistics.fmean(offs)) < 0.25


def test_never_more_than_eight_rests_are_followed() -> None:
    dice = random.Random(3)
    detector = Detector(Zone(), TallyPolicy())
    most = 0
    for mass in batches([float(dice.randrange(4000, 6000)) for _ in range(1000)] + signal(4)):
        detector.add(mass)
        most = max(most, len(detector._regimes._runs))
    assert 1 < most <= 8
