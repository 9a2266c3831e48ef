"""A forked child that strace follows from its first step, and the cloud that it talks to, which survives it here."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cabinet import wire
from cabinet.ledger import LedgerError
from cabinet.proving.far_end import CAB, FarEnd
from tests.crash.life import ENDED_BY_LEDGER

PR_SET_PTRACER: Final = 0x59616D61
ANYBODY: Final = ctypes.c_ulong(-1)
ATTACHED_S: Final = 60.0


def child(
    do: Callable[[socket.socket], None], folder: Path, cloud: FarEnd, tracer: Callable[[int], list[str]] | None
) -> str:
    """How it ended: "ended", "killed", "no ledger" or "failed N"; error.txt in the folder says more of the last."""
    ours, theirs = socket.socketpair()
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        ours.close()
        _be_child(do, theirs, ready, folder)
    os.close(ready)
    theirs.close()
    strace = None if tracer is None else _attach(pid, tracer(pid))
    os.write(go, b"!")
    os.close(go)
    _serve(ours, cloud)
    _, status = os.waitpid(pid, 0)
    if strace is not None:
        strace.wait(ATTACHED_S)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"failed by signal {os.WTERMSIG(status)}"
    code = os.WEXITSTATUS(status)
    return {0: "ended", ENDED_BY_LEDGER: "no ledger"}.get(code, f"failed {code}")


def _be_child(do: Callable[[socket.socket], None], cloud: socket.socket, ready: int, folder: Path) -> None:
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)  # strace is a sister, not a parent
        os.read(ready, 1)
        do(cloud)
        code = 0
    except LedgerError:
        code = ENDED_BY_LEDGER
    except BaseException as error:  # noqa: BLE001  the parent is told by the exit code, people by the file
        import traceback

        (folder / "error.txt").write_text("".join(traceback.format_exception(error)))
    finally:
        os._exit(code)


def _attach(pid: int, command: Sequence[str]) -> subprocess.Popen[bytes]:
    strace = subprocess.Popen(command, stderr=subprocess.PIPE)
    until_s = time.monotonic() + ATTACHED_S
    status = Path(f"/proc/{pid}/status")
    while "TracerPid:\t0" in status.read_text():
        if strace.poll() is not None or time.monotonic() > until_s:
            error = b"" if strace.stderr is None else strace.stderr.read()
            os.kill(pid, signal.SIGKILL)
            raise RuntimeError(f"strace does not attach: {error.decode(errors='replace')[:300]}")
        time.sleep(0.001)
    return strace


def _serve(cabinet: socket.socket, cloud: FarEnd) -> None:
    """Answer until the other end is gone."""
    with cabinet, cabinet.makefile("rb") as lines, contextlib.suppress(ConnectionError):
        for line in lines:
            if not line.endswith(b"\n"):
                return
            asked = json.loads(line)
            mono_ms, wall_ms = asked["at"]
            topic = wire.topic(CAB, "up", asked["kind"])
            replies = cloud._service.heard(topic, asked["payload"].encode(), mono_ms=mono_ms, wall_ms=wall_ms)
            told = [[reply.topic, reply.payload.decode()] for reply in replies]
            cabinet.sendall(json.dumps(told).encode() + b"\n")
