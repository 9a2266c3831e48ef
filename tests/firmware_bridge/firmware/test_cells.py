"""Batches with exact indexes and smooth times, grams by the page's formula, dead cells."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.cells import Cells
from firmware_bridge.firmware.memory import Memory
from tests.firmware_bridge.firmware.chips import SPACING_US, SPAN, Chip, Shelf, calibrated, steady

Batch = tuple[int, int, int, int, list[int], list[int]]
BAD_NONE = c.BAD_SAMPLE + c.BAD_NONE
UNCALIBRATED = c.BAD_SAMPLE + c.BAD_UNCALIBRATED


def bad(value: int) -> bool:
    return value < -(2**30)


# Grams.


COUNTS = st.integers(-(2**23) + 1, 2**23 - 2)


@given(
    st.lists(st.one_of(COUNTS, st.integers(-300, 300), st.just(c.BAD_SPIKE - 2**25)), min_size=1, max_size=48),
    st.integers(-(2**22), 2**22),
    st.one_of(st.integers(1, 2**32 - 1), st.integers(41_943, 83_886_080)),
)
def test_counts_become_grams_by_the_formula_of_the_page(values: list[int], zero: int, span: int) -> None:
    """However they follow each other: far apart, close together, with bad ones between."""
    memory = Memory(Chip(), 1)
    memory.zeros[0], memory.spans[0] = zero, span
    expected = [c.BAD_SAMPLE + c.BAD_SPIKE if value < -(2**23) else (value - zero) * span >> 24 for value in values]
    assert Cells(1, 80, 8, memory, 0)._weighed(0, values) == expected


def test_every_good_sample_of_a_batch_is_its_counts_by_the_line_of_its_zone() -> None:
    memory = calibrated(2)
    memory.zeros[:], memory.spans[1] = [12_345, -54_321], 83_886_080
    shelf = Shelf(steady, 2, memory=memory)
    shelf.run(300)
    for zone, _, _, _, grams, counts in shelf.batches:
        line = memory.zeros[zone], memory.spans[zone]
        for dg, count in zip(grams, counts, strict=True):
            assert dg == (count if bad(count) else (count - line[0]) * line[1] >> 24)


def test_a_zone_without_calibration_gives_counts_and_no_grams() -> None:
    shelf = Shelf(steady)
    shelf.run(200)
    _, _, _, _, grams, counts = shelf.batches[-1]
    assert grams == [UNCALIBRATED] * len(grams)
    assert not any(bad(count) for count in counts)


def test_a_new_line_holds_from_the_next_batch() -> None:
    shelf = Shelf(steady)
    shelf.run(200)
    shelf.memory.spans[0] = SPAN
    shelf.run(16)
    assert abs(shelf.batches[-1][4][0] - 10_000) < 50


# Batches and indexes.


@pytest.mark.parametrize("zones", [1, 4, 7, 12])
@pytest.mark.parametrize("batch", [1, 5, 8, 16, 47, 48])
def test_every_conversion_of_every_zone_is_given_out_once_in_order(zones: int, batch: int) -> None:
    cells = Cells(zones, 80, batch, calibrated(zones), 0)
    dice = random.Random(1)
    next_index = [0] * zones
    for n in range(500):
        cells.sampled(n * SPACING_US, [dice.randrange(100_000, 100_500) for _ in range(zones)], 0)
        for zone, index, _, _, grams, counts in cells.ready():
            assert index == next_index[zone]
            assert 1 <= len(grams) == len(counts) <= batch
            next_index[zone] += len(counts)
    assert all(500 - index <= batch + 3 for index in next_index)


@pytest.mark.parametrize(("zones", "most"), [(12, 2), (8, 1), (4, 1), (1, 1)])
def test_zones_come_due_in_turn(zones: int, most: int) -> None:
    cells = Cells(zones, 80, 8, calibrated(zones), 0)
    for n in range(500):
        cells.sampled(n * SPACING_US, [n % 7] * zones, 0)
        assert len(cells.ready()) <= most


def test_a_batch_is_at_most_a_batch_and_three_conversions_old() -> None:
    shelf = Shelf(steady, 4)
    shelf.run(400)
    shelf.batches.clear()
    for _ in range(100):
        shelf.run(1)
        for _, index, _, _, _, counts in shelf.batches:
            assert index + len(counts) == shelf.conversion - 3
        shelf.batches.clear()


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 12),
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 60), st.integers(0, 4095), st.integers(0, 4095)), max_size=40
    ),
    st.randoms(use_true_random=False),
)
def test_through_pauses_dead_and_slipping_cells_nothing_is_invented_and_nothing_given_twice(
    zones: int, story: list[tuple[int, int, int, int]], dice: random.Random
) -> None:
    """Each: so many conversions missed, then so many taken with these zones dead and these slipping."""
    cells = Cells(zones, 80, 8, calibrated(zones), 0)
    given_in: list[dict[int, tuple[int | None, bool]]] = [{} for _ in range(zones)]
    index, t_us = -1, 50_000
    for missed, taken, dead, slips in [(0, 160, 0, 0), *story]:
        if dead & (1 << zones) - 1 == (1 << zones) - 1:
            dead = 0  # noqa: PLW2901  at least one converter keeps the time
        t_us, index = t_us + missed * SPACING_US, index + (missed if taken else 0)
        if not taken:
            t_us -= missed * SPACING_US
        for _ in range(taken):
            t_us, index = t_us + SPACING_US, index + 1
            raws = [None if dead >> zone & 1 else dice.randrange(-500_000, -499_000) for zone in range(zones)]
            for zone, raw in enumerate(raws):
                given_in[zone][index] = (raw, bool(slips >> zone & 1))
            cells.sampled(t_us, list(raws), slips & (1 << zones) - 1)
    found: list[dict[int, int]] = [{} for _ in range(zones)]
    for zone, first, _, _, _, counts in cells.ready():
        for at, count in enumerate(counts):
            assert first + at not in found[zone]
            found[zone][first + at] = count
    for zone in range(zones):
        for at, count in found[zone].items():
            raw, slipped = given_in[zone][at]  # KeyError: a conversion that never was
            if raw is None:
                assert count == BAD_NONE
            elif slipped:
                assert count in (c.BAD_SAMPLE + c.BAD_SLIP, c.BAD_SAMPLE + c.BAD_SETTLING)
            else:
                assert count in (raw, c.BAD_SAMPLE + c.BAD_SETTLING)


def test_a_pause_is_a_jump_of_the_index_and_what_came_before_it_is_given_out() -> None:
    shelf = Shelf(steady)
    shelf.run(403)
    shelf.conversion += 25
    shelf.run(40)
    counts = shelf.counts()
    assert [at for at in range(430) if at not in counts] == list(range(403, 428))
    assert not any(bad(counts[at]) for at in [*range(390, 403), *range(428, 440)])


@pytest.mark.parametrize("batch", [1, 8, 48])
def test_no_batch_is_longer_than_a_batch_wherever_a_gap_falls(batch: int) -> None:
    cells = Cells(3, 80, batch, calibrated(3), 0)
    dice = random.Random(4)
    t_us, longest = 0, 0
    for n in range(6000):
        t_us += SPACING_US * (5 if n % 97 == 0 else 1)
        cells.sampled(t_us, [dice.randrange(500) for _ in range(3)], 0)
        if n % 31 == 0:
            cells.means_dg(t_us // 1000, 500)
        longest = max([longest, *(len(counts) for *_, counts in cells.ready())])
    assert longest == max(batch, 3)


def test_nothing_is_compared_across_a_gap() -> None:
    shelf = Shelf(lambda _, t_s: 1000.0 if t_s < 5.0 or t_s >= 5.0125 else 3000.0)
    shelf.run(400)
    shelf.conversion = 400
    shelf.run(1)  # one sample at 3000 g, with a pause right after it
    shelf.conversion += 3
    shelf.run(100)
    assert not bad(shelf.counts()[400])


def test_batches_nobody_fetches_are_bounded_and_the_oldest_go() -> None:
    cells = Cells(3, 80, 8, calibrated(3), 0)
    for n in range(8000):
        cells.sampled(n * SPACING_US, [n % 100, n % 90, n % 80], 0)
    waiting = cells.ready()
    assert len(waiting) == 12
    assert min(index for _, index, *_ in waiting) > 7900


def test_a_time_out_of_all_converters_before_the_next_is_due_counts_as_nothing() -> None:
    cells = Cells(1, 80, 8, calibrated(1), 0)
    dice = random.Random(1)
    for n in range(200):
        cells.sampled(n * SPACING_US, [dice.randrange(500)], 0)
        cells.sampled(n * SPACING_US + 4000, [None], 0)
    found = [count for *_, counts in cells.ready() for count in counts]
    assert BAD_NONE not in found


def test_while_no_converter_answers_the_index_goes_on_with_the_clock() -> None:
    shelf = Shelf(steady)
    shelf.run(400)
    shelf.run(80, lambda at, raw: None)
    shelf.run(80)
    counts = shelf.counts()
    assert {counts[at] for at in range(400, 480)} == {BAD_NONE}
    assert not bad(counts[490])


# Times.


def test_times_of_batches_are_those_of_their_first_samples() -> None:
    shelf = Shelf(steady, 3)
    shelf.run(800)
    for _, index, t_ms, spacing_us, _, _ in shelf.batches[100:]:
        assert abs(t_ms - index * SPACING_US / 1000) <= 1.5
        assert abs(spacing_us - SPACING_US) <= 2


def test_times_stay_true_though_the_loop_sees_conversions_late_and_the_converter_is_slow() -> None:
    dice = random.Random(2)
    cells = Cells(1, 80, 8, calibrated(1), 0)
    for n in range(6000):
        true_us = 40_000 + n * 13_000
        cells.sampled(true_us + dice.randrange(4000), [dice.randrange(500)], 0)
        for _, index, t_ms, spacing_us, _, _ in cells.ready():
            if n > 800:
                assert abs(t_ms - (40 + index * 13)) <= 2
                assert abs(spacing_us - 13_000) <= 20


# Dead cells.


def test_a_cell_without_conversions_for_200_ms_is_dead_and_the_others_are_not() -> None:
    shelf = Shelf(steady, 3)
    shelf.run(160)
    last_ms = shelf.now_ms
    for n in range(160, 200):
        raws: list[int | None] = [None, shelf.raw(1), shelf.raw(2)]
        shelf.cells.sampled(n * SPACING_US, raws, 0)
        dead = [(c.CELL_DEAD, 0)] if n * SPACING_US // 1000 > last_ms - 12 + 200 else []
        assert shelf.cells.faults(n * SPACING_US // 1000) == dead
    shelf.conversion = 200
    shelf.run(1)
    assert not shelf.cells.faults(shelf.now_ms)


def test_if_the_converters_stop_all_cells_are_dead() -> None:
    shelf = Shelf(steady, 2)
    shelf.run(160)
    assert not shelf.cells.faults(shelf.now_ms + 150)
    assert shelf.cells.faults(shelf.now_ms + 250) == [(c.CELL_DEAD, 0), (c.CELL_DEAD, 1)]


def test_cells_that_never_lived_are_dead_200_ms_after_power_up() -> None:
    cells = Cells(2, 80, 8, calibrated(2), 1000)
    assert not cells.faults(1200)
    assert len(cells.faults(1201)) == 2


def test_faults_are_by_zone() -> None:
    shelf = Shelf(steady, 3)
    shelf.run(100)
    for n in range(100, 200):
        raws: list[int | None] = [0x7FFFFF, 4321, shelf.raw(2)]
        shelf.cells.sampled(n * SPACING_US, raws, 0)
    assert shelf.cells.faults(200 * SPACING_US // 1000) == [(c.CELL_SATURATED, 0), (c.CELL_STUCK, 1)]


@pytest.mark.parametrize("batch", [8, 48])
def test_every_fault_of_a_cell_shows_within_a_second_of_its_condition(batch: int) -> None:
    for raw, code, takes in ((0x7FFFFF, c.CELL_SATURATED, 40), (777, c.CELL_STUCK, 64), (None, c.CELL_DEAD, 16)):
        cells = Cells(2, 80, batch, calibrated(2), 0)
        dice = random.Random(1)
        for n in range(163 + takes + 80):
            cells.sampled(n * SPACING_US, [raw if n >= 163 else dice.randrange(500), dice.randrange(500)], 0)
        assert cells.faults(n * SPACING_US // 1000) == [(code, 0)]


def test_the_newest_counts_are_exactly_so_many() -> None:
    shelf = Shelf(steady)
    shelf.run(173)
    counts = [shelf.cells.newest(0, most) for most in range(1, 81)]
    shelf.run(40)
    expected = [value for _, value in sorted(shelf.counts().items())][:170]
    assert counts == [expected[-most:] for most in range(1, 81)]


def test_times_stay_true_for_weeks() -> None:
    cells = Cells(1, 80, 8, calibrated(1), 5_000)
    dice = random.Random(2)
    start_us = 5_000_000
    for _day in range(60):
        for n in range(160):
            cells.sampled(start_us + n * SPACING_US, [dice.randrange(500)], 0)
        _, _, t_ms, _, _, _ = cells.ready()[-1]
        since_ms = t_ms - start_us // 1000
        assert 1700 < since_ms < 2000
        assert abs(since_ms / 12.5 - round(since_ms / 12.5)) < 0.1
        start_us += 86_400_000_000
