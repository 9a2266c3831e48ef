"""A token that lets a member in: signed for one cabinet and one number that it shows just now, so good once and here.

The phone app reads `CABN:` from the cabinet's screen and shows `CAB2:` to its camera.  Nothing is asked of anybody else
meanwhile: it works without network and without a right wall clock, because the number itself grows old.  Whose turn a
number is, `nonces` knows; whether the member may shop today, this module does not ask.

    CAB2: base32, without padding, of 118 bytes, big endian
     0  version  1            |  18  nonce    12   what the screen showed
     1  kind     1 shop, 2 service | 30  member   16   ULID; a service token names the technician
     2  kid      8            |  46  limit     4   minor units; 4294967295: none of its own
    10  cabinet  8            |  50  expiry    4   seconds since 1970; 0: none
    54  signature 64: Ed25519 over bytes 0 to 53

kid: the first bytes of the SHA-256 of the public key; cabinet: of the cabinet's id.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from ulid import ULID

from cabinet.identity.signing import KID_BYTES, SigningKey, kid_of
from cabinet.units import MemberId, Minor

PREFIX: Final = "CAB2:"
NONCE_PREFIX: Final = "CABN:"
VERSION: Final = 1
CABINET_BYTES: Final = 8
NONCE_BYTES: Final = 12  # random: nobody collects tokens for numbers that are still to come
NO_LIMIT: Final = 2**32 - 1

_BODY: Final = struct.Struct(f">BB{KID_BYTES}s{CABINET_BYTES}s{NONCE_BYTES}s16sII")
_SIGNATURE_BYTES: Final = 64
LENGTH: Final = -(-(_BODY.size + _SIGNATURE_BYTES) * 8 // 5)  # characters of base32 without padding
_NONCE_LENGTH: Final = (CABINET_BYTES + NONCE_BYTES) * 8 // 5

Kind = Literal["shop", "service"]
_KINDS: Final[dict[Kind, int]] = {"shop": 1, "service": 2}
_KIND_OF: Final[dict[int, Kind]] = {number: kind for kind, number in _KINDS.items()}

Why = Literal[
    "malformed", "unknown key", "foreign cabinet", "unknown nonce", "used nonce", "expired", "bad signature",
    "not yours",
]  # fmt: skip  # a row


class TokenError(ValueError):
    """The text is no token, or these are no fields of one."""


@dataclass(frozen=True, slots=True)
class Token:
    """What the text says.  Nothing of it is believed before `check`."""

    kind: Kind
    kid: bytes
    cabinet: bytes
    nonce: bytes
    member: MemberId
    limit_minor: Minor
    expires_s: int  # wall clock; 0: never
    signature: bytes = b""

    @property
    def body(self) -> bytes:
        """The bytes that are signed.  Raises TokenError for a field that does not fit."""
        try:
            member = _bytes_of(self.member)
            fields = (self.kid, self.cabinet, self.nonce)
            if [len(field) for field in fields] != [KID_BYTES, CABINET_BYTES, NONCE_BYTES]:
                raise TokenError("kid, cabinet and nonce have 8, 8 and 12 bytes")
            return _BODY.pack(VERSION, _KINDS[self.kind], *fields, member, self.limit_minor, self.expires_s)
        except (struct.error, KeyError) as error:
            raise TokenError(f"the limit and the expiry are from 0 to {NO_LIMIT}, the kind shop or service") from error

    @property
    def text(self) -> str:
        return PREFIX + _base32(self.body + self.signature)


@dataclass(frozen=True, slots=True)
class TokenAccepted:
    """Signed by somebody who may, for this cabinet and for a number it showed just now."""

    kind: Kind
    member: MemberId  # of a service token: the technician
    limit_minor: Minor  # NO_LIMIT: none of its own


@dataclass(frozen=True, slots=True)
class TokenRefused:
    why: Why


def cabinet_hash(cabinet: str) -> bytes:
    return hashlib.sha256(cabinet.encode()).digest()[:CABINET_BYTES]


def nonce_text(cabinet: bytes, nonce: bytes) -> str:
    """What the screen shows the phone: 37 characters of the QR alphanumeric set."""
    return NONCE_PREFIX + _base32(cabinet + nonce)


def read_nonce(text: str) -> tuple[bytes, bytes]:
    """Cabinet and nonce of what a screen shows.  Raises TokenError."""
    raw = _bytes(text, NONCE_PREFIX, _NONCE_LENGTH)
    return raw[:CABINET_BYTES], raw[CABINET_BYTES:]


def sign(
    private: Ed25519PrivateKey,
    shown: tuple[bytes, bytes],
    member: MemberId,
    limit_minor: Minor = NO_LIMIT,
    expires_s: int = 0,
    kind: Kind = "shop",
) -> Token:
    """For the cabinet and nonce that `read_nonce` read.  Raises TokenError for fields that do not fit."""
    kid = kid_of(private.public_key().public_bytes_raw())
    unsigned = Token(kind, kid, *shown, member, limit_minor, expires_s)
    return Token(kind, kid, *shown, member, limit_minor, expires_s, private.sign(unsigned.body))


def read(text: str) -> Token:
    """Exactly what `Token.text` writes: one text is one token.  Raises TokenError, never with the text in it."""
    raw = _bytes(text, PREFIX, LENGTH)
    version, kind, kid, cabinet, nonce, member, limit_minor, expires_s = _BODY.unpack(raw[: _BODY.size])
    if version != VERSION or kind not in _KIND_OF:
        raise TokenError(f"a token of version {version}, kind {kind}: this program knows version {VERSION}, kinds 1, 2")
    signature = raw[_BODY.size :]
    return Token(_KIND_OF[kind], kid, cabinet, nonce, _member_of(member), limit_minor, expires_s, signature)


def is_token(text: str) -> bool:
    """Means to be one, whatever it is worth."""
    return text.startswith(PREFIX)


def check(
    token: Token,
    cabinet: bytes,
    key: SigningKey | None,
    standing: Callable[[bytes], Literal["good", "used", "unknown"]],
    wall_s: int | None,
) -> TokenAccepted | TokenRefused:
    """`key`: what the token's kid names; `standing`: of a nonce; `wall_s`: None without a clock that can be believed,
    then no expiry is judged.  The signature comes before whatever the token claims about itself, so that a made-up one
    learns nothing.
    """
    if not hmac.compare_digest(token.cabinet, cabinet):
        return TokenRefused("foreign cabinet")
    if key is None:
        return TokenRefused("unknown key")
    if not _signed(token, key):
        return TokenRefused("bad signature")
    if key.owner is not None and (key.owner != token.member or token.kind != "shop"):
        return TokenRefused("not yours")
    match standing(token.nonce):
        case "unknown":
            return TokenRefused("unknown nonce")
        case "used":
            return TokenRefused("used nonce")
        case "good" if wall_s is not None and token.expires_s and wall_s >= token.expires_s:
            return TokenRefused("expired")
        case "good":
            return TokenAccepted(token.kind, token.member, token.limit_minor)


def _signed(token: Token, key: SigningKey) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(token.signature, token.body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=")


def _bytes(text: str, prefix: str, length: int) -> bytes:
    body = text.removeprefix(prefix)
    if not text.startswith(prefix) or len(body) != length or not body.isascii():
        raise TokenError(f"not {prefix} and {length} characters")
    try:
        raw = base64.b32decode(body + "=" * (-length % 8))
    except binascii.Error:
        raise TokenError("written with other letters than A-Z and 2-7") from None
    if _base32(raw) != body:  # the last character has spare bits: two texts must not be one token
        raise TokenError("written in another way than ours")
    return raw


def _bytes_of(member: MemberId) -> bytes:
    try:
        ulid = ULID.from_str(member)
    except ValueError as error:
        raise TokenError("a member's id is a ULID of 26 characters") from error
    if str(ulid) != member:
        raise TokenError("a member's id is a ULID, in capital letters")
    return ulid.bytes


def _member_of(raw: bytes) -> MemberId:
    return MemberId(str(ULID(raw)))
