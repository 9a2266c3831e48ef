"""What a technician is told of what was learnt, and that a mass can be forgotten."""

import asyncio
from dataclasses import replace

import pytest

from cabinet.basket.evidence import Product
from cabinet.basket.learning import Belief, Rival
from cabinet.basket.lessons import Strayed
from cabinet.basket.shadow import Opinion
from cabinet.control.requests import RequestError
from cabinet.units import Sku, VisitId
from tests.control.room import S1, S2, Room

COLA, WATER, VISIT = Sku("cola"), Sku("water"), VisitId("01JD0000000000000000000001")
BELIEF = Belief(500.0, 560.0, 6.0, 9.0, 8.0, 0.8, 6, sure=True, visits=1, since_ms=1_795_000_000_000, last_ms=5)


@pytest.fixture
def stocked(room: Room) -> Room:
    room.ledger.put_products({COLA: Product("Cola", 500.0, 220), WATER: Product("Water", 516.0, 120, 3.0)})
    return room


def test_every_product_has_a_row_with_both_masses_and_what_is_far_off_a_notice(stocked: Room) -> None:
    stocked.ledger.learn(VISIT, 5, {COLA: BELIEF})
    told = asyncio.run(stocked.ask("catalog.masses"))
    cola, water = told["masses"]
    assert (cola["catalogue_g"], cola["learnt_g"], cola["units"], cola["in_use"], cola["off_share"]) == (
        500.0, 560.0, 6, True, 0.12,
    )  # fmt: skip  # a row
    assert cola["notice"] == "cola Cola weighs 560 g, the catalogue says 500 g (since 2026-11-18, 6 units)"
    assert (water["learnt_g"], water["in_use"], water["notice"]) == (None, False, "")
    assert told["far_off"] == 1


def test_a_mass_that_is_doubted_says_so(stocked: Room) -> None:
    stocked.ledger.learn(VISIT, 5, {COLA: replace(BELIEF, rival=Rival(450.0, 4, 1, 7))})
    cola, _ = asyncio.run(stocked.ask("catalog.masses"))["masses"]
    assert cola["doubt"] == "4 units weighed 450 g: a new package?"


def test_a_mass_learnt_of_another_catalogue_is_not_shown_as_this_ones(stocked: Room) -> None:
    stocked.ledger.learn(VISIT, 5, {COLA: BELIEF})
    stocked.ledger.put_product(COLA, Product("Cola", 560.0, 220))
    cola, _ = asyncio.run(stocked.ask("catalog.masses"))["masses"]
    assert (cola["learnt_g"], cola["units"], cola["notice"]) == (None, 0, "")


def test_a_mass_can_be_forgotten_and_doctor_is_content_again(stocked: Room) -> None:
    stocked.ledger.learn(VISIT, 5, {COLA: BELIEF})
    stocked.learning.learner.told()
    assert "the catalogue says 500 g" in (stocked.parts.why("masses") or "")
    assert asyncio.run(stocked.ask("catalog.forget_mass", sku="cola")) == {"sku": "cola", "forgotten": True}
    assert stocked.parts.why("masses") is None
    assert asyncio.run(stocked.ask("catalog.forget_mass", sku="cola")) == {"sku": "cola", "forgotten": False}
    with pytest.raises(RequestError, match="not in the catalogue"):
        asyncio.run(stocked.ask("catalog.forget_mass", sku="ghost"))


def test_a_stray_found_three_times_is_proposed_and_the_planogram_stays(stocked: Room) -> None:
    stocked.ledger.set_planogram(S1, [COLA])
    for n in range(3):
        found = [Strayed(S2, COLA, -1, found=True), Strayed(S1, WATER, 1)]
        stocked.ledger.learn(VisitId(f"01J{n:023d}"), 5, {}, found, certain=True)
    water, cola = asyncio.run(stocked.ask("stock.strays"))["strays"]
    assert (cola["zone"], cola["sku"], cola["found"], cola["proposed"]) == ("s2", "cola", 3, True)
    assert (water["zone"], water["count"], water["proposed"]) == ("s1", 3, False)
    assert stocked.ledger.planogram() == {S1: (COLA,)}


def test_shadow_shows_its_counts(stocked: Room) -> None:
    stocked.ledger.learn(VISIT, 5, {}, (), {"mps": Opinion("charge", {COLA: 2}, more_minor=220)})
    told = asyncio.run(stocked.ask("shadow.show"))
    assert told["running"] == []
    assert told["shadow"][0] | {"name": "mps", "visits": 1, "more": 1, "more_minor": 220} == told["shadow"][0]
