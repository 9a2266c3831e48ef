"""What works and what does not: one list that status, doctor, telemetry and the state machine all read."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cabinet.session.events import Event, PartLost, PartRestored
from cabinet.session.states import Fault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    why: str | None  # None: in order
    since_s: float  # monotonic
    needed: bool  # the cabinet does not sell without it
    remedy: str = ""
    new: bool = False  # never in order since it was expected

    @property
    def ok(self) -> bool:
        return self.why is None


class Parts:
    """Reports may repeat; only changes are logged and told to the machine, and only of parts that selling needs."""

    def __init__(self, post: Callable[[Event], None], now: Callable[[], float]) -> None:
        self._post = post
        self._now = now
        self._parts: dict[str, Part] = {}
        self._listeners: list[Callable[[Part], None]] = []

    def __iter__(self) -> Iterator[Part]:
        return iter(sorted(self._parts.values(), key=lambda part: part.name))

    def on_change(self, listener: Callable[[Part], None]) -> None:
        self._listeners.append(listener)

    def expect(self, name: str, *, needed: bool, why: str | None = "not heard of yet", remedy: str = "") -> None:
        """Declare a part before it has reported: until it does, it is not in order, unless `why` is None.

        Of one that is in order the machine is told too: it may have gone to sleep with that fault.
        """
        self._parts[name] = Part(name, why, self._now(), needed, remedy, new=why is not None)
        if needed:
            lost = None if why is None else PartLost(self._now(), Fault(name, why, new=True))
            self._post(lost or PartRestored(self._now(), name))

    def report(self, name: str, why: str | None, *, latched: bool = False) -> None:
        """`name` is in order (None) or not (why).  A part nobody expected is not needed to sell.

        `latched`: the machine sells again only after a service visit, whatever is reported later.
        """
        before = self._parts.get(name) or Part(name, None, self._now(), needed=False)
        if name in self._parts and before.why == why:
            return
        now_s = self._now()
        new = before.new and why is not None
        part = self._parts[name] = Part(name, why, now_s, before.needed, before.remedy, new)
        if why is None:
            log.info("part_ok part=%s", name)
        else:
            log.warning("part_lost part=%s why=%s", name, why)
        if part.needed:
            lost = None if why is None else PartLost(now_s, Fault(name, why, latched, new))
            self._post(lost or PartRestored(now_s, name))
        for listener in self._listeners:
            listener(part)

    def why(self, name: str) -> str | None:
        part = self._parts.get(name)
        return None if part is None else part.why
