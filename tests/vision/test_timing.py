"""A camera whose pictures come later than the scale's samples."""

import pytest

from cabinet.vision.timing import LATE_S, LATE_VISITS, MOST_LATE_S, Timing


def after(*visits: tuple[float | None, float | None]) -> Timing:
    timing = Timing()
    for moved_s, felt_s in visits:
        timing.visit(moved_s, felt_s)
    return timing


def test_a_hand_that_is_seen_before_it_is_felt_is_in_order() -> None:
    assert after(*[(10.0, 10.8)] * 5).trouble() is None


def test_a_camera_that_is_late_visit_after_visit_is_told_with_its_offset() -> None:
    said = after(*[(11.5, 10.0)] * LATE_VISITS).trouble()
    assert said is not None
    assert "1.5 s after the scale" in said


def test_once_is_no_proof() -> None:
    assert after((11.5, 10.0), (10.0, 10.5), (11.5, 10.0)).trouble() is None


def test_it_ends_with_a_visit_in_order() -> None:
    assert after(*[(11.5, 10.0)] * 4, (10.0, 10.2)).trouble() is None


@pytest.mark.parametrize(
    "visit", [(None, 10.0), (10.0, None), (10.0 + LATE_S, 10.0)], ids=["unseen", "unfelt", "within"]
)
def test_a_visit_that_tells_nothing_counts_for_nothing(visit: tuple[float | None, float | None]) -> None:
    assert after(*[visit] * 4).trouble() is None


@pytest.mark.parametrize(
    ("moved_s", "felt_s", "lag_s"),
    [(11.1, 10.0, 1.1), (10.5, 10.0, 0.0), (9.0, 10.0, 0.0), (15.0, 10.0, 0.0), (None, 10.0, 0.0), (10.0, None, 0.0)],
)
def test_the_visit_under_way_tells_how_late_its_pictures_are(
    moved_s: float | None, felt_s: float | None, lag_s: float
) -> None:
    assert Timing().lag_s(moved_s, felt_s) == pytest.approx(lag_s)


def test_a_visit_that_tells_nothing_is_as_late_as_the_last_one() -> None:
    assert after((11.5, 10.0)).lag_s(None, 20.0) == pytest.approx(1.5)


def test_nobody_waits_long_for_a_camera_that_is_very_late() -> None:
    assert after((40.0, 10.0)).lag_s(None, None) == MOST_LATE_S
