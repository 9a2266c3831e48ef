"""A rendered interior: places, units behind each other, hands, and what the vision modules say of it."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.sim.sight.conditions import CLEAN, USUAL, Conditions
from cabinet.sim.sight.hands import Hand, crossing, gripped, reaching
from cabinet.sim.sight.interior import Interior
from cabinet.sim.sight.products import assortment
from cabinet.sim.sight.room import EYES, Viewpoint
from cabinet.units import Sku, ZoneId
from cabinet.vision.change import compare
from cabinet.vision.gallery import Reference
from cabinet.vision.health import CameraHealth
from cabinet.vision.motion import MotionFinder
from cabinet.vision.pictures import cut, filled
from cabinet.vision.takes import look
from tests.vision.shelves import ColourJudge

Picture = NDArray[np.uint8]
UPPER = ["5000000000011", "5000000000028", "5000000000035", "5000000000042", "4006381333931"]
LOWER = ["7610000000019", "7610000000026", "7610000000033", "7610000000040", "7610000000057"]
SHELVES = {"upper": UPPER, "lower": LOWER}
CUTOUTS = assortment([*UPPER, *LOWER])
FULL = {"upper": [4] * 5, "lower": [4] * 5}
VIEWS: Sequence[Viewpoint] = sorted(EYES)


@pytest.fixture(scope="module", params=VIEWS)
def each(request: pytest.FixtureRequest) -> Interior:
    return Interior(SHELVES, CUTOUTS, request.param, seed=2)


@pytest.fixture(scope="module")
def interior() -> Interior:
    return Interior(SHELVES, CUTOUTS, seed=2)


def frame(
    interior: Interior,
    counts: dict[str, list[int]] = FULL,
    hands: Sequence[Hand] = (),
    conditions: Conditions = CLEAN,
    n: int = 0,
) -> Picture:
    picture = interior.render(counts, hands, conditions, n)
    assert picture is not None
    return picture


def less(zone: str, column: int, by: int = 1) -> dict[str, list[int]]:
    return {z: [n - by * (z == zone and c == column) for c, n in enumerate(row)] for z, row in FULL.items()}


def differing(a: Picture, b: Picture) -> NDArray[np.bool_]:
    return np.asarray(np.abs(a.astype(int) - b.astype(int)).max(axis=2) > 0)


def test_two_cabinets_of_one_seed_show_the_same_bytes() -> None:
    frames = [frame(Interior(SHELVES, CUTOUTS, seed=s), conditions=USUAL, n=3) for s in (7, 7, 8)]
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])


def test_what_was_shown_before_leaves_no_trace(interior: Interior) -> None:
    first = frame(interior, less("upper", 2), [Hand("lower", 1, 0.7)], USUAL, 5)
    frame(interior, {"upper": [0, 1, 2, 3, 4], "lower": [0] * 5}, [Hand("upper", 3, 1.0)], USUAL, 6)
    assert np.array_equal(frame(interior, less("upper", 2), [Hand("lower", 1, 0.7)], USUAL, 5), first)


def test_a_frame_is_of_the_size_that_was_asked_for() -> None:
    assert frame(Interior(SHELVES, CUTOUTS, size=(320, 240))).shape == (240, 320, 3)


def test_polygons_lie_in_the_frame_and_contain_the_boxes(each: Interior) -> None:
    for zone, polygon in each.polygons().items():
        assert all(0 <= x <= 640 and 0 <= y <= 360 for x, y in polygon)
        inside = filled(polygon, 640, 360) > 0
        for column in range(5):
            left, top, right, bottom = each.box(zone, column)
            assert inside[top:bottom, left:right].mean() > 0.99, (zone, column)


def test_polygons_of_two_zones_do_not_overlap(each: Interior) -> None:
    masks = [filled(polygon, 640, 360) > 0 for polygon in each.polygons().values()]
    assert not np.logical_and(*masks).any()


def test_a_board_is_a_plane_in_perspective(each: Interior) -> None:
    """What lies farther back shows smaller and, as the eye looks down, higher."""
    points = np.array([[(-0.1, 0.0), (0.1, 0.0), (-0.1, 0.2), (0.1, 0.2)]])
    front_left, front_right, back_left, back_right = cv2.perspectiveTransform(points, each.floor_map("lower"))[0]
    assert np.linalg.norm(back_right - back_left) < 0.9 * np.linalg.norm(front_right - front_left)
    assert back_left[1] < front_left[1] - 10


def test_a_taken_unit_shows_the_one_behind_it(interior: Interior) -> None:
    full, taken = frame(interior), frame(interior, less("upper", 0))
    left, top, right, bottom = interior.box("upper", 0, units=3)
    unit = cv2.resize(CUTOUTS[UPPER[0]].colour, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    near = [cv2.matchTemplate(p[top:bottom, left:right], unit, cv2.TM_CCOEFF_NORMED)[0, 0] for p in (full, taken)]
    assert near[1] > 0.6
    assert near[1] > near[0] + 0.1
    assert interior.box("upper", 0, units=3)[3] < interior.box("upper", 0)[3]


def test_only_the_facing_of_a_taken_unit_changes(each: Interior) -> None:
    changed = differing(frame(each), frame(each, less("lower", 2)))
    left, top, right, bottom = each.box("lower", 2)
    assert changed[top:bottom, left:right].mean() > 0.25
    changed[top - 8 : bottom + 8, left - 8 : right + 8] = False  # its shadow
    assert not changed.any()


def test_an_empty_facing_has_no_frontmost_unit(interior: Interior) -> None:
    assert interior.front_row(0) == 4
    with pytest.raises(ValueError, match="nothing stands"):
        interior.box("upper", 0, units=0)


def test_counts_beyond_the_room_show_a_full_facing(interior: Interior) -> None:
    assert np.array_equal(frame(interior, {"upper": [9] * 5, "lower": [4] * 5}), frame(interior))


def test_counts_that_do_not_fit_the_shelves_are_refused(interior: Interior) -> None:
    with pytest.raises(ValueError, match="upper has 5 facings, not 2"):
        interior.render({"upper": [1, 1], "lower": [4] * 5})


def test_a_shelf_without_facings_is_refused() -> None:
    with pytest.raises(ValueError, match="facings"):
        Interior({"upper": []}, CUTOUTS)


def test_a_hand_hides_part_of_its_facing_and_nothing_elsewhere(each: Interior) -> None:
    hand = Hand("lower", 2, 1.0)
    changed = differing(frame(each), frame(each, hands=[hand]))
    left, top, right, bottom = each.box("lower", 2)
    assert 0.1 < changed[top:bottom, left:right].mean() < 0.95
    assert not changed[each.hidden_by(hand) == 0].any()
    upper = filled(each.polygons()["upper"], 640, 360, 1.0) > 0
    assert changed[upper].mean() < 0.005


def test_a_hand_that_is_not_reaching_shows_nothing(each: Interior) -> None:
    for held in (None, UPPER[0]):
        assert np.array_equal(frame(each, hands=[Hand("upper", 0, 0.0, holds=held)]), frame(each))


def test_a_hand_comes_in_from_the_lower_edge(each: Interior) -> None:
    for reach in (0.6, 0.8, 1.0):
        hidden = each.hidden_by(Hand("upper", 1, reach)) > 0.5
        assert hidden[-1].any()
        assert not hidden[0].any()


def test_a_held_item_is_seen_in_the_hand(interior: Interior) -> None:
    empty, holding = Hand("lower", 1, 0.8), Hand("lower", 1, 0.8, holds=UPPER[0])
    more = interior.hidden_by(holding) - interior.hidden_by(empty) > 0.9
    red = frame(interior, hands=[holding])[more].astype(int)
    assert more.sum() > 500
    assert (red[:, 2] - red[:, 0]).mean() > 25  # the drawing of cola is red


def test_a_faster_hand_is_smeared_along_its_way(interior: Interior) -> None:
    edges = [
        np.abs(cv2.Sobel(interior.hidden_by(Hand("lower", 2, 0.9, speed=speed)), cv2.CV_32F, 0, 1)).max()
        for speed in (0, 12, 30)
    ]
    assert edges[0] > edges[1] > edges[2]


def test_a_reach_goes_in_stays_and_goes_out() -> None:
    ways = [reaching(t / 10, 1.0, 3.0) for t in range(41)]
    assert ways[:11] == [0.0] * 11
    assert ways[30:] == [0.0] * 11
    assert ways[18:22] == [1.0] * 4
    assert ways[10:18] == sorted(ways[10:18])
    assert ways[22:31] == sorted(ways[22:31], reverse=True)


def test_a_take_goes_in_empty_and_comes_out_holding_and_a_put_back_the_other_way() -> None:
    hand = Hand("upper", 0, 0.0)
    for put_back, wanted in ((False, (None, "sku")), (True, ("sku", None))):
        there = [crossing(hand, "sku", t, (0.0, 2.0), put_back=put_back) for t in (0.4, 1.6)]
        assert tuple(h.holds if h else "" for h in there) == wanted
        assert all(h is not None and 0 < h.reach < 1 and h.speed > 1 for h in there)
    assert crossing(hand, "sku", 2.5, (0.0, 2.0)) is None
    assert (gripped(0.9, 0.0, 2.0), gripped(1.1, 0.0, 2.0)) == (False, True)


def test_a_frozen_camera_repeats_its_newest_picture_and_a_dropped_frame_is_none(interior: Interior) -> None:
    newest = frame(interior, conditions=USUAL, n=1)
    frozen = replace(USUAL, frozen=True)
    assert np.array_equal(frame(interior, less("upper", 1), conditions=frozen, n=2), newest)
    assert interior.render(FULL, conditions=Conditions(dropped=True)) is None
    assert not np.array_equal(frame(interior, less("upper", 1), conditions=USUAL, n=2), newest)


def said(pictures: Sequence[Picture]) -> list[str]:
    """By camera health, of frames half a second apart with the door shut; figures cut off, "" for nothing."""
    health = CameraHealth()
    words = [health.look(picture, n * 0.5, shut=True) for n, picture in enumerate(pictures)]
    return [(why or "").partition(":")[0] for why in words]


def stream(interior: Interior, conditions: Conditions, count: int = 6) -> list[Picture]:
    well = [frame(interior, conditions=USUAL, n=n) for n in range(4)]
    return well + [frame(interior, conditions=conditions, n=4 + n) for n in range(count)]


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (replace(USUAL, covered=1.0), "covered"),
        (replace(USUAL, dark=1.0), "dark"),
        (replace(USUAL, fog=0.8), "fogged"),
        (replace(USUAL, moved=(25.0, 8.0, 0.0)), "moved"),
        (replace(USUAL, frozen=True), "frozen"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_camera_health_names_the_trouble(each: Interior, trouble: Conditions, word: str) -> None:
    words = said(stream(each, trouble))
    assert words[:4] == [""] * 4
    assert word in words[4:8]


def test_camera_health_says_nothing_of_a_clean_cabinet_that_is_sold_empty(each: Interior) -> None:
    counts = [{zone: [max(0, 4 - (n + c) // 4) for c in range(5)] for zone in SHELVES} for n in range(24)]
    assert set(said([frame(each, count, conditions=USUAL, n=n) for n, count in enumerate(counts)])) == {""}


def zones(interior: Interior) -> dict[ZoneId, tuple[tuple[float, float], ...]]:
    return {ZoneId(zone): polygon for zone, polygon in interior.polygons().items()}


@pytest.fixture(scope="module", params=VIEWS)
def shallow(request: pytest.FixtureRequest) -> Interior:
    """One unit in each facing: a taken one leaves the bare board, and not its twin."""
    return Interior(SHELVES, CUTOUTS, request.param, seed=2, rows=1)


def test_before_and_after_show_the_place_of_a_taken_unit(shallow: Interior) -> None:
    before = frame(shallow, conditions=USUAL, n=1)
    for zone, column in itertools.product(SHELVES, range(5)):
        after = frame(shallow, less(zone, column, by=4), conditions=USUAL, n=2)
        (region,) = compare(before, after, zones(shallow)).regions
        left, top, right, bottom = shallow.box(zone, column)
        x, y = ((region.box[side] + region.box[side + 2]) / 2 for side in (0, 1))
        assert region.zone == zone
        assert left <= x <= right
        assert top <= y <= bottom
        assert region.lost > region.gained


def test_a_taken_unit_is_named_by_a_judge_that_knows_it(shallow: Interior) -> None:
    before, judge = frame(shallow, conditions=USUAL, n=1), ColourJudge()
    gallery = {Sku(sku): _reference(judge, before, shallow.box("upper", c)) for c, sku in enumerate(UPPER)}
    for column, sku in enumerate(UPPER):
        after = frame(shallow, less("upper", column, by=4), conditions=USUAL, n=2)
        (seen,) = look(before, after, zones(shallow), judge, gallery)
        named = max(seen.scores, key=seen.scores.__getitem__)
        assert (seen.zone, seen.action, named) == ("upper", "take", sku)


@pytest.mark.parametrize("put_back", [False, True], ids=["take", "return"])
def test_a_hand_that_takes_or_brings_is_told_by_the_motion_finder(shallow: Interior, *, put_back: bool) -> None:
    judge, resting = ColourJudge(), frame(shallow, conditions=USUAL)
    gallery = {Sku(sku): _reference(judge, resting, shallow.box("lower", c)) for c, sku in enumerate(LOWER)}
    finder, span_s, seen = MotionFinder(), (1.0, 2.4), []
    for n in range(45):  # ten frames a second
        hand = crossing(Hand("lower", 3, 0.0), LOWER[3], n / 10, span_s, put_back=put_back)
        there = gripped(n / 10, *span_s) == put_back
        counts = FULL if there else less("lower", 3, by=4)
        picture = frame(shallow, counts, [] if hand is None else [hand], USUAL, n)
        seen += finder.update(picture, n / 10, zones(shallow), judge, gallery)
    assert [(told.zone, told.action) for told in seen] == [("lower", "return" if put_back else "take")]


def test_in_a_deep_facing_the_front_one_that_is_taken_is_found_where_it_stood(interior: Interior) -> None:
    """Found in pieces, where its label fits that of its twin behind: `compare` looks for what moved a little."""
    before = frame(interior, conditions=USUAL, n=1)
    for column in range(5):
        after = frame(interior, less("lower", column), conditions=USUAL, n=2)
        regions = compare(before, after, zones(interior)).regions
        left, top, right, bottom = interior.box("lower", column)
        assert regions
        for region in regions:
            assert region.zone == "lower"
            assert left - 15 <= region.box[0] < region.box[2] <= right + 15
            assert top - 40 <= region.box[1] < region.box[3] <= bottom + 15


def test_nothing_taken_is_no_change(each: Interior) -> None:
    before, after = (frame(each, conditions=USUAL, n=n) for n in (1, 2))
    assert compare(before, after, zones(each)).regions == ()


def _reference(judge: ColourJudge, picture: Picture, box: tuple[int, int, int, int]) -> Reference:
    return Reference(tuple(judge.embed(cut(picture, box))))
