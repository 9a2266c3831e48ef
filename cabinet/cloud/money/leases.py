"""Who works on a payment, and for how long: a claim names its process, so that a dead one's is taken at once.

A lease covers one call to the provider; it is renewed with each.  A claim is given up early only where its process is
provably dead: same start of the machine, same space of process numbers, and no such process any more, or a younger one
under its number.  Where that cannot be proved (another host or container, no /proc) the lease has to run out.
"""

import os
import secrets
from functools import cache
from pathlib import Path
from typing import Final

LEASE_MS: Final = 30_000  # the provider's longest answer (25 s) and a margin
START: Final = 19  # of a process, in clock ticks after the machine's start: a field of /proc/PID/stat, after the name
PROC: Final = Path("/proc")


def new_claim() -> str:
    return f"{_here(os.getpid())}/{secrets.token_hex(8)}"


def is_dead(claim: str) -> bool:
    """Provably: the process that made this claim is no more."""
    parts = claim.split("/")
    if len(parts) != 4 or not parts[1].isdecimal():  # place, number, start, token
        return False
    place, pid, start = parts[0], int(parts[1]), parts[2]
    if not place or place != _place():
        return False
    try:
        os.kill(pid, 0)  # asks only
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass  # it lives, as somebody else's; whose, its start says
    found = _start(pid)
    return bool(start and found) and found != start


@cache
def _here(pid: int) -> str:
    """Also right in a child after a fork: it asks with its own number."""
    return f"{_place()}/{pid}/{_start(pid)}"


@cache
def _place() -> str:
    """Names the machine's start and our space of process numbers; "" where nobody can tell."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}.{(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _start(pid: int) -> str:
    """When it began; "" where that cannot be read.  Its name stands in brackets and may hold anything, brackets too."""
    try:
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[START]
    except (OSError, IndexError):
        return ""
