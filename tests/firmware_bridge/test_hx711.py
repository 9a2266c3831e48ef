"""Reading many HX711 on one clock: the PIO program in an emulator of the RP2040's, and who is waited for."""

from array import array
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.firmware_bridge.fake_pico import Chip, Hx711
from tests.firmware_bridge.fake_pio import StateMachine
from tests.firmware_bridge.on_fakes import on

FIRST, CLOCK = 2, 14
VALUES = [0, 1, -1, 8_388_607, -8_388_608, 0x123456, -0x123456, 42, 5_000_000, -7, 0x555555, -0x2AAAAB]


@pytest.fixture
def chip() -> Chip:
    return Chip()


@pytest.fixture
def hx711(chip: Chip) -> Iterator[ModuleType]:
    with on(chip) as load:
        yield load("hx711")


class Bench:
    """`program` fed with a word, converters on its pins; `edges` are (cycle, level) of the clock, at 5 a us."""

    def __init__(self, program: Any, cells: list[Hx711]) -> None:
        self.program, self.cells = program, cells
        self.edges: list[tuple[int, int]] = []

    def read(self, word: int, slow: Callable[[int], bool] = lambda _: False) -> list[int]:
        """The words answered.  While `slow(cycle)` the processor fetches none."""
        raise NotImplementedError

    def see(self, cycle: int, level: int, *, pulse: bool = True) -> None:
        """The clock is at `level`."""
        if level != (self.edges[-1][1] if self.edges else 0):
            self.edges.append((cycle, level))
            if level and pulse:
                for cell in self.cells:
                    cell.rise()

    def spans(self, level: int) -> set[int]:
        """How long, in cycles, the clock was at `level` between its edges."""
        edges = zip(self.edges, self.edges[1:], strict=False)
        return {later[0] - this[0] for this, later in edges if this[1] == level}

    def lines(self, _: int = 0) -> int:
        return sum(cell.line << n for n, cell in enumerate(self.cells))


class Ours(Bench):
    """The state machine of our own fake, written from the data sheet."""

    def read(self, word: int, slow: Callable[[int], bool] = lambda _: False) -> list[int]:
        chip = Chip()
        chip.cells = self.cells
        machine = StateMachine(chip, self.program, 5_000_000, Number(FIRST), Number(CLOCK))
        machine.active(1)
        machine.put(word)
        words: list[int] = []
        while len(words) < 13:
            cycle = machine.cycle
            machine.step()
            self.see(cycle, chip.level[CLOCK], pulse=False)  # the chip itself tells the converters
            if machine.queue and not slow(cycle):
                words.append(machine.queue.pop(0))
        return words


class Number:
    def __init__(self, number: int) -> None:
        self.number = number


class Pioemu(Bench):
    """The package rp2040-pio-emulator.  It knows no base for IN: all pin numbers are moved down by FIRST."""

    def read(self, word: int, slow: Callable[[int], bool] = lambda _: False) -> list[int]:
        pioemu = pytest.importorskip("pioemu", reason="the package rp2040-pio-emulator is not installed")
        begin = pioemu.State(pin_directions=1 << CLOCK - FIRST)
        begin.transmit_fifo.append(word)
        words: list[int] = []
        steps = pioemu.emulate(
            self.program.codes,
            stop_when=lambda _, state: len(words) == 13 or state.clock > 500_000,
            initial_state=begin,
            input_source=self.lines,
            auto_push=True,
            push_threshold=self.program.push_thresh,
            shift_isr_right=False,
            side_set_base=CLOCK - FIRST,
            side_set_count=1,
            wrap_target=self.program.target,
            wrap_top=self.program.top,
        )
        for was, state in steps:
            self.see(was.clock, state.pin_values >> CLOCK - FIRST & 1)
            if state.receive_fifo and not slow(state.clock):
                words.append(state.receive_fifo.popleft())
        return words


