"""Public keys that may sign tokens: a member's own, for that member alone; an issuer's, for anybody.

A key is 32 bytes that name a point of Ed25519.  Points of small order are refused: under them a signature can be made
up without any secret.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cabinet.units import MemberId

PUBLIC_BYTES: Final = 32
KID_BYTES: Final = 8  # names a key; the whole key verifies, so a second key of that name gains nothing
MAX_ISSUERS: Final = 64

_P: Final = 2**255 - 19
_D: Final = -121_665 * pow(121_666, -1, _P) % _P
_EIGHTH: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826  # y of a point of order 8
_SMALL: Final = frozenset({0, 1, _P - 1, _EIGHTH, _P - _EIGHTH})  # of all whose order divides 8; the tests compute them


class PublicKeyError(ValueError):
    """The text or the bytes are no public key that may be trusted."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    public: bytes
    owner: MemberId | None  # None: an issuer's

    @property
    def kid(self) -> bytes:
        return kid_of(self.public)


def kid_of(public: bytes) -> bytes:
    """What a token names its key by."""
    return hashlib.sha256(public).digest()[:KID_BYTES]


def public_key(text: str) -> bytes:
    """32 bytes written as 64 hexadecimal digits.  Raises PublicKeyError."""
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text.strip(), flags=re.ASCII) is None:
        raise PublicKeyError("a public key has 64 hexadecimal digits")
    public = bytes.fromhex(text.strip())
    check_public(public)
    return public


def check_public(public: bytes) -> None:
    """Raises PublicKeyError where the bytes are no point of Ed25519, or one that anybody could sign for."""
    if len(public) != PUBLIC_BYTES:
        raise PublicKeyError(f"a public key has {PUBLIC_BYTES} bytes, not {len(public)}")
    y = int.from_bytes(public, "little") & (2**255 - 1)  # the top bit is the sign of x
    if y >= _P or not _on_curve(y):
        raise PublicKeyError("these bytes are no Ed25519 public key")
    if y in _SMALL:
        raise PublicKeyError("this key is of small order: anybody could sign for it")


def issuers(text: str) -> dict[bytes, SigningKey]:
    """A key a line; empty lines and what follows a # are ignored.  Raises PublicKeyError with the line's number."""
    keys: dict[bytes, SigningKey] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        try:
            key = SigningKey(public_key(said), None)
        except PublicKeyError as error:
            raise PublicKeyError(f"line {number}: {error}") from None
        keys[key.kid] = key
    if len(keys) > MAX_ISSUERS:
        raise PublicKeyError(f"{len(keys)} keys, at most {MAX_ISSUERS} are taken")
    return keys


def _on_curve(y: int) -> bool:
    """Whether there is an x with -x² + y² = 1 + d·x²·y² (RFC 8032, 5.1.3)."""
    top, bottom = (y * y - 1) % _P, (_D * y * y + 1) % _P
    square = top * pow(bottom, -1, _P) % _P
    return square == 0 or pow(square, (_P - 1) // 2, _P) == 1
