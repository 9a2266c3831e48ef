"""What seems to have been taken, as a technician reads it."""

import pytest

from cabinet.cli import words
from tests.cli.answers import STATUS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl

COLA = {"sku": "111", "name": "Cola", "units": 2}
OATS = {"sku": "222", "name": "", "units": 1}


def test_status_shows_it_while_a_door_is_open(cli: Cli, control: FakeControl) -> None:
    shown = {"taken": [COLA, OATS], "settled": True}
    control.answers["status"] = {**STATUS, "state": "Watching", "interim": shown}
    assert "2 × Cola, 1 × 222" in cli("status").stdout


@pytest.mark.parametrize("interim", [{}, {"interim": None}])
def test_status_says_nothing_of_it_otherwise(cli: Cli, control: FakeControl, interim: dict[str, None]) -> None:
    control.answers["status"] = {**STATUS, **interim}
    assert "so far" not in cli("status").stdout


@pytest.mark.parametrize(
    ("interim", "shown"),
    [
        ({"taken": [COLA], "settled": True}, "taken so far: 2 × Cola"),
        ({"taken": [], "settled": True}, "taken so far: nothing"),
        ({"taken": [COLA], "settled": False}, "taken so far: 2 × Cola, not settled yet"),
        (None, "taken so far: the door is shut"),
        ({"taken": ["nonsense"]}, "taken so far: nothing, not settled yet"),
    ],
)
def test_a_watcher_reads_one_line(interim: object, shown: str) -> None:
    assert words.happening({"type": "interim", "interim": interim}) == shown


def test_a_name_cannot_move_the_cursor() -> None:
    evil = {"taken": [{**COLA, "name": "\x1b[2J"}], "settled": True}
    assert "\x1b" not in words.happening({"type": "interim", "interim": evil})
