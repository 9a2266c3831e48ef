"""Is everything in, up to the instant the door shut?  By counts of samples and frames; what is missing is named.

Pure: time is an argument.  It refuses to call anything complete because time has passed, and an event that comes after
the barrier is no evidence for the bill.  How long to wait is the session machine's business.
"""

import math
from dataclasses import dataclass, field

from cabinet.basket.evidence import BARRIER, MISSING, SCALE, Happening, Mass, State
from cabinet.scales import LEAST_RATE, STEADY_S, Scale, Scales
from cabinet.units import ZoneId

HOLE_S = 0.1  # between two batches: less is the jitter of two clocks
AHEAD_S = 0.05  # a frame stamped so far in the future was stamped by another clock
BOARD = "board"


@dataclass(frozen=True, slots=True)
class Missing:
    part: str  # in words: "zone s2"
    why: str

    def event(self, t: float) -> State:
        """As the trace says it, so that whoever replays it reads the same."""
        return State(t, f"{MISSING}{self.part}: {self.why}")


BUSY = Missing("cabinet", "was too busy to take note of what is there")  # where nothing else is missing


@dataclass(slots=True)
class Counts:
    """Samples of every zone since the unlock: how many came, and the holes between them that nobody told of."""

    came: dict[ZoneId, int] = field(default_factory=dict)
    silent: dict[ZoneId, int] = field(default_factory=dict)
    _due_s: dict[ZoneId, float] = field(default_factory=dict)
    _told_s: dict[ZoneId, float] = field(default_factory=dict)  # lost since the last batch, as the board told

    def gap(self, part: str, seconds: float) -> None:
        """What the board tells to be lost: of one zone, or of all of them."""
        for zone in self._due_s:
            if part in {SCALE + zone, BOARD}:
                self._told_s[zone] = self._told_s.get(zone, 0.0) + seconds

    def add(self, zone: ZoneId, at_s: float, hz: float, count: int) -> float:
        """A batch came.  Seconds that are missing before it and that nobody told of, 0 where none are."""
        hole_s = at_s - self._due_s.get(zone, at_s) - self._told_s.pop(zone, 0.0)
        self.came[zone] = self.came.get(zone, 0) + count
        self._due_s[zone] = at_s + count / hz
        if hole_s <= HOLE_S:
            return 0.0
        self.silent[zone] = self.silent.get(zone, 0) + round(hole_s * hz)
        return hole_s


def complete(scales: Scales, closed_s: float, until_s: float = 0.0) -> bool:
    """Whether `cells` would name nobody; asked at every batch, so it stops at the first zone that owes something."""
    return not any(_zone(scale, closed_s, until_s) for scale in scales.zones.values())


def cells(scales: Scales, closed_s: float, until_s: float = 0.0) -> tuple[Missing, ...]:
    """Zones that have not said all: at rest on samples from after the closing, and every sample up to `until_s` in.

    Where no zone has reported since the closing it is the board that is missing.
    """
    zones = scales.zones
    silent = [scale.last_s for scale in zones.values() if scale.last_s < closed_s]
    if len(zones) > 1 and len(silent) == len(zones) and max(silent) > -math.inf:
        ago_s = closed_s - max(silent)
        due = math.ceil(ago_s * max(scale.zone.rate_hz for scale in zones.values()))
        why = f"last sample {ago_s:.2f} s before the closing, {due} samples of each of {len(zones)} zones due"
        return (Missing(BOARD, why),)
    whys = ((zone, _zone(scale, closed_s, until_s)) for zone, scale in zones.items())
    return tuple(Missing(f"zone {zone}", why) for zone, why in whys if why)


def _zone(scale: Scale, closed_s: float, until_s: float) -> str:
    """What this zone still owes; empty where it owes nothing."""
    last_s, hz = scale.last_s, scale.zone.rate_hz
    if last_s == -math.inf:
        return "no sample at all"
    if last_s < closed_s:
        return f"last sample {closed_s - last_s:.2f} s before the closing, {_due(closed_s - last_s, hz)} samples due"
    if scale.steady(closed_s) is None:
        return _unsettled(scale, closed_s)
    came, owed = scale.count(last_s - STEADY_S), math.floor(LEAST_RATE * STEADY_S * hz)
    if came < owed:
        return f"{came} samples in its last {STEADY_S:g} s, at least {owed} due"
    if last_s < until_s:
        return f"last sample {until_s - last_s:.2f} s before the last picture, {_due(until_s - last_s, hz)} samples due"
    return ""


def _unsettled(scale: Scale, closed_s: float) -> str:
    came, good = scale.count(closed_s), len(scale.since(closed_s))
    owed = math.ceil(STEADY_S * scale.zone.rate_hz)
    if came < owed:
        return f"{came} samples since the closing, {owed} due"
    if good < came / 2:
        return f"{came - good} of {came} samples since the closing are bad"
    return f"has not come to rest in {scale.last_s - closed_s:.1f} s since the closing"


def _due(seconds: float, hz: float) -> int:
    return max(1, math.ceil(seconds * hz - 1e-6))


def frame(at_s: float | None, closed_s: float, wanted_s: float, now_s: float) -> str:
    """Why the newest frame of a camera, stamped `at_s`, does not show the shelves after the closing; or nothing.

    `wanted_s`: only a frame stamped later shows them, of a camera whose stream is late much later than the closing.
    """
    if at_s is None:
        return "no frame at all"
    if at_s > now_s + AHEAD_S:
        return f"its frames are stamped {at_s - now_s:.2f} s in the future: they cannot be set beside the closing"
    if at_s <= closed_s:
        return f"no frame since the closing, the newest from {closed_s - at_s:.2f} s before it"
    if at_s <= wanted_s:
        return f"no frame from {wanted_s - closed_s:.2f} s after the closing, the newest from {at_s - closed_s:.2f} s"
    return ""


def late(event: Happening, barrier_t: float | None) -> tuple[str, Happening | None]:
    """What of an event came after the barrier that ought to have come before it ("": nothing), and what is left.

    States are no evidence: one of the same instant is put behind the barrier.
    """
    if barrier_t is None or event.t > barrier_t:
        return "", event
    if isinstance(event, State):
        return "", event if event.name == BARRIER else State(round(barrier_t + 1e-4, 4), event.name)
    if not isinstance(event, Mass):
        return f"{type(event).__name__.lower()} of {event.t:g} s", None
    count = min(len(event.g), math.floor((barrier_t - event.t) * event.hz + 1e-6) + 1)
    rest = Mass(round(event.t + count / event.hz, 4), event.zone, event.hz, event.g[count:])
    return f"{count} samples of zone {event.zone} from {event.t:g} s on", rest if rest.g else None
