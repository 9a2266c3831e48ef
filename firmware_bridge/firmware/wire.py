"""The board's end of the wire: frames, acknowledgements, repeats, numbered streams, and what goes first.

Pure: bytes in, payloads out, time (ms) as an argument.  It knows no message.  Memory is bounded whatever comes:
one frame half received, one acknowledgement, MAX_WAITING messages and MAX_STREAMS stream frames.
"""

FRAMING = 1
DATA, ACK, STREAM, OPEN = 0, 1, 2, 3
MAX_PAYLOAD = 240
MAX_CODED = 247
RETRY_AFTER_MS = 100
MAX_TRIES = 8
MAX_WAITING = 48  # messages; a host that acknowledges none of so many has lost the thread: it must begin anew
MAX_STREAMS = 32  # frames of masses: 250 ms of 12 zones


try:
    from .fast import crc16, stuff
except (ImportError, SyntaxError, AttributeError):  # no MicroPython, or one without viper

    def _entry(index: int) -> int:
        crc = index << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        return crc

    _TABLE = [_entry(index) for index in range(256)]

    def crc16(data: bytes | bytearray, size: int) -> int:
        """CRC-16/CCITT-FALSE of the first `size` bytes: polynomial 0x1021, start 0xFFFF, nothing reflected."""
        crc, table = 0xFFFF, _TABLE
        for byte in memoryview(data)[:size]:
            crc = ((crc << 8) & 0xFFFF) ^ table[(crc >> 8) ^ byte]
        return crc

    def stuff(body: bytes | bytearray, size: int, out: bytearray) -> None:
        """COBS of the first `size` bytes (at most 253) into `out`, with the ending zero: size + 2 bytes."""
        at = 0
        for run in bytes(body[:size]).split(b"\0"):
            end = at + 1 + len(run)
            out[at] = end - at
            out[at + 1 : end] = run
            at = end
        out[at] = 0


def encode_frame(kind: int, seq: int, payload: bytes) -> bytes:
    """One frame as on the wire, with its ending zero.  `payload` at most MAX_PAYLOAD bytes."""
    size = len(payload) + 6
    body = bytearray(size)
    body[0], body[1], body[2], body[3] = FRAMING, kind, seq, size - 6
    body[4:-2] = payload
    crc = crc16(body, size - 2)
    body[-2], body[-1] = crc & 0xFF, crc >> 8
    out = bytearray(size + 2)
    stuff(body, size, out)
    return bytes(out)


def decode_frame(coded: bytes) -> tuple[int, int, bytes] | None:
    """(kind, seq, payload) of the bytes between two zeros; None for anything that is no frame of ours."""
    size = len(coded)
    if size > MAX_CODED:
        return None
    body, at = bytearray(), 0
    while at < size:
        end = at + coded[at]
        if end > size:
            return None
        body += coded[at + 1 : end]
        if end < size:
            body.append(0)
        at = end
    if len(body) < 6 or body[0] != FRAMING or body[1] > OPEN or body[3] != len(body) - 6:
        return None
    if crc16(body, len(body) - 2) != body[-2] | body[-1] << 8:
        return None
    return body[1], body[2], bytes(body[4:-2])


