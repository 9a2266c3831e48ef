"""Two copies of everything: torn at any byte, silent, worn, the settings that load were once the settings."""

import binascii
import contextlib
import struct

import pytest

from firmware_bridge.firmware.journal import Journal
from firmware_bridge.firmware.memory import (
    BAD,
    BLANK,
    BOOTS_AT,
    BOOTS_STRIDE,
    BUDGET_AT,
    BUDGET_STRIDE,
    GOOD,
    JOURNAL_AT,
    NV_BYTES,
    SETTINGS_AT,
    SETTINGS_STRIDE,
    Memory,
    Nv,
    Record,
)
from firmware_bridge.firmware.seal import Budget
from tests.firmware_bridge.firmware.chips import Chip, PowerCut

Settings = tuple[bytes, int, int, list[int], list[int]]
OLD: Settings = (bytes(range(1, 33)), 30, 200, [5, -6, 7], [1_568_000, 0, 3])
NEW: Settings = (bytes(range(101, 133)), 120, 1200, [-(2**22), 2**22, 0], [83_886_080, 41_943, 2**32 - 1])


def settings_of(memory: Memory) -> Settings:
    return memory.key, memory.per_hour, memory.per_day, list(memory.zeros), list(memory.spans)


def change(memory: Memory, to: Settings) -> None:
    memory.key, memory.per_hour, memory.per_day = to[:3]
    memory.zeros[:], memory.spans[:] = to[3], to[4]


def store(chip: Nv, settings: Settings) -> bool:
    memory = Memory(chip, 3)
    change(memory, settings)
    return memory.save()


def bytes_written(chip: Chip, settings: Settings) -> int:
    """How many bytes a change of settings writes."""
    trial = chip.again()
    memory = Memory(trial, 3)
    trial.written.clear()
    change(memory, settings)
    assert memory.save()
    return sum(n for _, n in trial.written)


def test_a_chip_fresh_from_the_factory_is_a_board_without_key_or_calibration() -> None:
    for content in (bytes(NV_BYTES), b"\xff" * NV_BYTES):
        memory = Memory(Chip(content), 3)
        assert settings_of(memory) == (b"", 0, 0, [0, 0, 0], [0, 0, 0])
        assert not memory.damaged


@pytest.mark.parametrize("settings", [OLD, NEW])
def test_what_is_saved_is_there_after_a_reset(settings: Settings) -> None:
    chip = Chip()
    assert store(chip, settings)
    memory = Memory(chip, 3)
    assert settings_of(memory) == settings
    assert not memory.damaged


def test_a_board_with_fewer_zones_keeps_the_calibration_of_the_others() -> None:
    chip = Chip()
    store(chip, OLD)
    memory = Memory(chip, 1)
    memory.zeros[0] = 99
    assert memory.save()
    assert Memory(chip, 3).zeros == [99, -6, 7]


def test_boots_are_counted() -> None:
    chip = Chip()
    assert [Memory(chip, 1).boots for _ in range(5)] == [1, 2, 3, 4, 5]


def test_boots_lap_after_65_535() -> None:
    chip = Chip()
    record = Record(chip, BOOTS_AT, BOOTS_STRIDE, 0x42, 4)
    record.load()
    record.save(struct.pack("<I", 65_535))
    assert Memory(chip, 1).boots == 0
    assert Memory(chip, 1).boots == 1


def test_a_save_cut_after_any_byte_leaves_the_old_settings_or_the_new_and_no_mixture() -> None:
    before = Chip()
    store(before, OLD)
    whole = bytes_written(before, NEW)
    seen = []
    for cut in range(whole + 1):
        chip = before.again()
        memory = Memory(chip, 3)
        change(memory, NEW)
        chip.cut_after = cut
        try:
            memory.save()
        except PowerCut:
            assert cut < whole
        after = Memory(chip.again(), 3)
        assert not after.damaged
        assert settings_of(after) in (OLD, NEW)
        seen.append(settings_of(after) == NEW)
    assert seen == [False] * whole + [True]


def test_the_very_first_save_cut_after_any_byte_leaves_nothing_or_the_settings() -> None:
    whole = bytes_written(Chip(), NEW)
    seen = set()
    for cut in range(whole + 1):
        chip = Chip()
        memory = Memory(chip, 3)
        change(memory, NEW)
        chip.cut_after = cut
        try:
            memory.save()
        except PowerCut:
            assert cut < whole
        after = Memory(chip.again(), 3)
        assert not after.damaged
        assert after.key in (b"", NEW[0])
        seen.add(after.key)
    assert len(seen) == 2


