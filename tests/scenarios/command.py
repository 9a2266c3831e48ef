"""The command line as a technician types it, and a listener at the broker as a fleet has one."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cabinet.cli.demo.waiting import PATIENCE_S, wait_until

ANSWER_S = 60.0


def cabinet(socket: Path, *words: str, wants: int = 0) -> str:
    """What `cabinet WORDS --socket SOCKET` prints; its exit code must be `wants`."""
    done = typed([*words, "--socket", str(socket)])
    assert done.returncode == wants, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def as_json(socket: Path, *words: str, wants: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(cabinet(socket, *words, "--json", wants=wants))
    return answer


def typed(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cabinet", *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANSWER_S, check=False,
    )  # fmt: skip


class Fleet:
    """Everything on the broker, as bytes: (topic, payload, was retained) in the order of arrival."""

    def __init__(self, host: str, port: int) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, bytes(message.payload), message.retain)
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async(host, port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S), "the broker does not take a subscription"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def of(self, kind: str, *, retained: bool | None = None) -> list[dict[str, Any]]:
        """Payloads of `cab/v1/+/(up|dn)/kind`."""
        return [
            json.loads(payload)
            for topic, payload, was in list(self.heard)
            if topic.split("/")[-1] == kind and retained in {None, was}
        ]

    def wait_for(
        self, kind: str, wanted: Callable[[dict[str, Any]], bool], within_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """The first such message of the kind, once it has come."""

        def found() -> list[dict[str, Any]]:
            return [message for message in self.of(kind) if wanted(message)]

        wait_until(lambda: bool(found()), within_s, lambda: f"no such {kind} among {self.of(kind)[-3:]}")
        return found()[0]
