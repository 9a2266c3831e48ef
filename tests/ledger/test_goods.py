"""Catalogue, gallery, planogram and stock."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cabinet.basket.evidence import Product
from cabinet.ledger import EntryRefusedError, Ledger
from cabinet.units import Sku, ZoneId
from cabinet.vision.gallery import Reference
from tests.ledger.examples import CATALOG, COLA, SHELF, WATER


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "l.db")
    ledger.put_products(CATALOG)
    return ledger


def test_the_catalogue_comes_back_as_products(ledger: Ledger) -> None:
    assert ledger.catalog() == CATALOG


def test_the_price_version_goes_up_with_every_change_and_only_then(ledger: Ledger) -> None:
    first = ledger.price_version()
    assert ledger.put_product(COLA, CATALOG[COLA]) == first
    assert ledger.put_product(COLA, replace(CATALOG[COLA], unit_price=260)) == first + 1
    assert ledger.remove_product(WATER)
    assert ledger.price_version() == first + 2


@pytest.mark.parametrize(
    ("sku", "change", "says"),
    [
        ("", {}, "SKU is 1 to 40"),
        ("a b", {}, "SKU is 1 to 40"),
        ("７", {}, "SKU is 1 to 40"),
        ("X", {"name": " "}, "row 'X': the name"),
        ("X", {"mass_g": 0.0}, "mass_g is 0.0, must be above 0"),
        ("X", {"mass_g": float("nan")}, "mass_g is nan"),
        ("X", {"mass_g": float("inf")}, "mass_g is inf"),
        ("X", {"mass_sd_g": -1.0}, "mass_sd_g is -1.0"),
        ("X", {"unit_price": -1}, "unit_price is -1, must be a whole number of minor units"),
        ("X", {"unit_price": 2.5}, "unit_price is 2.5"),
        ("X", {"unit_price": True}, "unit_price is True"),
        ("X", {"min_age": -1}, "min_age is -1"),
        ("X", {"tax": ""}, "tax class"),
    ],
)
def test_a_row_that_cannot_be_sold_honestly_is_refused_with_where_and_why(
    ledger: Ledger, sku: str, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(EntryRefusedError, match=says):
        ledger.put_products({WATER: replace(CATALOG[WATER], unit_price=1), Sku(sku): replace(CATALOG[COLA], **change)})
    assert ledger.catalog() == CATALOG


def test_the_gallery_belongs_to_one_model(ledger: Ledger) -> None:
    ledger.put_gallery(COLA, Reference((0.5, 0.25), 0.1, 3), "sha-a")
    ledger.put_gallery(COLA, Reference((0.25, 0.5), 0.25, 4), "sha-a")
    assert ledger.gallery("sha-a") == {COLA: Reference((0.25, 0.5), 0.25, 4)}
    assert ledger.gallery("sha-b") == {}


@pytest.mark.parametrize(("sku", "mean", "count"), [("none", (1.0,), 1), (COLA, (), 1), (COLA, (1.0,), 0)])
def test_a_broken_gallery_row_is_refused(ledger: Ledger, sku: Sku, mean: tuple[float, ...], count: int) -> None:
    with pytest.raises(EntryRefusedError, match="gallery"):
        ledger.put_gallery(sku, Reference(mean, 0.0, count), "sha-a")


def test_the_planogram_keeps_the_order_given(ledger: Ledger) -> None:
    ledger.set_planogram(SHELF, [WATER, COLA, WATER])
    assert ledger.planogram() == {SHELF: (WATER, COLA)}
    ledger.set_planogram(SHELF, [])
    assert ledger.planogram() == {}


def test_a_planogram_of_unknown_goods_is_refused(ledger: Ledger) -> None:
    with pytest.raises(EntryRefusedError, match="zone s1: X9 not in the catalogue"):
        ledger.set_planogram(SHELF, [COLA, Sku("X9")])


def test_stock_is_what_was_counted(ledger: Ledger) -> None:
    ledger.set_stock(SHELF, COLA, 6)
    ledger.set_stock(SHELF, COLA, 5)
    assert ledger.stock() == {SHELF: {COLA: 5}}


@pytest.mark.parametrize(("zone", "sku", "count"), [("s1", COLA, -1), ("s1", "X9", 1), ("", COLA, 1)])
def test_impossible_stock_is_refused(ledger: Ledger, zone: ZoneId, sku: Sku, count: int) -> None:
    with pytest.raises(EntryRefusedError, match="zone"):
        ledger.set_stock(zone, sku, count)


def test_a_removed_product_takes_its_places_along(ledger: Ledger) -> None:
    ledger.set_stock(SHELF, COLA, 5)
    ledger.set_planogram(SHELF, [COLA, WATER])
    ledger.put_gallery(COLA, Reference((1.0,)), "sha")
    assert ledger.remove_product(COLA)
    assert (ledger.stock(), ledger.planogram(), ledger.gallery("sha")) == ({}, {SHELF: (WATER,)}, {})
    assert not ledger.remove_product(COLA)


def test_a_note_is_kept_replaced_and_dropped(ledger: Ledger) -> None:
    assert ledger.note("floor") is None
    ledger.set_note("floor", "1")
    ledger.set_note("floor", "2")
    assert ledger.note("floor") == "2"
    ledger.drop_note("floor")
    assert ledger.notes() == {}


def test_a_product_may_leave_its_spread_to_the_default(ledger: Ledger) -> None:
    ledger.put_product(Sku("N1"), Product("Nuts", 100.0, 199))
    assert ledger.catalog()[Sku("N1")].mass_sd_g is None
