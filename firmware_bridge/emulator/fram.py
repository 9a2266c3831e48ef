"""The non-volatile memory on the board: 8192 bytes that keep what was written when the power goes (MB85RC64).

Runs in MicroPython too, since the emulated chip holds one.  It knows nothing of what the bytes mean.
"""

from firmware_bridge.firmware.memory import NV_BYTES, Nv

SIZE = NV_BYTES
SOUND, DEAD, CORRUPT = 0, 1, 2
EIO = 5  # what a bus gives where nobody acknowledges


class Fram(Nv):
    """`mode` DEAD does not answer; CORRUPT stores well and reads back every eighth byte with a bit turned."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(SIZE)
        self.content[: len(content)] = content
        self.mode = SOUND

    def read(self, at: int, n: int) -> bytes:
        """OSError of a dead chip; ValueError beyond the end."""
        self._check(at, n)
        data = bytearray(self.content[at : at + n])
        if self.mode == CORRUPT:
            for index in range(n):
                if (at + index) % 8 == 3:
                    data[index] ^= 0x10
        return bytes(data)

    def write(self, at: int, data: bytes) -> None:
        """OSError of a dead chip; ValueError beyond the end."""
        self._check(at, len(data))
        self.content[at : at + len(data)] = data

    def _check(self, at: int, n: int) -> None:
        if self.mode == DEAD:
            raise OSError(EIO)
        if at < 0 or n < 0 or at + n > SIZE:
            raise ValueError("beyond the end of the memory")
