"""A month offline, and then the line is back: how fast and in which order the queue drains, and what memory it takes.

Every part is a process of its own and the product's: edge (ledger, uplink, pipe), mosquitto, `cabinet cloud run`.
In the same run bare paho carries the very same bytes over the same broker, one by one and in a stream,
and keeps nothing.
"""

import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types

from cabinet.cloud.books import open_books
from cabinet.ledger import Ledger
from cabinet.sim.broker import Mosquitto
from tests.benchmarks.figures import Figures, Goal
from tests.benchmarks.place import Given
from tests.ledger.examples import shop

CAB = "bench-drain"
CHARGES = 10_000
MOST_S = 60.0
MOST_GROWTH_MIB = 50.0
LEAST_SHARE = 0.5  # of the bare loop's rate
GIVE_UP_S = 300.0
LOOK_S = 0.1
BROKER = (
    "max_queued_messages 0",  # else it drops what the bare ear is slow for
    "set_tcp_nodelay true",  # else small messages wait for each other, up to 40 ms
)
MIB = 1 << 20


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    with TemporaryDirectory(prefix="drain-") as name:
        folder = Path(name)
        filled_s = _fill(folder)
        given.say(f"{CHARGES:,} charges written offline in {filled_s:.0f} s")
        with Mosquitto(folder, extra=BROKER) as broker:
            loop, stream = _bare(folder, broker, "ask"), _bare(folder, broker, "say")
            given.say(f"bare paho: {loop:,.0f} messages a second one by one, {stream:,.0f} in a stream")
            figures = _drained(folder, broker, given)
    figures |= {
        "charges": CHARGES,
        "offline_commits_per_s": round(2 * CHARGES / filled_s),
        "bare_loop_per_s": round(loop),
        "bare_stream_per_s": round(stream),
        "share_of_bare_loop": round(figures["events_per_s"] / loop, 3),
        "share_of_bare_stream": round(figures["events_per_s"] / stream, 3),
    }
    return figures, [
        Goal(f"{CHARGES:,} offline charges drained (s)", figures["took_s"], MOST_S),
        Goal("events that arrived out of order", figures["out_of_order"], 0),
        Goal("charges that are not at the cloud", CHARGES - figures["charges_there"], 0),
        Goal("memory that the edge grew by (MiB)", figures["edge_grown_mib"], MOST_GROWTH_MIB),
        Goal("slower than a bare paho loop, publish and wait (times)", loop / figures["events_per_s"], 1 / LEAST_SHARE),
    ]


def _fill(folder: Path) -> float:
    began_s = time.monotonic()
    with Ledger(folder / "edge.db") as ledger:
        for number in range(1, CHARGES + 1):
            shop(ledger, number)
    return time.monotonic() - began_s


def _bare(folder: Path, broker: Mosquitto, how: str) -> float:
    """Messages a second from one paho loop to another, of the same bytes and as many.

    "ask": published and waited for one by one, which is what keeps an order; "say": as fast as paho takes them.
    """
    with _process("tests.benchmarks.bare", "hear", broker.port, 2 * CHARGES) as hears:
        _line(hears)  # it has subscribed
        with _process("tests.benchmarks.bare", how, broker.port, folder / "edge.db") as says:
            began_s = float(_line(says))  # monotonic, the same clock in both
            return 2 * CHARGES / (float(_line(hears)) - began_s)


def _drained(folder: Path, broker: Mosquitto, given: Given) -> Figures:
    key = secrets.token_hex(32)
    (folder / "keys.json").write_text(json.dumps({CAB: key}))
    words = ["--host", broker.host, "--port", broker.port, "--db", folder / "cloud.db", "--keys", folder / "keys.json"]
    with (
        _process("cabinet", "cloud", "run", *words) as cloud,
        _process("tests.benchmarks.drain_edge", folder / "edge.db", broker.port, key, CAB) as edge,
    ):
        begin = json.loads(_line(edge))  # it is welcome, and begins
        used = _Used({"edge": edge.pid, "cloud": cloud.pid, "broker": _mosquitto()})
        with used:
            done = json.loads(_line(edge))
    took_s = done["at_s"] - begin["at_s"]
    given.say(f"drained in {took_s:.1f} s")
    return {
        "took_s": round(took_s, 2),
        "events_per_s": round(2 * CHARGES / took_s),
        "sent": done["sent"],
        **used.told(2 * CHARGES),
        **_there(folder),
    }


def _there(folder: Path) -> dict[str, Any]:
    books = open_books(folder / "cloud.db", read_only=True)
    try:
        arrived = [row["seq"] for row in books.rows("SELECT seq FROM event ORDER BY n")]
        charges = books.rows("SELECT count(*) AS n, count(DISTINCT visit) AS visits FROM charge")[0]
    finally:
        books.close()
    late = sum(later < sooner for sooner, later in pairwise(arrived))
    return {"out_of_order": late, "events_there": len(arrived), "charges_there": min(charges["n"], charges["visits"])}


class _Used:
    """Resident memory and CPU time of some processes, looked at all the time."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._first = {name: process.memory_info().rss for name, process in self._processes.items()}
        self._most = dict(self._first)
        self._cpu_s = {name: -_cpu_s(process) for name, process in self._processes.items()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for name, process in self._processes.items():
            self._cpu_s[name] += _cpu_s(process)

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            for name, process in self._processes.items():
                self._most[name] = max(self._most[name], process.memory_info().rss)

    def told(self, events: int) -> dict[str, float]:
        grown = {f"{name}_grown_mib": round((self._most[name] - rss) / MIB, 1) for name, rss in self._first.items()}
        rss = {f"{name}_rss_mib": round(rss / MIB, 1) for name, rss in self._most.items()}
        return grown | rss | {f"{name}_cpu_us_per_event": round(1e6 * s / events) for name, s in self._cpu_s.items()}


def _mosquitto() -> int:
    """The broker is a child of ours."""
    (found,) = (child.pid for child in psutil.Process().children() if child.name() == "mosquitto")
    return int(found)


def _cpu_s(process: Any) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _process(module: str, *words: object) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", module, *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _line(process: "subprocess.Popen[str]") -> str:
    """Its next line; RuntimeError where it ends or says nothing for five minutes."""
    found: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: found.append(process.stdout.readline()), daemon=True)  # type: ignore[union-attr]  # asserted above
    reader.start()
    reader.join(GIVE_UP_S)
    if not found or not found[0]:
        raise RuntimeError(f"{process.args!r} said nothing")
    return found[0]
