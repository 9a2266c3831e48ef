"""The witness at the fast depth: keeps a visit's trace in memory, its masses drawn when they are asked for.

It follows cabinet.witness: a baseline before, a barrier once every zone has come to rest after the closing, a gap
where nobody listened.  What it hands to the tally is what `cabinet.trace` writes and reads; nothing else is told.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from cabinet import barrier
from cabinet.basket.evidence import (
    BARRIER,
    Bolt,
    Door,
    Gap,
    Happening,
    Header,
    Health,
    Mass,
    Sighting,
    State,
    Temperature,
    Visit,
)
from cabinet.basket.score import Truth
from cabinet.basket.verdict import Verdict
from cabinet.ports import PortError
from cabinet.proving.recorded import Move, Recorded
from cabinet.scales import KEPT_S, Scales
from cabinet.session.events import Event, EvidenceComplete
from cabinet.sim.cells import Cells, Grams
from cabinet.sim.clockwork import Clockwork
from cabinet.sim.shop import Plan
from cabinet.units import CameraId, Sku, VisitId, ZoneId

BEFORE_S = 2.1  # of mass before the unlock: a trace carries at least two
AFTER_S = 2.2  # a trace goes on so long after the closing (two seconds at least), as evidence behind the barrier
SETTLE_S = 1.4  # after the closing: a slam has rung out (0.7 s) and 0.55 s of rest have been seen
AGAIN_S = 0.5
CHUNK_S = 1.0  # of samples in one line of the trace


@dataclass
class Page:
    """One visit being recorded."""

    visit: VisitId
    header: Header
    origin_s: float
    events: list[Happening] = field(default_factory=list)
    masses: list[tuple[float, dict[ZoneId, Grams]]] = field(default_factory=list)  # from (s), samples
    sampled_s: float = 0.0  # up to here masses are drawn
    inside: dict[int, tuple[Sku, ZoneId]] = field(default_factory=dict)  # units on the shelves at the unlock
    moves: list[Move] = field(default_factory=list)
    blind: list[tuple[float, str, str]] = field(default_factory=list)
    barrier_s: float | None = None
    verdict: Verdict | None = None
    complete: bool = True
    closed_s: float = 0.0  # when the door shut that is being finished
    given_up: bool = False  # the hard limit came before the barrier

    def t(self, at_s: float) -> float:
        return round(at_s - self.origin_s, 4)


class Notebook:
    """Survives the daemon, as a file does: the pages stay, what nobody recorded is missing."""

    def __init__(
        self,
        cells: Cells,
        time: Clockwork,
        dice: random.Random,
        inside: Callable[[], dict[int, tuple[Sku, ZoneId]]],
        looks: Callable[[Page], list[Sighting]],
    ) -> None:
        """`looks` compares the pictures before and after, for a page about to be judged."""
        self.cells, self.time = cells, time
        self.grain = np.random.default_rng(dice.getrandbits(64))
        self.page: Page | None = None
        self.pages: dict[VisitId, Page] = {}
        self.scales = Scales({})  # the caretaker's; zones are judged by the simulated board here
        self.eyes: dict[CameraId, object] = {}
        self.disk_full = False
        self.deaf: list[tuple[float, float]] = []  # from, until: no samples came
        self._deaf_since_s: float | None = None
        self._inside, self._looks = inside, looks
        self._header: Callable[[VisitId, str], Header]
        self._post: Callable[[Event], None] = lambda _event: None
        self._closed_s = 0.0

    def renew(self, dice: random.Random) -> None:
        """An empty book, and other noise."""
        self.grain = np.random.default_rng(dice.getrandbits(64))
        self.page, self.pages, self.deaf = None, {}, []
        self._closed_s = 0.0

    def connect(self, header: Callable[[VisitId, str], Header], post: Callable[[Event], None]) -> None:
        """To a daemon that has just started."""
        self._header, self._post = header, post
        self.page = None

    # What the hardware feels.

    def door(self, at_s: float, *, is_open: bool) -> None:
        if not is_open:
            self._closed_s = at_s
        self._write(lambda page: Door(page.t(at_s), is_open))

    def bolt(self, at_s: float, *, locked: bool) -> None:
        self._write(lambda page: Bolt(page.t(at_s), locked))

    def gap(self, part: str, seconds: float) -> None:
        self._write(lambda page: Gap(page.t(self.time.now_s), part, round(seconds, 3)))

    def temperature(self, probe: str, celsius: float) -> None:
        self._write(lambda page: Temperature(page.t(self.time.now_s), probe, celsius))

    def health(self, part: str, why: str | None) -> None:
        self._write(lambda page: Health(page.t(self.time.now_s), part, why is None, why or ""))

    def state(self, name: str) -> None:
        self._write(lambda page: State(page.t(self.time.now_s), name))

    def seen(self, sightings: list[Sighting]) -> None:
        """Sightings with `t` in world seconds."""
        page = self.page
        if page is not None:
            for s in sightings:
                page.events.append(
                    Sighting(page.t(s.t), s.camera, s.zone, s.action, page.t(s.t0), page.t(s.t1), s.scores, s.other)
                )

    def masses(self, zone: ZoneId, at_s: float, hz: float, grams: object) -> None:
        """Nobody sends any: they are drawn from the cells' history."""

    def _write(self, make: Callable[[Page], Happening]) -> None:
        if self.page is not None:
            self.page.events.append(make(self.page))

    def deafen(self) -> None:
        """From now on no sample arrives: the daemon is dead, or the board is away."""
        if self._deaf_since_s is None:
            self._deaf_since_s = self.time.now_s

    @property
    def is_deaf(self) -> bool:
        return self._deaf_since_s is not None

    def hear(self, part: str) -> None:
        if self._deaf_since_s is not None:
            self.deaf.append((self._deaf_since_s, self.time.now_s))
            self.gap(part, self.time.now_s - self._deaf_since_s)
            self._deaf_since_s = None

    # What the machine orders.

    def baseline_g(self) -> dict[ZoneId, float]:
        now_s = self.time.now_s
        return {zone: round(history.settled_g(now_s), 1) for zone, history in self.cells.histories.items()}

    def trace_of(self, visit: VisitId) -> str:
        return visit

    def start(self, visit: VisitId, purpose: str) -> None:
        if self.page is not None and self.page.visit == visit:
            return
        if self.disk_full and visit not in self.pages:
            raise PortError("trace: no space left on the device; free some disk")
        page = self.pages.get(visit)
        if page is None:
            page = Page(visit, self._header(visit, purpose), self.time.now_s, inside=self._inside())
            page.sampled_s = page.origin_s - BEFORE_S
            self.pages[visit] = page
        self.page = page

    def finish(self, visit: VisitId) -> None:
        page = self.page
        if page is None or page.visit != visit:
            self._post(EvidenceComplete(self.time.now_s, visit))
            return
        page.given_up, page.closed_s = False, max(self._closed_s, page.origin_s)
        self._await_rest(page, page.closed_s, SETTLE_S)

    def give_up(self, visit: VisitId) -> None:
        """The hard limit: what is missing is named, then the barrier (cabinet.witness)."""
        page = self.page
        if page is None or page.visit != visit or page.given_up:
            return
        page.given_up = True
        now_s = self.time.now_s
        self.draw(page, now_s)
        self.compare(page)
        scales = self._weighed(page.masses, page, late=round(KEPT_S * self.cells.rate_hz))
        for missing in barrier.cells(scales, page.closed_s) or (barrier.BUSY,):
            page.events.append(missing.event(page.t(now_s)))
        self._bar(page, now_s)

    def end(self, visit: VisitId) -> None:
        if self.page is not None and self.page.visit == visit:
            self.page = None

    # How.

    def _await_rest(self, page: Page, closed_s: float, delay_s: float) -> None:
        post = self._post

        def look() -> None:
            if self.page is not page or post is not self._post or self._closed_s > closed_s:
                return  # it opened again, or another daemon goes on
            if page.given_up:
                return
            self.draw(page, self.time.now_s)
            if barrier.complete(self._weighed(page.masses[-2:], page, late=80), closed_s):
                self.compare(page)
                self._bar(page, page.sampled_s - 1 / self.cells.rate_hz)  # the last sample that is in
                post(EvidenceComplete(self.time.now_s, page.visit))
            else:
                self._await_rest(page, closed_s, AGAIN_S)

        self.time.at(
            max(self.time.now_s, closed_s + delay_s if delay_s == SETTLE_S else self.time.now_s + delay_s), look
        )

    def compare(self, page: Page) -> None:
        """The pictures before and after, once."""
        if page.barrier_s is None:
            self.seen(self._looks(page))

    def _bar(self, page: Page, at_s: float) -> None:
        page.barrier_s = at_s
        page.events.append(State(page.t(at_s), BARRIER))

    def _weighed(self, masses: Sequence[tuple[float, dict[ZoneId, Grams]]], page: Page, *, late: int) -> Scales:
        """As the daemon's scales have them: of each stretch the last `late` samples, as far as they arrived."""
        scales, hz, deaf = Scales(page.header.zones), self.cells.rate_hz, self._not_heard()
        for from_s, drawn in masses:
            count = len(next(iter(drawn.values()), ()))
            first = max(0, count - late)
            for i, j in _heard(from_s + first / hz, count - first, hz, deaf):
                for zone, grams in drawn.items():
                    scales.add(zone, from_s + (first + i) / hz, hz, _grams(grams[first + i : first + j]))
        return scales

    def _not_heard(self) -> list[tuple[float, float]]:
        return [*self.deaf, *([(self._deaf_since_s, math.inf)] if self._deaf_since_s is not None else [])]

    def draw(self, page: Page, until_s: float) -> None:
        """Masses up to then, from where they were drawn last."""
        if until_s - page.sampled_s >= 1 / self.cells.rate_hz:
            page.masses.append((page.sampled_s, self.cells.sample(page.sampled_s, until_s, self.grain)))
            count = round((until_s - page.sampled_s) * self.cells.rate_hz)
            page.sampled_s += count / self.cells.rate_hz

    def recorded(self, page: Page) -> Visit:
        """The trace as it would be read from disk."""
        events = [*page.events]
        hz, deaf = self.cells.rate_hz, self._not_heard()
        for from_s, drawn in page.masses:
            count = len(next(iter(drawn.values()), ()))
            for i, j in _heard(from_s, count, hz, deaf):
                t = page.t(from_s + i / hz)
                events += [Mass(t, zone, hz, _grams(grams[i:j])) for zone, grams in drawn.items()]
        events.sort(key=_t)
        return Visit(page.header, tuple(events))

    def keep(self, visit: VisitId, truth: Truth, outcome: str, plan: Plan) -> Recorded | None:
        """All that a labelled trace needs; None where nothing was recorded."""
        page = self.pages.get(visit)
        if page is None:
            return None
        closed = [event.t for event in page.events if isinstance(event, Door) and not event.open]
        if closed:
            self.draw(page, min(self.time.now_s, page.origin_s + closed[-1] + AFTER_S))
        stood: dict[ZoneId, dict[Sku, int]] = {zone: {} for zone in plan.shelves}
        for sku, zone in page.inside.values():
            stood[zone][sku] = stood[zone].get(sku, 0) + 1
        return Recorded(
            self.recorded(page), truth, outcome, page.verdict, page.complete, plan, tuple(page.moves), stood,
            tuple(page.blind),
        )  # fmt: skip


