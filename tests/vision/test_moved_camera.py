"""A camera that was moved, under other light, before shelves emptied bit by bit or at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.vision.align import align
from cabinet.vision.change import compare
from cabinet.vision.register import registered
from tests.vision.shelves import FULL, HEIGHT, WIDTH, ZONES, photograph, render, without

Pixels = NDArray[np.uint8]
MOVES: Mapping[str, dict[str, Any]] = {
    "3 % aside": {"shift": (19, -6)},
    "turned by 1.5 degrees": {"turn": 1.5, "shift": (6, 4)},
    "darker and turned back": {"turn": -1.2, "light": 0.8},
    "brighter and 3 % down": {"light": 1.15, "shift": (-4, 15)},
}
SPOTS = ((40, 0), (170, 0), (300, 0), (440, 0), (60, 1), (200, 1), (340, 1), (480, 1))


def ways(before: Pixels, after: Pixels) -> Counter[tuple[str, str]]:
    found = compare(before, after, ZONES).regions
    return Counter((r.zone, "lost" if r.lost > r.gained else "gained") for r in found)


def zoomed(picture: Pixels, by: float) -> Pixels:
    about = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 0, by)
    return np.asarray(cv2.warpAffine(picture, about, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def glaring(picture: Pixels) -> Pixels:
    """A lamp's soft reflection on the back wall."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    spot = 25 * np.exp(-((rows - 90) ** 2 + (columns - 420) ** 2) / (2 * 60.0**2))
    return np.asarray(np.clip(picture + spot[..., None], 0, 255), np.uint8)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_shelf_emptied_at_once_before_a_moved_camera_is_eight_places(move: dict[str, Any]) -> None:
    before, after = photograph(render(FULL), seed=5), photograph(render([]), seed=6, **move)
    assert ways(before, after) == {("s1", "lost"): 4, ("s2", "lost"): 4}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_one_product_that_left_before_a_moved_camera_is_one_place(move: dict[str, Any]) -> None:
    before, after = photograph(render(FULL), seed=5), photograph(render(without(2)), seed=6, **move)
    assert ways(before, after) == {("s1", "lost"): 1}


def test_a_camera_that_came_nearer_by_three_percent_shows_no_change() -> None:
    assert ways(photograph(render(FULL), seed=5), zoomed(photograph(render(FULL), seed=6), 1.03)) == {}


def test_a_soft_glare_on_the_wall_is_no_change() -> None:
    assert ways(photograph(render(FULL), seed=5), glaring(photograph(render(FULL), seed=6))) == {}


def test_the_movement_found_is_the_one_made() -> None:
    moved = photograph(render(without(2)), seed=6, turn=1.0, shift=(12, 5))
    corner = np.array([[[100.0, 100.0]], [[540.0, 400.0]]])
    turned = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 1.0, 1.0)
    turned[:, 2] = turned[:, 2] + np.array((12, 5))
    there = cv2.transform(corner, turned)
    back = cv2.perspectiveTransform(there, registered(photograph(render(FULL), seed=5), moved))
    assert np.abs(back - corner).max() < 6


def test_the_same_pictures_are_always_laid_the_same_way() -> None:
    before, after = photograph(render(FULL), seed=5), photograph(render([]), seed=6, shift=(14, 3))
    assert np.array_equal(align(before, after).after, align(before, after).after)


@pytest.fixture(scope="module")
def goods(shared_data: Path) -> Sequence[Pixels]:
    """Middles of photographs of packaged groceries: real surfaces, 90 x 150."""
    folder = shared_data / "grocery" / "packaged" / "test"
    if not folder.is_dir():
        pytest.skip("no grocery/packaged/test among the photographs of this machine")
    found = []
    for path in [min(sku.glob("*.jpg")) for sku in sorted(folder.iterdir()) if any(sku.glob("*.jpg"))][:8]:
        shown = cv2.imread(str(path))
        assert shown is not None
        high, wide = shown.shape[:2]
        middle = shown[high // 5 : -high // 5, wide // 3 : -wide // 3]
        found.append(np.asarray(cv2.resize(middle, (90, 150), interpolation=cv2.INTER_AREA), np.uint8))
    return found


def stocked(goods: Sequence[Pixels], left: Sequence[int]) -> Pixels:
    shelf = render([])
    for n in left:
        x, row = SPOTS[n]
        floor = (222, 466)[row]
        shelf[floor - 150 : floor, x : x + 90] = goods[n]
    return shelf


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("gone", [(0,), (3, 6), (1, 2, 4, 7)])
def test_photographed_goods_that_left_are_one_place_each(
    goods: Sequence[Pixels], gone: tuple[int, ...], move: dict[str, Any]
) -> None:
    before = photograph(stocked(goods, range(8)), seed=5)
    after = photograph(stocked(goods, [n for n in range(8) if n not in gone]), seed=6, **move)
    wanted = Counter((f"s{SPOTS[n][1] + 1}", "lost") for n in gone)
    assert ways(before, after) == wanted
