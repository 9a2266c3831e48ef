"""The numbers that the screen shows a phone: each is good for one token, and for a short while.

A value, and monotonic time as an argument.  Two are good at a time, the one shown and the one before it, so that a
phone that has just read it is in time.  Nothing of this is kept: after a restart no number from before is good.
"""

import hmac
from dataclasses import dataclass, replace
from typing import Final, Literal

MOST_SPENT: Final = 16  # numbers remembered as used, for the word that the shopper is told; beyond: "unknown"

Standing = Literal["good", "used", "unknown"]


@dataclass(frozen=True, slots=True)
class Shown:
    nonce: bytes
    since_s: float


@dataclass(frozen=True, slots=True)
class Nonces:
    every_s: float  # another is shown so often; one is good for twice as long
    shown: tuple[Shown, ...] = ()  # newest first, at most two
    spent: tuple[bytes, ...] = ()  # newest first

    def current(self) -> bytes:
        """What the screen shows; only after `turned`."""
        return self.shown[0].nonce

    def due_s(self) -> float:
        """When another is to be shown."""
        return self.shown[0].since_s + self.every_s if self.shown else float("-inf")

    def turned(self, now_s: float, fresh: bytes) -> "Nonces":
        """The same until another is due; then `fresh` is shown."""
        return self if now_s < self.due_s() else replace(self, shown=(Shown(fresh, now_s), *self.shown[:1]))

    def standing(self, nonce: bytes, now_s: float) -> Standing:
        if any(hmac.compare_digest(one.nonce, nonce) and self._good(one, now_s) for one in self.shown):
            return "good"
        return "used" if any(hmac.compare_digest(one, nonce) for one in self.spent) else "unknown"

    def used(self, nonce: bytes, now_s: float, fresh: bytes) -> "Nonces":
        """A token was taken for it: it is good no more, and if the screen shows it, `fresh` is shown."""
        left = tuple(one for one in self.shown if not hmac.compare_digest(one.nonce, nonce))
        after = replace(self, shown=left, spent=(nonce, *self.spent)[:MOST_SPENT])
        if left and self.shown and left[0] is self.shown[0]:
            return after
        return replace(after, shown=(Shown(fresh, now_s), *left))

    def _good(self, one: Shown, now_s: float) -> bool:
        return 0 <= now_s - one.since_s < 2 * self.every_s
