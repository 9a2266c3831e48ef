"""What the fleet's list says of one member: as much of them as a cabinet needs, checked to the last field.

Pure.  It refuses a field that it does not know, and faces without the consent to share them.  Messages name the field,
never what stands in it.

A fingerprint covers the whole entry with its `salt`, drawn anew at each change: without the entry it tells nothing of
it, four digits neither.  So fingerprints may be kept where an entry is forgotten.
"""

import base64
import binascii
import hashlib
import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cabinet.units import MemberId

MAX_ENTRY_BYTES: Final = 12_000  # 14 faces of 128 numbers; a change must fit into one message
MAX_KEYS: Final = 8
MAX_CARDS: Final = 16
MAX_TEMPLATES: Final = 14
MAX_NUMBERS: Final = 512  # of a template
MAX_AGE: Final = 150
MOST: Final = 2**53 - 1

FIELDS: Final = frozenset(
    {"member", "salt", "consent", "share_face", "verified", "age", "digits", "keys", "cards", "templates"}
)
MEMBER: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")  # a ULID
HEX_32: Final = re.compile(r"[0-9a-f]{64}")
SALT: Final = re.compile(r"[0-9a-f]{32}")
DIGITS: Final = re.compile(r"(?:[0-9]{4})?", re.ASCII)


class EntryError(ValueError):
    """The message names the field."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a member has agreed to: which text, in which language, when (ms since 1970)."""

    version: str
    language: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One member, as much of them as a cabinet needs."""

    member: MemberId
    consent: Agreed
    share_face: Agreed | None  # None: no faces
    verified: bool
    age: int  # at least, in years; 0: no proof was seen
    digits: str  # the last four of the telephone number, or ""
    keys: tuple[str, ...]  # Ed25519 public keys, hexadecimal
    cards: tuple[str, ...]  # SHA-256 of their printed codes, hexadecimal
    templates: tuple[tuple[str, tuple[float, ...]], ...]  # (model, numbers)


def canonical(raw: Mapping[str, Any]) -> bytes:
    """As cabinet.wire writes JSON; an entry holds no floats."""
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(raw: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(raw)).hexdigest()


def entry_of(raw: object) -> Entry:
    """Checked to the last field.  Raises EntryError naming the field."""
    if not isinstance(raw, dict):
        raise _wrong("member", "is no JSON object")
    for name in sorted(set(raw) ^ FIELDS):
        raise _wrong(name, "is missing" if name in FIELDS else "is no field of a member")
    if not isinstance(raw["salt"], str) or not SALT.fullmatch(raw["salt"]):
        raise _wrong("salt", "is not 32 hexadecimal digits")
    if not isinstance(raw["verified"], bool):
        raise _wrong("verified", "is neither true nor false")
    if not isinstance(raw["digits"], str) or not DIGITS.fullmatch(raw["digits"]):
        raise _wrong("digits", 'is neither four digits nor ""')
    share_face = None if raw["share_face"] is None else _agreed("share_face", raw["share_face"])
    templates = _templates(raw["templates"])
    if templates and share_face is None:
        raise _wrong("templates", "faces need the member's consent to share them: share_face is null")
    entry = Entry(
        member_of(raw["member"]),
        _agreed("consent", raw["consent"]),
        share_face,
        raw["verified"],
        whole("age", raw["age"], MAX_AGE),
        raw["digits"],
        _hashes("keys", raw["keys"], MAX_KEYS),
        _hashes("cards", raw["cards"], MAX_CARDS),
        templates,
    )
    size = len(canonical(raw))
    if size > MAX_ENTRY_BYTES:
        raise _wrong("templates", f"the member takes {size} bytes, more than {MAX_ENTRY_BYTES}: give fewer faces")
    return entry


def packed(vector: Sequence[float]) -> str:
    """A template's numbers as base64 of little-endian float32: JSON that is signed holds no floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def whole(name: str, value: object, most: int = MOST) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise _wrong(name, f"is no whole number from 0 to {most}")
    return value


def _wrong(name: str, message: str) -> EntryError:
    return EntryError(f"{name}: {message}")


def member_of(value: object) -> MemberId:
    if not isinstance(value, str) or not MEMBER.fullmatch(value):
        raise _wrong("member", "is no ULID (26 characters)")
    return MemberId(value)


def _agreed(name: str, raw: object) -> Agreed:
    if not isinstance(raw, dict) or set(raw) != {"version", "language", "at_ms"}:
        raise _wrong(name, "is not {version, language, at_ms}")
    return Agreed(
        _text(f"{name}.version", raw["version"]),
        _text(f"{name}.language", raw["language"]),
        whole(f"{name}.at_ms", raw["at_ms"]),
    )


def _text(name: str, value: object, longest: int = 64) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= len(value) <= longest or not value.isprintable():
        raise _wrong(name, f"is no text of 1 to {longest} characters")
    return value


def _hashes(name: str, raw: object, most: int) -> tuple[str, ...]:
    if not isinstance(raw, list) or len(raw) > most:
        raise _wrong(name, f"is no list of at most {most}")
    for place, one in enumerate(raw):
        if not isinstance(one, str) or not HEX_32.fullmatch(one):
            raise _wrong(f"{name}[{place}]", "is not 64 hexadecimal digits, a to f small")
    if len(set(raw)) < len(raw):
        raise _wrong(name, "holds one twice")
    return tuple(raw)


def _templates(raw: object) -> tuple[tuple[str, tuple[float, ...]], ...]:
    if not isinstance(raw, list) or len(raw) > MAX_TEMPLATES:
        raise _wrong("templates", f"is no list of at most {MAX_TEMPLATES}")
    found = []
    for place, one in enumerate(raw):
        name = f"templates[{place}]"
        if not isinstance(one, dict) or set(one) != {"model", "vector"}:
            raise _wrong(name, "is not {model, vector}")
        found.append((_text(f"{name}.model", one["model"], 128), _vector(f"{name}.vector", one["vector"])))
    return tuple(found)


def _vector(name: str, text: object) -> tuple[float, ...]:
    try:
        blob = base64.b64decode(text, validate=True) if isinstance(text, str) and text.isascii() else b""
    except binascii.Error:
        blob = b""
    if not blob or len(blob) % 4 or len(blob) > 4 * MAX_NUMBERS:
        raise _wrong(name, f"is no base64 of 1 to {MAX_NUMBERS} float32")
    numbers = struct.unpack(f"<{len(blob) // 4}f", blob)
    if not all(math.isfinite(number) for number in numbers):
        raise _wrong(name, "holds what is no number")
    return numbers
