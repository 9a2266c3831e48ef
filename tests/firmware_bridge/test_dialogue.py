"""What the host makes of the firmware's words, both in the simulated cabinet, on virtual time."""

import itertools
from typing import Any

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.clock import LAP_MS
from firmware_bridge.codes import EntryKind, FaultCode, LeaseEnd
from firmware_bridge.dialogue import MAX_EARLY
from firmware_bridge.errors import LinkDown, WrongProtocol
from firmware_bridge.firmware.fitted_by import Fitted
from firmware_bridge.frames import END, Frame, Kind
from firmware_bridge.messages import (
    Answer,
    ClearFaults,
    Door,
    LeaseEnded,
    Lock,
    Mass,
    StatusRequest,
    Unlock,
    UnlockResult,
)
from tests.firmware_bridge.firmware.bench import BORN_MS, VISIT
from tests.firmware_bridge.meeting import READY_MS, Meeting, masses, quiet
from tests.firmware_bridge.wires import Way, clean, lossy, noisy, ways


def journaled(meeting: Meeting) -> list[int]:
    return [said.entry.index for said in meeting.said_to_host(h.Journaled)]


# How a session begins and ends.


def test_connected_comes_first_and_says_who_the_board_is_and_how_the_door_stands() -> None:
    first = Meeting(Fitted(zones=3)).connect().heard[0]
    assert isinstance(first, h.Connected)
    assert (first.hello.zones, first.hello.rate_hz, first.hello.firmware) == (3, 80, "cabinet-board 1.0.0")
    assert (first.hello.keyed, first.status.door_open, first.status.bolt_locked) == (True, False, True)


def test_every_session_begins_with_the_lock_ordered_locked() -> None:
    meeting = Meeting().connect()
    meeting.visit()
    assert meeting.board.relay
    meeting.begin()
    meeting.run(100)
    assert not meeting.board.relay
    assert meeting.said_to_host(h.LeaseOver) == [h.LeaseOver(VISIT, LeaseEnd.LOCK_ORDER)]


def test_a_board_that_falls_silent_is_given_up_within_two_seconds() -> None:
    meeting = Meeting().connect()
    meeting.run(1000)
    meeting.to_host.damage = lambda _: b""
    with pytest.raises(LinkDown, match="fell silent"):
        meeting.run(2000)


def test_a_board_that_rebooted_is_noticed_by_its_boot_id() -> None:
    meeting = Meeting().connect()
    with pytest.raises(LinkDown, match="rebooted"):
        meeting.power_on()


def test_a_board_that_lost_the_session_is_noticed() -> None:
    meeting = Meeting().connect()
    meeting.board.link.close()
    with pytest.raises(LinkDown, match="lost the session"):
        meeting.run(600)


@pytest.mark.parametrize("protocol", [1, 3])
def test_another_protocol_is_refused_and_both_versions_named(protocol: int) -> None:
    meeting = Meeting(Fitted(zones=1, protocol=protocol))
    meeting.begin()
    with pytest.raises(WrongProtocol) as caught:
        meeting.run(200)
    assert (caught.value.ours, caught.value.theirs) == (2, protocol)


def test_a_dead_line_ends_the_handshake_in_a_bounded_time() -> None:
    meeting = Meeting()
    meeting.to_host.damage = lambda _: b""
    meeting.begin()
    with pytest.raises(LinkDown, match="no ack for OPEN"):
        meeting.run(5100)


def test_a_board_that_talks_without_end_and_never_answers_is_given_up() -> None:
    meeting = Meeting()
    host = meeting.begin()
    meeting.until(lambda: host.hello is not None)
    late = LeaseEnded(VISIT, LeaseEnd.EXPIRED).to_bytes()
    for seq in range(MAX_EARLY + 1):
        host.receive(Frame(Kind.STREAM, seq % 256, late).to_bytes(), meeting.now_s)
    with pytest.raises(LinkDown, match="without end"):
        host.happenings()


def test_garbage_on_the_line_is_counted_and_changes_nothing() -> None:
    meeting = Meeting().connect()
    assert meeting.host is not None
    meeting.host.receive(b"garbage" + END + Frame(Kind.STREAM, 0, b"\x99 no such message").to_bytes(), meeting.now_s)
    assert (meeting.counters.frames_dropped, meeting.counters.messages_refused) == (1, 1)
    meeting.visit()


