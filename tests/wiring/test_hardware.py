"""Part by part: the serial board, or this computer's own pins."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from gpiozero.pins.mock import MockFactory

from cabinet.adapters.gpio import GpioLock, GpioSignals, GpioSwitches
from cabinet.adapters.mcu import BoardParts
from cabinet.config import Config
from cabinet.ports import BoardSenses, PortError
from cabinet.wiring.hardware import Hardware, SplitSignals, cameras, hardware
from tests.control.room import facts
from tests.support.fake_board import Senses as FakeSenses
from tests.support.fake_board import key_in
from tests.support.mock_pins import BOLT, BUZZER, DOOR, LAMP, RELAY, VISIT, mock_pins


def on_pins(pin: int, **more: Any) -> dict[str, Any]:
    return {"via": "gpio", "pin": pin, **more}


SWITCHES = {"door": on_pins(DOOR), "bolt": on_pins(BOLT)}


def made(config: Config, look: Callable[[Hardware, MockFactory], None]) -> None:
    """Built in a running loop, looked at, and put away with its pins."""

    async def live() -> None:
        with mock_pins() as pins:
            built = hardware(config, FakeSenses())
            look(built, pins)
            del built

    asyncio.run(live())


def test_without_a_word_everything_is_on_the_board(tmp_path: Path) -> None:
    def look(built: Hardware, pins: MockFactory) -> None:
        assert built.lock is built.board
        assert built.switches is None
        assert isinstance(built.signals, SplitSignals)
        assert built.signals.on_lamp is built.signals.on_buzzer is built.board
        assert pins.pins == {}

    made(facts(tmp_path), look)


def test_a_relay_may_be_on_a_pin_while_the_switches_are_on_the_board(tmp_path: Path) -> None:
    def look(built: Hardware, _: MockFactory) -> None:
        assert isinstance(built.lock, GpioLock)
        assert (built.switches, built.board._switches) == (None, True)

    made(facts(tmp_path, lock=on_pins(RELAY)), look)


def test_switches_may_be_on_pins_while_the_lock_is_on_the_board(tmp_path: Path) -> None:
    def look(built: Hardware, _: MockFactory) -> None:
        assert isinstance(built.switches, GpioSwitches)
        assert built.lock is built.board
        assert not built.board._switches

    made(facts(tmp_path, **SWITCHES), look)


def test_lamp_and_buzzer_may_be_on_different_hardware(tmp_path: Path) -> None:
    def look(built: Hardware, _: MockFactory) -> None:
        assert isinstance(built.signals, SplitSignals)
        assert isinstance(built.signals.on_lamp, GpioSignals)
        assert isinstance(built.signals.on_buzzer, BoardParts)

    made(facts(tmp_path, lamp=on_pins(LAMP)), look)


def test_a_lamp_on_a_pin_lights_there(tmp_path: Path) -> None:
    async def live() -> None:
        with mock_pins() as pins:
            built = hardware(facts(tmp_path, lamp=on_pins(LAMP), buzzer=on_pins(BUZZER)), FakeSenses())
            await built.signals.lamp("open")
            assert pins.pin(LAMP).state
            assert not pins.pin(BUZZER).state
            await built.signals.lamp("off")
            assert not pins.pin(LAMP).state

    asyncio.run(live())


def test_the_first_edge_of_the_door_drops_a_relay_on_a_pin(tmp_path: Path) -> None:
    async def live() -> None:
        with mock_pins() as pins:
            pins.pin(BOLT).drive_high()
            built = hardware(facts(tmp_path, lock=on_pins(RELAY), **SWITCHES), FakeSenses())
            await built.lock.release(VISIT, 5.0)
            assert pins.pin(RELAY).state
            pins.pin(DOOR).drive_high()
            async with asyncio.timeout(60.0):
                while pins.pin(RELAY).state:  # noqa: ASYNC110  the edge comes through gpiozero's thread
                    await asyncio.sleep(0)

    asyncio.run(live())


def test_zones_are_on_the_channels_that_the_config_names(tmp_path: Path) -> None:
    def look(built: Hardware, _: MockFactory) -> None:
        assert built.board.zones == ["s2", None, None, "s1"]

    made(facts(tmp_path, zones=[{"id": "s1", "channel": 3}, {"id": "s2", "channel": 0}]), look)


def test_a_pin_that_cannot_be_had_is_named_with_the_remedy(tmp_path: Path) -> None:
    config = facts(tmp_path, lock=on_pins(RELAY), lamp=on_pins(RELAY))
    with pytest.raises(PortError, match=f"gpio {RELAY}: .*correct pin"):
        made(config, lambda *_: None)


def test_without_a_board_there_are_no_cells(tmp_path: Path) -> None:
    config = facts(tmp_path).model_copy(update={"board": None})
    with pytest.raises(PortError, match="add \\[board\\]"):
        hardware(config, cast("BoardSenses", FakeSenses()))


def test_cameras_are_as_the_config_says_and_not_yet_started(tmp_path: Path) -> None:
    listed = [
        {"id": "front", "role": "front", "source": 0},
        {"id": "top", "role": "interior", "source": "http://127.0.0.1:1/top", "width": 800, "height": 600},
    ]
    found = cameras(facts(tmp_path, cameras=listed))
    assert list(found) == ["front", "top"]
    assert [camera.trouble() for camera in found.values()] == ["is being opened"] * 2
    assert found["top"]._size == (800, 600)  # type: ignore[index]  # an id as plain text


def test_the_boards_key_is_read_from_its_file_and_a_missing_one_is_no_error(tmp_path: Path) -> None:
    def without(built: Hardware, _: MockFactory) -> None:
        assert (built.board.key.key, built.board.key.path) == (None, tmp_path / "board.key")
        assert "cabinet board commission" in str(built.board.why_no_lock())

    def with_one(built: Hardware, _: MockFactory) -> None:
        assert built.board.key.key == b"\x11" * 32
        assert built.board.why_no_lock() is None

    made(facts(tmp_path), without)
    key_in(tmp_path)
    made(facts(tmp_path), with_one)


def test_where_the_lock_is_on_a_pin_the_board_needs_no_key(tmp_path: Path) -> None:
    made(facts(tmp_path, lock=on_pins(RELAY)), lambda built, _: _needs_no_key(built))


def _needs_no_key(built: Hardware) -> None:
    assert built.board.why_no_lock() is None


def test_each_board_is_read_on_from_where_its_journal_was_left(tmp_path: Path) -> None:
    asked: list[str] = []

    def stored(board: str) -> int:
        asked.append(board)
        return 7

    async def live() -> int:
        built = hardware(facts(tmp_path), FakeSenses(), stored)
        wanted = built.board.board._lasting._journal_from
        assert callable(wanted)
        return wanted(b"\xab" * 8)

    assert (asyncio.run(live()), asked) == (7, ["ab" * 8])
