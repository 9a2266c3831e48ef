"""What must hold of every bill, on visits drawn at random: shops, people, cells and cameras that err."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cabinet.basket.evidence import Mass, Sighting, Visit
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Charge, Review, Verdict
from cabinet.units import Sku, ZoneId
from tests.basket.visits import Scene
from tests.campaigns.test_tally import act, shop

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = pytest.mark.parametrize("seed", range(40))


def drawn(seed: int) -> tuple[Scene, float]:
    """A shop of sixteen products and somebody in it; when the last act was over."""
    dice = random.Random(seed)
    scene = Scene(shop(dice, 16), seed=dice.randrange(1 << 30))
    home = {sku: zone for zone, there in scene.header.planogram.items() for sku in there}
    t = scene.opened_t + 1
    for _ in range(dice.choice((1, 2, 3, 4))):
        t = act(scene, dice, home, t, dice.choice(list(home))) + dice.uniform(0.8, 2.5)
    return scene, t


def billed(verdict: Verdict) -> dict[Sku, int]:
    return {line.sku: line.quantity for line in verdict.lines} if isinstance(verdict, Charge) else {}


def total(verdict: Verdict) -> int:
    return verdict.total if isinstance(verdict, Charge) else 0


@SEEDS
def test_never_is_more_charged_than_the_mass_that_left_explains(seed: int) -> None:
    scene, t = drawn(seed)
    visit = scene.visit(t)
    verdict, policy = tally(visit), TallyPolicy()
    charged_g = sum(n * visit.header.catalog[sku].mass_g for sku, n in billed(verdict).items())
    left_g = -sum(verdict.account.net_g.values())
    loose_g = len(visit.header.zones) * policy.limit_sd * policy.drift_wide_sd_g + 0.05 * charged_g
    assert charged_g <= left_g + loose_g


@SEEDS
def test_a_return_that_is_weighed_and_seen_never_raises_the_bill(seed: int) -> None:
    scene, t = drawn(seed)
    if not scene.basket:
        pytest.skip("this one took nothing: there is nothing to bring back")
    again, t = drawn(seed)
    before = total(tally(scene.visit(t + 3)))
    sku = sorted(again.basket)[seed % len(again.basket)]
    home = next(zone for zone, there in again.header.planogram.items() if sku in there)
    again.put(t, home, sku)
    assert total(tally(again.visit(t + 3))) <= before or before == 0  # nought: a person decides, or will


@SEEDS
def test_a_camera_that_saw_a_return_never_raises_the_bill(seed: int) -> None:
    scene, t = drawn(seed)
    visit = scene.visit(t + 2)
    verdict = tally(visit)
    bill = billed(verdict)
    for sku in bill:
        zone = next(z for z, there in visit.header.planogram.items() if sku in there)
        scores = {other: 0.02 for other in visit.header.catalog if other != sku}
        seen = Sighting(t, next(iter(visit.header.cameras)), zone, "return", t - 0.7, t, scores | {sku: 0.6}, 0.1)
        assert total(tally(replace(visit, events=(*visit.events, seen)))) <= total(verdict)


def renamed(visit: Visit, name: "Callable[[ZoneId], ZoneId]") -> Visit:
    """The same visit with other names, and so another order, of its zones."""
    header = visit.header
    cameras = {c: replace(camera, sees=tuple(name(z) for z in camera.sees)) for c, camera in header.cameras.items()}
    other = replace(
        header,
        zones={name(z): about for z, about in header.zones.items()},
        planogram={name(z): there for z, there in header.planogram.items()},
        stock={name(z): held for z, held in header.stock.items()},
        cameras=cameras,
    )
    events = [replace(e, zone=name(e.zone)) if isinstance(e, Mass | Sighting) else e for e in visit.events]
    return Visit(other, tuple(events))


@SEEDS
def test_the_order_of_the_zones_does_not_matter(seed: int) -> None:
    scene, t = drawn(seed)
    visit = scene.visit(t)
    one = tally(visit)
    other = tally(renamed(visit, lambda zone: ZoneId(f"z{9 - int(zone[1:])}")))
    assert type(one) is type(other)
    assert billed(one) == billed(other)
    assert one.account.confidence == pytest.approx(other.account.confidence, abs=1e-4)


@SEEDS
def test_the_confidence_told_is_one_that_hypotheses_add_up_to(seed: int) -> None:
    scene, t = drawn(seed)
    account = tally(scene.visit(t)).account
    assert account.hypotheses[0].posterior == pytest.approx(account.confidence, abs=1e-6)
    assert sum(h.posterior for h in account.hypotheses) <= 1 + 1e-5  # each is rounded
    assert all(h.why for h in account.hypotheses[1:])
    assert all(account.confidence - 1e-6 <= sure <= 1 + 1e-6 for sure in account.sure.values())


@SEEDS
def test_a_bill_that_costs_more_than_a_look_goes_to_a_person(seed: int) -> None:
    scene, t = drawn(seed)
    verdict = tally(scene.visit(t))
    worst = TallyPolicy().costs
    if isinstance(verdict, Review):
        assert verdict.reason
    else:
        assert (1 - verdict.confidence) * min(worst.overcharge, worst.undercharge) <= worst.review + 1e-6
