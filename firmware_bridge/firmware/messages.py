"""What the board says, as payloads: the code, then the fields of PROTOCOL.md.  It packs, and judges nothing.

Times are ms since boot, already cut to 32 bits.
"""

import struct

from . import codes as c

_BATCHES: dict[int, str] = {}  # by the number of samples: the format


def hello_reply(
    protocol: int, boot_id: bytes, uptime_ms: int, layout: tuple[int, int, int], board_id: bytes, cause: int,
    keyed: bool, firmware: str,
) -> bytes:  # fmt: skip
    """`layout`: zones, conversions a second, capabilities."""
    numbers = struct.pack("<BB8sIBHH", c.HELLO_REPLY, protocol, boot_id, uptime_ms, *layout)
    return numbers + struct.pack("<8sBB", board_id, cause, keyed) + firmware.encode()


def status(shown: tuple[bool, bool, bool, bool], uptime_ms: int, faults: int, cells: int) -> bytes:
    """`shown`: door open, bolt home, lock driven, housing open."""
    return struct.pack("<BBBBBIIH", c.STATUS, *shown, uptime_ms, faults, cells)


def door(is_open: bool, t_ms: int) -> bytes:
    return struct.pack("<BBI", c.DOOR, is_open, t_ms)


def bolt(home: bool, t_ms: int) -> bytes:
    return struct.pack("<BBI", c.BOLT, home, t_ms)


def batch(code: int, zone: int, index: int, t_ms: int, spacing_us: int, samples: list[int]) -> bytes:
    """A Mass (dg) or a Raw (counts), with 1..48 samples."""
    count = len(samples)
    if count not in _BATCHES:
        _BATCHES[count] = f"<BBIIH{count}i"
    return struct.pack(_BATCHES[count], code, zone, index, t_ms, spacing_us, *samples)


def unlock_result(visit: bytes, answer: int) -> bytes:
    return struct.pack("<B16sB", c.UNLOCK_RESULT, visit, answer)


def lease_ended(visit: bytes, reason: int) -> bytes:
    return struct.pack("<B16sB", c.LEASE_ENDED, visit, reason)


def fault(code: int, detail: int, is_raised: bool, t_ms: int) -> bytes:
    return struct.pack("<BBBBI", c.FAULT, code, detail, is_raised, t_ms)


def temperature(probe: int, centi_c: int) -> bytes:
    return struct.pack("<BBh", c.TEMPERATURE, probe, centi_c)


def alive(t_ms: int, boot_id: bytes, nonce: bytes, damaged: int, lost: int, faults: int, next_entry: int) -> bytes:
    return struct.pack(
        "<BI8s8sHHII", c.ALIVE, t_ms, boot_id, nonce, damaged & 0xFFFF, lost & 0xFFFF, faults, next_entry
    )


def challenge(nonce: bytes) -> bytes:
    return struct.pack("<B8s", c.CHALLENGE, nonce)


def commissioned(answer: int) -> bytes:
    return struct.pack("<BB", c.COMMISSIONED, answer)


def journal_entry(entry: bytes) -> bytes:
    """`entry`: index, boot, t, kind, body, as the journal keeps it."""
    return bytes((c.JOURNAL_ENTRY,)) + entry


def journal_end(first: int, next_entry: int) -> bytes:
    return struct.pack("<BII", c.JOURNAL_END, first, next_entry)


def cell_report(report: bytes) -> bytes:
    """`report`: the fields after the code."""
    return bytes((c.CELL_REPORT,)) + report
