"""What the host makes of the board's words, on virtual time."""

import itertools

import pytest

from firmware_bridge import happenings as h
from firmware_bridge.clock import LAP_MS, WINDOW_S, BoardClock
from firmware_bridge.emulator.firmware import Chip
from firmware_bridge.emulator.world import Signal
from firmware_bridge.errors import LinkDown, WrongProtocol
from firmware_bridge.frames import END, Frame, Kind
from firmware_bridge.messages import FaultCode, LeaseEnd, Mass, Status
from tests.firmware_bridge.lab import STARTED_S, VISIT, Lab


def masses(lab: Lab, zone: int) -> list[h.Masses]:
    return [said for said in lab.heard if isinstance(said, h.Masses) and said.zone_index == zone]


def gaps(lab: Lab) -> list[h.Gap]:
    return [said for said in lab.heard if isinstance(said, h.Gap)]


def test_connected_comes_first_and_says_who_the_board_is_and_how_the_door_stands() -> None:
    lab = Lab(zones=3).connect()
    first = lab.heard[0]
    assert isinstance(first, h.Connected)
    assert (first.hello.zones, first.hello.rate_hz, first.hello.firmware) == (3, 80, "emulator 1")
    assert isinstance(first.status, Status)
    assert (first.status.door_open, first.status.bolt_locked, first.status.lock_driven) == (False, True, False)


def test_every_session_begins_with_the_lock_ordered_locked() -> None:
    lab = Lab().connect()
    lab.unlock()
    again = Lab()
    again.world, again.board, again.now_ms = lab.world, lab.board, lab.now_ms
    again.host = type(lab.host)(b"another!", again.counters, again.now_s)
    again.run(100)
    assert not again.board.driven
    assert isinstance(again.heard[0], h.Connected)
    assert again.said(h.LeaseOver) == [h.LeaseOver(VISIT, LeaseEnd.LOCK_ORDER)]


def test_samples_are_grams_on_the_hosts_clock_without_a_seam() -> None:
    lab = Lab(zones=2)
    lab.world.cells[1].load_g = 505.0
    lab.connect().run(2000)
    batches = masses(lab, 1)
    assert {gram for batch in batches for gram in batch.grams} == {505.0}
    for one, two in itertools.pairwise(batches):
        assert two.at_s - one.at_s == pytest.approx(len(one.grams) / one.hz, abs=0.011)
    assert gaps(lab) == []


def test_a_step_on_the_shelf_is_seen_when_it_happened() -> None:
    lab = Lab(zones=1).connect()
    lab.run(1000)
    put_s = lab.now_s
    lab.world.cells[0].put(330.0, lab.now_ms)
    lab.run(500)
    stamped = [(b.at_s + i / b.hz, g) for b in masses(lab, 0) for i, g in enumerate(b.grams)]
    assert min(at_s for at_s, grams in stamped if grams == 330.0) == pytest.approx(put_s, abs=0.025)


def test_a_dead_cell_is_none_and_never_a_number() -> None:
    lab = Lab(zones=2).connect()
    lab.world.cells[0].dead = True
    lab.run(50)
    lab.heard.clear()
    lab.run(500)
    assert {gram for batch in masses(lab, 0)[1:] for gram in batch.grams} == {None}
    assert None not in {gram for batch in masses(lab, 1) for gram in batch.grams}


def test_lost_samples_are_a_gap_of_their_length_and_are_not_invented() -> None:
    lab = Lab(zones=1).connect()
    lab.run(300)
    lab.to_host = lambda _: b""
    lab.run(300)  # three batches of 100 ms
    lab.to_host = lambda data: data
    lab.run(300)
    assert gaps(lab) == [h.Gap(0.3, "mass zone 0")]
    stamps = [batch.at_s for batch in masses(lab, 0)]
    assert max(b - a for a, b in itertools.pairwise(stamps)) == pytest.approx(0.4, abs=0.011)
    assert (lab.counters.gaps, lab.counters.stream_lost >= 3) == (1, True)


def test_the_boards_clock_may_wrap_in_the_middle_of_a_visit() -> None:
    lab = Lab(zones=1, chip=Chip(uptime_ms=LAP_MS - 1000)).connect()
    lab.unlock()
    lab.run(1500)
    lab.world.pull()
    opened_s = lab.now_s
    lab.run(1000)
    (door,) = lab.said(h.DoorChanged)
    assert isinstance(door, h.DoorChanged)
    assert door.at_s == pytest.approx(opened_s, abs=0.02)
    assert gaps(lab) == []


