"""Who may open: the signature, the answers of the lock, the budget, and the key they all hang on.

Without a key nobody may.  It drives nothing itself.
"""

import struct

from . import codes as c
from . import messages
from .doorkeeper import Doorkeeper
from .faults import Faults
from .memory import Memory
from .report import Report
from .scales import Scales
from .seal import Budget, Challenges

REFUSALS_MS = 1000  # refused unlocks go to the journal no more often


class Gate:
    """Obeys ChallengeRequest, Unlock and Commission; each body has the length of the page."""

    def __init__(
        self, board_id: bytes, memory: Memory, challenges: Challenges, budget: Budget,
        doorkeeper: Doorkeeper, faults: Faults, scales: Scales, report: Report,
    ) -> None:  # fmt: skip
        self._board_id, self._memory, self._challenges, self._budget = board_id, memory, challenges, budget
        self._doorkeeper, self._faults, self._scales, self._report = doorkeeper, faults, scales, report
        self._refused_ms: int | None = None  # when a refusal was last noted

    @property
    def keyed(self) -> bool:
        return self._memory.key != b""

    def challenge(self, now_ms: int) -> None:
        self._report.send(messages.challenge(self._challenges.open(now_ms)), now_ms)

    def unlock(self, body: bytes, now_ms: int) -> None:
        visit, ttl_ms, mac = struct.unpack("<16sH16s", body)
        answer = self._judge(visit, ttl_ms, mac, now_ms)
        self._report.send(messages.unlock_result(visit, answer), now_ms)
        if answer != c.OK and (self._refused_ms is None or now_ms - self._refused_ms >= REFUSALS_MS):
            self._refused_ms = now_ms
            self._report.note(c.REFUSED, visit + bytes((answer,)), now_ms)

    def commission(self, body: bytes, now_ms: int) -> None:
        key, per_hour, per_day = struct.unpack("<32sHH", body)
        memory = self._memory
        answer = c.OK
        if not self._doorkeeper.switches.housing_open and (self.keyed or memory.damaged):
            answer = c.HOUSING_SHUT
        elif key == bytes(32) or not 1 <= per_hour <= c.MOST_PER_HOUR or not 1 <= per_day <= c.MOST_PER_DAY:
            answer = c.OUT_OF_RANGE
        else:
            before = memory.key, memory.per_hour, memory.per_day
            memory.key, memory.per_hour, memory.per_day = key, per_hour, per_day
            if memory.save():
                self._report.note(c.COMMISSIONED_WITH, body[32:], now_ms)
            else:  # the page has no answer for this one; the fault says the rest
                memory.key, memory.per_hour, memory.per_day = before
                self._doorkeeper.latch(1 << c.MEMORY, now_ms)
                answer = c.OUT_OF_RANGE
        self._report.send(messages.commissioned(answer), now_ms)

    def watch_budget(self, now_ms: int) -> None:
        """The fault passes when the next unlock would be granted.  Asked always: asking also drains the buckets."""
        spent = self._budget.spent(now_ms)
        if self._faults.bits >> c.BUDGET & 1 and not spent:
            self._faults.hold(c.BUDGET, False, now_ms)

    def _judge(self, visit: bytes, ttl_ms: int, mac: bytes, now_ms: int) -> int:
        answer = self._challenges.judge(self._memory.key, self._board_id, visit, ttl_ms, mac, now_ms)
        if self._challenges.forged(now_ms):
            self._faults.tell(c.UNSIGNED_UNLOCKS, now_ms)
        if answer == c.OK:
            answer = self._doorkeeper.may_open(visit, ttl_ms)
        if answer != c.OK or self._doorkeeper.lease.visit == visit:  # asked again: yes, but not for longer
            return answer
        if not self._budget.take(now_ms):
            self._faults.hold(c.BUDGET, True, now_ms)
            return c.OVER_BUDGET
        self._scales.note_granted(visit, now_ms)
        self._report.write_down()  # before it is done
        self._doorkeeper.grant(visit, ttl_ms, now_ms)
        return c.OK
