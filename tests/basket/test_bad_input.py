"""What a tally is given that cannot be judged as usual: refused by name, or left to a person who is told the part."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.basket.evidence import Mass
from cabinet.basket.tally import tally
from cabinet.basket.verdict import Charge, Nothing, Review
from cabinet.trace import TraceError, read, write
from cabinet.units import Sku, ZoneId
from tests.basket.visits import COLA, Scene


def test_a_catalogue_without_anything_is_said_to_be_empty() -> None:
    visit = Scene().visit(5)
    verdict = tally(replace(visit, header=replace(visit.header, catalog={})))
    assert isinstance(verdict, Review)
    assert "catalogue is empty" in verdict.reason


def test_a_cabinet_without_zones_says_so() -> None:
    visit = Scene().visit(5)
    bare = replace(visit.header, zones={}, planogram={}, stock={})
    verdict = tally(replace(visit, header=bare, events=tuple(e for e in visit.events if not isinstance(e, Mass))))
    assert isinstance(verdict, Review)
    assert "no zone" in verdict.reason


@pytest.mark.parametrize("seed", range(5))
def test_a_zone_without_planogram_or_stock_is_named_when_something_leaves_it(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    visit = scene.visit(6)
    header = visit.header
    unknown = replace(
        header,
        planogram={z: skus for z, skus in header.planogram.items() if z != "s1"},
        stock={z: held for z, held in header.stock.items() if z != "s1"},
    )
    verdict = tally(replace(visit, header=unknown))
    assert not isinstance(verdict, Nothing)
    assert isinstance(verdict, Charge) or "s1" in verdict.reason


@pytest.mark.parametrize("seed", range(5))
def test_a_zone_without_planogram_is_billed_by_its_stock(seed: int) -> None:
    scene = Scene(seed=seed)
    scene.take(3, "s1", COLA)
    visit = scene.visit(6)
    verdict = tally(replace(visit, header=replace(visit.header, planogram={})))
    assert isinstance(verdict, Charge)
    assert [(line.sku, line.quantity) for line in verdict.lines] == [(COLA, 1)]


def test_a_sku_without_a_mass_is_refused_with_its_place(tmp_path: Path) -> None:
    write(tmp_path / "visit", Scene().visit(5))
    path = tmp_path / "visit" / "visit.json"
    header = json.loads(path.read_text())
    del header["catalog"][COLA]["mass_g"]
    path.write_text(json.dumps(header))
    with pytest.raises(TraceError, match=rf"{COLA}.*mass_g: is missing"):
        read(tmp_path / "visit")


def test_a_reading_that_is_no_number_is_refused_with_its_line(tmp_path: Path) -> None:
    write(tmp_path / "visit", Scene().visit(5))
    with (tmp_path / "visit" / "events.jsonl").open("a") as file:
        file.write('{"t": 9.0, "type": "mass", "zone": "s1", "hz": 80, "g": [1.0, NaN]}\n')
    with pytest.raises(TraceError, match=r"events.jsonl line \d+: NaN is no number"):
        read(tmp_path / "visit")


def test_a_product_in_the_planogram_that_the_catalogue_lacks_does_not_stop_the_bill() -> None:
    scene = Scene()
    scene.take(3, "s1", COLA)
    visit = scene.visit(6)
    planogram = {**visit.header.planogram, ZoneId("s1"): (*visit.header.planogram[ZoneId("s1")], Sku("ghost"))}
    verdict = tally(replace(visit, header=replace(visit.header, planogram=planogram)))
    assert isinstance(verdict, Charge)
    assert [line.sku for line in verdict.lines] == [COLA]
