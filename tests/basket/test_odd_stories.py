"""Stories that happen within one change of mass, or spread over several: each is told as what it was."""

from dataclasses import replace

import pytest

from cabinet.basket.evidence import Sighting, Visit
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Charge, Nothing, Review
from cabinet.units import CameraId, Sku, ZoneId
from tests.basket.visits import CHIPS, COLA, NUTS, WATER, Scene

SEEDS = pytest.mark.parametrize("seed", range(5))


def sure(seed: int) -> Scene:
    scene = Scene(seed=seed)
    scene.right, scene.notice = 1.0, 1.0
    return scene


def with_stranger(visit: Visit, t: float) -> Visit:
    """Both cameras see a thing that the catalogue does not know come to s1."""
    scores: dict[Sku, float] = dict.fromkeys(visit.header.catalog, 0.01)
    seen = [
        Sighting(t, CameraId(name), ZoneId("s1"), "return", t - 0.7, t, scores, 1 - sum(scores.values()))
        for name in ("top", "left")
    ]
    return replace(visit, events=(*visit.events, *seen))


@SEEDS
def test_four_units_of_three_products_swept_out_at_once(seed: int) -> None:
    scene = sure(seed)
    for n, sku in enumerate((COLA, WATER, CHIPS, CHIPS)):
        scene.take(3 + 0.05 * n, "s1", sku)
    verdict = tally(scene.visit(7))
    assert isinstance(verdict, Charge), verdict
    assert {line.sku: line.quantity for line in verdict.lines} == {COLA: 1, WATER: 1, CHIPS: 2}


@SEEDS
def test_a_bottle_exchanged_for_one_of_its_mass_before_the_shelf_rests(seed: int) -> None:
    scene = sure(seed)
    mass_g = scene.take(3, "s1", COLA)
    scene.load(3.1, "s1", mass_g)
    verdict = tally(with_stranger(scene.visit(7), 3.6))
    assert isinstance(verdict, Review)
    assert "Cola may have been exchanged" in verdict.reason


@SEEDS
def test_lifted_and_put_back_before_the_shelf_rests_is_nothing(seed: int) -> None:
    scene = sure(seed)
    scene.take(3, "s1", COLA)
    scene.put(3.1, "s1", COLA)
    verdict = tally(scene.visit(7))
    assert isinstance(verdict, Nothing), verdict


@SEEDS
def test_a_take_that_rests_on_its_way_over_the_edge_is_one_product(seed: int) -> None:
    scene = sure(seed)
    for n in range(5):
        scene.load(3 + 1.2 * n, "s2", -211.0 / 5)
    scene.look(5.4, "s2", NUTS, "take")
    verdict = tally(scene.visit(11))
    assert isinstance(verdict, Charge), verdict
    assert {line.sku: line.quantity for line in verdict.lines} == {NUTS: 1}


@SEEDS
def test_a_zone_that_feels_less_than_what_was_seen_to_leave_is_told_so(seed: int) -> None:
    scene = sure(seed)
    scene.load(3, "s1", -300.0)
    scene.look(3, "s1", COLA, "take")
    verdict = tally(scene.visit(7))
    assert isinstance(verdict, Review)
    assert "Cola was seen to leave" in verdict.reason
