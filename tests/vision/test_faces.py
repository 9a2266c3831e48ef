"""How good a face is, where it looks, how it is cut out, and that a blurred one is nobody's."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cabinet.vision import faces

Pixels = NDArray[np.uint8]
WHOLE = (0, 0, 200, 200)
AHEAD = ((60.0, 80.0), (140.0, 80.0), (100.0, 118.9), (100.0, 152.0), (20.0, 95.0), (180.0, 95.0))  # of a face


@pytest.fixture
def speckled() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (200, 200, 3)).astype(np.uint8)


def plain(level: int, size: int = 200) -> Pixels:
    return np.full((size, size, 3), level, np.uint8)


def test_what_is_blurred_is_less_sharp(speckled: Pixels) -> None:
    blurred = np.asarray(cv2.GaussianBlur(speckled, (0, 0), 2), np.uint8)
    assert faces.light(blurred, WHOLE)[0] < faces.light(speckled, WHOLE)[0] / 10


def test_brightness_is_the_mean_grey() -> None:
    assert faces.light(plain(90), WHOLE)[1] == 90


def test_a_face_of_one_grey_has_no_contrast() -> None:
    assert faces.light(plain(90), WHOLE)[2] == 0


def test_light_is_measured_within_the_picture_alone() -> None:
    assert faces.light(plain(90), (-150, -150, 40, 300))[1] == 90


def test_light_is_measured_within_the_box_alone() -> None:
    picture = plain(90)
    picture[:, 100:] = 255
    assert faces.light(picture, (0, 0, 100, 200))[1:] == (90, 0)


def test_a_box_outside_the_picture_is_measured_at_its_edge() -> None:
    assert faces.light(plain(90), (500, 500, 600, 600))[1] == 90


def test_a_picture_without_colour_has_none(speckled: Pixels) -> None:
    grey = np.repeat(speckled[:, :, :1], 3, axis=2)
    assert faces.colourfulness(grey, WHOLE) == pytest.approx(0, abs=1e-6)


def test_a_picture_without_colour_under_warm_light_has_hardly_any(speckled: Pixels) -> None:
    grey = np.repeat(np.asarray(cv2.GaussianBlur(speckled[:, :, :1], (0, 0), 3))[:, :, None], 3, axis=2)
    assert faces.colourfulness((grey * np.array([0.6, 0.8, 1.0])).astype(np.uint8), WHOLE) < 1


def test_a_picture_in_colour_has_some(speckled: Pixels) -> None:
    assert faces.colourfulness(speckled, WHOLE) > 5


def test_a_box_over_the_edge_is_cut_off() -> None:
    boxes = [(0, 0, 200, 200), (-1, 0, 50, 50), (0, -1, 50, 50), (0, 0, 201, 50), (0, 0, 50, 201)]
    assert [faces.cut_off(plain(0), box) for box in boxes] == [False, True, True, True, True]


def test_a_face_that_looks_at_us_has_no_yaw_no_pitch_and_no_roll() -> None:
    assert faces.pose(AHEAD) == pytest.approx((0, 0, 0), abs=0.01)


def test_a_nose_to_the_pictures_left_is_a_negative_yaw() -> None:
    assert faces.pose(moved(nose=(60.0, 118.9)))[0] == pytest.approx(-0.5)


def test_a_nose_near_the_eyes_is_a_negative_pitch() -> None:
    assert faces.pose(moved(nose=(100.0, 105.0)))[1] < -0.5


def test_a_head_that_leans_keeps_its_yaw_and_pitch() -> None:
    turned = tuple((x * np.cos(0.5) - y * np.sin(0.5), x * np.sin(0.5) + y * np.cos(0.5)) for x, y in AHEAD)
    assert faces.pose(turned) == pytest.approx((0, 0, np.degrees(0.5)), abs=0.01)


def test_without_ears_the_nose_is_held_against_the_eyes() -> None:
    assert faces.pose(moved(nose=(80.0, 118.9))[:3])[0] == pytest.approx(-0.5)


def test_without_marks_nothing_is_known_of_the_pose() -> None:
    assert faces.pose(()) == (0, 0, 0)


def moved(nose: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return (*AHEAD[:2], nose, *AHEAD[3:])


def test_marks_that_lie_on_one_point_are_no_fault() -> None:
    assert faces.pose([(5.0, 5.0)] * 6) == (0, 0, 0)


def test_an_eyes_openness_is_its_height_by_its_width() -> None:
    eye = np.array([[0, 0], [10, -4], [20, -4], [30, 0], [20, 4], [10, 4]], np.float64)
    assert faces.openness(eye) == pytest.approx(8 / 30)


@given(
    angle=st.floats(-3, 3),
    scale=st.floats(0.1, 10),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_similarity_is_found_again(angle: float, scale: float, shift: tuple[float, float]) -> None:
    points = np.asarray(AHEAD)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = faces.similarity(points, points @ turn.T + shift)
    np.testing.assert_allclose(found, np.column_stack([turn, shift]), atol=1e-6)


def test_a_point_of_more_weight_comes_nearer_to_its_place() -> None:
    points, places = np.asarray(AHEAD[:3]), np.array([[0, 0], [10, 3], [5, 9]], np.float64)
    off = [
        float(np.linalg.norm(brought(faces.similarity(points, places, weights), points)[0] - places[0]))
        for weights in (np.array([1.0, 1.0, 1.0]), np.array([50.0, 1.0, 1.0]))
    ]
    assert off[1] < off[0] / 2


def test_marks_are_brought_to_their_places_in_the_chip() -> None:
    places = np.asarray(faces.MARKS_IN_CHIP, np.float64)
    np.testing.assert_allclose(brought(faces.by_marks(tuple(map(tuple, places * 3 + 40))), places * 3 + 40), places)


def test_a_mesh_is_brought_to_its_places_in_the_chip() -> None:
    mesh = np.zeros((468, 2))
    places = np.array([place[:2] for place in faces.MESH_IN_CHIP.values()], np.float64)
    mesh[list(faces.MESH_IN_CHIP)] = places / 2 + 7
    np.testing.assert_allclose(brought(faces.by_mesh(mesh), places / 2 + 7), places)


def test_a_box_comes_to_the_middle_of_the_chip() -> None:
    np.testing.assert_allclose(brought(faces.by_box((100, 40, 200, 140)), np.array([[150.0, 90.0]])), [[75, 75]])


def test_a_box_upright_is_turned_by_its_roll() -> None:
    move = faces.upright((0, 0, 100, 100), 90.0, 1.0, 100)
    np.testing.assert_allclose(brought(move, np.array([[50.0, 100.0]])), [[100, 50]], atol=1e-9)


def brought(move: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(points @ move[:, :2].T + move[:, 2])


def test_warping_by_nothing_cuts_the_corner_out(speckled: Pixels) -> None:
    still = np.array([[1.0, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(faces.warped(speckled, still, 100), speckled[:100, :100])


def test_warping_to_a_small_square_looks_at_every_pixel() -> None:
    checks = np.repeat((np.indices((400, 400)).sum(axis=0) % 2 * 255)[:, :, None], 3, axis=2).astype(np.uint8)
    small = faces.warped(checks, np.array([[0.1, 0, 0], [0, 0.1, 0]]), 40)
    assert abs(small[5:-5, 5:-5].astype(int) - 127).max() <= 2


def test_warping_keeps_a_place_where_it_belongs_at_every_scale() -> None:
    picture = plain(0, 600)
    cv2.circle(picture, (300, 200), 30, (255, 255, 255), -1)
    for scale in (0.9, 0.4, 0.21):
        small = faces.warped(picture, np.array([[scale, 0, 0], [0, scale, 0]]), 140)
        rows, columns = np.nonzero(small[:, :, 0] > 127)
        if scale < 0.45:  # the whole circle lies within the square
            assert (columns.mean(), rows.mean()) == pytest.approx((300 * scale, 200 * scale), abs=0.8)


def test_what_lies_outside_the_picture_is_black(speckled: Pixels) -> None:
    assert faces.warped(speckled, np.array([[1.0, 0, 900], [0, 1, 0]]), 50).max() == 0


def test_a_square_is_moved_inside_the_picture() -> None:
    picture = plain(0)
    picture[:100, :100] = 200
    assert faces.square(picture, (0, 0, 50, 50), 2.0, 64).min() == 200


def test_a_square_larger_than_the_picture_is_all_of_it_that_fits() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, 100:] = 200
    assert faces.square(picture, (120, 20, 180, 80), 4.0, 64).min() == 200


def test_blurring_changes_nothing_far_from_the_face(speckled: Pixels) -> None:
    blurred = faces.blur_faces(speckled, [(80, 80, 120, 120)])
    np.testing.assert_array_equal(blurred[:60], speckled[:60])


def test_blurring_leaves_the_picture_itself_alone(speckled: Pixels) -> None:
    before = speckled.copy()
    faces.blur_faces(speckled, [WHOLE])
    np.testing.assert_array_equal(speckled, before)


def test_blurring_leaves_no_detail_in_a_face(speckled: Pixels) -> None:
    blurred = faces.blur_faces(speckled, [(60, 60, 140, 140)])
    assert faces.light(blurred, (60, 60, 140, 140))[0] < 2


def test_blurring_reaches_beyond_the_box(speckled: Pixels) -> None:
    changed = (faces.blur_faces(speckled, [(80, 80, 120, 120)]) != speckled).any(axis=2)
    for axis in (0, 1):
        places = np.nonzero(changed.any(axis=axis))[0]
        assert (places.min(), places.max()) == (66, 133)


def test_a_box_outside_the_picture_blurs_nothing(speckled: Pixels) -> None:
    np.testing.assert_array_equal(faces.blur_faces(speckled, [(500, 500, 600, 600)]), speckled)
