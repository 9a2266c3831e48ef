"""The journal of the running firmware: what it has weighed and done outlives a reset and a dead host."""

import struct
from pathlib import Path

import pytest

from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.messages import EntryKind, JournalEntry, LeaseEnd, Mirror
from tests.firmware_bridge.running.conftest import Start
from tests.firmware_bridge.running.looking import changed_ms, now_ms, opened
from tests.firmware_bridge.running.raw import RawHost

VISIT = bytes(range(16))
SETTLED_MS = 1000  # after power-up: until then the shelves have no mean of half a second


def of(entries: list[JournalEntry], kind: EntryKind) -> list[JournalEntry]:
    return [entry for entry in entries if entry.kind == kind]


def masses_g(entry: JournalEntry) -> list[float]:
    return [dg / 10 for dg in struct.unpack(f"<{(len(entry.body) - 16) // 4}i", entry.body[16:])]


def visit(board: EmulatedBoard, host: RawHost) -> None:
    """Unlock, pull, and say nothing more once the door was seen open: the host dies here."""
    opened(board, host, VISIT)
    host.until(lambda: bool(of(host.journal(), EntryKind.DOOR_OPENED)))  # no door is shut within a tick
    host.beat(on=False)


@pytest.fixture
def board(start: Start) -> EmulatedBoard:
    return start(2, options=("--masses-g", "1500", "800"))


def test_what_was_weighed_at_closing_is_kept_although_the_host_died_with_the_door_open(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        host.until(lambda: host.status().uptime_ms > SETTLED_MS)
        visit(board, host)
    board.control({"do": "add", "zone": 0, "g": -505})
    board.control({"do": "shut"})
    with RawHost(board.port) as host:
        host.until(lambda: bool(of(host.journal(), EntryKind.MASSES)))
        entries = host.journal()
    granted, (weighed,) = of(entries, EntryKind.UNLOCK_GRANTED)[-1], of(entries, EntryKind.MASSES)
    assert granted.body[:16] == weighed.body[:16] == VISIT
    before, after = masses_g(granted), masses_g(weighed)
    assert [a - b for a, b in zip(after, before, strict=True)] == pytest.approx([-505, 0], abs=2)


def test_the_story_of_a_visit_is_told_in_order(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        host.until(lambda: host.status().uptime_ms > SETTLED_MS)
        visit(board, host)
        board.control({"do": "shut"})
        host.until(lambda: bool(of(host.journal(), EntryKind.MASSES)))
        entries = host.journal()
    # A machine that is too busy for the board's loop may raise a fault, which is told elsewhere.
    kinds = [entry.kind for entry in entries if entry.kind != EntryKind.FAULT_RAISED]
    assert kinds[:2] == [EntryKind.BOOT, EntryKind.UNLOCK_GRANTED]
    story = kinds[len(kinds) - kinds[::-1].index(EntryKind.UNLOCK_GRANTED) :]  # of the lease in which the door opened
    # Within one tick the end of the lease and the opening may be written in either order.
    assert set(story[:2]) == {EntryKind.DOOR_OPENED, EntryKind.LEASE_ENDED}
    assert story[2:] == [EntryKind.DOOR_CLOSED, EntryKind.MASSES]
    assert of(entries, EntryKind.LEASE_ENDED)[-1].body[-1] == LeaseEnd.OPENED


def test_the_journal_survives_a_reset_of_the_board(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        visit(board, host)
        before = host.journal()
    reset_ms = now_ms()
    board.control({"do": "reset"})
    changed_ms(board, "boot", to=2, after_ms=reset_ms)
    with RawHost(board.port) as host:
        after = host.journal()
    assert after[: len(before)] == before
    assert after[len(before)].kind == EntryKind.BOOT
    assert after[len(before)].boot == before[-1].boot + 1


def test_the_journal_survives_a_watchdog_in_the_middle_of_a_visit(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        visit(board, host)
        before = host.journal()
    hung_ms = now_ms()
    board.control({"do": "hang"})
    changed_ms(board, "boot", to=2, after_ms=hung_ms)
    with RawHost(board.port) as host:
        assert host.journal()[: len(before)] == before


def test_the_charge_mirror_is_read_back_as_it_was_given_also_after_power_loss(start: Start, tmp_path: Path) -> None:
    words = ("--memory", str(tmp_path / "memory"))
    mirror = Mirror(VISIT, 250, b"USD", bytes(range(32)))
    first = start(1, options=words)
    with RawHost(first.port) as host:
        host.send(mirror)
        host.until(lambda: bool(of(host.journal(), EntryKind.MIRROR)))
    first.stop()
    with RawHost(start(1, options=words).port) as host:
        (kept,) = of(host.journal(), EntryKind.MIRROR)
    assert kept.body == mirror.to_bytes()[1:]


def test_the_ring_keeps_the_last_sixty_four(board: EmulatedBoard) -> None:
    with RawHost(board.port) as host:
        for number in range(80):
            host.send(Mirror(VISIT, number, b"USD", bytes(32)))
            if number % 16 == 15:
                host.status()  # all before it have been heard
        entries = host.journal()
    assert len(entries) == 64
    assert [entry.index for entry in entries] == list(range(entries[0].index, entries[0].index + 64))
    assert struct.unpack_from("<q", entries[-1].body, 16) == (79,)
