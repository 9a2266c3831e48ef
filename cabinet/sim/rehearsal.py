"""Reads a story through in a world without clock or cabinet: whatever is impossible is refused at its line."""

import random
from dataclasses import dataclass

from cabinet.sim import acts as a
from cabinet.sim.story import Line, Story, StoryError
from cabinet.sim.world import ImpossibleError, World
from cabinet.units import Sku, ZoneId


@dataclass
class Hopeful:
    """An apparatus whose door gives way to whoever came, since anybody might have been let in."""

    door_open: bool = False
    somebody_came: bool = False

    def pull(self) -> bool:
        self.door_open = self.door_open or self.somebody_came
        return self.door_open

    def force(self) -> None:
        self.door_open = True

    def shut(self, *, slam: bool) -> None:
        del slam
        self.door_open, self.somebody_came = False, False

    def load(self, zone: ZoneId, delta_g: float, over_s: float, hand_g: float) -> None: ...
    def press(self, zone: ZoneId, grams: float, for_s: float) -> None: ...
    def rest(self, zone: ZoneId, grams: float) -> None: ...


def rehearse(story: Story, where: str = "") -> None:
    """Raises StoryError naming the first line that cannot happen."""
    hopeful = Hopeful()
    world = World(list(story.plan.shelves), story.plan.goods, hopeful, random.Random(1))
    world.stock(story.plan.shelves)
    for line in story.lines:
        try:
            _do(line, world, hopeful)
        except ImpossibleError as error:
            raise StoryError(f"{where or story.name} line {line.number}: {line.text!r}: {error}") from error


def _do(line: Line, world: World, hopeful: Hopeful) -> None:  # noqa: C901, PLR0912  a table: one case per act
    match line.act:
        case a.Come() | a.Serve():
            hopeful.somebody_came = True
        case a.Open(who):
            if not world.pull():
                raise ImpossibleError(f"{who} opens a door that nobody unlocked: let {who} come first")
        case a.Pry():
            world.pry()
        case a.Close(slam=slam):
            world.shut(slam=slam)
        case a.Take(who, items):
            for item in a.units(items):
                world.take(who, item.zone, item.sku)
        case a.Put(who, items):
            for item in a.units(items):
                world.put(who, item.zone, item.sku)
        case a.Stock(who, items):
            for item in a.units(items):
                world.supply(who, item.sku)
                world.put(who, item.zone, item.sku)
        case a.Deposit(who, name, mass_g, zone):
            thing = world.bring(who, name, mass_g)
            world.put(who, zone, thing.sku)
        case a.Fetch(who, name, zone):
            world.take(who, zone, Sku("own:" + name))
        case a.HandOver(who, to, items):
            for count, sku in items:
                for _ in range(count):
                    world.hand_over(who, to, sku)
        case a.Lean(_, zone, grams, for_s):
            world.lean(zone, grams, for_s)
        case a.Leave(who):
            world.leave(who)
        case _:
            pass
