"""What a finished visit teaches, and what it must not."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cabinet.basket.evidence import Gap, Health, Visit
from cabinet.basket.learning import LearningPolicy
from cabinet.basket.lessons import Strayed, afterthought, lessons, strayed
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Account, Charge, Line, Nothing, Review, Step, Verdict
from cabinet.units import Sku, ZoneId
from tests.basket.visits import CHIPS, COLA, NUTS, WATER, Scene, header

POLICY, S1, S2 = LearningPolicy(), ZoneId("s1"), ZoneId("s2")
LINE = Line(COLA, "Cola", 1, 250, "drink")
VISIT = Visit(header(), ())


def step(delta_g: float, items: Mapping[Sku, int], zone: ZoneId = S1) -> Step:
    return Step(zone, 3.0, delta_g, 0.8, items)


def charge(*steps: Step, confidence: float = 0.995, sure: Mapping[Sku, float] | None = None) -> Charge:
    return Charge((LINE,), confidence, Account(steps, sure=sure or {}))


def test_a_certain_unit_is_one_observation_and_two_at_once_count_as_two() -> None:
    (lesson,) = lessons(VISIT, charge(step(-503.0, {COLA: 1}), step(-1012.0, {COLA: 2})), POLICY)
    assert (lesson.sku, lesson.units, lesson.groups, lesson.sure) == (COLA, 3, 2, True)
    assert lesson.mean_g == pytest.approx(505.0)


def test_a_unit_put_back_is_weighed_again() -> None:
    (lesson,) = lessons(VISIT, charge(step(-503.0, {COLA: 1}), step(507.0, {COLA: -1})), POLICY)
    assert lesson.units == 2
    assert lesson.mean_g == pytest.approx(505.0)


REFUSED: dict[str, tuple[Visit, Verdict]] = {
    "a review": (VISIT, Review("doubt", charge(step(-503.0, {COLA: 1})).account)),
    "nothing": (VISIT, Nothing(1.0)),
    "a bill that is not certain": (VISIT, charge(step(-503.0, {COLA: 1}), confidence=0.98)),
    "a line that is not certain": (VISIT, charge(step(-503.0, {COLA: 1}), sure={COLA: 0.95})),
    "a torn trace": (replace(VISIT, incomplete=True), charge(step(-503.0, {COLA: 1}))),
    "a zone that was unwell": (
        Visit(header(), (Health(2.0, "scale:s1", ok=False, why="stuck"),)), charge(step(-503.0, {COLA: 1})),
    ),
    "a zone that was not heard": (Visit(header(), (Gap(2.0, "scale:s1", 3.0),)), charge(step(-503.0, {COLA: 1}))),
    "a board that was away": (Visit(header(), (Gap(2.0, "board", 3.0),)), charge(step(-503.0, {COLA: 1}))),
    "two products in one step": (VISIT, charge(step(-567.0, {COLA: 1, CHIPS: 1}))),
    "a step that nothing explains": (VISIT, charge(step(-503.0, {}))),
    "a step that goes the other way": (VISIT, charge(step(503.0, {COLA: 1}))),
    "a mass that a neighbour explains better": (VISIT, charge(step(-536.0, {COLA: 1}))),
    "a product that is not in the catalogue": (VISIT, charge(step(-503.0, {Sku("ghost"): 1}))),
}  # fmt: skip  # a table


@pytest.mark.parametrize("why", REFUSED)
def test_it_learns_nothing_from(why: str) -> None:
    assert lessons(*REFUSED[why], POLICY) == []


def test_another_zone_that_was_unwell_spoils_nothing() -> None:
    ill = Visit(header(), (Health(2.0, "scale:s2", ok=False, why="stuck"), Gap(2.0, "camera:top", 3.0)))
    assert lessons(ill, charge(step(-503.0, {COLA: 1})), POLICY)


def test_a_real_visit_teaches_the_mass_of_what_was_taken() -> None:
    scene = Scene(seed=3)
    grams = scene.take(4.0, "s1", COLA)
    visit = scene.visit(8.0).judged()
    thought = afterthought(visit, tally(visit), POLICY)
    (lesson,) = thought.lessons
    assert thought.certain
    assert lesson.sku == COLA
    assert lesson.mean_g == pytest.approx(grams, abs=3.0)


def moved(**zones: Mapping[Sku, int]) -> Charge:
    return Charge((LINE,), 0.995, Account(moves={ZoneId(zone): counts for zone, counts in zones.items()}))


def test_what_was_put_where_the_planogram_has_none_is_astray() -> None:
    assert strayed(header(), moved(s1={COLA: 2, WATER: 1}, s2={COLA: -1})) == [Strayed(S2, COLA, 1)]


def test_what_was_taken_where_the_planogram_has_none_was_found_there() -> None:
    assert strayed(header(), moved(s1={NUTS: 1})) == [Strayed(S1, NUTS, -1, found=True)]


def test_a_zone_without_planogram_is_home_to_what_the_stock_knows_there() -> None:
    bare = replace(header(), planogram={})
    assert strayed(bare, moved(s1={COLA: 1}, s2={COLA: -1})) == [Strayed(S2, COLA, 1)]


def test_a_review_says_nothing_of_where_things_stand() -> None:
    assert strayed(header(), Review("doubt", moved(s1={NUTS: 1}).account)) == []
