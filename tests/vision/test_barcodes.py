"""Barcodes on what moves: which of them count, how often they are looked for, and how much they are believed."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.units import Sku
from cabinet.vision.barcodes import READ_EVERY_S, SURE, BarcodeFinder, convinced
from cabinet.vision.motion import MotionFinder
from cabinet.vision.pictures import Seen
from tests.vision.shelves import FULL, GALLERY, ZONES, ColourJudge, photograph, render, without

Pixels = NDArray[np.uint8]
COLA, WATER = Sku("070847811169"), Sku("5449000000996")
BRIGHT, DARK = np.full((60, 60, 3), 200, np.uint8), np.full((60, 60, 3), 10, np.uint8)
BOX = (5, 5, 50, 50)


class Script:
    """Reads `moving` on bright crops and `resting` on dark ones."""

    def __init__(self, moving: Sequence[str], resting: Sequence[str] = ()) -> None:
        self.moving, self.resting, self.asked = moving, resting, 0

    def read(self, picture: Pixels) -> Sequence[str]:
        self.asked += 1
        return self.moving if picture.mean() > 100 else self.resting


def read(script: Script) -> frozenset[Sku]:
    return BarcodeFinder(script).read(BRIGHT, DARK, BOX, 1.0, [COLA, WATER])


def test_a_code_of_the_gallery_names_its_product() -> None:
    assert read(Script(["5449000000996"])) == {WATER}


def test_a_leading_zero_more_is_the_same_product() -> None:
    assert read(Script(["0070847811169"])) == {COLA}


@pytest.mark.parametrize("text", ["", "4006381333931", "https://example.org", "544900000099"])
def test_any_other_text_names_nothing(text: str) -> None:
    assert read(Script([text])) == frozenset()


def test_a_code_that_stands_there_at_rest_is_not_what_moves() -> None:
    assert read(Script(["5449000000996"], ["5449000000996"])) == frozenset()


def test_codes_are_read_twice_a_second_at_most() -> None:
    script = Script([])
    finder = BarcodeFinder(script)
    for n in range(100):
        finder.read(BRIGHT, DARK, BOX, n / 10, [COLA])
    assert 0 < script.asked <= 10 / READ_EVERY_S


def test_one_code_is_believed_and_the_scores_still_sum_to_one() -> None:
    scores, other = convinced({COLA: 0.2, WATER: 0.5}, 0.3, {COLA})
    assert scores[COLA] == SURE
    assert sum(scores.values()) + other == pytest.approx(1)


@pytest.mark.parametrize("codes", [set(), {COLA, WATER}])
def test_no_code_or_two_change_no_score(codes: set[Sku]) -> None:
    assert convinced({COLA: 0.2, WATER: 0.5}, 0.3, codes) == ({COLA: 0.2, WATER: 0.5}, 0.3)


def hand(x: int) -> Pixels:
    picture = render(FULL)
    picture[60:200, x : x + 90] = (150, 180, 225)
    return photograph(picture, seed=x)


def film(after: Pixels, light: float = 1.0) -> list[Seen]:
    finder, seen = MotionFinder(), []
    before = [photograph(render(FULL), seed=n) for n in range(4)]
    later = [photograph(after, light=light, seed=20 + n) for n in range(8)]
    for n, picture in enumerate([*before, *(hand(x) for x in (20, 100, 200, 290, 330, 240, 120)), *later]):
        seen += finder.update(picture, n * 0.2, ZONES, ColourJudge(), GALLERY)
    return [s for s in seen if s.action != "unknown"]


def test_a_hand_that_takes_one_product_is_one_take_of_it() -> None:
    assert [(s.action, max(s.scores, key=s.scores.__getitem__)) for s in film(render(without(2)))] == [("take", "blue")]


def test_a_hand_that_takes_two_at_once_is_two_takes() -> None:
    assert [s.action for s in film(render((*FULL[:1], *FULL[3:])))] == ["take", "take"]


@pytest.mark.parametrize("light", [1.0, 0.85, 1.15])
def test_a_hand_that_changes_nothing_invents_nothing_whatever_the_light(light: float) -> None:
    assert film(render(FULL), light) == []


class Label:
    """Reads one code wherever the hand is in the picture."""

    def read(self, picture: Pixels) -> Sequence[str]:
        skin = np.abs(picture.astype(np.int16) - (150, 180, 225)).max(axis=2) < 40
        return ["5449000000996"] if skin.mean() > 0.05 else []


def test_a_take_carries_what_its_barcode_said() -> None:
    gallery = {**GALLERY, WATER: GALLERY[Sku("blue")]}
    finder, seen = MotionFinder(BarcodeFinder(Label())), []
    before = [photograph(render(FULL), seed=n) for n in range(4)]
    after = [photograph(render(without(2)), seed=20 + n) for n in range(8)]
    for n, picture in enumerate([*before, *(hand(x) for x in (20, 100, 200, 290, 330, 240, 120)), *after]):
        seen += finder.update(picture, n * 0.2, ZONES, ColourJudge(), gallery)
    assert [(s.action, s.scores[WATER]) for s in seen] == [("take", SURE)]


def test_a_lamp_that_bleaches_the_picture_is_no_movement() -> None:
    before = [photograph(render(FULL), seed=n) for n in range(4)]
    after = [photograph(render(FULL), light=1.4, seed=20 + n) for n in range(8)]
    finder, seen = MotionFinder(), []
    for n, picture in enumerate([*before, *after]):
        seen += finder.update(picture, n * 0.2, ZONES, ColourJudge(), GALLERY)
    assert seen == []
