"""What the interior camera of a bench sees while a story is told at true depth: goods, hands that cross, bad light.

One camera watches at most two shelves (`cabinet.sim.sight.room`); every unit has a column of its own where there is
room, else two stand behind each other.
"""

import base64
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cabinet.sim import acts as a
from cabinet.sim import pictures
from cabinet.sim.remote import wait
from cabinet.sim.shop import Plan
from cabinet.sim.sight.conditions import CLEAN, Conditions
from cabinet.sim.sight.hands import Hand, crossing, gripped
from cabinet.sim.sight.interior import Interior
from cabinet.sim.sight.products import assortment
from cabinet.sim.world import OWN
from cabinet.units import Sku, ZoneId

CAMERA = "top"
SIZE = (640, 360)
MOST_SHELVES, MOST_COLUMNS, MOST_ROWS = 2, 6, 2
REACH_S = 1.5  # a hand's way in, its grip, its way out
FRAME_S = 0.2  # between two new pictures: as often as the daemon looks
LIGHTS = {
    "covered": Conditions(covered=1.0),
    "dark": Conditions(dark=1.0),
    "fogged": Conditions(fog=1.0),
    "moved": Conditions(moved=(60.0, 25.0, 4.0)),
}
STREAM = {"frozen": "freeze", "away": "stall"}  # what befalls the stream, not the picture

Facings = dict[ZoneId, tuple[Sku, ...]]
Place = tuple[ZoneId, Sku]


