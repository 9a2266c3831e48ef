"""What this machine is, and how busy it is while something is measured: figures without it compare nothing.

The reference is a fixed loop of pure Python.  A figure divided by it compares machines, and a reference that swings
within one run says that somebody else was using the machine.
"""

import os
import platform
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types

ROUNDS = 1_000_000
REPEATS = 5


def facts() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": psutil.virtual_memory().total >> 20,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def reference_s() -> list[float]:
    """CPU seconds of the reference loop, several times over."""
    return [_loop() for _ in range(REPEATS)]


@contextmanager
def watched(noise: dict[str, Any]) -> Iterator[None]:
    """Fills `noise` with the machine's state around what is measured inside."""
    before, ticks, began_s = reference_s(), psutil.cpu_times(), time.monotonic()
    noise["load_before"] = round(os.getloadavg()[0], 2)
    yield
    took_s, later = time.monotonic() - began_s, psutil.cpu_times()
    loops = before + reference_s()
    cores = os.cpu_count() or 1
    idle_s = later.idle + later.iowait - ticks.idle - ticks.iowait
    noise |= {
        "took_s": round(took_s, 1),
        "machine_busy_share": round(max(0.0, 1 - idle_s / (took_s * cores)), 3),  # ours and everybody's
        "stolen_share": round((later.steal - ticks.steal) / (took_s * cores), 4),
        "reference_s": round(statistics.median(loops), 4),
        "reference_spread": round(max(loops) / min(loops), 2),  # 1.0: a quiet machine
    }


def _loop() -> float:
    began_s = time.process_time()
    total = 0
    for i in range(ROUNDS):
        total = (total * 31 + i) % 1_000_003
    return time.process_time() - began_s


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return named[-1] if named else platform.machine()
