"""The host's link against the board's own, over wires of four kinds."""

import random
from collections.abc import Callable

import pytest

from firmware_bridge.emulator.wire import BoardLink, crc16
from firmware_bridge.errors import BridgeError, LinkDown, WrongProtocol
from firmware_bridge.frames import Frame, Kind
from firmware_bridge.link import MAX_TRIES, MAX_WAITING, OPEN_MAX_TRIES, Link
from tests.firmware_bridge.lab import Damage

ORDERS = [f"order {n}".encode() for n in range(300)]  # more than one lap of seq
NEWS = [f"news {n}".encode() for n in range(300)]


def clean() -> Damage:
    return lambda data: data


def lossy() -> Damage:
    """Two of ten writes vanish."""
    dice = random.Random(1)
    return lambda data: b"" if dice.random() < 0.2 else data


def noisy() -> Damage:
    """One of a hundred bits comes over turned."""
    dice = random.Random(2)

    def flip(data: bytes) -> bytes:
        masks = (sum((dice.random() < 0.01) << bit for bit in range(8)) for _ in data)
        return bytes(byte ^ mask for byte, mask in zip(data, masks, strict=True))

    return flip


class Wire:
    """Both links on virtual time.  `piece`: so many bytes arrive at once (0: all)."""

    def __init__(self, damage: Callable[[], Damage], piece: int = 0) -> None:
        self.host = Link(max_tries=500)  # so that only the wire's damage is judged
        self.board = BoardLink()
        self.to_board, self.to_host, self.piece = damage(), damage(), piece
        self.now_ms = 0
        self.at_board: list[bytes] = []
        self.at_host: list[bytes] = []
        self.host.open(b"hello", 0.0)

    def run(self, until: Callable[[], bool], bound_ms: int = 3_000_000) -> None:
        while not until():
            self.now_ms += 10
            assert self.now_ms < bound_ms
            self.board.step(self.now_ms)
            now_s = self.now_ms / 1000
            if self.host.deadline_s is not None and now_s >= self.host.deadline_s:
                self.host.deadline_reached(now_s)
            self.exchange()

    def deliver(self, order: bytes) -> None:
        ticket = self.host.send(order, self.now_ms / 1000)
        self.run(lambda: self.host.acknowledged == ticket)

    def exchange(self) -> None:
        for piece in self.pieces(self.to_board(self.host.data_to_send())):
            self.at_board += self.board.receive(piece, self.now_ms)
        for piece in self.pieces(self.to_host(self.board.data_to_send())):
            self.host.receive(piece, self.now_ms / 1000)
            self.at_host += self.host.messages()

    def pieces(self, data: bytes) -> list[bytes]:
        size = self.piece or len(data) or 1
        return [data[i : i + size] for i in range(0, len(data), size)]


WIRES = pytest.mark.parametrize(
    ("damage", "piece"),
    [
        pytest.param(clean, 0, id="clean"),
        pytest.param(clean, 1, id="byte by byte"),
        pytest.param(lossy, 0, id="20 % of writes lost"),
        pytest.param(noisy, 0, id="1 % of bits turned"),
    ],
)


@WIRES
def test_every_order_arrives_once_and_in_order(damage: Callable[[], Damage], piece: int) -> None:
    wire = Wire(damage, piece)
    for order in ORDERS:
        wire.deliver(order)
    assert wire.at_board == [b"hello", *ORDERS]


@WIRES
def test_everything_the_board_must_tell_arrives_once_and_in_order(
    damage: Callable[[], Damage], piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_bridge.emulator.wire.MAX_TRIES", 500)
    monkeypatch.setattr("firmware_bridge.emulator.wire.MAX_WAITING", 300)
    wire = Wire(damage, piece)
    wire.run(lambda: wire.host.is_open)
    for news in NEWS:
        wire.board.send(news, wire.now_ms)
    wire.run(lambda: len(wire.at_host) >= len(NEWS))
    assert wire.at_host == NEWS


@WIRES
def test_what_a_stream_lost_is_counted_exactly(damage: Callable[[], Damage], piece: int) -> None:
    wire = Wire(damage, piece)
    wire.run(lambda: wire.host.is_open)
    for news in NEWS:
        wire.board.stream(news)
        wire.exchange()
    heard = wire.at_host
    assert heard == sorted(heard, key=NEWS.index)
    assert len(heard) == len(set(heard))
    between = NEWS[NEWS.index(heard[0]) : NEWS.index(heard[-1]) + 1]  # what is lost at the ends, nobody can know
    assert wire.host.stream_lost == len(between) - len(heard)


def test_the_board_counts_the_heartbeats_it_lost() -> None:
    wire = Wire(lossy)
    wire.run(lambda: wire.host.is_open)
    wire.at_board.clear()
    for beat in NEWS:
        wire.host.stream(beat)
        wire.exchange()
    between = NEWS[NEWS.index(wire.at_board[0]) : NEWS.index(wire.at_board[-1]) + 1]
    assert 0 < wire.board.lost_frames == len(between) - len(wire.at_board)


def test_a_cut_wire_is_reported_after_the_last_try() -> None:
    wire = Wire(clean)
    wire.host = Link()
    wire.host.open(b"again", 0.0)
    wire.run(lambda: wire.host.is_open)
    wire.to_board = lambda _: b""
    wire.host.send(b"unlock", wire.now_ms / 1000)
    with pytest.raises(LinkDown, match=f"no ack for DATA after {MAX_TRIES} tries"):
        wire.run(lambda: False)


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
    wire = Wire(clean)
    wire.host.send(b"one", 0.0)
    wire.run(lambda: wire.host.acknowledged == 1)
    wire.host.open(b"hello again", wire.now_ms / 1000)
    wire.host.send(b"two", wire.now_ms / 1000)
    wire.run(lambda: wire.host.acknowledged == 1)
    assert wire.at_board == [b"hello", b"one", b"hello again", b"two"]


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
