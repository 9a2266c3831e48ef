"""The door's contacts, the bolt's switch and the housing's: what they say now, and what may be believed.

Open is believed at once, shut only after a while: a door taken for shut too early is a visit ended too early.
"""

from .fitted_by import Fitted

SHUT_MS = 300  # both contacts, without a break
BOLT_AGAIN_MS = 20  # a bolt's switch that chatters is told no more often
OPENED, CLOSED, BOLT_MOVED = 1, 2, 4  # what a look may bring


class Inputs:
    """What the pins show: each switch in its own words, and the thermometer's code (0..65 520)."""

    def __init__(
        self,
        *,
        door_a_shut: bool = False,
        door_b_shut: bool = False,
        bolt_home: bool = False,
        housing_open: bool = False,
        coil_on: bool = False,
        probe: int = 0,
    ) -> None:
        self.door_a_shut, self.door_b_shut = door_a_shut, door_b_shut
        self.bolt_home, self.housing_open = bolt_home, housing_open
        self.coil_on, self.probe = coil_on, probe


class Switches:
    """`look` at every tick; before the first look everything stands open and unbolted."""

    def __init__(self, fitted: Fitted) -> None:
        self._second = fitted.second_contact
        self._looked = False
        self.touched = False  # one contact at least says open
        self.gaping = False  # all of them do
        self.contradict = False
        self.bolt_home = False
        self.door_open = True  # believed
        self.bolt_told = False
        self._bolt_told_ms = 0
        self.shut_ms = 0  # since when no contact says open
        self.was_home = False  # the bolt, just before the contacts first said open
        self.housing_open = False  # now
        self.housing_was_open = False  # now, or less than SHUT_MS ago
        self._housing_ms = 0

    def look(self, inputs: Inputs, now_ms: int) -> int:
        """OPENED, CLOSED and BOLT_MOVED, as they are to be told."""
        a_open = not inputs.door_a_shut
        b_open = not inputs.door_b_shut if self._second else a_open
        touched = a_open or b_open
        self.gaping, self.contradict = a_open and b_open, a_open != b_open
        home_before, self.bolt_home = self.bolt_home, inputs.bolt_home
        if touched and not self.touched:
            self.was_home = home_before or self.bolt_home
        if self.touched and not touched:
            self.shut_ms = now_ms
        self.touched = touched
        self._look_at_housing(inputs.housing_open, now_ms)
        if not self._looked:
            return self._first_look(now_ms)
        events = 0
        if touched and not self.door_open:
            self.door_open = True
            events = OPENED
        elif self.door_open and self.bolt_home and self.rests_shut(now_ms):
            self.door_open = False
            events = CLOSED
        if self.bolt_home != self.bolt_told and now_ms - self._bolt_told_ms >= BOLT_AGAIN_MS:
            self.bolt_told, self._bolt_told_ms = self.bolt_home, now_ms
            events |= BOLT_MOVED
        return events

    def rests_shut(self, now_ms: int) -> bool:
        """All contacts have said shut for SHUT_MS, wherever the bolt is."""
        return not self.touched and now_ms - self.shut_ms >= SHUT_MS

    def _first_look(self, now_ms: int) -> int:
        self._looked = True
        self.shut_ms = now_ms
        self.was_home = False  # how it came to be open nobody saw
        self.door_open = self.touched or not self.bolt_home
        self.bolt_told, self._bolt_told_ms = self.bolt_home, now_ms - BOLT_AGAIN_MS
        return 0

    def _look_at_housing(self, is_open: bool, now_ms: int) -> None:
        self.housing_open = is_open
        if is_open:
            self.housing_was_open, self._housing_ms = True, now_ms
        elif now_ms - self._housing_ms >= SHUT_MS:
            self.housing_was_open = False
