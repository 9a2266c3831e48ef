"""The fleet's side of a cabinet that has no cloud, and of one that has."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinet.ledger import Ledger
from cabinet.reporter import Reporter
from cabinet.wiring import House
from cabinet.wiring.fleet import Fleet
from tests.control.room import facts

Making = Callable[..., Fleet]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Making]:
    with Ledger(tmp_path / "ledger.db") as ledger:

        def fleet(**sections: Any) -> Fleet:
            return House(facts(tmp_path, identity={"faces": False}, **sections), ledger).fleet

        yield fleet


def test_without_a_cloud_nothing_runs_is_in_trouble_or_is_poked(made: Making) -> None:
    fleet = made()
    fleet.poke()
    assert (fleet.uplink, fleet.reporter, fleet.loops(), fleet.troubles()) == (None, None, {}, {})
    assert fleet.cloud() == {"connected": False, "why": "no [mqtt] in the config: nothing is sent"}


def test_with_a_cloud_all_three_run_and_tell_what_is_wrong(made: Making, tmp_path: Path) -> None:
    key = tmp_path / "cloud.key"
    key.write_text("ab" * 32)
    fleet = made(mqtt={"host": "127.0.0.1", "key_file": str(key), "telemetry_every_s": 7.0})
    assert list(fleet.loops()) == ["uplink", "reporter", "till"]
    assert list(fleet.troubles()) == ["cloud", "roster"]
    assert isinstance(fleet.reporter, Reporter)
    assert fleet.reporter.every_s == 7.0
    assert fleet.troubles()["cloud"]() == fleet.cloud()["why"]
