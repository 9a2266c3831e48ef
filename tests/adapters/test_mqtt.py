"""The pipe without a broker; with one: tests/uplink/test_real_broker.py."""

import socket

from paho.mqtt.client import MQTTMessage

from cabinet.adapters.mqtt import MAX_PENDING, Broker, MqttPipe
from cabinet.wire import MAX_PAYLOAD_BYTES

RETRY_S = (1, 30)


def message(payload: bytes) -> MQTTMessage:
    said = MQTTMessage(topic=b"cab/v1/c/up/ev")
    said.payload = payload
    return said


class Loop:
    """As much of an event loop as paho's thread uses: what was called waits until the test runs it."""

    def __init__(self, pipe: MqttPipe) -> None:
        self.calls: list[object] = []
        self.heard: list[bytes] = []
        self._pipe = pipe
        pipe._loop = self  # type: ignore[assignment]  # see above
        pipe._heard = lambda _topic, payload: self.heard.append(payload)

    def call_soon_threadsafe(self, call: object, *_: object) -> None:
        self.calls.append(call)

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()  # type: ignore[operator]  # it was given one


def a_pipe() -> MqttPipe:
    return MqttPipe(Broker("127.0.0.1", 1, "cab"), ())


def test_many_messages_wake_the_loop_once_and_arrive_in_order() -> None:
    pipe = a_pipe()
    loop = Loop(pipe)
    for number in range(5):
        pipe._on_message(pipe._client, None, message(bytes([number])))
    assert len(loop.calls) == 1
    loop.turn()
    assert loop.heard == [bytes([number]) for number in range(5)]


def test_a_message_that_comes_while_the_loop_empties_the_queue_is_not_left_lying() -> None:
    pipe = a_pipe()
    loop = Loop(pipe)

    def hear(_topic: str, payload: bytes) -> None:
        loop.heard.append(payload)
        if payload == b"first":
            pipe._on_message(pipe._client, None, message(b"second"))

    pipe._heard = hear
    pipe._on_message(pipe._client, None, message(b"first"))
    loop.turn()
    loop.turn()
    pipe._on_message(pipe._client, None, message(b"third"))
    loop.turn()
    assert loop.heard == [b"first", b"second", b"third"]


def test_what_is_too_large_or_too_much_is_counted_and_dropped() -> None:
    pipe = a_pipe()
    loop = Loop(pipe)
    pipe._on_message(pipe._client, None, message(bytes(MAX_PAYLOAD_BYTES + 1)))
    for _ in range(MAX_PENDING + 2):
        pipe._on_message(pipe._client, None, message(b""))
    loop.turn()
    assert (len(loop.heard), pipe.dropped) == (MAX_PENDING, 3)


def test_small_messages_do_not_wait_for_each_other() -> None:
    pipe = a_pipe()
    with socket.socket() as opened:
        pipe._client.on_socket_open(pipe._client, None, opened)  # type: ignore[misc]  # it is ours, not None
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_fleet_that_lost_its_broker_at_once_does_not_come_back_at_once() -> None:
    pipes = [MqttPipe(Broker("127.0.0.1", 1, f"cab-{n}", retry_s=RETRY_S), ()) for n in range(100)]
    first_s = [pipe._client._reconnect_min_delay for pipe in pipes]
    longest_s = [pipe._client._reconnect_max_delay for pipe in pipes]
    assert 0.5 <= min(first_s) < 0.8
    assert 1.2 < max(first_s) <= 1.5
    assert all(abs(longest / first - 30) < 1e-6 for first, longest in zip(first_s, longest_s, strict=True))
