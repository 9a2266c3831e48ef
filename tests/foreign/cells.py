"""What the cells of each zone read: the story's moves and pushes, and everything that is not goods."""

import numpy as np
from numpy.typing import NDArray

from tests.foreign.knobs import AFTER_S, BEFORE_S, HZ, Knobs
from tests.foreign.play import Move, Play, Push
from tests.foreign.shop import ZONES, Rng

Signal = NDArray[np.float64]


def readings(play: Play, rest_g: dict[str, float]) -> tuple[Signal, dict[str, Signal]]:
    """Sample times and, per zone, grams before rounding."""
    t = np.arange(int(np.ceil((BEFORE_S + play.closed_s + AFTER_S) * HZ))) / HZ - BEFORE_S
    rng, knobs = play.rng, play.knobs
    shaken = _slams(t, play, knobs)
    steps = {zone: np.zeros(len(t)) for zone in ZONES}
    for move in play.moves:
        shape = _transfer(t, move, rng)
        for zone in ZONES:
            steps[zone] += move.delta_g * shape * (1.0 if zone == move.zone else knobs.neighbour)
        steps[move.zone] += _ringing(t, move, knobs, rng)
    for push in play.pushes:
        steps[push.zone] += _push(t, push, rng)
    left = {zone: sum(u.mass_g for u in play.shop.units[zone]) for zone in ZONES}
    made = {}
    for zone in ZONES:
        went = sum(m.delta_g for m in play.moves if m.zone == zone)
        base = left[zone] - went + rng.normal(850.0, 15.0)
        noise = rng.normal(0.0, rest_g[zone], len(t)) + _fan(t, knobs, rng) + _wander(t, knobs, rng)
        made[zone] = base + steps[zone] + shaken + noise + _hum(t, knobs, rng)
        made[zone] += knobs.drift_g * rng.uniform(0.6, 1.0) * (1 - np.exp(-(t + BEFORE_S) / (t[-1] / 1.5))) / 0.78
    return t, made


def _transfer(t: Signal, move: Move, rng: Rng) -> Signal:
    """0 to 1: uneven, as a hand lifts."""
    knots = np.sort(rng.uniform(0.1, 0.9, 2))
    heights = np.sort(rng.uniform(0.05, 0.95, 2))
    begin = move.at_s - move.over_s / 2
    return np.interp(t, begin + move.over_s * np.array([0.0, *knots, 1.0]), [0.0, *heights, 1.0])


def _ringing(t: Signal, move: Move, knobs: Knobs, rng: Rng) -> Signal:
    """The plate swings once the load has left it; a slow hand leaves it still."""
    since = t - (move.at_s + move.over_s / 2)
    size = move.delta_g * rng.uniform(knobs.ring_low, knobs.ring_high) * min(1.0, 0.3 / max(move.over_s, 0.05))
    hz = knobs.ring_hz * rng.uniform(0.85, 1.15)
    return np.where(
        since > 0, size * np.sin(2 * np.pi * hz * since) * np.exp(-np.maximum(since, 0) / knobs.ring_tau_s), 0
    )


def _push(t: Signal, push: Push, rng: Rng) -> Signal:
    """A hand that presses: up, trembling, and off."""
    x = np.clip((t - push.at_s) / push.over_s, 0.0, 1.0)
    rise = min(0.5, 0.12 / push.over_s)
    shape = np.minimum(1.0, np.minimum(x, 1.0 - x) / rise)
    tremble = np.convolve(rng.normal(0.0, 0.5, len(t)), np.ones(6) / 6, mode="same")
    return np.where(shape > 0, push.force_g * shape * (1.0 + tremble), 0.0)


def _slams(t: Signal, play: Play, knobs: Knobs) -> Signal:
    shaken = np.zeros(len(t))
    for at_s, opens in play.doors:
        if not opens:
            hard = play.marks.get("slam_g") or play.rng.uniform(knobs.slam_low_g, knobs.slam_high_g)
            since = np.maximum(t - at_s, 0.0)
            shaken += hard * np.sin(2 * np.pi * knobs.slam_hz * since) * np.exp(-since / knobs.slam_tau_s)
    return shaken


def _fan(t: Signal, knobs: Knobs, rng: Rng) -> Signal:
    begin = rng.uniform(-8.0, t[-1] + 4.0)
    on = (t > begin) & (t < begin + rng.uniform(5.0, 10.0))
    return np.where(on, knobs.fan_g * np.sin(2 * np.pi * knobs.fan_hz * t + rng.uniform(0, 6.28)), 0.0)


def _wander(t: Signal, knobs: Knobs, rng: Rng) -> Signal:
    return np.cumsum(rng.normal(0.0, knobs.wander_g / np.sqrt(HZ), len(t)))


def _hum(t: Signal, knobs: Knobs, rng: Rng) -> Signal:
    """A compressor's note, or a truck's rumble swelling and passing."""
    if knobs.hum_g == 0.0:
        return np.zeros(len(t))
    hz = rng.uniform(4.0, 28.0)
    middle, width = rng.uniform(0.0, t[-1]), rng.uniform(1.5, 10.0)
    swell = np.exp(-(((t - middle) / width) ** 2))
    rumble = np.convolve(rng.normal(0.0, 1.6, len(t)), np.ones(3) / 3, mode="same")
    hummed: Signal = knobs.hum_g * swell * (np.sin(2 * np.pi * hz * t) + rumble) / 1.4
    return hummed
