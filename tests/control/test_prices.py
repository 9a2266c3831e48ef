"""Price rules and proofs of age over the technician's socket: done whole or refused with the key."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cabinet.control.prices import PriceDesk
from cabinet.control.requests import RequestError
from cabinet.ledger import Consent, Ledger
from tests.control.room import facts
from tests.ledger.examples import CATALOG, COLA

RULES = {
    "taxes": {"standard": "19", "reduced": "7"},
    "discounts": [{"name": "Half", "skus": [COLA], "percent_off": "50", "from_units": 1}],
}


class Room:
    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "l.db")
        self.ledger.put_products(CATALOG)
        self.changes = 0
        config = facts(folder, prices={"time_zone": "Europe/Berlin", "tax_included": False})
        self.desk = PriceDesk(config, self.ledger, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        told: dict[str, Any] = asyncio.run(self.desk.operations()[operation](arguments, "ann"))
        return told


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_rules_that_are_set_are_shown_with_what_the_cabinet_adds(room: Room) -> None:
    version = room.ledger.price_version()
    assert room.ask("prices.set", rules=RULES)["price_version"] == version + 1
    shown = room.ask("prices.show")
    assert (shown["rules"], shown["tax_included"], shown["time_zone"]) == (RULES, False, "Europe/Berlin")
    assert (shown["currency"], shown["warnings"], room.changes) == ("USD", [], 1)


def test_checking_says_the_same_and_changes_nothing(room: Room) -> None:
    assert room.ask("prices.check", rules=RULES)["rules"] == RULES
    assert (room.ask("prices.show")["rules"], room.changes) == ({"taxes": {}, "discounts": []}, 0)


@pytest.mark.parametrize("operation", ["prices.check", "prices.set"])
@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (None, "the rules: expected a table"),
        ({"taxes": {"standard": "x"}}, "taxes.standard"),
        ({"taxes": {"standard": "19"}}, "no rate for the class 'reduced' of W1"),
        ({"discounts": [{"name": "x", "skus": ["X9"], "percent_off": 5}]}, r"discounts\[0\].skus: X9 not in"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_with_the_key(
    room: Room, operation: str, rules: object, says: str
) -> None:
    with pytest.raises(RequestError, match=says):
        room.ask(operation, rules=rules)
    assert (room.ledger.price_rules().taxes_ppm, room.changes) == ({}, 0)


def test_a_discount_that_saves_nothing_is_told(room: Room) -> None:
    rules = {"discounts": [{"name": "Dear", "skus": [COLA], "take": 2, "price": 900}]}
    assert room.ask("prices.check", rules=rules)["warnings"] == ["'Dear' saves nothing at today's prices"]


def test_an_age_is_verified_by_whoever_asks(room: Room) -> None:
    anna = room.ledger.add_member("Anna", Consent("1", 0, "en"))
    assert room.ask("members.age", member=anna, years=18) == {"member": anna, "years": 18, "by": "ann"}
    assert room.ledger.member_age(anna) == 18
    assert room.ask("members.age", member=anna, years=0)["years"] is None


@pytest.mark.parametrize("years", [-1, 151, "18", None])
def test_an_age_that_is_none_is_refused(room: Room, years: object) -> None:
    anna = room.ledger.add_member("Anna", Consent("1", 0, "en"))
    with pytest.raises(RequestError, match="years"):
        room.ask("members.age", member=anna, years=years)


def test_the_age_of_nobody_cannot_be_verified(room: Room) -> None:
    with pytest.raises(RequestError, match="no such member"):
        room.ask("members.age", member="01NOBODY", years=18)
