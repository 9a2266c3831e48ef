"""MQTT 5 over paho-mqtt: a pipe that connects for ever, hands over bytes and remembers nothing.

QoS 1, clean start, session expiry 0: an order is never left waiting in a broker.  A PUBACK is not a receipt, so nobody
is told of one; `wait_for_publish` is not used because it can block for ever.  paho runs in its own thread and reaches
the event loop through call_soon_threadsafe alone.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cabinet.wire import MAX_EVENT_BYTES, MAX_PAYLOAD_BYTES

log = logging.getLogger(__name__)

KEEP_ALIVE_S: Final = 30
RECEIVE_MAXIMUM: Final = 32
QUEUE: Final = 64  # messages that may wait in paho's memory; the ledger says them again
MAX_PENDING: Final = 1024  # messages on their way into the event loop
CONNECT_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of PEM files; `ca` None means the system's authorities."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says, retained, when we vanish."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is and how we get in.  `retry_s` bounds the doubling wait between two attempts."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None
    retry_s: tuple[int, int] = (1, 30)
    keep_alive_s: int = KEEP_ALIVE_S


def _spread(retry_s: tuple[int, int]) -> tuple[int, int]:
    """Each cabinet waits by ± 50 % otherwise: a fleet that lost its broker at once must not come back at once."""
    share = secrets.randbelow(1001) / 1000 + 0.5
    return tuple(bound_s * share for bound_s in retry_s)  # type: ignore[return-value]  # paho says int and takes any


class MqttPipe:
    """A `Pipe`.  Every method belongs to the event loop's thread; none blocks."""

    def __init__(self, broker: Broker, subscribe: tuple[str, ...], *, will: Will | None = None) -> None:
        """Raises OSError or ValueError for TLS files that are missing or broken."""
        self.dropped = 0  # too large, or more than the event loop could take
        self._broker, self._subscribe = broker, subscribe
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heard: Callable[[str, bytes], None] = lambda _topic, _payload: None
        self._changed: Callable[[bool], None] = lambda _connected: None
        self._ready = False
        self._why: str | None = "not connected yet"
        self._pending: deque[tuple[str, bytes]] = deque()  # each end belongs to one thread
        self._woken = False  # is a `_deliver` on its way that has not begun?
        self._client = self._make_client(will)

    def _make_client(self, will: Will | None) -> paho.Client:
        broker = self._broker
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=broker.client_id, protocol=paho.MQTTv5)
        client.max_inflight_messages_set(RECEIVE_MAXIMUM)
        client.max_queued_messages_set(QUEUE)
        client.reconnect_delay_set(*_spread(broker.retry_s))
        client.connect_timeout = CONNECT_TIMEOUT_S
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            ca, certificate, key = (
                None if path is None else str(path) for path in (broker.tls.ca, broker.tls.certificate, broker.tls.key)
            )
            client.tls_set(ca_certs=ca, certfile=certificate, keyfile=key)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_connect_fail, client.on_disconnect = self._on_connect_fail, self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = self._on_socket_open
        return client

    def start(self, heard: Callable[[str, bytes], None], changed: Callable[[bool], None]) -> None:
        """Begin connecting, for ever; the callbacks run in the running event loop."""
        self._loop, self._heard, self._changed = asyncio.get_running_loop(), heard, changed
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = MAX_PAYLOAD_BYTES
        broker = self._broker
        self._client.connect_async(
            broker.host, broker.port, keepalive=broker.keep_alive_s, clean_start=True, properties=properties
        )
        self._client.loop_start()

    def send(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> bool:
        """Hand a message to paho.  False: not connected, too many under way, or too large."""
        largest = MAX_EVENT_BYTES if topic.endswith("/up/ev") else MAX_PAYLOAD_BYTES
        if not self._ready or len(payload) > largest:
            return False
        properties = None
        if expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def trouble(self) -> str | None:
        """Why nothing gets through, or None."""
        return self._why

    def _lost(self, why: str) -> None:
        """A refusal is followed by a disconnection; the refusal is what a technician needs to read."""
        self._set_ready(False, why if self._ready or self._why is None else self._why)  # noqa: FBT003  # positional

    async def stop(self) -> None:
        """Say goodbye, so that the broker keeps the will to itself, and end paho's thread."""
        self._ready = False
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._loop = None

    # What follows runs in paho's thread.

    def _to_loop(self, call: Callable[..., None], *arguments: object) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody is interested any more
                loop.call_soon_threadsafe(call, *arguments)

    def _set_ready(self, ready: bool, why: str | None) -> None:  # noqa: FBT001  # a callback's argument
        self._why = why
        if ready != self._ready:
            self._ready = ready
            self._changed(ready)

    def _on_socket_open(self, _client: paho.Client, _data: object, opened: object) -> None:
        """Else a small message waits until the one before it is acknowledged, which the other side delays by 40 ms."""
        if isinstance(opened, socket.socket):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(
        self,
        client: paho.Client,
        _data: object,
        _flags: object,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if reason.is_failure:
            log.warning("mqtt_refused broker=%s:%d reason=%s", self._broker.host, self._broker.port, reason)
            self._to_loop(self._set_ready, False, f"the broker refuses us: {reason}")  # noqa: FBT003  # positional
            return
        client.subscribe([(topic, 1) for topic in self._subscribe])

    def _on_subscribe(
        self,
        _client: paho.Client,
        _data: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: object,
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log.error("mqtt_subscription_refused reasons=%s", ",".join(refused))
            why = f"the broker refuses the subscription: {', '.join(refused)}; check its access list"
            self._to_loop(self._set_ready, False, why)  # noqa: FBT003  # positional
            return
        self._to_loop(self._set_ready, True, None)  # noqa: FBT003  # positional

    def _on_connect_fail(self, _client: paho.Client, _data: object) -> None:
        why = f"no broker at {self._broker.host}:{self._broker.port}"
        self._to_loop(self._set_ready, False, why)  # noqa: FBT003  # positional

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: object,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        self._to_loop(self._lost, f"disconnected: {reason}")

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if not topic or len(message.payload) > MAX_PAYLOAD_BYTES or len(self._pending) >= MAX_PENDING:
            self.dropped += 1
            return
        self._pending.append((topic, bytes(message.payload)))
        if not self._woken:
            self._woken = True
            self._to_loop(self._deliver)

    def _deliver(self) -> None:
        """One wake-up for all that came meanwhile.  Whatever is put in after the first line wakes us again."""
        self._woken = False
        while self._pending:
            self._heard(*self._pending.popleft())
