"""Every disturbance as a figure, with where it comes from.  `scaled` multiplies those that are noise."""

from dataclasses import dataclass, fields, replace

HZ = 80  # samples a second: the examples
BATCH = 20  # samples a line: the examples
BEFORE_S = 2.5  # baseline: the examples
AFTER_S = 3.0  # after the door shut: the examples (the format asks for 2)

UNSCALED = {"fan_hz", "slam_hz", "slam_tau_s", "ring_hz", "ring_tau_s", "press_share", "lag_s"}


@dataclass(frozen=True, slots=True)
class Knobs:
    rest_low_g: float = 0.65  # quietest zone of the examples, before rounding
    rest_high_g: float = 1.4  # loudest zone of the examples
    fan_g: float = 2.0  # spectrum of the examples
    fan_hz: float = 23.6  # spectrum of the examples
    wander_g: float = 0.05  # random walk, standard deviation after 1 s: examples wander < 0.5 g in 10 s
    press_low_g: float = 20.0  # examples 25 to 65 g
    press_high_g: float = 90.0  # a firmer hand than any in the examples
    press_share: float = 0.5  # examples 3 of 8
    ring_low: float = 0.015  # share of the step; examples 2 to 5 %
    ring_high: float = 0.05
    ring_hz: float = 9.5  # examples
    ring_tau_s: float = 0.11  # examples
    neighbour: float = 0.0033  # share of a step seen in every other zone: examples
    slam_low_g: float = 25.0  # examples 48 to 52 g; a soft closing
    slam_high_g: float = 110.0  # a door thrown shut
    slam_hz: float = 7.0  # examples
    slam_tau_s: float = 0.28  # examples
    hum_g: float = 0.0  # compressor or truck, 5 to 15 g where a story asks: CHAI's freezer
    drift_g: float = 0.0  # over the visit, 20 g where a story asks: cold creep, 0.1 % of full scale
    lag_s: float = 0.0  # cameras' clock behind the cells'

    def scaled(self, factor: float) -> "Knobs":
        return replace(self, **{f.name: getattr(self, f.name) * factor for f in fields(self) if f.name not in UNSCALED})
