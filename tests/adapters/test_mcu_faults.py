"""Every fault of the board belongs to a part and comes with a remedy; what is raised is known at any moment."""

import pytest

from cabinet.adapters.mcu.faults import HOUSING, LOCK, MEANINGS, PROBE, SCALE, TOLD, FaultBook
from cabinet.units import ZoneId
from firmware_bridge.messages import FaultCode
from tests.support.fake_board import status

F = FaultCode
ZONES = [ZoneId("s1"), None, ZoneId("s3")]
PARTS = {
    LOCK: {F.DOOR_FORCED, F.NOT_LATCHED, F.DOOR_CONTACTS, F.DRIVE_STUCK, F.COIL_DEAD, F.BOLT_STUCK, F.BOLT_SWITCH,
           F.RELAY_WELDED, F.PUMP_SHORTED, F.MEMORY, F.BUDGET},
    HOUSING: {F.HOUSING_OPEN},
    SCALE: {F.CELL_DEAD, F.CELL_STUCK, F.CELL_SATURATED, F.CELL_NOISY},
    PROBE: {F.PROBE_OPEN, F.PROBE_SHORT, F.PROBE_FROZEN},
    TOLD: {F.NOISY_WIRE, F.BROWN_OUT, F.WATCHDOG, F.UNSIGNED_UNLOCKS},
}  # fmt: skip  # a table


def bits(*codes: FaultCode) -> int:
    return sum(1 << code for code in codes)


def lost(book: FaultBook) -> set[str]:
    return {part for part, why in book.parts().items() if why is not None}


@pytest.mark.parametrize("code", list(FaultCode), ids=lambda code: code.name)
def test_every_fault_says_what_it_is_and_what_to_do(code: FaultCode) -> None:
    meaning = MEANINGS[code]
    assert code in PARTS[meaning.part]
    assert meaning.what
    assert meaning.remedy
    assert str(meaning) == f"{meaning.what}: {meaning.remedy}"


@pytest.mark.parametrize("code", list(FaultCode), ids=lambda code: code.name)
def test_a_fault_that_is_raised_loses_its_part_and_no_other_and_gives_it_back(code: FaultCode) -> None:
    book = FaultBook(ZONES)
    book.add(code, 2)
    part = MEANINGS[code].part
    assert lost(book) == {TOLD: set(), SCALE: {"scale:s3"}}.get(part, {part})
    book.drop(code, 2)
    assert lost(book) == set()


def test_what_is_said_once_is_not_held() -> None:
    assert {code for code in FaultCode if MEANINGS[code].part == TOLD} == {code for code in FaultCode if code.told}


def test_a_fault_of_a_channel_without_a_zone_loses_nothing() -> None:
    book = FaultBook(ZONES)
    book.add(F.CELL_DEAD, 1)
    assert lost(book) == set()


def test_a_status_tells_which_channels_have_cell_faults() -> None:
    book = FaultBook(ZONES)
    book.found(status(bits(F.CELL_DEAD, F.MEMORY), cells=0b100))
    assert lost(book) == {"lock", "scale:s3"}


def test_a_status_with_two_kinds_of_cell_fault_keeps_what_was_heard_of_each_channel() -> None:
    book = FaultBook(ZONES)
    book.add(F.CELL_DEAD, 0)
    book.found(status(bits(F.CELL_DEAD, F.CELL_NOISY), cells=0b101))
    assert "spoilt" not in str(book.parts()["scale:s1"])
    assert "sends nothing" in str(book.parts()["scale:s3"])
    assert "spoilt" in str(book.parts()["scale:s3"])


def test_a_status_ends_what_it_does_not_hold() -> None:
    book = FaultBook(ZONES)
    for code in FaultCode:
        book.add(code, 0)
    book.found(status())
    assert lost(book) == set()


def test_what_is_said_once_is_not_taken_from_a_status_either() -> None:
    book = FaultBook(ZONES)
    book.found(status(bits(F.BROWN_OUT, F.UNSIGNED_UNLOCKS)))
    assert lost(book) == set()


@pytest.mark.parametrize("code", sorted(PARTS[LOCK]), ids=lambda code: code.name)
def test_where_lock_and_switches_are_on_pins_the_boards_own_say_nothing(code: FaultCode) -> None:
    book = FaultBook(ZONES, lock=False, switches=False)
    book.add(code, 0)
    assert book.parts()["lock"] is None


def test_where_the_lock_alone_is_on_a_pin_the_switches_still_speak() -> None:
    book = FaultBook(ZONES, lock=False)
    book.found(status(bits(F.DOOR_CONTACTS, F.COIL_DEAD)))
    assert "contradict" in str(book.parts()["lock"])
    assert "draws no current" not in str(book.parts()["lock"])


def test_a_fault_of_a_later_firmware_loses_the_lock_beside_those_that_are_known() -> None:
    book = FaultBook(ZONES)
    book.found(status(bits(F.MEMORY) | 1 << 23))
    why = str(book.parts()["lock"])
    assert "memory fails" in why
    assert "fault 23, which this program does not know" in why
