"""Whose face it is, and when the answer is: not sure."""

from collections import Counter
from collections.abc import Sequence
from math import inf, nan

import pytest

from cabinet.identity.match import Answer, Match, Stranger, Unclear, match
from cabinet.ports import Template
from cabinet.units import MemberId

ANNA, BEN = MemberId("anna"), MemberId("ben")


def face(*numbers: float) -> tuple[float, ...]:
    return (*numbers, *[0.0] * (4 - len(numbers)))


def near(number: float) -> float:
    return pytest.approx(number)  # type: ignore[return-value]  # compares like a number


def ask(vector: Sequence[float], *templates: tuple[MemberId, tuple[float, ...]]) -> Answer:
    return match(vector, [Template(member, numbers) for member, numbers in templates])


def test_the_nearest_member_is_the_match() -> None:
    assert ask(face(0.1), (ANNA, face(0.0)), (BEN, face(0.9))) == Match(ANNA, near(0.1))


def test_a_face_farther_than_the_threshold_is_a_stranger() -> None:
    assert ask(face(0.51), (ANNA, face(0.0))) == Stranger(near(0.51))


def test_a_face_exactly_at_the_threshold_is_known() -> None:
    assert isinstance(ask(face(0.5), (ANNA, face(0.0))), Match)


def test_a_face_between_two_members_is_unclear() -> None:
    answer = ask(face(0.2), (ANNA, face(0.0)), (BEN, face(0.42)))
    assert answer == Unclear(near(0.2), near(0.22))


def test_two_templates_of_one_member_do_not_compete() -> None:
    assert isinstance(ask(face(0.2), (ANNA, face(0.0)), (ANNA, face(0.41)), (BEN, face(0.9))), Match)


def test_with_nobody_enrolled_everybody_is_a_stranger() -> None:
    assert ask(face(0.0)) == Stranger(inf)


def test_templates_of_another_length_are_never_compared() -> None:
    assert ask(face(0.0), (ANNA, (0.0, 0.0))) == Stranger(inf)


def test_a_damaged_template_opens_no_door() -> None:
    assert ask(face(0.0), (ANNA, face(nan)), (BEN, face(0.1))) == Match(BEN, near(0.1))


@pytest.mark.parametrize("vector", [(), face(nan), face(inf)])
def test_a_vector_without_numbers_is_an_error_and_no_stranger(vector: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="finite"):
        ask(vector, (ANNA, face(0.0)))


def test_order_of_enrolment_does_not_matter() -> None:
    people = [(ANNA, face(0.0)), (BEN, face(0.6)), (ANNA, face(0.3))]
    answers = Counter(str(ask(face(0.2), *order)) for order in (people, people[::-1]))
    assert len(answers) == 1
