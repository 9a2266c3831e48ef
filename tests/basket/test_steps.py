"""Weighing one zone: levels, steps and the net change."""

import itertools
from dataclasses import replace

import pytest

from cabinet.basket.evidence import Mass, Zone
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.samples import Points, despiked
from cabinet.basket.steps import Weighing, weigh
from cabinet.units import ZoneId
from tests.basket.visits import CHIPS, COLA, Scene

S1 = ZoneId("s1")


def weighed(scene: Scene, closed_t: float = 8.0, zone: Zone | None = None) -> Weighing:
    visit = scene.visit(closed_t)
    masses = [e for e in visit.events if isinstance(e, Mass) and e.zone == S1]
    return weigh(
        S1,
        zone or Zone(),
        masses,
        TallyPolicy(),
        released_t=0.0,
        opened_t=scene.opened_t,
        closed_t=closed_t,
        ended_t=closed_t + 3,
    )


def deltas(weighing: Weighing) -> list[float]:
    levels = weighing.levels
    return [b.first_g - a.last_g for a, b in itertools.pairwise(levels)]


@pytest.mark.parametrize("seed", range(8))
def test_the_net_is_right_within_its_uncertainty(seed: int) -> None:
    scene = Scene(seed=seed)
    mass = scene.take(3, "s1", COLA) + scene.take(5, "s1", CHIPS)
    weighing = weighed(scene)
    assert abs(weighing.net_g + mass) < 3 * weighing.net_sd_g


@pytest.mark.parametrize("seed", range(8))
def test_two_takes_are_two_steps_of_their_masses(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.drift_g = 0
    masses = [scene.take(3, "s1", COLA), scene.take(5, "s1", CHIPS)]
    assert deltas(weighed(scene)) == pytest.approx([-m for m in masses], abs=2.5)


@pytest.mark.parametrize("seed", range(8))
def test_steps_and_rest_add_up_to_the_net(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA, over_s=2)
    scene.press(5.5, "s1", 900, 1)
    weighing = weighed(scene)
    assert sum(deltas(weighing)) + weighing.rest_g == pytest.approx(weighing.net_g)


def test_a_slamming_door_is_no_step() -> None:
    scene = Scene()
    assert deltas(weighed(scene)) == []


def test_drift_is_no_step() -> None:
    scene = Scene()
    scene.load(2, "s1", -12, over_s=6)
    weighing = weighed(scene, 9)
    assert deltas(weighing) == []
    assert weighing.rest_g == pytest.approx(-12, abs=4)


def test_a_slow_take_is_one_step() -> None:
    scene = Scene()
    mass = scene.take(3, "s1", COLA, over_s=4)
    assert deltas(weighed(scene, 9)) == pytest.approx([-mass], abs=5)


def test_what_happened_before_the_release_is_not_this_shoppers() -> None:
    scene = Scene()
    scene.load(-2.0, "s1", -400, 0.1)
    assert abs(weighed(scene).net_g) < 5


def test_a_change_between_the_release_and_the_door_switch_counts() -> None:
    scene = Scene(opened_t=3)
    mass = scene.take(1, "s1", COLA)
    assert weighed(scene).net_g == pytest.approx(-mass, abs=6)


def test_slow_scales_are_weighed_too() -> None:
    scene = Scene()
    mass = scene.take(4, "s1", COLA)
    visit = scene.visit(8)
    grams = [g for e in visit.events if isinstance(e, Mass) and e.zone == S1 for g in e.g]
    slow = Mass(-2.5, S1, 10.0, tuple(grams[::8]))
    weighing = weigh(
        S1,
        replace(Zone(), rate_hz=10.0),
        [slow],
        TallyPolicy(),
        released_t=0,
        opened_t=1.5,
        closed_t=8,
        ended_t=11,
    )
    assert not weighing.trouble
    assert weighing.net_g == pytest.approx(-mass, abs=6)


def test_spikes_of_one_or_two_samples_are_dropped_and_steps_kept() -> None:
    grams = [10.0] * 10 + [900.0] + [10.0] * 10 + [-400.0, -400.0] + [10.0] * 10 + [200.0] * 10
    kept = despiked(Points([float(i) for i in range(len(grams))], list(grams)), 12).g
    assert kept == [10.0] * 30 + [200.0] * 10


def test_without_a_baseline_there_is_no_net() -> None:
    masses = [Mass(2.0, S1, 80.0, (1000.0,) * 800)]
    weighing = weigh(S1, Zone(), masses, TallyPolicy(), released_t=0, opened_t=1.5, closed_t=8, ended_t=12)
    assert "before the door opened" in weighing.trouble


def test_a_shelf_that_still_moves_at_the_end_has_no_net() -> None:
    scene = Scene()
    scene.load(7.5, "s1", -300, 6)
    assert "did not settle" in weighed(scene).trouble
