"""The world and the cabinet in it, and the one loop that lets both happen in order of time."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cabinet.basket.evidence import Sighting
from cabinet.daemon import Happened
from cabinet.greeter.standing import LINGER_S
from cabinet.identity.credit import Limits
from cabinet.proving.cabinet import FastCabinet, stocked
from cabinet.proving.counter import Line, till_of
from cabinet.proving.front import Door, FrontGreeter, Person
from cabinet.proving.luck import PROBE_S, Luck
from cabinet.proving.notebook import Notebook, Page, changes
from cabinet.proving.paying import PayingFarEnd
from cabinet.proving.recorded import Move
from cabinet.proving.waiting import Waiting
from cabinet.session.events import ServiceRequested
from cabinet.session.states import Authenticating, Idle
from cabinet.sim import acts
from cabinet.sim.apparatus import FastApparatus
from cabinet.sim.board import SimBoard
from cabinet.sim.cells import Cells, Physics
from cabinet.sim.clockwork import Clockwork
from cabinet.sim.glimpses import Action, Confusion, Glimpses
from cabinet.sim.shop import Plan
from cabinet.sim.world import World
from cabinet.till import Till
from cabinet.units import Sku, ZoneId

if TYPE_CHECKING:
    from cabinet.proving.overhearing import Overheard

BEGIN_S = 5.0
ROUND_S = 0.5
CHILLED_C = 4.0
SYSTEMD_S = 2.0  # Restart=always, RestartSec=2 of the unit
FRESH_S = 0.15  # the after-picture is so much younger than the closing (cabinet.witness)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the simulated world is; `noise` and `confusion` scale or replace the usual imperfections."""

    physics: Physics = field(default_factory=Physics)
    confusion: Confusion = field(default_factory=Confusion)
    caring: bool = False  # the caretaker makes its rounds (stories; a campaign reports parts directly)
    learning: bool = False  # visits teach (stories; a campaign's visits must not depend on those before)
    credit: Limits = field(default_factory=Limits)  # of the till, where there is a far end


