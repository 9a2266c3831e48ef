"""The world and the cabinet in it, and the one loop that lets both happen in order of time."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cabinet.basket.evidence import Sighting
from cabinet.daemon import Happened
from cabinet.greeter import LINGER_S
from cabinet.proving.cabinet import FastCabinet, stocked
from cabinet.proving.far_end import FarEnd
from cabinet.proving.front import Door, FrontGreeter, Person
from cabinet.proving.notebook import Notebook, Page, changes
from cabinet.proving.recorded import Move
from cabinet.session.events import ServiceRequested
from cabinet.session.states import Authenticating, Idle
from cabinet.sim import acts
from cabinet.sim.apparatus import FastApparatus
from cabinet.sim.board import SimBoard
from cabinet.sim.cells import Broken, Cells, Physics
from cabinet.sim.clockwork import Clockwork
from cabinet.sim.glimpses import Action, Confusion, Glimpses
from cabinet.sim.shop import Plan
from cabinet.sim.world import World
from cabinet.units import CameraId, Sku, ZoneId

BEGIN_S = 5.0
ROUND_S = 0.5
DISK_S = 5.0  # half the time between two looks of the caretaker
MORE_THAN_ANY_MIB = 1 << 40
CHILLED_C = 4.0
PROBE_S = 5.0  # between two readings of the thermometer
SYSTEMD_S = 2.0  # Restart=always, RestartSec=2 of the unit
FRESH_S = 0.15  # the after-picture is so much younger than the closing (cabinet.witness)

CAMERA_TROUBLES = {
    "covered": "the picture is covered: look what is before the lens",
    "frozen": "the picture is frozen: unplug the camera and plug it in again",
    "dark": "the picture is dark: look at the lens and the lamp",
    "moved": "the picture is moved: put it back",
    "fogged": "the picture is fogged: wipe the lens",
    "away": "no frames: look at its cable",
}
CELL_TROUBLES = {
    "dead": "only bad samples (no conversion)",
    "stuck": "the cell is stuck: every sample is the same",
    "saturated": "only bad samples (saturated)",
    "slipping": "more than 10 of the last 80 samples slipped",
    "spiking": "more than 10 of the last 80 samples spiked",
    "swapped": "",  # nothing tells it but the masses
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How the simulated world is; `noise` and `confusion` scale or replace the usual imperfections."""

    physics: Physics = field(default_factory=Physics)
    confusion: Confusion = field(default_factory=Confusion)
    caring: bool = False  # the caretaker makes its rounds (stories; a campaign reports parts directly)


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
        self.blind: set[CameraId] = set()
        self.restart_after_s: float | None = SYSTEMD_S  # None: nobody starts it again
        self.powered = True
        self.wire = "back"
        self.far_end: FarEnd | None = None  # only where the story has one
        self.changed: Callable[[], None] = lambda: None  # after everything that happened
        self._troubles: dict[str, str] = {}  # part -> why: told to each new daemon
        self._down_until_s: float | None = None
        self.notebook = Notebook(self.cells, self.time, dice, self.world.inside, self._compared)
        path = ledger or folder / "ledger.db"
        if not path.exists():
            stocked(path, plan)
        self.cabinet = FastCabinet(
            path, plan, self.board, self.notebook, self._greeter, self._stepped, caring=self.settings.caring
        )
        self.greeter: FrontGreeter
        self.world.stock(plan.shelves)
        self.board.on_change = self._changed
        self._rounds_from_s = 0.0
        self._air_c: float | None = None
        self._not_before_s = 0.0  # when somebody who stays is greeted again
        if self.settings.caring:
            self.warm(CHILLED_C)

    def _greeter(self, post: Callable[..., None]) -> FrontGreeter:
        self.greeter = FrontGreeter(self.door, post)
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
        self.door.person, self._not_before_s, self.wire = None, 0.0, "back"
        self.cabinet.renew()

    def run_for(self, seconds: float) -> None:
        self.run_until(lambda: False, seconds)

    def run_until(self, there: Callable[[], bool], within_s: float) -> bool:
        """Let things happen until `there`, or for so long."""
        end_s = self.time.now_s + within_s
        self._settle()
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
            self._settle()
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

    def _settle(self) -> None:
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
        for part, why in self._troubles.items():
            self.report(part, why)
        self._settle()

    def kill(self) -> None:
        """The process ends here, until somebody starts it again."""
        self._down_until_s = self.restart_after_s = None
        self.cabinet.die()

    def power(self, *, on: bool) -> None:
        """Computer and board; the coil lets go with the current."""
        self.powered = on
        self.kill()
        if on:
            self.board.wake()
            self.boot()
        else:
            self.board.unplug()
            self.board.let_go()

    def mend(self) -> None:
        """Everything is in order again, the power on and the daemon alive."""
        self.cabinet.fuse.left = None
        if not self.powered:
            self.power(on=True)
        if self.notebook.disk_full or self.cabinet.disk_full:
            self.fill_disk(full=False)
        if not self.cabinet.alive:
            self.boot()
        if not self.board.plugged:
            self.board.replug()
        if self.notebook.is_deaf:
            self.notebook.hear("board")
        if self.board.magnet:
            self.board.set_magnet(False)
        if self.board.jam:
            self.board.set_jam("")
        for zone, history in self.cells.histories.items():
            if any(broken.t1 > self.time.now_s for broken in history.broken):
                self.cell(zone, "well")
        self.world.light = 1.0
        for camera in list(self.blind):
            self.camera(camera, "well")
        for part in list(self._troubles):
            self.trouble(part, None)
        self._settle()
        if self.blind or self._troubles or not isinstance(self.cabinet.state, Idle):
            self.run_for(0.7)

    # Parts.

    def trouble(self, part: str, why: str | None) -> None:
        """A part fails (or is well again), and stays so over restarts."""
        if why is None:
            self._troubles.pop(part, None)
        else:
            self._troubles[part] = why
        self.report(part, why)

    def report(self, part: str, why: str | None) -> None:
        if self.cabinet.alive:
            self.cabinet.parts.report(part, why)
            self._settle()

    def camera(self, name: CameraId, what: str) -> None:
        """As the caretaker would tell within a second; it is `well`, or a word of CAMERA_TROUBLES."""
        if self.notebook.page is not None:
            self.notebook.page.blind.append((self.notebook.page.t(self.time.now_s), name, what))
        if what == "well":
            self.blind.discard(name)
        else:
            self.blind.add(name)
        self.time.after(0.6, lambda: self.trouble(f"camera:{name}", CAMERA_TROUBLES.get(what)))

    def light(self, *, on: bool) -> None:
        """The lamp inside: without it no interior camera sees anything."""
        self.world.light = 1.0 if on else 0.0
        for name in self.plan.cameras:
            self.camera(name, "well" if on else "dark")

    def cell(self, zone: ZoneId, what: str) -> None:
        """As the board would tell within a second."""
        history, now_s = self.cells.histories[zone], self.time.now_s
        history.broken = [b if b.t1 < now_s else Broken(b.t0, now_s, b.flaw) for b in history.broken]
        if what != "well":
            history.broken.append(Broken(now_s, float("inf"), what))  # type: ignore[arg-type]  # a word of the story
        why = CELL_TROUBLES.get(what) or None
        self.time.after(0.6, lambda: self.trouble(f"scale:{zone}", why))

    def fill_disk(self, *, full: bool, wholly: bool = False) -> None:
        """Nothing can be recorded, and `wholly`: the ledger cannot write either.  The caretaker notices within 10 s."""
        self.cabinet.fill(full=full and wholly)
        self.notebook.disk_full = full
        self.cabinet.needed_mib = MORE_THAN_ANY_MIB if full else 0
        if not self.settings.caring:
            self.time.after(DISK_S, lambda: self.trouble("disk", "0 MiB free, 64 needed" if full else None))

    def broker(self, what: str) -> None:
        """`away`, `loses answers` or `back`: then everything that waits is sent."""
        self.wire = what
        if self.far_end is not None and self.cabinet.alive and what != "away":
            self.far_end.deliver(self.cabinet.ledger, self.cabinet.wall.stamp(), bad=what == "loses answers")

    def warm(self, celsius: float) -> None:
        """The air has this temperature (°C) from now on; the probe tells it every five seconds."""
        first, self._air_c = self._air_c is None, celsius
        if first:
            self._tell_air()

    def _tell_air(self) -> None:
        if self.cabinet.alive and self._air_c is not None:
            self.cabinet.nerves.temperature("air", self._air_c)
        self.time.after(PROBE_S, self._tell_air)

    # People.

    def come(self, who: str, by: acts.Means, *, overlooked: bool = False) -> None:
        self.door.person = Person(who, by, overlooked)
        self._not_before_s = self.time.now_s
        self._approach()

    def _approach(self) -> None:
        """Whoever stands there is greeted once the cabinet sells again."""
        if self.door.person is not None:
            ready = self.cabinet.alive and isinstance(self.cabinet.state, Idle)
            if ready and self.time.now_s >= self._not_before_s:
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
        self._settle()

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
            frozenset(self.blind),
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
            found += self.glimpses.compared(before_s, now_s - 0.5, zone, left, frozenset(self.blind))
        return found
