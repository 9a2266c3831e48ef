"""Cut-outs, reference pictures and what the front camera sees."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.sim.pictures import LOOKS
from cabinet.sim.sight.conditions import CLEAN, USUAL, Conditions
from cabinet.sim.sight.front import Front, phone
from cabinet.sim.sight.products import HIGH_PX, assortment, drawn, look_of, photographed
from cabinet.sim.sight.references import references

SKUS = [*LOOKS, *(f"76100000000{n:02d}" for n in range(20))]
FACE = np.full((200, 160, 3), (120, 150, 200), np.uint8)
cv2.circle(FACE, (80, 100), 60, (40, 60, 90), 8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for sku in ("milk", "juice"):
        (tmp_path / sku).mkdir()
        for n in range(3):
            picture = np.full((348, 348, 3), (40, 60 * n, 200), np.uint8)
            cv2.rectangle(picture, (120, 60), (228, 300), (230, 230, 230), -1)
            cv2.imwrite(str(tmp_path / sku / f"{n}.jpg"), picture)
    return tmp_path


@pytest.mark.parametrize("sku", SKUS)
def test_a_drawing_fills_its_cut_out_and_has_no_trace_of_its_ground(sku: str) -> None:
    cutout = drawn(sku)
    high, wide = cutout.alpha.shape
    assert cutout.colour.shape == (high, wide, 3)
    assert 0.6 * HIGH_PX < high <= HIGH_PX
    solid = cutout.colour[cutout.alpha > 0].astype(int)
    assert not np.any((solid[:, 0] > 240) & (solid[:, 1] < 15) & (solid[:, 2] > 240))
    assert (cutout.alpha > 127).mean() > 0.6


def test_a_drawing_depends_on_its_article_alone() -> None:
    assert np.array_equal(drawn(SKUS[7]).colour, drawn(SKUS[7]).colour)
    assert len({look_of(sku) for sku in SKUS}) == len(SKUS)
    assert look_of(SKUS[0]) is LOOKS[SKUS[0]]


def test_a_photograph_is_cut_around_its_middle_with_a_soft_edge(photos: Path) -> None:
    cutout = photographed(photos / "milk", number=4)
    assert cutout.sku == "milk"
    assert cutout.colour.shape[0] == HIGH_PX
    assert cutout.alpha[0].max() < 255 == cutout.alpha[HIGH_PX // 2].max()
    assert cutout.colour[HIGH_PX // 2, cutout.colour.shape[1] // 2].min() > 200
    assert abs(int(cutout.colour[3, 3, 1]) - 60) < 8  # the second of three: numbers count round


def test_a_folder_without_photographs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="jpg"):
        photographed(tmp_path)


def test_an_assortment_takes_photographs_where_there_are_some_and_draws_the_rest(photos: Path) -> None:
    goods = assortment(["milk", SKUS[0]], photos)
    assert np.array_equal(goods["milk"].colour, photographed(photos / "milk").colour)
    assert np.array_equal(goods[SKUS[0]].colour, drawn(SKUS[0]).colour)


def test_references_are_different_pictures_of_one_product_and_the_same_each_time() -> None:
    first, again = references(SKUS[5], 4), references(SKUS[5], 4)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({picture.tobytes() for picture in first}) == 4


def test_a_reference_is_nearer_to_its_own_product_than_to_others() -> None:
    kinds = {sku: [_colours(picture) for picture in references(sku, 3)] for sku in SKUS[:8]}
    for sku, own in kinds.items():
        others = [mark for other, marks in kinds.items() if other != sku for mark in marks]
        assert np.linalg.norm(own[0] - own[1]) < min(np.linalg.norm(own[0] - mark) for mark in others)


def test_references_of_photographs_are_those_photographs(photos: Path) -> None:
    pictures = references("juice", 5, photos=photos)
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_the_front_camera_sees_who_comes_nearer_grow() -> None:
    front = Front(seed=1)
    lobby = shown(front, None)
    sizes = [np.any(shown(front, FACE, near=near) != lobby, axis=2).sum() for near in (0.0, 0.3, 0.6, 1.0)]
    assert sizes[0] == 0
    assert sizes[1] * 3 < sizes[2]
    assert sizes[2] * 2 < sizes[3]


def test_a_turned_head_is_narrower_and_its_near_side_taller() -> None:
    front = Front(seed=1)
    lobby = shown(front, None)
    straight, turned = (np.any(shown(front, FACE, near=0.8, turn=t) != lobby, axis=2) for t in (0.0, 40.0))
    assert turned.any(axis=0).sum() < 0.85 * straight.any(axis=0).sum()
    columns = np.flatnonzero(turned.any(axis=0))
    assert turned[:, columns[3]].sum() > turned[:, columns[-4]].sum() + 5


def test_a_code_on_a_phone_can_still_be_read() -> None:
    code = cv2.QRCodeEncoder.create().encode("cabinet-7:1234")
    large = cv2.resize(cv2.cvtColor(code, cv2.COLOR_GRAY2BGR), None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
    picture = shown(Front(), phone(np.asarray(large, np.uint8)), near=1.0, conditions=USUAL)
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == "cabinet-7:1234"


def test_the_front_camera_freezes_and_drops_frames_as_well() -> None:
    front = Front()
    newest = shown(front, FACE, conditions=USUAL, n=1)
    assert np.array_equal(shown(front, None, conditions=Conditions(frozen=True), n=2), newest)
    assert front.render(conditions=Conditions(dropped=True)) is None


def shown(
    front: Front,
    picture: NDArray[np.uint8] | None,
    near: float = 1.0,
    turn: float = 0.0,
    conditions: Conditions = CLEAN,
    n: int = 0,
) -> NDArray[np.uint8]:
    frame = front.render(picture, near=near, turn=turn, conditions=conditions, n=n)
    assert frame is not None
    assert frame.shape == (360, 640, 3)
    return frame


def _colours(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(picture, (4, 8), interpolation=cv2.INTER_AREA), np.float32)
