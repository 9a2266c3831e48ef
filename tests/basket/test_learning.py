"""What a product weighs, learnt: how fast, how robustly, and what is made of it."""

import random
from dataclasses import replace

import pytest

from cabinet.basket.evidence import Product
from cabinet.basket.learning import (
    FLOOR_SHARE,
    Belief,
    LearningPolicy,
    Lesson,
    current,
    in_use,
    learn,
    learnt,
    prior,
    worth_telling,
)
from cabinet.units import Sku

POLICY, COLA = LearningPolicy(), Sku("cola")
PRODUCT = Product("Cola", 500.0, 220)


def weighed(*masses_g: float, sd_g: float = 0.8, sure: bool = True) -> Lesson:
    mean_g = sum(masses_g) / len(masses_g)
    scatter_g2 = sum((g - mean_g) ** 2 for g in masses_g)
    return Lesson(COLA, len(masses_g), mean_g, scatter_g2, len(masses_g), sd_g, sure)


def drawn(true_g: float, units: int, seed: int, spread_g: float = 3.0) -> Lesson:
    dice = random.Random(seed)
    return weighed(*(dice.gauss(true_g, spread_g) for _ in range(units)))


def taught(*lessons: Lesson, product: Product = PRODUCT) -> Belief:
    belief = prior(product, POLICY)
    for n, lesson in enumerate(lessons):
        belief = learn(belief, lesson, 1000 + n, POLICY)
    return belief


def test_before_anything_was_weighed_the_catalogue_is_believed_as_wrong_as_catalogues_are() -> None:
    belief = prior(PRODUCT, POLICY)
    assert belief.mean_g == 500.0
    assert belief.mean_sd_g / 500.0 == pytest.approx(POLICY.catalogue_sd)
    assert learnt(PRODUCT, belief, POLICY) == PRODUCT


@pytest.mark.parametrize("off", [-0.15, -0.12, 0.0, 0.12, 0.15])
def test_one_restock_of_six_finds_the_mass_however_wrong_the_catalogue(off: float) -> None:
    belief = taught(drawn(500 * (1 + off), 6, 1))
    assert belief.mean_g == pytest.approx(500 * (1 + off), abs=3 * 3.0 / 6**0.5)
    assert in_use(belief, PRODUCT, POLICY)


def test_how_far_the_catalogue_was_off_says_nothing_of_the_spread() -> None:
    at_once = taught(weighed(558.0, 560.0, 562.0))
    assert at_once.sd_g == pytest.approx(taught(weighed(498.0, 500.0, 502.0)).sd_g, rel=0.15)


def test_the_spread_is_learnt_too() -> None:
    even = taught(*(drawn(500.0, 4, n, spread_g=1.0) for n in range(30)))
    uneven = taught(*(drawn(500.0, 4, n, spread_g=8.0) for n in range(30)))
    assert even.sd_g < 3.0
    assert uneven.sd_g == pytest.approx(8.0, rel=0.25)


def test_the_spread_is_never_believed_below_a_floor_of_the_mass_or_of_the_scale() -> None:
    same = [weighed(500.0, 500.0, 500.0, 500.0) for _ in range(50)]
    assert taught(*same).sd_g == FLOOR_SHARE * 500.0
    assert taught(*(replace(one, scale_sd_g=4.0) for one in same)).sd_g == 4.0


def test_one_wrong_attribution_moves_the_mean_not_at_all_and_one_within_reach_little() -> None:
    settled = taught(*(drawn(500.0, 2, n) for n in range(10)))
    far, near = learn(settled, weighed(352.0), 9, POLICY), learn(settled, weighed(507.0), 9, POLICY)
    assert (far.mean_g, far.spread_g2) == (settled.mean_g, settled.spread_g2)
    assert abs(near.mean_g - settled.mean_g) < 0.5


def test_a_wrong_attribution_now_and_then_never_takes_over() -> None:
    belief = taught(*(drawn(500.0, 2, n) for n in range(10)))
    for n in range(40):
        belief = learn(belief, weighed(352.0) if n % 8 == 0 else drawn(500.0, 1, 100 + n), n, POLICY)
    assert belief.mean_g == pytest.approx(500.0, abs=3.0)


