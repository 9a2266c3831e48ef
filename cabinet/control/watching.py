"""The live view: whoever asked to watch is told of every step, notice, sighting and part as it happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from cabinet import trace
from cabinet.basket.evidence import Happening, Sighting
from cabinet.control.requests import Answer
from cabinet.daemon import Happened
from cabinet.parts import Part
from cabinet.session.states import State, open_visit

MAX_WATCH_BACKLOG = 1000  # lines a slow watcher may be behind before it loses some


@dataclass
class Watching:
    state: Callable[[], State]
    screen: Callable[[], str]
    _watchers: set[asyncio.Queue[Answer]] = field(default_factory=set)

    async def watch(self) -> AsyncIterator[Answer]:
        queue: asyncio.Queue[Answer] = asyncio.Queue(MAX_WATCH_BACKLOG)
        self._watchers.add(queue)
        try:
            yield {"type": "hello", "state": type(self.state()).__name__, "screen": self.screen()}
            while True:
                yield await queue.get()
        finally:
            self._watchers.discard(queue)

    def tell(self, line: Answer) -> None:
        for queue in self._watchers:
            if not queue.full():
                queue.put_nowait(line)

    def happened(self, step: Happened) -> None:
        if step.before == step.after and not step.effects:
            return
        names = [type(effect).__name__ for effect in step.effects]
        self.tell(
            {
                "type": "step",
                "at_s": round(step.at_s, 3),
                "event": type(step.event).__name__,
                "before": type(step.before).__name__,
                "after": type(step.after).__name__,
                "visit": open_visit(step.after) or open_visit(step.before),
                "effects": names,
            }
        )

    def sensed(self, event: Happening) -> None:
        if isinstance(event, Sighting):
            self.tell({"type": "sighting", **{k: v for k, v in trace.event_to_dict(event).items() if k != "type"}})

    def part_changed(self, part: Part) -> None:
        self.tell({"type": "part", "part": part.name, "ok": part.ok, "why": part.why})
