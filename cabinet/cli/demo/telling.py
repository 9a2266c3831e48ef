"""One story at true depth: the firmware, the cameras' streams, the broker, the cloud and the daemon as processes.

People come by code, unless the demonstration's photographs are at hand: then the first who comes by face has one.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cabinet.cli.demo.acting import PAUSE_S, Actors
from cabinet.cli.demo.layout import cameras
from cabinet.cli.demo.misfortunes import Misfortunes, refuse_impossible
from cabinet.cli.demo.processes import Bench, Interior
from cabinet.cli.demo.scenery import SIZE, Scenery
from cabinet.cli.demo.shop import Shop, coded
from cabinet.cli.demo.verifying import Verifier
from cabinet.cli.demo.watcher import Watcher
from cabinet.cli.errors import CliError
from cabinet.sim import acts as a
from cabinet.sim import pictures
from cabinet.sim.remote import RemoteApparatus
from cabinet.sim.sight.references import references
from cabinet.sim.story import Line, Story, StoryError
from cabinet.sim.world import ImpossibleError, World

PHOTOS = 3  # of each product, for the catalogue
LOGS = ("daemon.log", "cloud.log")
MONEY = frozenset({"owes", "captured", "returned", "released"})
ALWAYS = (
    a.Card | a.Refund | a.Come | a.Serve | a.Befall | a.Pass | a.Leave | a.Pry | a.Withdraw
)  # done even by who was not let in


@dataclass
class TrueTold:
    """What came of a story: what is not as expected, all that happened, and each visit as the daemon shows it."""

    failures: list[str] = field(default_factory=list)  # line and reason
    log: list[str] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    traces: list[Path] = field(default_factory=list)  # copies, in the folder that the caller gave


def tell_true(
    story: Story,
    folder: Path,
    *,
    photos: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    seed: int = 1,
) -> TrueTold:
    """Play it in real time.  The visits' traces and the processes' logs are left in `folder`.

    `photos`: the folder that `goods.photographs` finds.  Raises StoryError, before anything starts, for a line that is
    impossible or needs the fast depth; RuntimeError, OSError or TimeoutError where a process does not do its part.
    """
    refuse_impossible(story)
    place = Path(tempfile.mkdtemp(prefix="cabinet-"))  # its name is short: it holds Unix sockets
    try:
        return _tell(story, folder, place, photos, say, seed)
    finally:
        folder.mkdir(parents=True, exist_ok=True)
        for name in LOGS:
            with suppress(OSError):
                shutil.copy(place / name, folder / name)
        shutil.rmtree(place, ignore_errors=True)


def _tell(
    story: Story, folder: Path, place: Path, photos: Path | None, say: Callable[[str], None], seed: int
) -> TrueTold:
    with ExitStack() as open_things:
        told = Telling(story, TrueTold(), say)
        scenery = Scenery(cameras(story.plan, [line.act for line in story.lines]), photos, seed)
        scenery.fill(story.plan.shelves)
        patient = {"credit": {"budget_ms": 3000}} if _of_money(story) else {}  # a busy machine's cloud is no slow one
        bench = Bench(
            place,
            zones=list(story.plan.shelves),
            interiors={name: Interior(*SIZE, view.interior.polygons()) for name, view in scenery.views.items()},
            board_options=["--seed", str(seed)],
            provider=_of_money(story),
            settings={"temperature": {}, **patient},  # a cold cabinet, which does not sell without its thermometer
            pictures={
                "front": pictures.jpeg(pictures.lobby(seed)),
                **{name: scenery.picture(name) for name in scenery.views},
            },
        )
        open_things.enter_context(bench)
        scenery.control = bench.streams.control
        told.begin(bench, scenery, photos, seed)
        open_things.callback(told.stop_watching)
        open_things.callback(told.stop_listening)
        told.play()
        told.keep(folder)
    return told.told


def _of_money(story: Story) -> bool:
    """Whether a provider has to be there: where nothing is said of money the cloud keeps none, as ever.

    Whoever takes back a consent has had a card, which must go as well.
    """
    acts = [line.act for line in story.lines]
    return any(
        isinstance(act, a.Card | a.Refund | a.Withdraw) or (isinstance(act, a.Expect) and act.what in MONEY)
        for act in acts
    )


@dataclass
class Telling:
    story: Story
    told: TrueTold
    also_say: Callable[[str], None]
    _began_s: float = field(default_factory=time.monotonic)
    _watcher: Watcher | None = None

    def begin(self, bench: Bench, scenery: Scenery, photos: Path | None, seed: int) -> None:
        """Goods in shelves and catalogue, members enrolled, the door shut: open for business."""
        self.bench, self.scenery = bench, scenery
        plan, shop = self.story.plan, Shop(bench, seed)
        apparatus = RemoteApparatus(bench.board.control, list(plan.shelves), scenery.pause)
        shop.world = World(list(plan.shelves), plan.goods, apparatus, random.Random(seed))
        shop.world.stock(plan.shelves)
        self.misfortunes = Misfortunes(bench, scenery, self._watch)
        self.verifier = Verifier(bench, self.misfortunes, scenery.pause)
        self.actors = Actors(shop, scenery, self.say, photos)
        if any(isinstance(line.act, a.Expect) and line.act.what == "evidence" for line in self.story.lines):
            self.verifier.listen()
        self._catalogue(photos)
        for line in self.story.lines:
            if isinstance(line.act, a.Come):
                self.actors.enrol(line.act.who, line.act.by)
        self.verifier.members = self.actors.members  # before it begins
        self.verifier.forgotten = self.actors.forgotten
        if bench.provider:
            for who in {who for who, _ in self.actors.members}:
                self._pay(who)
        bench.wait_for_state("Idle")
        self.verifier.begin()
        self._watch()
        self.say("open for business")

    def _pay(self, who: str) -> None:
        """Everybody has a card, unless the story has said otherwise before anybody came."""
        refused = self.actors.card(who, "works")
        if refused:
            raise RuntimeError(f"{who} gets no wallet: {refused}")

    def play(self) -> None:
        """Raises StoryError for what turns out to be impossible."""
        for line in self.story.lines:
            self.say(f"> {line.text}")
            try:
                self._do(line)
            except ImpossibleError as error:
                raise StoryError(f"{self.story.name} line {line.number}: {line.text!r}: {error}") from error
        self.verifier.rest()

    def keep(self, folder: Path) -> None:
        """Each visit as the daemon shows it, and copies of the traces."""
        for visit in reversed(self.verifier.visits()):
            with suppress(CliError):
                self.told.shown.append(self.bench.ask("visits.show", visit=visit.visit))
            recorded = self.bench.data / "traces" / visit.visit
            if recorded.is_dir():
                kept = folder / "traces" / visit.visit
                self.told.traces.append(Path(shutil.copytree(recorded, kept, dirs_exist_ok=True)))

    def say(self, text: str) -> None:
        line = f"{time.monotonic() - self._began_s:9.2f}  {text}"
        self.told.log.append(line)
        self.also_say(line)

    def stop_watching(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()

    def stop_listening(self) -> None:
        self.verifier.stop_listening()

    def _do(self, line: Line) -> None:
        act = line.act
        match act:
            case a.Expect():
                self._note(line, self.verifier.wrong(act))
                return
            case a.Befall():
                self.misfortunes.befall(act)
                return
            case a.Pass(seconds):
                self.scenery.pause(seconds)
                return
            case _:
                if not self.actors.locked_out or isinstance(act, ALWAYS):
                    self._note(line, self.actors.play(act))
                    self.scenery.pause(PAUSE_S)

    def _note(self, line: Line, wrong: str) -> None:
        if wrong:
            self.say(f"  not so: {wrong}")
            self.told.failures.append(f"line {line.number}: {line.text}: {wrong}")

    def _catalogue(self, photos: Path | None) -> None:
        plan = self.story.plan
        for sku, ware in plan.wares.items():
            taken = references(sku, PHOTOS, self.scenery.cutouts.get(sku), photos)
            described = ware.product
            self.bench.ask(
                "catalog.add", sku=sku, name=described.name, mass_g=described.mass_g, mass_sd_g=described.mass_sd_g,
                unit_price=described.unit_price, tax=described.tax, min_age=described.min_age,
                photos=coded([pictures.jpeg(picture) for picture in taken]),
            )  # fmt: skip
        for zone, held in (plan.believed or plan.shelves).items():
            for sku, count in held.items():
                self.bench.ask("stock.set", zone=zone, sku=sku, count=count)

    def _watch(self) -> None:
        """Follow the daemon that has just started."""
        self.stop_watching()
        self._watcher = Watcher(self.bench.socket, self._happened)
        self._watcher.start()

    def _happened(self, happening: dict[str, Any]) -> None:
        match happening.get("type"):
            case "step" if happening["before"] != happening["after"]:
                self.say(f"    {happening['event']}: {happening['before']} -> {happening['after']}")
            case "sighting":
                scores: dict[str, float] = {**happening["scores"], "another thing": happening["other"]}
                best = max(scores, key=lambda sku: scores[sku])
                self.say(f"    seen at {happening['zone']}: {happening['action']} {best} ({scores[best]:.0%})")
            case "part" if not happening["ok"]:
                self.say(f"    {happening['part']}: {happening['why']}")
            case _:
                pass
