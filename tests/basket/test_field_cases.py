"""What went wrong in the field, told again: each case was a wrong bill on a real cabinet (CHAI, 34 visits).

Every one must end right, or with a person who is told why; most are certain, and are charged.
"""

from dataclasses import replace

import pytest

from cabinet.basket.evidence import Product, Sighting, Visit
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Charge, Nothing, Review, Verdict
from cabinet.units import CameraId, Sku, ZoneId
from tests.basket.visits import CHIPS, COLA, NUTS, Scene, header

SEEDS = pytest.mark.parametrize("seed", range(4))
MULTIPLES = [
    ({"86": 86.0, "261": 261.0}, {"86": 3}),
    ({"86": 86.0, "261": 261.0}, {"261": 1}),
    ({"79": 79.0, "312": 312.0}, {"79": 4}),
    ({"79": 79.0, "312": 312.0}, {"312": 1}),
    ({"140": 140.0, "87": 87.0, "227": 227.0}, {"140": 1, "87": 1}),
    ({"140": 140.0, "87": 87.0, "227": 227.0}, {"227": 1}),
    ({"525": 525.0, "543": 543.0}, {"525": 1}),
    ({"525": 525.0, "543": 543.0}, {"543": 1}),
]


def billed(verdict: Verdict) -> dict[str, int] | None:
    """None: a person decides."""
    if isinstance(verdict, Review):
        return None
    return {str(line.sku): line.quantity for line in verdict.lines} if isinstance(verdict, Charge) else {}


def shelf(masses_g: dict[str, float], seed: int) -> Scene:
    goods = {Sku(name): Product(f"of {name} g", g, 200, max(0.6, 0.008 * g)) for name, g in masses_g.items()}
    return Scene(header(goods, {"s1": list(goods), "s2": []}), seed=seed)


@SEEDS
@pytest.mark.parametrize(("masses_g", "taken"), MULTIPLES)
def test_a_mass_that_is_a_multiple_or_a_sum_of_others(
    masses_g: dict[str, float], taken: dict[str, int], seed: int
) -> None:
    scene = shelf(masses_g, seed)
    scene.right, scene.notice = 1.0, 1.0
    t = 3.0
    for sku, n in taken.items():
        for _ in range(n):
            scene.take(t, "s1", Sku(sku))
            t += 0.05
    close = {"525", "543"} <= set(masses_g)  # 18 g apart with 4 g of spread each: now and then a person is asked
    assert billed(tally(scene.visit(7))) in ((taken, None) if close else (taken,))


@SEEDS
@pytest.mark.parametrize(("masses_g", "taken"), MULTIPLES)
def test_and_without_sight_it_is_never_charged_wrong(
    masses_g: dict[str, float], taken: dict[str, int], seed: int
) -> None:
    scene = shelf(masses_g, seed)
    t = 3.0
    for sku, n in taken.items():
        for _ in range(n):
            scene.take(t, "s1", Sku(sku), seen=False)
            t += 1.5
    assert billed(tally(scene.visit(t + 2))) in (taken, None)


@SEEDS
def test_two_different_items_taken_together_from_one_zone(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.take(3.05, "s1", CHIPS)
    assert billed(tally(scene.visit(6))) == {COLA: 1, CHIPS: 1}


@SEEDS
def test_printed_clothing_that_looks_like_a_product_is_not_billed(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    for t in (2.2, 4.0, 4.8):
        scene.look(t, "s2", NUTS, "unknown")
    assert billed(tally(scene.visit(7))) == {COLA: 1}


@SEEDS
def test_an_item_carried_past_another_zone_is_billed_once(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.look(3.5, "s2", COLA, "take")
    assert billed(tally(scene.visit(6))) == {COLA: 1}


@SEEDS
def test_an_item_held_from_before_is_not_billed_again(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.look(5.0, "s1", COLA, "take")  # the camera sees it in the hand again; no gram moves
    assert billed(tally(scene.visit(8))) == {COLA: 1}


@SEEDS
def test_a_pick_soon_after_another_is_no_free_item(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.take(4.6, "s1", CHIPS)
    assert billed(tally(scene.visit(6.2))) == {COLA: 1, CHIPS: 1}


@SEEDS
def test_a_catalogue_off_by_an_eighth_is_charged_right_or_left_to_a_person(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.bias, scene.right = 0.87, 1.0
    scene.take(3, "s1", COLA)
    assert billed(tally(scene.visit(6))) in ({COLA: 1}, None)


@SEEDS
def test_a_class_that_no_product_has_is_never_billed(seed: int) -> None:
    """A recogniser's class map fell to another class there; a look at an unknown SKU is no product."""
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA, seen=False)
    visit = scene.visit(6)
    stranger = Sighting(3.4, CameraId("top"), ZoneId("s1"), "take", 2.7, 3.4, {Sku("class-0"): 0.97}, 0.03)
    assert billed(tally(replace(visit, events=(*visit.events, stranger)))) in ({COLA: 1}, None)


@SEEDS
def test_nothing_is_never_the_answer_to_an_error(seed: int) -> None:
    """A zone that says nothing while a camera saw goods leave is a person's matter."""
    scene = Scene(seed=seed)
    scene.look(3, "s1", COLA, "take")
    scene.flaw(1.4, "s1", None, count=10_000)
    verdict = tally(scene.visit(6))
    assert isinstance(verdict, Review)
    assert "s1" in verdict.reason


def late(visit: Visit, by_s: float) -> Visit:
    """Every camera's clock goes wrong by so many seconds."""
    return replace(
        visit,
        events=tuple(
            replace(e, t=e.t + by_s, t0=e.t0 + by_s, t1=e.t1 + by_s) if isinstance(e, Sighting) else e
            for e in visit.events
        ),
    )


@pytest.mark.parametrize("by_s", [-1.0, 1.0])
@SEEDS
def test_a_cameras_clock_off_by_a_second_never_makes_goods_free_or_wrong(seed: int, by_s: float) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    scene.take(4.4, "s1", CHIPS)
    verdict = tally(late(scene.visit(7), by_s))
    assert not isinstance(verdict, Nothing)
    assert billed(verdict) in ({COLA: 1, CHIPS: 1}, None)
