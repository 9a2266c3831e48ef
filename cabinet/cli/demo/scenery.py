"""What the interior cameras of a bench see while a story is told at true depth: goods, hands that cross, bad light."""

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cabinet.cli.demo.layout import Sight
from cabinet.sim import pictures
from cabinet.sim.remote import wait
from cabinet.sim.sight.conditions import CLEAN, Conditions
from cabinet.sim.sight.hands import Hand, crossing, gripped
from cabinet.sim.sight.interior import Interior
from cabinet.sim.sight.products import assortment
from cabinet.units import Sku, ZoneId

SIZE = (640, 360)
REACH_S = 1.5  # a hand's way in, its grip, its way out
FRAME_S = 0.2  # between two new pictures: as often as the daemon looks
LIGHTS = {
    "covered": Conditions(covered=1.0),
    "dark": Conditions(dark=1.0),
    "fogged": Conditions(fog=1.0),
    "moved": Conditions(moved=(60.0, 25.0, 4.0)),
}
STREAM = {"frozen": "freeze", "away": "stall"}  # what befalls the stream, not the picture


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
class View:
    """One camera and what has become of it."""

    interior: Interior
    conditions: Conditions = CLEAN
    frozen: bool = False
    frames: int = 0


@dataclass
class Scenery:
    """The pictures follow the acts; `control` is the streams' own socket."""

    sights: Mapping[str, Sight]  # by the camera's name
    photos: Path | None = None
    seed: int = 1
    control: Callable[[dict[str, Any]], None] = lambda _: None  # until the streams run
    lit: bool = True
    shelves: dict[ZoneId, tuple[Sku, ...]] = field(init=False)
    counts: dict[ZoneId, list[int]] = field(init=False)
    views: dict[str, View] = field(init=False)
    _rows: dict[ZoneId, int] = field(init=False)
    _moves: Sequence[Move] = ()
    _began_s: float = 0.0

    def __post_init__(self) -> None:
        seen = self.sights.values()
        self.shelves = {zone: held for sight in seen for zone, held in sight.shelves.items()}
        self._rows = {zone: sight.rows for sight in seen for zone in sight.shelves}
        self.counts = {zone: [0] * len(held) for zone, held in self.shelves.items()}
        self.cutouts = assortment({sku for held in self.shelves.values() for sku in held}, self.photos)
        self.views = {name: View(self._interior(sight)) for name, sight in self.sights.items()}

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
        watching = self._watching(moves)
        for move in moves:
            self._choose(move)
        try:
            last_s = max(move.between_s[1] for move in moves) if out else 0.0
            while self._now_s() < last_s or not all(move.done for move in moves):
                frame_s = self._now_s()
                for move in moves:
                    if not move.done and gripped(self._now_s(), *move.between_s):
                        self._grip(move)
                self.draw(watching)
                wait(max(0.01, frame_s + FRAME_S - self._now_s()))
        finally:
            self._moves = ()
            self.draw(watching)

    def pause(self, seconds: float) -> None:
        """Time passes; hands that are in the opening go on meanwhile."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            if self._moves:
                self.draw(self._watching(self._moves))
            wait(max(0.0, min(FRAME_S, left_s, until_s - time.monotonic())))

    def befall(self, camera: str, what: str) -> None:
        """A word of LIGHTS or STREAM, or `well`: from now on the camera is so."""
        view = self.views[camera]
        view.conditions, view.frozen = LIGHTS.get(what, CLEAN), what == "frozen"
        self.draw([camera])
        self.control({"camera": camera, **{order: what == name for name, order in STREAM.items()}})

    def light(self, *, on: bool) -> None:
        """The lamp, for every camera."""
        self.lit = on
        self.draw()

    def draw(self, cameras: Iterable[str] | None = None) -> None:
        """These cameras (None: all) show the shelves as they are now; a frozen one does not."""
        for camera in self.views if cameras is None else cameras:
            if not self.views[camera].frozen:
                jpeg = base64.b64encode(self.picture(camera)).decode()
                self.control({"camera": camera, "show_jpeg_b64": jpeg})

    def picture(self, camera: str) -> bytes:
        """One frame, JPEG."""
        view = self.views[camera]
        view.frames += 1
        hands = [self._hand(view, move) for move in self._moves if move.zone in self.sights[camera].shelves]
        frame = view.interior.render(
            {str(zone): self.counts[zone] for zone in self.sights[camera].shelves},
            [hand for hand in hands if hand is not None],
            view.conditions if self.lit else LIGHTS["dark"],
            view.frames,
        )
        if frame is None:
            raise AssertionError("no condition here drops frames")
        return pictures.jpeg(frame)

    def _interior(self, sight: Sight) -> Interior:
        shelves: dict[str, Sequence[str]] = {zone: list(held) for zone, held in sight.shelves.items()}
        return Interior(shelves, self.cutouts, sight.viewpoint, size=SIZE, seed=self.seed, rows=sight.rows)

    def _watching(self, moves: Iterable[Move]) -> list[str]:
        """The cameras before which these hands move."""
        zones = {move.zone for move in moves}
        return [camera for camera, sight in self.sights.items() if zones & sight.shelves.keys()]

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s

    def _hand(self, view: View, move: Move) -> Hand | None:
        column = move.column or 0
        row = view.interior.front_row(self.counts[move.zone][column] + (1 if move.put and not move.done else 0))
        hand = Hand(move.zone, column, 0.0, row=min(row, self._rows[move.zone] - 1))
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
        there = [
            n for n, one in enumerate(self.shelves[zone]) if one == sku and self.counts[zone][n] < self._rows[zone]
        ]
        return iter(sorted(there, key=lambda n: (self.counts[zone][n], n)))
