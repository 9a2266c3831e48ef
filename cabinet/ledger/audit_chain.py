"""Lines of the audit trail as values: what one holds, how they hang together, and what is wrong with a chain."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cabinet.ledger.entries import Quality
from cabinet.wire import canonical

Result = Literal["begun", "ok", "refused"]
FIELDS: Final = (
    "n", "ends", "boot", "mono_ms", "wall_ms", "quality", "who", "technician", "op", "subject", "result", "error",
)  # fmt: skip  # what the hash covers, beside the previous hash


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One row, as it is hashed."""

    n: int
    ends: int | None
    boot: str
    mono_ms: int
    wall_ms: int
    quality: Quality
    who: str
    technician: str | None
    op: str
    subject: str
    result: Result
    error: str
    prev: str
    h: str


@dataclass(frozen=True, slots=True)
class Audited:
    """One operation for people to read.  `result` "begun": its end was never told, as where the power went."""

    n: int
    wall_ms: int
    quality: Quality
    who: str
    technician: str | None
    name: str | None  # of the technician
    op: str
    subject: str
    result: Result
    error: str


@dataclass
class Chain:
    """Looks at lines in their order, from the floor on, a batch at a time."""

    n: int
    h: str
    lines: int = 0
    broken: str = ""  # the first thing that is wrong

    def follow(self, lines: Iterable[AuditLine]) -> None:
        for line in lines:
            if not self.broken:
                self.broken = self._wrong(line)
            self.lines += 1
            self.n, self.h = line.n, line.h

    def ends(self, head: tuple[int, str]) -> None:
        """`head`: the newest line that there was."""
        if self.broken:
            return
        if self.n < head[0]:
            self.broken = f"lines {self.n + 1} to {head[0]} are missing at the end"
        elif (self.n, self.h) != head:
            self.broken = f"line {self.n} is not the one that was written last"

    def _wrong(self, line: AuditLine) -> str:
        if line.n != self.n + 1:
            return f"lines {self.n + 1} to {line.n - 1} are missing"
        if line.prev != self.h:
            return f"line {line.n} does not follow line {self.n}"
        if line_hash([getattr(line, name) for name in FIELDS], line.prev) != line.h:
            return f"line {line.n} is not what was written"
        return ""


def line_hash(values: Sequence[object], prev: str) -> str:
    """SHA-256 of the canonical JSON of the values, in the order of FIELDS, and the previous hash; hexadecimal."""
    return hashlib.sha256(canonical(values) + prev.encode()).hexdigest()
