"""Every byte that passes a bench's broker, and the pieces of the recordings that must not be among them."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from paho.mqtt import client as paho

from cabinet.cli.demo.listener import Listener

CHUNK: Final = 48  # bytes of a picture or film: a multiple of three, so that Base64 of it is cut where the whole is
LISTS: Final = re.compile(rb"\[[^\[\]]*\]")
TEXTS: Final = frozenset({".json", ".jsonl"})


class Tap(Listener):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, _nobody)
        self.payloads: list[bytes] = []

    def _message(self, message: paho.MQTTMessage) -> None:
        self.payloads.append(bytes(message.payload))


def _nobody(_kind: str, _payload: dict[str, Any]) -> None:
    """The bytes are enough."""


def pieces_in(folder: Path) -> Iterator[bytes]:
    """Samples and scores of every trace's text; of every other file some bytes, plain and as Base64."""
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes()
        if path.suffix in TEXTS:
            yield from LISTS.findall(content)
            continue
        for at in range(0, max(1, len(content) - CHUNK), 20 * CHUNK):
            piece = content[at : at + CHUNK]
            yield from (piece, base64.b64encode(piece))