class Rp2040py(Bench):
    """The PIO block of the package rp2040py, an emulator of the whole chip, by its registers."""

    def read(self, word: int, slow: Callable[[int], bool] = lambda _: False) -> list[int]:
        chip = pytest.importorskip("rp2040py.rp2040", reason="the package rp2040py is not installed").RP2040()
        pio, program, words = chip.pio[0], self.program, list[int]()
        for n in range(len(self.cells)):
            chip.gpio[FIRST + n].pad_value = 0x5A  # input enabled, pulled up, as machine.Pin leaves it
        for at, code in enumerate(program.codes):
            pio.write_uint32(0x048 + 4 * at, code)
        pio.write_uint32(0x0C8, 25 << 16)  # CLKDIV: 125 MHz to 5 MHz
        pio.write_uint32(0x0CC, program.top << 12 | program.target << 7)  # EXECCTRL
        pio.write_uint32(0x0D0, program.push_thresh << 20 | 1 << 16)  # SHIFTCTRL: to the left, autopush
        pio.write_uint32(0x0DC, 1 << 29 | FIRST << 15 | CLOCK << 10)  # PINCTRL: one pin of side-set
        machine = pio.machines[0]
        machine.enabled, pio.stopped = True, False
        pio.recompute_due()
        pio.write_uint32(0x010, word)
        cycle = 0
        while len(words) < 13 and cycle < 500_000:
            for n, cell in enumerate(self.cells):
                chip.gpio[FIRST + n].set_input_value(bool(cell.line))
            pio.advance(25)
            self.see(cycle, pio.pin_values >> CLOCK & 1)
            if pio.read_uint32(0x00C) >> 4 & 15 and not slow(cycle):  # FLEVEL
                words.append(pio.read_uint32(0x020))
            cycle += 1
        return words


EMULATORS = [Ours, Pioemu, Rp2040py]
Engine = type[Bench]


def ready(*values: int) -> list[Hx711]:
    cells = []
    for value in values:
        cells.append(Hx711())
        cells[-1].convert(value)
    return cells


def test_the_program_is_what_another_assembler_makes_of_it(hx711: ModuleType) -> None:
    program = hx711.clock_out
    assert program.codes == [0x80A0, 0xA027, 0xB242, 0x400C, 0x0142, 0x406C]  # by adafruit_pioasm 1.3.8
    assert (program.target, program.top) == (0, 5)


@pytest.mark.parametrize("emulator", EMULATORS)
def test_twelve_converters_are_read_bit_for_bit(hx711: ModuleType, emulator: Engine) -> None:
    words = emulator(hx711.clock_out, ready(*VALUES)).read(hx711.PULSES - 1)
    assert hx711.decode(array("I", words), 12) == VALUES


@pytest.mark.parametrize("emulator", EMULATORS)
def test_a_reading_is_25_pulses_for_every_converter(hx711: ModuleType, emulator: Engine) -> None:
    bench = emulator(hx711.clock_out, ready(*VALUES))
    bench.read(hx711.PULSES - 1)
    assert [cell.pulses for cell in bench.cells] == [25] * 12


@pytest.mark.parametrize("emulator", EMULATORS)
def test_the_clock_is_high_for_600_nanoseconds_and_low_as_long(hx711: ModuleType, emulator: Engine) -> None:
    bench = emulator(hx711.clock_out, ready(*VALUES))
    bench.read(hx711.PULSES - 1)
    assert (bench.spans(1), bench.spans(0)) == ({3}, {3})


@pytest.mark.parametrize("emulator", [Ours, Rp2040py])  # pioemu shifts on after a stall, which the chip does not
@pytest.mark.parametrize("busy", [range(40, 25_000), range(500), range(60, 65_000)], ids=["5ms", "start", "13ms"])
def test_a_slow_processor_leaves_the_clock_low_and_the_numbers_whole(
    hx711: ModuleType, emulator: Engine, busy: range
) -> None:
    bench = emulator(hx711.clock_out, ready(*VALUES))
    words = bench.read(hx711.PULSES - 1, slow=lambda cycle: cycle in busy)
    assert (bench.spans(1), hx711.decode(array("I", words), 12)) == ({3}, VALUES)
    assert max(bench.spans(0)) > len(busy) - 80  # so it did wait


def test_nothing_moves_until_it_is_asked_for(hx711: ModuleType, chip: Chip) -> None:
    converters = hx711.Converters(FIRST, 12, CLOCK, 80, 0)
    before = len(chip.driven)
    for _ in range(1000):
        converters.machine.step()
    assert len(chip.driven) == before


@pytest.mark.parametrize("count", range(1, 13))
def test_every_number_of_converters_is_told_apart(hx711: ModuleType, count: int) -> None:
    words = Ours(hx711.clock_out, ready(*VALUES[:count])).read(hx711.PULSES - 1)
    assert hx711.decode(array("I", words), count) == VALUES[:count]


class House:
    """The firmware's converters on a chip, and a world that lets chosen ones be ready."""

    def __init__(self, hx711: ModuleType, chip: Chip, count: int) -> None:
        self.chip, self.now_ms = chip, 0
        self.converters = hx711.Converters(FIRST, count, CLOCK, 80, 0)
        self.cells = chip.cells[:count]

    def convert(self, *which: int) -> None:
        for n in which:
            self.cells[n].convert(1000 + n)

    def due(self, ms: int = 0) -> bool:
        self.now_ms += ms
        return bool(self.converters.due(self.chip.levels(), self.now_ms))

    def read(self) -> tuple[list[int | None], int]:
        raws, slips = self.converters.read(self.chip.levels(), self.now_ms)
        return raws, slips


