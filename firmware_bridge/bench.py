"""For demonstrations and tests: an emulated board in a process of its own, and a hand on its world.

The product never imports it.  The process ends with the one that started it, however that one ends.
"""

import json
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.errors import BridgeError

START_S = 60.0  # a loaded machine starts two processes slowly; a fifth of a second is usual
ANSWER_S = 30.0


class EmulatedBoard:
    """`with EmulatedBoard(zones=2) as board:` - the host opens `board.port`, the world uses `board.control`.

    `folder` (its own temporary one by default) holds the port's name and the socket; Unix socket names are
    short, so it should be too.  `key` is what the board is commissioned with; None leaves it as the factory did.
    `interpreter` is auto, micropython or cpython; once started it says which.  `options` are further words for
    the emulator's command line.
    """

    def __init__(
        self,
        zones: int = 4,
        *,
        folder: Path | None = None,
        options: Sequence[str] = (),
        key: bytes | None = TEST_KEY,
        interpreter: str = "auto",
    ) -> None:
        self._owned = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="board-")) if folder is None else folder
        self.port = str(self.folder / "tty")
        self.socket_path = str(self.folder / "world")
        self.key = key
        self.interpreter = interpreter
        self._words = ["--zones", str(zones), "--interpreter", interpreter]
        self._words += ["--blank"] if key is None else ["--key", key.hex()]
        self._words += options
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._answers = b""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise BridgeError("the emulator is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until it is ready.  BridgeError if it does not come up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._answers = b""
        command = [sys.executable, "-m", "firmware_bridge.emulator", "--until-stdin-ends"]
        command += ["--pty-link", self.port, "--control", self.socket_path, *self._words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out = self._process.stdout
        ready = out is not None and select.select([out], [], [], START_S)[0] and out.readline()
        if not ready:
            self.stop()
            raise BridgeError("the emulator did not start")
        self.interpreter = str(json.loads(ready)["interpreter"])
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(self.socket_path)
        return self

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(ANSWER_S)
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
        if self._owned:
            shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, command: dict[str, Any]) -> dict[str, Any]:
        """One command, one answer ({"ok": bool, ...}).  BridgeError if the emulator is gone."""
        if self._socket is None:
            raise BridgeError("the emulator is not running")
        try:
            self._socket.sendall(json.dumps(command).encode() + b"\n")
            while b"\n" not in self._answers:
                data = self._socket.recv(65536)
                if not data:
                    raise BridgeError("the emulator went away")
                self._answers += data
        except OSError as error:
            raise BridgeError(f"the emulator does not answer: {error}") from error
        line, self._answers = self._answers.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
