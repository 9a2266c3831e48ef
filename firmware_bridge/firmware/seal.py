"""Who may unlock, and how often: HMAC over the board's own challenge, and a budget that no reset refills.

Pure but for the budget's record.  It drives nothing and knows no lease; the keys it is given it keeps nowhere.
"""

import hashlib
import struct

from . import codes as c
from .memory import BLANK, BUDGET_AT, BUDGET_STRIDE, BUDGET_TAG, SILENT, Memory, Nv, Record

BLOCK = 64  # bytes, of SHA-256
MAC_BYTES = 16
CHALLENGE_BYTES = 8
CHALLENGE_MS = 2000
FORGED, FORGED_MS = 3, 60_000
HOUR_S, DAY_S = 3600, 86_400
STORE_EVERY_S = 60  # how much draining a reset may cost at most


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104), 32 bytes."""
    if len(key) > BLOCK:
        key = hashlib.sha256(key).digest()
    key += bytes(BLOCK - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]))
    inner.update(data)
    outer = hashlib.sha256(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return outer.digest()


def same(one: bytes, other: bytes) -> bool:
    """Whether the two are equal, in a time that depends on their lengths alone."""
    if len(one) != len(other):
        return False
    differing = 0
    for at in range(len(one)):
        differing |= one[at] ^ other[at]
    return differing == 0


def unlock_mac(key: bytes, board_id: bytes, challenge: bytes, visit: bytes, ttl_ms: int) -> bytes:
    """The 16 bytes that an `Unlock` must carry."""
    said = b"unlock" + board_id + challenge + visit + struct.pack("<H", ttl_ms)
    return hmac_sha256(key, said)[:MAC_BYTES]


class Challenges:
    """At most one open challenge, good for one unlock within 2 s.  `entropy(n)` gives n random bytes."""

    def __init__(self, entropy) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  no Callable in MicroPython
        self._entropy = entropy
        self._open = b""
        self._opened_ms = 0
        self._wrong_ms: list[int] = []

    def open(self, now_ms: int) -> bytes:
        """A new challenge of 8 bytes; the one before is gone."""
        self._open, self._opened_ms = bytes(self._entropy(CHALLENGE_BYTES)), now_ms
        return self._open

    def judge(self, key: bytes, board_id: bytes, visit: bytes, ttl_ms: int, mac: bytes, now_ms: int) -> int:
        """OK, NO_KEY, STALE or UNSIGNED; the challenge is spent whatever comes out."""
        challenge, self._open = self._open, b""
        if not key:
            return c.NO_KEY
        if not challenge or now_ms - self._opened_ms >= CHALLENGE_MS:
            return c.STALE
        if same(unlock_mac(key, board_id, challenge, visit, ttl_ms), mac):
            return c.OK
        self._wrong_ms = self._wrong_ms[1 - FORGED :]
        self._wrong_ms.append(now_ms)
        return c.UNSIGNED

    def forged(self, now_ms: int) -> bool:
        """Three wrong macs within 60 s: True once, then three more are needed."""
        if len(self._wrong_ms) < FORGED or now_ms - self._wrong_ms[0] > FORGED_MS:
            return False
        self._wrong_ms = []
        return True


class Budget:
    """Two leaky buckets in non-volatile memory: one unlock more in each, emptied by `memory`'s limits a hour and a day.

    They drain with uptime alone: what drains while the board is off, or in the last minute before a reset, is
    lost, so a reset gives nothing back.  Empty buckets of n grant n unlocks at once, and n an hour (a day) after that.
    A take is stored before it is granted; a memory that does not store it makes `memory.damaged`.  A record of which
    no copy is valid counts as full.
    """

    def __init__(self, nv: Nv, memory: Memory, now_ms: int) -> None:
        self._memory, self._at_ms = memory, now_ms
        self._record = Record(nv, BUDGET_AT, BUDGET_STRIDE, BUDGET_TAG, 8)
        data = self._record.load()
        self._undrained_s = 0  # drained here, not yet in the record
        self._hour = self._day = 0  # unlocks x HOUR_S, unlocks x DAY_S
        if data is not None:
            self._hour, self._day = struct.unpack("<II", data)
        elif self._record.state != BLANK:
            self._hour, self._day = memory.per_hour * HOUR_S, memory.per_day * DAY_S
            if self._record.state == SILENT:
                memory.damaged = True

    def take(self, now_ms: int) -> bool:
        """One unlock, stored before this returns; False if it is not granted."""
        if self.spent(now_ms):
            return False
        self._hour += HOUR_S
        self._day += DAY_S
        if not self._store():
            self._memory.damaged = True
            return False
        return True

    def spent(self, now_ms: int) -> bool:
        """Whether an unlock would be refused now."""
        self._drain(now_ms)
        memory = self._memory
        return self._hour > (memory.per_hour - 1) * HOUR_S or self._day > (memory.per_day - 1) * DAY_S

    def _drain(self, now_ms: int) -> None:
        gone_s = (now_ms - self._at_ms) // 1000
        if gone_s <= 0:
            return
        self._at_ms += gone_s * 1000
        if not self._hour and not self._day:
            return
        memory = self._memory
        self._hour = max(0, self._hour - gone_s * memory.per_hour)
        self._day = max(0, self._day - gone_s * memory.per_day)
        self._undrained_s += gone_s
        if self._undrained_s >= STORE_EVERY_S:
            self._store()  # not stored: a reset costs a little more

    def _store(self) -> bool:
        self._undrained_s = 0
        return self._record.save(struct.pack("<II", self._hour, self._day))
