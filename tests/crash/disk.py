"""A disk that keeps what was synced, and of everything else whatever it likes, in whatever pieces.

Names and bytes are apart, as in a file system: a file that was synced and whose name was not is gone after a power
cut; a rename and the bytes of the renamed file reach the disk in either order.  Bytes of one write may arrive in part,
in sectors of 512.  Folders themselves (mkdir) are taken for granted.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.crash.record import Change, Create, Held, Op, Rename, Sync, Truncate, Unlink, Write

SECTOR: Final = 512

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the pending changes arrive, and of one of them perhaps only the bytes `torn[1]:torn[2]`."""

    kind: str
    kept: tuple[int, ...]
    torn: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Pending:
    at: int  # place in the record
    op: Change
    inode: int


@dataclass
class Disk:
    group: str  # which files: those whose name begins so
    believing: bool = False  # a sync that lied is taken for one that held
    names: dict[str, int] = field(default_factory=dict)  # on the disk
    inodes: dict[int, bytearray] = field(default_factory=dict)  # likewise
    pending: list[_Pending] = field(default_factory=list)
    syncs: int = 0  # how often something was held
    _live: dict[str, int] = field(default_factory=dict)  # as the running program sees it
    _made: int = 0

    def step(self, at: int, op: Op) -> bool:
        """Let it happen; True where it changes what a power cut may leave."""
        match op:
            case Held(file, data) if self._mine(file):
                self._made += 1
                self._live[file] = self.names[file] = self._made
                self.inodes[self._made] = bytearray(data)
                return False
            case Create(file) if self._mine(file):
                self._made += 1
                self._live[file] = self._made
            case Write() | Truncate() | Unlink() | Rename() if self._mine(op.file):
                pass
            case Sync() if (op.folder or self._mine(op.file)) and (self.believing or not op.lied):
                return self._hold(op)
            case _:
                return False
        inode = self._live[op.file]
        self.pending.append(_Pending(at, op, inode))
        if isinstance(op, Unlink | Rename):
            del self._live[op.file]
        if isinstance(op, Rename):
            self._live[op.to] = inode
        return True

    def _mine(self, file: str) -> bool:
        return file.startswith(self.group)

    def _hold(self, sync: Sync) -> bool:
        inode = self._live.get(sync.file)
        held = [each for each in self.pending if each.at < sync.upto and _holds(sync, each, inode)]
        self.pending = [each for each in self.pending if each not in held]
        for each in held:
            _apply(each, each.op, self.names, self.inodes)
        self.syncs += bool(held)
        return bool(held)

    def after(self, choice: Choice) -> Files:
        """What is found when the power comes back."""
        names, inodes = dict(self.names), dict(self.inodes)
        mine: set[int] = set()
        for place in choice.kept:
            each = self.pending[place]
            op = each.op
            if choice.torn is not None and choice.torn[0] == place and isinstance(op, Write):
                _, begin, end = choice.torn
                op = Write(op.file, op.offset + begin, op.data[begin:end])
            if each.inode not in mine and isinstance(op, Write | Truncate):
                mine.add(each.inode)
                inodes[each.inode] = bytearray(inodes.get(each.inode, b""))
            _apply(each, op, names, inodes)
        return {name: bytes(inodes.get(inode, b"")) for name, inode in names.items()}


def _holds(sync: Sync, pending: _Pending, inode: int | None) -> bool:
    if isinstance(pending.op, Write | Truncate):
        return not sync.folder and pending.inode == inode
    return sync.folder and (pending.op.file.rpartition("/")[0] or ".") == sync.file


def _apply(pending: _Pending, op: Change, names: dict[str, int], inodes: dict[int, bytearray]) -> None:
    match op:
        case Create(file):
            names[file] = pending.inode
        case Unlink(file):
            names.pop(file, None)
        case Rename(file, to):
            if names.get(file) == pending.inode:
                del names[file]
            names[to] = pending.inode
        case Write(_, offset, data):
            content = inodes.setdefault(pending.inode, bytearray())
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(data)] = data
        case Truncate(_, size):
            content = inodes.setdefault(pending.inode, bytearray())
            del content[size:]
            content.extend(bytes(size - len(content)))


def choices(disk: Disk, dice: random.Random, drawn: int, tears: int) -> Iterator[Choice]:
    """Nothing, everything, each alone, all but each, every beginning, `drawn` subsets, and `tears` torn writes.

    A subset is drawn among the newest changes more often than not: what is old is held already.
    """
    n = len(disk.pending)
    everything = tuple(range(n))
    yield Choice("none", ())
    if not n:
        return
    yield Choice("all", everything)
    for i in range(n):
        yield Choice("alone", (i,))
        yield Choice("all but one", everything[:i] + everything[i + 1 :])
        yield Choice("prefix", everything[: i + 1])
    for _ in range(drawn if n > 2 else 0):
        share = dice.choice((0.2, 0.5, 0.8))
        yield Choice("subset", tuple(i for i in everything if dice.random() < share))
    large = [i for i in everything if isinstance(op := disk.pending[i].op, Write) and len(op.data) > SECTOR]
    for _ in range(tears if large else 0):
        yield _torn(disk, dice, large, everything)


def _torn(disk: Disk, dice: random.Random, large: list[int], everything: tuple[int, ...]) -> Choice:
    place = dice.choice(large)
    op = disk.pending[place].op
    size = len(op.data) if isinstance(op, Write) else 0
    cut = SECTOR * dice.randrange(1, -(-size // SECTOR))
    kept = dice.choice((everything, everything[: place + 1], (place,)))
    return Choice("torn", kept, (place, 0, cut) if dice.random() < 0.7 else (place, cut, size))


def held(disk: Disk) -> Mapping[str, bytes]:
    """Only what is safe."""
    return disk.after(Choice("none", ()))
