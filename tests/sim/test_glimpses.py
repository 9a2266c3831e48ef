"""The confusion model's shares are those it states: counted over thousands of draws, within Wilson intervals."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from cabinet.basket.evidence import Sighting
from cabinet.cli.evaluate.measures import wilson
from cabinet.sim import shop
from cabinet.sim.glimpses import Confusion, Glimpses
from cabinet.units import CameraId, Sku, ZoneId

PLAN = shop.usual()
TOP, LEFT, RIGHT = (CameraId(name) for name in ("top", "left", "right"))
S1, S4 = ZoneId("s1"), ZoneId("s4")
COLA, WATER, CANDY, GUM = (Sku(name) for name in ("cola", "water", "candy", "gum"))
SURE = Confusion(noticed=1, directed=1, wrong_way=0, compared=1)
DRAWS = 4000
NOBODY: frozenset[CameraId] = frozenset()


def glimpses(confusion: Confusion | None = None, seed: int = 1) -> Glimpses:
    alike = {sku: ware.alike for sku, ware in PLAN.wares.items()}
    return Glimpses(PLAN.cameras, list(PLAN.wares), alike, random.Random(seed), confusion or Confusion())


def takes(
    confusion: Confusion, sku: Sku | None = COLA, zone: ZoneId = S1, blind: frozenset[CameraId] = NOBODY
) -> list[Sighting]:
    eyes = glimpses(confusion)
    return [seen for _ in range(DRAWS) for seen in eyes.moved(10.0, zone, sku, "take", blind)]


def best(seen: Sighting) -> Sku:
    return max(seen.scores, key=lambda sku: seen.scores[sku])


def assert_share(hits: int, of: int, share: float) -> None:
    """Wilson's interval at z = 4: wrong once in 16,000 tests, if the dice were other ones."""
    low, high = wilson(hits, of, z=4.0)
    assert low - 1e-9 <= share <= high + 1e-9, f"{hits} of {of} is {hits / of:.4f}, want {share}"


# What moves past the cameras.


@pytest.mark.parametrize("noticed", [0.85, 0.3])
def test_a_camera_notices_its_share_of_movements(noticed: float) -> None:
    found = Counter(seen.camera for seen in takes(replace(SURE, noticed=noticed)))
    assert set(found) == {TOP, LEFT}  # the right one does not see s1
    for count in found.values():
        assert_share(count, DRAWS, noticed)


def test_cameras_notice_independently_of_each_other() -> None:
    eyes = glimpses(replace(SURE, noticed=0.5))
    both = sum(len(eyes.moved(0.0, S1, COLA, "take", NOBODY)) == 2 for _ in range(DRAWS))
    assert_share(both, DRAWS, 0.25)


@pytest.mark.parametrize("sku", [COLA, WATER], ids=["with a look-alike", "without"])
@pytest.mark.parametrize("right", [0.86, 0.5])
def test_the_best_score_is_the_truth_as_often_as_stated(sku: Sku, right: float) -> None:
    found = takes(replace(SURE, right=right))
    assert_share(sum(next(iter(seen.scores)) == COLA for seen in found), len(found), right)


def test_the_highest_score_is_the_one_that_was_drawn_as_best_all_but_always() -> None:
    """A wrong best may score only 0.35, and all that is left fall to one other: then that one is higher."""
    found = takes(Confusion(noticed=1))
    assert sum(next(iter(seen.scores)) != best(seen) for seen in found) / len(found) < 0.02


def test_most_mistakes_name_a_look_alike() -> None:
    found = [next(iter(seen.scores)) for seen in takes(replace(SURE, right=0.0, near=0.8), CANDY, S4)]
    assert CANDY not in found  # else it were no mistake
    assert_share(found.count(GUM), len(found), 0.8 + 0.2 / (len(PLAN.wares) - 1))  # any other may be the look-alike


def test_a_right_score_is_sure_and_a_wrong_one_less_so() -> None:
    sure, unsure = Confusion().sure, Confusion().unsure
    for seen in takes(SURE):
        low, high = sure if next(iter(seen.scores)) == COLA else unsure
        assert low - 1e-4 <= next(iter(seen.scores.values())) <= high + 1e-4


@pytest.mark.parametrize("directed", [0.7, 1.0])
def test_a_direction_is_told_as_often_as_stated_and_wrong_as_seldom(directed: float) -> None:
    found = Counter(seen.action for seen in takes(Confusion(noticed=1, directed=directed, wrong_way=0.03)))
    told = found["take"] + found["return"]
    assert_share(told, 2 * DRAWS, directed)
    assert_share(found["return"], told, 0.03)


