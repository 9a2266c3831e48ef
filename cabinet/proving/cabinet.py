"""One cabinet at the fast depth: the daemon's own parts round a simulated board, on the world's clock.

It lives and dies as the process does: `boot` opens the ledger that is there and tells the machine it restarted,
`die` forgets everything that was not durable.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from cabinet import clock
from cabinet.basket.evidence import Header, Product
from cabinet.basket.learning import LearningPolicy
from cabinet.basket.lessons import Afterthought, afterthought
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.verdict import Review, Verdict
from cabinet.caretaker import Caretaker, Limits
from cabinet.daemon import Daemon, Greeter, Happened, Tallied
from cabinet.learner import Learner
from cabinet.ledger import LedgerError, Stamp
from cabinet.parts import Parts
from cabinet.ports import Lock
from cabinet.proving.mishaps import Book, Fuse, PowerCut, Witnessing
from cabinet.proving.notebook import Notebook
from cabinet.proving.teaching import taught_by
from cabinet.senses import Nerves
from cabinet.session.effects import Notice
from cabinet.session.events import DeadlineReached, Event, Restarted, VisitTallied
from cabinet.session.policy import Policy
from cabinet.session.states import Idle, State, deadline_s
from cabinet.sim.board import SimBoard
from cabinet.sim.clockwork import Clockwork
from cabinet.sim.shop import CURRENCY, Plan
from cabinet.tallier import judge, outcome_of
from cabinet.units import Sku, VisitId, ZoneId
from cabinet.witness import Witness

CABINET = "proving-001"
TALLY_S = 0.02  # what a tally takes
WALL_MS = 1_795_000_000_000  # 2026-11-18: where every simulated wall clock begins


class WallClock:
    """The simulated wall clock, which may jump; the monotonic one is the clockwork."""

    def __init__(self, time: Clockwork) -> None:
        self.time, self.offset_ms, self.trusted = time, WALL_MS, True

    def stamp(self) -> Stamp:
        mono_ms = int(self.time.now_s * 1000)
        return Stamp(mono_ms, max(0, mono_ms + self.offset_ms), "ntp" if self.trusted else "floor")


class FastTallier:
    """Judges the notebook's page as cabinet.tallier judges the file."""

    def __init__(self, notebook: Notebook, time: Clockwork, policy: TallyPolicy, post: Callable[[Event], None]) -> None:
        self._notebook, self._time, self._policy, self._post = notebook, time, policy, post
        self._results: dict[VisitId, Tallied] = {}
        self.taught: Callable[[VisitId, Afterthought], None] | None = None

    def tally(self, visit: VisitId, *, complete: bool) -> None:
        verdict = self._judge(visit, complete=complete)
        self._results = {visit: Tallied(verdict, "")}
        told = VisitTallied(self._time.now_s + TALLY_S, visit, outcome_of(verdict))
        self._time.after(TALLY_S, lambda: self._post(told))

    def result(self, visit: VisitId) -> Tallied | None:
        return self._results.get(visit)

    def _judge(self, visit: VisitId, *, complete: bool) -> Verdict:
        page = self._notebook.pages.get(visit)
        if page is None:
            return Review("the visit's recording cannot be read: it has none")
        self._notebook.draw(page, self._time.now_s)
        self._notebook.compare(page)
        page.complete = complete
        judged = self._notebook.recorded(page).judged()
        page.verdict = judge(judged, self._policy, complete=complete)
        if self.taught is not None:
            self.taught(visit, afterthought(judged, page.verdict, LearningPolicy()))
        return page.verdict


class _Fused:
    """A port's verbs, with a point of possible death before each."""

    def __init__(self, board: SimBoard, fuse: Fuse) -> None:
        self._board, self._fuse = board, fuse

    async def release(self, visit: VisitId, lease_s: float) -> None:
        self._fuse.point("before the release")
        await self._board.release(visit, lease_s)

    async def engage(self) -> None:
        self._fuse.point("before the relock")
        await self._board.engage()

    async def clear_faults(self) -> None:
        self._fuse.point("before clearing faults")
        await self._board.clear_faults()

    async def check(self) -> None:
        await self._board.check()

    def keep_alive(self) -> None:
        self._board.keep_alive()

    async def lamp(self, mode: str) -> None:
        self._fuse.point("before the lamp")
        await self._board.lamp(mode)

    async def buzzer(self, pattern: str) -> None:
        await self._board.buzzer(pattern)


