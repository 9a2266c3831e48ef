"""The board's end of the wire, as a microcontroller would write it: byte by byte, with its own constants.

Pure: bytes in, payloads out, time (ms since boot) as an argument.  It knows no message save the nonce in the
first one.
"""

import struct
from collections import deque

FRAMING = 1
DATA, ACK, STREAM, OPEN = 0, 1, 2, 3
MAX_PAYLOAD = 240
MAX_CODED = 247
RETRY_AFTER_MS = 100
MAX_TRIES = 8
MAX_WAITING = 64  # messages to the host; it asks for the status after any loss


def crc16(data: bytes | bytearray) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, no reflection, no final xor."""
    crc = 0xFFFF
    for byte in data:
        crc = ((crc << 8) & 0xFFFF) ^ _TABLE[(crc >> 8) ^ byte]
    return crc


def _table_entry(index: int) -> int:
    crc = index << 8
    for _ in range(8):
        crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


_TABLE = [_table_entry(index) for index in range(256)]


def encode_frame(kind: int, seq: int, payload: bytes) -> bytes:
    """One frame as on the wire, with its ending zero."""
    body = bytearray((FRAMING, kind, seq, len(payload))) + payload
    body += struct.pack("<H", crc16(body))
    out, code_at = bytearray(1), 0
    for byte in body:
        if byte:
            out.append(byte)
        else:
            out[code_at] = len(out) - code_at
            code_at = len(out)
            out.append(0)
    out[code_at] = len(out) - code_at
    out.append(0)
    return bytes(out)


def decode_frame(coded: bytes) -> tuple[int, int, bytes] | None:
    """(kind, seq, payload) of the bytes between two zeros; None for anything that is no frame."""
    body, at = bytearray(), 0
    while at < len(coded):
        end = at + coded[at]
        if end > len(coded):
            return None
        body += coded[at + 1 : end]
        if end < len(coded):
            body.append(0)
        at = end
    if len(body) < 6 or struct.unpack_from("<H", body, len(body) - 2)[0] != crc16(body[:-2]):
        return None
    if body[0] != FRAMING or body[1] > OPEN or body[3] != len(body) - 6:
        return None
    return body[1], body[2], bytes(body[4:-2])


class BoardLink:
    """The board's half: answers OPEN, acknowledges, repeats, numbers its streams, counts what was lost."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self._queue: deque[bytes] = deque()
        self._in_flight: bytes | None = None
        self._tries = 0
        self._retry_ms = 0
        self._next_seq = 0
        self._expected_seq = 0
        self._stream_seq = 0
        self._expected_stream = -1  # none yet
        self._outgoing = bytearray()
        self.opened_with: bytes | None = None  # payload of the OPEN that began this session
        self.bad_frames = 0
        self.lost_frames = 0

    def receive(self, data: bytes, now_ms: int) -> list[bytes]:
        """Payloads for the firmware, in order; that of a new OPEN is among them."""
        payloads: list[bytes] = []
        for byte in data:
            if byte:
                if len(self._tail) <= MAX_CODED:
                    self._tail.append(byte)
                continue
            coded, self._tail = bytes(self._tail), bytearray()
            if not coded:
                continue
            frame = decode_frame(coded) if len(coded) <= MAX_CODED else None
            if frame is None:
                self.bad_frames += 1
            else:
                payloads += self._received(*frame, now_ms)
        return payloads

    def send(self, payload: bytes, now_ms: int) -> None:
        """Reliably, within this session; without one it is forgotten (the host will ask)."""
        if self.opened_with is not None and len(self._queue) < MAX_WAITING:
            self._queue.append(payload)
            self._transmit_next(now_ms)

    def stream(self, payload: bytes) -> None:
        self._outgoing += encode_frame(STREAM, self._stream_seq, payload)
        self._stream_seq = (self._stream_seq + 1) & 0xFF

    def step(self, now_ms: int) -> None:
        """Repeat what is due; after the last try the session is over."""
        if self._in_flight is None or now_ms < self._retry_ms:
            return
        if self._tries == MAX_TRIES:
            self.opened_with = self._in_flight = None
            self._queue.clear()
        else:
            self._transmit(now_ms)

    def data_to_send(self) -> bytes:
        data, self._outgoing = bytes(self._outgoing), bytearray()
        return data

    def _received(self, kind: int, seq: int, payload: bytes, now_ms: int) -> list[bytes]:
        if kind == OPEN:
            return self._opened(seq, payload)
        if self.opened_with is None:
            return []
        if kind == DATA and seq in (self._expected_seq, (self._expected_seq - 1) & 0xFF):
            self._outgoing += encode_frame(ACK, seq, b"")
            if seq == self._expected_seq:
                self._expected_seq = (seq + 1) & 0xFF
                return [payload]
        elif kind == ACK and self._in_flight is not None and seq == self._next_seq:
            self._in_flight = None
            self._next_seq = (self._next_seq + 1) & 0xFF
            self._transmit_next(now_ms)
        elif kind == STREAM:
            if self._expected_stream >= 0:
                self.lost_frames += (seq - self._expected_stream) & 0xFF
            self._expected_stream = (seq + 1) & 0xFF
            return [payload]
        return []

    def _opened(self, seq: int, payload: bytes) -> list[bytes]:
        self._outgoing += encode_frame(ACK, seq, payload)
        if payload == self.opened_with:
            return []  # a repeat: only our ack was lost
        self.opened_with = payload
        self._queue.clear()
        self._in_flight = None
        self._next_seq, self._expected_seq, self._expected_stream = 0, (seq + 1) & 0xFF, -1
        return [payload]

    def _transmit_next(self, now_ms: int) -> None:
        if self._in_flight is None and self._queue:
            self._in_flight = self._queue.popleft()
            self._tries = 0
            self._transmit(now_ms)

    def _transmit(self, now_ms: int) -> None:
        if self._in_flight is not None:
            self._tries += 1
            self._retry_ms = now_ms + RETRY_AFTER_MS
            self._outgoing += encode_frame(DATA, self._next_seq, self._in_flight)
