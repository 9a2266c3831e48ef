"""Before and after on real pictures: a cabinet photographed by hand, and a video of bottles that come and go."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cabinet.adapters.tflite import ItemRecogniser
from cabinet.units import Sku, ZoneId
from cabinet.vision.change import compare
from cabinet.vision.gallery import Gallery, Reference
from cabinet.vision.takes import look

Pixels = NDArray[np.uint8]
MODEL = Path(__file__).parents[2] / "models" / "item"
WIDTH, HEIGHT = 640, 580  # pixels; the photographs differ by 2 % in height
ZONES: Mapping[ZoneId, Sequence[tuple[float, float]]] = {
    ZoneId("s1"): [(0, 10), (640, 10), (640, 320), (0, 320)],
    ZoneId("s2"): [(40, 325), (620, 325), (620, 560), (40, 560)],
}
REFERENCES = {  # one tight crop of each, by eye: state, left, top, right, bottom of the original photograph
    Sku("gatorade"): (3, 883, 91, 1103, 604),
    Sku("pringles"): (3, 202, 785, 395, 1087),
    Sku("sprite"): (3, 675, 634, 836, 1086),
    Sku("ruffles"): (1, 96, 51, 537, 615),
}
# Not the empty state 0: its bare shelves have nothing in common with the others by which to lay them over each other.
STATES = [(1, 2), (2, 3), (3, 4), (1, 3), (2, 4)]


def original(data: Path, state: int) -> Pixels:
    picture = cv2.imread(str(data / "interiors" / "vending_states" / f"{state}.jpg"))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def streamed(data: Path, state: int) -> Pixels:
    """The photograph as a frame of an MJPEG camera that is set to WIDTH x HEIGHT."""
    small = cv2.resize(original(data, state), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    ok, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert ok
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


@pytest.fixture(scope="module")
def recogniser() -> ItemRecogniser:
    return ItemRecogniser(MODEL)


@pytest.fixture(scope="module")
def gallery(shared_data: Path, recogniser: ItemRecogniser) -> Gallery:
    return {
        sku: Reference(recogniser.embed(original(shared_data, state)[top:bottom, left:right]))
        for sku, (state, left, top, right, bottom) in REFERENCES.items()
    }


def told(data: Path, first: int, second: int, recogniser: ItemRecogniser, gallery: Gallery) -> Counter[tuple[str, str]]:
    seen = look(streamed(data, first), streamed(data, second), ZONES, recogniser, gallery)
    return Counter((s.action, max(s.scores, key=s.scores.__getitem__)) for s in seen)


def truth(data: Path, first: int, second: int, action: str) -> Counter[tuple[str, str]]:
    states = json.loads((data / "interiors" / "vending_states" / "truth.json").read_text())["truth"]
    gone = Counter(states[str(first)]) - Counter(states[str(second)])
    return Counter({(action, sku): n for sku, n in gone.items()})


def test_one_gatorade_and_one_pringles_left_the_real_cabinet(
    shared_data: Path, recogniser: ItemRecogniser, gallery: Gallery
) -> None:
    seen = look(streamed(shared_data, 1), streamed(shared_data, 2), ZONES, recogniser, gallery)
    best = {s.zone: (s.action, max(s.scores, key=s.scores.__getitem__)) for s in seen}
    assert len(seen) == 2
    assert best == {"s1": ("take", "gatorade"), "s2": ("take", "pringles")}


def test_both_are_recognised_beyond_doubt(shared_data: Path, recogniser: ItemRecogniser, gallery: Gallery) -> None:
    seen = look(streamed(shared_data, 1), streamed(shared_data, 2), ZONES, recogniser, gallery)
    assert min(max(s.scores.values()) for s in seen) > 0.8


@pytest.mark.parametrize(("first", "second"), STATES)
def test_what_left_between_two_states_is_told(
    shared_data: Path, recogniser: ItemRecogniser, gallery: Gallery, first: int, second: int
) -> None:
    assert told(shared_data, first, second, recogniser, gallery) == truth(shared_data, first, second, "take")


@pytest.mark.parametrize(("first", "second"), STATES)
def test_the_same_backwards_is_a_return_of_each(
    shared_data: Path, recogniser: ItemRecogniser, gallery: Gallery, first: int, second: int
) -> None:
    assert told(shared_data, second, first, recogniser, gallery) == truth(shared_data, first, second, "return")


@pytest.mark.parametrize("state", [1, 2, 3, 4])
def test_one_state_against_itself_shows_no_change(shared_data: Path, state: int) -> None:
    picture = streamed(shared_data, state)
    assert compare(picture, picture, ZONES).regions == ()


def test_every_bottle_that_left_or_came_back_in_the_video_is_one_region(shared_data: Path) -> None:
    film = cv2.VideoCapture(str(shared_data / "interiors" / "bottles" / "bottles.mp4"))
    fps = film.get(cv2.CAP_PROP_FPS)
    still = []
    for at_s in (3.0, 9.0, 14.5, 19.0):  # in the middle of the labelled quiet times: LMR, MR, LMR, R
        film.set(cv2.CAP_PROP_POS_FRAMES, round(at_s * fps))
        ok, picture = film.read()
        assert ok
        still.append(np.asarray(picture, np.uint8))
    whole = {ZoneId("table"): [(0.0, 0.0), (640.0, 0.0), (640.0, 360.0), (0.0, 360.0)]}
    found = [compare(a, b, whole).regions for a, b in pairwise(still)]
    ways = [["lost" if region.lost > region.gained else "gained" for region in regions] for regions in found]
    assert ways == [["lost"], ["gained"], ["lost", "lost"]]
