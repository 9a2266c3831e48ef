"""The board, lock and switches of a simulated cabinet at the fast depth, where no byte is sent.

Ports replaced, not loosened: the lease ends by itself, a silent host ends it after half a second, a door forced, a
bolt that is not home and a magnet on the contacts are told after the times of firmware_bridge/PROTOCOL.md.  Time is
the clockwork's.  A parity test plays the same lives on the firmware itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cabinet.ports import PortError, Senses
from cabinet.sim.clockwork import Clockwork
from cabinet.units import VisitId

RETRACT_S = 0.12  # the bolt follows an accepted order
SEAT_S = 0.03  # the spring throws it
EDGE_S = 0.01  # an opening is told after one sample of the contacts
SHUT_S = 0.3  # a closing after so much of contacts shut and bolt home
SILENT_S = 0.5  # the host has not been heard
FORCED_S = 0.05  # fault 0
LATCH_S = 0.8  # fault 1: rests shut and undriven, and the bolt is not home
STUCK_S = 0.6  # fault 8: driven, and the bolt is still home
MOST_LEASE_S = 10.0
REBOOT_S = 0.4  # until it speaks again
REST_S = 0.15  # between two drives: the weld test needs it

FORCED = "the door was forced open: look at it, then service"
NOT_LATCHED = "the bolt is not home although the door reads shut: it jams, or a magnet holds the contacts"
STUCK = "the bolt is stuck in the strike"
AWAY = "the board does not answer: is it plugged in?"


@dataclass
class SimBoard:
    """Apparatus' door, `Lock` and `Signals` in one.  `senses` and `part` are the daemon's, None while it is dead."""

    clock: Clockwork
    senses: Senses | None = None
    part: Callable[[str, str | None], None] = lambda _name, _why: None
    door_open: bool = False
    bolt_home: bool = True
    driven: bool = False
    lease: VisitId | None = None
    lease_until_s: float = 0.0
    magnet: bool = False  # on the door's contacts
    jam: str = ""  # "in" or "out": how the bolt jams
    plugged: bool = True
    lamp_mode: str = "off"
    buzzes: list[str] = field(default_factory=list)
    faults: dict[str, bool] = field(default_factory=dict)  # why -> latched
    on_change: Callable[[], None] = lambda: None  # the door or the drive moved
    believed_open: bool = False  # open at one sample of the contacts, shut only with the bolt home
    told_open: bool | None = None  # what the host was told of the door
    told_home: bool | None = None
    _told_lock: str | None = None
    _shut_since_s: float = 0.0
    _driven_s: float = 0.0
    _undriven_s: float = -10.0
    _forced_open: bool = False  # and not shut since
    _rests_since_s: float = -10.0  # nothing has moved door, bolt or drive since

    @property
    def at_rest(self) -> bool:
        """Shut, locked, connected, and nothing wrong."""
        return self.bolt_home and not (self.door_open or self.driven or self.faults) and self.plugged

    def renew(self) -> None:
        """At rest for long: shut, home, undriven."""
        self.buzzes.clear()
        self._shut_since_s, self._driven_s = 0.0, 0.0
        self._undriven_s = self._rests_since_s = -10.0

    # What people do.

    def pull(self) -> bool:
        if self.door_open:
            return True
        if self.bolt_home:
            return False
        self._open()
        return True

    def force(self) -> None:
        if self.door_open:
            return
        if not self.driven and self.bolt_home and not self.magnet:
            self._forced_open = True
            self.clock.after(FORCED_S, self._forced)
        self._open()

    def shut(self) -> None:
        self.door_open = self._forced_open = False
        if not self.magnet:
            self._shut_since_s = self.clock.now_s
        self.clock.after(SEAT_S, self._seat)
        self.clock.after(SHUT_S + SEAT_S, self._tell_shut)
        self._look_at_latch()
        self.on_change()

    def _open(self) -> None:
        self.door_open = True
        self.bolt_home = False
        if not self.magnet:
            self._end_lease()
            self.clock.after(EDGE_S, self._tell_open)
        self.clock.after(EDGE_S, self._tell_bolt)
        self._look_at_latch()
        self.on_change()

    # Lock and Signals.

    async def release(self, visit: VisitId, lease_s: float) -> None:
        self._answer()
        if self.lease == visit:
            return  # granted already, and not for longer
        trouble = next(iter(self.faults), None)
        if trouble is not None:
            raise PortError(f"the board refuses to unlock: {trouble}")
        if self.believed_open or self._reads_open():
            raise PortError("the board refuses to unlock: the door is open")
        if self.lease is not None:
            raise PortError("the board refuses to unlock: another visit holds the lock")
        self.lease, self.lease_until_s = visit, self.clock.now_s + min(lease_s, MOST_LEASE_S)
        self.clock.at(self.lease_until_s, self._expire)
        if self.clock.now_s < self._undriven_s + REST_S:
            self.clock.at(self._undriven_s + REST_S, self._drive)
        else:
            self._drive()

    async def engage(self) -> None:
        self._answer()
        self._end_lease()

    async def clear_faults(self) -> None:
        self._answer()
        self.faults = {why: latched for why, latched in self.faults.items() if not latched}
        self._tell_lock()
        if self._forced_open:  # its cause still holds
            self.clock.after(FORCED_S, self._forced)

    async def check(self) -> None:
        self._answer()
        if self.faults:
            raise PortError(next(iter(self.faults)))

    def keep_alive(self) -> None:
        """The host's tick is not simulated: it ticks while it lives, and `host_silent` says when it does not."""

    async def lamp(self, mode: str) -> None:
        self._answer()
        self.lamp_mode = mode

    async def buzzer(self, pattern: str) -> None:
        self._answer()
        self.buzzes.append(pattern)

    def _answer(self) -> None:
        if not self.plugged:
            raise PortError(AWAY)

    # What befalls it.

    def host_silent(self) -> None:
        """The daemon died, or the cable is out: the lease ends half a second later."""
        lease = self.lease
        self.clock.after(SILENT_S, lambda: self._end_lease() if self.lease == lease else None)

    def let_go(self) -> None:
        """No current: the spring throws the bolt."""
        self._end_lease()

    def unplug(self) -> None:
        self.plugged = False
        self.host_silent()
        self.part("board", AWAY)

    def replug(self) -> None:
        self.plugged = True
        self.hello()

    def reset(self) -> None:
        """A brown-out: latched faults and lease are gone, and it says where things are when it is back."""
        self._end_lease()
        self.plugged = False
        self.part("board", AWAY)
        self.clock.after(REBOOT_S, self.wake)

    def wake(self) -> None:
        """Begin anew: nothing is latched, and the door is open until contacts and bolt say otherwise."""
        self.faults = {}
        self.believed_open = self._reads_open() or not self.bolt_home
        self.replug()

    def hello(self) -> None:
        """To a host that (re)connects, and locks first: where door and bolt are, and what is wrong."""
        if self.senses is None or not self.plugged:
            return
        self._end_lease()
        self.part("board", None)
        self.told_open, self.told_home = self.believed_open, self.bolt_home
        self._told_lock = "?"
        self.senses.door_found(self.clock.now_s, is_open=self.told_open)
        self.senses.bolt(self.clock.now_s, locked=self.bolt_home)
        self._tell_lock()
        self._look_at_latch()

    def set_magnet(self, on: bool) -> None:  # noqa: FBT001  a switch
        self.magnet = on
        if on and self.door_open:
            self._shut_since_s = self.clock.now_s
        elif self.door_open:
            self._end_lease()
            self.clock.after(EDGE_S, self._tell_open)
        self._look_at_latch()

    def set_jam(self, how: str) -> None:
        self.jam = how
        if how == "out":
            self.bolt_home = False
        elif not self.door_open and not self.driven:
            self.clock.after(SEAT_S, self._seat)
        self._tell_bolt()
        self._look_at_latch()

    # How.

    def _reads_open(self) -> bool:
        return self.door_open and not self.magnet

    def _drive(self) -> None:
        if self.lease is None or self.driven:
            return
        self.driven, self._driven_s = True, self.clock.now_s
        self.clock.after(RETRACT_S, self._retract)
        self.clock.after(STUCK_S, self._stuck)
        self.on_change()

    def _retract(self) -> None:
        if self.driven and self.jam != "in" and not self.door_open:
            self.bolt_home = False
            self._tell_bolt()
            self.on_change()

    def _seat(self) -> None:
        if not self.door_open and not self.driven and self.jam != "out" and not self.bolt_home:
            self.bolt_home = True
            self._tell_bolt()
            self.on_change()

    def _expire(self) -> None:
        if self.lease is not None and self.clock.now_s >= self.lease_until_s - 1e-9:
            self._end_lease()

    def _end_lease(self) -> None:
        self.lease = None
        if self.driven:
            self.driven, self._undriven_s = False, self.clock.now_s
            self.clock.after(SEAT_S, self._seat)
            self._look_at_latch()
            self.on_change()

    def _forced(self) -> None:
        if self._reads_open():
            self._fault(FORCED, latched=True)

    def _stuck(self) -> None:
        if (
            self.driven
            and not self.door_open
            and self.bolt_home
            and self.clock.now_s - self._driven_s >= STUCK_S - 1e-9
        ):
            self._fault(STUCK, latched=True)
            self._end_lease()

    def _look_at_latch(self) -> None:
        self._rests_since_s = self.clock.now_s
        self.clock.after(LATCH_S + SEAT_S, self._latch)

    def _latch(self) -> None:
        rests = not self._reads_open() and not self.driven and self.clock.now_s - self._rests_since_s >= LATCH_S
        if rests and not self.bolt_home and self.plugged:
            self._fault(NOT_LATCHED, latched=False)
        elif self.bolt_home or self._reads_open():
            self.faults.pop(NOT_LATCHED, None)
            self._tell_lock()

    def _fault(self, why: str, *, latched: bool) -> None:
        self.faults[why] = latched
        self._tell_lock()

    def _tell_lock(self) -> None:
        why = next(iter(self.faults), None)
        if self.senses is not None and self.plugged and why != self._told_lock:
            self._told_lock = why
            self.part("lock", why)

    def _tell_open(self) -> None:
        self.believed_open = self.believed_open or self._reads_open()
        if self.senses is not None and self.plugged and self._reads_open() and self.told_open is not True:
            self.told_open = True
            self.senses.door(self.clock.now_s, is_open=True)
        self._latch()

    def _tell_shut(self) -> None:
        """Contacts shut for long enough and the bolt home: told with the time at which the contacts shut."""
        if self._reads_open() or not self.bolt_home or self.clock.now_s - self._shut_since_s < SHUT_S:
            return
        self.believed_open = False
        if self.senses is not None and self.plugged and self.told_open:
            self.told_open = False
            self.senses.door(self._shut_since_s, is_open=False)

    def _tell_bolt(self) -> None:
        self._tell_shut()  # where the bolt was what it waited for
        if self.senses is not None and self.plugged and self.bolt_home != self.told_home:
            self.told_home = self.bolt_home
            self.senses.bolt(self.clock.now_s, locked=self.bolt_home)
        self._latch()