def test_a_return_is_taken_for_a_take_as_often_as_the_other_way_round() -> None:
    eyes = glimpses(replace(SURE, wrong_way=0.2))
    found = [seen.action for _ in range(DRAWS) for seen in eyes.moved(0.0, S1, COLA, "return", NOBODY)]
    assert_share(found.count("take"), len(found), 0.2)


def test_a_movement_that_nobody_could_direct_stays_undirected() -> None:
    eyes = glimpses(SURE)
    assert {seen.action for _ in range(500) for seen in eyes.moved(0.0, S1, COLA, "unknown", NOBODY)} == {"unknown"}


def test_a_sighting_comes_after_its_movement_by_the_stated_lag() -> None:
    lags = [seen.t - 10.0 for seen in takes(SURE)]
    low, high = Confusion().lag_s
    assert low - 1e-4 <= min(lags) < low + 0.01
    assert high - 0.01 < max(lags) <= high + 1e-4
    assert all(seen.t0 < seen.t1 == seen.t for seen in takes(SURE))


def test_a_thing_that_the_catalogue_does_not_know_is_mostly_something_else() -> None:
    found = takes(SURE, None)
    assert all(seen.other >= 0.4 for seen in found)
    mostly = sum(seen.other >= 0.7 for seen in found)
    assert mostly / len(found) > Confusion().right


@pytest.mark.parametrize("sku", [COLA, CANDY, None])
@pytest.mark.parametrize("right", [0.0, 0.86, 1.0])
def test_scores_and_other_are_probabilities(sku: Sku | None, right: float) -> None:
    confusion = replace(SURE, right=right, compared_right=right)
    compared = glimpses(confusion).compared(0.0, 9.0, S1, {sku: -3}, NOBODY)
    for seen in [*takes(confusion, sku), *compared]:
        assert sum(seen.scores.values()) + seen.other == pytest.approx(1.0, abs=1e-6)
        assert min(*seen.scores.values(), seen.other) >= 0
        assert set(seen.scores) <= set(PLAN.wares)


# Pictures before and after.


def test_a_changed_front_unit_is_found_as_often_as_stated_and_one_behind_it_half_as_often() -> None:
    eyes = glimpses()
    looks = [eyes.compared(0.0, 9.0, S1, {COLA: -2}, frozenset({TOP})) for _ in range(DRAWS)]
    found = Counter(len(look) for look in looks)
    compared, hidden = Confusion().compared, Confusion().compared * Confusion().hidden
    assert_share(found[2], DRAWS, compared * hidden)
    assert_share(found[0], DRAWS, (1 - compared) * (1 - hidden))


def test_pictures_name_the_product_and_its_way_and_span_both_looks() -> None:
    eyes = glimpses()
    found = [s for _ in range(DRAWS) for s in eyes.compared(2.0, 9.0, S1, {COLA: -1, WATER: 1}, NOBODY)]
    assert {(seen.t0, seen.t1, seen.t) for seen in found} == {(2.0, 9.0, 9.0)}
    gone = [seen for seen in found if seen.action == "take"]
    come = [seen for seen in found if seen.action == "return"]
    assert len(gone) + len(come) == len(found)
    assert_share(len(gone), 2 * DRAWS, Confusion().compared)
    for seen, sku in ((gone, COLA), (come, WATER)):
        assert_share(sum(next(iter(s.scores)) == sku for s in seen), len(seen), Confusion().compared_right)


def test_now_and_then_pictures_show_what_nobody_moved() -> None:
    """Of three cameras two see the zone; each has a third of the visit's share."""
    eyes = glimpses(Confusion(phantom=0.3))
    found = [seen for _ in range(DRAWS) for seen in eyes.compared(0.0, 9.0, S1, {}, NOBODY)]
    assert_share(len(found), 2 * DRAWS, 0.1)
    assert {seen.action for seen in found} == {"unknown"}


# Who does not see.


def test_a_covered_camera_sees_nothing_and_the_others_go_on() -> None:
    assert {seen.camera for seen in takes(SURE, blind=frozenset({TOP}))} == {LEFT}
    assert takes(SURE, blind=frozenset(PLAN.cameras)) == []


def test_blind_eyes_see_nothing_at_all() -> None:
    eyes = glimpses(Confusion().blind())
    for _ in range(500):
        assert eyes.moved(0.0, S1, COLA, "take", NOBODY) == []
        assert eyes.compared(0.0, 9.0, S1, {COLA: -2}, NOBODY) == []
        assert eyes.compared(0.0, 9.0, S1, {}, NOBODY) == []


def test_the_same_dice_see_the_same() -> None:
    first, again, other = (glimpses(seed=seed).moved(0.0, S1, COLA, "take", NOBODY) for seed in (4, 4, 5))
    assert first == again != other
