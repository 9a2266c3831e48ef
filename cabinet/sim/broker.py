"""A real mosquitto on a free loopback port, with its own configuration and persistence in a folder of the caller's."""

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

START_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Mosquitto:
    """`start`, `stop`, `kill` and `restart` keep port and folder; `extra` are lines of mosquitto.conf."""

    def __init__(self, folder: Path, *, extra: Sequence[str] = (), anonymous: bool = True) -> None:
        self.host, self.port = "127.0.0.1", free_port()
        self._folder = folder / "mosquitto"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._config = self._folder / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            f"listener {self.port} {self.host}",
            f"allow_anonymous {str(anonymous).lower()}",
            "persistence true",
            f"persistence_location {self._folder}/",
            f"log_dest file {self._folder}/mosquitto.log",
            *extra,
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to a user who may not write here
        self._config.write_text("\n".join(lines) + "\n")

    def start(self) -> Self:
        """Returns when it accepts connections.  Raises RuntimeError with its log where it does not."""
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(0.05)  # paces the loop while nobody listens yet
                if probe.connect_ex((self.host, self.port)) == 0:
                    return self
            self._wait_a_little()
        self.kill()
        log = self._folder / "mosquitto.log"
        raise RuntimeError(f"mosquitto did not start:\n{log.read_text() if log.exists() else '(no log)'}")

    def _wait_a_little(self) -> None:
        """Until it ends or 20 ms have passed."""
        if self._process is not None:
            try:
                self._process.wait(0.02)
            except subprocess.TimeoutExpired:
                return

    def stop(self) -> None:
        """As an operator stops it."""
        self._end("terminate")

    def kill(self) -> None:
        """As a power cut stops it."""
        self._end("kill")

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            getattr(process, how)()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)

    def restart(self) -> None:
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
