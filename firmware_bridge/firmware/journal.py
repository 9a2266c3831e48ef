"""What the board remembers of the lock and the shelves: a ring of 64 entries that survives resets and torn writes.

Indexes count from 1 and never restart while one entry is readable.  It decides nothing and raises nothing: a memory
that does not answer loses entries (`lost`), and one that could not be read at boot is not written at all, so that
no index is given twice; `first` and `next` are then 0.

A slot of 80 bytes holds: index u32 · boot u16 · t u32 ms · kind u8 · length u8 · body 0..64 · CRC-32 of all before it.
"""

import struct
from binascii import crc32

from .memory import JOURNAL_AT, Nv

SLOTS = 64
SLOT_BYTES = 80
MAX_BODY = 64
_HEAD = "<IHIBB"
_HEAD_BYTES = 12


class Journal:
    """The ring in `nv`, scanned once.  `first` is the oldest index that may be kept, `next` the one to be written."""

    def __init__(self, nv: Nv) -> None:
        self._nv = nv
        self.lost = 0  # entries the memory did not take
        indexes = []
        try:
            for slot in range(SLOTS):
                index = self._index_of(nv.read(JOURNAL_AT + slot * SLOT_BYTES, SLOT_BYTES))
                if index and (index - 1) % SLOTS == slot:
                    indexes.append(index)
            self.next = max(indexes) + 1 if indexes else 1
            kept = [index for index in indexes if index >= self.next - SLOTS]
            self.first = min(kept) if kept else self.next
        except OSError:
            self.first = self.next = 0

    def add(self, boot: int, t_ms: int, kind: int, body: bytes) -> None:
        """Write one entry over the oldest; `t_ms` since boot laps at 32 bits, `body` of more than 64 bytes is cut."""
        if not self.next:
            self.lost += 1
            return
        body = body[:MAX_BODY]
        entry = struct.pack(_HEAD, self.next, boot & 0xFFFF, t_ms & 0xFFFFFFFF, kind, len(body)) + body
        self.first = max(self.first, self.next - SLOTS + 1)  # whatever comes of it, the oldest is gone
        try:
            self._nv.write(self._at(self.next), entry + struct.pack("<I", crc32(entry)))
        except OSError:
            self.lost += 1
            return
        self.next += 1

    def read(self, start: int, most: int) -> list[bytes]:
        """Up to `most` payloads of `JournalEntry` (without its code) from index `start`, or the oldest, on.

        Each costs a read of 80 bytes: 2 ms of I2C at 400 kHz.
        """
        entries: list[bytes] = []
        index = max(start, self.first)
        while index < self.next and len(entries) < most:
            entry = self._entry(index)
            if entry:
                entries.append(entry)
            index += 1
        return entries

    def _entry(self, index: int) -> bytes:
        """The payload of one entry; empty if it is torn or cannot be read."""
        try:
            raw = self._nv.read(self._at(index), SLOT_BYTES)
        except OSError:
            return b""
        if self._index_of(raw) != index:
            return b""
        return raw[:11] + raw[_HEAD_BYTES : _HEAD_BYTES + raw[11]]

    @staticmethod
    def _at(index: int) -> int:
        return JOURNAL_AT + (index - 1) % SLOTS * SLOT_BYTES

    @staticmethod
    def _index_of(raw: bytes) -> int:
        """The index of a whole entry, else 0."""
        if len(raw) != SLOT_BYTES or raw[11] > MAX_BODY:
            return 0
        end = _HEAD_BYTES + raw[11]
        if struct.unpack("<I", raw[end : end + 4])[0] != crc32(raw[:end]):
            return 0
        index: int = struct.unpack("<I", raw[:4])[0]
        return index
