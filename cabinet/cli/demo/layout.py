"""Which camera of a bench watches which shelves while a story is told, and where goods stand on them.

One camera watches at most two shelves (`cabinet.sim.sight.room`), so more than two need a second one.  Every unit has a
column of its own where there is room, else units stand behind each other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cabinet.sim import acts as a
from cabinet.sim.shop import Plan
from cabinet.sim.sight.interior import ROWS
from cabinet.sim.sight.room import Viewpoint
from cabinet.sim.world import OWN
from cabinet.units import Sku, ZoneId

PAIR = 2  # shelves that one camera watches well
MOST_SHELVES, MOST_COLUMNS, MOST_ROWS = 2 * PAIR, 6, ROWS
FIRST, SECOND, BESIDE = "top", "right", "left"  # watch the first pair, the last pair, the first pair from the left

Place = tuple[ZoneId, Sku]


@dataclass(frozen=True, slots=True)
class Sight:
    """What one camera watches.  `shelves`: the article of each column; `rows`: units behind each other."""

    shelves: dict[ZoneId, tuple[Sku, ...]]
    rows: int
    viewpoint: Viewpoint


def cameras(plan: Plan, acts: Iterable[a.Act]) -> dict[str, Sight]:
    """Of each interior camera what it sees.

    There is room for the most units of each article that the acts bring to a shelf.  With more than two shelves there
    is a second eye on the first two where an act names it: each camera costs a tenth of a core (M).  Raises
    ValueError where the shelves cannot be shown.
    """
    zones, acts = list(plan.shelves), list(acts)
    if len(zones) > MOST_SHELVES:
        raise ValueError(f"{len(zones)} shelves: the cameras of a bench watch at most {MOST_SHELVES}")
    most = _most(plan, acts)
    found = {FIRST: _sight(plan, most, zones[:PAIR])}
    if len(zones) > PAIR:
        found[SECOND] = _sight(plan, most, zones[PAIR:])
        if any(isinstance(act, a.Befall) and act.part == f"camera:{BESIDE}" for act in acts):
            found[BESIDE] = Sight(found[FIRST].shelves, found[FIRST].rows, "left")
    return found


def _sight(plan: Plan, most: Counter[Place], zones: list[ZoneId]) -> Sight:
    for rows in range(1, MOST_ROWS + 1):
        columns = {
            zone: tuple(sku for (where, sku), n in most.items() if where == zone for _ in range(-(-n // rows)))
            for zone in zones
        }
        if all(len(held) <= MOST_COLUMNS for held in columns.values()):
            spare = next(iter(plan.wares))  # of an empty shelf: a column in which nothing ever stands
            return Sight({zone: held or (spare,) for zone, held in columns.items()}, rows, "top")
    raise ValueError(f"a camera has room for {MOST_COLUMNS} columns of {MOST_ROWS} units on a shelf")


def _most(plan: Plan, acts: Iterable[a.Act]) -> Counter[Place]:
    """The largest number of units of each article on each shelf, at any time."""
    held: Counter[Place] = Counter({(zone, sku): n for zone, skus in plan.shelves.items() for sku, n in skus.items()})
    most = held.copy()
    for act in acts:
        for place, n in _moves(act):
            held[place] += n
            most[place] = max(most[place], held[place])
    return +most


def _moves(act: a.Act) -> Iterator[tuple[Place, int]]:
    match act:
        case a.Take(_, items, _):
            yield from (((item.zone, item.sku), -item.count) for item in items)
        case a.Put(_, items) | a.Stock(_, items):
            yield from (((item.zone, item.sku), item.count) for item in items)
        case a.Deposit(_, name, _, zone):
            yield (zone, Sku(OWN + name)), 1
        case a.Fetch(_, name, zone):
            yield (zone, Sku(OWN + name)), -1
        case _:
            pass
