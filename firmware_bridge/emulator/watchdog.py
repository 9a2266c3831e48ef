"""The hardware watchdog beside the emulated chip, and what a shared machine must not be held against the chip.

A real chip has its processor to itself.  This one shares a machine: time in which it wanted to run and was not let
is excused; time in which it sleeps, is stopped or turns in circles is not.
"""

from collections.abc import Callable

BITES_MS = 250.0
SILENT_MS = 60.0  # a healthy loop has told of its feeding by then: worth a look at what the process does
SILENT_PUMPING_MS = 15.0  # while edges are due
LOOK_MS = 12.0  # between two looks: the system's account moves by ticks
BLINK_MS = 50.0  # the supervisor looks more often; if not, it was kept waiting itself


class Patience:
    """How much of the chip's silence is the machine's doing."""

    def __init__(self) -> None:
        self._heard_ms = self._looked_ms = self._here_ms = 0.0

    def heard(self, at_ms: float) -> None:
        """The chip gave a sign of life."""
        self._heard_ms = self._looked_ms = at_ms

    def excused_ms(self, now_ms: float, kept_waiting: Callable[[], bool], *, pumping: bool) -> float:
        """Of the time since the last look; `kept_waiting` says whether the chip got no processor since last asked.

        To be called whenever the supervisor is awake.
        """
        slept_ms, self._here_ms = now_ms - self._here_ms, now_ms
        silent_ms, passed_ms = now_ms - self._heard_ms, now_ms - self._looked_ms
        if passed_ms < LOOK_MS or silent_ms < (SILENT_PUMPING_MS if pumping else SILENT_MS):
            return 0.0
        self._looked_ms = now_ms
        return passed_ms if kept_waiting() else max(0.0, min(slept_ms, passed_ms) - BLINK_MS)


class Watchdog:
    """250 ms without a feed, and it resets.  Armed by the first feed, as the firmware arms it."""

    def __init__(self) -> None:
        self.armed = False
        self._bites_ms = 0.0

    def disarm(self) -> None:
        self.armed = False

    def feed(self, now_ms: float) -> None:
        self.armed, self._bites_ms = True, now_ms + BITES_MS

    def excuse(self, for_ms: float) -> None:
        self._bites_ms += for_ms

    def bites(self, now_ms: float) -> bool:
        return self.armed and now_ms >= self._bites_ms

    def next_ms(self) -> float | None:
        """When it bites, if nothing is fed."""
        return self._bites_ms if self.armed else None
