"""The Pico's pin layer against a fake chip: switches, coil, thermometer, waiting, time, lock, wire, memory, lamps."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from firmware_bridge.firmware.fitted_by import Fitted
from tests.firmware_bridge.fake_pico import Chip, Reset
from tests.firmware_bridge.on_fakes import on

DOOR_A, DOOR_B, BOLT, HOUSING, RELAY, PUMP = 19, 20, 21, 28, 15, 18


@pytest.fixture
def chip() -> Chip:
    return Chip(4)


@pytest.fixture
def load(chip: Chip) -> Iterator[Callable[[str], ModuleType]]:
    with on(chip) as load:
        yield load


@pytest.fixture
def pins(load: Callable[[str], ModuleType]) -> Any:
    return load("pico").Pins(Fitted())


# Switches, coil, thermometer.


@pytest.mark.parametrize(
    ("pin", "level", "name", "value"),
    [
        (DOOR_A, 0, "door_a_shut", True),
        (DOOR_A, 1, "door_a_shut", False),
        (DOOR_B, 1, "door_b_shut", True),
        (DOOR_B, 0, "door_b_shut", False),
        (BOLT, 0, "bolt_home", True),
        (BOLT, 1, "bolt_home", False),
        (HOUSING, 0, "housing_open", False),
        (HOUSING, 1, "housing_open", True),
    ],
)
def test_each_contact_is_read_in_its_own_sense(
    chip: Chip, pins: Any, pin: int, level: int, name: str, value: object
) -> None:
    chip.put(pin, level)
    assert getattr(pins.inputs(), name) is value


def test_with_every_wire_cut_the_door_is_open_and_unbolted_and_so_is_the_housing(pins: Any) -> None:
    inputs = pins.inputs()
    assert (inputs.door_a_shut, inputs.bolt_home, inputs.housing_open) == (False, False, True)


def test_a_coil_counts_as_on_from_a_quarter_of_an_ampere_and_as_off_below_half_of_that(chip: Chip, pins: Any) -> None:
    seen = []
    for code in (0, 2000, 2600, 2000, 1000, 2000):
        chip.analogue[26] = code
        seen.append(pins.inputs().coil_on)
    assert seen == [False, False, True, True, False, False]


def test_the_thermometers_code_is_the_sum_of_sixteen_reads_of_twelve_bits(chip: Chip, pins: Any) -> None:
    for n in range(16):
        chip.analogue[27] = (1000 + n) << 4
        code = pins.inputs().probe
    assert code == sum(range(1000, 1016))


def test_a_cut_thermometer_reads_the_highest_code_of_all(chip: Chip, load: Callable[[str], ModuleType]) -> None:
    chip.analogue[27] = 65535
    assert load("pico").Pins(Fitted()).inputs().probe == 65520


# Waiting.


def waited_us(chip: Chip, pins: Any, ms: int) -> int:
    begin = chip.us
    pins.wait(ms)
    return chip.us - begin


def test_a_wait_in_which_nothing_comes_lasts_as_long_as_was_asked(chip: Chip, pins: Any) -> None:
    pins.inputs()
    assert 4000 <= waited_us(chip, pins, 5) <= 5100


@pytest.mark.parametrize("pin", [DOOR_A, DOOR_B, BOLT, HOUSING])
def test_a_switch_that_moves_ends_the_wait_within_a_look(chip: Chip, pins: Any, pin: int) -> None:
    pins.inputs()
    chip.put(pin, 1 - chip.level[pin])
    assert waited_us(chip, pins, 5) <= 100


def test_a_switch_that_moved_before_the_wait_ends_it_too(chip: Chip, pins: Any) -> None:
    pins.inputs()
    chip.put(DOOR_A, 0)
    chip.pass_us(900)
    assert waited_us(chip, pins, 5) <= 100


def test_bytes_end_the_wait(chip: Chip, pins: Any) -> None:
    pins.inputs()
    chip.arrived = b"x"
    assert waited_us(chip, pins, 5) <= 100


def test_a_conversion_of_all_cells_ends_the_wait(chip: Chip, pins: Any) -> None:
    pins.inputs()
    for cell in chip.cells:
        cell.convert(5)
    assert waited_us(chip, pins, 5) <= 100


def test_samples_are_one_row_with_the_time_of_the_reading(chip: Chip, pins: Any) -> None:
    for n, cell in enumerate(chip.cells):
        cell.convert(-n)
    chip.us = 3_000_000
    [(t_us, raws, slips)] = pins.samples()
    assert (abs(t_us - 3_000_000) < 1100, raws, slips) == (True, [0, -1, -2, -3], 0)


def test_there_are_no_samples_while_a_converter_is_at_work(chip: Chip, pins: Any) -> None:
    for cell in chip.cells[1:]:
        cell.convert(7)
    assert pins.samples() == []


# Time.


def test_time_goes_on_where_the_chips_own_counters_lap(chip: Chip, pins: Any) -> None:
    for hours in range(0, 24 * 40, 100):  # 40 days: its ms lap after 12.4 days
        chip.us = hours * 3_600_000_000
        seen = pins.now_ms()
    assert seen == chip.us // 1000


def test_microseconds_go_on_too_and_stay_with_the_milliseconds(chip: Chip, pins: Any) -> None:
    for minutes in range(0, 600, 5):  # 10 hours: its us lap after 17.9 minutes
        chip.us = minutes * 60_000_000
        apart_us = pins.now_us() - pins.now_ms() * 1000
    assert (abs(apart_us) <= 1000, chip.us > 30_000_000_000) == (True, True)


# The lock.


def test_relay_and_pump_are_low_before_anything_else_is_touched(chip: Chip, pins: Any) -> None:
    assert (chip.level[RELAY], chip.level[PUMP], chip.directions[RELAY], chip.directions[PUMP]) == (0, 0, 1, 1)


def test_each_call_of_the_pump_is_one_edge(chip: Chip, pins: Any) -> None:
    for _ in range(5):
        pins.pump()
    assert [level for _, pin, level in chip.driven if pin == PUMP] == [1, 0, 1, 0, 1]


def test_the_relay_does_what_it_is_told(chip: Chip, pins: Any) -> None:
    pins.relay(on=True)
    pins.relay(on=False)
    assert [level for _, pin, level in chip.driven if pin == RELAY] == [1, 0]


def test_the_watchdog_has_eight_seconds_to_start_and_a_quarter_of_one_from_the_first_turn(
    chip: Chip, pins: Any
) -> None:
    pins.feed()
    pins.feed()
    assert chip.watchdogs == [8000, 250]


def test_a_loop_that_does_not_come_round_is_reset(chip: Chip, pins: Any) -> None:
    pins.feed()
    chip.pass_us(249_000)
    pins.feed()
    with pytest.raises(Reset):
        chip.pass_us(251_000)


# The wire.


def test_the_uart_is_given_three_milliseconds_of_bytes_and_no_more(pins: Any) -> None:
    assert pins.uart_room() == 34
    pins.uart_write(bytes(30))
    assert pins.uart_room() == 4


def test_room_comes_back_as_the_bytes_leave(chip: Chip, pins: Any) -> None:
    pins.uart_write(bytes(34))
    chip.pass_us(1000)
    assert pins.uart_room() == 11


def test_after_hours_of_silence_there_is_room(chip: Chip, pins: Any) -> None:
    for _ in range(30):
        chip.us += 300_000_000
        room = pins.uart_room()
    assert room == 34


def test_a_full_load_of_masses_leaves_at_the_speed_of_the_wire(chip: Chip, pins: Any) -> None:
    sent = 0
    while chip.us < 1_000_000:
        room = pins.uart_room()
        pins.uart_write(bytes(room))
        sent += room
        chip.pass_us(1500)
    assert 11_300 <= sent <= 11_600


def test_what_arrived_comes_in_pieces_of_bounded_size(chip: Chip, pins: Any) -> None:
    chip.arrived = bytes(600)
    assert [len(pins.uart_read()) for _ in range(4)] == [256, 256, 88, 0]


# The memory.


def test_what_is_written_is_in_the_chip_and_comes_back(chip: Chip, pins: Any) -> None:
    data = bytes(range(150))
    pins.nv.write(1000, data)
    assert (bytes(chip.fram[1000:1150]), pins.nv.read(1000, 150)) == (data, data)


def test_a_chip_that_does_not_answer_is_an_oserror(chip: Chip, pins: Any) -> None:
    chip.fram_dead = True
    with pytest.raises(OSError, match="5"):
        pins.nv.read(0, 8)
    with pytest.raises(OSError, match="5"):
        pins.nv.write(0, b"x")


@pytest.mark.parametrize(("at", "n"), [(8192, 1), (8000, 193), (-1, 4)])
def test_a_place_the_chip_has_not_is_refused(pins: Any, at: int, n: int) -> None:
    with pytest.raises(ValueError, match="of 8192"):
        pins.nv.read(at, n)
    with pytest.raises(ValueError, match="of 8192"):
        pins.nv.write(at, bytes(n))


def test_no_transfer_outlasts_the_bus_s_patience_even_at_100_khz(
    chip: Chip, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load("pico"), "I2C_HZ", 100_000)
    assert len(load("pico").Pins(Fitted()).nv.read(0, 8192)) == 8192


def test_a_whole_journal_is_read_within_half_of_the_watchdog_s_patience(chip: Chip, pins: Any) -> None:
    begin = chip.us
    for slot in range(64):
        pins.nv.read(1024 + 80 * slot, 80)
    assert chip.us - begin < 140_000


# Lamp and buzzer.


def shown(chip: Chip, pins: Any, ms: int, step_ms: int = 10) -> list[int]:
    """What the chip was told, every `step_ms`: bit set is on."""
    seen = []
    for _ in range(0, ms, step_ms):
        chip.pass_us(step_ms * 1000)
        pins.feed()
        seen.append(~chip.lights & 0xFF)
    return seen


def changes(seen: list[int], bit: int) -> list[int]:
    """Lengths of the runs of that bit's levels, the first one first."""
    runs = [0]
    for before, after in pairwise(seen):
        if (before ^ after) & bit:
            runs.append(0)
        runs[-1] += 1
    return runs


