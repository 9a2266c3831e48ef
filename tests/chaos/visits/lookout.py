"""Somebody who looks at the emulated lock all the time, on a line of their own, and writes down when it was driven."""

import json
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ulid import ULID

LOOK_EVERY_S = 0.02
ANSWER_S = 60.0  # two busy cores
GRACE_S = 0.6  # the board lets go 0.5 s after the last sign of life


class WorldLine:
    """One more connection to the emulated world: `EmulatedBoard.control` serves one thread only."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(path)
        self._answers = self._socket.makefile("rb")

    def control(self, order: dict[str, Any]) -> dict[str, Any]:
        self._socket.sendall(json.dumps(order).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


def visit_of(state: dict[str, Any]) -> str | None:
    """Whose lease the board holds."""
    return None if state["lease"] is None else str(ULID.from_hex(state["lease"]))


@dataclass(frozen=True, slots=True)
class Driven:
    """One look that found the lock driven: asked and answered, on both clocks of this machine."""

    asked_s: float
    answered_s: float
    asked_wall_ms: float
    answered_wall_ms: float
    visit: str | None


@dataclass
class Lookout:
    path: str
    looks: int = 0
    longest_blink_s: float = 0.0  # between two looks
    driven: list[Driven] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._line = WorldLine(self.path)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="lookout", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(ANSWER_S)
        self._line.close()

    def driven_within(self, stretches: Sequence[tuple[float, float]]) -> list[Driven]:
        """Looks that found the lock driven although the daemon had been dead for longer than the grace."""
        return [
            look
            for look in self.driven
            if any(look.asked_s > died_s + GRACE_S and look.answered_s < back_s for died_s, back_s in stretches)
        ]

    def _look(self) -> None:
        before_s = time.monotonic()
        while not self._over.wait(LOOK_EVERY_S):
            asked_s, asked_ms = time.monotonic(), time.time() * 1000
            state = self._line.control({"do": "state"})
            answered_s, answered_ms = time.monotonic(), time.time() * 1000
            self.looks += 1
            self.longest_blink_s = max(self.longest_blink_s, answered_s - before_s)
            before_s = answered_s
            if state["lock_driven"]:
                self.driven.append(Driven(asked_s, answered_s, asked_ms, answered_ms, visit_of(state)))
