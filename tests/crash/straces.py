"""What `strace -f -yy -xx` wrote, as calls with decoded bytes.  Knows no file of ours and no database.

A call that another thread interrupts is told in two lines: its bytes count from the first (they may be out by then),
its success from the second.  Refuses a line it cannot read: a lost write would make a disk look safe.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FILES: Final = (
    "openat,pwrite64,pwritev,pwritev2,write,writev,fsync,fdatasync,sync_file_range,ftruncate,fallocate,unlink,unlinkat,"
    "rename,renameat,renameat2,mkdir"
)
SOCKETS: Final = "sendto,sendmsg"
LONGEST: Final = 1 << 24  # of one buffer, bytes: none is cut short

_BEGUN = re.compile(r"^(\d+) +(\w+)\((.*?)( <unfinished \.\.\.>)?$", re.DOTALL)
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_RESULT = re.compile(r"\) += (-?\d+|\?)(?:<[^\n]*>)?((?: E[A-Z]+)?[^\n]*)$")
_NOISE = re.compile(r"^\d+ +(\+\+\+|---)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_FD = re.compile(r"^(\d+)<(.*)$", re.DOTALL)


class StraceError(Exception):
    """A line that means nothing to us, or a buffer that was cut."""


@dataclass(frozen=True, slots=True)
class Call:
    begun: int  # number of the line in which it began
    ended: int
    name: str
    args: str
    result: int  # -1: failed
    injected: bool  # the kernel never saw it: strace answered in its place

    def texts(self) -> list[bytes]:
        """Every string among the arguments, buffers and paths alike; a descriptor's own path is none."""
        found = []
        head, rest = self._parted()
        for coded, cut in _TEXT.findall(rest if head else self.args):
            if cut:
                raise StraceError(f"line {self.begun}: a buffer was cut")
            found.append(bytes.fromhex(coded.replace("\\x", "")))
        return found

    def target(self) -> str:
        """What the first argument, a descriptor, stands for: a path, or `TCP:[…]`."""
        inner = self._parted()[0]
        plain = re.sub(r"(?:\\x[0-9a-f]{2})+", lambda m: bytes.fromhex(m.group().replace("\\x", "")).decode(), inner)
        return re.sub(r"<char .*$", "", plain).removesuffix(" (deleted)")

    def _parted(self) -> tuple[str, str]:
        """What the first argument stands for, and the other arguments; ("", all) where it is no descriptor."""
        found = _FD.match(self.args)
        if found is None:
            return "", self.args
        rest = found.group(2)
        end = re.search(r">(?=, |\)|$)", rest)
        return (rest, "") if end is None else (rest[: end.start()], rest[end.end() :])

    def last_number(self) -> int:
        return int(self.args.rsplit(",", 1)[1].strip())


def read(path: Path) -> list[Call]:
    """In the order in which they began."""
    with path.open(encoding="ascii") as lines:
        return sorted(_calls(lines), key=lambda call: call.begun)


def _calls(lines: Iterator[str]) -> Iterator[Call]:
    waiting: dict[tuple[str, str], tuple[int, str]] = {}
    for number, line in enumerate(map(str.rstrip, lines)):
        if _NOISE.match(line) or not line:
            continue
        resumed = _RESUMED.match(line)
        if resumed is not None:
            pid, name, rest = resumed.groups()
            begun, args = waiting.pop((pid, name))
            yield _call(begun, number, name, args + rest)
            continue
        found = _BEGUN.match(line)
        if found is None:
            raise StraceError(f"line {number}: {line[:200]}")
        pid, name, args, unfinished = found.groups()
        if unfinished:
            waiting[pid, name] = number, args
        else:
            yield _call(number, number, name, args)
    for (_, name), (number, args) in waiting.items():  # killed in the middle: the bytes may be out, nothing is sure
        yield Call(number, 1 << 60, name, args, -1, injected=False)


def _call(begun: int, ended: int, name: str, text: str) -> Call:
    found = _RESULT.search(text)
    if found is None:
        raise StraceError(f"line {begun}: no result in {text[-200:]}")
    result = -1 if found.group(1) == "?" else int(found.group(1))
    return Call(begun, ended, name, text[: found.start()], result, injected="INJECTED" in found.group(2))


@cache
def trouble() -> str | None:
    """Why strace cannot be used here; None: it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    words = ["strace", "-f", "--seccomp-bpf", "-e", "trace=write", "-o", "/dev/null", "true"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return None if done.returncode == 0 else f"strace cannot trace here: {done.stderr.strip()[:200]}"


def recording(out: Path, words: Sequence[str], *more: str) -> list[str]:
    """The command line that runs `words` under strace, as the caller's own child: signals and exit code are its."""
    return [
        "strace", "-D", "-f", "--seccomp-bpf", "-yy", "-xx", "-s", str(LONGEST), "-o", str(out),
        "-e", f"trace={FILES},{SOCKETS}", *more, *words,
    ]  # fmt: skip  # an option and its value


def attaching(pid: int, out: Path, *more: str) -> list[str]:
    """The command line that follows a running process until it ends."""
    return [
        "strace", "-f", "-yy", "-xx", "-s", str(LONGEST), "-o", str(out), "-p", str(pid),
        "-e", f"trace={FILES},{SOCKETS}", *more,
    ]  # fmt: skip  # likewise
