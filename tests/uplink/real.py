"""Uplink and cloud over a real mosquitto, in one event loop; conditions are waited for with a bound."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

from cabinet import wire
from cabinet.adapters.mqtt import Broker, MqttPipe, Will
from cabinet.cloud.run import SUBSCRIBE, CloudLoop
from cabinet.cloud.service import CloudService
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger, Stamp
from cabinet.rosterkeeper import RosterKeeper
from cabinet.sim.broker import Mosquitto
from cabinet.uplink import Uplink, offline_payload
from tests.uplink.world import CAB, KEY

BOUND_S = 60.0  # only a failure waits so long
RETRY_S = (1, 1)


def now() -> Stamp:
    return Stamp(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000, "ntp")


async def until(holds: Callable[[], bool], what: str) -> None:
    """Look every 10 ms until it holds; fails loudly after a minute."""
    deadline_s = time.monotonic() + BOUND_S
    while not holds():
        assert time.monotonic() < deadline_s, f"not within {BOUND_S:g} s: {what}"
        await asyncio.sleep(0.01)


def edge_pipe(broker: Mosquitto) -> MqttPipe:
    will = Will(wire.topic(CAB, "up", "state"), wire.plain(offline_payload(CAB)))
    where = Broker(broker.host, broker.port, CAB, retry_s=RETRY_S)
    return MqttPipe(where, (wire.topic(CAB, "dn", "+"),), will=will)


@contextlib.asynccontextmanager
async def running(*tasks: asyncio.Task[None]) -> AsyncIterator[None]:
    """End the tasks afterwards and tell of their failure."""
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result


@contextlib.asynccontextmanager
async def uplink_over(
    broker: Mosquitto, ledger: Ledger, *, clock: Callable[[], Stamp] = now, members: bool = False
) -> AsyncIterator[Uplink]:
    """`members`: with a keeper of the fleet's list of members."""
    uplink = Uplink(ledger, edge_pipe(broker), KEY, CAB, clock=clock, dice=random.Random(1), version="0.1.0")
    if members:
        uplink.keep_members(RosterKeeper(ledger, clock, "boot-1", 7 * 86_400.0, lambda: None))
    async with running(asyncio.create_task(uplink.run())):
        yield uplink


@contextlib.asynccontextmanager
async def cloud_over(broker: Mosquitto, path: Path) -> AsyncIterator[CloudStore]:
    store = CloudStore(path)
    where = Broker(broker.host, broker.port, "cloud", retry_s=RETRY_S)
    loop = CloudLoop(CloudService(store, {CAB: KEY}), MqttPipe(where, SUBSCRIBE))
    async with running(asyncio.create_task(loop.run())):
        yield store
    store.close()


class Spy:
    """Hears everything on the broker, and may say anything."""

    def __init__(self, broker: Mosquitto) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.connected = False
        self.pipe = MqttPipe(Broker(broker.host, broker.port, "spy", retry_s=RETRY_S), ("cab/#",))

    def _changed(self, connected: bool) -> None:  # noqa: FBT001  # the port's own signature
        self.connected = connected

    async def __aenter__(self) -> Self:
        self.pipe.start(lambda topic, payload: self.heard.append((topic, payload)), self._changed)
        await until(lambda: self.connected, "the spy is connected")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pipe.stop()

    def of(self, way: str, kind: str) -> list[wire.Payload]:
        return [wire.parse(payload) for topic, payload in self.heard if topic == wire.topic(CAB, way, kind)]
