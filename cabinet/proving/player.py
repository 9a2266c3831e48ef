"""Plays a story's acts on a stage, one after the other, and checks what it expects."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from cabinet.proving.recorded import replayed
from cabinet.proving.stage import Stage
from cabinet.proving.watchman import Account, Watchman
from cabinet.session.states import Idle, OutOfService, Servicing, Unlocked, open_visit
from cabinet.sim import acts as a
from cabinet.sim.story import Line, Story, StoryError
from cabinet.sim.world import OWN, ImpossibleError
from cabinet.trace import verdict_to_dict
from cabinet.units import CameraId, Sku, ZoneId

PATIENCE_S = 12.0  # whoever is not let in by then gives up
REST_S = 60.0  # a bill takes at most evidence and tally timeouts; an operator's call 180 s is not waited for
LONG_REST_S = 400.0
PAUSE_S = 1.2  # between two acts of a told story
SLOWLY_S, BIT_BY_BIT_S = 2.0, 20.0
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
    keep_pages: bool = False

    def play(self, story: Story) -> None:
        """Raises StoryError for the impossible."""
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
        stage.mend()
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
            self._expect(act, line)
            return
        if self.locked_out and not isinstance(act, a.Come | a.Serve | a.Befall | a.Pass | a.Leave | a.Pry):
            return
        match act:
            case a.Befall():
                befall(self.stage, act)
            case a.Pass(seconds):
                self.stage.run_for(seconds)
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
                for item in items:
                    for _ in range(item.count):
                        world.put(who, item.zone, item.sku)
                        stage.moved(item.zone, item.sku, "return", 0.3)
                        stage.run_for(self.pauses())
            case a.Stock(who, items):
                for item in items:
                    for _ in range(item.count):
                        world.supply(who, item.sku)
                        world.put(who, item.zone, item.sku)
                        stage.run_for(0.8)
            case a.Deposit(who, name, mass_g, zone):
                thing = world.bring(who, name, mass_g)
                world.put(who, zone, thing.sku)
                stage.moved(zone, thing.sku, "return", 0.3)
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
            case a.Befall() | a.Pass() | a.Expect():
                pass
            case _:
                assert_never(act)

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
        units = [item for item in items for _ in range(item.count)]
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

    # What is expected.

    def _expect(self, act: a.Expect, line: Line) -> None:
        wrong = self._wrong(act)
        if wrong:
            self.say(f"  not so: {wrong}")
            self.failures.append(f"line {line.number}: {line.text}: {wrong}")

    def _wrong(self, act: a.Expect) -> str:
        """What is not as expected; empty where all is well."""
        incidents = [incident.why for incident in self.watchman.incidents]
        match act.what:
            case "bill":
                return self._wrong_bill(act)
            case "incident":
                self.stage.run_for(2.0)
                incidents = [incident.why for incident in self.watchman.incidents]
                found = any(act.text in why for why in incidents)
                return "" if found else f"no such incident: {'; '.join(incidents) or 'none'}"
            case "no incident":
                return "; ".join(incidents)
            case "door":
                return self._wrong_door(act.text)
            case "service":
                self.rest()
                out = isinstance(self.stage.cabinet.state, OutOfService)
                faults = "; ".join(f"{f.part}: {f.why}" for f in getattr(self.stage.cabinet.state, "faults", ()))
                return (
                    "" if out == (act.text == "out of") else f"it is {type(self.stage.cabinet.state).__name__} {faults}"
                )
            case "no visit":
                self.rest()
                return "" if not self.watchman.accounts else f"{len(self.watchman.accounts)} visits were opened"
            case "books":
                return self._wrong_books()
            case "again":
                return self._wrong_again()
            case "total":
                closed = self._last()
                total = None if closed is None or closed.closed is None else closed.closed.total_minor
                return "" if total == act.number else f"the total is {total}"
            case _:
                return ""

    def _last(self) -> Account | None:
        return next(reversed(self.watchman.accounts.values()), None)

    def _wrong_bill(self, act: a.Expect) -> str:
        self.rest()
        account = self._last()
        if account is None or account.closed is None:
            return "no visit was closed"
        closed = account.closed
        billed = Counter({line.sku: line.quantity for line in closed.lines})
        wanted = Counter({sku: n for n, sku in act.basket})
        told = f"{closed.outcome} {', '.join(f'{n} {sku}' for sku, n in billed.items())} {closed.why}".strip()
        if closed.outcome not in act.outcomes:
            return f"it is {told}"
        if closed.outcome == "charge" and act.basket and billed != wanted:
            return f"it is {told}"
        return ""

    def _wrong_books(self) -> str:
        """Everything is sent over a bad wire, then over a good one; both ends must say the same."""
        self.rest()
        stage = self.stage
        if stage.far_end is None or not stage.cabinet.alive:
            return "there is no far end to agree with"
        stage.far_end.deliver(stage.cabinet.ledger, stage.cabinet.wall.stamp(), bad=True)
        if not stage.far_end.deliver(stage.cabinet.ledger, stage.cabinet.wall.stamp(), bad=False):
            return "what waits was not acknowledged"
        return "; ".join(stage.far_end.disagreements(stage.cabinet.ledger))

    def _wrong_again(self) -> str:
        """The last visit's trace, written to disk and read back, must give the same verdict, byte for byte."""
        self.rest()
        account = self._last()
        if account is None:
            return "there was no visit"
        page = self.stage.notebook.pages[account.visit]
        verdicts = (page.verdict, replayed(self.stage.notebook.recorded(page), complete=page.complete))
        first, again = (None if v is None else json.dumps(verdict_to_dict(v)) for v in verdicts)
        return "" if first == again else f"it was {first}, replayed it is {again}"

    def _wrong_door(self, word: str) -> str:
        board = self.stage.board
        is_so = {
            "locked": board.bolt_home and not board.driven, "unlocked": not board.bolt_home and not board.door_open,
            "open": board.door_open, "shut": not board.door_open,
        }[word]  # fmt: skip
        return (
            ""
            if is_so
            else f"door {'open' if board.door_open else 'shut'}, bolt {'home' if board.bolt_home else 'out'}"
        )