def test_a_boot_cut_after_any_byte_of_its_counting_loses_at_most_itself() -> None:
    before = Chip()
    store(before, OLD)
    for cut in range(13):
        chip = before.again()
        chip.cut_after = cut
        with pytest.raises(PowerCut):
            Memory(chip, 3)
        after = Memory(chip.again(), 3)
        assert after.boots == 2
        assert settings_of(after) == OLD


def test_mending_a_torn_copy_cut_after_any_byte_still_leaves_the_settings() -> None:
    torn = Chip()
    store(torn, OLD)
    torn.content[SETTINGS_AT + 20] ^= 1
    for cut in range(250):
        chip = torn.again()
        chip.cut_after = cut
        with contextlib.suppress(PowerCut):
            Memory(chip, 3)
        assert settings_of(Memory(chip.again(), 3)) == OLD


@pytest.mark.parametrize("copy", [0, 1])
def test_any_flipped_bit_in_one_copy_costs_nothing_and_is_mended(copy: int) -> None:
    before = Chip()
    store(before, OLD)
    for bit in range(8 * 141):
        chip = before.again()
        chip.content[SETTINGS_AT + copy * SETTINGS_STRIDE + bit // 8] ^= 1 << bit % 8
        memory = Memory(chip, 3)
        assert settings_of(memory) == OLD
        assert not memory.damaged
        chip.content[SETTINGS_AT + (1 - copy) * SETTINGS_STRIDE] ^= 1  # now the other one
        assert settings_of(Memory(chip, 3)) == OLD


def test_both_copies_damaged_is_told_and_nothing_is_believed() -> None:
    chip = Chip()
    store(chip, OLD)
    for copy in (0, 1):
        chip.content[SETTINGS_AT + copy * SETTINGS_STRIDE + 40] ^= 0x10
    memory = Memory(chip, 3)
    assert memory.damaged
    assert settings_of(memory) == (b"", 0, 0, [0, 0, 0], [0, 0, 0])
    for _ in range(100):
        assert not memory.check()


def test_new_settings_end_the_damage() -> None:
    chip = Chip(b"\xa5" * NV_BYTES)
    memory = Memory(chip, 3)
    assert memory.damaged
    change(memory, OLD)
    assert memory.save()
    assert not memory.damaged
    assert settings_of(Memory(chip, 3)) == OLD


def test_a_silent_chip_is_damage_and_no_exception() -> None:
    chip = Chip()
    chip.silent = True
    memory = Memory(chip, 3)
    assert memory.damaged
    assert not memory.save()
    assert not memory.check()
    assert memory.boots == 1


def test_settings_that_could_not_be_read_at_boot_are_never_written_over() -> None:
    chip = Chip()
    store(chip, OLD)
    chip.silent = True
    memory = Memory(chip, 3)
    chip.silent = False
    memory.zeros[0] = 1
    assert not memory.save()
    assert not memory.check()
    assert memory.damaged
    assert settings_of(Memory(chip, 3)) == OLD


def test_a_chip_that_falls_silent_shows_at_the_next_look_and_recovers() -> None:
    chip = Chip()
    store(chip, OLD)
    memory = Memory(chip, 3)
    chip.silent = True
    assert not memory.check()
    assert memory.damaged
    chip.silent = False
    for _ in range(36):
        memory.check()
    assert not memory.damaged


def test_a_write_protected_chip_is_found_out_by_reading_back() -> None:
    chip = Chip()
    store(chip, OLD)
    memory = Memory(chip, 3)
    chip.protected = True
    change(memory, NEW)
    assert not memory.save()
    assert memory.damaged


def test_two_copies_that_rot_while_the_board_runs_are_found_within_a_round() -> None:
    chip = Chip()
    store(chip, OLD)
    memory = Memory(chip, 3)
    assert all(memory.check() for _ in range(60))
    for copy in (0, 1):
        chip.content[SETTINGS_AT + copy * SETTINGS_STRIDE + 100] ^= 1
    assert not all(memory.check() for _ in range(2 * 18))
    assert memory.damaged
    assert memory.save()
    assert all(memory.check() for _ in range(60))


def test_one_copy_that_rots_is_no_damage() -> None:
    chip = Chip()
    store(chip, OLD)
    memory = Memory(chip, 3)
    chip.content[SETTINGS_AT + 100] ^= 1
    assert all(memory.check() for _ in range(100))


def test_a_record_knows_blank_from_damaged() -> None:
    chip = Chip()
    record = Record(chip, 0, 32, 7, 4)
    assert record.load() is None
    assert record.state == BLANK
    chip.content[:64] = b"\x11" * 64
    chip.content[5] = 0
    chip.content[40] = 0
    assert record.load() is None
    assert record.state == BAD
    assert record.save(b"abcd")
    assert record.load() == b"abcd"
    assert record.state == GOOD


def test_a_record_of_another_kind_is_not_taken_for_this_one() -> None:
    chip = Chip()
    Record(chip, 0, 32, 7, 4).load()
    other = Record(chip, 0, 32, 7, 4)
    other.load()
    other.save(b"abcd")
    assert Record(chip, 0, 32, 8, 4).load() is None


def test_budget_journal_and_settings_never_write_into_each_other() -> None:
    chip = Chip()
    memory = Memory(chip, 3)
    change(memory, OLD)
    memory.save()
    budget, journal = Budget(chip, memory, 0), Journal(chip)
    chip.written.clear()
    for n in range(200):
        assert budget.take(n * 3_600_000)
        journal.add(1, n, 2, bytes(64))
    assert chip.written
    for at, n in chip.written:
        in_budget = at >= BUDGET_AT and at + n <= BUDGET_AT + 2 * BUDGET_STRIDE
        in_journal = at >= JOURNAL_AT and at + n <= JOURNAL_AT + 64 * 80
        assert in_budget or in_journal
    assert settings_of(Memory(chip, 3)) == OLD


def test_the_layout_has_no_overlap() -> None:
    places = [
        (SETTINGS_AT, 2 * SETTINGS_STRIDE),
        (BOOTS_AT, 2 * BOOTS_STRIDE),
        (BUDGET_AT, 2 * BUDGET_STRIDE),
        (JOURNAL_AT, 64 * 80),
    ]
    ends = [at + n for at, n in places]
    assert all(end <= at for end, (at, _) in zip(ends, places[1:], strict=False))
    assert ends[-1] <= NV_BYTES


def test_the_bytes_of_the_settings_lie_where_the_layout_says() -> None:
    """A board that is flashed anew must find what the firmware before it stored."""
    chip = Chip()
    store(chip, OLD)
    for at in (0x0000, 0x00C0):
        assert chip.content[at] == 0x53
        assert chip.content[at + 5 : at + 37] == OLD[0]
        assert struct.unpack_from("<HH12i12I", chip.content, at + 37)[:5] == (30, 200, 5, -6, 7)
        assert struct.unpack_from("<3I", chip.content, at + 89) == (1_568_000, 0, 3)
        assert struct.unpack_from("<I", chip.content, at + 137)[0] == binascii.crc32(chip.content[at : at + 137])
    assert chip.content[0x0180] == chip.content[0x01A0] == 0x42
    assert (BUDGET_AT, JOURNAL_AT, NV_BYTES) == (0x01C0, 0x0400, 8192)


def test_a_copy_that_was_never_written_is_filled_at_the_next_boot() -> None:
    chip = Chip()
    store(chip, OLD)
    chip.content[SETTINGS_AT + SETTINGS_STRIDE : SETTINGS_AT + 2 * SETTINGS_STRIDE] = bytes(SETTINGS_STRIDE)
    Memory(chip, 3)
    chip.content[SETTINGS_AT] ^= 1
    assert settings_of(Memory(chip, 3)) == OLD


def test_looking_goes_over_every_byte_of_both_copies() -> None:
    whole = Chip()
    store(whole, OLD)
    for offset in range(141):
        for first in (0, 1):  # the copy that is damaged before; the other one is damaged by a single byte
            chip = whole.again()
            memory = Memory(chip, 3)
            chip.content[SETTINGS_AT + first * SETTINGS_STRIDE] ^= 1
            chip.content[SETTINGS_AT + (1 - first) * SETTINGS_STRIDE + offset] ^= 1
            for _ in range(36):
                memory.check()
            assert memory.damaged