class _Inbox(asyncio.Queue[Event]):
    """What the daemon posts to itself goes where everybody else's events go."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self._all = events

    def put_nowait(self, item: Event) -> None:
        self._all.append(item)


class FastCabinet:
    def __init__(
        self,
        path: Path,
        plan: Plan,
        board: SimBoard,
        notebook: Notebook,
        greeter: Callable[[Callable[[Event], None]], Greeter],
        watcher: Callable[[Happened], None],
        *,
        caring: bool = False,
        learning: bool = False,
    ) -> None:
        """`greeter` makes one that posts to this daemon; `caring`: the caretaker makes its rounds too.

        `learning`: visits teach, so that they are no longer alike whatever came before them.
        """
        self.path, self.plan, self.time, self.board, self.notebook = path, plan, board.clock, board, notebook
        self.fuse, self.committed, self.wall = Fuse(), Witnessing(), WallClock(board.clock)
        self.alive = False
        self.boots = 0
        self.died_in: list[str] = []
        self.disk_full = False  # so full that not even the ledger can write
        self.needed_mib = 0  # the host's disk is not the simulated one: more than any has means full
        self.notices: deque[Notice] = deque(maxlen=50)
        self._policy, self._caring, self._learning = Policy(), caring, learning
        self._make_greeter, self._watcher = greeter, watcher
        self._events: list[Event] = []
        self.ledger: Book
        self.daemon: Daemon
        self.parts: Parts
        self.nerves: Nerves
        self.caretaker: Caretaker | None = None
        self.learner: Learner | None = None
        self._known: tuple[int, dict[Sku, Product], dict[ZoneId, tuple[Sku, ...]]] | None = None

    # Living.

    def boot(self) -> None:
        """Start the process on the ledger that is there."""
        self.boots += 1
        self._events = []
        events = self._events

        def post(event: Event) -> None:
            events.append(event)

        self._known = None
        self.ledger = Book(self.path)
        self.ledger.fuse, self.ledger.committed, self.ledger.full = self.fuse, self.committed, self.disk_full
        self.parts = Parts(post, lambda: self.time.now_s)
        self.notebook.connect(self._header, post)
        self.nerves = Nerves(post, cast("Witness", self.notebook), self.parts, now=lambda: self.time.now_s)
        lock, tallier = _Fused(self.board, self.fuse), FastTallier(self.notebook, self.time, TallyPolicy(), post)
        greeter = self._make_greeter(post)
        self.daemon = Daemon(
            self.ledger, lock, lock, greeter, self.notebook,
            tallier, self._policy, CURRENCY,
            show=lambda notice, _visit: self.notices.append(notice), part=self.parts.report,
            now=lambda: self.time.now_s, stamp=self.wall.stamp, events=_Inbox(events),
        )  # fmt: skip
        self.parts.on_change(lambda part: self.notebook.health(part.name, part.why))
        self.daemon.watchers.append(lambda step: self.notebook.state(type(step.after).__name__.lower()))
        self.daemon.watchers.append(self._watcher)
        self._expect_parts()
        self.learner = taught_by(self, tallier) if self._learning else None
        self.alive = True
        self.daemon.state = self.ledger.state() or Idle()
        self._handle(Restarted(self.time.now_s))
        if self.alive:
            self.board.senses, self.board.part = self.nerves, self.parts.report
            self.notebook.hear("cabinet")
            self.board.hello()
            self._started()
            if self.learner is not None:
                self.learner.start()
            self.pump()

    def die(self) -> None:
        """Everything volatile is gone; the board hears nothing more."""
        if not self.alive:
            return
        self.alive = False
        self.died_in.append(type(self.daemon.state).__name__)
        self.board.senses, self.board.part = None, lambda _name, _why: None
        self.board.host_silent()
        self.notebook.deafen()
        self.notebook.page = None
        self.notebook._post = lambda _event: None  # noqa: SLF001  nobody listens any more
        self._events = []
        self.ledger.close()

    def renew(self) -> None:
        """The ledger believes what stands there again; the clocks begin anew."""
        self.wall.offset_ms, self.wall.trusted = WALL_MS, True
        self.died_in.clear()
        self.ledger.restock(self.plan.believed or self.plan.shelves)
        self.ledger.forget_learning()

    def close(self) -> None:
        if self.alive:
            self.die()

    def fill(self, *, full: bool) -> None:
        """The disk is so full that not even the ledger can write: the process ends and is started again."""
        self.disk_full = full
        if self.alive:
            self.ledger.full = full

    @property
    def state(self) -> State:
        return self.daemon.state

    def post(self, event: Event) -> None:
        if self.alive:
            self._events.append(event)

    # The shell's loop.

    def due_s(self) -> float | None:
        return deadline_s(self.daemon.state) if self.alive else None

    def deadline(self) -> None:
        self._handle(DeadlineReached(self.time.now_s))
        self.pump()

    def pump(self) -> None:
        """Handle what has come in, until nothing is left."""
        while self.alive and self._events:
            self._handle(self._events.pop(0))

    def _handle(self, event: Event) -> None:
        """One event, to its end: no simulated port ever makes it wait."""
        try:
            self.daemon.handle(event).send(None)
        except StopIteration:
            return
        except (PowerCut, LedgerError):  # a process that cannot write ends; systemd starts it again
            self.die()
            return
        raise AssertionError("a simulated port waited")

    def round(self) -> None:
        """The caretaker's look, where it makes its rounds."""
        if self.alive and self.caretaker is not None:
            self.caretaker.limits = replace(self.caretaker.limits, min_free_mib=self.needed_mib)
            self.caretaker.round(self.time.now_s)
            self.pump()

    # How.

    def _started(self) -> None:
        """The board has told where door and bolt are (cabinet.caretaker)."""
        if self.nerves.door_open is not None and self.nerves.bolt_locked is not None:
            self.parts.report("cabinet", None)

    def _expect_parts(self) -> None:
        """Most are in order until something befalls them: what selling needs and what has not failed is told so."""
        self.parts.expect("cabinet", needed=True, why="starting")
        zones, cameras = (f"scale:{z}" for z in self.plan.shelves), (f"camera:{c}" for c in self.plan.cameras)
        for name in ("board", "lock", "disk", "recogniser", "catalogue", "temperature", "probe", *zones, *cameras):
            self.parts.expect(name, needed=True, why=None)
        self.caretaker = self._caretaker() if self._caring else None

    def _caretaker(self) -> Caretaker:
        limits = Limits(self.needed_mib, 1_000_000, 36_500.0, max_c=5.0)
        return Caretaker(
            self.parts, self.nerves, cast("Witness", self.notebook), {}, self.ledger, self.path.parent / "traces",
            limits, lambda: self.daemon.state, cast("Lock", self.board),
        )  # fmt: skip

    def counted(self, zone: ZoneId, sku: Sku, count: int) -> None:
        """A technician has counted, and says so."""
        if self.alive:
            self.ledger.set_stock(zone, sku, count)
            if self.learner is not None:
                self.learner.counted()

    def later(self, delay_s: float, what: Callable[[], None]) -> None:
        """Unless this process is gone by then."""
        boot = self.boots

        def do() -> None:
            if not self.alive or boot != self.boots:
                return
            try:
                what()
            except (PowerCut, LedgerError):
                self.die()

        self.time.after(delay_s, do)

    def _catalog(self) -> dict[Sku, Product]:
        """Read again where a price or a product has changed."""
        version = self.ledger.price_version()
        if self._known is None or self._known[0] != version:
            self._known = version, self.ledger.catalog(), self.ledger.planogram()
        if self.learner is not None:
            return self.learner.catalog()
        return self._known[1]

    def _header(self, visit: VisitId, purpose: str) -> Header:
        wall = self.wall.stamp()
        return Header(
            visit, CABINET, clock.wall_text(wall.wall_ms), wall.quality in {"ntp", "cloud"}, purpose,  # type: ignore[arg-type]  # the machine's own words
            CURRENCY, dict.fromkeys(self.plan.shelves, self.plan.zone), self.plan.cameras, self._catalog(),
            self._known[2] if self._known else {}, self.ledger.stock(),
            strays={} if self.learner is None else self.ledger.strays_in(),
        )  # fmt: skip


def stocked(path: Path, plan: Plan) -> None:
    """A ledger as a technician leaves it: catalogue, planogram, stock."""
    with Book(path) as ledger:
        ledger.put_products(plan.catalog)
        for zone, held in (plan.believed or plan.shelves).items():
            if held:
                ledger.set_planogram(zone, held)
            for sku, count in held.items():
                ledger.set_stock(zone, sku, count)