def befall(stage: Stage, act: a.Befall) -> None:  # noqa: C901, PLR0912, PLR0915  a table: one case per misfortune
    """Let it happen to the part."""
    part, _, name = act.part.partition(":")
    cabinet, board = stage.cabinet, stage.board
    match part, act.what:
        case "camera", what:
            stage.camera(CameraId(name), what)
        case "cell", what:
            stage.cell(ZoneId(name), what)
        case "daemon", "killed":
            stage.kill()
        case "daemon", "killed at the next step":
            cabinet.fuse.burn(1)
        case "daemon", "killed after":
            cabinet.fuse.burn(round(act.number))
        case "daemon", "starts":
            if not cabinet.alive and stage.powered:
                stage.boot()
        case "power", "fails":
            stage.power(on=False)
        case "power", "returns":
            stage.power(on=True)
        case "board", "resets":
            stage.notebook.deafen()
            board.reset()
            stage.time.after(0.5, lambda: stage.notebook.hear("board") if cabinet.alive else None)
        case "board", "is unplugged":
            stage.notebook.deafen()
            board.unplug()
        case "board", "is plugged in":
            board.replug()
            stage.notebook.hear("board")
        case "disk", what:
            stage.fill_disk(full=what != "has room", wholly="byte" in what)
        case "clock", "jumps":
            cabinet.wall.offset_ms += round(1000 * act.number)
        case "clock", "lost":
            cabinet.wall.offset_ms, cabinet.wall.trusted = 0, False
        case "magnet", what:
            board.set_magnet(what == "holds")
        case "bolt", what:
            board.set_jam({"jams in": "in", "jams out": "out", "is free": ""}[what])
        case "compressor", "starts":
            stage.cells.compressor.append((stage.time.now_s, float("inf")))
        case "compressor", _:
            now_s = stage.time.now_s
            stage.cells.compressor = [(a_s, min(b_s, now_s)) for a_s, b_s in stage.cells.compressor]
        case "light", what:
            stage.light(on=what == "comes on")
        case "air", _:
            stage.warm(act.number)
        case "probe", what:
            stage.trouble("probe", None if what == "well" else f"the thermometer is {what}")
        case "model", what:
            stage.trouble("recogniser", None if what == "well" else "the item model is missing: restore models/item")
        case "price", _:
            old = cabinet.ledger.catalog()[Sku(name)]
            cabinet.ledger.put_product(Sku(name), replace(old, unit_price=round(act.number)))
        case "catalogue", _:
            for sku in list(cabinet.ledger.catalog()):
                cabinet.ledger.remove_product(sku)
            stage.trouble("catalogue", "is empty: cabinet catalog add SKU --name ...")
        case "broker", what:
            stage.broker(what)
        case _:
            raise AssertionError(f"nothing happens to {act.part}: {act.what}")
    stage.changed()
