"""What the board writes down, and how it is read."""

import struct

import pytest

from firmware_bridge.firmware import codes as c
from tests.firmware_bridge.firmware.bench import VISIT, Bench


def test_a_visit_is_in_the_journal_with_its_masses() -> None:
    bench = Bench().hello()
    bench.world.cells[0].put(1000.0, bench.now_ms)
    bench.run(2000)
    bench.open_door()
    bench.world.cells[0].put(400.0, bench.now_ms)
    bench.run(1000)
    bench.world.shut()
    bench.run(3500)
    kinds = [kind for kind, _ in bench.journal()]
    assert kinds == [c.BOOTED, c.GRANTED, c.DOOR_OPENED, c.LEASE_OVER, c.DOOR_CLOSED, c.MASSES]
    bodies = [body for _, body in bench.journal()]
    assert all(body[:16] == VISIT for body in bodies[1:])
    before_dg, after_dg = (struct.unpack_from("<i", bodies[n], 16)[0] for n in (1, 5))
    assert abs(before_dg - 10_000) <= 3
    assert abs(after_dg - 4000) <= 3


def test_a_door_opened_again_before_the_masses_settled_has_them_noted_at_once() -> None:
    bench = Bench().hello()
    bench.open_door()
    bench.run(500)
    bench.world.shut()
    bench.run(400)
    bench.world.force()
    bench.run(50)
    kinds = [kind for kind, _ in bench.journal()]
    assert kinds[-3:] == [c.DOOR_CLOSED, c.DOOR_OPENED, c.MASSES]


def test_a_grant_is_written_down_before_the_lock_is_driven() -> None:
    bench = Bench().hello()
    bench.unlock()
    assert bench.board.journal.read(1, 64)[-1][10] == c.GRANTED


def test_masses_are_noted_once_they_have_settled() -> None:
    bench = Bench().hello()
    bench.open_door()
    bench.run(300)
    bench.world.shut()
    for load_g in range(1000, 0, -40):
        bench.world.cells[0].put(load_g, bench.now_ms)
        bench.run(60)
    bench.world.cells[0].put(700.0, bench.now_ms)
    bench.run(2500)
    (body,) = [body for kind, body in bench.journal() if kind == c.MASSES]
    assert abs(struct.unpack_from("<i", body, 16)[0] - 7000) <= 3


def test_masses_that_never_settle_are_noted_three_seconds_after_the_closing() -> None:
    bench = Bench().hello()
    bench.open_door()
    bench.run(300)
    bench.world.shut()
    for _ in range(60):
        bench.world.cells[0].put(bench.now_ms % 700, bench.now_ms)
        bench.run(60)
    assert [kind for kind, _ in bench.journal()].count(c.MASSES) == 1


def test_an_opening_without_a_lease_since_the_last_closing_has_no_visit() -> None:
    bench = Bench().hello()
    bench.open_door()
    bench.run(300)
    bench.world.shut()
    bench.run(4000)
    bench.world.force()
    bench.run(100)
    opened = [body for kind, body in bench.journal() if kind == c.DOOR_OPENED]
    assert opened == [VISIT, c.NO_VISIT]


def test_an_opening_after_the_lease_expired_is_put_down_to_its_visit() -> None:
    bench = Bench().hello()
    bench.unlock(ttl_ms=400)
    while bench.board.doorkeeper.lease.visit is not None:
        bench.run(1)
    assert bench.world.pull()
    bench.run(50)
    assert bench.ends() == [(VISIT, c.EXPIRED)]
    assert [body for kind, body in bench.journal() if kind == c.DOOR_OPENED] == [VISIT]
    assert bench.faults() == []


def test_the_journal_is_read_in_order_and_ends_with_its_bounds() -> None:
    bench = Bench().hello()
    for n in range(20):
        bench.order(c.MIRROR, VISIT + struct.pack("<q3s32s", n, b"EUR", bytes(32)))
    bench.run(50)
    bench.order(c.JOURNAL_READ, struct.pack("<IB", 5, 8))
    bench.run(300)
    assert [struct.unpack_from("<I", entry, 1)[0] for entry in bench.all(c.JOURNAL_ENTRY)] == list(range(5, 13))
    assert struct.unpack("<II", bench.last(c.JOURNAL_END)[1:]) == (1, 22)


def test_reading_from_0_begins_with_the_oldest_kept() -> None:
    bench = Bench().hello()
    for n in range(80):
        bench.order(c.MIRROR, VISIT + struct.pack("<q3s32s", n, b"EUR", bytes(32)))
        bench.run(10)
    bench.order(c.JOURNAL_READ, struct.pack("<IB", 0, 1))
    bench.run(50)
    first, after = struct.unpack("<II", bench.last(c.JOURNAL_END)[1:])
    assert struct.unpack_from("<I", bench.last(c.JOURNAL_ENTRY), 1) == (first,)
    assert after - first == 64


def test_a_read_beyond_the_last_entry_is_answered_with_the_end_alone() -> None:
    bench = Bench().hello()
    bench.order(c.JOURNAL_READ, struct.pack("<IB", 0xFFFFFFFF, 16))
    bench.run(50)
    assert bench.all(c.JOURNAL_ENTRY) == []
    assert len(bench.all(c.JOURNAL_END)) == 1


@pytest.mark.parametrize("most", [0, 17, 255])
def test_a_read_of_no_or_too_many_entries_is_not_answered(most: int) -> None:
    bench = Bench().hello()
    bench.order(c.JOURNAL_READ, struct.pack("<IB", 1, most))
    bench.run(100)
    assert bench.all(c.JOURNAL_END) == []


def test_the_journal_survives_a_reset_and_alive_names_its_next_entry() -> None:
    bench = Bench().hello()
    bench.order(c.MIRROR, VISIT + struct.pack("<q3s32s", 1250, b"EUR", bytes(32)))
    bench.run(20)
    bench.power_on(c.BY_WATCHDOG)
    bench.run(600)
    kinds = [kind for kind, _ in bench.journal()]
    assert kinds == [c.BOOTED, c.MIRRORED, c.BOOTED, c.FAULT_RAISED]
    assert struct.unpack_from("<I", bench.last(c.ALIVE), 29) == (5,)


def test_a_mirror_whose_currency_is_no_ascii_is_not_kept() -> None:
    bench = Bench().hello()
    bench.order(c.MIRROR, VISIT + struct.pack("<q3s32s", 1, b"\xffEU", bytes(32)))
    assert c.MIRRORED not in [kind for kind, _ in bench.journal()]


def test_while_a_journal_is_read_a_door_waits_for_one_entry_at_most() -> None:
    bench = Bench().hello()
    for n in range(16):
        bench.order(c.MIRROR, VISIT + struct.pack("<q3s32s", n, b"EUR", bytes(32)))
    bench.run(20)
    bench.order(c.JOURNAL_READ, struct.pack("<IB", 1, 16))
    bench.drain = lambda: None  # type: ignore[method-assign]  # the host is slow to acknowledge
    bench.run(90)
    assert bench.board.link.waiting == 1


def test_a_journal_being_read_is_no_business_of_the_next_session() -> None:
    bench = Bench().hello()
    bench.order(c.JOURNAL_READ, struct.pack("<IB", 1, 16))
    bench.hello(nonce=b"otherone")
    bench.run(100)
    assert bench.all(c.JOURNAL_END) == []
