"""Has the owner of a public key signed exactly these bytes?  Whose key it is, is for the caller to know."""

from cabinet.identity.signing import check_public


def is_signed(message: bytes, public: bytes, signature: bytes) -> bool:
    """Ed25519.  False too for what is no key or no signature, and for a key that anybody could sign for."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  50 ms, only where something is verified
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415  likewise

    try:
        check_public(public)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
