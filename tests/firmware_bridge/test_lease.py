"""The lease rule between the host's own side and the firmware, in the simulated cabinet, on virtual time."""

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.codes import Answer, FaultCode, LeaseEnd
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.frames import END
from firmware_bridge.messages import (
    Challenge,
    ChallengeRequest,
    ClearFaults,
    Lock,
    Status,
    StatusRequest,
    Unlock,
    UnlockResult,
)
from firmware_bridge.signing import unlock_mac
from tests.firmware_bridge.firmware.bench import BEAT_MS, BOARD_ID, OTHER_VISIT, VISIT
from tests.firmware_bridge.meeting import Meeting

SILENCE_MS = 500
LONGEST_MS = 10_000


def met() -> Meeting:
    return Meeting().connect()


def asked(meeting: Meeting, visit: bytes = VISIT, ttl_ms: int = 5000) -> Answer:
    """What a signed unlock is answered."""
    meeting.beating = True
    known = len(meeting.answers)
    meeting.tell(ChallengeRequest())
    meeting.until(lambda: any(isinstance(answer, Challenge) for answer in meeting.answers[known:]))
    challenge = next(answer for answer in meeting.answers[known:] if isinstance(answer, Challenge))
    meeting.tell(Unlock(visit, ttl_ms, unlock_mac(TEST_KEY, BOARD_ID, challenge.nonce, visit, ttl_ms)))
    meeting.until(lambda: any(isinstance(answer, UnlockResult) for answer in meeting.answers[known:]))
    return next(answer.answer for answer in meeting.answers[known:] if isinstance(answer, UnlockResult))


def over(meeting: Meeting) -> LeaseEnd:
    (ended,) = meeting.said_to_host(h.LeaseOver)
    assert ended.visit == VISIT
    return ended.reason


def locked_after_ms(meeting: Meeting, since_ms: int) -> int:
    """How long after `since_ms` of the board's uptime the relay opened."""
    assert meeting.locked_ms is not None
    return meeting.locked_ms - since_ms


def status(meeting: Meeting) -> Status:
    meeting.tell(StatusRequest())
    known = len(meeting.answers)
    meeting.until(lambda: any(isinstance(answer, Status) for answer in meeting.answers[known:]))
    return next(answer for answer in meeting.answers[known:] if isinstance(answer, Status))


def test_a_signed_unlock_draws_the_bolt() -> None:
    meeting = met()
    meeting.visit()
    assert not meeting.world.bolt_in_strike


@pytest.mark.parametrize("after_beat_ms", range(0, BEAT_MS, 29))
def test_a_host_that_dies_at_any_moment_finds_the_lock_locked_within_half_a_second(after_beat_ms: int) -> None:
    meeting = met()
    meeting.visit(ttl_ms=LONGEST_MS)
    while meeting.now_ms % BEAT_MS != after_beat_ms:
        meeting.run(1)
    meeting.beating = False
    meeting.host = None
    died_ms = meeting.uptime_ms
    meeting.run(1000)
    assert 0 < locked_after_ms(meeting, died_ms) <= SILENCE_MS
    assert meeting.coil_went_ms is not None
    assert meeting.coil_went_ms - died_ms <= SILENCE_MS
    assert meeting.world.bolt_in_strike


def test_a_host_whose_machine_stalls_is_told_that_it_was_silent() -> None:
    meeting = met()
    meeting.visit()
    meeting.beating = False
    meeting.run(600)
    assert over(meeting) is LeaseEnd.HOST_SILENT


def test_a_cable_pulled_out_locks_within_half_a_second() -> None:
    meeting = met()
    meeting.visit()
    meeting.to_board.damage = lambda _: b""
    pulled_ms = meeting.uptime_ms
    meeting.run(600)
    assert locked_after_ms(meeting, pulled_ms) <= SILENCE_MS


@pytest.mark.parametrize("ttl_ms", [400, 3000, LONGEST_MS])
def test_the_lease_ends_at_its_ttl_in_spite_of_heartbeats(ttl_ms: int) -> None:
    meeting = met()
    ordered_ms = meeting.uptime_ms
    meeting.visit(ttl_ms=ttl_ms)
    meeting.run(ttl_ms + 100)
    assert ttl_ms - 30 <= locked_after_ms(meeting, ordered_ms) <= ttl_ms + 10
    assert over(meeting) is LeaseEnd.EXPIRED


def test_no_ttl_is_longer_than_ten_seconds() -> None:
    meeting = met()
    ordered_ms = meeting.uptime_ms
    meeting.visit(ttl_ms=60_000)
    meeting.run(12_000)
    assert locked_after_ms(meeting, ordered_ms) <= LONGEST_MS + 10


