"""Outlines of zones from corner marks under tilt, noise, blur, JPEG and light, and from restock pictures."""

import cv2
import numpy as np
import pytest

from cabinet.units import ZoneId
from cabinet.vision.calibration import Finding, by_markers, by_restock, drawn, shared
from cabinet.vision.markers import find, sheets
from tests.vision.marked import CHANNELS, S1, S2, Pixels, goods, off, put, seen, truth, view, wall

VIEWS = [(0, 0), (20, 0), (30, 0), (0, 25), (25, 20), (30, 30)]


def why(finding: Finding, zone: ZoneId) -> str:
    return next(found.why or "" for found in finding.zones if found.zone == zone)


# Marks.


@pytest.mark.parametrize(("tilt", "turn"), VIEWS)
@pytest.mark.parametrize("width", [640, 1280])
def test_every_corner_is_found_within_two_pixels(tilt: float, turn: float, width: int) -> None:
    movement = view(tilt, turn, width)
    finding = by_markers(seen(wall(), movement, width=width), CHANNELS)
    assert finding.ok
    assert max(off(found.polygon, found.zone, movement) for found in finding.zones) < 2.0


@pytest.mark.parametrize("light", [0.5, 0.75, 1.3])
@pytest.mark.parametrize(("tilt", "turn"), [(0, 0), (20, 0), (25, 20)])
def test_nor_does_the_light_move_them(light: float, tilt: float, turn: float) -> None:
    movement = view(tilt, turn)
    finding = by_markers(seen(wall(), movement, light=light), CHANNELS)
    assert finding.ok
    assert max(off(found.polygon, found.zone, movement) for found in finding.zones) < 3.0


@pytest.mark.parametrize(("tilt", "turn"), [(0, 0), (20, 0), (30, 0), (0, 25)])
def test_a_noisy_blurred_and_squeezed_picture_is_worth_a_few_pixels(tilt: float, turn: float) -> None:
    movement = view(tilt, turn)
    finding = by_markers(seen(wall(), movement, noise=8, blur=1.2, quality=60), CHANNELS)
    assert finding.ok
    assert max(off(found.polygon, found.zone, movement) for found in finding.zones) < 6.0


def test_polygons_are_convex_and_go_clockwise_from_the_top_left() -> None:
    for found in by_markers(seen(wall(), view(25, 20)), CHANNELS).zones:
        corners = np.asarray(found.polygon, np.float32)
        assert cv2.isContourConvex(corners)
        assert corners[0] @ (1, 1) == min(corners @ (1, 1))
        assert corners[2] @ (1, 1) == max(corners @ (1, 1))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_camera_may_hang_on_its_side_or_upside_down(turns: int) -> None:
    picture = np.ascontiguousarray(np.rot90(seen(wall(), view(20)), turns))
    finding = by_markers(picture, CHANNELS)
    assert (finding.ok, [found.notes for found in finding.zones]) == (True, [(), ()])


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_three_marks_are_enough_and_the_fourth_corner_is_said_to_be_guessed(missing: int) -> None:
    movement = view(25, 20)
    finding = by_markers(seen(wall((missing,)), movement), CHANNELS)
    assert finding.ok
    assert off(finding.zones[0].polygon, S1, movement) < 10.0
    assert f"mark {missing} (" in finding.zones[0].notes[0]
    assert "guessed from the size of the others" in finding.zones[0].notes[0]


def test_marks_that_are_not_upright_leave_a_parallelogram() -> None:
    shown = wall((0, 1, 2, 3))
    for number, at in ((0, (100, 60)), (1, (1028, 60)), (3, (100, 348))):
        stuck = np.full((92, 92, 3), 245, np.uint8)
        put(stuck, number, (10, 10))
        left, top = at
        shown[top - 10 : top + 82, left - 10 : left + 82] = np.rot90(stuck, number)
    finding = by_markers(seen(shown, view()), {S1: 0})
    assert "as a parallelogram's" in finding.zones[0].notes[0]
    assert off(finding.zones[0].polygon, S1, view()) < 4.0


def test_two_marks_are_refused_with_the_corners_to_look_for() -> None:
    finding = by_markers(seen(wall((1, 2)), view(20)), CHANNELS)
    assert not finding.ok
    assert why(finding, S1) == "2 of 4 marks found, 3 are needed: look for 1 (top right), 2 (bottom right)"
    assert finding.zones[1].polygon is not None


def test_a_shelf_without_marks_is_refused() -> None:
    finding = by_markers(seen(wall(marks=False), view(20)), CHANNELS)
    assert (finding.ok, finding.markers) == (False, ())
    assert "0 of 4 marks" in why(finding, S1)


def test_a_mark_that_is_there_twice_is_refused() -> None:
    shown = wall()
    put(shown, 2, (500, 200))
    assert why(by_markers(seen(shown, view()), CHANNELS), S1) == "mark 2 is there twice: take one away"


