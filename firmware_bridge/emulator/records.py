"""What goes over the cable between the emulated chip and its surroundings: length u16, kind u8, fields.

Runs in MicroPython too, since the chip's end is there.  Times are µs of the machine's monotonic clock, which both
ends read, so that a late reader still knows when it was.
"""

import struct

# to the chip
IMAGE = 1  # at u16, bytes: what the memory holds at power-on; before START
START = 2  # JSON: how the chip was built and why it starts
INPUTS = 3  # bits u16 as below, probe u16
SAMPLES = 4  # end of the conversion u64, slips u16, i32 a zone, NO_CONVERSION for none
RECEIVED = 5  # bytes that came in from the wire
MEMORY = 6  # mode u8 of the memory
ASK = 7  # tell what the board thinks

# from the chip
OUTPUTS = 16  # at u64, relay u8, until when the pump is fed u64, lamp u8, buzzer u8, watchdog fed u8
SENT = 17  # when its last byte has left the UART u64, bytes
STORED = 18  # at u16, bytes: written to the memory
TOLD = 19  # JSON: what the board thinks

MOST = 4096  # bytes read at once
NO_CONVERSION = -(2**31)
DOOR_A_SHUT, DOOR_B_SHUT, BOLT_HOME, HOUSING_OPEN = 1, 2, 4, 8
FIRST_BREAK = 4  # the bit of the first of DRIVE_BREAKS: the coil's current is worked out beside the chip

_OUTPUTS = "<BQBQBBB"
_SAMPLES = "<BQH"
_SAMPLES_HEAD = 11  # bytes


class Splitter:
    """Records out of the bytes of a stream, however they were cut."""

    def __init__(self) -> None:
        self._tail = b""

    def push(self, data: bytes) -> list[bytes]:
        data = self._tail + data if self._tail else data
        found: list[bytes] = []
        at = 0
        while at + 2 <= len(data):
            end = at + 2 + data[at] + 256 * data[at + 1]
            if end > len(data):
                break
            found.append(data[at + 2 : end])
            at = end
        self._tail = data[at:]
        return found


def framed(record: bytes) -> bytes:
    """As it goes over the stream."""
    return struct.pack("<H", len(record)) + record


def inputs(bits: int, probe: int) -> bytes:
    return struct.pack("<BHH", INPUTS, bits, probe)


def read_inputs(record: bytes) -> tuple[int, int]:
    """(bits, probe)."""
    _, bits, probe = struct.unpack("<BHH", record)
    return bits, probe


def samples(t_us: int, raws: list[int | None], slips: int) -> bytes:
    counts = [NO_CONVERSION if raw is None else raw for raw in raws]
    return struct.pack(_SAMPLES, SAMPLES, t_us, slips) + struct.pack("<%di" % len(counts), *counts)  # noqa: UP031  MP


def read_samples(record: bytes) -> tuple[int, list[int | None], int]:
    """(t_us, counts or None a zone, slips)."""
    _, t_us, slips = struct.unpack_from(_SAMPLES, record, 0)
    counts = struct.unpack_from("<%di" % ((len(record) - _SAMPLES_HEAD) // 4), record, _SAMPLES_HEAD)  # noqa: UP031  MP
    return t_us, [None if raw == NO_CONVERSION else raw for raw in counts], slips


def outputs(at_us: int, relay: bool, pump_us: int, lamp: int, buzzer: int, fed: bool) -> bytes:  # noqa: FBT001  pins
    return struct.pack(_OUTPUTS, OUTPUTS, at_us, relay, pump_us, lamp, buzzer, fed)


def read_outputs(record: bytes) -> tuple[int, bool, int, int, int, bool]:
    """(at_us, relay, pump_us, lamp, buzzer, fed)."""
    _, at_us, relay, pump_us, lamp, buzzer, fed = struct.unpack(_OUTPUTS, record)
    return at_us, bool(relay), pump_us, lamp, buzzer, bool(fed)


def sent(left_us: int, data: bytes) -> bytes:
    return struct.pack("<BQ", SENT, left_us) + data


def read_sent(record: bytes) -> tuple[int, bytes]:
    """(left_us, bytes)."""
    return struct.unpack_from("<BQ", record, 0)[1], record[9:]


def placed(kind: int, at: int, data: bytes) -> bytes:
    """IMAGE or STORED."""
    return struct.pack("<BH", kind, at) + data


def read_placed(record: bytes) -> tuple[int, bytes]:
    """(at, bytes)."""
    return struct.unpack_from("<BH", record, 0)[1], record[3:]
