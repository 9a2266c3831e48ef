"""What a simulated cabinet sells: the usual shop and the drawn ones make sense as matter and as a catalogue."""

import random

import pytest

from cabinet.sim import shop
from cabinet.sim.shop import FILLED, SPREAD, Plan
from cabinet.sim.world import TRAY_G
from cabinet.units import Sku, ZoneId

DRAWN = [
    (seed, skus, zones) for seed in range(40) for skus, zones in ((16, 4), (6, 2), (5, 1), (30, 6), (16, 2), (3, 5))
]


def full_g(plan: Plan, zone: ZoneId) -> float:
    return TRAY_G + sum(n * plan.goods[sku].mass_g for sku, n in plan.shelves[zone].items())


def assert_sound(plan: Plan) -> None:
    assert set().union(*plan.shelves.values()) == set(plan.wares)
    for zone in plan.shelves:
        assert full_g(plan, zone) < plan.zone.capacity_g
        assert any(zone in camera.sees for camera in plan.cameras.values())
    for ware in plan.wares.values():
        assert ware.product.mass_g > 0
        assert ware.product.unit_price > 0
        assert set(ware.alike) <= {*plan.wares, *(Sku(name) for name in shop.USUAL)}


def test_the_usual_shop_makes_sense() -> None:
    plan = shop.usual()
    assert_sound(plan)
    assert plan.believed is None
    assert plan.home[Sku("cola")] == "s1"


def test_look_alikes_of_the_usual_goods_look_alike_both_ways() -> None:
    for name, ware in shop.USUAL.items():
        for other in ware.alike:
            assert Sku(name) in shop.USUAL[other].alike


@pytest.mark.parametrize(("seed", "skus", "zones"), DRAWN)
def test_a_drawn_shop_makes_sense(seed: int, skus: int, zones: int) -> None:
    plan = shop.drawn(random.Random(seed), skus, zones)
    assert_sound(plan)
    assert (len(plan.wares), len(plan.shelves)) == (skus, zones)
    assert all(n >= 1 for held in plan.shelves.values() for n in held.values())
    for zone in plan.shelves:
        assert full_g(plan, zone) - TRAY_G <= FILLED * plan.zone.capacity_g + 1e-6
    for ware in plan.wares.values():
        assert 20.0 <= ware.product.mass_g <= 1106.0
        assert ware.product.spread_g >= 0.5
        assert ware.true_g == ware.product.mass_g
        assert ware.product.spread_g <= max(0.5, 1106.0 * SPREAD[1])


def test_the_same_dice_draw_the_same_shop_and_others_another() -> None:
    first, again, other = (shop.drawn(random.Random(seed)) for seed in (5, 5, 6))
    assert first == again != other


def test_drawn_shops_have_look_alikes_of_nearly_equal_mass() -> None:
    twins = 0
    for seed in range(40):
        plan = shop.drawn(random.Random(seed))
        for ware in plan.wares.values():
            for other in ware.alike:
                twins += 1
                assert abs(ware.product.mass_g - plan.wares[other].product.mass_g) <= 6.1
    assert twins / 2 == pytest.approx(40 * 15 * 0.15, abs=5 * (40 * 15 * 0.15 * 0.85) ** 0.5)


def test_look_alikes_of_drawn_goods_look_alike_both_ways() -> None:
    plan = shop.drawn(random.Random(1), skus=40)
    for sku, ware in plan.wares.items():
        for other in ware.alike:
            assert sku in plan.wares[other].alike


def test_one_camera_sees_all_shelves_and_every_shelf_but_a_lone_one_is_seen_twice() -> None:
    for count in range(1, 7):
        zones = tuple(ZoneId(f"s{n}") for n in range(count))
        cameras = shop.cameras(zones)
        assert any(camera.sees == zones for camera in cameras.values())
        assert all(sum(zone in camera.sees for camera in cameras.values()) == 2 for zone in zones)


def test_a_shelf_with_goods_that_nobody_described_is_refused() -> None:
    with pytest.raises(ValueError, match="shelf s1 holds pie, which no line describes: goods pie 100 g price 200"):
        shop.plan(shop.USUAL, {"s1": {"pie": 1}})


def test_what_goods_weigh_may_differ_from_what_the_catalogue_says() -> None:
    one = shop.ware("Pie", 300.0, 2.0, 400, true_g=330.0)
    plan = shop.plan({"pie": one}, {"s1": {"pie": 3}})
    assert plan.catalog[Sku("pie")].mass_g == 300.0
    assert plan.goods[Sku("pie")].mass_g == 330.0
    assert plan.goods[Sku("pie")].spread_g == 2.0


def test_where_a_product_stands_first_is_its_home() -> None:
    plan = shop.plan(shop.USUAL, {"s1": {"gum": 1}, "s2": {"cola": 1, "gum": 2}})
    assert plan.home == {Sku("gum"): "s1", Sku("cola"): "s2"}
