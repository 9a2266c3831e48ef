"""Photographs that do not belong, and products that look alike."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cabinet.adapters.tflite import ItemRecogniser
from cabinet.config import OUR_MODEL
from cabinet.units import Sku
from cabinet.vision.confusion import confusable, mixed_up, outliers, separating_g
from cabinet.vision.gallery import Reference
from cabinet.vision.likeness import Vectors, reference_of, unit
from cabinet.vision.pictures import cut
from cabinet.vision.takes import padded

A, B = Sku("a"), Sku("b")
DIM = 32


def photographs(direction: int, count: int, noise: float = 0.05, seed: int = 1) -> Vectors:
    """Vectors that scatter round one axis."""
    middle = np.zeros(DIM)
    middle[direction] = 1
    return unit(middle + np.random.default_rng(seed).normal(0, noise, (count, DIM)))


def test_photographs_that_agree_have_no_outlier() -> None:
    assert outliers(photographs(0, 6), {}) == []


def test_a_photograph_of_something_else_is_an_outlier() -> None:
    mixed = np.concatenate([photographs(0, 5), photographs(3, 1)])
    assert [one.row for one in outliers(mixed, {})] == [5]


def test_a_photograph_of_a_known_product_is_an_outlier_that_says_which() -> None:
    mixed = np.concatenate([photographs(0, 2), photographs(3, 1, seed=2), photographs(0, 2, seed=3)])
    assert [(one.row, one.like) for one in outliers(mixed, {B: reference_of(photographs(3, 5))})] == [(2, B)]


def test_photographs_that_all_differ_a_little_are_kept() -> None:
    assert outliers(photographs(0, 6, noise=0.12), {}) == []


@pytest.mark.parametrize("count", [1, 2])
def test_of_one_or_two_photographs_nobody_knows_which_is_wrong(count: int) -> None:
    assert outliers(np.concatenate([photographs(0, 1), photographs(3, count - 1)])[:count], {}) == []


def ref(angle: float, spread: float = 0.2) -> Reference:
    return Reference((float(np.cos(angle)), float(np.sin(angle))), spread, 5)


def test_the_nearer_two_products_are_the_more_they_are_mixed_up() -> None:
    shares = [mixed_up(ref(0), ref(angle)) for angle in (0.05, 0.3, 0.8, 1.5)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.3
    assert shares[-1] < 0.01


def test_a_wider_product_is_mixed_up_more() -> None:
    assert mixed_up(ref(0, 0.4), ref(0.5)) > mixed_up(ref(0, 0.1), ref(0.5))


def test_look_alikes_are_named_the_worst_first_and_never_itself() -> None:
    gallery = {A: ref(0.0), B: ref(0.1), Sku("c"): ref(0.05), Sku("d"): ref(1.5)}
    assert [sku for sku, _ in confusable(A, gallery[A], gallery)] == ["c", "b"]


def test_heavier_spread_and_noise_need_a_larger_difference() -> None:
    assert separating_g(1, 1, 1) < separating_g(5, 1, 1) < separating_g(5, 5, 3)


def vectors_of(recogniser: ItemRecogniser, paths: list[Path]) -> Vectors:
    crops = []
    for path in paths:
        shown = cv2.imread(str(path))
        assert shown is not None
        picture = np.asarray(shown, np.uint8)
        crops.append(cut(picture, padded(recogniser.find(picture), picture.shape[1], picture.shape[0])))
    return recogniser.vectors(crops)


def test_a_real_photograph_among_anothers_is_found_and_clean_sets_are_left_alone(shared_data: Path) -> None:
    """Two of these seven sets hold a photograph that differs (likeness 0.2 and 0.4 among siblings at 0.8)."""
    recogniser = ItemRecogniser(OUR_MODEL)
    folders = sorted((shared_data / "grocery" / "packaged" / "train").iterdir())[::3]
    known = {Sku(f.name): vectors_of(recogniser, sorted(f.glob("*.jpg"))[:6]) for f in folders}
    clean = sum(bool(outliers(vectors, {})) for vectors in known.values())
    names = list(known)
    caught = 0
    for one, other in zip(names, [*names[1:], names[0]], strict=True):
        mixed = np.concatenate([known[one][:5], known[other][:1]])
        caught += 5 in [found.row for found in outliers(mixed, {other: reference_of(known[other][1:])})]
    assert caught == len(names)
    assert clean <= 2
