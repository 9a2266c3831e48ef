"""Shelf and ledger compared after a technician's visit: what is missing, what is learnt, what is left alone."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import pytest

from cabinet.basket.evidence import Door, Health, Product
from cabinet.basket.learning import Belief, LearningPolicy, learn, prior
from cabinet.basket.lessons import Group, lesson_of
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.restocking import Compared, Shelf, compare, missing, settled, words
from cabinet.basket.zonechange import ZoneChange, weighed
from cabinet.units import Sku, ZoneId
from tests.basket.visits import COLA, Scene, header

POLICY, S1 = LearningPolicy(), ZoneId("s1")
JUICE, WATER, GUM, MILK = (Sku(name) for name in ("juice", "water", "gum", "milk"))
CATALOG = {
    JUICE: Product("Juice", 330.0, 240),
    WATER: Product("Water", 516.0, 120),
    GUM: Product("Gum", 38.0, 99),
    MILK: Product("Milk", 1041.0, 310),
}


def shelf(**true_g: float) -> Shelf:
    """With masses learnt before, by name."""
    beliefs: dict[Sku, Belief] = {}
    for name, grams in true_g.items():
        sku = Sku(name)
        lesson = lesson_of(sku, [Group(1, grams + n, 0.8) for n in (-2.0, -1.0, 0.0, 1.0, 2.0)])
        beliefs[sku] = learn(prior(CATALOG[sku], POLICY), lesson, 1, POLICY)
    return Shelf(CATALOG, beliefs, POLICY)


def gained(*steps_g: float, drift_g: float = 3.0) -> ZoneChange:
    return ZoneChange(S1, sum(steps_g) + drift_g, 8.4, tuple((g, 0.8) for g in steps_g))


def compared(change: ZoneChange, counted: Mapping[Sku, int], known: Shelf | None = None) -> Compared:
    before = dict.fromkeys(CATALOG, 10)
    after = {sku: 10 + counted.get(sku, 0) for sku in CATALOG}
    return compare(change, before, after, known or shelf())


def units(grams: float, count: int, seed: int = 1) -> list[float]:
    dice = random.Random(seed)
    return [dice.gauss(grams, 0.008 * grams) for _ in range(count)]


# One product.


@pytest.mark.parametrize("true_g", [290.0, 330.0, 370.0, 378.0])
def test_units_put_one_by_one_teach_their_mass_however_wrong_the_catalogue(true_g: float) -> None:
    found = compared(gained(*units(true_g, 5)), {JUICE: 5})
    (lesson,) = found.lessons
    assert (lesson.sku, lesson.units, lesson.groups, lesson.sure) == (JUICE, 5, 5, True)
    assert lesson.mean_g == pytest.approx(true_g, rel=0.01)
    assert found.explained


def test_two_put_at_once_are_two() -> None:
    (lesson,) = compared(gained(740.0, 371.0, 369.0), {JUICE: 4}).lessons
    assert (lesson.units, lesson.groups, lesson.mean_g) == (4, 3, 370.0)


def test_units_taken_out_teach_as_well() -> None:
    (lesson,) = compared(gained(-370.0, -371.0, -369.0), {JUICE: -3}).lessons
    assert (lesson.units, lesson.mean_g) == (3, 370.0)


def test_a_miscount_is_found_though_the_catalogue_is_wrong_and_teaches_nothing() -> None:
    known = shelf()
    found = compared(gained(*units(370.0, 4)), {JUICE: 5}, known)
    assert (found.lost, found.lessons) == (True, ())
    assert found.residual_g == pytest.approx(-370.0, abs=15.0)
    assert missing(found, CATALOG, known) == (JUICE, 1)
    assert words(found, CATALOG, known, "restock") == (
        f"restock does not add up: zone s1 weighs {-found.residual_g:.0f} g less than was counted; "
        "1 x Juice (juice) would explain it"
    )


def test_more_than_was_counted_is_no_loss_and_teaches_nothing() -> None:
    found = compared(gained(*units(370.0, 6)), {JUICE: 5})
    assert (found.explained, found.lost, found.lessons) == (False, False, ())


def test_a_heap_that_several_numbers_would_explain_is_a_lesson_that_is_not_sure() -> None:
    (lesson,) = compared(gained(1850.0), {JUICE: 5}).lessons
    assert (lesson.units, lesson.sure) == (5, False)
    assert lesson.mean_g == pytest.approx(370.0, abs=1.0)


def test_a_miscounted_heap_of_a_mass_that_was_learnt_is_found() -> None:
    assert compared(gained(4 * 370.0), {JUICE: 5}, shelf(juice=370.0)).lost


def test_a_miscounted_heap_of_a_mass_that_was_not_learnt_cannot_be_found() -> None:
    found = compared(gained(4 * 370.0), {JUICE: 5})
    assert found.explained
    assert all(not lesson.sure for lesson in found.lessons)


def test_a_unit_that_goes_while_others_come_is_told_by_the_total() -> None:
    found = compared(gained(370.0, 370.0, 370.0, -370.0), {JUICE: 3}, shelf(juice=370.0))
    assert found.lost
    assert found.residual_g == pytest.approx(-370.0, abs=15.0)


# Several products.


@pytest.mark.parametrize("seed", range(5))
def test_several_products_put_one_after_the_other_are_told_apart(seed: int) -> None:
    steps = [*units(370.0, 4, seed), *units(516.0, 3, seed), *units(36.0, 5, seed)]
    found = compared(gained(*steps), {JUICE: 4, WATER: 3, GUM: 5})
    assert {lesson.sku: lesson.units for lesson in found.lessons} == {JUICE: 4, WATER: 3, GUM: 5}
    assert found.lessons[1].mean_g == pytest.approx(370.0, rel=0.01)
    assert found.explained


def test_products_put_in_any_order_and_two_at_once_are_told_apart() -> None:
    found = compared(gained(370.0, 516.0, 742.0, 518.0, 368.0, 1030.0), {JUICE: 4, WATER: 4})
    masses = {lesson.sku: lesson.mean_g for lesson in found.lessons}
    assert masses == {JUICE: pytest.approx(370.0, rel=0.01), WATER: pytest.approx(516.0, rel=0.01)}


def test_products_that_may_be_either_teach_nothing() -> None:
    twins = Shelf({JUICE: CATALOG[JUICE], GUM: Product("Nectar", 340.0, 250)}, {}, POLICY)
    found = compare(gained(*units(360.0, 3), *units(372.0, 3)), {}, {JUICE: 3, GUM: 3}, twins)
    assert found.lessons == ()


def test_a_stolen_unit_of_known_masses_is_missed_among_several() -> None:
    known = shelf(juice=370.0, water=516.0)
    found = compared(gained(370.0, 370.0, 516.0), {JUICE: 2, WATER: 2}, known)
    assert found.lost
    assert missing(found, CATALOG, known) == (WATER, 1)


def test_a_unit_short_among_several_of_unknown_mass_is_found_and_teaches_nothing() -> None:
    found = compared(gained(*units(370.0, 4), *units(516.0, 3), *units(36.0, 5)), {JUICE: 5, WATER: 3, GUM: 5})
    assert (found.lost, found.lessons) == (True, ())
    assert missing(found, CATALOG, shelf()) == (JUICE, 1)


# Nothing counted.


def test_what_goes_in_a_service_is_named() -> None:
    found = compared(gained(-518.0), {})
    assert found.lost
    assert words(found, CATALOG, shelf(), "service") == (
        "goods left during a service: zone s1 weighs 515 g less; 1 x Water (water) would explain it"
    )


@pytest.mark.parametrize("drift_g", [-20.0, -8.0, 0.0, 20.0])
def test_a_shelf_that_only_drifts_lost_nothing(drift_g: float) -> None:
    assert compared(gained(drift_g=drift_g), {}).explained


def test_grams_that_no_product_explains_are_told_all_the_same() -> None:
    only = Shelf({MILK: CATALOG[MILK]}, {}, POLICY)
    found = compare(gained(-150.0), {}, {}, only)
    assert found.lost
    assert "no number of one product explains it" in words(found, [MILK], only, "service")


def test_a_zone_that_was_not_weighed_well_is_neither_missed_nor_learnt_from() -> None:
    ill = replace(gained(*units(370.0, 4)), trouble="was not well")
    found = compared(ill, {JUICE: 5})
    assert (found.explained, found.lost, found.lessons) == (True, False, ())


def test_a_zone_is_not_settled_while_something_in_it_may_be_uncounted() -> None:
    vague, sharp = compared(gained(*units(330.0, 4), 516.0), {JUICE: 4}), compared(gained(*units(330.0, 4)), {JUICE: 4})
    assert not settled(vague, CATALOG, shelf())
    assert settled(sharp, [JUICE, WATER], shelf())


# From a trace.


def technicians(purpose: Literal["restock", "service"] = "service") -> Scene:
    return Scene(header(purpose=purpose), seed=2)


def test_a_trace_is_weighed_zone_by_zone() -> None:
    scene = technicians()
    grams = scene.take(4.0, "s1", COLA)
    s1, s2 = weighed(scene.visit(8.0), TallyPolicy())
    assert s1.net_g == pytest.approx(-grams, abs=8.0)
    assert s2.net_g == pytest.approx(0.0, abs=8.0)
    assert len(s1.steps) == 1
    assert (s1.trouble, s2.trouble, s2.steps) == ("", "", ())


def test_a_zone_that_was_ill_and_a_torn_trace_are_not_to_be_trusted() -> None:
    visit = technicians().visit(8.0)
    ill = replace(visit, events=(*visit.events, Health(3.0, "scale:s1", ok=False, why="stuck")))
    assert [bool(change.trouble) for change in weighed(ill, TallyPolicy())] == [True, False]
    assert all(change.trouble for change in weighed(replace(visit, incomplete=True), TallyPolicy()))


def test_a_trace_without_a_door_or_a_sample_raises_nothing() -> None:
    visit = technicians().visit(8.0)
    without: Sequence[object] = [e for e in visit.events if not isinstance(e, Door)]
    assert len(weighed(replace(visit, events=tuple(without)), TallyPolicy())) == 2  # type: ignore[arg-type]  # of the same kinds
    assert all(change.trouble for change in weighed(replace(visit, events=()), TallyPolicy()))
