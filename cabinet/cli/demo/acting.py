"""The people of a story at a bench: they stand before its camera, pull its door, and reach into it, in real time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from cabinet.cli.demo import people
from cabinet.cli.demo.farewell import Forgotten
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.scenery import REACH_S, Move, Scenery
from cabinet.cli.demo.shop import FORGED, Member, Shop
from cabinet.cli.demo.waiting import wait_until
from cabinet.cli.errors import CliError
from cabinet.sim import acts as a
from cabinet.sim.pictures import Picture
from cabinet.sim.world import OWN
from cabinet.units import Sku, ZoneId

PATIENCE_S = 12.0  # whoever is not let in by then gives up
AWAY_S = 1.8  # nobody before the camera, so that the next one is somebody else
PAUSE_S = 1.2  # between two acts
AJAR_S = 0.5  # a door that springs open stays so
SLOWLY_S, BIT_BY_BIT_S = 2.0, 20.0
TOGETHER_S = 0.15  # two hands are never quite at once
HAND_G = 60.0
LET_IN = frozenset({"Unlocked", "Servicing"})


@dataclass
class Actors:
    shop: Shop
    scenery: Scenery
    say: Callable[[str], None]
    photos: Path | None = None
    locked_out: bool = False  # the door did not open: the rest of the visit does not happen
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    forgotten: dict[str, list[Forgotten]] = field(default_factory=dict)
    _standing: str | None = None  # who is before the front camera
    _left_s: float = 0.0

    def enrol(self, who: str, by: str) -> None:
        """Whoever has a code or a face of theirs; somebody else's code is another member's."""
        if (who, by) in self.members or by not in {"face", "code", "other code"}:
            return
        faces = self.photos is not None and by == "face" and not any(means == "face" for _, means in self.members)
        photograph = people.from_photographs(self.photos)[0] if faces and self.photos is not None else None
        face = (None, None) if photograph is None else (photograph.enrolled_from, photograph.seen_as)
        name = f"another than {who}" if by == "other code" else who
        self.members[who, by] = self.shop.enrol(Person(name, *face))

    def play(self, act: a.Act) -> str:  # noqa: C901, PLR0912  a table: one case per act
        """What went wrong with it; empty where all went well.  Raises ImpossibleError, CliError."""
        world = self.shop.world
        match act:
            case a.Come(who, by):
                self._come(who, by)
            case a.Serve(_, purpose):
                self._serve(purpose)
            case a.Open(who):
                return self._open(who)
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
                    self._put(who, item.zone, item.sku)
            case a.Stock(who, items):
                for item in a.units(items):
                    world.supply(who, item.sku)
                    self._put(who, item.zone, item.sku)
            case a.Deposit(who, name, mass_g, zone):
                self._put(who, zone, world.bring(who, name, mass_g).sku)
            case a.Fetch(who, name, zone):
                self._take(who, (a.Item(1, Sku(OWN + name), zone),), "")
            case a.HandOver(who, to, items):
                for count, sku in items:
                    for _ in range(count):
                        world.hand_over(who, to, sku)
            case a.Lean(_, zone, grams, for_s):
                world.lean(zone, grams, for_s)
                self.scenery.pause(for_s)
            case a.Leave(who):
                world.leave(who)
                self._step_away(who)
            case a.Card(who, what):
                return self.card(who, what)
            case a.Refund(by, back_minor):
                self._refund(by, back_minor)
            case a.Withdraw(who):
                self._withdraw(who)
            case a.Befall() | a.Pass() | a.Expect() | a.Count():
                pass
            case _:
                assert_never(act)
        return ""

    def card(self, who: str, what: str) -> str:
        """Every member that is called so pays with it from now on."""
        found = [member for (name, _), member in self.members.items() if name == who]
        refused = ""
        for member in found:
            method = "declines" if what == "declines" else f"pm_{member.member}_secret"
            said = self.shop.bench.operate(
                "wallet", "set", member.member, "--customer", f"cus_{member.member}", "--method", method
            )
            refused = refused or said
        return refused

    def _refund(self, by: str, back_minor: int) -> None:
        """Of the last visit that was charged; a refusal is said, not a failure."""
        bench = self.shop.bench
        try:
            visit = str(bench.ask("charges.list", limit=1)["charges"][0]["visit"])
            if by == "cloud":
                refused = bench.operate("refund", visit, "--amount", str(back_minor), "--reason", "told")
            else:
                bench.ask("charges.refund", visit=visit, amount_minor=back_minor, reason="told")
                refused = ""
        except (CliError, IndexError) as error:
            refused = str(error)
        self.say(f"  refused: {refused}" if refused else "  refunded")

    def _withdraw(self, who: str) -> None:
        """Every member that is called so; what must stand nowhere afterwards is noted before."""
        bench = self.shop.bench
        for member in [member for (name, _), member in self.members.items() if name == who]:
            before = Forgotten.of(bench, member)
            try:
                bench.ask("members.erase", member=member.member)
            except CliError as error:
                self.say(f"  refused: {error}")
                continue
            self.forgotten.setdefault(who, []).append(before)

    def _come(self, who: str, by: str) -> None:
        self.locked_out = False
        self._step_away(self._standing)
        self.scenery.pause(max(0.0, self._left_s + AWAY_S - time.monotonic()))
        self.shop.somebody(self._shows(who, by))
        self._standing = who
        states = ["Idle"]

        def answered() -> bool:
            try:
                states.append(str(self.shop.bench.status()["state"]))
            except CliError:
                return False
            return states[-1] in LET_IN or ("Authenticating" in states and states[-1] == "Idle")

        if not soon(answered, PATIENCE_S):
            self.say(f"  nobody lets {who} in: {states[-1]}")
        if by in {"stranger", "forged code"}:  # or the camera would take them for what it usually sees
            self._step_away(who)

    def _shows(self, who: str, by: str) -> Picture:
        """What the front camera sees."""
        if by == "stranger" and self.photos is not None:
            face = people.from_photographs(self.photos)[1].seen_as
            assert face is not None  # noqa: S101  a stranger has nothing else
            return face
        member = self.members.get((who, by))
        if member is None:
            return people.code_picture(FORGED)
        return member.code if member.face is None else member.face

    def _serve(self, purpose: str) -> None:
        self.locked_out = False
        try:
            self.shop.bench.ask("unlock", purpose=purpose, reason="told")
        except CliError as error:
            self.say(f"  refused: {error}")

    def _open(self, who: str) -> str:
        opened = soon(self.shop.world.pull, PATIENCE_S)
        self._step_away(who)
        if opened:
            return ""
        self.locked_out = True
        self.say("  the door does not open")
        return "the door did not open"

    def _step_away(self, who: str | None) -> None:
        if who is not None and self._standing == who:
            self._standing, self._left_s = None, time.monotonic()
            self.shop.nobody()

    def _close(self, *, slam: bool, bounce: bool) -> None:
        world = self.shop.world
        world.shut(slam=slam)
        if bounce:
            sprang = world.pull()  # before the latch has caught
            self.say("  it springs open" if sprang else "  the latch was quicker")
            self.scenery.pause(AJAR_S)
            if sprang:
                world.shut(slam=False)

    def _take(self, who: str, items: tuple[a.Item, ...], how: str) -> None:
        units = list(a.units(items))
        over_s = {"slowly": SLOWLY_S, "bit by bit": BIT_BY_BIT_S}.get(how, 0.0)
        hand_g = 0.0 if how == "bit by bit" else HAND_G
        moves = [
            Move(
                item.zone,
                item.sku,
                lambda item=item: self.shop.world.take(who, item.zone, item.sku, max(over_s, 0.3), hand_g),  # type: ignore[misc]  # bound now
                begin_s=n * TOGETHER_S,
                for_s=REACH_S + over_s,
            )
            for n, item in enumerate(units)
        ]
        if how in {"with two hands", "at once"}:
            self.scenery.perform(moves)
        elif how == "in the slam":
            self.scenery.perform(moves, out=False)
            self._close(slam=True, bounce=False)
        else:
            for n, move in enumerate(moves):
                move.begin_s = 0.0
                self.scenery.perform([move])
                self.scenery.pause(0.0 if n == len(moves) - 1 else PAUSE_S)

    def _put(self, who: str, zone: ZoneId, sku: Sku) -> None:
        self.scenery.perform([Move(zone, sku, lambda: self.shop.world.put(who, zone, sku), put=True)])


def soon(true: Callable[[], bool], within_s: float) -> bool:
    """Whether it becomes true in that time."""
    try:
        wait_until(true, within_s, "")
    except TimeoutError:
        return False
    return True