def test_the_first_opening_of_the_door_ends_the_drive_at_once() -> None:
    meeting = met()
    meeting.visit()
    assert meeting.world.pull()
    pulled_ms = meeting.uptime_ms
    meeting.run(100)
    assert locked_after_ms(meeting, pulled_ms) <= 1
    assert over(meeting) is LeaseEnd.OPENED


def test_a_door_edge_is_told_before_the_end_of_its_lease() -> None:
    meeting = met()
    meeting.visit()
    meeting.world.pull()
    meeting.run(100)
    told = [type(happening) for happening in meeting.heard]
    assert told.index(h.DoorChanged) < told.index(h.LeaseOver)


def test_a_door_shut_again_is_locked_by_its_latch_although_the_ttl_still_runs() -> None:
    meeting = met()
    meeting.visit(ttl_ms=LONGEST_MS)
    meeting.world.pull()
    meeting.run(500)
    meeting.world.shut()
    meeting.run(100)
    assert not meeting.world.pull()


def test_lock_ends_the_lease() -> None:
    meeting = met()
    meeting.visit()
    meeting.tell(Lock())
    ordered_ms = meeting.uptime_ms
    meeting.run(50)
    assert locked_after_ms(meeting, ordered_ms) <= 5
    assert over(meeting) is LeaseEnd.LOCK_ORDER


def test_a_new_session_locks_what_the_one_before_had_unlocked() -> None:
    meeting = met()
    meeting.visit()
    meeting.connect()
    meeting.run(50)
    assert not meeting.board.relay


def test_unlock_is_refused_while_the_door_is_open() -> None:
    meeting = met()
    meeting.world.force()
    meeting.run(20)
    assert asked(meeting) is Answer.DOOR_OPEN


def test_another_visit_is_refused_while_one_holds_the_lease() -> None:
    meeting = met()
    meeting.visit()
    assert asked(meeting, OTHER_VISIT) is Answer.BUSY


def test_the_same_visit_asked_again_is_answered_ok_and_prolongs_nothing() -> None:
    meeting = met()
    ordered_ms = meeting.uptime_ms
    meeting.visit(ttl_ms=2000)
    meeting.run(1000)
    assert asked(meeting, ttl_ms=2000) is Answer.OK
    meeting.run(1500)
    assert locked_after_ms(meeting, ordered_ms) <= 2010


def test_an_unlock_for_no_time_is_refused() -> None:
    assert asked(met(), ttl_ms=0) is Answer.BAD_TTL


def test_ten_bad_frames_within_a_second_revoke_the_lease() -> None:
    meeting = met()
    meeting.visit()
    meeting.board.receive((b"noise" + END) * 9, meeting.now_ms)
    assert meeting.board.relay
    meeting.board.receive(b"noise" + END, meeting.now_ms)
    assert not meeting.board.relay
    meeting.run(50)
    assert over(meeting) is LeaseEnd.FAULT
    assert [fault.code for fault in meeting.said_to_host(h.FaultRaised)] == [FaultCode.NOISY_WIRE]


def test_bad_frames_far_apart_revoke_nothing() -> None:
    meeting = met()
    meeting.visit(ttl_ms=LONGEST_MS)
    for _ in range(15):
        meeting.board.receive(b"noise" + END, meeting.now_ms)
        meeting.run(150)
    assert meeting.board.relay


def test_a_reset_locks_at_once() -> None:
    meeting = met()
    meeting.visit()
    meeting.host = None
    meeting.power_on()
    assert not meeting.world.coil
    meeting.run(100)
    assert meeting.world.bolt_in_strike


def test_a_forced_door_is_a_fault_that_no_unlock_follows_until_a_person_has_looked() -> None:
    meeting = met()
    meeting.world.force()
    meeting.run(100)
    assert [fault.code for fault in meeting.said_to_host(h.FaultRaised)] == [FaultCode.DOOR_FORCED]
    meeting.world.shut()
    meeting.run(1000)
    assert asked(meeting) is Answer.FAULT
    meeting.tell(ClearFaults())
    assert asked(meeting) is Answer.OK


def test_an_ordinary_visit_raises_no_fault_and_leaves_the_door_shut() -> None:
    meeting = met()
    meeting.visit()
    meeting.world.pull()
    meeting.run(3000)
    meeting.world.shut()
    meeting.run(2000)
    assert meeting.said_to_host(h.FaultRaised) == []
    last = status(meeting)
    assert (last.door_open, last.bolt_locked, last.lock_driven, last.faults) == (False, True, False, 0)
    assert [change.open for change in meeting.said_to_host(h.DoorChanged)] == [True, False]
