"""How many events a second the far end stores: the store alone, and workers behind a real broker; on both databases.

Every event is a transaction of its own that waits for the disk.  `alone`: processes that share a database, each with
cabinets of its own.  `broker`: `cabinet cloud run --workers N` behind mosquitto, fed by cabinets with a window of 16
that go on as they are acknowledged; the time ends with the last acknowledgement.
"""

import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cabinet import wire
from cabinet.cloud.books import open_books
from cabinet.cloud.store import CloudStore
from cabinet.sim.broker import Mosquitto
from tests.benchmarks.figures import Figures, Goal, ranked, spread
from tests.benchmarks.place import Given
from tests.support.postgres import Postgres, binaries

WORKERS: Final = (1, 2, 4)
EVENTS: Final = 2_400  # of a run, all cabinets together
CABINETS: Final = 8
WINDOW: Final = 16
LONGEST_S: Final = 600.0  # a machine that others use as well is slow, not broken
DRAIN: Final = 5_000  # of 20,000 that one cabinet may have kept back; all of them, from a real edge, are `drain`'s
DRAIN_S: Final = 15.0
NO_DELAY: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
KEY: Final = bytes(range(32))

ALONE: Final = """
import json, sys, time
from tests.benchmarks.ingest import day
from cabinet.cloud.store import CloudStore
place, first, cabinets, each = json.loads(sys.argv[1])
store = CloudStore(place)
days = [(f"cab-{first + n}", day(first + n, each)) for n in range(cabinets)]
print("ready", flush=True)
sys.stdin.readline()
took_s, begun_s = [], time.monotonic()
for number in range(each):
    for cab, events in days:
        before_s = time.monotonic()
        store.take(cab, events[number], 1)
        took_s.append(time.monotonic() - before_s)
store.close()
print(json.dumps({"begun_s": begun_s, "ended_s": time.monotonic(), "took_s": took_s}))
"""


