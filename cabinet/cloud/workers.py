"""Several ingest workers side by side: children of this process on one database, one subscription shared among them.

It starts them, starts a dead one again after a growing pause, and ends all of them with itself.  It opens no database
while it runs and hears no broker.  What a worker is told goes through its standard input, never its command line (a
password may be in it); where that input ends, because this process was killed, the worker ends too.
"""

import asyncio
import contextlib
import dataclasses
import json
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cabinet.cloud.keys import load_keys
from cabinet.cloud.store import CloudStore

log = logging.getLogger(__name__)

CHILD: Final = (sys.executable, "-m", "cabinet.cloud.worker")
END_S: Final = 15.0  # for the batch under way, or a database that is slow to say no
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 60.0  # who lived this long begins with the shortest pause again
READY: Final = b"ready\n"


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one worker; texts and numbers only, so that JSON can carry it."""

    host: str
    port: int
    db: str
    keys: str
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    retry_s: tuple[int, int] = (1, 30)
    provider: str | None = (
        None  # of payments, as the command line names it; "none" is a ledger without one, None ingest alone
    )
    worker: int = 0
    workers: int = 1


def run_workers(settings: Settings, ready: Callable[[], None] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0, or 1 if a worker had to be killed in the end.

    Raises KeysError or LedgerError before anything is started: the keys are read, the tables made, once and here.
    """
    load_keys(Path(settings.keys))
    CloudStore(settings.db).close()
    return asyncio.run(_Crew(settings, ready).run())


class _Crew:
    def __init__(self, settings: Settings, ready: Callable[[], None] | None) -> None:
        self._settings, self._ready = settings, ready
        self._stopping = asyncio.Event()
        self._waiting = set(range(settings.workers))  # who has not been ready yet
        self._killed = 0

    async def run(self) -> int:
        for told in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(told, self._stopping.set)
        async with asyncio.TaskGroup() as group:
            for number in range(self._settings.workers):
                group.create_task(self._keep(number))
        return 1 if self._killed else 0

    async def _keep(self, number: int) -> None:
        pause_s = 1.0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            code = await self._live(number)
            if self._stopping.is_set():
                return
            pause_s = 1.0 if time.monotonic() - began_s >= STEADY_S else pause_s
            log.error("worker_ended worker=%d code=%s again_in_s=%g", number, code, pause_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _live(self, number: int) -> int:
        """One life of one worker; its exit code."""
        told = dataclasses.asdict(dataclasses.replace(self._settings, worker=number))
        child = await asyncio.create_subprocess_exec(
            *CHILD, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )  # a session of its own: Ctrl-C reaches this process alone, which then ends the workers in order
        assert child.stdin is not None  # noqa: S101  # as asked for
        assert child.stdout is not None  # noqa: S101  # likewise
        with contextlib.suppress(ConnectionError):
            child.stdin.write(json.dumps(told).encode() + b"\n")
            await child.stdin.drain()
        log.info("worker_started worker=%d pid=%d", number, child.pid)
        listening = asyncio.create_task(self._listen(number, child.stdout))
        ending = asyncio.create_task(self._stopping.wait())
        living = asyncio.create_task(child.wait())
        await asyncio.wait((ending, living), return_when=asyncio.FIRST_COMPLETED)
        if not living.done():
            await self._end(number, child)
        ending.cancel()
        child.stdin.close()
        code = await living
        await listening
        return code

    async def _end(self, number: int, child: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(END_S):
                await child.wait()
        except TimeoutError:
            log.error("worker_killed worker=%d", number)  # noqa: TRY400  # nothing to trace
            self._killed += 1
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    async def _listen(self, number: int, said: asyncio.StreamReader) -> None:
        while line := await said.readline():
            if line == READY and number in self._waiting:
                self._waiting.discard(number)
                if not self._waiting and self._ready is not None:
                    self._ready()
