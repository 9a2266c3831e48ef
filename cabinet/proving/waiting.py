"""Lets the product's own coroutines wait on virtual time: the little of an event loop that one `await` needs.

It knows futures, tasks and timers.  No sockets, no threads, no real time: whoever asks for those gets an
AttributeError.  What a process still waited for when it ended never comes.
"""

import asyncio
import contextvars
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

from cabinet.sim.clockwork import Clockwork


class Waiting:
    def __init__(self, time: Clockwork, alive: Callable[[], bool]) -> None:
        """`alive`: whether the process whose coroutines these are still runs."""
        self._time, self._alive = time, alive
        self._ready: deque[asyncio.Handle] = deque()
        self._tasks: set[asyncio.Task[Any]] = set()  # a loop keeps its tasks: nobody else does
        self._loop = cast("asyncio.AbstractEventLoop", self)  # as much of one as is asked for

    def begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Until it waits for something, or ends; of a dead process it never begins."""
        if not self._alive():
            coroutine.close()
            return
        task = asyncio.Task(coroutine, loop=self._loop)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        self._run()

    # What futures, tasks and timeouts ask of a loop.

    def time(self) -> float:
        return self._time.now_s

    def get_debug(self) -> bool:
        return False

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self._loop)

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None  # noqa: ANN401  # asyncio's own signature
    ) -> asyncio.Handle:  # fmt: skip  # one line is asyncio's
        handle = asyncio.Handle(callback, args, self._loop, context)
        self._ready.append(handle)
        if events._get_running_loop() is not self._loop:  # noqa: SLF001  # the documented way raises without a loop
            self._time.after(0.0, self._run)  # somebody outside has set a result
        return handle

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None  # noqa: ANN401  # likewise
    ) -> asyncio.TimerHandle:  # fmt: skip  # likewise
        handle = asyncio.TimerHandle(when, callback, args, self._loop, context)

        def due() -> None:
            self._ready.append(handle)
            self._run()

        self._time.at(when, due)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It stays among what is due, and is passed over there."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A fault in a callback is one of the simulation; what a dead process left unfinished is none."""
        error = context.get("exception")
        if error is not None and self._alive():
            raise error

    # How.

    def _run(self) -> None:
        if not self._alive():
            self._ready.clear()
            return
        events._set_running_loop(self._loop)  # noqa: SLF001  # asyncio means it for event loops such as this
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001  # likewise
        finally:
            events._set_running_loop(None)  # noqa: SLF001  # likewise

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
