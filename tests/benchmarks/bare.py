"""Two bare paho loops: one says the events of a ledger with QoS 1, the other counts them.  Nothing is checked."""

import sys
import threading
import time
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cabinet import wire
from cabinet.adapters.mqtt import RECEIVE_MAXIMUM
from cabinet.ledger import Ledger

TOPIC = wire.topic("bench-bare", "up", "ev")


def say_line(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def client() -> paho.Client:
    made = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    made.max_inflight_messages_set(RECEIVE_MAXIMUM)
    return made


def hear(port: int, wanted: int) -> None:
    heard, over = 0, threading.Event()

    def on_message(*_: Any) -> None:
        nonlocal heard
        heard += 1
        if heard == wanted:
            say_line(time.monotonic())
            over.set()

    def subscribe(*_: Any) -> None:
        ears.subscribe(TOPIC, 1)

    ears = client()
    ears.on_message = on_message
    ears.on_subscribe = lambda *_: say_line("subscribed")
    ears.on_connect = subscribe
    ears.connect("127.0.0.1", port)
    ears.loop_start()
    over.wait()


def say(port: int, path: Path, *, one_by_one: bool) -> None:
    """As fast as paho takes them, or each only when the broker has confirmed the one before."""
    with Ledger(path, read_only=True) as ledger:
        payloads = [wire.canonical(row.message()) for row in ledger.unacknowledged(1_000_000)]
    mouth = client()
    mouth.connect("127.0.0.1", port)
    mouth.loop_start()
    say_line(time.monotonic())
    for payload in payloads:
        said = mouth.publish(TOPIC, payload, qos=1)
        if one_by_one:
            said.wait_for_publish()
    threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "hear":
        hear(int(sys.argv[2]), int(sys.argv[3]))
    else:
        say(int(sys.argv[2]), Path(sys.argv[3]), one_by_one=sys.argv[1] == "ask")
