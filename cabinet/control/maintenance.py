"""While a technician works on board or scales no visit begins, and while a visit is open no such work begins.

The work is a part that is not in order: the machine sells nothing until it is done.  A technician who never comes back
is waited for only so long.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from cabinet import clock
from cabinet.control.requests import RequestError
from cabinet.daemon import Daemon
from cabinet.parts import Parts
from cabinet.session.events import PartLost
from cabinet.session.states import Fault, Idle, OutOfService, Servicing, State

PART = "maintenance"
FREE = (Idle, OutOfService)

log = logging.getLogger(__name__)


@dataclass
class Maintenance:
    daemon: Daemon
    parts: Parts
    doing: str | None = None  # such as "calibrate s1"; None: nothing
    door_stays_shut: bool = False  # the work suffers no unlock beside it
    _ends: asyncio.TimerHandle | None = field(default=None, init=False)

    @contextlib.asynccontextmanager
    async def during(self, doing: str, who: str, *, alone: bool = False) -> AsyncIterator[None]:
        """Nothing begins meanwhile.  `alone`: not in a technician's visit either, and nobody unlocks.

        Work that goes on already under the same name is joined, and goes on afterwards.
        """
        joined = self.doing == doing
        await self.begin(doing, who, alone=alone)
        try:
            yield
        finally:
            if not joined:
                self.end()

    async def begin(self, doing: str, who: str, *, alone: bool = False, for_s: float | None = None) -> None:
        """Until `end`, or for so long.  Raises RequestError during a visit or other work."""
        self.refuse_others(doing)
        if self.doing is None:
            self._refuse_visits(self.daemon.state, alone=alone)
            self.doing, self.door_stays_shut = doing, alone
            why = f"{who} is at work ({doing}): nothing is sold until it is done"
            self.parts.report(PART, why)
            try:  # what was in the queue before may have opened a visit
                step = await self.daemon.ask(PartLost(clock.now_s(), Fault(PART, why)))
                self._refuse_visits(step.after, alone=alone)
            except BaseException:
                self.end()
                raise
            log.info("maintenance_begins doing=%s who=%s", doing, who)
        if for_s is not None:
            self._forget_timer()
            self._ends = asyncio.get_running_loop().call_later(for_s, self.end)

    def end(self) -> None:
        """Safe to repeat."""
        self._forget_timer()
        if self.doing is not None:
            log.info("maintenance_ends doing=%s", self.doing)
        self.doing, self.door_stays_shut = None, False
        self.parts.report(PART, None)

    def refuse_others(self, doing: str) -> None:
        """Raises RequestError where something else is under way."""
        if self.doing is not None and self.doing != doing:
            raise RequestError(f"{self.doing} is under way", "wait until it is done, or end it")

    def refuse_unlock(self) -> None:
        if self.door_stays_shut:
            raise RequestError(f"{self.doing} is under way, and the door stays shut meanwhile", "wait until it is done")

    def _refuse_visits(self, state: State, *, alone: bool) -> None:
        if isinstance(state, FREE) or (isinstance(state, Servicing) and not alone):
            return
        if isinstance(state, Servicing):
            raise RequestError("a technician's visit is open", "shut the door, which ends it, then do it again")
        raise RequestError(f"the cabinet is {type(state).__name__}", "wait until the visit has ended")

    def _forget_timer(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
