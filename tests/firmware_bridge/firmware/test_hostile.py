"""Nothing a host sends crashes the board, fills its memory or opens the door."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.firmware import codes as c
from firmware_bridge.firmware.wire import ACK, DATA, OPEN, STREAM, encode_frame
from tests.firmware_bridge.firmware.bench import Bench

BODIES = st.one_of(
    st.binary(max_size=240),
    st.tuples(st.integers(0, 0x20), st.binary(max_size=60)).map(lambda order: bytes((order[0],)) + order[1]),
    st.sampled_from([34, 0, 1, 36, 5, 59, 6, 2]).flatmap(
        lambda length: st.tuples(st.integers(0, 0x12), st.binary(min_size=length, max_size=length)).map(
            lambda order: bytes((order[0],)) + order[1]
        )
    ),
)
HOSTILE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def room_taken(bench: Bench) -> int:
    """What a host could make grow."""
    board = bench.board
    return (
        len(board.link._queue) + len(board.link._streams) + len(board.link._tail) + len(board.report._notes)
        + len(board.faults._untold) + len(board._noise._at_ms) + len(board.link._started)
    )  # fmt: skip


@HOSTILE
@given(st.lists(st.binary(max_size=600), max_size=20))
def test_no_bytes_crash_it(pieces: list[bytes]) -> None:
    bench = Bench().hello()
    for piece in pieces:
        bench.board.receive(piece, bench.now_ms)
        bench.run(11)
    assert room_taken(bench) < 1000
    assert not bench.world.coil


@HOSTILE
@given(st.lists(st.tuples(st.sampled_from([DATA, STREAM, OPEN, ACK]), BODIES), max_size=25), st.booleans())
def test_no_payloads_crash_it_or_open_the_door(orders: list[tuple[int, bytes]], keyed: bool) -> None:  # noqa: FBT001
    bench = Bench(commissioned=keyed).hello()
    for kind, payload in orders:
        seq = bench.board.link._expected_seq if kind == DATA else 0
        bench.board.receive(encode_frame(kind, seq, payload), bench.now_ms)
        bench.run(7)
    bench.hello(nonce=b"lastone!")
    bench.run(300)
    assert room_taken(bench) < 1000
    assert not bench.world.coil
    assert bench.world.bolt_in_strike


def test_a_host_that_only_orders_and_never_listens_fills_no_memory() -> None:
    bench = Bench()
    dice = random.Random(1)
    bench.board.receive(encode_frame(OPEN, 0, b"\x01\x02hostside"), bench.now_ms)
    for n in range(3000):
        order = bytes((dice.choice([c.STATUS_REQUEST, c.CHALLENGE_REQUEST, c.CELL_REQUEST, c.UNLOCK]),))
        order += bytes({c.CELL_REQUEST: 1, c.UNLOCK: 34}.get(order[0], 0))
        bench.board.receive(encode_frame(DATA, (n + 1) & 0xFF, order), bench.now_ms)
        assert room_taken(bench) < 200


def test_any_seq_of_an_acknowledgement_is_borne() -> None:
    bench = Bench().hello()
    for seq in range(256):
        bench.board.receive(encode_frame(ACK, seq, b""), bench.now_ms)
    bench.order(c.STATUS_REQUEST)
    assert bench.all(c.STATUS)
