# mypy: ignore-errors
# ruff: noqa: F821  viper's own types are no Python
"""The two inner loops of every frame in machine code, for MicroPython alone; `wire` has the same in Python.

Twelve zones are 120 frames a second, and in bytecode a frame costs a Pico about 2 ms.  Nothing is checked here: the
caller's sizes must be right.
"""

import micropython


@micropython.viper
def crc16(data: ptr8, size: int) -> int:
    """CRC-16/CCITT-FALSE of the first `size` bytes, without a table."""
    crc = 0xFFFF
    for at in range(size):
        x = (crc >> 8) ^ int(data[at])
        x ^= x >> 4
        crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF
    return crc


@micropython.viper
def stuff(body: ptr8, size: int, out: ptr8):  # noqa: ANN201  viper has no None
    """COBS of the first `size` bytes (at most 253) into `out`, with the ending zero: size + 2 bytes."""
    code_at = 0
    for at in range(size):
        byte = int(body[at])
        out[at + 1] = byte
        if byte == 0:
            out[code_at] = at + 1 - code_at
            code_at = at + 1
    out[code_at] = size + 1 - code_at
    out[size + 1] = 0
