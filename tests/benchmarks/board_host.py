"""`python -m tests.benchmarks.board_host PORT`: a host that only listens, so that its cost is the bridge's alone.

One JSON line for every door edge, when it reached the host; on SIGTERM one with what was counted.
"""

import asyncio
import json
import signal
import sys
from typing import Any

from firmware_bridge import happenings as h
from firmware_bridge.board import Board


async def listen(port: str) -> None:
    board = Board(port)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    counted: dict[str, Any] = {"samples": 0, "bad": 0, "gaps": 0, "gap_s": 0.0, "disconnects": 0}
    running = [asyncio.create_task(board.run()), asyncio.create_task(_hear(board, counted))]
    await over.wait()
    for task in running:
        task.cancel()
    _say({"counted": counted | {"lost_frames": board.counters.stream_lost, "dropped": board.counters.frames_dropped}})


async def _hear(board: Board, counted: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        match await board.happenings.get():
            case h.Masses(grams=grams):
                counted["samples"] += len(grams)
                counted["bad"] += grams.count(None)
            case h.Gap(seconds=seconds):
                counted["gaps"] += 1
                counted["gap_s"] += seconds
            case h.DoorChanged(open=is_open, at_s=at_s):
                _say({"open": is_open, "heard_s": loop.time(), "at_s": at_s})
            case h.Connected():
                _say({"connected": True})
            case h.Disconnected():
                counted["disconnects"] += 1


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201  the benchmark reads it


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1]))
