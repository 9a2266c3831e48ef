"""What the world round the board saw happen, and when: stamps of the emulator's own clock, not of the test's."""

import time
from typing import Any

from firmware_bridge.bench import EmulatedBoard

WITHIN_S = 10.0


def look(board: EmulatedBoard) -> dict[str, Any]:
    return board.control({"do": "look"})


def changed_ms(board: EmulatedBoard, what: str, *, to: object, after_ms: float) -> float:
    """When `what` first became `to` at or after `after_ms` (CLOCK_MONOTONIC); waits for it."""
    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        for at_ms, name, value in look(board)["changes"]:
            if name == what and value == to and at_ms >= after_ms:
                return float(at_ms)
    raise AssertionError(f"{what} did not become {to} within {WITHIN_S} s: {look(board)['changes'][-12:]}")


def now_ms() -> float:
    return time.monotonic_ns() / 1e6