def test_marks_that_changed_places_are_told_and_give_the_same_outline() -> None:
    shown = wall((0, 1))
    put(shown, 1, (100, 60))
    put(shown, 0, (1028, 60))
    (found,) = by_markers(seen(shown, view()), {S1: 0}).zones
    assert found.notes == ("its marks have changed places; the outline is the same",)
    assert found.polygon is not None
    assert shared(found.polygon, [(x, y) for x, y in truth(S1, view())]) > 0.95


def test_marks_in_a_heap_are_no_shelf() -> None:
    shown = wall((0, 1, 2, 3))
    for number, at in enumerate(((100, 60), (190, 60), (190, 150), (100, 150))):
        put(shown, number, at)
    assert "too small" in why(by_markers(seen(shown, view()), {S1: 0}), S1)


def test_a_mark_of_another_zone_is_named() -> None:
    assert by_markers(seen(wall(), view()), {S1: 0}).notes == ("marks of no zone asked for: 4, 5, 6, 7",)


def test_an_outline_over_another_zones_is_refused_with_both() -> None:
    movement = view()
    others = {ZoneId("s9"): [(x, y + 60) for x, y in truth(S1, movement)]}
    refused = why(by_markers(seen(wall(), movement), {S1: 0}, others), S1)
    assert refused.startswith("its outline covers s9 by ")
    assert "10% allowed" in refused


def test_the_old_outline_of_the_same_zone_is_no_obstacle() -> None:
    movement = view()
    old = {S1: [(x + 30, y) for x, y in truth(S1, movement)]}
    assert by_markers(seen(wall(), movement), {S1: 0}, old).ok


def test_the_printed_sheet_holds_four_readable_marks_a_zone() -> None:
    channels = {ZoneId(f"z{n}"): n for n in range(12)}
    pages = sheets(channels)
    assert sorted(mark.number for page in pages for mark in find(page)) == list(range(48))


# Restock pictures.


def overlap(finding: Finding, movement: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> float:
    """Intersection over union with the shelf as it is."""
    polygon = finding.zones[0].polygon
    assert polygon is not None, finding.zones[0].why
    masks = []
    for corners in (polygon, truth(S1, movement)):
        mask = np.zeros((480, 640), np.uint8)
        cv2.fillPoly(mask, [np.round(np.asarray(corners)).astype(np.int32)], (1,))
        masks.append(mask)
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


@pytest.mark.parametrize("light", [1.0, 0.7, 1.3])
@pytest.mark.parametrize(("tilt", "turn"), [(0, 0), (25, 20), (30, 0)])
def test_goods_all_over_a_shelf_give_its_outline_in_any_light(light: float, tilt: float, turn: float) -> None:
    movement, bare = view(tilt, turn), wall(marks=False)
    before, after = seen(bare, movement, seed=1), seen(goods(bare, S1), movement, light=light, seed=2)
    assert overlap(by_restock(before, after, S1), movement) > 0.9


def shots(after: Pixels, **how: float) -> tuple[Pixels, Pixels]:
    return seen(wall(marks=False), view(20), seed=1), seen(after, view(20), seed=2, light=how.get("light", 1.0))


@pytest.mark.parametrize("light", [1.0, 0.8, 1.2])
def test_an_unchanged_shelf_is_no_zone_whatever_the_light(light: float) -> None:
    assert "nothing changed" in why(by_restock(*shots(wall(marks=False), light=light), S1), S1)


def test_a_camera_that_was_touched_in_between_is_told() -> None:
    bare, nudge = wall(), np.array([[1, 0, 16], [0, 1, 9], [0, 0, 1]])
    before, after = seen(bare, view(20), seed=1), seen(goods(bare, S1), nudge @ view(20), seed=2)
    assert "the camera moved" in why(by_restock(before, after, S1), S1)


def test_goods_on_another_zone_too_are_refused() -> None:
    filled = goods(goods(wall(marks=False), S1), S2)
    others = {S2: [(float(x), float(y)) for x, y in truth(S2, view(20))]}
    assert "covers s2" in why(by_restock(*shots(filled), S1, others), S1)


def test_pictures_of_two_sizes_are_an_error() -> None:
    with pytest.raises(ValueError, match="differ in size"):
        by_restock(np.zeros((480, 640, 3), np.uint8), np.zeros((240, 320, 3), np.uint8), S1)


def test_the_drawing_leaves_the_picture_alone_and_shows_something() -> None:
    picture = seen(wall(), view(20))
    kept = picture.copy()
    finding = by_markers(picture, CHANNELS)
    shown = drawn(picture, {f.zone: f.polygon for f in finding.zones if f.polygon}, finding.markers)
    assert (picture == kept).all()
    assert shown.shape == picture.shape
    assert (shown != picture).any()
