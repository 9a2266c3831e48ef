"""The host's end of the wire: sessions, giving up, bounds.  What the wire does to both ends is in test_wires."""

import pytest

from firmware_bridge.errors import BridgeError, LinkDown, WrongProtocol
from firmware_bridge.firmware.wire import BoardLink
from firmware_bridge.frames import Frame, Kind
from firmware_bridge.link import MAX_TRIES, MAX_WAITING, OPEN_MAX_TRIES, OPEN_RETRY_S, RETRY_AFTER_S, Link
from tests.firmware_bridge.golden import crc16
from tests.firmware_bridge.wires import Wire, clean, ways


def wire() -> Wire:
    wire = Wire(ways(lambda _: clean()), MAX_TRIES)
    wire.run(lambda: wire.host.is_open)
    return wire


def test_a_cut_wire_is_reported_after_the_last_try() -> None:
    cut = wire()
    cut.to_board.damage = lambda _: b""
    cut.host.send(b"unlock", cut.now_s)
    with pytest.raises(LinkDown, match=f"no ack for DATA after {MAX_TRIES} tries"):
        cut.run(lambda: False, bound_ms=2000)
    assert cut.now_s < 1.0


def test_a_board_that_never_answers_is_asked_twelve_times_in_three_seconds() -> None:
    link = Link()
    link.open(b"hello", 0.0)
    for n in range(1, OPEN_MAX_TRIES):
        assert link.deadline_s == pytest.approx(n * OPEN_RETRY_S)
        link.data_to_send()
        link.deadline_reached(n * OPEN_RETRY_S)
        assert link.data_to_send() == Frame(Kind.OPEN, 0, b"hello").to_bytes()
    with pytest.raises(LinkDown, match=f"no ack for OPEN after {OPEN_MAX_TRIES} tries"):
        link.deadline_reached(3.0)


def test_an_order_is_repeated_byte_for_byte_until_it_is_acknowledged() -> None:
    link = wire().host
    link.send(b"lock", 10.0)
    first = link.data_to_send()
    for n in range(1, MAX_TRIES):
        link.deadline_reached(10.0 + n * RETRY_AFTER_S)
        assert link.data_to_send() == first


def test_up_to_255_streams_lost_in_a_row_are_counted_and_numbers_wrap() -> None:
    link = wire().host
    for seq in (250, 251, 250):
        link.receive(Frame(Kind.STREAM, seq, b"news").to_bytes(), 0.0)
    assert link.stream_lost == 254
    link.receive(Frame(Kind.STREAM, 4, b"news").to_bytes(), 0.0)
    assert link.stream_lost == 254 + 9


def test_a_board_of_another_framing_is_named_as_such() -> None:
    link = Link()
    link.open(b"hello", 0.0)
    crc = crc16(bytes((2, 0, 0, 0))).to_bytes(2, "little")
    link.receive(b"\x02\x02\x01\x01\x03" + crc + b"\x00", 0.0)
    for n in range(1, OPEN_MAX_TRIES):
        link.deadline_reached(n * 0.25)
    with pytest.raises(WrongProtocol, match="framing 2"):
        link.deadline_reached(10.0)


def test_a_late_ack_of_the_session_before_opens_nothing() -> None:
    link = Link()
    link.open(b"hello 2", 0.0)
    link.receive(Frame(Kind.ACK, 0, b"hello 1").to_bytes(), 0.0)
    assert not link.is_open


def test_until_the_session_is_open_nothing_of_the_board_is_heard_or_acknowledged() -> None:
    link = Link()
    link.open(b"hello", 0.0)
    link.data_to_send()
    link.receive(Frame(Kind.DATA, 0, b"old").to_bytes() + Frame(Kind.STREAM, 0, b"old").to_bytes(), 0.0)
    assert (link.messages(), link.data_to_send()) == ([], b"")


def test_a_new_session_forgets_the_numbers_and_the_queue_of_the_old_one() -> None:
    again = wire()
    again.host.send(b"one", again.now_s)
    again.run(lambda: again.host.acknowledged == 1)
    again.to_board.damage = lambda _: b""
    again.host.send(b"never sent", again.now_s)
    again.step()
    again.to_board.damage = clean()
    again.open()
    again.host.send(b"two", again.now_s)
    again.run(lambda: again.host.acknowledged == 1)
    assert again.at_board == [b"hello 1", b"one", b"hello 2", b"two"]


def test_a_repeated_hello_is_acknowledged_but_begins_no_second_session() -> None:
    board = BoardLink()
    hello = Frame(Kind.OPEN, 0, b"hello").to_bytes()
    assert board.receive(hello, 0) == [b"hello"]
    board.data_to_send()
    assert board.receive(hello, 0) == []
    assert board.data_to_send() == Frame(Kind.ACK, 0, b"hello").to_bytes()


def test_orders_do_not_pile_up_without_bound() -> None:
    link = Link()
    link.open(b"hello", 0.0)
    for n in range(MAX_WAITING):
        link.send(bytes([n]), 0.0)
    with pytest.raises(BridgeError, match="waiting"):
        link.send(b"one more", 0.0)