def test_a_ready_lamp_is_steady(chip: Chip, pins: Any) -> None:
    pins.lamp(1)
    assert set(shown(chip, pins, 1000)) == {1}


def test_an_alarm_blinks_twice_a_second(chip: Chip, pins: Any) -> None:
    pins.lamp(4)
    assert changes(shown(chip, pins, 2000), 2)[1:7] == [25, 25, 25, 25, 25, 25]


def test_a_prompt_beeps_three_times_and_stops(chip: Chip, pins: Any) -> None:
    pins.buzzer(2)
    seen = shown(chip, pins, 3000)
    assert (sum(1 for a, b in pairwise(seen) if a & 4 and not b & 4), seen[-1]) == (3, 0)


def test_the_same_beep_ordered_again_is_heard_again(chip: Chip, pins: Any) -> None:
    pins.buzzer(1)
    shown(chip, pins, 1000)
    pins.buzzer(1)
    assert 4 in shown(chip, pins, 100)


def test_off_is_all_pins_high_as_after_power_on(chip: Chip, pins: Any) -> None:
    pins.lamp(3)
    shown(chip, pins, 100)
    pins.lamp(0)
    shown(chip, pins, 20)
    assert chip.lights == 0xFF


def test_a_dead_lamp_chip_is_asked_once_a_second_and_comes_back(chip: Chip, pins: Any) -> None:
    chip.lights_dead = True
    pins.lamp(4)
    shown(chip, pins, 3000)
    assert chip.lights_asked == 3
    chip.lights_dead = False
    assert {2, 0} <= set(shown(chip, pins, 2000))


# Who it is.


def test_the_board_s_id_is_the_chip_s(pins: Any) -> None:
    assert (pins.board_id, len(pins.entropy(8))) == (bytes(range(8)), 8)
