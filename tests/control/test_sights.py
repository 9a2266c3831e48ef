"""What a product looks like, as a technician teaches it: refused with the photograph's number, or explained."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import segno
from numpy.typing import NDArray

from cabinet.adapters.codes import is_gtin
from cabinet.adapters.tflite import ItemRecogniser
from cabinet.basket.evidence import Product
from cabinet.config import OUR_MODEL
from cabinet.control.enrolment import Enrolment, barcodes
from cabinet.control.goods import check, confusions_of, named_by, refuse_other_barcode, shelves, told_of
from cabinet.control.requests import RequestError
from cabinet.ledger import Ledger
from cabinet.sim import pictures
from cabinet.units import Sku, ZoneId
from cabinet.vision.gallery import Reference

MODEL = "m"
COLA, LIME, OATS, CHIPS = map(Sku, pictures.LOOKS)
Pixels = NDArray[np.uint8]


def shot(sku: Sku, seed: int) -> Pixels:
    dice = np.random.default_rng(seed)
    unit = pictures.product(pictures.LOOKS[sku])
    scene = np.full((240, 200, 3), 120, np.uint8)
    left, top = int(dice.integers(10, 110)), int(dice.integers(10, 80))
    solid = ~np.all(unit == (255, 0, 255), axis=2)
    scene[top : top + 150, left : left + 70][solid] = unit[solid]
    return np.asarray(np.clip(scene + dice.normal(0, 4, scene.shape), 0, 255), np.uint8)


def png(picture: Pixels) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1])


def shots(sku: Sku, count: int = 4) -> list[bytes]:
    return [png(shot(sku, seed)) for seed in range(count)]


@pytest.fixture(scope="module")
def recogniser() -> ItemRecogniser:
    return ItemRecogniser(OUR_MODEL, "litert")


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def enrolment(ledger: Ledger, recogniser: ItemRecogniser) -> Enrolment:
    return Enrolment(ledger, None, recogniser, "f", MODEL)


def teach(enrolment: Enrolment, sku: Sku, photos: list[bytes], mass_g: float = 500.0, **more: Any) -> Any:
    sight = asyncio.run(enrolment.sight_of(sku, photos, keep_outliers=bool(more)))
    enrolment.ledger.put_product(sku, Product(pictures.LOOKS[sku].word, mass_g, 250))
    enrolment.ledger.put_gallery(sku, sight.reference, MODEL, sight.picture)
    return sight


def test_a_product_is_taught_from_whole_photographs(enrolment: Enrolment, recogniser: ItemRecogniser) -> None:
    for sku in (COLA, LIME, OATS, CHIPS):
        teach(enrolment, sku, shots(sku))
    unit = pictures.reference(str(OATS), 9)
    scores = recogniser.scores(unit, enrolment.gallery())
    assert max(scores.skus, key=scores.skus.__getitem__) == OATS


def test_a_small_picture_is_kept_for_people(enrolment: Enrolment) -> None:
    teach(enrolment, COLA, shots(COLA))
    kept = enrolment.ledger.gallery_picture(COLA, MODEL)
    assert kept is not None
    shown = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert max(shown.shape) <= 160


def test_anothers_photograph_is_refused_by_its_number_before_it_spoils_the_mean(enrolment: Enrolment) -> None:
    with pytest.raises(RequestError, match="photograph 4 does not show what the others show"):
        teach(enrolment, COLA, [*shots(COLA, 3), png(shot(OATS, 9)), *shots(COLA, 5)[3:]])
    assert enrolment.ledger.gallery(MODEL) == {}


def test_an_outlier_that_is_kept_on_purpose_is_said(enrolment: Enrolment) -> None:
    sight = teach(enrolment, COLA, [*shots(COLA, 4), png(shot(OATS, 9))], keep_outliers=True)
    assert ["kept although unlike" in line for line in told_of(sight)] == [True]


def test_fewer_than_three_photographs_are_taken_with_a_warning_and_a_wider_spread(enrolment: Enrolment) -> None:
    few, many = teach(enrolment, COLA, shots(COLA, 2)), teach(enrolment, LIME, shots(LIME, 8))
    assert "only 2 photographs" in told_of(few)[0]
    assert told_of(many) == []
    assert few.reference.spread > many.reference.spread


@pytest.mark.parametrize(
    ("photo", "why"),
    [
        (b"\xff\xd8 torn", "photograph 2 is no picture"),
        (png(np.full((40, 40, 3), 90, np.uint8)), "photograph 2 has 40 pixels"),
        (png(np.full((300, 300, 3), 90, np.uint8)), "photograph 2 is of one colour"),
    ],
    ids=["torn", "tiny", "blank"],
)
def test_a_photograph_that_shows_nothing_is_refused_by_its_number(enrolment: Enrolment, photo: bytes, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        teach(enrolment, COLA, [shots(COLA, 1)[0], photo])


def test_a_look_alike_is_named_with_the_mass_that_would_tell_them_apart(enrolment: Enrolment) -> None:
    teach(enrolment, COLA, shots(COLA), mass_g=500)
    teach(enrolment, OATS, shots(OATS), mass_g=505)
    twin = asyncio.run(enrolment.sight_of(LIME, shots(COLA, 6)[2:], keep_outliers=True))
    enrolment.ledger.put_product(LIME, Product("Twin", 503, 250))
    told = confusions_of(LIME, twin, enrolment.ledger, MODEL, noise_g=1.0)
    worst = told["confusable"][0]
    assert worst["other"] == COLA
    assert worst["mass_apart_g"] == 3.0
    assert worst["needed_g"] > 3.0
    assert not worst["separated"]
    assert base64.b64decode(told["confusable_jpeg_b64"]).startswith(b"\xff\xd8")


def test_products_that_differ_are_not_warned_of(enrolment: Enrolment) -> None:
    teach(enrolment, COLA, shots(COLA))
    sight = teach(enrolment, CHIPS, shots(CHIPS))
    assert confusions_of(CHIPS, sight, enrolment.ledger, MODEL, noise_g=1.0) == {"confusable": []}


def test_the_check_says_what_tells_look_alikes_apart(enrolment: Enrolment) -> None:
    cola = teach(enrolment, COLA, shots(COLA), mass_g=500)
    for sku, mass_g in ((LIME, 502.0), (OATS, 900.0)):
        enrolment.ledger.put_product(sku, Product("Twin", mass_g, 250))
        enrolment.ledger.put_gallery(sku, cola.reference, MODEL)
    enrolment.ledger.put_product(CHIPS, Product("Chips", 90, 250))
    answer = check(shelves(enrolment.ledger, MODEL), noise_g=1.0)
    found = {frozenset((p["sku"], p["other"])): p["told_apart_by"] for p in answer["pairs"]}
    assert found[frozenset((COLA, LIME))] == "nothing"
    assert found[frozenset((COLA, OATS))] == "mass"
    assert answer["without_references"] == [CHIPS]
    enrolment.ledger.set_stock(ZoneId("s1"), COLA, 3)
    enrolment.ledger.set_stock(ZoneId("s2"), LIME, 3)
    later = check(shelves(enrolment.ledger, MODEL), noise_g=1.0)
    assert {frozenset((p["sku"], p["other"])): p["told_apart_by"] for p in later["pairs"]}[
        frozenset((COLA, LIME))
    ] == "shelf"


@pytest.mark.parametrize(
    ("text", "right"),
    [("5449000000996", True), ("5449000000997", False), ("036000291452", True), ("40170725", True), ("hello", False)],
)
def test_a_barcode_is_known_by_its_check_digit(text: str, *, right: bool) -> None:
    assert is_gtin(text) is right


def test_another_products_barcode_is_refused_with_both_numbers() -> None:
    with pytest.raises(RequestError, match="5449000000996, the SKU is 5000000000011"):
        refuse_other_barcode(COLA, ["5449000000996"])


def test_a_upc_is_the_ean_with_a_zero_before_it() -> None:
    refuse_other_barcode(Sku("036000291452"), ["0036000291452"])


def test_a_code_of_the_operators_own_has_no_barcode_to_contradict() -> None:
    refuse_other_barcode(Sku("house-salad"), ["5449000000996"])


def test_a_qr_code_on_the_package_is_no_barcode() -> None:
    symbol = np.array([[255 * (1 - bit) for bit in row] for row in segno.make_qr("hello").matrix], np.uint8)
    large = np.kron(np.pad(symbol, 4, constant_values=255), np.ones((4, 4), np.uint8)).astype(np.uint8)
    assert barcodes(np.repeat(large[..., None], 3, axis=2)) == []


def test_the_barcode_in_the_photographs_may_name_the_product() -> None:
    assert named_by(["5449000000996"]) == "5449000000996"


@pytest.mark.parametrize("codes", [[], ["5449000000996", "40170725"]], ids=["none", "two"])
def test_without_one_barcode_the_photographs_name_nothing(codes: list[str]) -> None:
    with pytest.raises(RequestError):
        named_by(codes)


def test_three_hundred_products_are_checked(ledger: Ledger) -> None:
    dice = np.random.default_rng(1)
    ledger.put_products({Sku(f"p{n}"): Product(f"P{n}", 100.0 + n, 250) for n in range(300)})
    for n in range(300):
        mean = dice.normal(size=128)
        ledger.put_gallery(Sku(f"p{n}"), Reference(tuple(map(float, mean / np.linalg.norm(mean))), 0.2, 5), MODEL)
    answer = check(shelves(ledger, MODEL), noise_g=1.0)
    assert (len(answer["map"]), answer["pairs"], answer["without_references"]) == (300, [], [])
