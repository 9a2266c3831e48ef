"""The board's end of the wire: frames of its own making, what goes first, and bounds whatever comes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge import frames
from firmware_bridge.firmware import wire
from firmware_bridge.firmware.wire import (
    ACK,
    DATA,
    MAX_PAYLOAD,
    MAX_STREAMS,
    MAX_TRIES,
    MAX_WAITING,
    OPEN,
    RETRY_AFTER_MS,
    STREAM,
    BoardLink,
    decode_frame,
    encode_frame,
)

HELLO = b"\x01\x02hostside"
PAYLOADS = st.binary(max_size=MAX_PAYLOAD)


def opened() -> BoardLink:
    """A link in a session, whose OPEN is acknowledged."""
    link = BoardLink()
    link.receive(encode_frame(OPEN, 0, HELLO), 0)
    link.data_to_send()
    return link


def sent(data: bytes) -> list[tuple[int, int, bytes]]:
    """The frames of what a link gave."""
    assert data.endswith(b"\0")
    frames_sent = [decode_frame(coded) for coded in data[:-1].split(b"\0")]
    assert None not in frames_sent
    return [frame for frame in frames_sent if frame is not None]


def test_the_crc_has_the_published_check_value() -> None:
    assert wire.crc16(b"123456789?", 9) == 0x29B1  # type: ignore[attr-defined]  # it has two homes


@given(st.integers(0, 3), st.integers(0, 255), PAYLOADS)
def test_a_frame_comes_back_as_it_was(kind: int, seq: int, payload: bytes) -> None:
    frame = encode_frame(kind, seq, payload)
    assert frame.index(0) == len(frame) - 1 <= 247
    assert decode_frame(frame[:-1]) == (kind, seq, payload)


@given(st.integers(0, 3), st.integers(0, 255), PAYLOADS)
def test_both_sides_write_the_same_frame(kind: int, seq: int, payload: bytes) -> None:
    assert encode_frame(kind, seq, payload) == frames.Frame(frames.Kind(kind), seq, payload).to_bytes()


@settings(derandomize=True)  # a coded length turned is a damage no CRC of 16 bits finds every time
@given(st.integers(0, 3), PAYLOADS, st.integers(0))
def test_no_frame_with_one_bit_turned_is_taken(kind: int, payload: bytes, where: int) -> None:
    frame = bytearray(encode_frame(kind, 7, payload)[:-1])
    where %= 8 * len(frame)
    frame[where // 8] ^= 1 << where % 8
    if 0 not in frame:
        assert decode_frame(bytes(frame)) is None


@given(st.lists(st.binary(max_size=400), max_size=12))
def test_no_bytes_raise_or_pile_up(pieces: list[bytes]) -> None:
    link = opened()
    for piece in pieces:
        link.receive(piece, 0)
    assert len(link._tail) <= 247


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 255), PAYLOADS), max_size=30))
def test_no_frames_raise_or_pile_up(frames_in: list[tuple[int, int, bytes]]) -> None:
    link = BoardLink()
    for now_ms, frame in enumerate(frames_in):
        for _ in link.receive(encode_frame(*frame), now_ms):
            link.send(b"answer", now_ms)
    assert link.waiting <= MAX_WAITING + 1
    assert len(link.data_to_send(1 << 20)) <= 3 * 248


@given(st.lists(PAYLOADS, min_size=1, max_size=8), st.integers(0, 10_000))
def test_any_split_of_the_stream_gives_the_same_payloads(payloads: list[bytes], seed: int) -> None:
    stream = b"".join(encode_frame(STREAM, n, payload) for n, payload in enumerate(payloads))
    dice, link, heard, at = random.Random(seed), opened(), [], 0
    while at < len(stream):
        end = at + dice.randint(1, 40)
        heard += link.receive(stream[at:end], 0)
        at = end
    assert heard == payloads
    assert link.bad_frames == 0


def test_a_run_too_long_for_a_frame_counts_once_and_ends_at_the_next_zero() -> None:
    link = opened()
    for _ in range(10):
        link.receive(b"\x55" * 100, 0)
    assert link.bad_frames == 1
    assert link.receive(b"\0" + encode_frame(STREAM, 0, b"beat"), 0) == [b"beat"]
    assert link.bad_frames == 1


def test_an_empty_frame_is_nothing() -> None:
    link = opened()
    assert link.receive(b"\0\0\0", 0) == []
    assert link.bad_frames == 0


@pytest.mark.parametrize("room", [1, 7, 34, 248])
def test_it_gives_no_more_than_there_is_room_for_and_loses_nothing(room: int) -> None:
    link = opened()
    link.send(b"door" * 20, 0)
    for n in range(5):
        link.stream(bytes([n]) * 50)
    out = b""
    while link.has_data:
        piece = link.data_to_send(room)
        assert 0 < len(piece) <= room
        out += piece
    assert [payload for _, _, payload in sent(out)] == [b"door" * 20, *(bytes([n]) * 50 for n in range(5))]


def test_a_door_waits_for_no_more_than_the_frame_begun() -> None:
    link = opened()
    for _ in range(20):
        link.stream(b"masses" * 8)
    begun = link.data_to_send(10)
    link.send(b"door", 0)
    rest = sent(begun + link.data_to_send(1 << 16))
    assert [kind for kind, _, _ in rest[:3]] == [STREAM, DATA, STREAM]


def test_an_acknowledgement_goes_before_a_message_and_both_before_the_streams() -> None:
    link = opened()
    link.stream(b"masses")
    link.send(b"door", 0)
    link.receive(encode_frame(DATA, 1, b"order"), 0)
    assert [kind for kind, _, _ in sent(link.data_to_send())] == [ACK, DATA, STREAM]


def test_the_oldest_stream_frame_gives_way_and_its_number_shows_as_lost() -> None:
    link = opened()
    for n in range(MAX_STREAMS + 5):
        link.stream(bytes([n]))
    frames_sent = sent(link.data_to_send(1 << 16))
    assert [(seq, payload[0]) for _, seq, payload in frames_sent] == [(n, n) for n in range(5, MAX_STREAMS + 5)]


def test_stream_numbers_wrap_and_go_on() -> None:
    link, seqs = opened(), []
    for _ in range(600):
        link.stream(b"x")
        seqs += [seq for _, seq, _ in sent(link.data_to_send())]
    assert seqs == [n % 256 for n in range(600)]


def test_a_message_is_repeated_until_it_is_acknowledged() -> None:
    link = opened()
    link.send(b"door", 0)
    assert sent(link.data_to_send()) == [(DATA, 0, b"door")]
    link.step(RETRY_AFTER_MS - 1)
    assert not link.has_data
    link.step(RETRY_AFTER_MS)
    assert sent(link.data_to_send()) == [(DATA, 0, b"door")]
    link.receive(encode_frame(ACK, 0, b""), 101)
    link.step(1000)
    assert not link.has_data


def test_after_the_last_try_the_session_is_given_up() -> None:
    link = opened()
    link.send(b"door", 0)
    tries = 0
    for now_ms in range(0, 2000, 10):
        link.step(now_ms)
        tries += link.data_to_send().count(b"door")
    assert tries == MAX_TRIES
    assert link.opened_with is None


def test_a_session_whose_host_acknowledges_nothing_is_given_up_rather_than_a_message_dropped() -> None:
    link = opened()
    for _ in range(MAX_WAITING + 2):
        link.send(b"news", 0)
    assert link.opened_with is None
    assert link.waiting == 0


def test_an_order_repeated_is_acknowledged_and_handed_on_once() -> None:
    link = opened()
    order = encode_frame(DATA, 1, b"order")
    assert link.receive(order, 0) == [b"order"]
    assert link.receive(order, 5) == []
    assert sent(link.data_to_send()) == [(ACK, 1, b"")]


def test_an_order_out_of_turn_is_neither_handed_on_nor_acknowledged() -> None:
    link = opened()
    assert link.receive(encode_frame(DATA, 5, b"order"), 0) == []
    assert not link.has_data


def test_a_repeated_hello_is_acknowledged_but_begins_no_second_session() -> None:
    link = opened()
    link.send(b"door", 0)
    link.data_to_send()
    assert link.receive(encode_frame(OPEN, 0, HELLO), 5) == []
    assert sent(link.data_to_send()) == [(ACK, 0, HELLO)]
    assert link.waiting == 1


def test_a_new_session_forgets_queue_numbers_and_streams_of_the_one_before() -> None:
    link = opened()
    link.send(b"old", 0)
    link.stream(b"old")
    other = b"\x01\x02otherone"
    assert link.receive(encode_frame(OPEN, 0, other), 0) == [other]
    link.send(b"new", 0)
    assert sent(link.data_to_send()) == [(ACK, 0, other), (DATA, 0, b"new")]


def test_without_a_session_orders_and_streams_are_ignored_and_messages_forgotten() -> None:
    link = BoardLink()
    assert link.receive(encode_frame(DATA, 1, b"order") + encode_frame(STREAM, 0, b"beat"), 0) == []
    link.send(b"door", 0)
    assert not link.has_data


def test_lost_stream_frames_are_counted() -> None:
    link = opened()
    for seq in (250, 251, 254, 2):
        link.receive(encode_frame(STREAM, seq, b"beat"), 0)
    assert link.lost_frames == 2 + 3
