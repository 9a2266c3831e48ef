"""Follows the daemon's own live view (`watch` on its control socket) on a thread."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cabinet.cli.client import Client
from cabinet.cli.errors import CliError

LOOK_EVERY_S = 0.2


class Watcher:
    def __init__(self, socket: Path, told: Callable[[dict[str, Any]], None]) -> None:
        self._socket = socket
        self._told = told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(2.0)

    def _follow(self) -> None:
        try:
            with Client(self._socket) as client:
                client.watch()
                while not self._over.is_set():
                    happening = client.happening(LOOK_EVERY_S)
                    if happening is not None:
                        self._told(happening)
        except CliError:
            return  # the daemon ended: so does the view of it
