"""The cabinet as it is put together: whatever may be asked of it either looks, or leaves a line."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.control.audited import CHANGES, READS, SHOPPERS
from cabinet.control.requests import RequestError
from cabinet.ledger import Ledger
from cabinet.wiring.house import House
from tests.control.room import facts


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        house = House(facts(tmp_path, identity={"faces": False}), ledger)
        yield house
        asyncio.run(house.close())


def test_every_operation_that_may_be_asked_is_sorted(house: House) -> None:
    assert set(house._control()._operations) == {*READS, *CHANGES, *SHOPPERS}


def test_what_changes_something_leaves_a_line(house: House) -> None:
    with pytest.raises(RequestError, match="no zone"):
        asyncio.run(house._control()._answer("stock.set", {"zone": "s9", "sku": "C", "count": 1}, "tina"))
    assert [(one.who, one.op, one.result) for one in house.ledger.audited(9)] == [("tina", "stock.set", "refused")]


def test_looking_leaves_none(house: House) -> None:
    asyncio.run(house._control()._answer("status", {}, "tina"))
    assert house.ledger.audited(9) == []
