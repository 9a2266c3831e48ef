"""The emulated board's wire, watchdog and cable records, on virtual time."""

import pytest

from firmware_bridge.emulator import records
from firmware_bridge.emulator.plug import MOST_ON_THE_WAY, Paced
from firmware_bridge.emulator.watchdog import Patience, Watchdog

LOOKS_EVERY_MS = 13.0  # of a supervisor that has something to do


def excused(patience: Patience, upto_ms: float, *, kept_waiting: bool, pumping: bool = False) -> float:
    """All that is excused of a silence since 0."""
    patience.heard(0.0)
    looks_ms = [n * LOOKS_EVERY_MS for n in range(int(upto_ms / LOOKS_EVERY_MS) + 1)]
    return sum(patience.excused_ms(at_ms, lambda: kept_waiting, pumping=pumping) for at_ms in looks_ms)


def test_a_watchdog_that_was_never_fed_does_not_bite() -> None:
    watchdog = Watchdog()
    assert not watchdog.bites(1e9)
    assert watchdog.next_ms() is None


def test_a_hang_is_bitten_after_a_quarter_of_a_second() -> None:
    watchdog = Watchdog()
    watchdog.feed(1000.0)
    assert not watchdog.bites(1249.0)
    assert watchdog.next_ms() == 1250.0
    assert watchdog.bites(1250.0)


def test_what_is_excused_postpones_the_bite() -> None:
    watchdog = Watchdog()
    watchdog.feed(0.0)
    watchdog.excuse(100.0)
    assert not watchdog.bites(349.0)
    assert watchdog.bites(350.0)


def test_a_silence_without_a_processor_is_excused() -> None:
    assert excused(Patience(), 1300.0, kept_waiting=True) == pytest.approx(1300.0, abs=LOOKS_EVERY_MS)


def test_a_silence_with_a_processor_is_not_excused() -> None:
    assert excused(Patience(), 1300.0, kept_waiting=False) == 0.0


@pytest.mark.parametrize(("pumping", "most_ms"), [(False, 52.0), (True, 13.0)])
def test_a_short_silence_is_looked_into_only_while_edges_are_due(*, pumping: bool, most_ms: float) -> None:
    assert excused(Patience(), most_ms, kept_waiting=True, pumping=pumping) == 0.0
    assert excused(Patience(), most_ms + LOOKS_EVERY_MS, kept_waiting=True, pumping=pumping) > 0.0


def test_time_in_which_the_supervisor_slept_itself_counts_for_little() -> None:
    patience = Patience()
    patience.heard(0.0)
    assert patience.excused_ms(5000.0, lambda: False, pumping=False) == 4950.0


def test_two_looks_within_a_tick_of_the_systems_account_are_one() -> None:
    patience = Patience()
    patience.heard(0.0)
    assert patience.excused_ms(100.0, lambda: True, pumping=False) == 100.0
    assert patience.excused_ms(105.0, lambda: True, pumping=False) == 0.0


def test_bytes_take_their_time_at_a_baud_rate() -> None:
    wire = Paced(115_200)
    wire.push(bytes(range(100)), 1000.0)
    got, at_ms = bytearray(), 1000.0
    while (due_ms := wire.next_ms()) is not None:
        assert wire.due(due_ms - 0.01) == b""
        at_ms = due_ms
        got += wire.due(due_ms)
    assert bytes(got) == bytes(range(100))
    assert at_ms == pytest.approx(1000 + 100 * 10 / 115.2)


def test_what_comes_later_queues_behind_what_is_on_the_way() -> None:
    wire = Paced(9600)
    wire.push(b"a" * 30, 0.0)
    wire.push(b"b", 1.0)
    assert wire.due(31.3) == b"a" * 30
    assert wire.due(32.3) == b"b"


def test_without_a_baud_rate_bytes_are_there_at_once() -> None:
    wire = Paced(0)
    wire.push(b"now", 5.0)
    assert wire.due(5.0) == b"now"
    assert wire.next_ms() is None


def test_a_wire_that_is_forgotten_delivers_nothing() -> None:
    wire = Paced(300)
    wire.push(b"gone", 0.0)
    wire.forget()
    assert wire.due(1e6) == b""


def test_a_wire_holds_only_so_much() -> None:
    wire = Paced(300)
    for _ in range(100):
        wire.push(bytes(4096), 0.0)
    assert len(wire.due(1e9)) <= MOST_ON_THE_WAY


@pytest.mark.parametrize("cut", range(1, 12))
def test_records_come_out_of_any_split_of_the_stream(cut: int) -> None:
    sent = [b"\x01", b"\x02" + bytes(300), b"\x03ab"]
    stream = b"".join(map(records.framed, sent))
    splitter = records.Splitter()
    got = [record for at in range(0, len(stream), cut) for record in splitter.push(stream[at : at + cut])]
    assert got == sent


def test_records_carry_their_fields_there_and_back() -> None:
    assert records.read_samples(records.samples(2**40, [-(2**23), None, 5], 4)) == (2**40, [-(2**23), None, 5], 4)
    assert records.read_inputs(records.inputs(31, 65_520)) == (31, 65_520)
    assert records.read_outputs(records.outputs(7, True, 12, 4, 3, False)) == (7, True, 12, 4, 3, False)  # noqa: FBT003  pins
    assert records.read_sent(records.sent(9, b"xy")) == (9, b"xy")
    assert records.read_placed(records.placed(records.STORED, 8191, b"z")) == (8191, b"z")
