"""Pipe and service joined, on one thread: messages in, commit, answers out.

Where the database is away nothing is acknowledged and nothing is kept: the cabinets say it again, and the loop asks for
the database with growing pauses.  Where the disk itself failed the loop ends, because it must not go on in place.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from cabinet.adapters.mqtt import MqttPipe
from cabinet.cloud.books import BooksAwayError
from cabinet.cloud.service import CloudService, Reply

log = logging.getLogger(__name__)

TICK_S: Final = 1.0  # gaps are judged at ten times this
PAUSE_S: Final = 0.02  # for the broker to take what waits to be sent
MAX_INBOX: Final = 4096  # the cabinets say again what is beyond
MAX_OUTBOX: Final = 20_000  # a welcome for each of many cabinets; what is beyond is asked for again
BATCH: Final = 64  # then the pipe gets its turn again
LONGEST_AWAY_S: Final = 30.0


@dataclass(slots=True)
class _Away:
    """Until when nobody asks for the database, and how long the next pause is."""

    until_s: float
    pause_s: float = 1.0

    def longer(self, now_s: float) -> None:
        self.until_s = now_s + self.pause_s
        self.pause_s = min(2 * self.pause_s, LONGEST_AWAY_S)


class CloudLoop:
    def __init__(self, service: CloudService, pipe: MqttPipe) -> None:
        self._service, self._pipe = service, pipe
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._outbox: deque[Reply] = deque()
        self._greet = False
        self._away: _Away | None = None
        self._ticked_ms = 0
        self._poked = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled.  Raises LedgerError where the database fails: better gone than acknowledging nothing."""
        self._service.call(partial(self._poke, asyncio.get_running_loop()))
        self._pipe.start(self._heard, self._changed)
        try:
            while True:
                self._turn()
                self._send()
                if self._outbox or not self._inbox:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(PAUSE_S if self._outbox else TICK_S):  # wait_for may swallow the
                            await self._poked.wait()  # order to stop (Python 3.11)
                    self._poked.clear()
                await asyncio.sleep(0)  # lets the pipe's callbacks in between two batches
        finally:
            with contextlib.suppress(BooksAwayError):
                self._service.patrol(_wall_ms())  # what was counted is written down
            await self._pipe.stop()

    def _turn(self) -> None:
        if self._away is not None and not self._back():
            self._service.counts["books away"] += len(self._inbox)
            self._inbox.clear()
            return
        try:
            self._work()
        except BooksAwayError as error:
            self._service.counts["books away"] += len(self._inbox)
            self._inbox.clear()
            self._away = _Away(0.0)
            self._away.longer(time.monotonic())
            log.error("books_away why=%r", str(error))  # noqa: TRY400  # said once, and where is in the message

    def _work(self) -> None:
        if self._greet:
            self._answer(self._service.greetings(_wall_ms()))
            self._greet = False
        if self._inbox:
            batch = tuple(islice(self._inbox, BATCH))
            self._answer(self._service.batch(batch, mono_ms=_mono_ms(), wall_ms=_wall_ms()))
            for _ in batch:
                self._inbox.popleft()
        self._answer(self._service.due(_wall_ms()))
        if _mono_ms() - self._ticked_ms >= 1000 * TICK_S:
            self._ticked_ms = _mono_ms()
            self._answer(self._service.tick(self._ticked_ms))
            self._service.patrol(_wall_ms())

    def _back(self) -> bool:
        """Is the database there again?  Asked at most once a pause."""
        away, now_s = self._away, time.monotonic()
        if away is None or now_s < away.until_s:
            return False
        try:
            self._service.look()
        except BooksAwayError:
            away.longer(time.monotonic())
            return False
        log.warning("books_back dropped=%d", self._service.counts["books away"])
        self._away, self._greet = None, True  # a welcome lets the cabinets say at once what was dropped
        return True

    def _answer(self, replies: Iterable[Reply]) -> None:
        for reply in replies:
            if len(self._outbox) >= MAX_OUTBOX:
                self._service.counts["outbox full"] += 1
            else:
                self._outbox.append(reply)

    def _send(self) -> None:
        """As much as the pipe takes; without a connection nothing waits, a new one begins with greetings."""
        if self._pipe.trouble() is not None:
            self._outbox.clear()
        while self._outbox and self._pipe.send(self._outbox[0].topic, self._outbox[0].payload):
            self._outbox.popleft()

    def _heard(self, topic: str, payload: bytes) -> None:
        if len(self._inbox) >= MAX_INBOX:
            self._service.counts["inbox full"] += 1
            return
        self._inbox.append((topic, payload))
        self._poked.set()

    def _poke(self, loop: asyncio.AbstractEventLoop) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to be told
            loop.call_soon_threadsafe(self._poked.set)

    def _changed(self, connected: bool) -> None:  # noqa: FBT001  # the port's own signature
        log.info("cloud_changed connected=%s", connected)
        self._greet = connected
        self._poked.set()


def _mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
