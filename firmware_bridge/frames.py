"""Frames on the wire: `version kind seq length payload crc16`, COBS-coded, ended by a zero byte.

This module is bytes in, frames out.  It opens no port, keeps no time and knows no message.
"""

import binascii
import enum
from dataclasses import dataclass

from firmware_bridge.errors import FrameError

FRAMING = 1  # the first byte of every frame; changes only with the layout of the header
END = b"\x00"  # COBS leaves no other zero on the wire
HEADER = 4  # bytes: version, kind, seq, length of the payload
CRC = 2  # bytes: CRC-16/CCITT-FALSE, little-endian
MAX_PAYLOAD = 240  # bytes; header + payload + crc stay under the 254 where COBS would need its code 0xFF
MAX_CODED = 1 + HEADER + MAX_PAYLOAD + CRC  # bytes on the wire before END; a longer run is noise


class Kind(enum.IntEnum):
    DATA = 0  # reliable: acknowledged, repeated until it is
    ACK = 1
    STREAM = 2  # numbered, never repeated: loss is counted
    OPEN = 3  # begins a session; its ACK carries the same payload


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; `seq` 0..255, `payload` at most MAX_PAYLOAD bytes."""

    kind: Kind
    seq: int
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        """The frame as it goes on the wire, END included.  FrameError if the payload is too long."""
        if len(self.payload) > MAX_PAYLOAD:
            raise FrameError(f"payload of {len(self.payload)} bytes, at most {MAX_PAYLOAD} fit")
        body = bytes((FRAMING, self.kind, self.seq, len(self.payload))) + self.payload
        return _cobs(body + _crc(body)) + END

    @classmethod
    def from_bytes(cls, body: bytes) -> "Frame":
        """The frame of an uncoded body (header, payload, crc).  FrameError names what is wrong."""
        if len(body) < HEADER + CRC:
            raise FrameError(f"short frame: {body.hex()}")
        if _crc(body[:-CRC]) != body[-CRC:]:
            raise FrameError(f"bad crc: {body.hex()}")
        if body[0] != FRAMING:
            raise ForeignFrame(body[0])
        if body[3] != len(body) - HEADER - CRC:
            raise FrameError(f"bad length: {body.hex()}")
        if body[1] not in _KINDS:
            raise FrameError(f"unknown kind: {body.hex()}")
        return cls(Kind(body[1]), body[2], body[HEADER:-CRC])


class ForeignFrame(FrameError):  # noqa: N818  sound in itself
    """A sound frame of another framing version."""

    def __init__(self, version: int) -> None:
        super().__init__(f"unknown framing {version}")
        self.version = version


class Decoder:
    """Feed it whatever the port gave; it keeps the unfinished tail (at most MAX_CODED + 1 bytes)."""

    def __init__(self) -> None:
        self._tail = b""
        self.dropped = 0  # frames thrown away, for the health report
        self.foreign: int | None = None  # the last other framing version seen in a sound frame

    def feed(self, data: bytes) -> list[Frame]:
        *chunks, rest = (self._tail + data).split(END)
        self._tail = rest[-MAX_CODED - 1 :]
        return [frame for chunk in chunks if chunk and (frame := self._decode(chunk))]

    def _decode(self, chunk: bytes) -> Frame | None:
        try:
            return Frame.from_bytes(_uncobs(chunk))
        except FrameError as error:
            self.dropped += 1
            if isinstance(error, ForeignFrame):
                self.foreign = error.version
            return None


_KINDS = frozenset(Kind)


def _crc(body: bytes) -> bytes:
    return binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "little")


def _cobs(body: bytes) -> bytes:
    # Each run between zeros is preceded by its length + 1; MAX_PAYLOAD keeps every run under 254.
    return b"".join(bytes((len(run) + 1,)) + run for run in body.split(b"\x00"))


def _uncobs(coded: bytes) -> bytes:
    if len(coded) > MAX_CODED:
        raise FrameError(f"run of {len(coded)} bytes without an end, at most {MAX_CODED} are a frame")
    # Each code byte is the distance to the next one and stands where a zero was: no frame is long enough for code 0xFF.
    body, size = bytearray(coded), len(coded)
    at = coded[0]
    while at < size:
        body[at] = 0
        at += coded[at]
    if at != size:
        raise FrameError(f"bad cobs: {coded.hex()}")
    return bytes(body[1:])
