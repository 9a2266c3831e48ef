"""An SQLite file read as bytes, for the day when SQLite itself refuses it (file format: sqlite.org/fileformat2.html).

`whole` joins file and write-ahead log as SQLite would; `rows` finds the records on every page that still looks like a
table's leaf, whatever has become of the tree above it.  Nothing here writes, and nothing is believed: what a record
means, and whether it is right, is judged by whoever asked.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

Value = int | float | str | bytes | None

PAGE: Final = 4096  # our files' page size: SQLite's own default, which we never change
MAGIC: Final = b"SQLite format 3\x00"
LEAF: Final = 0x0D  # a table's leaf
WAL_HEADER: Final = struct.Struct(">8I")
FRAME_HEADER: Final = struct.Struct(">6I")
LOCAL_MAX: Final = PAGE - 35  # of a record, before it flows over into pages of its own
LOCAL_MIN: Final = (PAGE - 12) * 32 // 255 - 23
SIZES: Final = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)  # bytes of the serial types 0 … 9


def whole(path: Path, *, mark: int, version: int) -> bytearray:
    """The file with its write-ahead log applied, and with a header that SQLite accepts.  Raises OSError.

    Only frames that SQLite itself would take are applied: up to the last commit before the first bad checksum.
    """
    content = bytearray(path.read_bytes())
    content += bytes(-len(content) % PAGE)
    log = path.with_name(path.name + "-wal")
    if log.exists():
        _apply(content, log.read_bytes())
    if content:
        content[:100] = _header(len(content) // PAGE, mark, version)
    return content


def _apply(content: bytearray, log: bytes) -> None:
    pending: dict[int, bytes] = {}
    for number, commits, page in _frames(log):
        pending[number] = page
        if commits:
            needed = max(commits, *pending) * PAGE
            content += bytes(max(0, needed - len(content)))
            for place, new in pending.items():
                content[(place - 1) * PAGE : place * PAGE] = new
            pending.clear()


def _frames(log: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(page number, size of the file in pages if this ends a commit else 0, page)."""
    if len(log) < WAL_HEADER.size:
        return
    magic, _, size, _, salt1, salt2, *told = WAL_HEADER.unpack_from(log)
    order = ">" if magic & 1 else "<"
    summed = _checksum(log[:24], order, (0, 0))
    if magic >> 1 != 0x377F0682 >> 1 or size != PAGE or summed != tuple(told):
        return
    for at in range(WAL_HEADER.size, len(log) - FRAME_HEADER.size - PAGE + 1, FRAME_HEADER.size + PAGE):
        number, commits, frame1, frame2, *told = FRAME_HEADER.unpack_from(log, at)
        page = log[at + FRAME_HEADER.size : at + FRAME_HEADER.size + PAGE]
        summed = _checksum(page, order, _checksum(log[at : at + 8], order, summed))
        if (frame1, frame2) != (salt1, salt2) or summed != tuple(told) or number == 0:
            return
        yield number, commits, page


def _checksum(content: bytes, order: str, before: tuple[int, int]) -> tuple[int, int]:
    one, two = before
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def _header(pages: int, mark: int, version: int) -> bytes:
    """As a file of ours has it, with an empty list of free pages (they hold zeros: secure_delete) and no log."""
    head = MAGIC + struct.pack(">HBBBBBB", PAGE, 1, 1, 0, 64, 32, 32)
    head += struct.pack(">12I", 1, pages, 0, 0, 1, 4, 0, 0, 1, version, 0, mark)
    return head + bytes(20) + struct.pack(">II", 1, 3_040_001)


def rows(content: bytes | bytearray) -> Iterator[list[Value]]:
    """Every record on a table's leaf; the rowid stands where a column is its alias.  Damaged cells are passed over."""
    for number in range(len(content) // PAGE):
        begin = number * PAGE
        at = begin + (100 if number == 0 else 0)
        if content[at] != LEAF:
            continue
        cells = min(struct.unpack_from(">H", content, at + 3)[0], PAGE // 4)
        for cell in range(cells):
            place = at + 8 + 2 * cell
            if place + 2 > begin + PAGE:
                break
            offset = struct.unpack_from(">H", content, place)[0]
            try:
                yield _record(content, begin, offset)
            except (IndexError, ValueError, struct.error):  # bytes that are no record
                continue


def _record(content: bytes | bytearray, begin: int, offset: int) -> list[Value]:
    if not 8 <= offset < PAGE:
        raise ValueError("a cell outside its page")
    size, at = _varint(content, begin + offset)
    rowid, at = _varint(content, at)
    if size > 1 << 20:  # the longest rows of ours, pictures, have some 20 KiB
        raise ValueError("a record too long to be ours")
    payload = _payload(content, begin, at, size)
    head, place = _varint(payload, 0)
    kinds: list[int] = []
    while place < head:
        kind, place = _varint(payload, place)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        value, place = _value(payload, kind, place)
        values.append(value)
    if place != size or not values:
        raise ValueError("a record that does not fill its cell")
    return [rowid if values[0] is None else values[0], *values[1:]]


def _payload(content: bytes | bytearray, begin: int, at: int, size: int) -> bytes:
    """A long record goes on in a chain of pages."""
    if size <= LOCAL_MAX:
        local, chained = size, False
    else:
        spare = LOCAL_MIN + (size - LOCAL_MIN) % (PAGE - 4)
        local, chained = spare if spare <= LOCAL_MAX else LOCAL_MIN, True
    if at + local > begin + PAGE:
        raise ValueError("a record outside its page")
    payload = bytes(content[at : at + local])
    page = struct.unpack_from(">I", content, at + local)[0] if chained else 0
    while len(payload) < size:
        if not 0 < page <= len(content) // PAGE:
            raise ValueError("a chain that leads nowhere")
        start = (page - 1) * PAGE
        payload += bytes(content[start + 4 : start + min(PAGE, 4 + size - len(payload))])
        page = struct.unpack_from(">I", content, start)[0]
    return payload


def _varint(content: bytes | bytearray, at: int) -> tuple[int, int]:
    value = 0
    for n in range(8):
        byte = content[at + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    return value << 8 | content[at + 8], at + 9


def _value(payload: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind in {10, 11}:
        raise ValueError("a kind of value that is not in use")
    size = SIZES[kind] if kind < 10 else (kind - 12) // 2
    raw, end = payload[at : at + size], at + size
    if len(raw) != size:
        raise ValueError("a value beyond its record")
    if kind in {0, 8, 9}:
        return (None, 0, 1)[max(0, kind - 7)], end
    if kind == 7:
        return struct.unpack(">d", raw)[0], end
    if kind < 7:
        return int.from_bytes(raw, "big", signed=True), end
    return (raw.decode() if kind % 2 else raw), end
