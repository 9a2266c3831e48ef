"""One frame: which face is meant, is it good enough, whose is it; and how near is near enough."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinet.identity.budget import DIGITS, KNOWN, pair_share, threshold, with_digits
from cabinet.identity.gallery import Near
from cabinet.identity.outcomes import LowQuality, Matched, NeedsDigits, SeveralPeople, Unknown
from cabinet.identity.recognise import DOUBT, Least, Rules, both, choose, decide_face, doubtful, good_enough
from cabinet.identity.seen import Quality, SeenFace
from cabinet.units import MemberId

ANNA, BEN = MemberId("anna"), MemberId("ben")
GOOD = Quality(height_px=160, sharpness=80, brightness=120, contrast=40, yaw=0.0, pitch=0.0, roll_deg=0.0)


def face(left: int, top: int, right: int, bottom: int, **quality: Any) -> SeenFace:
    return SeenFace(left, top, right, bottom, 0.9, replace(GOOD, **quality))


NEAR, BESIDE, BEHIND = face(0, 0, 160, 160), face(200, 0, 350, 150), face(400, 0, 460, 60)


def test_the_only_face_is_meant() -> None:
    assert choose([BEHIND]) == BEHIND


def test_whoever_is_clearly_larger_is_meant() -> None:
    assert choose([BEHIND, NEAR]) == NEAR


def test_two_people_side_by_side_are_several_and_the_nearest_who_looks_is_named() -> None:
    assert choose([BESIDE, NEAR]) == SeveralPeople(2, NEAR)


def test_of_two_people_side_by_side_the_one_who_looks_at_the_camera_is_named() -> None:
    aside = face(0, 0, 160, 160, yaw=0.8)
    assert choose([aside, BESIDE]) == SeveralPeople(2, BESIDE)


def test_several_who_all_look_away_are_nobody() -> None:
    assert choose([face(0, 0, 160, 160, yaw=0.8), face(200, 0, 350, 150, yaw=-0.8)]) == SeveralPeople(2, None)


def test_no_face_is_nobody() -> None:
    assert choose([]) is None


def test_a_face_without_area_is_nobody() -> None:
    assert choose([face(5, 5, 5, 9)]) is None


def test_a_good_face_may_be_compared() -> None:
    assert good_enough(NEAR) is None


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"height_px": 20.0}, "too far"),
        ({"brightness": 10.0}, "too dark"),
        ({"brightness": 250.0}, "too bright"),
        ({"sharpness": 1.0}, "blurred"),
        ({"yaw": -0.9}, "turned away"),
        ({"pitch": 0.95}, "turned away"),
        ({"cut": True}, "cut off"),
        ({"contrast": 2.0}, "no contrast"),
    ],
)
def test_a_bad_face_says_what_is_wrong_with_it(spoilt: dict[str, Any], why: str) -> None:
    assert good_enough(face(0, 0, 160, 160, **spoilt)) == LowQuality(why)  # type: ignore[arg-type]  # a table of the words


def test_what_is_good_enough_can_be_set() -> None:
    assert good_enough(face(0, 0, 20, 20, height_px=20.0), Least(height_px=10.0)) is None


def near(anna: float, ben: float = 0.9) -> list[Near]:
    return sorted([Near(ANNA, anna), Near(BEN, ben)], key=lambda one: one.distance)


RULES = Rules()


def test_a_near_face_alone_is_matched() -> None:
    assert decide_face(near(0.3), 2, RULES) == Matched(ANNA, 0.3, 0.9)


def test_a_face_of_nobody_is_unknown() -> None:
    assert decide_face(near(0.8), 2, RULES) == Unknown(0.8)


def test_nobody_is_known_to_an_empty_gallery() -> None:
    assert decide_face([], 0, RULES) == Unknown(float("inf"))


def test_a_face_near_two_members_needs_digits_of_both() -> None:
    assert decide_face(near(0.30, 0.32), 2, RULES) == NeedsDigits((ANNA, BEN))


def test_in_a_large_gallery_the_same_face_needs_digits() -> None:
    assert isinstance(decide_face(near(0.35), 2, RULES), Matched)
    assert decide_face(near(0.35), 10_000, RULES) == NeedsDigits((ANNA,))


def test_somebody_near_and_not_surely_is_doubtful() -> None:
    alone = RULES.alone(2)
    assert doubtful(near(alone + 0.01), 2, RULES)
    assert not doubtful(near(alone - 0.01), 2, RULES)
    assert not doubtful(near(alone + DOUBT + 0.01), 2, RULES)
    assert not doubtful([], 0, RULES)


def test_two_networks_are_heard_as_their_mean() -> None:
    slower = [Near(BEN, 0.1)]
    assert both(near(0.3, 0.5), slower) == [Near(ANNA, 0.3), Near(BEN, 0.3)]


def test_the_farthest_holds_whatever_the_budget_allows() -> None:
    assert not isinstance(decide_face(near(0.55), 1, Rules(false_match=0.01)), Matched)


@given(st.integers(1, 100_000), st.floats(1e-6, 1e-2))
def test_the_threshold_keeps_the_budget_and_no_more(members: int, budget: float) -> None:
    limit = threshold(members, budget)
    assert 1 - (1 - pair_share(limit)) ** members == pytest.approx(budget, rel=1e-3)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_more_members_never_make_it_laxer(one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert threshold(many, 1e-4) <= threshold(few, 1e-4) + 1e-9
    assert RULES.alone(many) <= RULES.alone(few) + 1e-9
    assert RULES.together(many) >= RULES.alone(many)


@given(st.integers(1, 100_000))
def test_guessed_digits_keep_their_budget(templates: int) -> None:
    near_somebody = 1 - (1 - pair_share(RULES.together(templates))) ** templates
    assert near_somebody * RULES.tries / DIGITS <= max(RULES.false_match_digits, RULES.false_match / 1000) * 1.001


def test_whoever_knows_the_digits_must_look_like_their_owner() -> None:
    assert with_digits(1, 1e-2, tries=1) == threshold(1, KNOWN)
