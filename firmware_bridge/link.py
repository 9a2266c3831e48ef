"""The host's end of a lossy wire: orders arrive once and in order, streams are numbered.  No I/O, no clock.

DATA is stop-and-wait: sent, acknowledged, repeated until it is.  STREAM is sent once; its numbers show what
was lost, and what was lost is counted, never made up.  OPEN begins a session and forgets the one before.

The shell's whole duty:  `receive` what the port gave, write `data_to_send`, hand `messages` on, and call
`deadline_reached` at `deadline_s`.
"""

from collections import deque

from firmware_bridge.errors import BridgeError, LinkDown, WrongProtocol
from firmware_bridge.frames import END, FRAMING, Decoder, Frame, Kind

RETRY_AFTER_S = 0.1  # a full round trip of the longest frames at 115200 baud takes about 45 ms
MAX_TRIES = 8  # 0.8 s of silence: longer than any lease survives without a heartbeat
OPEN_RETRY_S = 0.25
OPEN_MAX_TRIES = 12  # 3 s: a board that reboots when its port is opened is up by then
MAX_WAITING = 32  # orders; more means that nobody looks at the errors


class Link:
    """One end of the wire.  All times are seconds on the caller's monotonic clock."""

    def __init__(self, max_tries: int = MAX_TRIES) -> None:
        self._max_tries = max_tries
        self._decoder = Decoder()
        self._queue: deque[bytes] = deque()
        self._inbox: list[bytes] = []
        self._outgoing = bytearray()
        self._in_flight: Frame | None = None
        self._tries = 0
        self._next_seq = 0  # of what we send
        self._expected_seq = 0  # of what we receive
        self._stream_seq = 0  # of what we send
        self._expected_stream: int | None = None  # of what we receive; unknown before the first
        self.is_open = False
        self.sent = 0  # orders taken by `send` in this session
        self.acknowledged = 0  # of those, how many the board has
        self.stream_lost = 0  # numbered frames of the board that never came
        self.deadline_s: float | None = None

    @property
    def frames_dropped(self) -> int:
        """Frames that arrived damaged since this link was made."""
        return self._decoder.dropped

    @property
    def waiting(self) -> int:
        """Orders not yet sent for the first time."""
        return len(self._queue)

    def open(self, payload: bytes, now_s: float) -> None:
        """Begin a session.  `payload` must differ from the last session's (it carries a nonce)."""
        self._queue.clear()
        self.is_open = False
        self._next_seq, self._expected_seq, self._expected_stream = 1, 0, None
        self._tries, self.sent, self.acknowledged = 0, 0, 0
        self._in_flight = Frame(Kind.OPEN, 0, payload)
        self._outgoing += END  # ends whatever a predecessor left half written
        self._transmit(now_s)

    def send(self, message: bytes, now_s: float) -> int:
        """Queue an order; it is delivered once `acknowledged` reaches the number given back."""
        if len(self._queue) >= MAX_WAITING:
            raise BridgeError(f"{MAX_WAITING} orders are waiting for the board already")
        self._queue.append(message)
        self._transmit_next(now_s)
        self.sent += 1
        return self.sent

    def stream(self, message: bytes) -> None:
        """Send once, unacknowledged."""
        self._outgoing += Frame(Kind.STREAM, self._stream_seq, message).to_bytes()
        self._stream_seq = (self._stream_seq + 1) % 256

    def receive(self, data: bytes, now_s: float) -> None:
        for frame in self._decoder.feed(data):
            if frame.kind is Kind.ACK:
                self._ack_received(frame, now_s)
            elif not self.is_open:
                pass  # of a session that is over: neither heard nor acknowledged
            elif frame.kind is Kind.DATA:
                self._data_received(frame)
            elif frame.kind is Kind.STREAM:
                self._stream_received(frame)

    def deadline_reached(self, now_s: float) -> None:
        """Repeat what was not acknowledged.  LinkDown after the last try; WrongProtocol if the answers
        have another framing.
        """
        if self._in_flight is None:
            return
        if self._tries == (OPEN_MAX_TRIES if self._in_flight.kind is Kind.OPEN else self._max_tries):
            if self._decoder.foreign is not None:
                raise WrongProtocol(FRAMING, self._decoder.foreign, "framing")
            raise LinkDown(f"no ack for {self._in_flight.kind.name} after {self._tries} tries")
        self._transmit(now_s)

    def data_to_send(self) -> bytes:
        data, self._outgoing = bytes(self._outgoing), bytearray()
        return data

    def messages(self) -> list[bytes]:
        messages, self._inbox = self._inbox, []
        return messages

    def _data_received(self, frame: Frame) -> None:
        if frame.seq == self._expected_seq:
            self._expected_seq = (self._expected_seq + 1) % 256
            self._inbox.append(frame.payload)
        elif frame.seq != (self._expected_seq - 1) % 256:
            return
        # A repeat is acknowledged too: our first ack may be the thing that was lost.
        self._outgoing += Frame(Kind.ACK, frame.seq).to_bytes()

    def _stream_received(self, frame: Frame) -> None:
        if self._expected_stream is not None:
            self.stream_lost += (frame.seq - self._expected_stream) % 256
        self._expected_stream = (frame.seq + 1) % 256
        self._inbox.append(frame.payload)

    def _ack_received(self, frame: Frame, now_s: float) -> None:
        sent = self._in_flight
        if sent is None or frame.seq != sent.seq:
            return
        if sent.kind is Kind.OPEN:
            if frame.payload != sent.payload:
                return  # a late ack of the session before
            self.is_open = True
        else:
            self.acknowledged += 1
        self._in_flight = None
        self.deadline_s = None
        self._transmit_next(now_s)

    def _transmit_next(self, now_s: float) -> None:
        if self._in_flight is not None or not self._queue:
            return
        self._in_flight = Frame(Kind.DATA, self._next_seq, self._queue.popleft())
        self._next_seq = (self._next_seq + 1) % 256
        self._tries = 0
        self._transmit(now_s)

    def _transmit(self, now_s: float) -> None:
        assert self._in_flight is not None  # noqa: S101  both callers have just seen to it
        self._tries += 1
        is_open = self._in_flight.kind is Kind.OPEN
        self.deadline_s = now_s + (OPEN_RETRY_S if is_open else RETRY_AFTER_S)
        self._outgoing += self._in_flight.to_bytes()
