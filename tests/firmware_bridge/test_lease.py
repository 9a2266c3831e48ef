"""The lease rule and the switches, on the emulated firmware, on virtual time."""

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.emulator.firmware import Chip
from firmware_bridge.frames import END
from firmware_bridge.messages import (
    Answer,
    ClearFaults,
    FaultCode,
    LeaseEnd,
    Lock,
    Status,
    StatusRequest,
    Unlock,
    UnlockResult,
)
from tests.firmware_bridge.lab import VISIT, Lab


def lease_over(lab: Lab) -> LeaseEnd:
    (over,) = lab.said(h.LeaseOver)
    assert isinstance(over, h.LeaseOver)
    assert over.visit == VISIT
    return over.reason


def test_an_unlock_drives_the_lock_and_is_answered_ok() -> None:
    lab = Lab().connect()
    lab.unlock()
    assert UnlockResult(VISIT, Answer.OK) in lab.answers
    assert not lab.world.bolt_in_strike


def test_a_silent_host_finds_the_lock_locked_within_half_a_second() -> None:
    lab = Lab().connect()
    lab.unlock(beating=True)
    lab.run(1000)
    assert lab.board.driven
    last_beat_ms = lab.now_ms - lab.now_ms % 200
    lab.beating = False
    lab.run(1000)
    assert lab.locked_at_ms is not None
    assert lab.locked_at_ms - last_beat_ms <= 500
    assert lease_over(lab) is LeaseEnd.HOST_SILENT


def test_a_cable_pulled_out_locks_within_half_a_second() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.to_board = lambda _: b""
    pulled_ms = lab.now_ms
    lab.run(600)
    assert lab.locked_at_ms is not None
    assert lab.locked_at_ms - pulled_ms <= 500


def test_the_lease_ends_at_its_ttl() -> None:
    lab = Lab().connect()
    ordered_ms = lab.now_ms
    lab.unlock(ttl_ms=3000)
    lab.run(4000)
    assert lab.locked_at_ms is not None
    assert 2990 <= lab.locked_at_ms - ordered_ms <= 3020
    assert lease_over(lab) is LeaseEnd.EXPIRED


def test_no_ttl_is_longer_than_ten_seconds() -> None:
    lab = Lab().connect()
    ordered_ms = lab.now_ms
    lab.unlock(ttl_ms=60_000)
    lab.run(12_000)
    assert lab.locked_at_ms is not None
    assert lab.locked_at_ms - ordered_ms <= 10_020


def test_the_first_opening_of_the_door_ends_the_drive() -> None:
    lab = Lab().connect()
    lab.unlock()
    assert lab.world.pull()
    lab.run(10)
    assert not lab.board.driven
    lab.run(100)
    assert lease_over(lab) is LeaseEnd.OPENED


def test_a_door_shut_again_is_locked_by_its_latch_although_the_ttl_still_runs() -> None:
    lab = Lab().connect()
    lab.unlock(ttl_ms=10_000)
    lab.world.pull()
    lab.run(500)
    lab.world.shut()
    lab.run(100)
    assert not lab.world.pull()


def test_lock_ends_the_lease() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.order(Lock())
    lab.run(50)
    assert not lab.board.driven
    assert lease_over(lab) is LeaseEnd.LOCK_ORDER


def test_unlock_is_refused_while_the_door_is_open() -> None:
    lab = Lab()
    lab.world.force()
    lab.board.reset(0)
    lab.connect()
    lab.order(Unlock(VISIT, 5000))
    lab.run(50)
    assert UnlockResult(VISIT, Answer.DOOR_OPEN) in lab.answers
    assert not lab.board.driven


def test_another_visit_is_refused_while_one_holds_the_lease() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.order(Unlock(bytes(16), 5000))
    lab.run(50)
    assert UnlockResult(bytes(16), Answer.BUSY) in lab.answers


def test_the_same_unlock_again_prolongs_nothing() -> None:
    lab = Lab().connect()
    ordered_ms = lab.now_ms
    lab.unlock(ttl_ms=2000)
    lab.run(1000)
    lab.order(Unlock(VISIT, 2000))
    lab.run(1500)
    assert lab.locked_at_ms is not None
    assert lab.locked_at_ms - ordered_ms <= 2020


