"""The baselines: MPS on cases worked by hand, rule by rule, and the nearest mass."""

from collections.abc import Callable

import numpy as np
import pytest

from cabinet.basket.baselines import mps as rules
from cabinet.basket.baselines.mps import Event, common_area, events, groups, mps, pick, put_back
from cabinet.basket.baselines.signals import Signal, signals
from cabinet.basket.baselines.weight_only import nearest, steps, weight_only
from cabinet.basket.evidence import Mass, Product, Visit
from cabinet.units import Sku, ZoneId
from tests.basket.visits import CANDY, COLA, GUM, NUTS, SHOP, WATER, Scene, header

A, B, C = Sku("a"), Sku("b"), Sku("c")
SHELF = ZoneId("s1")
Baseline = Callable[[Visit], dict[Sku, int]]


def goods(**masses_g: float) -> dict[Sku, Product]:
    return {Sku(name): Product(name, mass_g, 100) for name, mass_g in masses_g.items()}


def fall(g: float, *, at: int = 120, length: int = 300) -> Signal:
    """1000 g until sample `at`, then g less."""
    return np.where(np.arange(length) < at, 1000.0, 1000.0 - g)


# Rule 1


def test_the_signal_of_a_shelf_is_the_sum_of_its_plates() -> None:
    moved = {"left": fall(100), "right": 2000 - fall(100)}
    assert events(moved) == []


def test_a_second_is_sixty_samples() -> None:
    mean, sd = rules._rolled(fall(100))
    assert (mean[90], sd[90]) == (950.0, 50.0)  # half of the window before the fall, half after it


# Rule 2


@pytest.mark.parametrize(("g", "found"), [(42, 0), (50, 1)])
def test_a_candidate_has_thirty_samples_beyond_20_g(g: float, found: int) -> None:
    """With k of 60 samples fallen the sd is g·√(p(1-p)): for 42 g beyond 20 g at 19 places, for 50 g at 35."""
    assert len(events({"s1": fall(g)})) == found


def test_an_event_is_where_the_deviation_peaks() -> None:
    assert events({"s1": fall(100, at=150)})[0].peak == 150


# Rule 3


def test_an_event_is_the_change_of_the_mean_over_the_run() -> None:
    """100 g: beyond 20 g with 3 to 57 of 60 samples fallen, so the means next to the run hold 2 and 58 of them."""
    assert events({"s1": fall(100)})[0].delta_g == pytest.approx(-100 * 56 / 60)


def test_each_plates_own_change_is_kept() -> None:
    found = events({"left": fall(100), "right": fall(50)})[0]
    assert found.plates_g["left"] == pytest.approx(2 * found.plates_g["right"])


def test_a_hand_that_comes_and_goes_is_no_event() -> None:
    pressed = fall(0)
    pressed[100:130] += 500
    assert events({"s1": pressed}) == []


# Rule 4

PLANNED = {"1": [A], "2": [A, B], "3": [C], "4": [C]}
TRAY = goods(a=300, b=90, c=200)


def test_plates_that_share_a_product_are_one_pick() -> None:
    assert groups({"1": -200, "2": -100, "3": 0, "4": 0}, PLANNED, TRAY) == [{"1": -200, "2": -100}]


def test_plates_without_a_product_in_common_are_two_picks() -> None:
    assert groups({"1": -300, "2": 0, "3": -200, "4": 0}, PLANNED, TRAY) == [{"1": -300}, {"3": -200}]


@pytest.mark.parametrize(("g", "found"), [(-29, []), (-31, [{"3": -31}])])
def test_a_plate_counts_from_a_third_of_the_lightest_product_on(g: float, found: list[dict[str, float]]) -> None:
    assert groups({"1": 0, "2": 0, "3": g, "4": 0}, PLANNED, TRAY) == found


# Rule 5


def test_the_common_area_of_two_masses_is_1_at_0_g_and_a_third_at_two_sd() -> None:
    assert common_area(505, 505) == 1.0
    assert common_area(505, 525) == pytest.approx(0.3173, abs=1e-4)


def test_a_planned_product_beats_a_stranger_of_the_very_mass() -> None:
    assert pick({"s1": -505}, {"s1": [A]}, goods(a=300, b=505)) == {A: 2}


def test_among_planned_products_the_mass_decides() -> None:
    assert pick({"s1": -512}, {"s1": [A, B]}, goods(a=540, b=505)) == {B: 1}


def test_the_product_of_the_plates_that_changed_most_wins() -> None:
    assert pick({"1": -80, "2": -20}, {"1": [A], "2": [B]}, goods(a=130, b=100)) == {A: 1}  # 0.64 + 0.03, 0.16 + 0.2


