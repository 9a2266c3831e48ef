"""What the page is told: what the daemon says is checked for its shape and made ready to draw."""

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal, get_args

import segno

MAX_TEXT: Final = 500  # of a line; more would not fit on any screen
Mode = Literal[
    "idle", "look", "digits", "confirm", "challenge", "refused", "open", "shopping", "closing", "tallying", "done",
    "service", "out of order", "away",
]  # fmt: skip  # a row
AWAY_LINE: Final = "Out of order. Sorry: please try another time."


class StrangeError(ValueError):
    """The daemon said something that this program does not know: another version of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    mode: Mode = "away"
    line: str = AWAY_LINE
    total: str = ""
    hint: str = ""
    nonce: str = ""
    codes: bool = False
    faces: bool = False


AWAY: Final = Seen()


def read(data: object) -> Seen:
    """Raises StrangeError."""
    if not isinstance(data, dict):
        raise StrangeError("no object")
    known = {key: data.get(key) for key in asdict(AWAY)}
    texts = [known[key] for key in ("mode", "line", "total", "hint", "nonce")]
    if not all(isinstance(text, str) and len(text) <= MAX_TEXT for text in texts):
        raise StrangeError("a text is missing or too long")
    if not isinstance(known["codes"], bool) or not isinstance(known["faces"], bool):
        raise StrangeError("codes and faces are true or false")
    if known["mode"] not in get_args(Mode):  # a newer daemon: the line says what matters
        known["mode"] = "look"
    return replace(AWAY, **known)  # type: ignore[arg-type]  # just looked at


def drawn(seen: Seen) -> dict[str, Any]:
    """As the page takes it: the number as a path to draw, not as text."""
    told = asdict(seen)
    del told["nonce"]
    return {**told, "qr": square(seen.nonce) if seen.nonce else None}


@lru_cache(maxsize=4)
def square(text: str) -> dict[str, Any]:
    """A QR code with its quiet border: modules along a side, and a path of the dark ones."""
    code = segno.make_qr(text, error="m")  # never a Micro QR: many phones do not read those
    rows = list(code.matrix_iter(border=4))
    return {
        "side": len(rows),
        "path": "".join(
            f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
        ),
    }  # fmt: skip  # a table
