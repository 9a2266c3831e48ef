"""Curves in block characters."""

import pytest

from cabinet.cli.plot import BLOCKS, GAP, bounds, curve


def test_what_is_still_is_drawn_in_the_middle_of_a_room_of_its_own() -> None:
    assert bounds([100.0, 100.2], 5.0) == pytest.approx((97.6, 102.6))


def test_what_moves_fills_the_room() -> None:
    assert bounds([0.0, None, 1000.0], 5.0) == (0.0, 1000.0)


def test_nothing_known_has_a_room_too() -> None:
    assert bounds([None], 5.0) == (0.0, 5.0)


def test_a_curve_rises_from_one_eighth_to_the_top() -> None:
    assert curve([float(n) for n in range(8)], 8, 1, (0.0, 7.0)) == [BLOCKS[1:]]


def test_rows_are_filled_from_below() -> None:
    assert curve([0.0, 7.0, 15.0], 3, 2, (0.0, 15.0)) == ["  █", "▁██"]


def test_the_newest_value_is_at_the_right_and_the_oldest_fall_off() -> None:
    assert curve([9.0, 0.0, 9.0], 2, 1, (0.0, 9.0)) == ["▁█"]
    assert curve([9.0], 3, 1, (0.0, 9.0)) == ["  █"]


def test_a_hole_is_a_dot_at_the_bottom() -> None:
    assert curve([1.0, None], 2, 2, (0.0, 1.0)) == ["█ ", "█" + GAP]


@pytest.mark.parametrize("value", [-1e9, 1e9, 0.0])
def test_what_lies_outside_stays_inside_the_picture(value: float) -> None:
    (line,) = curve([value], 1, 1, (0.0, 1.0))
    assert line in BLOCKS[1:]


def test_a_room_without_height_draws_a_line() -> None:
    assert len(curve([5.0, 5.0], 2, 3, (5.0, 5.0))) == 3
