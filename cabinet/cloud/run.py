"""`cabinet cloud run`: the far end as one process, and reading its database from another one."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from cabinet.adapters.mqtt import Broker, MqttPipe, Tls
from cabinet.cloud.keys import load_keys
from cabinet.cloud.service import CloudService, Reply
from cabinet.cloud.store import Alarm, Charge, CloudStore, StoredEvent

log = logging.getLogger(__name__)

SUBSCRIBE: Final = ("cab/v1/+/up/#",)
TICK_S: Final = 1.0  # gaps are judged at ten times this
MAX_INBOX: Final = 4096  # the cabinets say again what is beyond


class CloudLoop:
    """Pipe and service joined, on one thread: messages in, commit, answers out."""

    def __init__(self, service: CloudService, pipe: MqttPipe) -> None:
        self._service, self._pipe = service, pipe
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._greet = False
        self._poked = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled.  Raises LedgerError where the database fails: better gone than acknowledging nothing."""
        self._pipe.start(self._heard, self._changed)
        try:
            while True:
                self._turn()
                if not self._inbox:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(TICK_S):  # wait_for may swallow the order to stop (Python 3.11)
                            await self._poked.wait()
                    self._poked.clear()
                await asyncio.sleep(0)  # lets the pipe's callbacks in between two batches
        finally:
            await self._pipe.stop()

    def _turn(self) -> None:
        if self._greet:
            self._greet = False
            self._answer(self._service.greetings(_wall_ms()))
        for _ in range(min(len(self._inbox), 64)):  # then the pipe gets its turn again
            topic, payload = self._inbox.popleft()
            self._answer(self._service.heard(topic, payload, mono_ms=_mono_ms(), wall_ms=_wall_ms()))
        self._answer(self._service.tick(_mono_ms()))

    def _answer(self, replies: Iterable[Reply]) -> None:
        for reply in replies:
            self._pipe.send(reply.topic, reply.payload)

    def _heard(self, topic: str, payload: bytes) -> None:
        if len(self._inbox) >= MAX_INBOX:
            self._service.counts["inbox full"] += 1
            return
        self._inbox.append((topic, payload))
        self._poked.set()

    def _changed(self, connected: bool) -> None:  # noqa: FBT001  # the port's own signature
        log.info("cloud_changed connected=%s", connected)
        self._greet = connected
        self._poked.set()


def run_cloud(  # noqa: PLR0913  # one argument per option of the command line
    host: str,
    port: int,
    db: Path,
    keys: Path,
    *,
    username: str | None = None,
    password: str | None = None,
    tls: Tls | None = None,
    retry_s: tuple[int, int] = (1, 30),
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.  `ready` is called once the database is open and connecting has begun.

    Raises KeysError or LedgerError, each with the file and the remedy.
    """
    known = load_keys(keys)
    store = CloudStore(db)
    broker = Broker(host, port, f"cloud-{os.getpid()}", username, password, tls, retry_s)
    try:
        asyncio.run(_serve(CloudService(store, known), MqttPipe(broker, SUBSCRIBE), ready))
    finally:
        store.close()


async def _serve(service: CloudService, pipe: MqttPipe, ready: Callable[[], None] | None) -> None:
    serving = asyncio.create_task(CloudLoop(service, pipe).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    if ready is not None:
        ready()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def charges(db: Path) -> list[Charge]:
    """Every charge of the cloud's database, in the order of arrival; safe while the cloud runs."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.charges()


def events(db: Path, limit: int = 1000) -> list[StoredEvent]:
    """The newest events, in the order of arrival; safe while the cloud runs."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.events(limit)


def alarms(db: Path) -> list[Alarm]:
    """What a person has to look at: forks, rollbacks, charges of another amount."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.alarms()


def unclosed(db: Path) -> list[str]:
    """Visits opened and not closed, the oldest first."""
    with contextlib.closing(CloudStore(db, read_only=True)) as store:
        return store.unclosed()


def _mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