class Stage:
    def __init__(
        self,
        folder: Path,
        plan: Plan,
        dice: random.Random,
        settings: Settings | None = None,
        watcher: Callable[[Happened], None] = lambda _step: None,
        ledger: Path | None = None,
    ) -> None:
        """`ledger`: a stocked file to begin with; without it one is made in the folder."""
        self._watcher = watcher
        self.plan, self.dice, self.settings = plan, dice, settings or Settings()
        self.time = Clockwork()
        self.board = SimBoard(self.time)
        self.cells = Cells(list(plan.shelves), self.settings.physics)
        self.world = World(list(plan.shelves), plan.goods, FastApparatus(self.time, self.board, self.cells), dice)
        self.door = Door(self.time, dice)
        self.glimpses = Glimpses(
            plan.cameras, list(plan.wares), {sku: ware.alike for sku, ware in plan.wares.items()}, dice,
            self.settings.confusion,
        )  # fmt: skip
        self.luck = Luck(self)
        self.restart_after_s: float | None = SYSTEMD_S  # None: nobody starts it again
        self.far_end: PayingFarEnd | None = None  # only where the story has one
        self.changed: Callable[[], None] = lambda: None  # after everything that happened
        self._down_until_s: float | None = None
        self.notebook = Notebook(self.cells, self.time, dice, self.world.inside, self._compared)
        path = ledger or folder / "ledger.db"
        if not path.exists():
            stocked(path, plan)
        self.cabinet = FastCabinet(
            path, plan, self.board, self.notebook, self._greeter, self._stepped, caring=self.settings.caring,
            learning=self.settings.learning,
        )  # fmt: skip
        self.greeter: FrontGreeter
        self.till: Till | None = None  # of the daemon that lives now
        self.heard: Overheard | None = None  # the log, where somebody reads it
        self.world.stock(plan.shelves)
        self.board.on_change = self._changed
        self._rounds_from_s = 0.0
        self._not_before_s = 0.0  # when somebody who stays is greeted again
        if self.settings.caring:
            self.luck.warm(CHILLED_C)

    def _greeter(self, post: Callable[..., None]) -> FrontGreeter:
        """For a daemon that starts, with a till where there is a far end to ask."""
        cabinet, boot = self.cabinet, self.cabinet.boots
        till = None if self.far_end is None else till_of(cabinet, Line(self), self.settings.credit)
        waiting = Waiting(self.time, lambda: cabinet.alive and cabinet.boots == boot)
        self.greeter = FrontGreeter(self.door, post, till, waiting)
        if self.far_end is not None:
            self.far_end.till, self.far_end.later = till, cabinet.later
        self.till = till
        return self.greeter

    def _changed(self) -> None:
        self.changed()

    def _stepped(self, step: Happened) -> None:
        """Whoever stands there after a visit has shopped and is not greeted again at once (cabinet.greeter)."""
        if isinstance(step.after, Idle) and not isinstance(step.before, Idle | Authenticating):
            self._not_before_s = step.at_s + LINGER_S
        self._watcher(step)

    # Time.

    def start(self) -> None:
        self.time.advance(BEGIN_S)  # the cells have rested for long
        self.boot()
        if self.settings.caring:
            self.run_for(PROBE_S)  # until the thermometer has spoken

    def renew(self, dice: random.Random) -> None:
        """The cabinet as in the morning: restocked, at rest, its clock at the beginning, and other dice."""
        self.time.clear()
        self.time.now_s = BEGIN_S
        self.dice = self.world.dice = self.door.dice = self.glimpses.dice = dice
        if self.far_end is not None:
            self.far_end.dice = random.Random(dice.getrandbits(64))
        self.cells.slams, self.cells.compressor = [], []
        self.world.stock(self.plan.shelves)
        self.notebook.renew(dice)
        self.board.renew()
        self.door.person, self._not_before_s, self.luck.wire = None, 0.0, "back"
        self.cabinet.renew()

    def run_for(self, seconds: float) -> None:
        self.run_until(lambda: False, seconds)

    def run_until(self, there: Callable[[], bool], within_s: float) -> bool:
        """Let things happen until `there`, or for so long."""
        end_s = self.time.now_s + within_s
        self.settle()
        while not there():
            due_s, next_s = self.cabinet.due_s(), self._next_s()
            if (due_s is None or due_s > end_s) and (next_s is None or next_s > end_s):
                self.time.advance(end_s)
                return there()
            if due_s is not None and (next_s is None or due_s <= next_s):
                self.time.advance(due_s)
                self.cabinet.deadline()
            else:
                self._next()
            self.settle()
        return True

    def _next_s(self) -> float | None:
        """When something happens by itself next."""
        next_s = self.time.next_s()
        if self._down_until_s is not None and (next_s is None or self._down_until_s < next_s):
            next_s = self._down_until_s
        if self.settings.caring and (next_s is None or self._rounds_from_s < next_s):
            next_s = self._rounds_from_s
        return next_s

    def _next(self) -> None:
        first_s = self._next_s()
        if self._down_until_s is not None and self._down_until_s == first_s:
            self.time.advance(self._down_until_s)
            self.boot()
        elif self.settings.caring and self._rounds_from_s == first_s:
            self.time.advance(self._rounds_from_s)
            self._rounds_from_s = self.time.now_s + ROUND_S
            self.cabinet.round()
        else:
            self.time.step()

    def settle(self) -> None:
        """Let the daemon handle what came in; note whether it died of it."""
        was = self.cabinet.alive
        self.cabinet.pump()
        if not self.cabinet.alive and self._down_until_s is None and self.restart_after_s is not None:
            self._down_until_s = self.time.now_s + self.restart_after_s
        if was or self.cabinet.alive:
            self.changed()

    def boot(self) -> None:
        """Start the daemon, which finds its parts as they are."""
        self._down_until_s, self.restart_after_s = None, SYSTEMD_S
        self.cabinet.boot()
        if self.till is not None:
            self.cabinet.daemon.terms_of = self.till.terms_of
        self.luck.tell_again()
        self.settle()

    def kill(self) -> None:
        """The process ends here, until somebody starts it again."""
        self._down_until_s = self.restart_after_s = None
        self.cabinet.die()

    # People.

    def come(self, who: str, by: acts.Means, *, overlooked: bool = False) -> None:
        self.door.person = Person(who, by, overlooked)
        self._not_before_s = self.time.now_s
        if self.far_end is not None and who not in self.far_end.cards:
            self.far_end.card(who, "works")  # unless the story has said otherwise
        if self.cabinet.boots:
            self.greeter.owes = False
        self._approach()

    def _approach(self) -> None:
        """Whoever stands there is greeted once the cabinet sells again."""
        if self.door.person is not None:
            ready = self.cabinet.alive and isinstance(self.cabinet.state, Idle)
            if ready and self.time.now_s >= self._not_before_s and not self.greeter.owes:  # turned away: goes
                self.greeter.approach(self.cabinet.wall.stamp().wall_ms)
            self.time.after(4.0, self._approach_again(self.door.person))

    def _approach_again(self, person: Person) -> Callable[[], None]:
        def again() -> None:
            if self.door.person is person:
                self._approach()

        return again

    def serve(self, who: str, purpose: str) -> None:
        visit = self.door.visit(self.cabinet.wall.stamp().wall_ms)
        self.cabinet.post(ServiceRequested(self.time.now_s, visit, who, purpose, "told"))  # type: ignore[arg-type]
        self.settle()

    def moved(self, zone: ZoneId, sku: Sku, action: Action, after_s: float = 0.0) -> None:
        """A unit crossed a zone's edge: what the cameras make of it."""
        page = self.notebook.page
        if page is None or not self.cabinet.alive:
            return
        page.moves.append(Move(page.t(self.time.now_s), zone, sku, action, after_s))
        known = sku if sku in self.plan.wares else None
        seen = self.glimpses.moved(
            self.time.now_s + after_s,
            zone,
            known,
            action,
            frozenset(self.luck.blind),
        )
        for sighting in seen:
            self.time.at(sighting.t, lambda s=sighting: self.notebook.seen([s]))  # type: ignore[misc]  # bound now

    def _compared(self, page: Page) -> list[Sighting]:
        now_s = self.time.now_s
        found = []
        changed = changes(page, self.world.inside())
        for zone in self.plan.shelves:
            counts: Counter[Sku | None] = Counter()
            for sku, n in changed.get(zone, Counter()).items():
                counts[sku if sku in self.plan.wares else None] += n
            left = {sku: n for sku, n in counts.items() if n}
            before_s = page.origin_s - FRESH_S
            found += self.glimpses.compared(before_s, now_s - 0.5, zone, left, frozenset(self.luck.blind))
        return found