def facings(plan: Plan, acts: Iterable[a.Act]) -> tuple[Facings, int]:
    """Of each shelf the article of each column, and how many units stand behind each other.

    There is room for the most units of each article that the acts bring to a shelf.  Raises ValueError where not.
    """
    if len(plan.shelves) > MOST_SHELVES:
        raise ValueError(f"{len(plan.shelves)} shelves: one camera watches at most {MOST_SHELVES}")
    most = _most(plan, acts)
    for rows in range(1, MOST_ROWS + 1):
        columns = {
            zone: tuple(sku for (where, sku), n in most.items() if where == zone for _ in range(-(-n // rows)))
            for zone in plan.shelves
        }
        if all(len(held) <= MOST_COLUMNS for held in columns.values()):
            spare = next(iter(plan.wares))  # of an empty shelf: a column in which nothing ever stands
            return {zone: held or (spare,) for zone, held in columns.items()}, rows
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


@dataclass
class Move:
    """A hand crosses the opening with one unit; `act` moves the unit when the hand closes or opens."""

    zone: ZoneId
    sku: Sku
    act: Callable[[], object]
    put: bool = False
    begin_s: float = 0.0
    for_s: float = REACH_S
    column: int | None = None
    done: bool = False

    @property
    def between_s(self) -> tuple[float, float]:
        return self.begin_s, self.begin_s + self.for_s


@dataclass
class Scenery:
    """The pictures follow the acts; `control` is the streams' own socket."""

    shelves: Facings
    rows: int
    photos: Path | None = None
    seed: int = 1
    control: Callable[[dict[str, Any]], None] = lambda _: None  # until the streams run
    conditions: Conditions = CLEAN
    counts: dict[ZoneId, list[int]] = field(init=False)
    _moves: Sequence[Move] = ()
    _began_s: float = 0.0
    _frames: int = 0
    _frozen: bool = False

    def __post_init__(self) -> None:
        self.cutouts = assortment({sku for held in self.shelves.values() for sku in held}, self.photos)
        shelves: dict[str, Sequence[str]] = {zone: list(held) for zone, held in self.shelves.items()}
        self.interior = Interior(shelves, self.cutouts, size=SIZE, seed=self.seed, rows=self.rows)
        self.counts = {zone: [0] * len(held) for zone, held in self.shelves.items()}

    def fill(self, shelves: Mapping[ZoneId, Mapping[Sku, int]]) -> None:
        for zone, held in shelves.items():
            self.counts[zone] = [0] * len(self.shelves[zone])
            for sku, n in held.items():
                for _ in range(n):
                    self._stand(zone, self._room(zone, sku))

    def perform(self, moves: Sequence[Move], *, out: bool = True) -> None:
        """Hands reach in and come out again, in real time; each act happens at its grip.  Raises what an act raises.

        Not `out`: it returns as soon as all have gripped, for a door that is slammed at once.
        """
        self._moves, self._began_s = moves, time.monotonic()
        for move in moves:
            self._choose(move)
        try:
            last_s = max(move.between_s[1] for move in moves) if out else 0.0
            while self._now_s() < last_s or not all(move.done for move in moves):
                frame_s = self._now_s()
                for move in moves:
                    if not move.done and gripped(self._now_s(), *move.between_s):
                        self._grip(move)
                self.draw()
                wait(max(0.01, frame_s + FRAME_S - self._now_s()))
        finally:
            self._moves = ()
            self.draw()

    def pause(self, seconds: float) -> None:
        """Time passes; hands that are in the opening go on meanwhile."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            if self._moves:
                self.draw()
            wait(max(0.0, min(FRAME_S, left_s, until_s - time.monotonic())))

    def befall(self, what: str) -> None:
        """A word of LIGHTS or STREAM, or `well`: from now on the camera is so."""
        self.conditions = LIGHTS.get(what, CLEAN)
        self._frozen = what == "frozen"
        if not self._frozen:
            self.draw()
        self.control({"camera": CAMERA, **{order: what == name for name, order in STREAM.items()}})

    def draw(self) -> None:
        """The camera shows the shelves as they are now; a frozen one does not."""
        if not self._frozen:
            jpeg = base64.b64encode(self.picture()).decode()
            self.control({"camera": CAMERA, "show_jpeg_b64": jpeg})

    def picture(self) -> bytes:
        """One frame, JPEG."""
        self._frames += 1
        hands = [hand for hand in map(self._hand, self._moves) if hand is not None]
        counts: dict[str, Sequence[int]] = {zone: held for zone, held in self.counts.items()}  # noqa: C416
        frame = self.interior.render(counts, hands, self.conditions, self._frames)
        assert frame is not None  # noqa: S101  no condition here drops frames
        return pictures.jpeg(frame)

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s

    def _hand(self, move: Move) -> Hand | None:
        column = move.column or 0
        row = self.interior.front_row(self.counts[move.zone][column] + (1 if move.put and not move.done else 0))
        hand = Hand(move.zone, column, 0.0, row=min(row, self.rows - 1))
        return crossing(hand, move.sku, self._now_s(), move.between_s, put_back=move.put)

    def _choose(self, move: Move) -> None:
        """Where the hand goes: another column than hands that reach in beside it, where there is one."""
        others = [one.column for one in self._moves if one is not move and one.zone == move.zone and not one.done]
        places = list(self._room(move.zone, move.sku) if move.put else self._units(move.zone, move.sku))
        move.column = next((place for place in places if place not in others), next(iter(places), None))

    def _grip(self, move: Move) -> None:
        move.done = True  # before the act, which may take its time and show frames
        if move.column is not None:
            self.counts[move.zone][move.column] += 1 if move.put else -1
        move.act()

    def _stand(self, zone: ZoneId, places: Iterable[int]) -> None:
        for place in places:
            self.counts[zone][place] += 1
            return

    def _units(self, zone: ZoneId, sku: Sku) -> Iterator[int]:
        """Columns with such a unit, the fullest first: whoever takes wants no hole."""
        held = [n for n, one in enumerate(self.shelves[zone]) if one == sku and self.counts[zone][n] > 0]
        return iter(sorted(held, key=lambda n: (-self.counts[zone][n], n)))

    def _room(self, zone: ZoneId, sku: Sku) -> Iterator[int]:
        """Columns with room for such a unit, the emptiest first."""
        there = [n for n, one in enumerate(self.shelves[zone]) if one == sku and self.counts[zone][n] < self.rows]
        return iter(sorted(there, key=lambda n: (self.counts[zone][n], n)))
