"""`cabinet eval states` on the real cabinet, and what it says of names that counts cannot tell apart."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cabinet.cli.app import app
from cabinet.cli.evaluate.states import _interchangeable


@pytest.fixture(scope="module")
def answer(shared_data: Path) -> dict[str, Any]:
    folder = shared_data / "interiors" / "vending_states"
    said = CliRunner().invoke(app, ["eval", "states", str(folder), "--json"])
    assert said.exit_code == 0, said.output
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_every_change_of_the_real_cabinet_is_told_with_product_and_count(answer: dict[str, Any]) -> None:
    assert [row["exact"] for row in answer["pairs"]] == [True] * 4


def test_the_filling_of_the_empty_cabinet_is_told_with_product_and_count(answer: dict[str, Any]) -> None:
    assert answer["pairs"][0]["seen"] == {"gatorade": 2, "pringles": 2, "ruffles": 1, "sprite": 2}


def test_nothing_is_seen_that_did_not_change_and_nothing_is_missed(answer: dict[str, Any]) -> None:
    assert (answer["phantoms"], answer["missed"]) == (0, 0)


def test_products_that_always_change_together_are_named_as_interchangeable(answer: dict[str, Any]) -> None:
    assert answer["interchangeable"] == [["gatorade", "pringles"]]


def test_products_with_changes_of_their_own_are_not_interchangeable() -> None:
    assert _interchangeable({"0": {"a": 1, "b": 2}, "1": {"a": 0, "b": 2}}) == []
