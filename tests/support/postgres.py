"""A real PostgreSQL of our own on a free loopback port, as a process that ends with the test run.

PostgreSQL refuses to run as root, so there it runs as the user that Debian's package makes.
"""

import contextlib
import itertools
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg

START_S = 60.0
BIN = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Debian's folder of the newest server here, else the folder of `postgres` on PATH; None without a server."""
    found = sorted(BIN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])) if BIN.exists() else []
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return None if there is None else Path(there).parent


class Postgres:
    """`with Postgres() as server: server.fresh()` gives the URL of an empty database."""

    def __init__(self, *options: str) -> None:
        where = binaries()
        assert where is not None, "PostgreSQL is not installed: sudo apt-get install postgresql"
        self._bin = where
        self.folder = Path(tempfile.mkdtemp(prefix="books-"))
        self.port = free_port()
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._options = options
        self._running = False
        self._numbers = itertools.count(1)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self._user)
        self._as_user("initdb", "-D", "data", "-A", "trust", "-U", "books", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        words = [f"-p {self.port}", "-c listen_addresses=127.0.0.1", f"-c unix_socket_directories={self.folder}",
                 "-c max_connections=60", *self._options]  # fmt: skip  # a list
        self._as_user("pg_ctl", "-D", "data", "-l", "log", "-w", "-t", f"{START_S:g}", "-o", " ".join(words), "start")
        self._running = True

    def stop(self) -> None:
        """As a service manager stops it."""
        self._running = False
        self._as_user("pg_ctl", "-D", "data", "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        """As a crash ends it: nothing is written any more."""
        self._running = False
        self._as_user("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def fresh(self) -> str:
        name = f"books{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://books@127.0.0.1:{self.port}/{name}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._running:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _as_user(self, program: str, *words: str) -> None:
        user = self._user if os.geteuid() == 0 else None
        with (self.folder / "said").open("wb") as said:  # no pipe: the server would keep its end open
            done = subprocess.run(
                [str(self._bin / program), *words],
                cwd=self.folder, user=user, group=user, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={**os.environ, "HOME": str(self.folder), "LC_ALL": "C"}, check=False,
            )  # fmt: skip  # a list
        if done.returncode != 0:
            told = [path.read_text(errors="replace")[-2000:] for path in self.folder.glob("[ls]*") if path.is_file()]
            raise RuntimeError(f"{program} failed:\n" + "\n".join(told))


def free_port() -> int:
    """Below those that the system gives out by itself: nobody gets it before it is used, or while a server is away."""
    dice = random.SystemRandom()  # workers that run side by side must not throw the same
    while True:
        port = dice.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
