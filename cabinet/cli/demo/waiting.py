"""Waiting for something to become true in another process, with a bound and a word about what was missing."""

import threading
import time
from collections.abc import Callable

LOOK_EVERY_S = 0.05
PATIENCE_S = 60.0  # for what takes a second on two cores that have nothing else to do


def wait_until(true: Callable[[], bool], within_s: float, why: Callable[[], str] | str) -> None:
    """Return once `true()` holds.  Raises TimeoutError with `why` after `within_s` seconds."""
    deadline_s = time.monotonic() + within_s
    pause = threading.Event()  # nobody sets it: a wait that a faked clock does not break
    while not true():
        if time.monotonic() > deadline_s:
            raise TimeoutError(why if isinstance(why, str) else why())
        pause.wait(LOOK_EVERY_S)
