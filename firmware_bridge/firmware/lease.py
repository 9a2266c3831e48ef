"""The lease on the lock, and the two switches in series that it drives.

Nothing here keeps the lock driven because somebody asked nicely: only a live lease of a live host does, for so long
as it was granted and never longer than MAX_TTL_MS, whatever the host orders.
"""

from . import codes as c

TICK_MS = 10
MAX_TTL_MS = 10_000
HEARTBEAT_MS = 500
MARGIN_MS = 20  # of HEARTBEAT_MS, for the heartbeat's way here and the tick it is judged in
TEST_MS = 20  # one switch closed, the other open: current now is a welded one
REST_MS = 150  # coil and pump have let go: before this, current says nothing about a weld
DARK_MS = 200  # both switches closed and no current
REST, RELAY, BOTH, TAIL = 0, 1, 2, 3  # neither switch, the first, both, only the pump


class Lease:
    """At most one, of one visit.  A `motor_bolt`'s outlasts the open door and ends when it is shut again."""

    def __init__(self, motor_bolt: bool) -> None:
        self._motor_bolt = motor_bolt
        self.visit: bytes | None = None
        self.has_opened = False  # the door, in this lease: of a motor bolt only
        self._until_ms = 0
        self._beat_ms = 0

    def grant(self, visit: bytes, ttl_ms: int, now_ms: int) -> None:
        self.visit, self.has_opened = visit, False
        self._until_ms = now_ms + min(ttl_ms, MAX_TTL_MS)
        self._beat_ms = now_ms

    def beat(self, now_ms: int) -> None:
        """The host's state machine lives and still means it."""
        self._beat_ms = now_ms

    def why_over(self, touched: bool, rests_shut: bool, now_ms: int) -> int:
        """The reason for which it ends now, or -1.  `touched`: a contact says open.

        Judged for the next tick already: then it would be too late by up to a tick.
        """
        if self.visit is None:
            return -1
        if touched:
            if not self._motor_bolt:
                return c.OPENED
            self.has_opened = True
        elif self.has_opened and rests_shut:
            return c.OPENED
        if not self.has_opened and now_ms + TICK_MS > self._until_ms:
            return c.EXPIRED
        if now_ms + MARGIN_MS > self._beat_ms + HEARTBEAT_MS:
            return c.HOST_SILENT
        return -1


class Drive:
    """Closes the relay, then the pump; opens the relay, then the pump; tests both on the way."""

    def __init__(self, coil_sense: bool, now_ms: int) -> None:
        self._coil_sense = coil_sense
        self.stage = REST
        self.wanted = False
        self._since_ms = now_ms  # in this stage
        self._right_ms = now_ms  # when the coil last did what it should

    @property
    def relay(self) -> bool:
        return self.stage in (RELAY, BOTH)

    @property
    def pump(self) -> bool:
        return self.stage in (BOTH, TAIL)

    def want(self, on: bool, now_ms: int) -> None:
        """Off takes effect at once, on as soon as the coil has rested."""
        self.wanted = on
        if not on and self.stage == BOTH:
            self._enter(TAIL, now_ms)
        elif not on and self.stage == RELAY:
            self._enter(REST, now_ms)
        elif on and self.stage == REST and now_ms - self._since_ms >= REST_MS:
            self._enter(RELAY, now_ms)

    def step(self, coil_on: bool, now_ms: int) -> int:
        """The fault that shows now, or -1."""
        coil_on = coil_on and self._coil_sense
        tested = now_ms - self._since_ms >= TEST_MS
        if self.stage == RELAY and tested:
            self._enter(REST if coil_on else BOTH, now_ms)
            return c.PUMP_SHORTED if coil_on else -1
        if self.stage == TAIL and tested:
            self._enter(REST, now_ms)
            return c.RELAY_WELDED if coil_on else -1
        if self.stage == BOTH:
            if coil_on or not self._coil_sense:
                self._right_ms = now_ms
            elif now_ms - self._right_ms >= DARK_MS:
                return c.COIL_DEAD
        elif self.stage == REST:
            if not coil_on:
                self._right_ms = now_ms
            elif now_ms - self._right_ms >= REST_MS:
                return c.DRIVE_STUCK
            if self.wanted and now_ms - self._since_ms >= REST_MS:
                self._enter(RELAY, now_ms)
        return -1

    def forget(self, now_ms: int) -> None:
        """A person has looked: what is still wrong shows again within its own time."""
        self._right_ms = now_ms

    def _enter(self, stage: int, now_ms: int) -> None:
        self.stage, self._since_ms, self._right_ms = stage, now_ms, now_ms
