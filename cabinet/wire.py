"""What cabinet and cloud say to each other: topic names, canonical JSON, hash chain, signatures, redaction.

Pure: no clock, no socket, no database.  It refuses to put a float into anything hashed or signed, because two
languages print floats differently; masses travel as milligrams and probabilities as parts per million.

Signatures are HMAC-SHA256 with a key that the cabinet and the cloud share (one key per cabinet).  Whoever holds the
key can sign for both sides; signatures with a private key at the cloud alone come later without a change of shape:
`sig` stays one text field of the payload.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final

PROTOCOL: Final = "cab/v1"
GENESIS: Final = "0" * 64  # the `prev` of a store's first event
MAX_EVENT_BYTES: Final = 4096  # so that 32 messages in flight stay far below any broker's limits
MAX_PAYLOAD_BYTES: Final = 16_384  # anything larger, in either direction, is not ours
SAFE_INTEGER: Final = 2**53 - 1  # beyond it JavaScript readers (Node-RED) lose digits

CLOCK_QUALITIES: Final = ("none", "floor", "ntp", "cloud")
MAX_FREE_TEXT: Final = 200  # characters of a reason; keeps a chatty driver from filling an event
MAX_DEPTH: Final = 32  # deeper JSON than this is an attack on the parser, not a message of ours

Payload = dict[str, Any]

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class WireError(ValueError):
    """Bytes that are no message of ours, or a message that may not be sent."""


class WrongHashError(WireError):
    """An event whose hash is not its own."""


def topic(cab: str, way: str, kind: str) -> str:
    """`cab/v1/{cab}/{up|dn}/{kind}`."""
    return f"{PROTOCOL}/{cab}/{way}/{kind}"


def split_topic(name: str) -> tuple[str, str, str] | None:
    """(cab, way, kind) of a topic of ours, else None."""
    parts = name.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != PROTOCOL or parts[3] not in {"up", "dn"} or not parts[2]:
        return None
    return parts[2], parts[3], parts[4]


def canonical(value: object) -> bytes:
    """UTF-8 JSON, keys sorted by code point, no spaces, no floats, integers below 2^53.  Raises WireError."""
    _refuse_inexact(value)
    try:
        return _CANONICAL(value).encode()
    except (TypeError, ValueError) as error:  # a lone surrogate, or something JSON has no word for
        raise WireError(f"not canonical JSON: {error}") from error


def _refuse_inexact(value: object, depth: int = 0) -> None:
    kind = type(value)  # exact types first: this runs for every field of every event
    if kind is str or value is None or kind is bool:
        return
    if depth > MAX_DEPTH:
        raise WireError("nested too deeply")
    if isinstance(value, float):
        raise WireError(f"a float ({value!r}) may not be hashed or signed: use an integer of a smaller unit")
    if isinstance(value, int):
        if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            raise WireError(f"the integer {value} has more than 53 bits")
    elif kind is dict or isinstance(value, Mapping):
        for key, inner in value.items():  # type: ignore[attr-defined]  # a Mapping, or a dict, which is one
            if type(key) is not str and not isinstance(key, str):
                raise WireError(f"the key {key!r} is not text")
            kind = type(inner)
            if kind is not str and (kind is not int or not -SAFE_INTEGER <= inner <= SAFE_INTEGER):
                _refuse_inexact(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_inexact(inner, depth + 1)


def parse(raw: bytes) -> Payload:
    """A JSON object from the wire.  Raises WireError for anything else."""
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise WireError(f"{len(raw)} bytes, more than {MAX_PAYLOAD_BYTES}")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:  # ValueError: bad JSON, bad UTF-8, or 5,000-digit integers
        raise WireError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise WireError("not a JSON object")
    return value


def plain(payload: Mapping[str, Any]) -> bytes:
    """JSON for what is neither hashed nor signed (state, telemetry): floats allowed, NaN is not."""
    try:
        return json.dumps(payload, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise WireError(f"not JSON: {error}") from error


def text_of(payload: Mapping[str, Any], key: str, longest: int = 128) -> str:
    """A text field.  Raises WireError where it is absent, of another type or longer than `longest`."""
    value = payload.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise WireError(f"{key} is not a text of at most {longest} characters")
    if not value.isascii():
        _refuse_surrogates(key, value)
    return value


def _refuse_surrogates(key: str, value: str) -> None:
    """JSON can spell a lone surrogate, UTF-8 cannot: hashing or storing it would fail far from here."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise WireError(f"{key} has half a character") from error


def whole_of(payload: Mapping[str, Any], key: str) -> int:
    """An integer in 0 … 2^53 - 1.  Raises WireError."""
    value = payload.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= SAFE_INTEGER:
        raise WireError(f"{key} is not a whole number")
    return value


EVENT_FIELDS: Final = (
    "store", "boot", "seq", "visit", "type", "body", "mono_ms", "wall_ms", "clock",
)  # fmt: skip  # what the hash covers, beside the previous hash


