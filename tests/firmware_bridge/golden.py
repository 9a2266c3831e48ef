"""The golden bytes of PROTOCOL.md."""

from dataclasses import dataclass
from pathlib import Path

import firmware_bridge

PAGE = Path(firmware_bridge.__file__).with_name("PROTOCOL.md")


@dataclass(frozen=True)
class Golden:
    """One line of the page: the name, the frame as it goes over the wire, kind, seq and payload."""

    name: str
    kind: str
    seq: int
    payload: bytes
    frame: bytes


def golden() -> dict[str, Golden]:
    """The block of golden bytes, by name."""
    text = PAGE.read_text(encoding="utf-8").split("```golden\n")[1].split("```")[0]
    rows = [line.split() for line in text.splitlines()]
    return {
        name: Golden(name, kind, int(seq), bytes.fromhex(payload.strip("-")), bytes.fromhex(frame))
        for name, kind, seq, payload, frame in rows
    }


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE as the page says it, bit by bit: neither side's."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
