"""What the world may tell the emulator."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from firmware_bridge.emulator.commands import asks_for_thoughts, moves_the_door, obey_line
from firmware_bridge.emulator.world import World


class Stage:
    """A world beside a board that only remembers what was done to it."""

    def __init__(self) -> None:
        self.world = World(2)
        self.plugged = True
        self.done: list[str] = []
        self.thoughts: Mapping[str, Any] = {}
        self.pins: Mapping[str, Any] = {
            "relay": False,
            "lamp": 4,
            "buzzer": 2,
            "chip": "running",
            "interpreter": "none",
            "boots": 1,
            "watchdog_resets": 0,
            "crashes": 0,
        }

    def unplug(self) -> None:
        self.plugged = False

    def replug(self) -> None:
        self.plugged = True

    def restart(self, cause: int) -> None:
        self.done.append(f"restart {cause}")

    def hang(self) -> None:
        self.done.append("hang")

    def do(self, line: str, at_ms: float = 0) -> dict[str, Any]:
        answer = obey_line(line.encode(), self, at_ms)
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
    '{"do": "break"}',
    '{"do": "break", "what": "the lot"}',
    '{"do": "break", "what": "cell_dead"}',
    '{"do": "break", "what": "cell_dead", "zone": 2}',
    '{"do": "break", "what": "cell_dead", "zone": "1"}',
    '{"do": "break", "what": "magnet", "on": "yes"}',
    '{"do": "cell", "zone": 7, "dead": true}',
    '{"do": "reset", "cause": 9}',
]


@pytest.mark.parametrize("line", NONSENSE)
def test_nonsense_is_answered_and_changes_nothing(line: str) -> None:
    stage = Stage()
    before = stage.do('{"do": "state"}')
    reply = stage.do(line)
    assert reply["ok"] is False
    assert reply["error"]
    assert stage.do('{"do": "state"}') == before
    assert stage.done == []


def test_masses_are_set_and_changed() -> None:
    stage = Stage()
    stage.do('{"do": "mass", "zone": 0, "g": 1234.5}')
    stage.do('{"do": "add", "zone": 0, "g": -505.0}')
    assert stage.do('{"do": "state"}')["masses_g"] == [729.5, 0.0]


def test_a_hand_is_felt_for_its_time() -> None:
    stage = Stage()
    stage.do('{"do": "hand", "zone": 1, "g": 300, "for_s": 0.4}', at_ms=1000)
    cell = stage.world.cells[1]
    assert [round(cell.felt_g(at_ms, stage.world.signal)) for at_ms in (999, 1200, 1400)] == [0, 300, 0]


def test_a_forced_door_is_open_and_shows_so() -> None:
    stage = Stage()
    stage.do('{"do": "force"}')
    state = stage.do('{"do": "state"}')
    assert (state["door_open"], state["bolt_locked"]) == (True, False)
    assert stage.do('{"do": "shut"}') == {"ok": True}
    assert stage.do('{"do": "look"}')["door_open"] is False


def test_a_locked_door_is_pulled_in_vain() -> None:
    assert Stage().do('{"do": "pull"}') == {"ok": False}


def test_the_cable_is_pulled_and_put_back() -> None:
    stage = Stage()
    stage.do('{"do": "unplug"}')
    assert stage.do('{"do": "state"}')["plugged"] is False
    stage.do('{"do": "replug"}')
    assert stage.do('{"do": "state"}')["plugged"] is True


def test_resets_come_with_their_cause() -> None:
    stage = Stage()
    for line in ('{"do": "reset"}', '{"do": "reset", "cause": 0}', '{"do": "brownout"}', '{"do": "hang"}'):
        assert stage.do(line) == {"ok": True}
    assert stage.done == ["restart 3", "restart 0", "restart 2", "hang"]


def test_parts_break_and_are_mended_by_name() -> None:
    stage = Stage()
    stage.do('{"do": "break", "what": "magnet"}')
    stage.do('{"do": "break", "what": "cell_stuck", "zone": 1}')
    state = stage.do('{"do": "look"}')
    assert (state["broken"], state["cells_broken"]) == (["magnet"], [[], ["cell_stuck"]])
    stage.do('{"do": "break", "what": "magnet", "on": false}')
    assert stage.do('{"do": "look"}')["broken"] == []


def test_cells_die_the_bolt_jams_and_temperatures_change() -> None:
    stage = Stage()
    stage.do('{"do": "cell", "zone": 1, "dead": true}')
    stage.do('{"do": "jam", "stuck": true}')
    stage.do('{"do": "temperature", "c": 9.5}')
    state = stage.do('{"do": "state"}')
    assert (state["cells_dead"], state["jammed"], state["temperature_c"]) == ([False, True], True, 9.5)


def test_the_memory_is_shown_byte_by_byte() -> None:
    stage = Stage()
    stage.world.nv.write(2, b"\xab\xcd")
    shown = bytes.fromhex(stage.do('{"do": "memory"}')["hex"])
    assert shown == stage.world.nv.content
    assert shown[2:4] == b"\xab\xcd"


def test_a_relay_ordered_but_not_pumped_is_no_driven_lock() -> None:
    stage = Stage()
    stage.pins = {**stage.pins, "relay": True}
    assert stage.do('{"do": "look"}')["lock_driven"] is False


def test_the_state_adds_what_the_board_thinks_to_what_is_seen() -> None:
    stage = Stage()
    assert stage.do('{"do": "state"}')["lease"] is None
    stage.thoughts = {"lease": "ab", "faults": [3]}
    state, look = stage.do('{"do": "state"}'), stage.do('{"do": "look"}')
    assert (state["lease"], state["faults"], state["lamp"], state["buzzer"]) == ("ab", [3], "alarm", "prompt")
    assert set(look) < set(state)


@pytest.mark.parametrize(("line", "asks"), [(b'{"do": "state"}', True), (b'{"do": "look"}', False), (b"[]", False)])
def test_only_the_state_waits_for_the_board(line: bytes, *, asks: bool) -> None:
    assert asks_for_thoughts(line) == asks


def test_only_a_hand_on_the_door_moves_it() -> None:
    words = ("pull", "shut", "force", "look", "state", "hand")
    moving = [word for word in words if moves_the_door(f'{{"do": "{word}"}}'.encode())]
    assert moving == ["pull", "shut", "force"]
    assert not moves_the_door(b"[]")
