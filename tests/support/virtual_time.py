"""An event loop whose clock jumps to the next timer when nothing else is to do: an hour of waiting takes no time.

Time stands still while callbacks run.  It knows nothing of threads: with a timer pending it will not wait for one, so
keep real threads and real sockets out of a test that uses it, or wait for them without a timer.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

STUCK_S = 60.0  # real seconds without timer, byte or callback: nothing will ever happen

T = TypeVar("T")


class _Jumper(selectors.DefaultSelector):
    """Looks whether a byte is there, and instead of waiting for one moves the clock."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            ready = super().select(STUCK_S)
            if not ready:
                raise RuntimeError("the virtual clock stands: no timer is set and nothing came in")
            return ready
        ready = super().select(0)
        if not ready and timeout > 0:
            self._jump(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 s."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Jumper(self.advance))

    def time(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move the clock without running anything: the loop was busy for so long."""
        self._now_s += seconds


def run_in_virtual_time(coroutine: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, on a clock of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)
