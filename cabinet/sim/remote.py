"""The apparatus at true depth: the emulated board, which runs the firmware in a process of its own."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cabinet.units import ZoneId

Order = Callable[[dict[str, Any]], dict[str, Any]]

HAND_S = 0.3  # the wrist leaves the tray's edge so long after the goods


@dataclass(frozen=True, slots=True)
class RemoteApparatus:
    """Each act is an order to the world round the board (`python -m firmware_bridge.emulator --help`)."""

    board: Order
    zones: Sequence[ZoneId]

    @property
    def door_open(self) -> bool:
        return bool(self.board({"do": "look"})["door_open"])

    def pull(self) -> bool:
        return bool(self.board({"do": "pull"})["ok"])

    def force(self) -> None:
        self.board({"do": "force"})

    def shut(self, *, slam: bool) -> None:
        self.board({"do": "shut"})
        if slam:
            for n in range(len(self.zones)):
                with contextlib.suppress(ValueError):
                    self.board({"do": "hand", "zone": n, "g": 40.0, "for_s": 0.15})

    def load(self, zone: ZoneId, delta_g: float, over_s: float, hand_g: float) -> None:
        n = self.zones.index(zone)
        if hand_g:
            self.board({"do": "hand", "zone": n, "g": hand_g, "for_s": max(over_s, HAND_S)})
        self.board({"do": "add", "zone": n, "g": round(delta_g, 1)})

    def press(self, zone: ZoneId, grams: float, for_s: float) -> None:
        self.board({"do": "hand", "zone": self.zones.index(zone), "g": grams, "for_s": for_s})

    def rest(self, zone: ZoneId, grams: float) -> None:
        self.board({"do": "mass", "zone": self.zones.index(zone), "g": round(grams, 1)})
