"""The board's wire under full load: 12 cells at 80 samples a second over 115200 baud; then the same with people.

The firmware is the running one, its UART paced to the baud; the host is a process of its own that does nothing else.
An edge is that of a shopper: unlocked, then pulled.  It is stamped by the emulator's world when the contact moves, and
by the host when its user is told.
"""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types

from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.frames import Decoder, Frame, Kind
from firmware_bridge.messages import Mass, decode
from tests.benchmarks.figures import Figures, Goal, ranked, spread
from tests.benchmarks.machine import reference_s
from tests.benchmarks.place import Given

ZONES, RATE_HZ, BAUD = 12, 80, 115_200
SETTLE_S = 3.0  # hello, first batches, the clock's first guess
EDGES, LATEST_PULL_S = 200, 0.3
PARSED_FRAMES, PARSED_TIMES = 1200, 20
CPU_GOAL, EDGE_GOAL_MS = 0.03, 20.0


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    given.say(f"{ZONES} cells for {given.stream_s:g} s")
    with _listening() as (_, host):
        stream = _stream(host, given.stream_s)
    given.say(f"{EDGES} shoppers open the door")
    with _listening() as (board, host):
        dice = random.Random(1)
        edges_ms = [_edge(board, host, dice.uniform(0, LATEST_PULL_S)) for _ in range(EDGES)]
    given.say("parsing")
    goals = [
        Goal("board: host's share of a core", stream["host_share_of_a_core"], CPU_GOAL),
        Goal("board: gaps", stream["gaps"], 0),
        Goal("board: frames lost", stream["lost_frames"] + stream["dropped"], 0),
        Goal("board: door edge to host, p99 ms", ranked(edges_ms, 0.99), EDGE_GOAL_MS),
    ]
    return {"stream": stream, "door_edge_to_host_ms": spread(edges_ms, 2), "parser": _parser()}, goals


class Host:
    """The listening process, by its pipes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def tell(self, word: str) -> None:
        """`unlock` or `count`."""
        if self.process.stdin is not None:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()

    def hears(self, key: str, value: object = None) -> Any:
        """The next line that has `key`, and that value if one is wanted."""
        while self.process.stdout is not None and (line := self.process.stdout.readline()):
            told = json.loads(line)
            if key in told and value in (None, told[key]):
                return told
        raise RuntimeError("the host went away")


def _stream(host: Host, for_s: float) -> Figures:
    watched = psutil.Process(host.process.pid)
    host.tell("count")
    before = host.hears("counted")
    used = watched.cpu_times()
    threading.Event().wait(for_s)
    later = watched.cpu_times()
    host.tell("count")
    after = host.hears("counted")
    took_s = after["at_s"] - before["at_s"]
    cpu_s = later.user + later.system - used.user - used.system
    counted = {name: round(n - before["counted"][name], 3) for name, n in after["counted"].items()}
    return {
        "watched_s": round(took_s, 1),
        "samples_per_s": round(counted["samples"] / took_s, 1),
        "host_share_of_a_core": round(cpu_s / took_s, 4),
        "host_reference_loops_per_min": round(60 * cpu_s / took_s / min(reference_s()), 1),
        **counted,
    }


def _edge(board: EmulatedBoard, host: Host, after_s: float) -> float:
    """A shopper unlocks, pulls so long after the bolt is out, and shuts: ms from the contact's opening to its user."""
    host.tell("unlock")
    host.hears("unlocked")
    while board.control({"do": "look"})["bolt_locked"]:
        threading.Event().wait(0.01)
    threading.Event().wait(after_s)
    board.control({"do": "pull"})
    opened = host.hears("open", value=True)
    moved_ms = [ms for ms, what, is_open in board.control({"do": "look"})["changes"] if what == "door" and is_open][-1]
    board.control({"do": "shut"})
    host.hears("open", value=False)
    return float(1000 * opened["heard_s"] - moved_ms)


@contextmanager
def _listening() -> Iterator[tuple[EmulatedBoard, Host]]:
    options = ("--baud", str(BAUD), "--per-hour", "60000", "--per-day", "60000")
    with EmulatedBoard(ZONES, options=options) as board:
        words = [sys.executable, "-m", "tests.benchmarks.board_host", board.port]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            host = Host(process)
            host.hears("connected")
            threading.Event().wait(SETTLE_S)
            yield board, host
            process.terminate()


def _parser() -> Figures:
    """Bytes to messages on the host, against the speed of the wire and against the reference loop."""
    samples = tuple(range(5000, 5008))
    frames = [
        Frame(Kind.STREAM, n % 256, Mass(n % ZONES, n, 12 * n, 12_500, samples).to_bytes())
        for n in range(PARSED_FRAMES)
    ]
    data = b"".join(frame.to_bytes() for frame in frames)
    best_s = min(_parsed_s(data) for _ in range(PARSED_TIMES))
    return {
        "bytes": len(data),
        "mb_per_s": round(len(data) / best_s / 1e6, 2),
        "times_the_wire": round(len(data) / best_s / (BAUD / 10), 1),
        "bytes_per_reference_loop": round(len(data) / best_s * min(reference_s())),
    }


def _parsed_s(data: bytes) -> float:
    decoder, began_s, count = Decoder(), time.process_time(), 0
    for at in range(0, len(data), 512):
        for frame in decoder.feed(data[at : at + 512]):
            count += isinstance(decode(frame.payload), Mass)
    if count != PARSED_FRAMES:
        raise RuntimeError(f"{count} of {PARSED_FRAMES} frames came through")
    return time.process_time() - began_s
