"""What the board keeps over a reset: key, limits, calibration, boots, each in two copies that cannot tear both.

It decides nothing.  It never overwrites what it could not read: a chip silent at boot makes `damaged`, and every
`save` is refused until a boot that can read it.

Layout of the 8192 bytes (MB85RC64 FRAM: byte-writable, no erase, no wait, 10^12 writes and more):

| from | bytes | what |
|---|---|---|
| 0x0000 | 2 x 192 | settings: key 32 · per hour u16 · per day u16 · 12 zeros i32 · 12 spans u32 |
| 0x0180 | 2 x 32 | boots: count u32 |
| 0x01C0 | 2 x 32 | budget: levels of the hour u32 and of the day u32 (seal.py) |
| 0x0200 | 0x0200 | free |
| 0x0400 | 64 x 80 | journal (journal.py) |
| 0x1800 | 0x0800 | free |

A record is: tag u8 (which record, which layout) · sequence u32 · the data · CRC-32 of all before it.  The newer
sequence counts; a write goes to the other copy, so a write torn anywhere leaves the older one.
"""

import struct
from binascii import crc32

from . import codes as c

NV_BYTES = 8192
SETTINGS_AT, SETTINGS_STRIDE, SETTINGS_TAG = 0x0000, 192, 0x53
BOOTS_AT, BOOTS_STRIDE, BOOTS_TAG = 0x0180, 32, 0x42
BUDGET_AT, BUDGET_STRIDE, BUDGET_TAG = 0x01C0, 32, 0x44
JOURNAL_AT = 0x0400

GOOD = 0  # at least one copy is valid
BLANK = 1  # never written, or torn in its very first write
BAD = 2  # something is there, and no copy is valid
SILENT = 3  # the chip did not answer

KEY_BYTES = 32
SETTINGS_BYTES = KEY_BYTES + 4 + 12 * 8
PIECE = 16  # bytes `check` reads at a time: half a millisecond of I2C at 400 kHz
_LIMITS = "<HH"
_ZEROS = "<12i"
_SPANS = "<12I"


class Nv:
    """The non-volatile memory: NV_BYTES bytes.  Both raise OSError if the chip does not answer."""

    def read(self, at: int, n: int) -> bytes:
        """`n` bytes from address `at`."""
        raise NotImplementedError

    def write(self, at: int, data: bytes) -> None:
        """All of `data` from address `at` on; a power cut may leave any first part of it."""
        raise NotImplementedError


class Record:
    """`size` bytes in two copies, `stride` apart."""

    def __init__(self, nv: Nv, at: int, stride: int, tag: int, size: int) -> None:
        self._nv, self._at, self._stride, self._tag, self._size = nv, at, stride, tag, size
        self._sequence = 0
        self._newest = 1  # the copy not to write next
        self.images: list[bytes | None] = [None, None]  # what each valid copy holds
        self.state = SILENT

    def load(self) -> bytes | None:
        """The newest valid data, or None; `state` says why not."""
        found: bytes | None = None
        torn = blank = 0
        self._sequence = 0
        for copy in (0, 1):
            try:
                image = self._nv.read(self._at + copy * self._stride, self._size + 9)
            except OSError:
                self.state = SILENT
                return None
            sequence = self._judge(image)
            self.images[copy] = image if sequence else None
            if sequence > self._sequence:
                self._sequence, self._newest, found = sequence, copy, image[5:-4]
            elif not sequence:
                if image in (b"\x00" * len(image), b"\xff" * len(image)):
                    blank += 1
                else:
                    torn += 1
        self.state = GOOD if found is not None else BAD if torn == 2 else BLANK
        if found is not None and torn + blank:
            self.save(found)  # mend the copy that a torn write or a flipped bit has cost
        return found

    def save(self, data: bytes) -> bool:
        """Write over the older copy and read it back; then the other one too if it is not valid."""
        if self.state == SILENT or not self._write(1 - self._newest, data):
            return False
        self.state = GOOD
        if self.images[1 - self._newest] is None:
            self._write(1 - self._newest, data)
        return True

    def _write(self, copy: int, data: bytes) -> bool:
        image = struct.pack("<BI", self._tag, self._sequence + 1) + data
        image += struct.pack("<I", crc32(image))
        at = self._at + copy * self._stride
        try:
            self._nv.write(at, image)
            kept = self._nv.read(at, len(image)) == image  # a write-protected chip acknowledges and keeps nothing
        except OSError:
            kept = False
        if not kept:
            self.images[copy] = None
            return False
        self._sequence, self._newest = self._sequence + 1, copy
        self.images[copy] = image
        return True

    def _judge(self, image: bytes) -> int:
        """The sequence number of a valid image, else 0."""
        if len(image) != self._size + 9 or image[0] != self._tag:
            return 0
        if struct.unpack("<I", image[-4:])[0] != crc32(image[:-4]):
            return 0
        sequence: int = struct.unpack("<BI", image[:5])[1]
        return sequence


