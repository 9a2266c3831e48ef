"""The lock: who holds the lease, what the switches say of the door, and whether both fit.

It gives and ends leases; who may have one is judged in `gate`.  Whatever it finds wrong ends the drive first and is
told afterwards.
"""

from . import codes as c
from . import messages
from .faults import Faults
from .fitted_by import Fitted
from .lease import Drive, Lease
from .plausibility import Plausibility
from .report import Report
from .switches import BOLT_MOVED, CLOSED, OPENED, Inputs, Switches


class Doorkeeper:
    """`look` at every tick, and at once when a switch moved."""

    def __init__(self, fitted: Fitted, faults: Faults, report: Report, now_ms: int) -> None:
        self.switches = Switches(fitted)
        self.lease = Lease(fitted.motor_bolt)
        self.drive = Drive(fitted.coil_sense, now_ms)
        self.last_visit = c.NO_VISIT  # of the last lease since the last closing
        self._motor_bolt = fitted.motor_bolt
        self._plausibility = Plausibility()
        self._faults, self._report = faults, report

    def look(self, inputs: Inputs, now_ms: int) -> int:
        """What the switches brought: OPENED, CLOSED, BOLT_MOVED."""
        switches = self.switches
        events = switches.look(inputs, now_ms)
        found = self._plausibility.judge(switches, self.drive, now_ms)
        shown = self.drive.step(inputs.coil_on, now_ms)
        if shown >= 0:
            found |= 1 << shown
        reason = self.lease.why_over(switches.touched, switches.rests_shut(now_ms), now_ms)
        self._drive(reason < 0 and not found, now_ms)  # before anything is written down
        if events & (OPENED | CLOSED):
            self._tell_door(bool(events & OPENED), now_ms)
        if events & BOLT_MOVED:
            self._report.send(messages.bolt(switches.bolt_told, self._report.uptime(now_ms)), now_ms)
        if reason >= 0:
            self.end(reason, now_ms)
        if found:
            self.latch(found, now_ms)
        self._faults.hold(c.NOT_LATCHED, self._plausibility.not_latched, now_ms)
        self._faults.hold(c.HOUSING_OPEN, switches.housing_was_open, now_ms)
        return events

    def may_open(self, visit: bytes, ttl_ms: int) -> int:
        """The answer to one who has signed."""
        if ttl_ms == 0:
            return c.BAD_TTL
        if self.lease.visit == visit:
            return c.OK
        if self.switches.door_open:
            return c.DOOR_OPEN
        if self._faults.block:
            return c.FAULTY
        return c.OK if self.lease.visit is None else c.BUSY

    def grant(self, visit: bytes, ttl_ms: int, now_ms: int) -> None:
        self.last_visit = visit
        self.lease.grant(visit, ttl_ms, now_ms)
        self._drive(True, now_ms)

    def end(self, reason: int, now_ms: int) -> None:
        """End the lease, if there is one."""
        visit, self.lease.visit = self.lease.visit, None
        self._drive(True, now_ms)
        if visit is not None:
            self._report.send(messages.lease_ended(visit, reason), now_ms)
            self._report.note(c.LEASE_OVER, visit + bytes((reason,)), now_ms)

    def latch(self, bits: int, now_ms: int) -> None:
        """Raise these faults; any new one ends the lease."""
        if bits & ~self._faults.bits:
            self.end(c.FAULT_ENDED, now_ms)
            self._faults.latch(bits, now_ms)

    def clear(self, now_ms: int) -> None:
        """A person has looked."""
        self._faults.clear(now_ms)
        self._plausibility.forget()
        self.drive.forget(now_ms)

    def _drive(self, on: bool, now_ms: int) -> None:
        """As the lease says, unless not `on`.  A motor bolt stays back until the door is shut, whatever the lease says,
        unless the contacts themselves are at odds.
        """
        held = self.lease.visit is not None and on
        in_the_way = self._motor_bolt and self.drive.wanted and not self.switches.rests_shut(now_ms)
        if self._faults.bits >> c.CONTACTS & 1:
            in_the_way = False
        self.drive.want(held or in_the_way, now_ms)

    def _tell_door(self, is_open: bool, now_ms: int) -> None:
        visit, report = self.last_visit, self._report
        report.send(messages.door(is_open, report.uptime(now_ms if is_open else self.switches.shut_ms)), now_ms)
        report.note(c.DOOR_OPENED if is_open else c.DOOR_CLOSED, visit, now_ms)
        if not is_open and self.lease.visit is None:
            self.last_visit = c.NO_VISIT
