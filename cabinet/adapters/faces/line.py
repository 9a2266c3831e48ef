"""What goes over the line between the daemon and the face worker: a picture with a question, and JSON back."""

import json
import socket
import struct
import time
from typing import Any

HEAD = struct.Struct("<IIB4i")  # height, width, the question, and a box (left, top, right, bottom)
FIND, ENCODE = 1, 2
MAX_ANSWER = 1 << 20  # bytes

_ANSWER = struct.Struct("<I")  # length of the JSON that follows


def ask(line: socket.socket, question: bytes, timeout_s: float) -> dict[str, Any]:
    """Raises TimeoutError, OSError, EOFError."""
    until_s = time.monotonic() + timeout_s
    line.settimeout(timeout_s)
    try:
        line.sendall(question)
        (length,) = _ANSWER.unpack(read(line, _ANSWER.size, until_s))
        if length > MAX_ANSWER:
            raise EOFError
        answer = json.loads(read(line, length, until_s))
    except (BrokenPipeError, ConnectionResetError, ValueError) as error:
        raise EOFError from error
    return dict(answer)


def read(line: socket.socket, length: int, until_s: float | None = None) -> bytes:
    """Raises TimeoutError, OSError, EOFError."""
    got = bytearray()
    while len(got) < length:
        if until_s is not None:
            line.settimeout(max(until_s - time.monotonic(), 0.001))
        part = line.recv(length - len(got))
        if not part:
            raise EOFError
        got += part
    return bytes(got)


def tell(line: socket.socket, answer: dict[str, Any], timeout_s: float) -> None:
    body = json.dumps(answer).encode()
    line.settimeout(timeout_s)
    line.sendall(_ANSWER.pack(len(body)) + body)
