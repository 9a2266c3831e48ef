"""The classes of faults: latched until a person has looked, held while the cause lasts, told once."""

import pytest

from firmware_bridge.emulator.fram import Fram
from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.faults import BLOCKING, LATCHED, Faults
from firmware_bridge.firmware.journal import Journal
from firmware_bridge.firmware.report import MOST_NOTES, Report
from firmware_bridge.firmware.wire import OPEN, BoardLink, decode_frame, encode_frame

ALL_LATCHED = [code for code in range(c.FAULTS) if LATCHED >> code & 1]


class Desk:
    """Faults, with a link and a journal to tell them to."""

    def __init__(self) -> None:
        self.link, self.journal = BoardLink(), Journal(Fram())
        self.report = Report(self.link, self.journal, 1, 0)
        self.faults = Faults(self.report)
        self.link.receive(encode_frame(OPEN, 0, b"\x01\x02hostside"), 0)
        self.report.in_session = True
        self.link.data_to_send()

    def said(self) -> list[tuple[int, int, int]]:
        """(code, detail, raised) of the Faults since last asked; each acknowledged."""
        said = []
        while data := self.link.data_to_send(1 << 16):
            frame = decode_frame(data[:-1])
            assert frame is not None
            _, seq, payload = frame
            said.append((payload[1], payload[2], payload[3]))
            self.link.receive(encode_frame(1, seq, b""), 0)
        return said

    def noted(self) -> list[tuple[int, int]]:
        """(code, detail) of the journal."""
        self.report.write_down()
        return [(entry[11], entry[12]) for entry in self.journal.read(1, 64) if entry[10] == c.FAULT_RAISED]


def test_the_latched_faults_are_those_of_the_page() -> None:
    assert ALL_LATCHED == [0, 3, 4, 7, 8, 9, 10, 11, 20]


@pytest.mark.parametrize("code", ALL_LATCHED)
def test_a_latched_fault_blocks_and_stays_until_it_is_cleared(code: int) -> None:
    desk = Desk()
    assert desk.faults.latch(1 << code, 10)
    assert not desk.faults.latch(1 << code, 20)
    assert desk.faults.block
    assert desk.said() == [(code, 0, 1)]
    desk.faults.clear(30)
    assert not desk.faults.block
    assert desk.said() == [(code, 0, 0)]


def test_a_bolt_not_latched_blocks_only_while_it_lasts_and_no_clearing_ends_it() -> None:
    desk = Desk()
    desk.faults.hold(c.NOT_LATCHED, lasts=True, now_ms=10)
    desk.faults.clear(20)
    assert desk.faults.block
    desk.faults.hold(c.NOT_LATCHED, lasts=False, now_ms=30)
    assert not desk.faults.block
    assert desk.said() == [(c.NOT_LATCHED, 0, 1), (c.NOT_LATCHED, 0, 0)]


@pytest.mark.parametrize("code", [code for code in range(c.FAULTS) if not BLOCKING >> code & 1])
def test_the_other_faults_do_not_refuse_an_unlock(code: int) -> None:
    desk = Desk()
    desk.faults.hold(code, lasts=True, now_ms=10)
    assert not desk.faults.block


def test_a_fault_that_lasts_is_said_once() -> None:
    desk = Desk()
    for now_ms in range(0, 1000, 10):
        desk.faults.hold(c.PROBE_OPEN, lasts=True, now_ms=now_ms)
    assert desk.said() == [(c.PROBE_OPEN, 0, 1)]


def test_cell_faults_name_their_zones_and_come_and_go_one_by_one() -> None:
    desk = Desk()
    desk.faults.hold_cells([(c.CELL_DEAD, 1), (c.CELL_DEAD, 11), (c.CELL_NOISY, 0)], 10)
    assert desk.said() == [(c.CELL_DEAD, 1, 1), (c.CELL_DEAD, 11, 1), (c.CELL_NOISY, 0, 1)]
    assert desk.faults.cells == 1 << 0 | 1 << 1 | 1 << 11
    assert desk.faults.bits == 1 << c.CELL_DEAD | 1 << c.CELL_NOISY
    desk.faults.hold_cells([(c.CELL_DEAD, 11)], 20)
    assert desk.said() == [(c.CELL_DEAD, 1, 0), (c.CELL_NOISY, 0, 0)]
    assert desk.faults.bits == 1 << c.CELL_DEAD


def test_what_is_told_is_not_held() -> None:
    desk = Desk()
    desk.faults.tell(c.NOISY_WIRE, 10)
    assert desk.said() == [(c.NOISY_WIRE, 0, 1)]
    assert desk.faults.bits == 0


def test_what_could_not_be_told_is_told_once_when_a_session_begins() -> None:
    desk = Desk()
    desk.report.in_session = False
    for now_ms in range(3):
        desk.faults.tell(c.WATCHDOG, now_ms)
    assert desk.said() == []
    desk.faults.session_begins()
    desk.faults.session_begins()
    assert desk.said() == [(c.WATCHDOG, 0, 1)]


def test_what_happened_when_the_session_had_just_been_given_up_is_told_in_the_next() -> None:
    desk = Desk()
    desk.link.close()
    desk.faults.tell(c.NOISY_WIRE, 10)
    desk.link.receive(encode_frame(OPEN, 0, b"\x01\x02otherone"), 20)
    desk.link.data_to_send()
    desk.faults.session_begins()
    assert desk.said() == [(c.NOISY_WIRE, 0, 1)]


def test_the_journal_has_the_same_fault_at_most_once_a_minute() -> None:
    desk = Desk()
    for now_ms in range(0, 130_000, 1000):
        desk.faults.hold(c.HOUSING_OPEN, lasts=True, now_ms=now_ms)
        desk.faults.hold(c.HOUSING_OPEN, lasts=False, now_ms=now_ms + 500)
    assert desk.noted() == [(c.HOUSING_OPEN, 0)] * 3


def test_the_same_fault_of_another_zone_is_another_fault_to_the_journal() -> None:
    desk = Desk()
    desk.faults.hold_cells([(c.CELL_DEAD, 0)], 0)
    desk.faults.hold_cells([(c.CELL_DEAD, 0), (c.CELL_DEAD, 1), (c.CELL_STUCK, 1)], 100)
    assert desk.noted() == [(c.CELL_DEAD, 0), (c.CELL_DEAD, 1), (c.CELL_STUCK, 1)]


def test_notes_that_nobody_writes_down_do_not_pile_up() -> None:
    desk = Desk()
    for n in range(5 * MOST_NOTES):
        desk.report.note(c.DOOR_OPENED, bytes(16), n)
        assert len(desk.report._notes) <= MOST_NOTES
    desk.report.write_down()
    assert desk.journal.next == 5 * MOST_NOTES + 1