def test_a_closing_is_dated_before_its_debounce() -> None:
    lab = Lab().connect()
    lab.unlock()
    lab.world.pull()
    lab.run(1000)
    shut_s = lab.now_s
    lab.world.shut()
    lab.run(1000)
    closed = lab.said(h.DoorChanged)[-1]
    assert isinstance(closed, h.DoorChanged)
    assert not closed.open
    assert closed.at_s == pytest.approx(shut_s, abs=0.02)


def test_a_forced_door_reaches_the_host_as_door_and_fault() -> None:
    lab = Lab().connect()
    lab.world.force()
    lab.run(200)
    assert lab.said(h.FaultRaised) == [h.FaultRaised(FaultCode.DOOR_FORCED)]
    assert len(lab.said(h.DoorChanged)) == 1


def test_a_board_that_falls_silent_is_given_up_within_two_seconds() -> None:
    lab = Lab().connect()
    lab.to_host = lambda _: b""
    with pytest.raises(LinkDown, match="fell silent"):
        lab.run(2000)


def test_a_board_that_rebooted_is_noticed_by_its_boot_id() -> None:
    lab = Lab().connect()
    lab.board.reset(lab.now_ms)
    with pytest.raises(LinkDown, match="rebooted"):
        lab.run(600)


def test_a_board_that_lost_the_session_is_noticed() -> None:
    lab = Lab().connect()
    lab.board.link.opened_with = None
    with pytest.raises(LinkDown, match="lost the session"):
        lab.run(600)


def test_another_protocol_is_refused_and_both_versions_named() -> None:
    lab = Lab(chip=Chip(protocol=2))
    with pytest.raises(WrongProtocol) as caught:
        lab.run(200)
    assert (caught.value.ours, caught.value.theirs) == (1, 2)


def test_a_dead_line_ends_the_handshake_in_a_bounded_time() -> None:
    lab = Lab()
    lab.to_host = lambda _: b""
    with pytest.raises(LinkDown, match="no ack for OPEN"):
        lab.run(5100)


def test_garbage_on_the_line_is_counted_and_changes_nothing() -> None:
    lab = Lab().connect()
    lab.host.receive(b"garbage" + END + Frame(Kind.STREAM, 0, b"\x99 no such message").to_bytes(), lab.now_s)
    assert (lab.counters.frames_dropped, lab.counters.messages_refused) == (1, 1)
    lab.unlock()


def test_masses_of_a_zone_the_board_did_not_announce_are_refused() -> None:
    lab = Lab(zones=1).connect()
    lab.heard.clear()
    lab.host.receive(Frame(Kind.STREAM, 0, Mass(0, 5, (1, 2)).to_bytes()).to_bytes(), lab.now_s)
    assert lab.counters.messages_refused == 1
    assert masses(lab, 5) == []


def test_noise_and_hand_and_swing_are_as_ordered() -> None:
    lab = Lab(zones=1, signal=Signal(noise_g=2.0, ring_decay_s=0.1)).connect()
    lab.run(5000)
    quiet = [gram for batch in masses(lab, 0) for gram in batch.grams if gram is not None]
    sigma = (sum(gram * gram for gram in quiet) / len(quiet)) ** 0.5
    assert 1.7 < sigma < 2.3
    lab.heard.clear()
    lab.world.cells[0].put(500.0, lab.now_ms)
    lab.run(2000)
    swung = [gram for batch in masses(lab, 0) for gram in batch.grams if gram is not None]
    assert max(swung) > 600
    assert swung[-1] == pytest.approx(500, abs=8)
    lab.heard.clear()
    lab.world.cells[0].press(300.0, 400.0, lab.now_ms)
    lab.run(1000)
    pressed = [gram for batch in masses(lab, 0) for gram in batch.grams if gram is not None]
    assert max(pressed) == pytest.approx(800, abs=15)
    assert pressed[-1] == pytest.approx(500, abs=8)


def test_the_clock_believes_the_journey_that_waited_least() -> None:
    clock = BoardClock()
    for n, waited_s in enumerate((0.050, 0.004, 0.030, 0.020)):
        clock.observe(1000 * n, STARTED_S + n + waited_s)
    assert clock.host_s(4000) == pytest.approx(STARTED_S + 4 + 0.004)


def test_the_clock_follows_a_board_that_runs_slow() -> None:
    clock = BoardClock()
    for n in range(600):
        clock.observe(round(1000 * n * 0.9999), STARTED_S + n)
    behind_s = STARTED_S + 599 - clock.host_s(round(599_000 * 0.9999))
    assert 0 <= behind_s <= WINDOW_S * 1e-4 + 0.001
