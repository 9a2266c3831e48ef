"""From vectors to probabilities."""

import numpy as np
import pytest

from cabinet.units import Sku
from cabinet.vision.finding import box_of
from cabinet.vision.gallery import Reference
from cabinet.vision.likeness import Fit, ForeignReferenceError, known, probabilities, reference_of, unit

A, B = Sku("a"), Sku("b")
FIT = Fit(temperature=0.1, other_threshold=0.5, spread_weight=0.5, usual_spread=0.2)
EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def shares(*vectors: tuple[float, float], fit: Fit = FIT, spread: float = 0.2) -> list[list[float]]:
    among = known({A: Reference(EAST, spread), B: Reference(NORTH, 0.2)}, 2, fit)
    return [[float(x) for x in row] for row in probabilities(np.array(vectors, np.float32), among, fit)]


def test_every_row_sums_to_one() -> None:
    assert [sum(row) for row in shares(EAST, NORTH, (-1.0, 0.0))] == pytest.approx([1, 1, 1])


def test_what_is_like_a_product_is_that_product() -> None:
    assert [int(np.argmax(row)) for row in shares(EAST, NORTH)] == [0, 1]


def test_what_is_like_no_product_is_something_else() -> None:
    assert int(np.argmax(shares((-0.7, -0.7))[0])) == 2


def test_a_product_whose_photographs_differ_is_met_at_a_smaller_cosine() -> None:
    slanted = (0.6, -0.8)
    assert shares(slanted, spread=0.4)[0][0] > shares(slanted, spread=0.2)[0][0]


def test_an_empty_gallery_knows_nothing() -> None:
    assert probabilities(np.ones((1, 2), np.float32), known({}, 2, FIT), FIT).tolist() == [[1.0]]


@pytest.mark.parametrize("mean", [(1.0, 0.0, 0.0), (2.0, 0.0), (float("nan"), 0.0)], ids=["long", "loud", "nan"])
def test_a_reference_of_another_model_is_named(mean: tuple[float, ...]) -> None:
    with pytest.raises(ForeignReferenceError, match="a"):
        known({A: Reference(mean)}, 2, FIT)


def test_photographs_that_agree_have_a_smaller_spread() -> None:
    alike = unit(np.array([[1, 0.1], [1, 0.0], [1, -0.1]], np.float32))
    apart = unit(np.array([[1, 1.0], [1, 0.0], [1, -1.0]], np.float32))
    assert reference_of(alike).spread < reference_of(apart).spread


def test_few_photographs_count_as_wider_than_many() -> None:
    alike = unit(np.array([[1, 0.05], [1, -0.05]] * 5, np.float32))
    assert reference_of(alike[:1]).spread > reference_of(alike[:2]).spread > reference_of(alike).spread


def test_the_box_lies_round_the_cells_that_are_likely() -> None:
    odds = np.full((14, 14), -6.0, np.float32)
    odds[4:10, 2:7] = 6.0
    left, top, right, bottom = box_of(odds, 1400, 700)
    assert [left, top, right, bottom] == pytest.approx([200, 200, 700, 500], abs=40)


def test_of_two_likely_places_the_larger_is_taken() -> None:
    odds = np.full((14, 14), -6.0, np.float32)
    odds[1:3, 1:3] = odds[6:13, 6:13] = 5.0
    assert box_of(odds, 140, 140)[0] > 50


def test_a_box_is_never_a_sliver() -> None:
    odds = np.full((14, 14), -9.0, np.float32)
    odds[7, 7] = 9.0
    left, top, right, bottom = box_of(odds, 64, 64)
    assert min(right - left, bottom - top) >= 16
