"""The cabinet and the electronics round the chip, on virtual time."""

import pytest

from firmware_bridge.emulator.cells import TOP_COUNTS, Signal
from firmware_bridge.emulator.commissioned import TEST_KEY, commission
from firmware_bridge.emulator.drive import PUMP_EDGES, PUMP_MS, RELAY_MS
from firmware_bridge.emulator.thermometer import FULL, code_at
from firmware_bridge.emulator.world import BREAKS, RETRACT_MS, SEAT_MS, World
from firmware_bridge.firmware.memory import Memory


class Stage:
    """A world and its clock."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World(2)
        self.now_ms = 0.0

    def pass_ms(self, for_ms: int, edges_every_ms: float = 0.0) -> None:
        until_ms, edge_ms = self.now_ms + for_ms, self.now_ms
        while edges_every_ms and (edge_ms := edge_ms + edges_every_ms) <= until_ms:
            self.world.edge(edge_ms)
        self.now_ms = until_ms
        self.world.step(until_ms)

    def open_up(self) -> None:
        self.world.relay(on=True)
        self.pass_ms(PUMP_EDGES + RETRACT_MS + 10, edges_every_ms=1)
        assert not self.world.bolt_in_strike

    def let_go(self) -> None:
        self.world.relay(on=False)
        self.pass_ms(PUMP_MS + SEAT_MS + 10)


def test_a_locked_door_does_not_give_way() -> None:
    stage = Stage()
    assert not stage.world.pull()
    assert stage.world.inputs().door_a_shut


def test_a_forced_door_is_open_with_the_bolt_out_of_the_strike() -> None:
    stage = Stage()
    stage.world.force()
    inputs = stage.world.inputs()
    assert (inputs.door_a_shut, inputs.door_b_shut, inputs.bolt_home) == (False, False, False)


def test_a_driven_lock_lets_the_door_be_pulled() -> None:
    stage = Stage()
    stage.open_up()
    assert stage.world.pull()


@pytest.mark.parametrize(("relay", "every_ms"), [(True, 0.0), (False, 1.0), (True, 2.1)])
def test_without_both_switches_in_series_no_current_flows(*, relay: bool, every_ms: float) -> None:
    stage = Stage()
    stage.world.relay(on=relay)
    for _ in range(50):
        stage.pass_ms(10, every_ms)
        assert not stage.world.coil


def test_current_flows_from_the_fiftieth_edge_on() -> None:
    stage = Stage()
    stage.world.relay(on=True)
    stage.pass_ms(PUMP_EDGES - 1, edges_every_ms=1)
    assert not stage.world.coil
    stage.pass_ms(1, edges_every_ms=1)
    assert stage.world.coil


def test_a_chip_that_hangs_loses_the_coil_within_a_tenth_of_a_second() -> None:
    stage = Stage()
    stage.open_up()
    stage.pass_ms(PUMP_MS)
    assert not stage.world.coil
    assert stage.world.drive.relay_closed


def test_the_contact_of_the_relay_lags_behind_its_pin() -> None:
    stage = Stage()
    stage.open_up()
    stage.world.relay(on=False)
    stage.pass_ms(RELAY_MS - 1)
    assert stage.world.coil
    stage.pass_ms(1)
    assert not stage.world.coil


def test_one_long_step_ends_as_many_short_ones() -> None:
    fine, coarse = Stage(), Stage()
    fine.open_up()
    coarse.open_up()
    for _ in range(PUMP_MS + SEAT_MS):
        fine.pass_ms(1)
    coarse.pass_ms(PUMP_MS + SEAT_MS)
    assert fine.world.bolt_in_strike
    assert coarse.world.bolt_in_strike


def test_the_bolt_seats_only_in_a_shut_door() -> None:
    stage = Stage()
    stage.open_up()
    stage.world.pull()
    stage.let_go()
    assert not stage.world.inputs().bolt_home
    stage.world.shut()
    stage.pass_ms(SEAT_MS)
    assert stage.world.inputs().bolt_home


def test_a_jammed_bolt_stays_out_of_the_strike() -> None:
    stage = Stage()
    stage.world.break_part("bolt_jammed_out")
    stage.pass_ms(1000)
    assert not stage.world.inputs().bolt_home


def test_a_bolt_jammed_in_holds_the_door_in_spite_of_the_current() -> None:
    stage = Stage()
    stage.world.break_part("bolt_jammed_in")
    stage.world.relay(on=True)
    stage.pass_ms(500, edges_every_ms=1)
    assert stage.world.coil
    assert not stage.world.pull()


def test_a_motor_bolt_thrown_with_the_door_open_stands_in_its_way() -> None:
    stage = Stage(World(1, motor_bolt=True))
    stage.open_up()
    stage.world.pull()
    stage.let_go()
    assert stage.world.clashes == 1
    assert not stage.world.shut()


def test_a_motor_bolt_kept_back_lets_the_door_shut_and_then_holds_it() -> None:
    stage = Stage(World(1, motor_bolt=True))
    stage.open_up()
    stage.world.pull()
    assert stage.world.shut()
    stage.let_go()
    assert (stage.world.inputs().bolt_home, stage.world.clashes) == (True, 0)


def test_a_welded_relay_and_a_shorted_pump_drive_the_lock_by_themselves() -> None:
    stage = Stage()
    stage.world.break_part("relay_welded")
    assert not stage.world.coil
    stage.world.break_part("pump_shorted")
    assert stage.world.coil


@pytest.mark.parametrize("part", ["relay_dead", "pump_dead", "coil_cut"])
def test_a_broken_drive_carries_no_current(part: str) -> None:
    stage = Stage()
    stage.world.break_part(part)
    stage.world.relay(on=True)
    stage.pass_ms(500, edges_every_ms=1)
    assert not stage.world.inputs().coil_on
    assert stage.world.inputs().bolt_home


@pytest.mark.parametrize(
    ("part", "contacts"),
    [
        ("door_a_shut", (True, False)),
        ("door_b_shut", (False, True)),
        ("magnet", (True, True)),
    ],
)
def test_glued_contacts_say_shut_with_the_door_open(part: str, contacts: tuple[bool, bool]) -> None:
    world = World(1)
    world.force()
    world.break_part(part)
    assert (world.inputs().door_a_shut, world.inputs().door_b_shut) == contacts


@pytest.mark.parametrize(("part", "contacts"), [("door_a_open", (False, True)), ("door_b_open", (True, False))])
def test_torn_contacts_say_open_with_the_door_shut(part: str, contacts: tuple[bool, bool]) -> None:
    world = World(1)
    world.break_part(part)
    assert (world.inputs().door_a_shut, world.inputs().door_b_shut) == contacts


def test_a_glued_bolt_switch_says_what_it_likes() -> None:
    world = World(1)
    world.break_part("bolt_out")
    assert not world.inputs().bolt_home
    world.break_part("bolt_home")
    world.force()
    assert world.inputs().bolt_home


@pytest.mark.parametrize("part", BREAKS)
def test_everything_that_is_broken_can_be_mended(part: str) -> None:
    stage = Stage()
    before = vars(stage.world.inputs()) | {"probe": 0}
    zone = 1 if part.startswith("cell") else None
    stage.world.break_part(part, zone=zone)
    stage.pass_ms(200)
    stage.world.break_part(part, on=False, zone=zone)
    stage.pass_ms(200)
    assert vars(stage.world.inputs()) | {"probe": 0} == before
    assert stage.world.broken == stage.world.cells[1].broken == set()


@pytest.mark.parametrize(
    ("part", "zone"), [("the lot", None), ("cell_dead", None), ("cell_dead", 2), ("cell_dead", -1)]
)
def test_what_is_not_there_cannot_be_broken(part: str, zone: int | None) -> None:
    with pytest.raises(ValueError, match="want"):
        World(2).break_part(part, zone=zone)


# The cells.


def counts(world: World, zone: int, upto_ms: float) -> list[int | None]:
    return [raws[zone] for _, raws, _ in world.samples(upto_ms)]


def test_conversions_come_at_their_rate_with_the_time_of_their_end() -> None:
    taken = World(1).samples(1000)
    assert len(taken) == 80
    assert [t_us for t_us, _, _ in taken[:3]] == [12_500, 25_000, 37_500]


def test_an_oscillator_that_runs_fast_gives_more_of_them() -> None:
    assert len(World(1, rate_hz=80 * 1.05).samples(1000)) == 84


def test_conversions_that_nobody_took_for_long_are_gone() -> None:
    taken = World(1).samples(60_000)
    assert len(taken) == 80
    assert taken[0][0] > 59_000_000


def test_every_zone_has_a_zero_and_a_slope_of_its_own_fixed_by_the_seed() -> None:
    first, again, other = World(3, seed=1), World(3, seed=1), World(3, seed=2)
    slopes = [(cell.zero_counts, cell.counts_per_g) for cell in first.cells]
    assert len(set(slopes)) == 3
    assert slopes == [(cell.zero_counts, cell.counts_per_g) for cell in again.cells]
    assert slopes != [(cell.zero_counts, cell.counts_per_g) for cell in other.cells]


@pytest.mark.parametrize("load_g", [0.0, 0.1, 505.0, 1234.5, 19_999.9])
def test_the_commissioned_calibration_gives_the_load_back_to_the_decigram(load_g: float) -> None:
    world = World(2)
    commission(world.nv, TEST_KEY, 120, 1200, world.cells)
    memory = Memory(world.nv, 2)
    for cell in world.cells:
        cell.put(load_g, -1e6)
    for _, raws, _ in world.samples(500):
        for zone, raw in enumerate(raws):
            assert raw is not None
            assert (raw - memory.zeros[zone]) * memory.spans[zone] >> 24 == round(10 * load_g)


def test_a_sound_converter_is_never_still() -> None:
    assert len(set(counts(World(1), 0, 64 * 12.5))) > 2


def test_noise_is_as_wide_as_asked_for() -> None:
    world = World(1, signal=Signal(noise_g=1.0))
    cell = world.cells[0]
    offs = [(raw or 0) - cell.zero_counts for raw in counts(world, 0, 900)]
    spread_g = (sum(off * off for off in offs) / len(offs)) ** 0.5 / cell.counts_per_g
    assert 0.7 < spread_g < 1.3


def test_a_step_swings_and_a_hand_presses_for_its_time() -> None:
    cell, signal = World(1).cells[0], Signal(ring_decay_s=0.2)
    cell.put(500.0, 1000)
    assert cell.felt_g(1000, signal) == 0.0
    assert abs(cell.felt_g(3000, signal) - 500.0) < 0.1
    cell.press(300.0, 400, 5000)
    assert [round(cell.felt_g(at_ms, Signal())) for at_ms in (4999, 5200, 5400)] == [500, 800, 500]


def broken(part: str, taken: int = 80) -> tuple[World, list[int | None], int]:
    """World, counts and how many slips of a loaded cell with this part broken after a while."""
    world = World(2, signal=Signal(noise_g=0.5))
    world.cells[1].put(1000.0, 0)
    world.samples(100)
    world.break_part(part, zone=1)
    conversions = world.samples(100 + taken * 12.5)
    return world, [raws[1] for _, raws, _ in conversions], sum(slips >> 1 & 1 for _, _, slips in conversions)


def test_a_dead_converter_gives_nothing_and_the_others_go_on() -> None:
    world, raws, _ = broken("cell_dead")
    assert set(raws) == {None}
    assert None not in counts(world, 0, 2000)


def test_a_stuck_converter_repeats_its_last_counts() -> None:
    world, raws, _ = broken("cell_stuck")
    assert len(set(raws)) == 1
    assert abs((raws[0] or 0) - world.cells[1].counts_at(1000.0)) < 1000


def test_a_saturated_converter_is_at_the_end_of_its_range() -> None:
    assert set(broken("cell_saturated")[1]) == {TOP_COUNTS}


def test_too_much_on_the_shelf_saturates_too() -> None:
    world = World(1)
    world.cells[0].put(150_000.0, -1e6)
    assert set(counts(world, 0, 500)) == {TOP_COUNTS}


def test_a_slipping_converter_flags_the_counts_it_moved_by_a_bit() -> None:
    world, raws, slips = broken("cell_slipping")
    sound = world.cells[1].counts_at(1000.0)
    assert slips == 20
    assert sum(abs((raw or 0) - sound) < 1000 for raw in raws) == 60


def test_spikes_stand_far_from_both_neighbours_and_are_not_flagged() -> None:
    world, raws, slips = broken("cell_spiking")
    sound = world.cells[1].counts_at(1000.0)
    assert slips == 0
    assert sum(abs((raw or 0) - sound) > 100_000 for raw in raws) == 20


def test_swapped_wires_make_counts_fall_as_mass_rises() -> None:
    world, raws, _ = broken("cell_swapped_wires")
    assert (raws[0] or 0) < world.cells[1].zero_counts


# Thermometer and memory.


def test_the_thermistor_is_at_half_its_divider_at_25_degrees() -> None:
    assert round(code_at(25.0)) == FULL // 2
    assert code_at(4.0) > code_at(5.0)


def probe_codes(part: str | None) -> set[int]:
    stage = Stage()
    if part is not None:
        stage.world.break_part(part)
    codes = set()
    for _ in range(50):
        stage.pass_ms(100)
        codes.add(stage.world.inputs().probe)
    return codes


def test_a_sound_probe_is_never_still_and_a_frozen_one_is() -> None:
    assert len(probe_codes(None)) > 5
    assert len(probe_codes("probe_frozen")) == 1


def test_a_torn_probe_reads_full_cold_and_a_shorted_one_full_hot() -> None:
    assert probe_codes("probe_open") == {FULL}
    assert probe_codes("probe_short") == {0}


def test_a_dead_memory_does_not_answer_and_keeps_what_it_had() -> None:
    world = World(1)
    world.nv.write(8, b"kept")
    world.break_part("memory_dead")
    with pytest.raises(OSError, match="5"):
        world.nv.read(8, 4)
    with pytest.raises(OSError, match="5"):
        world.nv.write(8, b"lost")
    world.break_part("memory_dead", on=False)
    assert world.nv.read(8, 4) == b"kept"


def test_a_corrupt_memory_reads_other_bytes_than_were_written() -> None:
    world = World(1)
    world.nv.write(0, bytes(16))
    world.break_part("memory_corrupt")
    assert world.nv.read(0, 16) == bytes(3) + b"\x10" + bytes(7) + b"\x10" + bytes(4)
    assert world.nv.read(4, 4) == world.nv.read(0, 8)[4:]


@pytest.mark.parametrize(("at", "n"), [(-1, 1), (8191, 2), (0, -1)])
def test_nothing_is_read_beyond_the_memory(at: int, n: int) -> None:
    with pytest.raises(ValueError, match="beyond"):
        World(1).nv.read(at, n)


def test_a_corrupt_memory_at_power_on_is_found_damaged() -> None:
    world = World(1)
    commission(world.nv, TEST_KEY, 120, 1200, world.cells)
    world.break_part("memory_corrupt")
    assert Memory(world.nv, 1).damaged
