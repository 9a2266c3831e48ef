"""What left or came, from the pictures before and after a visit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.ports import PortError, Scores
from cabinet.units import Sku, ZoneId
from cabinet.vision.change import Region
from cabinet.vision.gallery import Gallery
from cabinet.vision.pictures import Seen
from cabinet.vision.takes import best_sku, judge, look
from tests.vision import shelves
from tests.vision.shelves import FULL, GALLERY, ZONES, ColourJudge, nudged, photograph, render, without

CONDITIONS: dict[str, dict[str, Any]] = {
    "as it was": {},
    "nudged": {"shift": (5, -4)},
    "turned": {"turn": 0.8, "shift": (-3, 2)},
    "brighter": {"light": 1.15},
    "darker and nudged": {"light": 0.8, "shift": (4, 3)},
}


def told(seen: Sequence[Seen]) -> list[tuple[str, str, str | None]]:
    return sorted((s.zone, s.action, best_sku(Scores(s.scores, s.other))) for s in seen)


def compare(before: Sequence[shelves.Item], after: Sequence[shelves.Item], **condition: Any) -> list[Seen]:
    first, second = photograph(render(before), seed=5), photograph(render(after), seed=6, **condition)
    return look(first, second, ZONES, ColourJudge(), GALLERY)


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_an_untouched_shelf_shows_no_change(condition: dict[str, Any]) -> None:
    assert compare(FULL, FULL, **condition) == []


@pytest.mark.parametrize(
    ("index", "condition"), [*((n, "darker and nudged") for n in range(len(FULL))), *((1, name) for name in CONDITIONS)]
)
def test_each_product_taken_is_one_take_of_that_product(index: int, condition: str) -> None:
    item = FULL[index]
    assert told(compare(FULL, without(index), **CONDITIONS[condition])) == [(f"s{item.row + 1}", "take", item.sku)]


@pytest.mark.parametrize("index", range(len(FULL)))
def test_each_product_put_back_is_one_return_of_that_product(index: int) -> None:
    item = FULL[index]
    assert told(compare(without(index), FULL, shift=(3, -2))) == [(f"s{item.row + 1}", "return", item.sku)]


def test_takes_from_two_shelves_are_told_apart() -> None:
    after = [item for n, item in enumerate(FULL) if n not in {1, 5}]
    assert told(compare(FULL, after)) == [("s1", "take", "red"), ("s2", "take", "white")]


def test_two_products_taken_from_one_shelf_are_two_takes() -> None:
    after = [item for n, item in enumerate(FULL) if n not in {0, 2}]
    assert told(compare(FULL, after)) == [("s1", "take", "blue"), ("s1", "take", "red")]


def test_a_product_pushed_aside_a_little_is_no_change() -> None:
    assert compare(FULL, nudged(2, 6)) == []


def test_the_box_is_where_the_product_stood() -> None:
    (seen,) = compare(FULL, without(2), light=0.9)
    left, top, right, bottom = seen.box
    item = FULL[2]
    assert abs(left - item.x) <= 10
    assert abs(right - item.x - item.width) <= 10
    assert abs(top - (222 - item.height)) <= 12
    assert abs(bottom - 222) <= 12


def test_scores_and_other_sum_to_one() -> None:
    (seen,) = compare(FULL, without(0))
    assert sum(seen.scores.values()) + seen.other == pytest.approx(1)


def test_a_picture_of_another_size_is_compared_all_the_same() -> None:
    before, after = photograph(render(FULL)), photograph(render(without(3)))
    assert told(look(before, after[:478, :636], ZONES, ColourJudge(), GALLERY)) == [("s1", "take", "green")]


def test_an_array_that_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no picture"):
        look(np.zeros((480, 640), np.uint8), render(FULL), ZONES, ColourJudge(), GALLERY)


class Broken:
    def find(self, picture: NDArray[np.uint8]) -> tuple[int, int, int, int]:
        raise PortError(f"recogniser: broken at {picture.shape}")

    def embed(self, crop: NDArray[np.uint8]) -> Sequence[float]:
        raise PortError(f"recogniser: broken at {crop.shape}")

    def scores(self, crop: NDArray[np.uint8], gallery: Gallery) -> Scores:
        raise PortError(f"recogniser: broken at {crop.shape} {len(gallery)}")


def test_an_error_of_the_recogniser_is_never_nothing_taken() -> None:
    with pytest.raises(PortError):
        look(render(FULL), render(without(0)), ZONES, Broken(), GALLERY)


A, B = Sku("a"), Sku("b")


def judged(lost: float, gained: float, before: Scores, after: Scores) -> list[tuple[str, str, str | None]]:
    return told(judge(Region(ZoneId("s1"), (0, 0, 40, 90), lost, gained), before, after))


SEES_A, SEES_B, SEES_NONE = (
    Scores({A: 0.9, B: 0.05}, 0.05),
    Scores({A: 0.05, B: 0.9}, 0.05),
    Scores({A: 0.02, B: 0.02}, 0.96),
)


def test_one_product_in_another_ones_place_is_a_take_and_a_return() -> None:
    assert judged(0.8, 0.8, SEES_A, SEES_B) == [("s1", "return", "b"), ("s1", "take", "a")]


def test_the_same_product_on_both_sides_has_no_direction() -> None:
    assert judged(0.8, 0.8, SEES_A, SEES_A) == [("s1", "unknown", "a")]


def test_the_shape_of_the_change_decides_where_the_recogniser_knows_neither_side() -> None:
    assert judged(0.9, 0.3, SEES_NONE, SEES_NONE)[0][1] == "take"


def test_witnesses_that_contradict_each_other_name_no_direction() -> None:
    assert judged(0.9, 0.5, SEES_NONE, SEES_A)[0][1] == "unknown"
