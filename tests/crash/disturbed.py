"""A running daemon on a bench whose ledger's disk begins to fail, or to be slow, at a chosen moment."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.cli.demo.processes import Bench

ATTACHED_S = 60.0


@contextlib.contextmanager
def syncs(bench: Bench, what: str) -> Iterator[None]:
    """From now on `what` befalls each sync of the daemon's write-ahead log (strace's words: error=EIO)."""
    pid = bench.pid("daemon")
    wal = str(bench.data / "ledger.db-wal")
    words = ["strace", "-f", "-p", str(pid), "-P", wal, "-o", str(bench.folder / "syncs")]
    strace = subprocess.Popen(
        [*words, "-e", "trace=fdatasync,fsync,pwrite64", "-e", f"inject=fdatasync,fsync:{what}"],
        stderr=subprocess.DEVNULL,
    )
    until_s = time.monotonic() + ATTACHED_S
    while "TracerPid:\t0" in Path(f"/proc/{pid}/status").read_text():
        if strace.poll() is not None or time.monotonic() > until_s:
            strace.kill()
            pytest.skip("strace may not attach to a running daemon here (ptrace_scope)")
        time.sleep(0.005)
    try:
        yield
    finally:
        strace.terminate()
        strace.wait(ATTACHED_S)


def after_the_first(bench: Bench) -> list[str]:
    """The names of the calls on the log that came after the first that was disturbed."""
    lines = (bench.folder / "syncs").read_text().splitlines()
    first = next((n for n, line in enumerate(lines) if "INJECTED" in line or "DELAYED" in line), len(lines))
    return [line.split()[1].partition("(")[0] for line in lines[first + 1 :] if "(" in line]