def event_hash(event: Mapping[str, Any], prev: str) -> str:
    """H = SHA-256(canonical JSON of the event's fields ‖ prev), both as hexadecimal text."""
    covered = {field: event[field] for field in EVENT_FIELDS}
    return hashlib.sha256(canonical(covered) + prev.encode()).hexdigest()


def checked_event(payload: Payload) -> Payload:
    """The payload, if it is a well-formed event whose hash is right.  Raises WireError."""
    for key in ("store", "boot", "type", "prev", "h", "clock"):
        text_of(payload, key)
    for key in ("seq", "mono_ms", "wall_ms"):
        whole_of(payload, key)
    if payload["seq"] < 1:
        raise WireError("seq starts at 1")
    if payload["clock"] not in CLOCK_QUALITIES:
        raise WireError("clock is none of " + ", ".join(CLOCK_QUALITIES))
    if payload.get("visit") is not None:
        text_of(payload, "visit")
    if "visit" not in payload or not isinstance(payload.get("body"), dict):
        raise WireError("visit or body is missing")
    if set(payload) != {*EVENT_FIELDS, "prev", "h"}:
        raise WireError("fields that an event does not have")
    if not hmac.compare_digest(event_hash(payload, payload["prev"]).encode(), payload["h"].encode()):
        raise WrongHashError("the hash is not the event's")
    return payload


def signature(key: bytes, cab: str, kind: str, payload: Mapping[str, Any]) -> str:
    """HMAC-SHA256 over cabinet, kind of message and payload, so that none can stand for another; hexadecimal."""
    unsigned = {name: value for name, value in payload.items() if name != "sig"}
    said = f"{PROTOCOL}\n{cab}\n{kind}\n".encode() + canonical(unsigned)
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def signed(key: bytes, cab: str, kind: str, payload: Payload) -> bytes:
    """The payload with its `sig`, as bytes for the wire."""
    return canonical({**payload, "sig": signature(key, cab, kind, payload)})


def authentic(key: bytes, cab: str, kind: str, payload: Mapping[str, Any]) -> bool:
    """Is `sig` right?  False as well for payloads that could never have been signed."""
    given = payload.get("sig")
    if not isinstance(given, str):
        return False
    try:
        return hmac.compare_digest(given.encode(), signature(key, cab, kind, payload).encode())
    except (WireError, UnicodeEncodeError):
        return False


_DIGITS = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_MANY_DIGITS = re.compile(r"\d(?:[ -]?\d){12}")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: the check digit of payment cards."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _hide_card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return "[redacted]" if luhn(digits) else found.group()


def redact(text: str) -> str:
    """Free text fit to leave the cabinet: what looks like a card number (13 to 19 digits, single spaces or hyphens
    between them, right check digit) becomes `[redacted]`; line ends become spaces; at most 200 characters stay.

    Never for SKUs: one barcode in ten passes the same check.
    """
    text = text.encode(errors="replace").decode()  # a lone surrogate would stop the whole message
    text = "".join(char if char.isprintable() else " " for char in text)
    return _DIGITS.sub(_hide_card, text)[:MAX_FREE_TEXT]


NO_CARDS: Final = frozenset({"sku", "visit", "member", "h", "prev", "store", "boot", "evidence_hash", "id"})
SHORTEST_CARD: Final = 10**13  # 14 digits; a bare number of 13 is a wall clock in milliseconds, not a card


def redact_payload(value: object, path: str = "") -> tuple[Any, list[str]]:
    """The value with `[redacted]` for what looks like a card number, and the paths of the fields where it stood.

    Ids, hashes and SKUs are left alone by their key (`NO_CARDS`).  A key may be a card number too; no path tells it.
    """
    if isinstance(value, Mapping):
        return _redact_fields(value, path)
    if isinstance(value, list | tuple):
        parts = [redact_payload(inner, f"{path}[{place}]") for place, inner in enumerate(value)]
        return [clean for clean, _ in parts], [where for _, found in parts for where in found]
    text = value if isinstance(value, str) else _long_number(value)
    clean = _DIGITS.sub(_hide_card, text)
    return (value, []) if clean == text else (clean, [path])


def may_hold_cards(text: str) -> bool:
    """Of JSON with nothing but line ends and the like escaped: False where `redact_payload` would find nothing."""
    return _MANY_DIGITS.search(text) is not None


def _redact_fields(value: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    made: dict[str, Any] = {}
    found: list[str] = []
    for key, inner in value.items():
        name = _DIGITS.sub(_hide_card, key)
        place = f"{path}.{name}".lstrip(".")
        if name != key:
            found.append(place)
        made[name], below = (inner, []) if key in NO_CARDS and isinstance(inner, str) else redact_payload(inner, place)
        found += below
    return made, found


def _long_number(value: object) -> str:
    return str(value) if isinstance(value, int) and abs(value) >= SHORTEST_CARD else ""
