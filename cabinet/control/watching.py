"""The live views: whoever asked to watch is told of every step, notice, sighting and part as it happens; of
everything the board tells; or of what the scales weigh.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from cabinet import clock, trace
from cabinet.basket.evidence import Happening, Sighting
from cabinet.basket.verdict import Interim
from cabinet.control.requests import Answer
from cabinet.control.scales import live
from cabinet.daemon import Happened
from cabinet.parts import Part
from cabinet.ports import Desk
from cabinet.scales import Scales
from cabinet.session.states import State, open_visit

MAX_WATCH_BACKLOG = 1000  # lines a slow watcher may be behind before it loses some
LINK_EVERY_S = 1.0  # a watcher of the board is told the link's counters
SCALES_EVERY_S = 0.25  # what an eye can follow


@dataclass
class Watchers:
    """Everybody who watches one thing.  A slow one loses lines and delays nobody."""

    _queues: set[asyncio.Queue[Answer]] = field(default_factory=set)

    @contextlib.contextmanager
    def one_more(self) -> Iterator[asyncio.Queue[Answer]]:
        queue: asyncio.Queue[Answer] = asyncio.Queue(MAX_WATCH_BACKLOG)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def tell(self, line: Answer) -> None:
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(line)

    def __len__(self) -> int:
        return len(self._queues)


@dataclass
class Watching:
    state: Callable[[], State]
    screen: Callable[[], str]
    watchers: Watchers = field(default_factory=Watchers)

    async def watch(self) -> AsyncIterator[Answer]:
        with self.watchers.one_more() as queue:
            yield {"type": "hello", "state": type(self.state()).__name__, "screen": self.screen()}
            while True:
                yield await queue.get()

    def tell(self, line: Answer) -> None:
        self.watchers.tell(line)

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

    def interim(self, interim: Interim | None) -> None:
        """What seems to have been taken has changed; None: the door is shut."""
        self.tell({"type": "interim", "interim": taken(interim), "screen": self.screen()})

    def part_changed(self, part: Part) -> None:
        self.tell({"type": "part", "part": part.name, "ok": part.ok, "why": part.why})


@dataclass
class BoardWatching:
    """The board as it is felt, and the link to it; the scales as they weigh."""

    desk: Desk
    scales: Scales
    watchers: Watchers = field(default_factory=Watchers)

    async def board(self) -> AsyncIterator[Answer]:
        with self.watchers.one_more() as queue:
            yield {"type": "info", **self.desk.facts()}
            link_s = clock.now_s() + LINK_EVERY_S
            while True:
                line = await _within(queue, link_s)
                if line is not None:
                    yield line
                if clock.now_s() >= link_s:
                    link_s = clock.now_s() + LINK_EVERY_S
                    facts = self.desk.facts()
                    link = {key: facts.get(key) for key in ("connected", "uptime_s", "link", "counters")}
                    yield {"type": "link", **link}

    async def weighing(self) -> AsyncIterator[Answer]:
        """`new_g`: the mean of each batch that came since the line before, None where all of it was bad."""
        told_s = dict.fromkeys(self.scales.zones, clock.now_s())
        while True:
            zones = {}
            for zone, scale in self.scales.zones.items():
                zones[zone] = {**live(scale), "new_g": [_mean(g) for at_s, _, g in scale.chunks if at_s > told_s[zone]]}
                told_s[zone] = scale.chunks[-1][0] if scale.chunks else told_s[zone]
            yield {"type": "scales", "at_s": round(clock.now_s(), 3), "zones": zones}
            await asyncio.sleep(SCALES_EVERY_S)


def taken(interim: Interim | None) -> Answer | None:
    """As JSON.  Nothing in it has a price."""
    if interim is None:
        return None
    units = [{"sku": sku, "name": name, "units": n} for sku, name, n in interim.taken]
    return {"taken": units, "settled": interim.settled}


def _mean(grams: Sequence[float | None]) -> float | None:
    good = [g for g in grams if g is not None]
    return round(sum(good) / len(good), 2) if good else None


async def _within(queue: asyncio.Queue[Answer], until_s: float) -> Answer | None:
    try:
        async with asyncio.timeout_at(until_s):
            return await queue.get()
    except TimeoutError:
        return None
