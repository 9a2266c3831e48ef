"""What the frame carries to other zones is found and taken out, and nothing is taken where nothing was carried."""

import itertools
import random

import pytest

from cabinet.basket.coupling import coupling, decoupled
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.steps import Level, Weighing
from cabinet.units import ZoneId

POLICY = TallyPolicy()


def shelves(taken_g: dict[int, float], zones: int, share: float, seed: int = 1) -> list[Weighing]:
    """One take a zone named, a second apart; every zone feels `share` of what leaves the others; drift of 0.3 g."""
    dice, found = random.Random(seed), []
    for z in range(zones):
        base_g, levels, t = 5000.0, [], -2.0
        moments = sorted((2.0 + n, g if where == z else share * g) for n, (where, g) in enumerate(taken_g.items()))
        own = [n for n, where in enumerate(taken_g) if where == z]
        g = first_g = base_g
        for n, (at, delta_g) in enumerate(moments):
            if n in own:
                levels.append(Level(t, at, first_g, g, 0.3, 0.3))
                t, first_g = at + 0.3, g - delta_g
            g -= delta_g
        g += dice.gauss(0, 0.3)
        levels.append(Level(t, 2.0 + len(taken_g) + 2.0, first_g, g, 0.3, 0.3))
        steps_g = sum(b.first_g - a.last_g for a, b in itertools.pairwise(levels))
        found.append(Weighing(ZoneId(f"s{z}"), tuple(levels), g - base_g, 1.0, g - base_g - steps_g))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_share_is_found_and_nets_come_out_as_what_was_taken(seed: int) -> None:
    taken_g = {0: 580.0, 1: 1040.0, 2: 387.0}
    before = shelves(taken_g, 4, 0.0033, seed)
    assert coupling(before, POLICY) == pytest.approx(0.0033, abs=0.001)
    for z, weighing in enumerate(decoupled(before, POLICY)):
        assert weighing.net_g == pytest.approx(-taken_g.get(z, 0.0), abs=2.0)
        steps_g = sum(b.first_g - a.last_g for a, b in zip(weighing.levels, weighing.levels[1:], strict=False))
        assert weighing.net_g == pytest.approx(steps_g + weighing.rest_g, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_stiff_rack_of_twelve_touched_zones_loses_no_grams(seed: int) -> None:
    taken_g = {z: 400.0 + 60 * z for z in range(12)}
    for z, weighing in enumerate(decoupled(shelves(taken_g, 12, 0.0, seed), POLICY)):
        assert weighing.net_g == pytest.approx(-taken_g[z], abs=2.0)


def test_a_single_zone_stays_as_it_is() -> None:
    alone = shelves({0: 500.0}, 1, 0.0)
    assert decoupled(alone, POLICY) == alone
