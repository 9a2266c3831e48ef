"""The apparatus at the fast depth: a simulated board and simulated cells on one clockwork."""

from dataclasses import dataclass

from cabinet.sim.board import SimBoard
from cabinet.sim.cells import Cells, Load, Press
from cabinet.sim.clockwork import Clockwork
from cabinet.units import ZoneId

GENTLE = 0.25  # share of a slam that a careful closing has
SHAKES_S = 0.03  # the frame shakes when the door touches it: after the push began


@dataclass(frozen=True, slots=True)
class FastApparatus:
    clock: Clockwork
    board: SimBoard
    cells: Cells

    @property
    def door_open(self) -> bool:
        return self.board.door_open

    def pull(self) -> bool:
        return self.board.pull()

    def force(self) -> None:
        self.board.force()

    def shut(self, *, slam: bool) -> None:
        self.cells.slams.append((self.clock.now_s + SHAKES_S, 1.0 if slam else GENTLE))
        self.board.shut()

    def load(self, zone: ZoneId, delta_g: float, over_s: float, hand_g: float) -> None:
        now_s = self.clock.now_s
        self.cells.histories[zone].loads.append(Load(now_s, now_s + over_s, delta_g, hand_g))

    def press(self, zone: ZoneId, grams: float, for_s: float) -> None:
        self.cells.histories[zone].presses.append(Press(self.clock.now_s, self.clock.now_s + for_s, grams))

    def rest(self, zone: ZoneId, grams: float) -> None:
        history = self.cells.histories[zone]
        history.base_g, history.loads, history.presses, history.broken = grams, [], [], []
