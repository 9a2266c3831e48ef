"""Five wires, both directions at once, between the host's link and the firmware's own: exactly once, and in order."""

from collections.abc import Callable

import pytest

from firmware_bridge.errors import LinkDown
from firmware_bridge.firmware import wire as firmware
from firmware_bridge.link import MAX_TRIES
from tests.firmware_bridge.wires import Way, Wire, clean, lossy, noisy, ways

ORDERS = [f"order {n}".encode() for n in range(300)]  # more than one lap of seq
NEWS = [f"news {n}".encode() for n in range(300)]
ENOUGH = 500  # tries: only the wire's damage is judged

WIRES = pytest.mark.parametrize(
    "make",
    [
        pytest.param(ways(lambda _: clean()), id="clean"),
        pytest.param(ways(lambda _: clean(), piece=1), id="byte by byte"),
        pytest.param(ways(lossy), id="20 % of frames lost"),
        pytest.param(ways(noisy), id="1 % of bits turned"),
        pytest.param(ways(lambda _: clean(), latest_ms=400), id="up to 0.4 s late, repeats cross acks"),
        pytest.param(ways(lossy, piece=3, latest_ms=150), id="lost, late and in pieces"),
    ],
)


class Talk:
    """Both sides say all they have, as fast as they may."""

    def __init__(self, make: Callable[[], tuple[Way, Way]], max_tries: int) -> None:
        self.wire = Wire(make, max_tries)
        self._orders, self._news = iter(ORDERS), iter(NEWS)
        self._next = next(self._news)
        self.said: list[bytes] = []

    def step(self) -> None:
        wire = self.wire
        if wire.host.waiting < 8 and (order := next(self._orders, None)) is not None:
            wire.host.send(order, wire.now_s)
            self.said.append(order)
        if wire.board.opened_with is not None and wire.board.waiting < 8 and self._next:
            wire.board.send(self._next, wire.now_ms)
            self._next = next(self._news, b"")
        wire.step()

    @property
    def received(self) -> list[bytes]:
        return [payload for payload in self.wire.at_board if not payload.startswith(b"hello")]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware, "MAX_TRIES", ENOUGH)


@WIRES
@pytest.mark.usefixtures("patient")
def test_what_both_sides_say_at_once_arrives_once_and_in_order(make: Callable[[], tuple[Way, Way]]) -> None:
    talk = Talk(make, ENOUGH)
    while len(talk.received) < len(ORDERS) or len(talk.wire.at_host) < len(NEWS):
        talk.step()
        assert talk.wire.now_ms < 3_000_000
    for _ in range(200):  # and nothing comes twice afterwards
        talk.step()
    assert talk.received == ORDERS
    assert talk.wire.at_host == NEWS
    assert talk.wire.host.acknowledged == len(ORDERS)


@pytest.mark.parametrize("seed", range(20))
def test_a_wire_too_noisy_for_a_session_may_lose_the_rest_of_it_but_doubles_and_turns_round_nothing(seed: int) -> None:
    talk = Talk(lambda: (Way(noisy(seed)), Way(noisy(100 + seed))), MAX_TRIES)
    while talk.wire.now_ms < 60_000:
        try:
            talk.step()
        except LinkDown:
            talk.wire.open()
    assert talk.received == sorted(set(talk.received), key=ORDERS.index)
    assert talk.wire.at_host == sorted(set(talk.wire.at_host), key=NEWS.index)


@pytest.mark.parametrize("seed", range(5))
def test_sessions_begun_again_and_again_deliver_everything_to_whoever_repeats_what_was_not_acknowledged(
    seed: int,
) -> None:
    wire = Wire(lambda: (Way(noisy(seed)), Way(noisy(100 + seed))), MAX_TRIES)
    delivered = 0
    while delivered < 40:
        try:
            ticket = wire.host.send(ORDERS[delivered], wire.now_s)
            wire.run(lambda ticket=ticket: wire.host.acknowledged >= ticket)  # type: ignore[misc]  # mypy has no type for it
            delivered += 1
        except LinkDown:
            wire.open()
    received = [payload for payload in wire.at_board if not payload.startswith(b"hello")]
    assert list(dict.fromkeys(received)) == ORDERS[:40]
    assert received == sorted(received, key=ORDERS.index)


@WIRES
def test_what_a_stream_lost_is_counted_exactly_and_the_rest_is_in_order(make: Callable[[], tuple[Way, Way]]) -> None:
    wire = Wire(make, ENOUGH)
    wire.run(lambda: wire.host.is_open)
    for news in NEWS:
        wire.board.stream(news)
        wire.step()
    wire.run(lambda: not wire.board.has_data, bound_ms=5000)
    for _ in range(60):
        wire.step()
    heard = wire.at_host
    assert heard == sorted(set(heard), key=NEWS.index)
    between = NEWS[NEWS.index(heard[0]) : NEWS.index(heard[-1]) + 1]  # what is lost at the ends, nobody can know
    assert wire.host.stream_lost == len(between) - len(heard)


@WIRES
def test_the_board_counts_the_heartbeats_it_lost(make: Callable[[], tuple[Way, Way]]) -> None:
    wire = Wire(make, ENOUGH)
    wire.run(lambda: wire.host.is_open)
    wire.at_board.clear()
    for beat in NEWS[:250]:
        wire.host.stream(beat)
        wire.step()
    for _ in range(60):
        wire.step()
    heard = wire.at_board
    between = NEWS[NEWS.index(heard[0]) : NEWS.index(heard[-1]) + 1]
    assert wire.board.lost_frames == len(between) - len(heard)


def test_streams_that_the_board_drops_for_newer_ones_show_as_lost() -> None:
    wire = Wire(ways(lambda _: clean()), ENOUGH)
    wire.run(lambda: wire.host.is_open)
    wire.board.stream(NEWS[0])
    wire.step()
    for news in NEWS[1:100]:  # at once: the board keeps 32 of them
        wire.board.stream(news)
    wire.step()
    assert wire.at_host == [NEWS[0], *NEWS[68:100]]
    assert wire.host.stream_lost == 67
