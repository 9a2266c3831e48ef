"""What the frame carries from one zone's load to the others' cells, taken out of every zone's levels.

A rack bends: 0.2 to 0.4 % of what leaves a shelf shows on the others (measured on recorded visits).  How much in this
cabinet is worked out from what zones felt while nobody touched them (ridge regression; Hoerl and Kennard 1970).
Refuses nothing; knows no products.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cabinet.basket.policy import TallyPolicy
from cabinet.basket.steps import Level, Weighing


def decoupled(weighings: Sequence[Weighing], policy: TallyPolicy) -> list[Weighing]:
    """The zones' levels, nets and rests without what came through the frame; a single zone stays as it is."""
    share = coupling(weighings, policy)
    if len(weighings) < 2 or not any(len(w.levels) > 1 for w in weighings):
        return list(weighings)
    return [_without(w, [o for o in weighings if o is not w], share) for w in weighings]


def coupling(weighings: Sequence[Weighing], policy: TallyPolicy) -> float:
    """Share of a load's change that shows in another zone: posterior mean over all stretches in which a zone rested
    while others were loaded, and over its small steps at such times.
    """
    weight = 1 / policy.coupling_sd**2
    total = policy.coupling * weight
    for w in weighings:
        others = [o for o in weighings if o is not w]
        for felt_g, t0, t1 in _quiet(w):
            carried_g = sum(_moved_g(o.levels, t1) - _moved_g(o.levels, t0) for o in others)
            if abs(felt_g) <= policy.untouched * abs(carried_g):
                total += felt_g * carried_g / policy.quiet_sd_g**2
                weight += carried_g**2 / policy.quiet_sd_g**2
    return total / weight


def _quiet(weighing: Weighing) -> Iterator[tuple[float, float, float]]:
    """By how much the zone's mass changed, from when until when: inside each level, and over each step."""
    for level in weighing.levels:
        yield level.last_g - level.first_g, level.t0, level.t1
    for a, b in itertools.pairwise(weighing.levels):
        yield b.first_g - a.last_g, a.t1, b.t0


def _without(weighing: Weighing, others: Sequence[Weighing], share: float) -> Weighing:
    def carried_g(t: float) -> float:
        return share * sum(_moved_g(other.levels, t) for other in others)

    levels = tuple(
        level._replace(first_g=level.first_g - carried_g(level.t0), last_g=level.last_g - carried_g(level.t1))
        for level in weighing.levels
    )
    net_g = weighing.net_g - share * sum(other.net_g for other in others)
    steps_g = sum(b.first_g - a.last_g for a, b in itertools.pairwise(levels))
    return replace(weighing, levels=levels, net_g=net_g, rest_g=net_g - steps_g)


def _moved_g(levels: Sequence[Level], t: float) -> float:
    """How much lay on the zone at t more than at the beginning; while it moves, a straight line."""
    if not levels:
        return 0.0
    before = levels[0]
    for level in levels:
        if t < level.t0:
            if t <= before.t1:
                break
            share = (t - before.t1) / (level.t0 - before.t1)
            return before.last_g + share * (level.first_g - before.last_g) - levels[0].first_g
        before = level
    span_s = before.t1 - before.t0
    along = min(1.0, max(0.0, (t - before.t0) / span_s)) if span_s > 0 else 1.0
    return before.first_g + along * (before.last_g - before.first_g) - levels[0].first_g