@pytest.mark.parametrize("message", [Lock(), Mass(5, 0, 0, 12_500, (1, 2))], ids=["our own order", "no such zone"])
def test_what_a_board_would_never_say_is_refused(message: Lock | Mass) -> None:
    meeting = Meeting(Fitted(zones=1)).connect()
    assert meeting.host is not None
    before = meeting.counters.messages_refused
    meeting.host.receive(Frame(Kind.STREAM, 0, message.to_bytes()).to_bytes(), meeting.now_s)
    assert meeting.counters.messages_refused == before + 1
    assert masses(meeting, 5) == []


# The lock and the door.


def test_a_visit_is_told_from_lease_to_closing() -> None:
    meeting = Meeting().connect()
    meeting.visit()
    meeting.world.pull()
    meeting.run(1000)
    meeting.world.shut()
    meeting.run(1000)
    assert meeting.said_to_host(h.LeaseOver) == [h.LeaseOver(VISIT, LeaseEnd.OPENED)]
    assert [change.open for change in meeting.said_to_host(h.DoorChanged)] == [True, False]
    assert [change.locked for change in meeting.said_to_host(h.BoltChanged)] == [False, True]
    assert meeting.said_to_host(h.FaultRaised) == []


@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_door_edges_have_the_hosts_time_and_a_closing_that_before_its_debounce(ppm: float) -> None:
    meeting = Meeting(ppm=ppm).connect()
    meeting.run(30_000)
    meeting.visit()
    meeting.world.pull()
    opened_s = meeting.now_s
    meeting.run(1000)
    meeting.world.shut()
    shut_s = meeting.now_s
    meeting.run(1000)
    told = [change.at_s for change in meeting.said_to_host(h.DoorChanged)]
    assert told == [
        pytest.approx(opened_s, abs=0.012),
        pytest.approx(shut_s, abs=0.012),
    ]  # a tick of 10 ms, and rounding


def test_the_boards_clock_may_wrap_in_the_middle_of_a_visit() -> None:
    meeting = quiet()
    meeting.board.report._booted_ms -= LAP_MS - 5000
    meeting.connect().run(READY_MS)
    meeting.visit()
    meeting.run(3500)
    meeting.world.pull()
    opened_s = meeting.now_s
    meeting.run(2000)
    assert meeting.board.report.uptime(meeting.now_ms) < 10_000
    (door,) = meeting.said_to_host(h.DoorChanged)
    assert door.at_s == pytest.approx(opened_s, abs=0.012)
    assert meeting.said_to_host(h.Gap) == []
    for one, two in itertools.pairwise(masses(meeting)):
        assert two.at_s - one.at_s == pytest.approx(len(one.grams) / one.hz, abs=0.002)


def test_an_unlock_with_a_wrong_mac_is_answered_unsigned() -> None:
    meeting = Meeting().connect()
    meeting.tell(Unlock(VISIT, 5000, bytes(16)))
    meeting.run(50)
    assert UnlockResult(VISIT, Answer.STALE) in meeting.answers


def test_a_fault_is_told_when_it_is_raised_and_when_it_is_gone() -> None:
    meeting = Meeting().connect()
    meeting.world.force()
    forced_s = meeting.now_s
    meeting.run(200)
    meeting.world.shut()
    meeting.run(1000)
    meeting.tell(ClearFaults())
    cleared_s = meeting.now_s
    meeting.run(100)
    (raised,) = meeting.said_to_host(h.FaultRaised)
    assert (raised.code, raised.detail) == (FaultCode.DOOR_FORCED, 0)
    assert raised.at_s == pytest.approx(forced_s, abs=0.1)
    (gone,) = meeting.said_to_host(h.FaultGone)
    assert gone.code is FaultCode.DOOR_FORCED
    assert gone.at_s == pytest.approx(cleared_s, abs=0.1)


def test_a_fault_of_a_cell_names_its_zone() -> None:
    meeting = Meeting(Fitted(zones=3)).connect()
    meeting.run(READY_MS)
    meeting.world.break_part("cell_dead", on=True, zone=2)
    meeting.run(1000)
    assert [(fault.code, fault.detail) for fault in meeting.said_to_host(h.FaultRaised)] == [(FaultCode.CELL_DEAD, 2)]