def day(cabinet: int, length: int) -> list[wire.Payload]:
    """Visit after visit of one cabinet: opened, closed, and opened again."""
    events: list[wire.Payload] = []
    prev = wire.GENESIS
    line = {"sku": "070847811169", "name": "Cola", "quantity": 1, "unit_price_minor": 250, "tax": "standard"}
    closing = {"outcome": "charge", "why": "", "member": "01ANNA", "total_minor": 250, "currency": "USD",
               "confidence_ppm": 970_000, "evidence_hash": "e" * 64, "lines": [line], "best_guess": []}  # fmt: skip
    opening = {"member": "01ANNA", "purpose": "shop", "who": "face", "reason": "", "price_version": 1,
               "baseline_mg": {"s1": 3_021_250}, "terms": {"by": "cloud", "hold_minor": 2_500}}  # fmt: skip
    for seq in range(1, length + 1):
        kind, body = ("visit.opened", opening) if seq % 2 else ("visit.closed", closing)
        event = {
            "store": f"{cabinet:032x}", "boot": "b" * 16, "seq": seq, "visit": f"01J{cabinet:08d}{(seq + 1) // 2:015d}",
            "type": kind, "body": body, "mono_ms": seq, "wall_ms": seq, "clock": "ntp", "prev": prev,
        }  # fmt: skip  # a row
        event["h"] = prev = wire.event_hash(event, prev)
        events.append(event)
    return events


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    found: Figures = {"events": EVENTS, "cabinets": CABINETS, "alone": {}, "broker": {}}
    goals: list[Goal] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name, fresh in _databases(Path(folder)):
            for kind, run in (("alone", _alone), ("broker", _behind_broker)):
                given.say(f"{kind}, {name}, {', '.join(map(str, WORKERS))} workers")
                runs = {str(n): run(fresh(), n, EVENTS // CABINETS, CABINETS) for n in WORKERS}
                one = runs["1"]["events_per_s"]
                for figures in runs.values():
                    figures["of_one_worker"] = round(figures["events_per_s"] / one, 2)
                found[kind][name] = runs
            given.say(f"one cabinet's {DRAIN} events through one worker, {name}")
            drained = _behind_broker(fresh(), 1, DRAIN, 1)
            found["broker"][name]["drain"] = drained
            goals.append(Goal(f"one cabinet's {DRAIN} events, {name}, seconds", drained["took_s"], DRAIN_S))
    return found, goals


def _databases(folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    numbers = iter(range(1_000))
    yield "sqlite", lambda: str(folder / f"cloud{next(numbers)}.db")
    if binaries() is not None:
        with Postgres() as server:
            yield "postgresql", server.fresh


def _alone(place: str, workers: int, each: int, cabinets: int) -> Figures:
    open_books(place).close()
    share = cabinets // workers
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ALONE, json.dumps([place, n * share, share, each])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(workers)
    ]  # fmt: skip  # a list
    told = []
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        said, _ = process.communicate(timeout=LONGEST_S)
        told.append(json.loads(said))
    took_s = max(one["ended_s"] for one in told) - min(one["begun_s"] for one in told)
    return {
        "events_per_s": round(each * share * workers / took_s),
        "commit_ms": spread([1000 * s for one in told for s in one["took_s"]]),
    }


@dataclass
class Edge:
    """A cabinet that says its events in order, 16 at a time, and again after two seconds without an answer."""

    cab: str
    events: list[bytes]
    acked: int = 0
    said: int = 0
    at_s: float = 0.0
    said_s: deque[float] = field(default_factory=deque)  # of each event under way
    took_s: list[float] = field(default_factory=list)

    def due(self, now_s: float) -> list[bytes]:
        if self.said > self.acked and now_s - self.at_s > 2.0:
            self.said = self.acked
            self.said_s.clear()
        upto = min(self.acked + WINDOW, len(self.events))
        due, self.said = self.events[self.said : upto], max(self.said, upto)
        if due:
            self.at_s = now_s
            self.said_s.extend([now_s] * len(due))
        return due

    def heard(self, upto: int, now_s: float) -> None:
        for _ in range(min(upto - self.acked, len(self.said_s))):
            self.took_s.append(now_s - self.said_s.popleft())
        self.acked, self.at_s = max(self.acked, upto), now_s
        self.said = max(self.said, self.acked)


def _behind_broker(place: str, workers: int, each: int, cabinets: int) -> Figures:
    edges = {f"cab-{n}": Edge(f"cab-{n}", [wire.canonical(event) for event in day(n, each)]) for n in range(cabinets)}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Mosquitto(Path(folder), extra=("set_tcp_nodelay true",)) as broker,
        _crew(broker, Path(folder), place, workers, list(edges)),
        _client(broker) as (client, heard),
    ):
        begun_s = time.monotonic()
        while any(edge.acked < each for edge in edges.values()):
            now_s = time.monotonic()
            assert now_s - begun_s < LONGEST_S, "the events are not stored"
            for edge in edges.values():
                for payload in edge.due(now_s):
                    client.publish(wire.topic(edge.cab, "up", "ev"), payload, qos=1)
            for cab, upto in _answers(heard):
                edges[cab].heard(upto, time.monotonic())
        took_s = time.monotonic() - begun_s
    store = CloudStore(place, read_only=True)
    marks = [store.mark(cab, f"{n:032x}").hwm for n, cab in enumerate(edges)]
    store.close()
    assert marks == [each] * cabinets, "not everything is stored"
    waits_s = [s for edge in edges.values() for s in edge.took_s]
    return {
        "events_per_s": round(each * cabinets / took_s),
        "took_s": round(took_s, 2),
        "acknowledged_after_ms": spread([1000 * s for s in waits_s]),
        "p99_acknowledged_s": round(ranked(waits_s, 0.99), 3),
    }


def _answers(heard: "queue.Queue[tuple[str, bytes]]") -> list[tuple[str, int]]:
    """All that there are, waiting at most 50 ms for the first."""
    found: list[tuple[str, int]] = []
    try:
        topic, payload = heard.get(timeout=0.05)
        while True:
            found.append((topic.split("/")[2], int(json.loads(payload)["upto"])))
            topic, payload = heard.get_nowait()
    except queue.Empty:
        return found


@contextmanager
def _client(broker: Mosquitto) -> Iterator[tuple[paho.Client, "queue.Queue[tuple[str, bytes]]"]]:
    heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
    ready: queue.Queue[bool] = queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(512)

    def received(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        heard.put((message.topic, bytes(message.payload)))

    client.on_message = received
    client.on_socket_open = lambda _client, _data, opened: opened.setsockopt(*NO_DELAY)  # type: ignore[attr-defined]  # paho's type is too small
    client.on_subscribe = lambda *_: ready.put(item=True)
    client.connect(broker.host, broker.port)
    client.subscribe("cab/v1/+/dn/ack", 1)
    client.loop_start()
    ready.get(timeout=10)
    yield client, heard
    client.disconnect()
    client.loop_stop()


@contextmanager
def _crew(broker: Mosquitto, folder: Path, place: str, workers: int, cabs: list[str]) -> Iterator[None]:
    keys = folder / "keys.toml"
    keys.write_text("".join(f'{cab} = "{KEY.hex()}"\n' for cab in cabs))
    log = folder / "cloud.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "cabinet", "cloud", "run", "--host", broker.host, "--port", str(broker.port),
             "--db", place, "--keys", str(keys), "--workers", str(workers)],
            stderr=said, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip  # a list
    try:
        deadline_s = time.monotonic() + 30
        while log.read_text().count("connected=True") < workers:
            assert time.monotonic() < deadline_s, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)
