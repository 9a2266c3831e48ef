"""A technician's visit weighed: what each zone gained or lost between the unlock and the end of the trace.

Knows no products.  A zone that was ill, or whose recording is torn, is told as such and not to be trusted.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from cabinet.basket.evidence import SCALE, Bolt, Door, Health, Mass, Visit
from cabinet.basket.lessons import unwell
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.steps import weigh
from cabinet.units import ZoneId


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """What one zone weighed more (or, negative, less) after the visit than before."""

    zone: ZoneId
    net_g: float
    sd_g: float
    steps: tuple[tuple[float, float], ...] = ()  # grams, and their sd
    trouble: str = ""  # why the net is not to be trusted


def weighed(visit: Visit, policy: TallyPolicy) -> tuple[ZoneChange, ...]:
    """Every zone over the visit; the whole trace is read, a technician's visit has no barrier."""
    masses: dict[ZoneId, list[Mass]] = {}
    for event in visit.events:
        if isinstance(event, Mass):
            masses.setdefault(event.zone, []).append(event)
    opened = [e.t for e in visit.events if isinstance(e, Door) and e.open]
    closed = [e.t for e in visit.events if isinstance(e, Door) and not e.open]
    released = [e.t for e in visit.events if isinstance(e, Bolt) and not e.locked]
    ended_t = max((m.t + len(m.g) / m.hz for zone in masses.values() for m in zone), default=0.0)
    opened_t = opened[0] if opened else max(0.0, released[0] if released else 0.0)
    times = {
        "released_t": min([*released, opened_t]), "opened_t": opened_t,
        "closed_t": closed[-1] if closed else opened_t, "ended_t": ended_t,
    }  # fmt: skip  # a row
    drift_sd_g = policy.drift_wide_sd_g * math.sqrt(max(1.0, (ended_t - opened_t) / 60))
    ill = unwell(visit) | _ill_at_the_end(visit)
    found = []
    for zone, about in sorted(visit.header.zones.items()):
        w = weigh(zone, about, masses.get(zone, []), policy, **times)
        trouble = w.trouble or ("was not well" if zone in ill else "the recording is torn" if visit.incomplete else "")
        steps = tuple(
            (round(b.first_g - a.last_g, 2), round(math.hypot(a.sd_g, b.sd_g), 2)) for a, b in pairwise(w.levels)
        )
        found.append(ZoneChange(zone, round(w.net_g, 2), round(math.hypot(w.net_sd_g, drift_sd_g), 2), steps, trouble))
    return tuple(found)


def _ill_at_the_end(visit: Visit) -> set[ZoneId]:
    last = {e.part: e.ok for e in visit.events if isinstance(e, Health) and e.part.startswith(SCALE)}
    return {ZoneId(part.removeprefix(SCALE)) for part, ok in last.items() if not ok}
