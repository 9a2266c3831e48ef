"""Listens to everything that passes the broker, as a fleet manager with an MQTT client would."""

import contextlib
import json
import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

Heard = Callable[[str, dict[str, Any]], None]


class Listener:
    """Calls `heard(kind of message, payload)` on paho's thread; reconnects by itself."""

    def __init__(self, host: str, port: int, heard: Heard) -> None:
        self._heard = heard
        self._listening = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "demo-listener", protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("cab/v1/#", qos=1)
        self._client.on_subscribe = lambda *_: self._listening.set()
        self._client.on_message = lambda _client, _data, message: self._message(message)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async(host, port)

    def start(self) -> None:
        self._client.loop_start()
        self._listening.wait(30.0)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _message(self, message: paho.MQTTMessage) -> None:
        with contextlib.suppress(ValueError, AttributeError):  # garbage on the broker is none of the demo's business
            payload = json.loads(message.payload)
            self._heard("/".join(message.topic.split("/")[3:]), payload)
