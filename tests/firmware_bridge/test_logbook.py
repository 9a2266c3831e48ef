"""The board's journal, read once and in order, whatever happens between."""

import random

import pytest

from firmware_bridge.logbook import ASK_AGAIN_S, AT_ONCE, Logbook
from firmware_bridge.reports import JournalEnd, JournalEntry

RING_READS = 64 // AT_ONCE + 3  # more than a whole ring takes


def entry(index: int) -> JournalEntry:
    return JournalEntry(index, 1, 1000 * index, 4, bytes(16))


class Ring:
    """The board's side: 64 entries, `torn` ones are skipped."""

    def __init__(self) -> None:
        self.next = 1
        self.torn: set[int] = set()

    @property
    def first(self) -> int:
        return max(1, self.next - 64)

    def write(self, count: int = 1) -> None:
        self.next += count

    def read(self, first: int, most: int) -> list[JournalEntry]:
        kept = [index for index in range(max(first, self.first), self.next) if index not in self.torn]
        return [entry(index) for index in kept[:most]]


def sync(
    book: Logbook, ring: Ring, board_next: int | None, now_s: float = 0.0, *, fails_after: int = 10**6
) -> list[int]:
    """Read until nothing is due; the indexes that are new.  The session breaks after so many entries."""
    new: list[int] = []
    read = book.due(board_next, now_s)
    for _ in range(RING_READS):
        if read is None:
            return new
        for found in ring.read(read.first, read.most):
            if fails_after == 0:
                return new
            fails_after -= 1
            book.entry(found)
        entries, read = book.end(JournalEnd(ring.first, ring.next), now_s)
        new += (found.index for found in entries)
    raise AssertionError("it reads on and on")


def ring_of(count: int) -> Ring:
    ring = Ring()
    ring.write(count)
    return ring


@pytest.mark.parametrize("count", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 50, 64])
def test_a_new_host_reads_all_there_is(count: int) -> None:
    book, ring = Logbook(), ring_of(count)
    assert sync(book, ring, None) == list(range(1, count + 1))
    assert (book.next, book.lost) == (count + 1, 0)


def test_nothing_is_asked_for_when_the_board_has_nothing_new() -> None:
    book, ring = Logbook(), ring_of(10)
    sync(book, ring, None)
    assert book.due(ring.next, 1.0) is None


def test_what_is_written_later_is_read_when_the_board_counts_higher() -> None:
    book, ring = Logbook(), ring_of(10)
    sync(book, ring, None)
    ring.write(3)
    assert sync(book, ring, ring.next) == [11, 12, 13]


def test_a_host_that_knows_its_place_goes_on_there() -> None:
    assert sync(Logbook(31), ring_of(40), None) == list(range(31, 41))


@pytest.mark.parametrize("fails_after", range(0, 30, 3))
def test_a_read_that_broke_off_goes_on_in_the_next_session_and_tells_nothing_twice(fails_after: int) -> None:
    book, ring = Logbook(), ring_of(30)
    new = sync(book, ring, None, fails_after=fails_after)
    book.begin()
    ring.write(5)
    new += sync(book, ring, None)
    assert new == list(range(1, 36))


def test_entries_overwritten_meanwhile_are_counted_as_lost() -> None:
    book, ring = Logbook(), ring_of(10)
    sync(book, ring, None)
    ring.write(100)
    assert sync(book, ring, ring.next) == list(range(47, 111))
    assert book.lost == 36


@pytest.mark.parametrize("torn", [{5}, {12}, {1, 2, 12}, set(range(1, 13)), set(range(3, 12))])
def test_torn_entries_are_skipped_and_counted_and_asked_for_only_once(torn: set[int]) -> None:
    book, ring = Logbook(), ring_of(0)
    ring.write(1)
    sync(book, ring, None)
    ring.write(11)
    ring.torn = torn - {1}
    assert sync(book, ring, ring.next) == [index for index in range(2, 13) if index not in torn]
    assert (book.next, book.lost) == (13, len(ring.torn))
    assert book.due(ring.next, 1.0) is None


def test_another_memory_chip_is_read_from_its_beginning() -> None:
    book = Logbook(100)
    assert sync(book, ring_of(5), None) == [1, 2, 3, 4, 5]
    assert book.lost == 0


def test_one_read_is_under_way_at_a_time_and_one_without_an_answer_is_repeated() -> None:
    book = Logbook()
    assert book.due(5, 0.0) is not None
    assert book.due(5, ASK_AGAIN_S - 0.1) is None
    assert book.due(5, ASK_AGAIN_S) is not None


def test_an_end_that_nobody_asked_for_moves_nothing() -> None:
    book = Logbook(10)
    assert not book.entry(entry(10))
    assert book.end(JournalEnd(1, 3), 0.0) == ([], None)
    assert book.next == 10


def test_an_entry_from_nowhere_does_not_move_the_place() -> None:
    """One in 65 536 damaged frames passes the CRC."""
    book = Logbook(10)
    book.due(None, 0.0)
    assert book.entry(entry(10))
    assert book.entry(entry(2**32 - 1))
    entries, read = book.end(JournalEnd(1, 12), 0.0)
    assert [found.index for found in entries] == [10]
    assert book.next == 12
    assert read is None


def test_entries_that_go_back_or_are_too_many_are_not_asked_for() -> None:
    book = Logbook(10)
    book.due(None, 0.0)
    assert not book.entry(entry(9))
    assert book.entry(entry(11))
    assert not book.entry(entry(11))
    assert [book.entry(entry(12 + n)) for n in range(8)] == [True] * 7 + [False]


@pytest.mark.parametrize("start", [-1, 2**32])
def test_a_place_that_no_journal_has_is_the_callers_mistake(start: int) -> None:
    with pytest.raises(ValueError, match="journal from"):
        Logbook(start)


@pytest.mark.parametrize("seed", range(20))
def test_in_any_life_each_entry_is_told_once_in_order_or_counted_as_lost(seed: int) -> None:
    dice, book, ring = random.Random(seed), Logbook(), ring_of(1)
    new: list[int] = []
    for _ in range(200):
        count = dice.choice((0, 1, 3, 20, 70))
        ring.torn |= {ring.next + n for n in range(count) if dice.random() < 0.05}
        ring.write(count)
        fails_after = dice.choice((0, 2, 9, 1000))
        book.begin()
        new += sync(book, ring, dice.choice((None, ring.next)), fails_after=fails_after)
    book.begin()
    new += sync(book, ring, None)
    assert new == sorted(set(new))
    assert not set(new) & ring.torn
    assert len(new) + book.lost == ring.next - new[0]  # what was gone before it came, it cannot lose


def test_a_board_that_cannot_read_its_memory_has_not_begun_a_new_ring() -> None:
    book, ring = Logbook(), ring_of(10)
    sync(book, ring, None)
    assert book.due(None, 1.0) is not None
    assert book.end(JournalEnd(0, 0), 1.0) == ([], None)
    ring.write(2)
    assert sync(book, ring, ring.next, 10.0) == [11, 12]
