"""Starts the board; the Pico's own `main.py` calls `start`.  Whatever goes wrong here ends with the lock off.

Not started with SERVICE bridged to ground.  Ctrl-C at the USB console stops it and its watchdog.  Any other error
is printed, and five seconds later the watchdog starts the chip anew: time to read it, or to press Ctrl-C.
"""

import sys
import time

from machine import WDT, Pin, mem32

RELAY, PUMP, SERVICE = 15, 18, 22  # as in pico.py, which may be what is broken
WATCHDOG_CTRL_CLEAR, WATCHDOG_ENABLE = 0x4005B000, 1 << 30
MOURN_MS = 5000


def lock() -> None:
    """No current, whatever was going on."""
    Pin(RELAY, Pin.OUT, value=0)
    Pin(PUMP, Pin.OUT, value=0)


def start() -> None:
    """Run until told to stop."""
    lock()
    service = Pin(SERVICE, Pin.IN, Pin.PULL_UP)
    time.sleep(0.001)  # the pull-up has a wire to charge
    if not service.value():
        print("SERVICE is bridged: not started")  # noqa: T201  this is the console
        return
    try:
        try:
            run()
        finally:
            lock()
    except KeyboardInterrupt:
        release()
    except Exception as error:  # noqa: BLE001  the top of everything: printed, then a reset
        mourn(error)


def run() -> None:
    from .fitted import FITTED  # noqa: PLC0415  a file that is broken or missing must not keep `lock` from running
    from .loop import run as loop  # noqa: PLC0415  likewise
    from .pico import Pins  # noqa: PLC0415  likewise

    loop(Pins(FITTED), FITTED)


def mourn(error: Exception) -> None:
    """Say what happened, and have the chip started anew."""
    try:
        WDT(timeout=MOURN_MS)
        sys.print_exception(error)  # type: ignore[attr-defined]  # MicroPython's
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        release()


def release() -> None:
    """The console is the technician's: no watchdog, and the lock stays off until the board starts anew."""
    mem32[WATCHDOG_CTRL_CLEAR] = WATCHDOG_ENABLE
    print("stopped: locked, watchdog off; machine.reset() starts it again")  # noqa: T201  this is the console
