"""What the world may tell the emulator."""

import json
from typing import Any

import pytest

from firmware_bridge.emulator.commands import obey_line
from firmware_bridge.emulator.firmware import Chip, Firmware
from firmware_bridge.emulator.world import World


class Cord:
    """A cable that only remembers."""

    plugged = True

    def unplug(self) -> None:
        self.plugged = False

    def replug(self) -> None:
        self.plugged = True


class Stage:
    def __init__(self) -> None:
        self.board = Firmware(World(2), Chip(), 0)
        self.cord = Cord()

    def do(self, line: str, at_ms: int = 0) -> dict[str, Any]:
        answer = obey_line(line.encode(), self.board, self.cord, at_ms)
        assert answer.endswith(b"\n")
        reply: dict[str, Any] = json.loads(answer)
        return reply


NONSENSE = [
    "",
    "not json",
    "[]",
    "{}",
    '{"do": "fly"}',
    '{"do": "mass", "zone": 0}',
    '{"do": "mass", "zone": 2, "g": 1}',
    '{"do": "mass", "zone": -1, "g": 1}',
    '{"do": "mass", "zone": "0", "g": 1}',
    '{"do": "mass", "zone": 0, "g": NaN}',
    '{"do": "mass", "zone": 0, "g": 1e9}',
    '{"do": "hand", "zone": 0, "g": 300, "for_s": 0}',
    '{"do": "temperature", "c": "warm"}',
]


@pytest.mark.parametrize("line", NONSENSE)
def test_nonsense_is_answered_and_changes_nothing(line: str) -> None:
    stage = Stage()
    before = stage.do('{"do": "state"}')
    reply = stage.do(line)
    assert reply["ok"] is False
    assert reply["error"]
    assert stage.do('{"do": "state"}') == before


def test_masses_are_set_and_changed() -> None:
    stage = Stage()
    stage.do('{"do": "mass", "zone": 0, "g": 1234.5}')
    stage.do('{"do": "add", "zone": 0, "g": -505.0}')
    assert stage.do('{"do": "state"}')["masses_g"] == [729.5, 0.0]


def test_a_forced_door_is_open_and_shows_so() -> None:
    stage = Stage()
    stage.do('{"do": "force"}')
    state = stage.do('{"do": "state"}')
    assert (state["door_open"], state["bolt_locked"]) == (True, False)


def test_the_cable_is_pulled_and_put_back() -> None:
    stage = Stage()
    stage.do('{"do": "unplug"}')
    assert stage.do('{"do": "state"}')["plugged"] is False
    stage.do('{"do": "replug"}')
    assert stage.do('{"do": "state"}')["plugged"] is True


def test_a_reset_is_another_boot() -> None:
    stage = Stage()
    before = stage.do('{"do": "state"}')
    stage.do('{"do": "reset"}', at_ms=50)
    after = stage.do('{"do": "state"}')
    assert (after["boots"], after["uptime_ms"]) == (2, 0)
    assert after["boot_id"] != before["boot_id"]


def test_cells_die_and_temperatures_change() -> None:
    stage = Stage()
    stage.do('{"do": "cell", "zone": 1, "dead": true}')
    stage.do('{"do": "temperature", "c": 9.5}')
    state = stage.do('{"do": "state"}')
    assert (state["cells_dead"], state["temperature_c"]) == ([False, True], 9.5)
    assert stage.board.world.sample_dg(1, 0) is None
