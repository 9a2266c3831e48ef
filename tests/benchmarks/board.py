"""The board's wire under full load: 12 cells at 80 samples a second over 115200 baud, with door edges in between.

The firmware is the running one, its UART paced to the baud; the host is a process of its own that does nothing else.
An edge is stamped by the emulator's world when the contact moves, and by the host when its user is told.
"""

import json
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
PARSED_FRAMES, PARSED_TIMES = 1200, 20
CPU_GOAL, EDGE_GOAL_MS = 0.03, 20.0


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    given.say(f"{ZONES} cells for {given.stream_s:g} s, a door edge a second")
    stream, edges_ms = _stream(given.stream_s)
    given.say("parsing")
    goals = [
        Goal("board: host's share of a core", stream["host_share_of_a_core"], CPU_GOAL),
        Goal("board: gaps", stream["gaps"], 0),
        Goal("board: samples missing, share", max(0.0, 1 - stream["samples_of_those_due"]), 0.001),
        Goal("board: door edge to host, p99 ms", ranked(edges_ms, 0.99), EDGE_GOAL_MS),
    ]
    return {**stream, "door_edge_to_host_ms": spread(edges_ms, 2), "parser": _parser()}, goals


def _stream(for_s: float) -> tuple[Figures, list[float]]:
    with EmulatedBoard(ZONES, options=("--baud", str(BAUD))) as board, _host(board.port) as host:
        out = host.stdout
        if out is None or not json.loads(out.readline()).get("connected"):
            raise RuntimeError("the host did not reach the board")
        threading.Event().wait(SETTLE_S)
        watched = psutil.Process(host.pid)
        used, began_s = watched.cpu_times(), time.monotonic()
        edges_ms = []
        while time.monotonic() - began_s < for_s:
            edges_ms += _edge(board, out)
        took_s, later = time.monotonic() - began_s, watched.cpu_times()
        lived_s = time.time() - watched.create_time()
        host.terminate()
        counted = json.loads(out.readlines()[-1])["counted"]
    cpu_s = later.user + later.system - used.user - used.system
    due = ZONES * RATE_HZ * (lived_s - SETTLE_S / 2)  # an estimate for the reader; what counts is `gaps`
    return {
        "watched_s": round(took_s, 1),
        "interpreter_of_the_board": board.interpreter,
        "samples_per_s": round(counted["samples"] / lived_s, 1),
        "samples_of_those_due": round(min(1.0, counted["samples"] / due), 4),
        "host_share_of_a_core": round(cpu_s / took_s, 4),
        "host_reference_loops_per_min": round(60 * cpu_s / took_s / min(reference_s()), 1),
        **counted,
    }, edges_ms


def _edge(board: EmulatedBoard, out: Any) -> list[float]:
    """Force the door open, shut it, and how long the host took to hear of the opening."""
    board.control({"do": "force"})
    opened = _heard(out, is_open=True)
    (moved_ms,) = [ms for ms, what, value in board.control({"do": "look"})["changes"] if what == "door" and value][-1:]
    board.control({"do": "shut"})
    _heard(out, is_open=False)
    threading.Event().wait(0.5)
    return [1000 * opened["heard_s"] - moved_ms]


def _heard(out: Any, *, is_open: bool) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = json.loads(out.readline())
        if told.get("open") is is_open:
            return told


@contextmanager
def _host(port: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "tests.benchmarks.board_host", port]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        yield process
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
