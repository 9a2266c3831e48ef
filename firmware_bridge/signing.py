"""The signature under an unlock.  It keeps no key."""

import hashlib
import hmac
import struct

from firmware_bridge.orders import MAC_BYTES


def unlock_mac(key: bytes, board_id: bytes, challenge: bytes, visit: bytes, ttl_ms: int) -> bytes:
    """The mac of `Unlock(visit, ttl_ms, mac)` for the board that sent `challenge`."""
    signed = b"unlock" + board_id + challenge + visit + struct.pack("<H", ttl_ms)
    return hmac.digest(key, signed, hashlib.sha256)[:MAC_BYTES]
