"""The edge of the drain benchmark: ledger, uplink and pipe.  Says when it is welcome, and when all is told."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cabinet import clock, wire
from cabinet.adapters.mqtt import Broker, MqttPipe
from cabinet.ledger import Ledger
from cabinet.uplink import Uplink

LOOK_S: Final = 0.02


def say(uplink: Uplink) -> None:
    sys.stdout.write(json.dumps({"at_s": time.monotonic(), "sent": uplink.figures().get("sent", 0)}) + "\n")
    sys.stdout.flush()


async def until(holds: Callable[[], bool]) -> None:
    """Looked at from outside, as a technician's status is."""
    while True:
        if holds():
            return
        await asyncio.sleep(LOOK_S)


async def drain(path: Path, port: int, key: bytes, cab: str) -> None:
    with Ledger(path) as ledger:
        pipe = MqttPipe(Broker("127.0.0.1", port, cab), (wire.topic(cab, "dn", "+"),))
        uplink = Uplink(ledger, pipe, key, cab, clock=clock.stamp)
        running = asyncio.create_task(uplink.run())
        await until(lambda: bool(uplink.figures()["welcomed"]))
        say(uplink)
        await until(lambda: not ledger.unacknowledged(1))
        say(uplink)
        running.cancel()


if __name__ == "__main__":
    asyncio.run(drain(Path(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3]), sys.argv[4]))
