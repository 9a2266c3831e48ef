"""How often somebody may be refused before the cabinet waits: a value, and time as an argument.

NIST SP 800-63B: five tries with a face, then 30 s, with another way in offered (here: the code, which stays open).
"""

from dataclasses import dataclass

TRIES = 5
WAIT_S = 30.0
FORGET_S = 300.0  # refusals so long ago were somebody else's (judgement)


@dataclass(frozen=True, slots=True)
class Lockout:
    tries: int = 0
    last_s: float = float("-inf")  # of the latest refusal, monotonic

    def refused(self, now_s: float) -> "Lockout":
        if self.waiting_s(now_s) > 0:
            return self
        stale = self.tries >= TRIES or now_s - self.last_s > FORGET_S
        return Lockout(1 if stale else self.tries + 1, now_s)

    def accepted(self) -> "Lockout":
        return Lockout()

    def waiting_s(self, now_s: float) -> float:
        """How long faces are still turned away; 0: they are looked at."""
        return max(self.last_s + WAIT_S - now_s, 0.0) if self.tries >= TRIES else 0.0