class BoardLink:
    """Answers OPEN, acknowledges, repeats, numbers its streams, counts what was damaged and lost."""

    def __init__(self) -> None:
        self._tail = b""
        self._noise = False  # of a run too long for a frame only the end is awaited
        self._queue: list[bytes] = []
        self._in_flight: bytes | None = None
        self._tries = 0
        self._retry_ms = 0
        self._next_seq = 0
        self._expected_seq = 0
        self._expected_stream = -1  # none yet
        self._streams: list[bytes] = []
        self._first_stream = 0  # the seq of the oldest one waiting
        self._ack: bytes | None = None
        self._data_due = False
        self._started = b""  # what is left of a frame begun
        self.opened_with: bytes | None = None  # payload of the OPEN that began this session
        self.bad_frames = 0
        self.lost_frames = 0

    @property
    def has_data(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._started or self._ack is not None or self._data_due or self._streams)

    @property
    def waiting(self) -> int:
        """Messages not yet acknowledged."""
        return len(self._queue) + (self._in_flight is not None)

    def receive(self, data: bytes, now_ms: int) -> list[bytes]:
        """Payloads for the firmware, in order; that of a new OPEN is among them."""
        payloads: list[bytes] = []
        start = 0
        end = data.find(b"\0")
        while end >= 0:
            coded = self._tail + data[start:end] if self._tail else data[start:end]
            self._tail = b""
            if self._noise:
                self._noise = False
            elif coded:
                frame = decode_frame(coded)
                if frame is None:
                    self.bad_frames += 1
                else:
                    self._received(frame[0], frame[1], frame[2], now_ms, payloads)
            start = end + 1
            end = data.find(b"\0", start)
        self._keep(data[start:])
        return payloads

    def send(self, payload: bytes, now_ms: int) -> None:
        """Reliably, within this session; without one it is forgotten (the host will ask for the status)."""
        if self.opened_with is None:
            return
        if len(self._queue) == MAX_WAITING:
            self.close()
            return
        self._queue.append(payload)
        self._transmit_next(now_ms)

    def stream(self, payload: bytes) -> None:
        """Once, unacknowledged; when too many wait the oldest gives way, and its number shows as lost."""
        if len(self._streams) == MAX_STREAMS:
            self._streams.pop(0)
            self._first_stream = (self._first_stream + 1) & 0xFF
        self._streams.append(payload)

    def step(self, now_ms: int) -> None:
        """Repeat what is due; after the last try the session is over."""
        if self._in_flight is None or now_ms < self._retry_ms:
            return
        if self._tries == MAX_TRIES:
            self.close()
        else:
            self._transmit(now_ms)

    def close(self) -> None:
        """Forget the session; the host finds its nonce gone from Alive and begins anew."""
        self.opened_with = None
        self._forget()

    def data_to_send(self, room: int = 4096) -> bytes:
        """At most `room` bytes: the rest of a frame begun, an acknowledgement, a message, then the streams."""
        out = self._started or self._next_frame()
        if len(out) >= room:
            self._started = out[room:]
            return out[:room]
        self._started = b""
        while True:
            frame = self._next_frame()
            if not frame:
                return out
            left = room - len(out)
            out += frame[:left]
            if len(frame) >= left:
                self._started = frame[left:]
                return out

    def _next_frame(self) -> bytes:
        if self._ack is not None:
            frame, self._ack = self._ack, None
            return frame
        if self._data_due and self._in_flight is not None:
            self._data_due = False
            return encode_frame(DATA, self._next_seq, self._in_flight)
        if not self._streams:
            return b""
        seq = self._first_stream
        self._first_stream = (seq + 1) & 0xFF
        return encode_frame(STREAM, seq, self._streams.pop(0))

    def _keep(self, rest: bytes) -> None:
        if self._noise or not rest:
            return
        self._tail += rest
        if len(self._tail) > MAX_CODED:
            self._tail, self._noise = b"", True
            self.bad_frames += 1

    def _received(self, kind: int, seq: int, payload: bytes, now_ms: int, payloads: list[bytes]) -> None:
        if kind == OPEN:
            self._ack = encode_frame(ACK, seq, payload)
            if payload == self.opened_with:
                return  # a repeat: only our ack was lost
            self._forget()
            self.opened_with = payload
            self._next_seq, self._expected_seq, self._expected_stream = 0, (seq + 1) & 0xFF, -1
            payloads.append(payload)
        elif self.opened_with is None:
            return
        elif kind == DATA:
            if seq == self._expected_seq:
                self._expected_seq = (seq + 1) & 0xFF
                payloads.append(payload)
            elif seq != (self._expected_seq - 1) & 0xFF:
                return
            self._ack = encode_frame(ACK, seq, b"")
        elif kind == ACK:
            if self._in_flight is not None and seq == self._next_seq and not payload:
                self._in_flight, self._data_due = None, False
                self._next_seq = (self._next_seq + 1) & 0xFF
                self._transmit_next(now_ms)
        else:
            if self._expected_stream >= 0:
                self.lost_frames += (seq - self._expected_stream) & 0xFF
            self._expected_stream = (seq + 1) & 0xFF
            payloads.append(payload)

    def _forget(self) -> None:
        self._queue.clear()
        self._in_flight, self._data_due = None, False
        self._first_stream = (self._first_stream + len(self._streams)) & 0xFF  # their numbers are not used again
        self._streams.clear()

    def _transmit_next(self, now_ms: int) -> None:
        if self._in_flight is None and self._queue:
            self._in_flight = self._queue.pop(0)
            self._tries = 0
            self._transmit(now_ms)

    def _transmit(self, now_ms: int) -> None:
        self._tries += 1
        self._retry_ms = now_ms + RETRY_AFTER_MS
        self._data_due = True
