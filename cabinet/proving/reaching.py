"""When a still of a recorded visit is kept, and which hands are in it.

Sparse, as a trace may be: one before the unlock, FPS a second while a hand is in, one as it has gone, one after.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cabinet.basket.evidence import Door, Mass
from cabinet.proving.facings import place
from cabinet.proving.recorded import Move, Recorded
from cabinet.sim.sight.hands import Hand, crossing
from cabinet.units import ZoneId

FPS = 5.0  # while a hand is in; the daemon looks as often
REACH_S = 0.9  # a hand comes in before, and goes out after, the move itself
BEFORE_T = -0.15  # of the still before the unlock
AFTER_S = 0.2  # after the closing


def moments(told: Recorded, sees: tuple[ZoneId, ...]) -> Iterator[tuple[float, list[Hand]]]:
    """When a still is kept, and the hands that are in it: FPS a second from before the first until all are out."""
    doors = [e for e in told.visit.events if isinstance(e, Door)]
    closed = [e.t for e in doors if not e.open]
    ended_t = max((e.t + len(e.g) / e.hz for e in told.visit.events if isinstance(e, Mass)), default=0.0)
    after_t = min(closed[-1] + AFTER_S, ended_t) if closed else ended_t
    yield BEFORE_T, []
    reaches = sorted((_reach(told, doors, move) for move in told.moves if move.zone in sees), key=lambda r: r.began_t)
    until_t = BEFORE_T
    for first in reaches:
        if first.ended_t <= until_t:
            continue
        t = max(first.began_t, until_t)
        until_t = first.ended_t
        while t < until_t:
            found = [(reach, reach.arm(t)) for reach in reaches]
            until_t = max([until_t, *(reach.ended_t for reach, _ in found if reach.began_t <= t < reach.ended_t)])
            yield t, [arm for _, arm in found if arm is not None]
            t += 1 / FPS
        yield until_t, []
    yield after_t, []


@dataclass(frozen=True, slots=True)
class _Reach:
    """A hand comes in, takes or leaves a unit at `at_t`, and goes out."""

    began_t: float
    at_t: float
    ended_t: float
    hand: Hand
    sku: str
    put_back: bool

    def arm(self, t: float) -> Hand | None:
        """At the visit's t: in and out in REACH_S each, or as fast as the door leaves time for."""
        if not self.began_t < t < self.ended_t:
            return None
        way = (t - self.at_t) / (self.at_t - self.began_t if t < self.at_t else self.ended_t - self.at_t)
        return crossing(self.hand, self.sku, way * REACH_S, (-REACH_S, REACH_S), put_back=self.put_back)


def _reach(told: Recorded, doors: list[Door], move: Move) -> _Reach:
    """Nobody reaches in before the door is open, or out after it is shut."""
    opened_t = max((e.t for e in doors if e.open and e.t < move.t), default=move.t - REACH_S)
    shut_t = min((e.t for e in doors if not e.open and e.t > move.t), default=move.t + 2 * REACH_S)
    began_t, ended_t = max(move.t - REACH_S, opened_t), min(move.t + min(move.over_s, 2.0) + REACH_S, shut_t)
    column, row = place(told, move)
    hand = Hand(str(move.zone), column, 0.0, row=row)
    return _Reach(began_t, move.t, ended_t, hand, str(move.sku), move.action == "return")