@pytest.mark.parametrize("new_g", [430.0, 485.0, 515.0, 560.0])
def test_a_new_package_is_believed_after_two_restocks_and_not_after_one(new_g: float) -> None:
    old = taught(*(drawn(500.0, 4, n) for n in range(10)))
    once = learn(old, drawn(new_g, 6, 50), 7, POLICY)
    assert once.mean_g == pytest.approx(500.0, abs=3.0)
    twice = learn(once, drawn(new_g, 6, 51), 8, POLICY)
    assert twice.mean_g == pytest.approx(new_g, abs=3.5)
    assert twice.rival is None


def test_old_units_sold_between_the_restocks_do_not_hold_the_new_package_back() -> None:
    belief = learn(taught(*(drawn(500.0, 4, n) for n in range(10))), drawn(560.0, 6, 50), 7, POLICY)
    for n in range(5):
        belief = learn(belief, drawn(500.0, 1, 60 + n), 8, POLICY)
    assert learn(belief, drawn(560.0, 6, 51), 9, POLICY).mean_g == pytest.approx(560.0, abs=3.5)


def test_a_wrong_first_lesson_is_overruled_by_two_that_agree() -> None:
    belief = taught(weighed(440.0), drawn(500.0, 4, 1), drawn(500.0, 4, 2))
    assert belief.mean_g == pytest.approx(500.0, abs=4.0)


def test_a_slow_change_is_followed_within_the_memory() -> None:
    belief = taught(*(drawn(500.0, 2, n) for n in range(20)))
    for n in range(30):
        belief = learn(belief, drawn(504.0, 2, 100 + n), n, POLICY)
    assert belief.mean_g == pytest.approx(504.0, abs=2.0)


def test_units_that_scatter_like_different_things_teach_nothing() -> None:
    belief = prior(PRODUCT, POLICY)
    assert learn(belief, weighed(450.0, 500.0, 550.0), 1, POLICY) is belief


@pytest.mark.parametrize("mean_g", [0.0, -1.0, float("inf"), float("nan")])
def test_nonsense_teaches_nothing(mean_g: float) -> None:
    belief = prior(PRODUCT, POLICY)
    assert learn(belief, Lesson(COLA, 3, mean_g), 1, POLICY) is belief


def test_a_mass_is_used_after_three_units_and_not_before() -> None:
    two, three = taught(weighed(560.0, 561.0)), taught(weighed(560.0, 561.0, 562.0))
    assert learnt(PRODUCT, two, POLICY) == PRODUCT
    told = learnt(PRODUCT, three, POLICY)
    assert told.mass_g == pytest.approx(561.0, abs=1.0)  # still drawn a little to the catalogue
    assert told.mass_sd_g == pytest.approx(three.sd_g, abs=0.001)
    assert (told.name, told.unit_price) == (PRODUCT.name, PRODUCT.unit_price)


def test_a_heap_that_one_person_counted_is_used_only_when_a_second_visit_agrees() -> None:
    heap = Lesson(COLA, 6, 560.0, 0.0, 1, 8.0, sure=False)
    assert not in_use(taught(heap), PRODUCT, POLICY)
    assert in_use(taught(heap, heap), PRODUCT, POLICY)


def test_a_catalogue_that_is_changed_begins_anew() -> None:
    belief, corrected = taught(drawn(560.0, 6, 1)), replace(PRODUCT, mass_g=560.0)
    assert learnt(corrected, belief, POLICY) == corrected
    assert current(belief, corrected, POLICY) == prior(corrected, POLICY)


@pytest.mark.parametrize(("true_g", "told"), [(470.0, True), (478.0, False), (522.0, False), (530.0, True)])
def test_a_catalogue_that_is_more_than_five_per_cent_off_is_worth_telling(true_g: float, told: bool) -> None:  # noqa: FBT001  a table
    assert worth_telling(taught(weighed(true_g - 1, true_g, true_g + 1)), PRODUCT, POLICY) is told


def test_a_belief_stays_finite_over_thousands_of_lessons() -> None:
    belief = taught(*(drawn(500.0, 3, n) for n in range(3000)))
    assert (belief.units, belief.weight) == (9000, POLICY.memory_units + 3)
    assert belief.mean_g == pytest.approx(500.0, abs=2.0)
