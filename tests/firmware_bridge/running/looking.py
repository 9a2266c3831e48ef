"""What the world round the board saw happen, and when: stamps of the emulator's own clock, not of the test's."""

import math
import select
import time
from collections.abc import Callable
from typing import Any

from firmware_bridge.bench import EmulatedBoard
from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.messages import Answer, LeaseEnded
from tests.firmware_bridge.running.raw import WITHIN_S, RawHost

ATTEMPTS = 6
LOOK_EVERY_S = 0.01


def look(board: EmulatedBoard) -> dict[str, Any]:
    return board.control({"do": "look"})


def changed_ms(board: EmulatedBoard, what: str, *, to: object, after_ms: float) -> float:
    """When `what` first became `to` at or after `after_ms` (CLOCK_MONOTONIC); waits for it."""
    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        for at_ms, name, value in look(board)["changes"]:
            if name == what and value == to and at_ms >= after_ms:
                return float(at_ms)
        select.select([], [], [], LOOK_EVERY_S)
    raise AssertionError(f"{what} did not become {to} within {WITHIN_S} s: {look(board)['changes'][-12:]}")


def now_ms() -> float:
    return time.monotonic_ns() / 1e6


def released(board: EmulatedBoard, host: RawHost, visit: bytes, ttl_ms: int = 10_000) -> float:
    """A held lease with the bolt out; when it was asked for.  A host that the machine stopped for half a second has
    lost its lease: it asks again.
    """
    host.beat()
    for _ in range(ATTEMPTS):
        host.forget(LeaseEnded)
        asked_ms = now_ms()
        assert host.signed_unlock(TEST_KEY, visit, ttl_ms) is Answer.OK
        host.until(lambda: not look(board)["bolt_locked"] or host.has(LeaseEnded))
        if not host.has(LeaseEnded):
            return asked_ms
    raise AssertionError("no lease lasts until the bolt is out")


def opened(board: EmulatedBoard, host: RawHost, visit: bytes, ttl_ms: int = 10_000) -> float:
    """The door pulled open in a lease; just before it was."""
    for _ in range(ATTEMPTS):
        released(board, host, visit, ttl_ms)
        pulled_ms = now_ms()
        if board.control({"do": "pull"})["ok"]:
            return pulled_ms
    raise AssertionError("no lease lasts until the door is pulled")


def late_ms(begun_ms: float, ended_ms: float, bound_ms: float) -> float:
    """By how much more than the bound; infinity for what ended of something else, before it had begun."""
    return ended_ms - begun_ms - bound_ms if ended_ms >= begun_ms else math.inf


def in_time(start: Callable[[], EmulatedBoard], attempt: Callable[[EmulatedBoard], float], most_ms: float) -> None:
    """One of a few attempts, each on a new board, is late by `most_ms` at most: a machine that stops a process for a
    while only ever adds to it, and a firmware that is slow is slow each time.
    """
    late: list[float] = []
    while len(late) < ATTEMPTS:
        late.append(attempt(start()))
        if late[-1] <= most_ms:
            return
    raise AssertionError(f"late by {late} ms")
