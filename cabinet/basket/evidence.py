"""One visit as the tally sees it: what was true at the unlock, and everything sensed since, on one clock.

Typed mirror of the visit trace (README of this folder); `cabinet.trace` reads and writes the files.  `t` is seconds
since the unlock order on the monotonic clock; what came before it (the baseline) has negative `t`.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Literal

from cabinet.basket.prices import PriceList
from cabinet.units import CameraId, Minor, Sku, VisitId, ZoneId

BARRIER = "barrier"
MISSING = "missing "  # a State so begun names what had not reported at the hard limit, and why
SCALE = "scale:"  # the part of a zone's cells is named so, before the zone
SPREAD_OF_MASS = 0.015  # unit-to-unit standard deviation, as a share of the mass, where none was learnt


@dataclass(frozen=True, slots=True)
class Product:
    name: str
    mass_g: float
    unit_price: Minor
    mass_sd_g: float | None = None  # None: SPREAD_OF_MASS
    tax: str = "standard"
    min_age: int = 0
    deposit: Minor = 0  # of one unit, beside the price

    @property
    def spread_g(self) -> float:
        return self.mass_g * SPREAD_OF_MASS if self.mass_sd_g is None else self.mass_sd_g


@dataclass(frozen=True, slots=True)
class Zone:
    kind: str = "shelf"
    cells: int = 4
    capacity_g: float = 20_000.0
    rate_hz: float = 80.0
    noise_g: float = 1.0  # standard deviation of one sample
    quantum_g: float = 1.0


@dataclass(frozen=True, slots=True)
class Camera:
    width: int
    height: int
    fps: float
    sees: tuple[ZoneId, ...] = ()
    polygons: Mapping[ZoneId, tuple[tuple[float, float], ...]] = field(default_factory=dict)  # pixels
    starts_at_t: float = 0.0


@dataclass(frozen=True, slots=True)
class Header:
    """visit.json."""

    visit: VisitId
    cabinet: str
    started_at: str  # RFC 3339, wall clock; for people, never for arithmetic
    clock_trusted: bool
    purpose: Literal["shop", "restock", "service"]
    currency: str
    zones: Mapping[ZoneId, Zone]
    cameras: Mapping[CameraId, Camera]
    catalog: Mapping[Sku, Product]
    planogram: Mapping[ZoneId, tuple[Sku, ...]]
    stock: Mapping[ZoneId, Mapping[Sku, int]]
    prices: PriceList | None = None  # frozen at the unlock; None: the catalogue's prices, and nothing is said of taxes
    strays: Mapping[ZoneId, tuple[Sku, ...]] = field(default_factory=dict)  # found there though the ledger knew of none
    member_age: int | None = None  # verified, in years, at least; None: no proof.  Never a birth date


@dataclass(frozen=True, slots=True)
class Mass:
    """Consecutive raw calibrated readings of one zone, the first at `t`; None = flagged bad by the board."""

    t: float
    zone: ZoneId
    hz: float
    g: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Bolt:
    t: float
    locked: bool


@dataclass(frozen=True, slots=True)
class Door:
    t: float
    open: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a camera saw cross a zone's edge.  `scores` and `other` are probabilities and sum to 1."""

    t: float
    camera: CameraId
    zone: ZoneId
    action: Literal["take", "return", "unknown"]
    t0: float
    t1: float
    scores: Mapping[Sku, float]
    other: float
    box: tuple[int, int, int, int] | None = None  # pixels: left, top, right, bottom; for pictures only


@dataclass(frozen=True, slots=True)
class Health:
    t: float
    part: str
    ok: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Temperature:
    t: float
    probe: str
    c: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples known to be lost."""

    t: float
    part: str
    seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """The session entered this state; for the picture and the reader of a log.

    The last one named BARRIER says up to where every part had reported when the tally read the trace: later events
    belong to the evidence, not to the bill, so that the same trace always gives the same verdict.
    """

    t: float
    name: str


Happening = Mass | Bolt | Door | Sighting | Health | Temperature | Gap | State


@dataclass(frozen=True, slots=True)
class Visit:
    header: Header
    events: tuple[Happening, ...]
    incomplete: bool = False  # a torn line ended the trace early

    def judged(self) -> "Visit":
        """What the tally may read, in order of t: up to the last barrier, or everything where there is none.

        Sensors report out of step, and a finished trace is sorted: sorting here makes both give the same verdict.
        """
        ordered = sorted(self.events, key=attrgetter("t"))
        barriers = (event.t for event in reversed(ordered) if isinstance(event, State) and event.name == BARRIER)
        until = next(barriers, math.inf)
        kept = ordered[: bisect_right(ordered, until, key=attrgetter("t"))]
        return replace(self, events=tuple(_up_to(event, until) if isinstance(event, Mass) else event for event in kept))

    def missing(self) -> tuple[str, ...]:
        """What had not reported when the last barrier was set, in words."""
        states = [event for event in self.events if isinstance(event, State)]
        barriers = [event.t for event in states if event.name == BARRIER]
        before = barriers[-2] if len(barriers) > 1 else -math.inf  # of a closing before a restart: long settled
        named = (event.name for event in states if event.t > before and event.name.startswith(MISSING))
        return tuple(name.removeprefix(MISSING) for name in named)


def _up_to(mass: Mass, t: float) -> Mass:
    if mass.t + len(mass.g) / mass.hz < t:  # nearly always
        return mass
    return replace(mass, g=mass.g[: math.floor((t - mass.t) * mass.hz + 1e-6) + 1])
