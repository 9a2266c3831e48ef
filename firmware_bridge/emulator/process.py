"""The process of the emulated chip: started with its memory and its settings, stopped, killed, looked after.

MicroPython's unix port where it is installed (`micropython_unix`), CPython on the same files elsewhere.
"""

import contextlib
import importlib.util
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import firmware_bridge
from firmware_bridge.emulator import records
from firmware_bridge.emulator.fram import Fram

MICROPYTHON, CPYTHON, AUTO = "micropython", "cpython", "auto"
CHIP = "firmware_bridge.emulator.chip"
IMAGE_PIECE = 2048  # bytes of a record
MOST_UNSENT, RECEIVE = 65_536, 65_536  # bytes
ENDS_S = 1.0  # from closing the cable to being gone
ROOT = Path(firmware_bridge.__file__).parent.parent
# the wheel runs the port inside a Python process; -S keeps that one small and quick
NO_PORT = 97  # exit code of the chip's process: the port is there but does not load
PORT = f"""
import sys
sys.path.append(sys.argv[1])
try:
    from micropython_run import run_main
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit({NO_PORT})
sys.exit(run_main(sys.argv[2:]))
"""


class InterpreterMissingError(RuntimeError):
    """The interpreter asked for is not installed."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    name: str
    words: Sequence[str]
    environment: Mapping[str, str]


def interpreter(wanted: str) -> Interpreter:
    """`auto` takes MicroPython if it is there.  InterpreterMissingError."""
    port = importlib.util.find_spec("micropython_run") if wanted != CPYTHON else None
    if port is not None and port.origin:
        words = [sys.executable, "-S", "-c", PORT, str(Path(port.origin).parent), MICROPYTHON, "-m", CHIP]
        return Interpreter(MICROPYTHON, words, {"MICROPYPATH": f"{ROOT}:.frozen"})
    if wanted == MICROPYTHON:
        raise InterpreterMissingError("there is no micropython_unix in this environment; --interpreter cpython works")
    return Interpreter(CPYTHON, [sys.executable, "-S", "-m", CHIP], {"PYTHONPATH": str(ROOT)})


class ChipProcess:
    """One life of the chip, from power-on to reset."""

    def __init__(self, runs_in: Interpreter, memory: Fram, settings: Mapping[str, Any]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.settimeout(0)
        theirs.settimeout(0)  # the flag stays with the number the chip is given
        self._socket = ours
        self._process = subprocess.Popen(
            [*runs_in.words, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=[theirs.fileno()],
            env=dict(runs_in.environment),
        )
        theirs.close()
        self._unsent = bytearray()
        self._splitter = records.Splitter()
        self._seen_ns = -1
        self.hung = False
        for at in range(0, len(memory.content), IMAGE_PIECE):
            self.send(records.placed(records.IMAGE, at, bytes(memory.content[at : at + IMAGE_PIECE])))
        self.send(bytes((records.MEMORY, memory.mode)))
        self.send(bytes((records.START,)) + json.dumps(settings).encode())

    @property
    def socket(self) -> socket.socket:
        return self._socket

    def send(self, *some: bytes) -> None:
        """Lost if the chip is gone or takes nothing for long: the watchdog sees to that."""
        if len(self._unsent) < MOST_UNSENT:
            self._unsent += b"".join(map(records.framed, some))
        with contextlib.suppress(BlockingIOError, ConnectionError):
            del self._unsent[: self._socket.send(self._unsent)]

    def records(self) -> list[bytes]:
        """What has come.  EOFError once the chip is gone."""
        try:
            data = self._socket.recv(RECEIVE)
        except BlockingIOError:
            return []
        except ConnectionError:
            data = b""
        if not data:
            raise EOFError
        return self._splitter.push(data)

    def hang(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        self.hung = True

    def kept_waiting(self) -> bool:
        """Wants a processor, or a page of its own from the disk, and got none since last asked.  False where the system
        does not tell.
        """
        try:
            process = Path("/proc") / str(self._process.pid)
            ran_ns = int((process / "schedstat").read_bytes().split()[0])
            state = (process / "stat").read_bytes().rpartition(b")")[2].split()[0]
        except (OSError, IndexError, ValueError):
            return False
        before_ns, self._seen_ns = self._seen_ns, ran_ns
        return state in {b"R", b"D"} and ran_ns == before_ns

    def kill(self) -> list[bytes]:
        """What it had told and nobody had heard."""
        self._process.kill()
        self._process.wait()
        last: list[bytes] = []
        with contextlib.suppress(EOFError):
            while some := self.records():
                last += some
        self._socket.close()
        return last

    def ended(self) -> int:
        """Its exit code, once it is gone by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_S)
        self.kill()
        return self._process.returncode
