"""Edge, broker, cloud and database as real processes that can be killed and started again; each keeps its own log."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from cabinet.sim.broker import Mosquitto
from tests.support.postgres import Postgres

ROOT: Final = Path(__file__).parents[2]
ATTEMPTS: Final = 5  # a port may be somebody's for a moment, and a killed server's shared memory still be there


class Victim(Protocol):
    """`wanted` is False between a kill and the next start."""

    wanted: bool

    def start(self) -> object:
        """May block for a second."""

    def kill(self) -> None:
        """Without a word, as a power cut."""

    def gone(self) -> bool:
        """It ended although it is wanted."""
        ...


class Program:
    """A Python program of ours."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self.wanted = False
        self._words, self._log = words, log
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._starts += 1
        words = [word.format(start=self._starts) for word in self._words]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
            )  # fmt: skip  # a list
        self.wanted = True

    def kill(self) -> None:
        self.wanted = False
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself a moment ago
                os.killpg(self._process.pid, signal.SIGKILL)  # its workers, where it has any, die with it
            self._process.wait(60)

    def gone(self) -> bool:
        return self.wanted and self._process is not None and self._process.poll() is not None


def persist(start: Callable[[], object]) -> None:
    """Raises RuntimeError once ATTEMPTS have failed."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(RuntimeError):
            start()
            return
    start()


class ForgetfulBroker(Mosquitto):
    """A real mosquitto that keeps nothing on disk: what is in flight dies with it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, extra=["persistence false", "max_inflight_messages 64"])
        self.wanted = False

    def start(self) -> "ForgetfulBroker":
        persist(super().start)
        self.wanted = True
        return self

    def kill(self) -> None:
        self.wanted = False
        super().kill()

    def gone(self) -> bool:
        return self.wanted and self._process is not None and self._process.poll() is not None


class Database(Postgres):
    """A real PostgreSQL; its kill is the server's own `immediate`: nothing is written any more, the next start
    recovers from the log.  SIGKILL of the first process alone would leave its children at work.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wanted = False

    def start(self) -> None:
        persist(super().start)
        self.wanted = True

    def kill(self) -> None:
        self.wanted = False
        super().kill()

    def gone(self) -> bool:
        return False

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
