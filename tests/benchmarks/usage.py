"""What a process and its children use: CPU time over a stretch of wall time, and memory at its end."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    cpu_share: float  # of one core
    rss_mib: float  # resident, all processes; shared pages counted in each
    unshared_mib: float  # what would come free if they ended
    children: int
    threads: int

    def told(self, reference_s: float) -> dict[str, Any]:
        """`reference_loops_per_min`: how often the reference loop would have fitted into a minute's CPU time."""
        return {
            "cpu_share_of_a_core": round(self.cpu_share, 4),
            "reference_loops_per_min": round(60 * self.cpu_share / reference_s, 1),
            "rss_mib": round(self.rss_mib, 1),
            "unshared_mib": round(self.unshared_mib, 1),
            "children": self.children,
            "threads": self.threads,
        }


def over(pid: int, seconds: float) -> Usage:
    """Watch it for so long and disturb it by nothing."""
    began_s, before = time.monotonic(), _cpu_s(pid)
    threading.Event().wait(seconds)
    took_s, used_s = time.monotonic() - began_s, _cpu_s(pid) - before
    family = _family(pid)
    memory = [process.memory_full_info() for process in family]
    return Usage(
        used_s / took_s,
        sum(m.rss for m in memory) / MIB,
        sum(m.uss for m in memory) / MIB,
        len(family) - 1,
        sum(process.num_threads() for process in family),
    )


def _family(pid: int) -> list[Any]:
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]


def _cpu_s(pid: int) -> float:
    """User and system time; of children that have ended as well."""
    times = [process.cpu_times() for process in _family(pid)]
    ended = times[0].children_user + times[0].children_system
    return float(sum(t.user + t.system for t in times) + ended)