def test_an_unlock_for_no_time_is_refused() -> None:
    lab = Lab().connect()
    lab.order(Unlock(VISIT, 0))
    lab.run(50)
    assert UnlockResult(VISIT, Answer.BAD_TTL) in lab.answers


def test_ten_bad_frames_within_a_second_revoke_the_lease() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.board.receive((b"noise" + END) * 9, lab.now_ms)
    assert lab.board.driven
    lab.board.receive(b"noise" + END, lab.now_ms)
    assert not lab.board.driven
    lab.run(50)
    assert lease_over(lab) is LeaseEnd.FAULT
    assert lab.said(h.FaultRaised) == [h.FaultRaised(FaultCode.NOISY_WIRE)]


def test_bad_frames_far_apart_revoke_nothing() -> None:
    lab = Lab().connect()
    lab.unlock(ttl_ms=10_000)
    for _ in range(15):
        lab.board.receive(b"noise" + END, lab.now_ms)
        lab.run(150)
    assert lab.board.driven


def test_a_reset_locks_at_once_and_gets_a_new_boot_id() -> None:
    lab = Lab().connect()
    lab.unlock()
    before = lab.board.boot_id
    lab.board.reset(lab.now_ms)
    assert not lab.board.driven
    assert lab.board.boot_id != before


def test_an_open_door_is_told_at_once_and_a_shut_one_after_300_ms() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.world.pull()
    lab.run(10)
    assert lab.board.door_open
    lab.world.shut()
    lab.run(300)
    assert lab.board.door_open
    lab.run(20)
    assert not lab.board.door_open


def test_a_door_that_bounces_is_not_taken_for_shut() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.world.jammed = True  # so that it can bounce
    lab.world.pull()
    for _ in range(5):
        lab.world.shut()
        lab.run(250)
        assert lab.world.pull()
        lab.run(20)
    assert [change.open for change in lab.said(h.DoorChanged) if isinstance(change, h.DoorChanged)] == [True]


def test_a_door_with_its_bolt_stuck_out_never_counts_as_shut_and_is_a_fault_within_a_second() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.world.pull()
    lab.run(100)
    lab.world.jammed = True
    lab.world.shut()
    lab.run(1000)
    assert lab.board.door_open
    assert lab.said(h.FaultRaised) == [h.FaultRaised(FaultCode.NOT_LATCHED)]


def test_a_bolt_that_comes_home_after_all_is_no_fault_any_more() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.world.pull()
    lab.world.jammed = True
    lab.run(100)
    lab.world.shut()
    lab.run(1500)
    lab.world.jammed = False
    lab.run(500)
    lab.order(StatusRequest())
    lab.run(50)
    last = lab.answers[-1]
    assert isinstance(last, Status)
    assert (last.door_open, last.bolt_locked, last.faults) == (False, True, 0)


def test_a_forced_door_is_a_fault_and_no_unlock_follows_it() -> None:
    lab = Lab().connect()
    lab.world.force()
    lab.run(100)
    assert lab.said(h.FaultRaised) == [h.FaultRaised(FaultCode.DOOR_FORCED)]
    lab.world.shut()
    lab.run(1000)
    lab.order(Unlock(VISIT, 5000))
    lab.run(50)
    assert UnlockResult(VISIT, Answer.FAULT) in lab.answers


def test_a_cleared_fault_lets_the_technician_in() -> None:
    lab = Lab().connect()
    lab.world.force()
    lab.run(100)
    lab.world.shut()
    lab.run(1000)
    lab.order(ClearFaults())
    lab.order(Unlock(VISIT, 5000))
    lab.run(50)
    assert UnlockResult(VISIT, Answer.OK) in lab.answers


def test_a_locked_door_does_not_open_when_pulled() -> None:
    lab = Lab().connect()
    assert not lab.world.pull()
    assert lab.said(h.DoorChanged) == []


def test_an_ordinary_visit_raises_no_fault() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.world.pull()
    lab.run(3000)
    lab.world.shut()
    lab.run(2000)
    assert lab.said(h.FaultRaised) == []


@pytest.mark.parametrize("protocol", [0, 2])
def test_a_board_of_another_protocol_does_not_unlock(protocol: int) -> None:
    lab = Lab(chip=Chip(protocol=protocol))
    lab.board.receive(lab.host.link.data_to_send(), 0)
    lab.board._obey(Unlock(VISIT, 5000).to_bytes())
    assert not lab.board.driven
