"""From calls to what counts: bytes on their way to the disk, syncs that hold them there, words that left the cabinet.

A record is a list of operations in the order in which they began.  Shared memory (-shm) is left out: no power cut
leaves it behind.  Stills and ballast are left out as well: they are never synced and no bill hangs on them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.crash.straces import Call, StraceError

IGNORED: Final = ("-shm", ".jpg", ".lock", "ballast")
TOLD: Final = "told.log"  # where a cabinet without a board says what it would have ordered, just before


@dataclass(frozen=True, slots=True)
class Write:
    file: str  # below the recorded folder
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Create:
    file: str


@dataclass(frozen=True, slots=True)
class Unlink:
    file: str


@dataclass(frozen=True, slots=True)
class Rename:
    file: str
    to: str


@dataclass(frozen=True, slots=True)
class Sync:
    """Holds what began before number `upto`: a folder's names (`file` is then the folder), or a file's bytes."""

    file: str
    upto: int
    folder: bool
    lied: bool = False  # it said so, and held nothing


@dataclass(frozen=True, slots=True)
class Said:
    """Bytes that left: to the board, the broker, or whoever asked on the control socket."""

    to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """Lay there before, whole and safe."""

    file: str
    data: bytes


Change = Write | Truncate | Create | Unlink | Rename
Op = Change | Sync | Said | Held


@dataclass
class _Reader:
    root: str
    sizes: dict[str, int] = field(default_factory=dict)  # of the files that are there now

    def ops(self, call: Call) -> Iterator[Op]:
        if call.result < 0 and call.ended < 1 << 60:
            return
        match call.name:
            case "openat":
                yield from self._opened(call)
            case "pwrite64" | "write":
                yield from self._written(call)
            case "sendto":
                yield from self._sent(call)
            case "fsync" | "fdatasync":
                name = self._below(call.target())
                if name is not None:
                    yield Sync(name, call.begun, folder=name not in self.sizes, lied=call.injected)
            case "ftruncate":
                yield from self._truncated(call)
            case "unlink" | "unlinkat":
                name = self._below(call.texts()[0].decode())
                if name is not None and self.sizes.pop(name, None) is not None:
                    yield Unlink(name)
            case "rename":
                yield from self._renamed(call)
            case "mkdir":
                return
            case _:
                if self._below(call.target()) is not None or call.name.startswith("rename"):
                    raise StraceError(f"{call.name} is a change that is not understood: {call.args[:200]}")

    def _sent(self, call: Call) -> Iterator[Op]:
        """What may have left: of a call that never returned, all of it."""
        data = call.texts()[0]
        yield Said(call.target(), data if call.result < 0 else data[: call.result])

    def _below(self, path: str) -> str | None:
        if path == self.root:
            return "."
        if not path.startswith(f"{self.root}/") or path.endswith(IGNORED):
            return None
        return path.removeprefix(f"{self.root}/")

    def _opened(self, call: Call) -> Iterator[Op]:
        name = self._below(call.texts()[0].decode())
        if name is None or ("O_CREAT" not in call.args and "O_TRUNC" not in call.args):
            return
        if name not in self.sizes:
            self.sizes[name] = 0
            yield Create(name)
        if "O_TRUNC" in call.args:
            self.sizes[name] = 0
            yield Truncate(name, 0)

    def _written(self, call: Call) -> Iterator[Op]:
        target = call.target()
        if target.startswith("/dev/pts/"):
            yield Said("board", call.texts()[0][: call.result])
        if target.endswith(f"/{TOLD}"):
            yield Said(TOLD, call.texts()[0])
        name = self._below(target)
        if name is None:
            return
        data = call.texts()[0]
        data = data if call.result < 0 else data[: call.result]
        if name not in self.sizes:
            raise StraceError(f"{name} is written and was never made")
        at = call.last_number() if call.name == "pwrite64" else self.sizes[name]  # all others append
        self.sizes[name] = max(self.sizes[name], at + len(data))
        yield Write(name, at, data)

    def _truncated(self, call: Call) -> Iterator[Op]:
        name = self._below(call.target())
        if name is not None:
            self.sizes[name] = call.last_number()
            yield Truncate(name, self.sizes[name])

    def _renamed(self, call: Call) -> Iterator[Op]:
        name, to = (self._below(text.decode()) for text in call.texts())
        if name is not None and to is not None:
            self.sizes[to] = self.sizes.pop(name)
            yield Rename(name, to)


def ops_of(lives: Iterable[Iterable[Call]], root: Path, held: Mapping[str, bytes] | None = None) -> list[Op]:
    """Of every life of the program, one after the other on the same files.

    `held`: what lay there before the first; it counts as safe on the disk.
    """
    reader = _Reader(str(root))
    found: list[Op] = []
    for name, content in (held or {}).items():
        reader.sizes[name] = len(content)
        found.append(Held(name, content))
    for calls in lives:
        life: list[tuple[int, Op]] = []
        for call in calls:
            life += [(call.ended if isinstance(op, Sync) else call.begun, op) for op in reader.ops(call)]
        found += _renumbered(life, len(found))
    return found


def _renumbered(life: list[tuple[int, Op]], first: int) -> list[Op]:
    """A sync stands where it returned, covers what began before it was called; `upto` becomes a place in the list."""
    life.sort(key=lambda each: each[0])
    lines = [line for line, _ in life]
    return [replace(op, upto=first + bisect_left(lines, op.upto)) if isinstance(op, Sync) else op for _, op in life]
