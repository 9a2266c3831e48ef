"""Who is nearest, among everybody's templates at once."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity.gallery import SIZE, FaceGallery
from cabinet.units import MemberId

ANNA, BEN, CLEO = (MemberId(name) for name in ("anna", "ben", "cleo"))


def at(x: float) -> list[float]:
    return [x] + [0.0] * (SIZE - 1)


def test_the_nearest_comes_first_with_its_distance() -> None:
    found = FaceGallery([(ANNA, at(0.0)), (BEN, at(1.0))]).nearest(at(0.3))
    assert [(near.member, round(near.distance, 5)) for near in found] == [(ANNA, 0.3), (BEN, 0.7)]


def test_a_members_templates_are_as_good_as_their_nearest() -> None:
    found = FaceGallery([(ANNA, at(9.0)), (ANNA, at(0.1)), (BEN, at(1.0))]).nearest(at(0.0))
    assert [near.member for near in found] == [ANNA, BEN]


def test_members_are_counted_and_not_templates() -> None:
    assert len(FaceGallery([(ANNA, at(0.0)), (ANNA, at(0.1)), (BEN, at(1.0))])) == 2


def test_every_template_counts_as_a_search_but_those_of_whom_is_left_out() -> None:
    gallery = FaceGallery([(ANNA, at(0.0)), (ANNA, at(0.1)), (BEN, at(1.0))])
    assert (gallery.searched(), gallery.searched(ANNA), gallery.searched(CLEO)) == (3, 1, 3)


def test_an_empty_gallery_finds_nobody() -> None:
    assert FaceGallery().nearest(at(0.0)) == []


@pytest.mark.parametrize("bad", [[0.0], [math.nan] * SIZE, [math.inf] * SIZE])
def test_a_template_that_is_none_is_left_out_and_counted(bad: list[float]) -> None:
    gallery = FaceGallery([(ANNA, bad), (BEN, at(1.0))])
    assert (len(gallery), gallery.spoilt, ANNA in gallery) == (1, 1, False)


@pytest.mark.parametrize("bad", [[0.0], [math.nan] * SIZE])
def test_a_face_that_is_no_numbers_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        FaceGallery([(ANNA, at(0.0))]).nearest(bad)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**31))
def test_it_finds_what_comparing_one_by_one_finds(members: int, most: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    rows = dice.normal(0, 0.1, (members * 2, SIZE)).astype(np.float32)
    face = dice.normal(0, 0.1, SIZE).astype(np.float32)
    templates = [(MemberId(f"m{n // 2}"), row.tolist()) for n, row in enumerate(rows)]
    apart: dict[MemberId, float] = {}
    for member, row in templates:
        apart[member] = min(apart.get(member, math.inf), math.dist(row, face.tolist()))
    wanted = sorted(apart.values())[:most]
    found = FaceGallery(templates).nearest(face.tolist(), most)
    assert [near.distance for near in found] == pytest.approx(wanted, abs=1e-3)
    assert len({near.member for near in found}) == len(found)