def test_a_door_edge_before_the_first_status_is_told_by_it_and_not_twice() -> None:
    meeting = Meeting()
    host = meeting.begin()
    meeting.until(lambda: host.hello is not None)
    host.receive(Frame(Kind.STREAM, 0, Door(open=True, t_ms=10).to_bytes()).to_bytes(), meeting.now_s)
    meeting.until(lambda: host.connected)
    assert meeting.said_to_host(h.DoorChanged) == []


# The journal.


def test_the_journal_is_read_at_the_beginning_and_whenever_the_board_has_more() -> None:
    meeting = Meeting().connect()
    meeting.run(READY_MS)
    meeting.visit()
    meeting.world.pull()
    meeting.run(500)
    meeting.world.shut()
    meeting.run(6000)
    told = meeting.said_to_host(h.Journaled)
    assert [one.entry.index for one in told] == [1, 2, 3, 4, 5, 6]
    assert {one.entry.kind for one in told} == {
        *(EntryKind.BOOT, EntryKind.UNLOCK_GRANTED, EntryKind.LEASE_ENDED),
        *(EntryKind.DOOR_OPENED, EntryKind.DOOR_CLOSED, EntryKind.MASSES),
    }


def test_the_journal_goes_on_where_it_was_after_reconnects_and_resets() -> None:
    meeting = Meeting().connect()
    for reset in (False, True, False):
        meeting.run(1000)
        meeting.host = None
        if reset:
            meeting.power_on()
        meeting.world.force()
        meeting.run(500)
        meeting.world.shut()
        meeting.run(5000)
        meeting.connect()
        meeting.tell(ClearFaults())
    meeting.run(3000)
    assert journaled(meeting) == list(range(1, meeting.board.journal.next))
    assert meeting.counters.journal_lost == 0


# Bad wires, everything at once.


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(ways(lambda _: clean()), id="clean"),
        pytest.param(ways(lambda _: clean(), piece=1), id="byte by byte"),
        pytest.param(ways(lossy), id="20 % of frames lost"),
        pytest.param(ways(lambda _: clean(), latest_ms=150), id="late"),
        pytest.param(ways(lossy, piece=3, latest_ms=80), id="lost, late and in pieces"),
    ],
)
def test_over_any_wire_doors_and_journal_are_told_once_and_in_order(make: Any) -> None:
    meeting = quiet(ways=make).connect()
    meeting.until(lambda: masses(meeting) != [])
    zone = meeting.lasting.series._zones[0]
    first = zone.next - sum(len(batch.grams) for batch in masses(meeting))
    meeting.run(READY_MS)
    opened_s: list[float] = []
    for visit in range(3):
        meeting.visit(bytes([visit]) * 16)
        meeting.world.pull()
        opened_s.append(meeting.now_s)
        meeting.run(700)
        meeting.world.shut()
        meeting.run(4500)
    meeting.run(5000)
    doors = meeting.said_to_host(h.DoorChanged)
    assert [door.open for door in doors] == [True, False] * 3
    assert [door.at_s for door in doors if door.open] == [pytest.approx(at_s, abs=0.09) for at_s in opened_s]
    assert journaled(meeting) == list(range(1, meeting.board.journal.next))
    told = sum(len(batch.grams) for batch in masses(meeting))
    assert told + meeting.counters.samples_lost == zone.next - first
    assert zone.next == pytest.approx(80 * (meeting.now_ms - BORN_MS) / 1000, abs=20)


def test_over_a_wire_too_noisy_for_a_session_no_door_is_told_twice_and_none_is_believed_open_that_is_shut() -> None:
    for seed in range(4):
        meeting = quiet(ways=lambda seed=seed: (Way(noisy(seed)), Way(noisy(50 + seed))))
        meeting.begin()
        sessions = 1
        while meeting.now_ms < BORN_MS + 30_000:
            try:
                meeting.run(100)
            except LinkDown:
                sessions += 1
                meeting.begin()
        assert sessions > 1
        assert not meeting.board.relay
        assert meeting.said_to_host(h.DoorChanged) == []
        assert journaled(meeting) == sorted(set(journaled(meeting)))


def test_a_status_asked_for_is_what_the_next_one_tells() -> None:
    meeting = Meeting().connect()
    meeting.world.break_part("housing_open", on=True)
    meeting.run(200)
    meeting.tell(StatusRequest())
    meeting.run(50)
    assert meeting.host is not None
    assert meeting.host.status is not None
    assert meeting.host.status.housing_open
    assert meeting.host.faults >> FaultCode.HOUSING_OPEN & 1