class Memory:
    """The settings of a board of `zones` zones, loaded, and this boot counted.  No exception of `nv` escapes.

    `key` (b"" none), `per_hour`, `per_day`, `zeros` (counts) and `spans` (2^-24 dg per count, 0 not calibrated)
    may be changed by whoever then calls `save`.  `boots` counts up to 65 535 and laps.  `damaged` is fault 20.
    """

    def __init__(self, nv: Nv, zones: int) -> None:
        self.key = b""
        self.per_hour = self.per_day = 0
        self._zones = zones
        self._all_zeros, self._all_spans = [0] * c.MOST_ZONES, [0] * c.MOST_ZONES
        self._settings = Record(nv, SETTINGS_AT, SETTINGS_STRIDE, SETTINGS_TAG, SETTINGS_BYTES)
        data = self._settings.load()
        if data is not None:
            self._unpack(data)
        self.zeros, self.spans = self._all_zeros[:zones], self._all_spans[:zones]
        self.damaged = self._settings.state in (BAD, SILENT)
        self._nv, self._piece, self._rotten = nv, 0, 0
        self.boots = self._count_boot(nv)

    def save(self) -> bool:
        """Store the settings; False, and damaged, if the memory did not take them."""
        self._all_zeros[: self._zones], self._all_spans[: self._zones] = self.zeros, self.spans
        key = self.key or bytes(KEY_BYTES)  # a key of zeros is no key
        data = key + struct.pack(_LIMITS, self.per_hour, self.per_day)
        data += struct.pack(_ZEROS, *self._all_zeros) + struct.pack(_SPANS, *self._all_spans)
        self.damaged = not self._settings.save(data)
        self._piece = self._rotten = 0
        return not self.damaged

    def check(self) -> bool:
        """Read the next PIECE bytes of the settings and hold them against what was stored; False if damaged.

        18 calls look at all of both copies.  A chip that does not answer shows at once, two copies that no longer
        hold what they should within two rounds; `save` mends them.
        """
        size = SETTINGS_BYTES + 9
        pieces = (size + PIECE - 1) // PIECE
        copy, at = self._piece // pieces, self._piece % pieces * PIECE
        try:
            read = self._nv.read(SETTINGS_AT + copy * SETTINGS_STRIDE + at, min(PIECE, size - at))
        except OSError:
            self.damaged = True
            return False
        settings = self._settings
        if settings.state in (BAD, SILENT):
            return False  # it answers, but what it holds was never understood
        if settings.state == GOOD:
            image = settings.images[copy]
            if image is None or read != image[at : at + PIECE]:
                settings.images[copy] = None
                self._rotten |= 1 << copy
        self._piece = (self._piece + 1) % (2 * pieces)
        if self._rotten == 3:
            self.damaged = True
        elif not self._piece:
            self.damaged = False
        if not self._piece:
            self._rotten = 0
        return not self.damaged

    def _unpack(self, data: bytes) -> None:
        key = data[:KEY_BYTES]
        self.key = b"" if key == bytes(KEY_BYTES) else key
        self.per_hour, self.per_day = struct.unpack(_LIMITS, data[32:36])
        self._all_zeros = list(struct.unpack(_ZEROS, data[36:84]))
        self._all_spans = list(struct.unpack(_SPANS, data[84:132]))

    def _count_boot(self, nv: Nv) -> int:
        record = Record(nv, BOOTS_AT, BOOTS_STRIDE, BOOTS_TAG, 4)
        data = record.load()
        boots: int = ((struct.unpack("<I", data)[0] if data is not None else 0) + 1) & 0xFFFF
        if not record.save(struct.pack("<I", boots)):
            self.damaged = True
        return boots
