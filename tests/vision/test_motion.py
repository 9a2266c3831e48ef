"""What is carried past a zone while the door is open."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cabinet.ports import Scores
from cabinet.units import Sku
from cabinet.vision.gallery import Gallery
from cabinet.vision.motion import LOOKS_PER_S, MotionFinder
from cabinet.vision.pictures import Seen
from tests.vision.shelves import FULL, GALLERY, ZONES, ColourJudge, Item, draw, photograph, render

Pixels = NDArray[np.uint8]
SHELF = render(FULL)
STEP_S = 0.2


def carried(x: int, sku: str = "red", row: int = 0) -> Pixels:
    """A product in front of the shelf, on its way."""
    picture = SHELF.astype(np.float32)
    draw(picture, Item(Sku(sku), x, row, 70, 140))
    return photograph(np.clip(picture, 0, 255).astype(np.uint8), seed=x)


def film(pictures: Sequence[Pixels], judge: "Counting | ColourJudge | None" = None) -> list[Seen]:
    finder, seen = MotionFinder(), []
    for n, picture in enumerate(pictures):
        seen += finder.update(picture, n * STEP_S, ZONES, judge or ColourJudge(), GALLERY)
    return seen


class Counting(ColourJudge):
    def __init__(self) -> None:
        self.asked = 0

    def scores(self, crop: Pixels, gallery: Gallery) -> Scores:
        self.asked += 1
        return super().scores(crop, gallery)


def still(count: int) -> list[Pixels]:
    return [photograph(SHELF, seed=n) for n in range(count)]


def test_a_still_shelf_shows_nothing() -> None:
    assert film(still(20)) == []


def test_one_product_carried_past_is_one_sighting_of_it() -> None:
    seen = film([*still(4), *(carried(x, "green") for x in range(60, 500, 60)), *still(8)])
    assert [(s.zone, s.action, max(s.scores, key=s.scores.__getitem__)) for s in seen] == [("s1", "unknown", "green")]


def test_the_scores_of_a_sighting_sum_to_one() -> None:
    seen = film([*still(4), *(carried(x, "green") for x in range(60, 500, 60)), *still(8)])
    assert [round(sum(s.scores.values()) + s.other, 6) for s in seen] == [1.0]


def test_the_lamp_going_on_is_no_sighting() -> None:
    assert film([*still(4), *(photograph(SHELF, light=1.3, seed=n) for n in range(12))]) == []


def test_crops_are_looked_at_only_so_often() -> None:
    judge, pictures = Counting(), [carried(x % 500, "blue") for x in range(0, 6000, 97)]
    film(pictures, judge)
    assert 0 < judge.asked <= LOOKS_PER_S * (len(pictures) * STEP_S + 1)


def test_frames_that_come_too_fast_are_skipped() -> None:
    judge, finder = Counting(), MotionFinder()
    for n in range(30):
        finder.update(carried(n * 15), n * 0.001, ZONES, judge, GALLERY)
    assert judge.asked == 0


def test_without_a_recogniser_nothing_is_seen() -> None:
    finder = MotionFinder()
    assert [finder.update(carried(x), x / 100, ZONES, None, GALLERY) for x in range(0, 400, 50)] == [[]] * 8