_t = attrgetter("t")


def _grams(grams: Grams) -> tuple[float | None, ...]:
    values = grams.tolist()
    return tuple(values) if not np.isnan(grams).any() else tuple(None if g != g else g for g in values)  # noqa: PLR0124  NaN


def _heard(from_s: float, count: int, hz: float, deaf: list[tuple[float, float]]) -> list[tuple[int, int]]:
    """Runs of samples that arrived, a second at most each."""
    step = round(CHUNK_S * hz)
    if not any(a < from_s + count / hz and b > from_s for a, b in deaf):
        return [(i, min(i + step, count)) for i in range(0, count, step)]
    t = from_s + np.arange(count) / hz
    arrived = np.ones(count, dtype=bool)
    for a, b in deaf:
        arrived &= ~((t >= a) & (t < b))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], arrived, [False])).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(i, min(i + step, b)) for a, b in runs for i in range(a, b, step)]


def changes(page: Page, inside: dict[int, tuple[Sku, ZoneId]]) -> dict[ZoneId, Counter[Sku]]:
    """Per zone, how many units of what came (+) or left (-) since the unlock."""
    found: dict[ZoneId, Counter[Sku]] = {}
    for number, (sku, zone) in page.inside.items():
        if inside.get(number, ("", ""))[1] != zone:
            found.setdefault(zone, Counter())[sku] -= 1
    for number, (sku, zone) in inside.items():
        if page.inside.get(number, ("", ""))[1] != zone:
            found.setdefault(zone, Counter())[sku] += 1
    return found
