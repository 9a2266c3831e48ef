"""Listens where others could: every byte on the wire, and every line that is logged.

Of a visit's evidence nothing may pass but its hash and its files' names; in a log no key, code or card's token may
stand.  It looks for the things themselves and for what pictures begin with, plain or as Base64, never for field names.
"""

import base64
import contextlib
import json
import logging
from collections.abc import Iterable, Iterator
from typing import Final

from cabinet import logsafe
from cabinet.proving.far_end import KEY
from cabinet.proving.stage import Stage
from cabinet.trace.codec import event_to_dict

PICTURES: Final = {
    b"\xff\xd8\xff": "a JPEG", b"/9j/": "a JPEG as Base64", b"\x89PNG": "a PNG", b"iVBORw0KGgo": "a PNG as Base64",
    b"ftypisom": "a film", b"matroska": "a film",
}  # fmt: skip  # a table
LEAST: Final = 16  # characters: shorter pieces of evidence are found by chance


def wrong_wire(stage: Stage) -> str:
    """Everything is sent first; then every payload, either way, is looked through."""
    far_end, cabinet = stage.far_end, stage.cabinet
    if far_end is None or not cabinet.alive:
        return "there is no far end"
    far_end.deliver(cabinet.ledger, cabinet.wall.stamp(), bad=stage.luck.wire == "loses answers")
    pieces = [piece for page in stage.notebook.pages.values() for piece in pieces_of(stage, page.visit)]
    if not far_end.tapped or not pieces:
        return "nothing was sent, or there is no evidence: this proves nothing"
    return leak(far_end.tapped, pieces)


def pieces_of(stage: Stage, visit: str) -> Iterator[bytes]:
    """What the trace says beyond door and bolt: samples, scores, pictures' places."""
    page = next(page for page in stage.notebook.pages.values() if page.visit == visit)
    for event in stage.notebook.recorded(page).events:
        for value in event_to_dict(event).values():
            if isinstance(value, list | dict):
                yield from (json.dumps(value, separators=marks).encode() for marks in ((",", ":"), (", ", ": ")))


def leak(payloads: Iterable[bytes], pieces: Iterable[bytes]) -> str:
    """What of the evidence stands in a payload; empty where nothing does."""
    sought = {piece for piece in pieces if len(piece) >= LEAST}
    for payload in payloads:
        for begins, what in PICTURES.items():
            if begins in payload:
                return f"{what} went over the wire: {payload[:80]!r}"
        found = next((piece for piece in sought if piece in payload), None)
        if found is not None:
            return f"evidence went over the wire: {found[:80]!r} in {payload[:80]!r}"
    return ""


class Overheard(logging.Handler):
    """Every line as the product's handlers would write it: behind its filter."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.addFilter(logsafe.Redaction())
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextlib.contextmanager
def overheard() -> Iterator[Overheard]:
    """All that the product logs meanwhile, at its most talkative; it is written nowhere else."""
    heard, log = Overheard(), logging.getLogger("cabinet")
    was = log.level, log.propagate, logging.root.manager.disable
    log.addHandler(heard)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    logging.disable(logging.NOTSET)
    try:
        yield heard
    finally:
        log.removeHandler(heard)
        log.setLevel(was[0])
        log.propagate = was[1]
        logging.disable(was[2])


def wrong_logs(stage: Stage) -> str:
    """Keys, cards' tokens, members' codes, and whatever the product's own filter would hide."""
    heard, far_end = stage.heard, stage.far_end
    if heard is None or far_end is None or not heard.lines:
        return "nothing was logged: this proves nothing"
    tokens = {token for pair in far_end.wallets() for token in pair}
    return secret(heard.lines, {KEY.hex(), base64.b64encode(KEY).decode(), *tokens})


def secret(lines: Iterable[str], secrets: Iterable[str]) -> str:
    """The first line with something that must not stand in it; empty where there is none."""
    sought = tuple(secrets)
    for line in lines:
        if any(one in line for one in sought) or logsafe.redacted(line) != line:
            return f"a secret was logged: {line[:60]!r}"
    return ""
