"""Who has a serial port open: for the sentence that says why it could not be had.  It stops nobody."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
REMEDY = "stop it, or ask through it"


def held(port: str, proc: Path = PROC) -> str:
    """A sentence naming the program that holds `port`, as far as this user may know."""
    try:
        wanted = Path(port).stat()
        pid = next(_lockers(wanted, proc), None) or next(_openers(wanted, proc), None)
        if pid is not None:
            return f"{port} is held by {_name(proc / str(pid))} (pid {pid}): {REMEDY}"
    except OSError:
        pass  # no /proc to read, or whoever it was has just ended
    return f"{port} is held by another program, which only root may name (`fuser -v {port}`): {REMEDY}"


def _lockers(wanted: os.stat_result, proc: Path) -> Iterator[int]:
    """Who locked it; /proc/locks tells everybody."""
    file = f"{os.major(wanted.st_dev):02x}:{os.minor(wanted.st_dev):02x}:{wanted.st_ino}"
    for line in (proc / "locks").read_text().splitlines():
        words = line.split()
        if file in words and "->" not in words and words[4].isdigit():  # an arrow waits for a lock
            yield int(words[4])


def _openers(wanted: os.stat_result, proc: Path) -> Iterator[int]:
    """Who has it open, of those whose files this user may see."""
    for folder in sorted(proc.iterdir()):
        if folder.name.isdigit():
            try:
                if any(_is(fd, wanted) for fd in (folder / "fd").iterdir()):
                    yield int(folder.name)
            except OSError:
                continue  # ended just now, or another user's


def _is(fd: Path, wanted: os.stat_result) -> bool:
    try:
        found = fd.stat()
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == wanted.st_rdev


def _name(process: Path) -> str:
    """`cabinet` for /usr/bin/python3 /usr/bin/cabinet run, and for python -m cabinet."""
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    program = Path(words[0]).name
    if program.startswith("python") and len(words) > 2:
        program = words[2] if words[1] == "-m" else Path(words[1]).name
    return program or (process / "comm").read_text().strip()
