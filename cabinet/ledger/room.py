"""What every room of the ledger stands on: the one file, and the few things about it that all of them need."""

import json
import struct
from collections.abc import Sequence
from typing import Any

from cabinet.ledger.errors import LedgerError
from cabinet.ledger.file import LedgerFile


class Room:
    """A topic of the ledger.  Rooms share one file and one connection; `Ledger` is all of them together."""

    _file: LedgerFile
    boot: str  # 8 random bytes, hexadecimal, drawn at each opening

    @property
    def store(self) -> str:
        """16 random bytes, hexadecimal, drawn when the database was made, and anew after a proven rollback."""
        found = self._file.row("SELECT store FROM identity")
        if found is None:
            raise LedgerError(f"the ledger {self._file.path} has lost its identity row")
        return str(found["store"])


def to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str) -> Any:  # noqa: ANN401  # JSON is what it is; the caller knows its own rows
    try:
        return json.loads(text)
    except ValueError as error:
        raise LedgerError(f"a row holds what is no JSON: {error}") from error


def pack(vector: Sequence[float]) -> bytes:
    """A vector as little-endian float32."""
    return struct.pack(f"<{len(vector)}f", *vector)


def unpack(blob: bytes) -> tuple[float, ...]:
    """The vector of a blob made by `pack`."""
    if len(blob) % 4:
        raise LedgerError(f"a vector of {len(blob)} bytes is no list of float32")
    return struct.unpack(f"<{len(blob) // 4}f", blob)
