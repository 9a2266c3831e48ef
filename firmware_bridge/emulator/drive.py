"""The lock's electronics: a relay and a charge pump in series with the coil, and what can break there.

Runs in MicroPython too: the current that the chip senses is worked out beside the chip, without the cable's delay.
"""

RELAY_MS = 5  # pin to contact, either way
PUMP_EDGES, PUMP_MS = 50, 100  # the charge pump passes current only with so many edges in so long
NEVER_MS = -1e12

DRIVE_BREAKS = ("relay_welded", "relay_dead", "pump_shorted", "pump_dead", "coil_cut")


class Drive:
    """`broken` is a set of DRIVE_BREAKS and of other names; times in ms, never going back."""

    def __init__(self, broken: set[str], now_ms: float) -> None:
        self.broken = broken
        self.relay_closed = False
        self.coil = False  # current flows
        self.fed_until_ms = NEVER_MS  # without another edge
        self._now_ms = now_ms
        self.ordered = False  # the relay's pin
        self._arrives_ms: float | None = None
        self._edges = [NEVER_MS] * PUMP_EDGES  # a ring: `_oldest` is where the oldest is
        self._oldest = 0
        self._last_ms = NEVER_MS

    def relay(self, on: bool) -> None:  # noqa: FBT001  a pin
        """The relay's pin; its contact follows RELAY_MS after the last `settle`."""
        if on != self.ordered:
            self.ordered = on
            self._arrives_ms = self._now_ms + RELAY_MS

    def edge(self, now_ms: float, count: int = 1) -> None:
        """So many edges, a millisecond apart, the last one now."""
        for back in range(min(count, PUMP_EDGES) - 1, -1, -1):
            self._last_ms = max(self._last_ms, now_ms - back)
            self._edges[self._oldest] = self._last_ms
            self._oldest = (self._oldest + 1) % PUMP_EDGES
        self.fed_until_ms = self._edges[self._oldest] + PUMP_MS
        self.settle(now_ms)

    def excuse(self, for_ms: float) -> None:
        """The edges of so long could not be given, for no fault of the chip's."""
        if self._now_ms < self.fed_until_ms:
            self.fed_until_ms += for_ms

    @property
    def pump_passes(self) -> bool:
        if "pump_dead" in self.broken:
            return False
        return self._now_ms < self.fed_until_ms or "pump_shorted" in self.broken

    def settle(self, now_ms: float) -> None:
        """All is as it is at `now_ms`."""
        self._now_ms = now_ms
        if self._arrives_ms is not None and now_ms >= self._arrives_ms:
            self._arrives_ms = None
        if self._arrives_ms is None:
            contact = self.ordered and "relay_dead" not in self.broken
            self.relay_closed = contact or "relay_welded" in self.broken
        self.coil = self.relay_closed and self.pump_passes and "coil_cut" not in self.broken

    def next_ms(self) -> float | None:
        """When something changes by itself next; None while all rests."""
        fed_until_ms = self.fed_until_ms if self._now_ms < self.fed_until_ms else None
        if self._arrives_ms is None or fed_until_ms is None:
            return fed_until_ms if self._arrives_ms is None else self._arrives_ms
        return min(self._arrives_ms, fed_until_ms)
