"""Lock relay, switches, lamp and buzzer on this computer's own pins, over gpiozero.

The lease and the debounce are kept here, because gpiozero has neither (its mock pins ignore bounce_time): the relay
falls off when the lease ends, when the state machine has not been heard for half a second, and at the first edge of
the door opening.  A thread of its own drops it too where the event loop hangs.  Nothing here can drop it for a process
that is killed: a Pi's kernel leaves a released output as it was unless config.txt says dtparam=strict_gpiod, so that
line and the one-shot of systemd/WIRING.md belong to this lock.  On a Jetson gpiozero has no pin factory: there these
parts go over the serial board.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cabinet.ports import PortError, Senses
from cabinet.units import VisitId

if TYPE_CHECKING:
    from gpiozero import DigitalInputDevice, DigitalOutputDevice

LEASE_CAP_S = 10.0  # as on the board
SILENCE_S = 0.5  # without a tick of the state machine the lease ends
SHUT_STABLE_S = 0.3  # open is believed at once, shut only after this long with the bolt out

BLINK_S = {"off": None, "ready": (1.0, 0.0), "busy": (0.2, 0.2), "open": (1.0, 0.0), "alarm": (0.1, 0.1)}
BEEP_S = {"none": None, "ok": (0.1, 0.1, 1), "prompt": (0.2, 0.8, 3), "alarm": (0.5, 0.2, 60)}


def _output(pin: int, *, active_high: bool) -> "DigitalOutputDevice":
    os.environ.setdefault("LG_WD", os.environ.get("RUNTIME_DIRECTORY", "/tmp"))  # noqa: S108  lgpio writes a FIFO into the working directory
    from gpiozero import DigitalOutputDevice  # noqa: PLC0415  needs a pin factory, which a board-only cabinet lacks
    from gpiozero.exc import GPIOZeroError  # noqa: PLC0415  likewise

    try:
        return DigitalOutputDevice(pin, active_high=active_high, initial_value=False)
    except GPIOZeroError as error:
        raise PortError(f"gpio {pin}: {error}; free the pin or correct pin = in the config") from error


def _input(pin: int, *, active_high: bool) -> "DigitalInputDevice":
    from gpiozero import DigitalInputDevice  # noqa: PLC0415  needs a pin factory
    from gpiozero.exc import GPIOZeroError  # noqa: PLC0415  likewise

    try:
        return DigitalInputDevice(pin, pull_up=None, active_state=active_high)
    except GPIOZeroError as error:
        raise PortError(f"gpio {pin}: {error}; free the pin or correct pin = in the config") from error


class _Guard:
    """Drops the relay from a thread of its own when the event loop is too busy, or too dead, to do it."""

    def __init__(self, drop: Callable[[], None], now: Callable[[], float]) -> None:
        self._drop, self._now = drop, now
        self._until_s: float | None = None  # None: nothing to guard
        self._changed = threading.Condition()
        threading.Thread(target=self._watch, name="lock-guard", daemon=True).start()

    def set(self, until_s: float | None, switch: Callable[[], None] = lambda: None) -> None:
        """From now on drop at `until_s`.  `switch` happens with it, so that a late drop cannot meet a new lease."""
        with self._changed:
            self._until_s = until_s
            switch()
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while True:
                left_s = None if self._until_s is None else self._until_s - self._now()
                if left_s is not None and left_s <= 0.0:
                    self._until_s = None
                    self._drop()
                else:
                    self._changed.wait(left_s)


class GpioLock:
    """A relay that is on only under a lease.  `now` is the clock of the guard thread."""

    def __init__(self, pin: int, *, active_high: bool = True, now: Callable[[], float] = time.monotonic) -> None:
        self._relay = _output(pin, active_high=active_high)
        self._now = now
        self._guard = _Guard(self._relay.off, now)
        self._lease: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._ends_s = 0.0

    async def release(self, visit: VisitId, lease_s: float) -> None:
        if not visit:
            raise PortError("lock: an unlock belongs to a visit")
        self._drop()
        lease_s = min(lease_s, LEASE_CAP_S)
        if lease_s <= 0.0:
            raise PortError("lock: a lease has a length")
        self._lease = asyncio.get_running_loop().call_later(lease_s, self._drop)
        self._ends_s = self._now() + lease_s
        self._guard.set(self._now() + min(lease_s, SILENCE_S), self._relay.on)
        self.keep_alive()

    async def engage(self) -> None:
        self._drop()

    async def clear_faults(self) -> None:
        """A relay latches none."""

    async def check(self) -> None:
        if self._relay.closed:
            raise PortError("lock: its pin was given up; restart the daemon")

    def door_opened(self) -> None:
        """The first opening edge ends the drive: the slam latch must catch when the door is shut."""
        self._drop()

    def keep_alive(self) -> None:
        if self._lease is not None:
            if self._silence is not None:
                self._silence.cancel()
            self._silence = asyncio.get_running_loop().call_later(SILENCE_S, self._drop)
            self._guard.set(min(self._now() + SILENCE_S, self._ends_s))

    def _drop(self) -> None:
        self._guard.set(None, self._relay.off)
        for timer in (self._lease, self._silence):
            if timer is not None:
                timer.cancel()
        self._lease = self._silence = None


class GpioSwitches:
    """Door and bolt switches, debounced: open at once, shut after 0.3 s of rest with the bolt out."""

    def __init__(
        self,
        door_pin: int,
        bolt_pin: int,
        senses: Senses,
        *,
        open_high: bool = True,
        locked_high: bool = True,
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._senses = senses
        self._on_open = on_open
        self._door = _input(door_pin, active_high=open_high)
        self._bolt = _input(bolt_pin, active_high=locked_high)
        self._open = bool(self._door.value)
        self._pending: asyncio.TimerHandle | None = None
        # gpiozero calls back on a thread of its own
        self._door.when_activated = lambda: self._loop.call_soon_threadsafe(self._opened)
        self._door.when_deactivated = lambda: self._loop.call_soon_threadsafe(self._wait_for_rest)
        self._bolt.when_activated = lambda: self._loop.call_soon_threadsafe(self._bolted, True)  # noqa: FBT003  a position
        self._bolt.when_deactivated = lambda: self._loop.call_soon_threadsafe(self._bolted, False)  # noqa: FBT003  a position

    def tell_where(self) -> None:
        """Say once where door and bolt are."""
        if self._door.value:  # an edge between the reading at start and the first callback would be lost
            self._open = True
        now_s = self._loop.time()
        self._senses.bolt(now_s, locked=bool(self._bolt.value))
        self._senses.door_found(now_s, is_open=self._open)

    def _opened(self) -> None:
        self._forget()
        if not self._open:
            self._open = True
            self._on_open()
            self._senses.door(self._loop.time(), is_open=True)

    def _bolted(self, locked: bool) -> None:  # noqa: FBT001  called by the loop with a position
        self._senses.bolt(self._loop.time(), locked=locked)
        if locked:
            self._wait_for_rest()
        else:
            self._forget()

    def _wait_for_rest(self) -> None:
        self._forget()
        if self._open and not self._door.value and self._bolt.value:
            self._pending = self._loop.call_later(SHUT_STABLE_S, self._shut)

    def _shut(self) -> None:
        self._pending = None
        if self._door.value or not self._bolt.value:
            return  # moved again: the edge is on its way here from gpiozero's thread
        self._open = False
        self._senses.door(self._loop.time(), is_open=False)

    def _forget(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None


class GpioSignals:
    """Lamp and buzzer; either may be absent."""

    def __init__(
        self, lamp_pin: int | None, buzzer_pin: int | None, *, lamp_high: bool = True, buzzer_high: bool = True
    ) -> None:
        self._lamp = None if lamp_pin is None else _output(lamp_pin, active_high=lamp_high)
        self._buzzer = None if buzzer_pin is None else _output(buzzer_pin, active_high=buzzer_high)

    async def lamp(self, mode: str) -> None:
        if self._lamp is None:
            return
        pace = BLINK_S[mode]
        if pace is None:
            self._lamp.off()
        elif pace[1] == 0.0:
            self._lamp.on()
        else:
            self._lamp.blink(on_time=pace[0], off_time=pace[1])

    async def buzzer(self, pattern: str) -> None:
        if self._buzzer is None:
            return
        beep = BEEP_S[pattern]
        if beep is None:
            self._buzzer.off()
        else:
            self._buzzer.blink(on_time=beep[0], off_time=beep[1], n=beep[2])