@pytest.fixture
def house(hx711: ModuleType, chip: Chip) -> House:
    return House(hx711, chip, 3)


def test_at_start_the_clock_is_high_for_long_enough_to_start_all_converters_anew(house: House) -> None:
    edges = [(us, level) for us, pin, level in house.chip.driven if pin == CLOCK]
    falls = [us for us, level in edges if level == 0]
    rises = [us for us, level in edges if level == 1]
    assert falls
    assert falls[-1] - (rises[0] if rises else 0) >= 60


def test_a_reading_waits_for_the_last_of_them(house: House) -> None:
    house.convert(0, 2)
    assert not house.due(12)
    house.convert(1)
    assert house.due()
    assert house.read() == ([1000, 1001, 1002], 0)


def test_who_is_not_ready_for_100_ms_is_left_out_and_reported_as_none(house: House) -> None:
    house.convert(0, 2)
    assert not house.due(99)
    assert house.due(1)
    assert house.read() == ([1000, None, 1002], 0)


def test_nobody_waits_for_one_that_was_left_out(house: House) -> None:
    house.convert(0, 2)
    house.due(100)
    house.read()
    house.convert(0, 2)
    assert house.due(12)


def test_one_that_was_left_out_is_read_again_as_soon_as_it_is_ready(house: House) -> None:
    house.convert(0, 2)
    house.due(100)
    house.read()
    house.convert(0, 1, 2)
    house.due(12)
    assert house.read() == ([1000, 1001, 1002], 0)


def test_one_that_comes_and_goes_holds_up_the_others_once(house: House) -> None:
    gaps_ms, since_ms = [], 0
    for turn in range(400):  # 12 ms each: a bad joint, ten conversions with contact and ten without
        house.convert(*((0, 1, 2) if turn // 10 % 2 == 0 else (0, 2)))
        since_ms += 12
        if house.due(12):
            house.read()
            gaps_ms.append(since_ms)
            since_ms = 0
    assert [gap for gap in gaps_ms if gap > 12] == [108]


def test_one_that_has_recovered_is_waited_for_again(house: House) -> None:
    house.convert(0, 2)
    house.due(100)
    house.read()
    for _ in range(40):
        house.convert(0, 1, 2)
        house.due(12)
        house.read()
    house.convert(0, 2)
    assert not house.due(12)


def test_with_no_converter_at_all_the_readings_go_on_and_are_all_none(house: House) -> None:
    house.due(100)
    assert house.read() == ([None, None, None], 0)
    assert not house.due(11)
    assert house.due(1)
    assert house.read() == ([None, None, None], 0)


@pytest.mark.parametrize("pulse", [1, 2, 13, 24, 25])
def test_a_converter_that_misses_a_pulse_is_told(house: House, pulse: int) -> None:
    house.convert(0, 1, 2)
    house.cells[1].deaf_at = pulse
    _, slips = house.read()
    assert slips == (0b010 if house.cells[1].bits & 1 == 0 else 0)


def test_a_slip_is_only_seen_where_the_last_bit_is_zero_so_half_of_them(house: House) -> None:
    house.cells[0].convert(1001)
    house.cells[0].deaf_at = 5
    house.convert(1, 2)
    assert house.read()[1] == 0


def test_a_line_held_low_by_a_short_is_a_slip_every_time(house: House) -> None:
    house.convert(0, 1, 2)
    house.cells[2] = house.chip.cells[2] = Short()
    assert house.read()[1] == 0b100


def test_one_that_laps_the_others_spoils_three_readings_at_most(hx711: ModuleType, chip: Chip) -> None:
    converters = hx711.Converters(FIRST, 2, CLOCK, 80, 0)
    del chip.cells[2:]
    next_us, readings, wrong = [100, 12_500], 0, 0  # the first is ahead by all but 100 us, and 2 us a turn faster

    def world(us: int) -> None:
        for n in range(2):
            if us >= next_us[n]:
                next_us[n] += 12_498 + 2 * n
                chip.cells[n].convert(0x13579B)

    chip.on_time = world
    while chip.us < 1_200_000:
        chip.pass_us(10)
        if converters.due(chip.levels(), chip.us // 1000):
            raws, _ = converters.read(chip.levels(), chip.us // 1000)
            readings += 1
            wrong += any(raw not in (None, 0x13579B) for raw in raws)
    assert (readings >= 94, 1 <= wrong <= 3) == (True, True)


class Short(Hx711):
    def __init__(self) -> None:
        super().__init__()
        self.line = 0

    def rise(self) -> None:
        pass
