"""The keeper of the fleet's list of members as the config names it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinet.ledger import Ledger
from cabinet.uplink.members import Keeper
from cabinet.wiring.roster import roster
from tests.control.room import facts


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


class Uplink:
    keeper: Keeper | None = None

    def keep_members(self, keeper: Keeper) -> None:
        self.keeper = keeper


def test_it_keeps_the_list_for_as_long_as_the_config_says(tmp_path: Path, ledger: Ledger) -> None:
    made = roster(facts(tmp_path, identity={"members_days": 2}), ledger, None, lambda: None)
    assert made.members_s == 172_800.0


def test_the_uplink_asks_for_it(tmp_path: Path, ledger: Ledger) -> None:
    uplink: Any = Uplink()
    made = roster(facts(tmp_path), ledger, uplink, lambda: None)
    assert uplink.keeper is made
