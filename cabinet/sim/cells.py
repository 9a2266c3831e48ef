"""What load cells make of what lies and presses on them: grams in, the samples of a visit's trace out.

Every imperfection is a parameter with its unit, its source, and 0 for off.  (D) data sheet or field report in the
project's list of known facts, (C) computed from one, (M) measured on the bench or in recorded visits, (J) judgement.
Deterministic: the same history and generator give the same samples.  Knows no products and no doors.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cabinet.units import ZoneId

Grams = NDArray[np.float64]
Flaw = Literal["dead", "stuck", "saturated", "slipping", "spiking", "swapped"]
FLAWS: tuple[Flaw, ...] = ("dead", "stuck", "saturated", "slipping", "spiking", "swapped")
ODD_ONE = 4  # every fourth sample of a slipping or spiking cell goes wrong, as in the emulated board
USUAL_HAND_G = 60.0  # what a `Load`'s own grams are said for
SPIKE_G = 1500.0  # how far a spike lies off (M: 150,000 counts at 100 counts a gram)


@dataclass(frozen=True, slots=True)
class Physics:
    """How the cells of a cabinet are.  Grams and seconds; 0 switches an effect off."""

    noise_g: float = 1.0  # sd of a sample at 80 Hz: 0.42 from the converter (C), the rest mounting (M)
    quantum_g: float = 1.0  # resolution of what the board sends (M)
    drift_g: float = 1.5  # sd of a slow linear change over a minute: 0.1 % of full scale over minutes (J)
    creep: float = 0.0008  # share of a load's change that follows late: cheap bar cells (J: 0.1 % of full scale)
    creep_s: float = 30.0  # with this time constant
    cross_talk: float = 0.002  # share of a load's change that each neighbouring zone feels through the frame (J)
    hand_g: float = (
        USUAL_HAND_G  # the wrist rests on the tray's edge before and after a take (M, as the emulated board)
    )
    ring: float = 0.05  # share of a load's change that the tray swings with (M: 5 %)
    ring_hz: float = 7.0  # tray and load on their cells (M: 6 to 8)
    ring_s: float = 0.12  # decay of that
    slam_g: float = 40.0  # amplitude of every tray after a slam; a gentle closing has a quarter (M: 20 to 60)
    slam_s: float = 0.3  # decay of that
    compressor_g: float = 0.6  # amplitude while the compressor runs (D: fridges ± 5 g unfiltered, freezers 5 to 15)
    compressor_hz: float = 24.7  # 1480 rpm, below half the sample rate (D: four-pole motor on 50 Hz)
    spikes_per_hour: float = 2.0  # "24 h of HX711 show occasional nonsense without pattern" (D; rate J)
    slips_per_hour: float = 1.0  # bit slips, likewise
    flagged: float = 0.9  # share of spikes and slips that the board recognises and marks bad (M on the firmware)
    capacity_g: float = 20_000.0  # beyond it the converter saturates

    def scaled(self, factor: float) -> "Physics":
        """The same cells, every disturbance `factor` times as strong, to see how robust a figure is."""
        names = (
            "noise_g", "drift_g", "creep", "cross_talk", "hand_g", "ring", "slam_g", "compressor_g",
            "spikes_per_hour", "slips_per_hour",
        )  # fmt: skip
        return replace(self, **{name: getattr(self, name) * factor for name in names})


QUIET = Physics(
    noise_g=0, quantum_g=0, drift_g=0, creep=0, cross_talk=0, hand_g=0, ring=0, slam_g=0, compressor_g=0,
    spikes_per_hour=0, slips_per_hour=0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """A change that stays, moved over a while by a hand that presses `hand_g` at most."""

    t0: float
    t1: float
    delta_g: float
    hand_g: float = 0.0


@dataclass(frozen=True, slots=True)
class Press:
    """Weight that comes and goes: a hand, an elbow, a bag."""

    t0: float
    t1: float
    grams: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell is broken from `t0` until `t1` (infinity: to the end)."""

    t0: float
    t1: float
    flaw: Flaw


