"""Plays a story's acts on a stage, one after the other, and checks what it expects."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from cabinet.proving.consent import Consents
from cabinet.proving.expecting import Expecting
from cabinet.proving.moneywise import refunded
from cabinet.proving.stage import Stage
from cabinet.proving.watchman import Watchman
from cabinet.session.states import Idle, OutOfService, Servicing, Unlocked, open_visit
from cabinet.sim import acts as a
from cabinet.sim.story import Line, Story, StoryError
from cabinet.sim.world import OWN, ImpossibleError
from cabinet.units import Sku

PATIENCE_S = 12.0  # whoever is not let in by then gives up
REST_S = 60.0  # a bill takes at most evidence and tally timeouts; an operator's call 180 s is not waited for
LONG_REST_S = 400.0
PAUSE_S = 1.2  # between two acts of a told story
SLOWLY_S, BIT_BY_BIT_S = 2.0, 20.0
HOUR_S = 3600.0
ALWAYS = a.Come | a.Serve | a.Befall | a.Pass | a.Leave | a.Pry | a.Card | a.Refund | a.Withdraw  # whoever was let in
TOGETHER_S = 0.15  # two hands are never quite at once


@dataclass
class Player:
    stage: Stage
    watchman: Watchman
    told: bool = True  # a told story must go as told; a drawn shopper takes it as it comes
    pauses: Callable[[], float] = lambda: PAUSE_S
    failures: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    locked_out: bool = False  # the shopper did not get in: the rest of the visit does not happen

    def __post_init__(self) -> None:
        self.consents = Consents(self.stage)

    def play(self, story: Story) -> None:
        """Raises StoryError for the impossible."""
        self.consents.begin(story)
        for line in story.lines:
            self.say(f"> {line.text}")
            try:
                self._do(line)
            except ImpossibleError as error:
                if self.told:
                    raise StoryError(f"{story.name} line {line.number}: {line.text!r}: {error}") from error
                self.say(f"  ({error})")

    def say(self, text: str) -> None:
        self.log.append(f"{self.stage.time.now_s:9.2f}  {text}")

    def rest(self) -> None:
        """Until no visit is open and the cabinet waits for somebody."""

        def calm() -> bool:
            cabinet = self.stage.cabinet
            return cabinet.alive and isinstance(cabinet.state, Idle | OutOfService)

        self.stage.run_until(calm, REST_S)

    def end(self) -> None:
        """Whatever went wrong is mended, somebody shuts the door, and the cabinet comes to rest."""
        stage = self.stage
        stage.luck.mend()
        if stage.world.door_open:
            self.say("> somebody shuts the door")
            stage.world.shut()
            stage.changed()
        for who in list(stage.world.hands):
            stage.world.leave(who)
        stage.door.person = None
        self.rest()
        if open_visit(stage.cabinet.state) is not None:  # a board that came back late
            stage.run_for(LONG_REST_S)

    def _do(self, line: Line) -> None:
        act = line.act
        if isinstance(act, a.Expect):
            wrong = Expecting(self.stage, self.watchman, self.rest, self.consents).wrong(act)
            if wrong:
                self.say(f"  not so: {wrong}")
                self.failures.append(f"line {line.number}: {line.text}: {wrong}")
            return
        if self.locked_out and not isinstance(act, ALWAYS):
            return
        match act:
            case a.Befall():
                self.stage.luck.befall(act)
            case a.Pass(seconds):
                self._pass(seconds)
                return
            case a.Card(who, what, grants_minor):
                if self.stage.far_end is not None:
                    self.stage.far_end.card(who, what, grants_minor)
                return
            case a.Refund():
                self._refund(act)
                return
            case _:
                self._person(act, line)
        if not isinstance(act, a.Befall):
            self.stage.run_for(self.pauses())

    def _person(self, act: a.Act, line: Line) -> None:  # noqa: C901, PLR0912  a table: one case per act
        stage, world = self.stage, self.stage.world
        match act:
            case a.Come(who, by):
                self.locked_out = False
                stage.come(who, by)
                stage.run_until(self._answered, 8.0)
            case a.Serve(who, purpose):
                self.locked_out = False
                stage.serve(who, purpose)
            case a.Open(who):
                self._open(who, line)
            case a.Try():
                self.say("  it opens" if world.pull() else "  it is locked")
            case a.Pry():
                world.pry()
            case a.Close(_, slam, bounce):
                self._close(slam=slam, bounce=bounce)
            case a.Take(who, items, how):
                self._take(who, items, how)
            case a.Put(who, items):
                for item in a.units(items):
                    world.put(who, item.zone, item.sku)
                    stage.moved(item.zone, item.sku, "return", 0.3)
                    stage.run_for(self.pauses())
            case a.Stock(who, items):
                for item in a.units(items):
                    world.supply(who, item.sku)
                    world.put(who, item.zone, item.sku)
                    stage.run_for(0.8)
            case a.Count(_, items):
                for item in items:
                    stage.cabinet.counted(item.zone, item.sku, item.count)
            case a.Deposit():
                self._deposit(act)
            case a.Fetch(who, name, zone):
                world.take(who, zone, Sku(OWN + name))
                stage.moved(zone, Sku(OWN + name), "take", 0.3)
            case a.HandOver(who, to, items):
                for count, sku in items:
                    for _ in range(count):
                        world.hand_over(who, to, sku)
            case a.Lean(_, zone, grams, for_s):
                world.lean(zone, grams, for_s)
                stage.run_for(for_s)
            case a.Leave(who):
                world.leave(who)
                if stage.door.person is not None and stage.door.person.who == who:
                    stage.door.person = None
            case a.Withdraw(who):
                self._withdraw(who)
            case a.Befall() | a.Pass() | a.Card() | a.Refund() | a.Expect():
                pass
            case _:
                assert_never(act)

    def _deposit(self, act: a.Deposit) -> None:
        thing = self.stage.world.bring(act.who, act.name, act.mass_g)
        self.stage.world.put(act.who, act.zone, thing.sku)
        self.stage.moved(act.zone, thing.sku, "return", 0.3)

    def _withdraw(self, who: str) -> None:
        refused = self.consents.withdraw(who)
        self.say(f"  refused: {refused}" if refused else "  erased")

    def _pass(self, seconds: float) -> None:
        """The far end looks at least every hour whether a payment is due again."""
        stage = self.stage
        end_s = stage.time.now_s + seconds
        while stage.far_end is not None and end_s - stage.time.now_s > HOUR_S:
            stage.run_for(HOUR_S)
            stage.far_end.work()
        stage.run_for(end_s - stage.time.now_s)

    def _refund(self, act: a.Refund) -> None:
        """Of the last visit that was charged; a refusal is said, not a failure."""
        self.rest()
        refused = "there is no far end"
        if self.stage.far_end is not None:
            refused = refunded(self.stage, act)
        self.say(f"  refused: {refused}" if refused else "  refunded")

    def _answered(self) -> bool:
        return self.stage.cabinet.alive and isinstance(self.stage.cabinet.state, Unlocked | Servicing)

    def _open(self, who: str, line: Line) -> None:
        stage = self.stage
        opened = stage.world.pull() or (
            stage.run_until(lambda: not stage.board.bolt_home, PATIENCE_S) and stage.world.pull()
        )
        if stage.door.person is not None and stage.door.person.who == who:
            stage.door.person = None
        if not opened:
            self.locked_out = True
            self.say("  the door does not open")
            if self.told:
                self.failures.append(f"line {line.number}: {line.text!r}: the door did not open")

    def _close(self, *, slam: bool, bounce: bool) -> None:
        world, stage = self.stage.world, self.stage
        world.shut(slam=slam)
        if bounce:  # before the latch has caught
            stage.board.bolt_home = False
            stage.time.advance(stage.time.now_s + 0.01)
            world.pull()
            stage.run_for(0.5)
            world.shut(slam=False)

    def _take(self, who: str, items: tuple[a.Item, ...], how: str) -> None:
        stage = self.stage
        units = list(a.units(items))
        over_s = {"slowly": SLOWLY_S, "bit by bit": BIT_BY_BIT_S}.get(how, 0.3)
        for n, item in enumerate(units):
            stage.world.take(who, item.zone, item.sku, over_s, 0.0 if how == "bit by bit" else 60.0)
            stage.moved(item.zone, item.sku, "take", over_s)
            last = n == len(units) - 1
            if how in {"with two hands", "at once"}:
                stage.run_for(0.0 if last else TOGETHER_S)
            elif how == "in the slam":
                stage.run_for(0.05)
            elif not last or over_s > 1.0:
                stage.run_for(over_s + (0.0 if last else self.pauses()))
        if how == "in the slam":
            self._close(slam=True, bounce=False)
