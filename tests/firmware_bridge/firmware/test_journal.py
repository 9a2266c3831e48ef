"""The ring of 64: indexes that only rise, torn entries that are skipped, a chip that may die."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware.journal import SLOT_BYTES, SLOTS, Journal
from firmware_bridge.firmware.memory import JOURNAL_AT
from tests.firmware_bridge.firmware.chips import Chip, PowerCut


def filled(entries: int, chip: Chip | None = None) -> Chip:
    chip = chip or Chip()
    journal = Journal(chip)
    for n in range(entries):
        journal.add(7, 1000 + n, 1 + n % 11, bytes([n % 256]) * (n % 65))
    return chip


def indexes(journal: Journal) -> list[int]:
    return [struct.unpack("<I", entry[:4])[0] for entry in journal.read(0, 100)]


def test_an_empty_journal_begins_with_one() -> None:
    journal = Journal(Chip())
    assert (journal.first, journal.next, journal.read(0, 16)) == (1, 1, [])


def test_an_entry_is_the_payload_of_its_message() -> None:
    chip = Chip()
    Journal(chip).add(258, 0x0403_0201, 6, b"masses")
    assert Journal(chip).read(1, 1) == [bytes((1, 0, 0, 0, 2, 1, 1, 2, 3, 4, 6)) + b"masses"]


@pytest.mark.parametrize("entries", [1, 63, 64, 65, 128, 1000])
def test_the_newest_64_are_kept_and_found_again(entries: int) -> None:
    journal = Journal(filled(entries))
    assert journal.next == entries + 1
    assert journal.first == max(1, entries - 63)
    assert indexes(journal) == list(range(journal.first, journal.next))


def test_a_running_journal_and_one_that_boots_agree() -> None:
    chip = Chip()
    running = Journal(chip)
    for n in range(200):
        running.add(1, n, 3, b"x" * (n % 60))
        booted = Journal(chip)
        assert (booted.first, booted.next) == (running.first, running.next)
        assert booted.read(0, 64) == running.read(0, 64)


def test_reading_starts_where_asked_and_ends_after_so_many() -> None:
    journal = Journal(filled(100))
    assert [entry[0] for entry in journal.read(90, 4)] == [90, 91, 92, 93]
    assert [entry[0] for entry in journal.read(1, 2)] == [37, 38]
    assert journal.read(101, 16) == []
    assert journal.read(2**32 - 1, 16) == []


def test_time_and_boots_lap() -> None:
    journal = Journal(Chip())
    journal.add(65_536 + 5, 2**32 + 9, 1, b"\0")
    assert struct.unpack("<IHIB", journal.read(1, 1)[0][:11]) == (1, 5, 9, 1)


@pytest.mark.parametrize("before", [0, 10, 64, 100])
def test_an_entry_torn_at_any_byte_is_skipped_and_its_index_used_again(before: int) -> None:
    whole = filled(before)
    for cut in range(12 + 64 + 4):
        chip = whole.again()
        journal = Journal(chip)
        chip.cut_after = cut
        with pytest.raises(PowerCut):
            journal.add(9, 5, 8, bytes(range(64)))
        after = Journal(chip.again())
        assert after.next == before + 1
        kept = indexes(after)
        assert kept == list(range(max(1, before - 62 if cut else before - 63), before + 1))
        after.add(9, 6, 8, b"again")
        assert indexes(after)[-1] == before + 1


def test_any_flipped_bit_costs_one_entry_and_no_other() -> None:
    whole = filled(64)
    for bit in range(8 * 60):
        chip = whole.again()
        chip.content[JOURNAL_AT + 49 * SLOT_BYTES + bit // 8] ^= 1 << bit % 8
        assert indexes(Journal(chip)) == [n for n in range(1, 65) if n != 50]


def test_a_body_too_long_is_cut_to_64_bytes() -> None:
    chip = Chip()
    Journal(chip).add(1, 0, 8, bytes(range(200)))
    assert Journal(chip).read(1, 1)[0][11:] == bytes(range(64))


def test_a_chip_that_dies_loses_entries_and_raises_nothing() -> None:
    chip = filled(10)
    journal = Journal(chip)
    chip.silent = True
    journal.add(1, 0, 1, b"")
    journal.add(1, 0, 1, b"")
    assert (journal.lost, journal.next, journal.read(1, 16)) == (2, 11, [])
    chip.silent = False
    journal.add(1, 0, 1, b"")
    assert indexes(journal) == list(range(1, 12))


def test_a_chip_silent_at_boot_gets_no_index_twice() -> None:
    chip = filled(10)
    chip.silent = True
    journal = Journal(chip)
    assert (journal.first, journal.next) == (0, 0)
    chip.silent = False
    journal.add(1, 0, 1, b"lost")
    assert journal.lost == 1
    assert journal.read(0, 16) == []
    assert indexes(Journal(chip)) == list(range(1, 11))


def test_noise_in_the_memory_is_no_entry() -> None:
    chip = Chip(bytes(n * 37 % 251 for n in range(8192)))
    journal = Journal(chip)
    assert (journal.first, journal.next) == (1, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.just(-1), st.integers(0, 90)), max_size=150))
def test_through_any_row_of_cuts_the_whole_entries_are_kept_in_order(cuts: list[int]) -> None:
    """-1 is a whole write; else the power goes after so many bytes."""
    chip, stored = Chip(), list[int]()
    for n, cut in enumerate(cuts):
        chip = chip.again()
        journal = Journal(chip)
        assert journal.next == (stored[-1] + 1 if stored else 1)
        chip.cut_after = None if cut < 0 else cut
        index = journal.next
        try:
            journal.add(1, n, 1, bytes(n % 65))
            stored.append(index)
        except PowerCut:
            pass
    found = indexes(Journal(chip.again()))
    assert found == sorted(found)
    assert found[-62:] == stored[-62:]
    assert len(found) <= SLOTS