@dataclass
class History:
    """Everything that bore on one zone, and what lay there at the beginning."""

    base_g: float = 0.0
    loads: list[Load] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def settled_g(self, t: float) -> float:
        """What lies there once every movement up to t has ended."""
        return self.base_g + sum(load.delta_g for load in self.loads if load.t0 <= t)


@dataclass
class Cells:
    """All zones of one cabinet; neighbours in `zones` are neighbours on the frame."""

    zones: Sequence[ZoneId]
    physics: Physics
    rate_hz: float = 80.0
    histories: dict[ZoneId, History] = field(default_factory=dict)
    slams: list[tuple[float, float]] = field(default_factory=list)  # when, and its share of slam_g
    compressor: list[tuple[float, float]] = field(default_factory=list)  # from, until
    _last: dict[ZoneId, float] = field(default_factory=dict)  # of the stretch drawn before: a stuck cell keeps it

    def __post_init__(self) -> None:
        self.histories = {zone: History() for zone in self.zones}

    def sample(self, t0: float, t1: float, dice: np.random.Generator) -> dict[ZoneId, Grams]:
        """Samples of every zone from t0 to t1 (excluded), `rate_hz` a second; NaN is one that the board flags bad."""
        count = max(0, round((t1 - t0) * self.rate_hz))
        t = t0 + np.arange(count) / self.rate_hz
        clean = {zone: self._laid(zone, t) for zone in self.zones}
        felt = self._mixed(clean)
        swing = self._swing(t, dice)
        noise = dice.standard_normal((len(self.zones), count)) * self.physics.noise_g
        return {zone: self._spoilt(zone, t, felt[n] + swing[n] + noise[n], dice) for n, zone in enumerate(self.zones)}

    # How.

    def _laid(self, zone: ZoneId, t: Grams) -> tuple[Grams, Grams, float]:
        """What lies on the zone and the hands' pressure on it, sample by sample; and what lay there first."""
        history = self.histories[zone]
        laid = np.full(len(t), history.base_g)
        pressed = np.zeros(len(t))
        for load in history.loads:
            self._add_load(load, t, laid, pressed)
        for press in history.presses:
            i, j = self._span(t, press.t0, press.t1)
            if j > i:
                rise = np.minimum(1.0, np.minimum(t[i:j] - press.t0, press.t1 - t[i:j]) / 0.2)
                tremble = 1 + 0.08 * np.sin(9 * t[i:j]) * np.sin(4 * t[i:j])
                pressed[i:j] += press.grams * np.clip(rise, 0, 1) * tremble
        return laid, pressed, history.base_g

    def _add_load(self, load: Load, t: Grams, laid: Grams, pressed: Grams) -> None:
        p = self.physics
        i, j = self._span(t, load.t0, load.t1)
        laid[j:] += load.delta_g
        if j > i:
            laid[i:j] += load.delta_g * (t[i:j] - load.t0) / (load.t1 - load.t0)
        if load.hand_g and p.hand_g:  # before the grip, through the move, and a moment after
            a, b = self._span(t, load.t0 - 0.15, load.t1 + 0.15)
            if b > a:
                share = (t[a:b] - load.t0 + 0.15) / (load.t1 - load.t0 + 0.3)
                pressed[a:b] += load.hand_g * (p.hand_g / USUAL_HAND_G) * np.sin(np.pi * share)
        after = t[j:] - load.t1
        if p.ring and len(after):
            k = min(len(after), int(8 * p.ring_s * self.rate_hz))
            laid[j : j + k] -= (
                p.ring * load.delta_g * np.exp(-after[:k] / p.ring_s) * np.cos(2 * np.pi * p.ring_hz * after[:k])
            )
        if p.creep and len(after):
            laid[j:] += p.creep * load.delta_g * (1 - np.exp(-after / p.creep_s))

    def _span(self, t: Grams, t0: float, t1: float) -> tuple[int, int]:
        if not len(t):
            return 0, 0
        first, last, hz = float(t[0]), float(t[-1]) + 1.0, self.rate_hz
        i, j = (math.ceil((min(max(x, first), last) - first) * hz - 1e-9) for x in (t0, t1))
        return min(i, len(t)), min(j, len(t))

    def _mixed(self, clean: Mapping[ZoneId, tuple[Grams, Grams, float]]) -> list[Grams]:
        """With what comes through the frame from the neighbours."""
        parts = [clean[zone] for zone in self.zones]
        changes = [laid - base + pressed for laid, pressed, base in parts]
        found = []
        for n, (laid, pressed, _) in enumerate(parts):
            near = [changes[m] for m in (n - 1, n + 1) if 0 <= m < len(parts)]
            felt = laid + pressed
            found.append(felt + self.physics.cross_talk * sum(near) if near and self.physics.cross_talk else felt)
        return found

    def _swing(self, t: Grams, dice: np.random.Generator) -> Grams:
        """Drift of each zone, and what shakes all trays at once."""
        p, n = self.physics, len(self.zones)
        rate = dice.standard_normal(n) * p.drift_g / 60
        phases = dice.uniform(0, 2 * np.pi, n)
        swing = np.outer(rate, t - (t[0] if len(t) else 0.0))
        for at, share in self.slams:
            i, _ = self._span(t, at, at)
            k = min(len(t) - i, int(10 * p.slam_s * self.rate_hz))
            if p.slam_g and k > 0:
                after = t[i : i + k] - at
                shape = p.slam_g * share * np.exp(-after / p.slam_s)
                swing[:, i : i + k] += shape * np.sin(2 * np.pi * p.ring_hz * after + phases[:, None])
        for from_t, until_t in self.compressor:
            i, j = self._span(t, from_t, until_t)
            if p.compressor_g and j > i:
                swing[:, i:j] += p.compressor_g * np.sin(2 * np.pi * p.compressor_hz * t[i:j] + phases[:, None])
        return swing

    def _spoilt(self, zone: ZoneId, t: Grams, g: Grams, dice: np.random.Generator) -> Grams:
        """What converter and wires do to it: rounding, spikes, slips, a broken cell."""
        p = self.physics
        per_sample = (p.spikes_per_hour + p.slips_per_hour) / 3600 / self.rate_hz
        for i in np.flatnonzero(dice.random(len(g)) < per_sample) if per_sample else ():
            g[i] = np.nan if dice.random() < p.flagged else g[i] + SPIKE_G * dice.choice((-1.0, 1.0))
        for broken in self.histories[zone].broken:
            self._break(zone, broken, t, g)
        g[(g > p.capacity_g) | (g < -0.05 * p.capacity_g)] = np.nan  # saturated: the board flags it
        if len(g) and not np.isnan(g[-1]):
            self._last[zone] = float(g[-1])
        return np.round(g / p.quantum_g) * p.quantum_g if p.quantum_g else g

    def _break(self, zone: ZoneId, broken: Broken, t: Grams, g: Grams) -> None:
        i, j = self._span(t, broken.t0, min(broken.t1, t[-1] + 1.0) if len(t) else broken.t0)
        if j <= i:
            return
        odd = slice(i + ODD_ONE - 1, j, ODD_ONE)
        match broken.flaw:
            case "dead" | "saturated":
                g[i:j] = np.nan
            case "stuck":
                g[i:j] = g[i - 1] if i else self._last.get(zone, g[i])
            case "slipping":
                g[odd] = np.nan  # the board sees one pulse too many
            case "spiking":
                g[odd] = np.where(np.arange(len(g[odd])) % 10 == 0, g[odd] - SPIKE_G, np.nan)
            case "swapped":
                g[i:j] = -g[i:j]
