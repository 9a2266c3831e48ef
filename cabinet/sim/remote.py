"""The apparatus at true depth: the emulated board, which runs the firmware in a process of its own."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cabinet.units import ZoneId

Order = Callable[[dict[str, Any]], dict[str, Any]]

HAND_S = 0.3  # the wrist leaves the tray's edge so long after the goods
SLIDE_S = 0.25  # what slides slowly does so in steps of this length: two frames of the board's samples


def wait(seconds: float) -> None:
    """On the real clock, which the board lives by."""
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class RemoteApparatus:
    """Each act is an order to the world round the board (`python -m firmware_bridge.emulator --help`)."""

    board: Order
    zones: Sequence[ZoneId]
    pause: Callable[[float], None] = wait  # called where an act takes its time

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
        """Returns once all of it has come or gone: after `over_s` where that is longer than a hand's usual moment."""
        n = self.zones.index(zone)
        if hand_g:
            self.board({"do": "hand", "zone": n, "g": hand_g, "for_s": max(over_s, HAND_S)})
        steps = max(1, round(over_s / SLIDE_S)) if over_s > HAND_S else 1
        for step in range(steps):
            part_g = round(delta_g * (step + 1) / steps, 1) - round(delta_g * step / steps, 1)
            self.board({"do": "add", "zone": n, "g": round(part_g, 1)})
            if steps > 1:
                self.pause(SLIDE_S)

    def press(self, zone: ZoneId, grams: float, for_s: float) -> None:
        self.board({"do": "hand", "zone": self.zones.index(zone), "g": grams, "for_s": for_s})

    def rest(self, zone: ZoneId, grams: float) -> None:
        self.board({"do": "mass", "zone": self.zones.index(zone), "g": round(grams, 1)})
