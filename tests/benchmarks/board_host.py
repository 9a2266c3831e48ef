"""`python -m tests.benchmarks.board_host PORT`: a host that only listens, so that its cost is the bridge's alone.

Words on stdin: `count` prints what was counted so far, `unlock` takes a lease and beats the heart until the door opens.
One JSON line for every answer and every door edge, the latter with when it reached the host.
"""

import asyncio
import json
import os
import sys
from typing import Any

from firmware_bridge import happenings as h
from firmware_bridge.board import Board
from firmware_bridge.emulator.commissioned import TEST_KEY

BEAT_S = 0.15


class Listener:
    def __init__(self, port: str) -> None:
        self.board = Board(port, key=TEST_KEY)
        self.lease = False
        self.counted: dict[str, Any] = {"samples": 0, "bad": 0, "gaps": 0, "gap_s": 0.0, "disconnects": 0}

    async def live(self) -> None:
        loop = asyncio.get_running_loop()
        words: asyncio.Queue[str] = asyncio.Queue()
        loop.add_reader(0, lambda: words.put_nowait(os.read(0, 4096).decode().strip()))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.board.run())
            tasks.create_task(self._hear())
            while True:
                if await words.get() == "count":
                    counters = self.board.counters
                    lost = {"lost_frames": counters.stream_lost, "dropped": counters.frames_dropped}
                    _say({"counted": self.counted | lost, "at_s": loop.time()})
                else:
                    await self.board.unlock(os.urandom(16), 10.0)
                    self.lease = True
                    tasks.create_task(self._beat())
                    _say({"unlocked": True})

    async def _beat(self) -> None:
        while self.lease:
            self.board.heartbeat()
            await asyncio.sleep(BEAT_S)

    async def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        counted = self.counted
        while True:
            match await self.board.happenings.get():
                case h.Masses(grams=grams, bad=bad):
                    counted["samples"] += len(grams)
                    counted["bad"] += len(bad) and grams.count(None)
                case h.Gap(seconds=seconds):
                    counted["gaps"] += 1
                    counted["gap_s"] += seconds
                case h.DoorChanged(open=is_open, at_s=at_s):
                    self.lease = False
                    _say({"open": is_open, "heard_s": loop.time(), "at_s": at_s})
                case h.Connected():
                    _say({"connected": True})
                case h.Disconnected():
                    counted["disconnects"] += 1


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201  the benchmark reads it


if __name__ == "__main__":
    asyncio.run(Listener(sys.argv[1]).live())
