"""Whether switches, bolt and drive can all be telling the truth.

Each contradiction has its own patience.  What is found is named, not acted upon.
"""

from . import codes as c
from .lease import BOTH, Drive
from .switches import Switches

_PATIENCE_MS = {c.DOOR_FORCED: 50, c.CONTACTS: 50, c.BOLT_SWITCH: 50, c.BOLT_STUCK: 600, c.NOT_LATCHED: 800}


class Plausibility:
    """`judge` at every tick."""

    def __init__(self) -> None:
        self._since_ms: list[int | None] = [None] * c.FAULTS
        self._touched = False
        self._forced = False  # this opening came with the bolt home and nothing driven
        self.not_latched = False

    def judge(self, switches: Switches, drive: Drive, now_ms: int) -> int:
        """The latched faults that show now, bit by bit; `not_latched` is brought up to date."""
        shut, home = not switches.touched, switches.bolt_home
        if switches.touched != self._touched:
            self._touched = switches.touched
            self._forced = switches.touched and switches.was_home and not drive.relay
        self.not_latched = self._lasts(c.NOT_LATCHED, shut and not home and not drive.relay, now_ms)
        found = 0
        if self._lasts(c.DOOR_FORCED, self._forced, now_ms):
            found |= 1 << c.DOOR_FORCED
        if self._lasts(c.CONTACTS, switches.contradict, now_ms):
            found |= 1 << c.CONTACTS
        if self._lasts(c.BOLT_SWITCH, home and switches.gaping, now_ms):
            found |= 1 << c.BOLT_SWITCH
        if self._lasts(c.BOLT_STUCK, drive.stage == BOTH and shut and home, now_ms):
            found |= 1 << c.BOLT_STUCK
        return found

    def forget(self) -> None:
        """A person has looked: what is still wrong shows again within its own time."""
        for code in range(c.FAULTS):
            if code != c.NOT_LATCHED:
                self._since_ms[code] = None

    def _lasts(self, code: int, holds: bool, now_ms: int) -> bool:
        since_ms = self._since_ms[code]
        if not holds:
            if since_ms is not None:
                self._since_ms[code] = None
            return False
        if since_ms is None:
            self._since_ms[code] = since_ms = now_ms
        return now_ms - since_ms >= _PATIENCE_MS[code]