def test_far_from_every_mass_the_nearer_one_wins() -> None:
    assert pick({"s1": -1274}, {"s1": [A, B]}, goods(a=27, b=637)) == {B: 2}


# Rule 6


@pytest.mark.parametrize(("g", "n"), [(-119, {}), (-121, {A: 1}), (-440, {A: 1}), (-460, {A: 2}), (-760, {A: 3})])
def test_quantity_is_the_rounded_ratio_and_below_two_fifths_nothing(g: float, n: dict[Sku, int]) -> None:
    assert pick({"s1": g}, {"s1": [A]}, goods(a=300)) == n


# Rule 7


@pytest.mark.parametrize(("g", "found"), [(600, (A, 2)), (500, (B, 1)), (224, None), (226, (A, 1)), (900, (A, 2))])
def test_a_put_back_is_the_nearest_of_what_the_cart_holds(g: float, found: tuple[Sku, int] | None) -> None:
    assert put_back(g, {A: 2, B: 1}, goods(a=300, b=505, c=226)) == found


def test_nothing_is_put_back_from_an_empty_cart() -> None:
    assert put_back(500, {}, goods(a=500)) is None


def test_what_was_put_back_elsewhere_joins_the_planogram_there() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    scene.put(6, "s2", COLA)
    scene.take(9, "s2", COLA)
    assert mps(scene.visit(12)) == {COLA: 1}  # else it were 2 nuts, the heaviest that belongs there


# Both, on whole visits


@pytest.mark.parametrize("baseline", [mps, weight_only])
def test_a_take_and_a_cancelled_take_are_billed_right(baseline: Baseline) -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    scene.take(6, "s2", CANDY)
    scene.put(9, "s2", CANDY)
    assert baseline(scene.visit(12)) == {COLA: 1}


@pytest.mark.parametrize("baseline", [mps, weight_only])
def test_an_untouched_cabinet_is_billed_nothing(baseline: Baseline) -> None:
    assert baseline(Scene().visit(6)) == {}


@pytest.mark.parametrize("baseline", [mps, weight_only])
def test_a_trace_without_any_mass_is_billed_nothing(baseline: Baseline) -> None:
    assert baseline(Visit(header(), ())) == {}


@pytest.mark.parametrize("baseline", [mps, weight_only])
def test_an_empty_catalogue_is_billed_nothing(baseline: Baseline) -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    visit = scene.visit(6)
    assert baseline(Visit(header({}, {"s1": (), "s2": ()}), visit.events)) == {}


# Weight only


def test_each_settled_change_is_a_step_of_its_own() -> None:
    found = [round(g) for _, g in steps(np.concatenate([fall(100), fall(100) - 150]))]
    assert found == [-100, -50, -100]


def test_a_spike_and_a_short_press_are_no_steps() -> None:
    signal = fall(0)
    signal[50] += 9000
    signal[100:130] += 400
    assert steps(signal) == []


@pytest.mark.parametrize(("g", "found"), [(1012, (COLA, 2)), (531, (WATER, 1)), (5000, (WATER, 4))])
def test_the_nearest_mass_names_product_and_number(g: float, found: tuple[Sku, int]) -> None:
    assert nearest(g, {COLA: 4, WATER: 4}, header()) == found


def test_two_products_taken_at_once_are_one_product_to_the_nearest_mass() -> None:
    scene = Scene()
    scene.take(3, "s2", NUTS)
    scene.take(3, "s2", CANDY)
    assert len(weight_only(scene.visit(6))) == 1


# The signal


def test_samples_that_are_missing_are_bridged_and_any_rate_is_read() -> None:
    events_ = (Mass(0.0, SHELF, 10.0, (1.0, None, 3.0)), Mass(0.3, SHELF, 10.0, (4.0, 5.0)))
    first_t, found = signals(Visit(header(), events_), hz=10.0)
    assert (first_t, found[SHELF].tolist()) == (0.0, [1.0, 2.0, 3.0, 4.0, 5.0])


def test_a_zone_whose_every_sample_is_bad_is_left_out() -> None:
    assert signals(Visit(header(), (Mass(0.0, SHELF, 10.0, (None, None)),)))[1] == {}


def test_the_events_total_is_that_of_its_plates() -> None:
    assert Event(0, {"1": -80.0, "2": -20.0}).delta_g == -100.0


def test_the_shop_of_these_tests_has_what_they_say() -> None:
    assert (SHOP[COLA].mass_g, SHOP[WATER].mass_g, SHOP[GUM].mass_g) == (505.0, 538.0, 38.0)
