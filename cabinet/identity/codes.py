"""The text of a member's QR code: `CAB1:` and 16 random bytes in base32.

Only its form is known here; whose it is, the ledger knows, and it keeps nothing but the hash.
"""

import base64
import binascii

PREFIX = "CAB1:"
BYTES = 16  # 128 random bits: not to be guessed
LENGTH = 26  # characters of base32 without padding


class CodeError(ValueError):
    """The text is no code of ours."""


def format_code(secret: bytes) -> str:
    """31 characters of the QR alphanumeric set, so that the code stays small.  Raises CodeError."""
    if len(secret) != BYTES:
        raise CodeError(f"a code holds {BYTES} bytes, not {len(secret)}")
    return PREFIX + base64.b32encode(secret).decode("ascii").rstrip("=")


def parse_code(text: str) -> bytes:
    """The 16 bytes; upper and lower case alike, white space around it ignored.  Raises CodeError without the text."""
    body = text.strip().upper()
    if not body.startswith(PREFIX):
        raise CodeError("not a code of this cabinet")
    body = body.removeprefix(PREFIX)
    if len(body) != LENGTH or not body.isascii():
        raise CodeError(f"a code has {LENGTH} characters after {PREFIX}")
    try:
        secret = base64.b32decode(body + "=" * 6)
    except binascii.Error:
        raise CodeError("a code is written with A-Z and 2-7") from None
    if format_code(secret) != PREFIX + body:  # the last character has spare bits: two texts must not be one code
        raise CodeError("not a code of this cabinet")
    return secret
