"""The board's non-volatile memory, an MB85RC64 (8 KiB of FRAM): bytes in place, no erasing, no waiting.

Every read asks the chip, so that one that has died or forgotten shows.  It knows nothing of what is kept.
"""

from machine import I2C

from .memory import NV_BYTES, Nv

ADDRESS = 0x50  # A0..A2 to ground
CHUNK = 64  # bytes a transfer: 1.6 ms at 400 kHz, 6 ms at 100 kHz


class Fram(Nv):
    """OSError while the chip does not answer; ValueError for a place it has not."""

    def __init__(self, bus: I2C, address: int = ADDRESS) -> None:
        self._bus, self._address = bus, address

    def read(self, at: int, n: int) -> bytes:
        check(at, n)
        if n <= CHUNK:
            return bytes(self._bus.readfrom_mem(self._address, at, n, addrsize=16))
        return self.read(at, CHUNK) + self.read(at + CHUNK, n - CHUNK)

    def write(self, at: int, data: bytes) -> None:
        check(at, len(data))
        for start in range(0, len(data), CHUNK):
            self._bus.writeto_mem(self._address, at + start, data[start : start + CHUNK], addrsize=16)


def check(at: int, n: int) -> None:
    if not 0 <= at <= at + n <= NV_BYTES:
        raise ValueError(f"{n} bytes at {at} of {NV_BYTES}")
