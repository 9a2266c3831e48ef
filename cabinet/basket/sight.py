"""How probable what the cameras saw is, if these units crossed the zone's edge.

A likelihood ratio against looks with nothing behind them.  Knows neither mass nor money.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log

from cabinet.basket.evidence import Door, Header, Health, Sighting, Visit
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.steps import Level, Weighing
from cabinet.units import CameraId, Sku, ZoneId

Units = tuple[tuple[Sku, int], ...]  # (sku, n): n > 0 left the zone, n < 0 came to it
FOREIGN = Sku("")  # a thing that the catalogue does not know
LISTED = 4  # scores from which one may tell how the tail behind them goes on
MOST = 6  # units and looks considered in one change of one camera; the rest count as missed


def across(visit: Visit) -> tuple[Sighting, ...]:
    """Looks that compare before the opening with after a closing; of each camera the last comparison only."""
    doors = [e for e in visit.events if isinstance(e, Door)]
    opened, closed = [e.t for e in doors if e.open], [e.t for e in doors if not e.open]
    if not opened or not closed:
        return ()
    spanning = [e for e in visit.events if isinstance(e, Sighting) and e.t0 <= opened[0] and e.t1 >= closed[0]]
    last = {camera: max(e.t1 for e in spanning if e.camera == camera) for camera in {e.camera for e in spanning}}
    return tuple(e for e in spanning if e.t1 == last[e.camera])


def watching(visit: Visit, looks: Iterable[Sighting]) -> dict[ZoneId, tuple[CameraId, ...]]:
    """Cameras that see each zone and showed that they work: not reported broken, and told a direction."""
    saw = {look.camera for look in looks if look.action != "unknown"}
    broken = {e.part.removeprefix("camera:") for e in visit.events if isinstance(e, Health) and not e.ok}
    well = [(name, camera.sees) for name, camera in sorted(visit.header.cameras.items()) if name in saw - broken]
    return {zone: tuple(name for name, sees in well if zone in sees) for zone in visit.header.zones}


def attach(weighing: Weighing, sightings: Sequence[Sighting], policy: TallyPolicy) -> dict[int, tuple[Sighting, ...]]:
    """Each look at the step (by index of the level it led to) nearest in time; -1: at none."""
    found: dict[int, list[Sighting]] = {}
    for sighting in sightings:
        if sighting.zone != weighing.zone:
            continue
        best = min(
            (
                (*_distance(sighting, a, b), i)
                for i, (a, b) in enumerate(zip(weighing.levels, weighing.levels[1:], strict=False), 1)
            ),
            default=(policy.lag_s + 1, 0.0, -1),
        )
        found.setdefault(best[2] if best[0] <= policy.lag_s else -1, []).append(sighting)
    return {i: tuple(s) for i, s in found.items()}


def _distance(sighting: Sighting, a: Level, b: Level) -> tuple[float, float]:
    """Seconds between the look and the step, half a second more where they disagree about the direction."""
    apart = max(a.t1 - sighting.t1, sighting.t0 - b.t0, 0.0)
    taken = b.first_g < a.last_g
    against = sighting.action == ("return" if taken else "take")
    return apart + 0.5 * against, abs(sighting.t1 - b.t0)


class Sight:
    """Reads looks, for units of the catalogue."""

    def __init__(self, header: Header, policy: TallyPolicy) -> None:
        self._skus = len(header.catalog)
        self._policy = policy

    def of(self, looks: Sequence[Sighting], cameras: Sequence[CameraId]) -> "Seen":
        """What these looks, and those that the cameras did not have, say of whatever units it may have been."""
        return Seen(looks, cameras, self._skus, self._policy)


class Seen:
    """Log likelihood ratio of the looks at one change, for any units."""

    def __init__(self, looks: Sequence[Sighting], cameras: Sequence[CameraId], skus: int, policy: TallyPolicy) -> None:
        self._skus, self._policy = skus, policy
        self._cameras: list[tuple[list[Sighting] | None, list[Sighting]]] = []  # looks that count; vague ones
        for camera in sorted({*cameras, *(look.camera for look in looks)}):
            mine = [look for look in looks if look.camera == camera]
            if camera in cameras:
                counts = [look for look in mine if look.action != "unknown"]
                self._cameras.append((counts[:MOST], [look for look in mine if look.action == "unknown"]))
            else:
                self._cameras.append((None, mine))
        self._looked = bool(looks)
        self._known: dict[Units | int, float] = {}

    def log_ratio(self, units: Units) -> float:
        """Sum over cameras of log P(looks | units) / P(looks | nothing but phantoms at rate one)."""
        key = units if self._looked else sum([abs(n) for _, n in units])  # unseen, one unit is like another
        if key not in self._known:
            singles = [(sku, 1 if n > 0 else -1) for sku, n in units for _ in range(abs(n))][:MOST]
            total = 0.0
            for counts, vague in self._cameras:
                if counts is not None:
                    total += log(self._matchings(counts, singles))
                total += self._vaguely(vague, singles)
            self._known[key] = total
        return self._known[key]

    def _vaguely(self, looks: Sequence[Sighting], units: Sequence[tuple[Sku, int]]) -> float:
        """Looks without a direction, or of an unwell camera: what moved, not how many.

        Many of one camera count as one: they repeat.
        """
        if not looks or not units:
            return 0.0
        vague = self._policy.vague
        fits = [sum(self._ratio(look, sku, way) for sku, way in units) / len(units) for look in looks]
        return sum(log(vague + (1 - vague) * fit) for fit in fits) / len(looks)

    def _matchings(self, looks: Sequence[Sighting], units: Sequence[tuple[Sku, int]]) -> float:
        """Every way to pair looks with units: pairs, phantom looks and missed units multiplied, then summed."""
        policy = self._policy
        if not looks:
            return (1 - policy.seen) ** len(units)
        ways = {0: 1.0}  # units already seen, as bits
        for look in looks:
            fit = [policy.seen / (1 - policy.seen) * self._ratio(look, sku, way) for sku, way in units]
            after: dict[int, float] = {}
            for used, weight in ways.items():
                after[used] = after.get(used, 0.0) + weight * policy.phantom
                for i, factor in enumerate(fit):
                    if not used >> i & 1:
                        after[used | 1 << i] = after.get(used | 1 << i, 0.0) + weight * factor
            ways = after
        return sum(ways.values()) * (1 - policy.seen) ** len(units)

    def _ratio(self, look: Sighting, sku: Sku, way: int) -> float:
        if sku == FOREIGN:
            ratio = self._policy.trust * self._foreign(look) / self._policy.usual_other + 1 - self._policy.trust
            return ratio * self._direction(look, way)
        score = look.scores.get(sku)
        if score is None:  # a recogniser may list only its best few: `other` holds the tail as well
            score = 0.5 * look.other / max(1, self._skus - len(look.scores))
        ratio = self._policy.trust * score * self._skus + 1 - self._policy.trust
        return ratio * self._direction(look, way)

    def _foreign(self, look: Sighting) -> float:
        """The share of `other` that is not the tail of a recogniser which lists only its best few."""
        tail = max(0, self._skus - len(look.scores))
        if not tail:
            return look.other
        if len(look.scores) < LISTED:
            return 0.5 * look.other
        return max(0.0, look.other - 0.5 * tail * min(look.scores.values()))  # the tail falls from the least to zero

    def _direction(self, look: Sighting, way: int) -> float:
        against = look.action == ("return" if way > 0 else "take")
        return self._policy.wrong_action if against else 1.0


class Compared:
    """Sight of whole visits: what the pictures of before and after say of each zone's net moves."""

    def __init__(self, sight: Sight, looks: Sequence[Sighting], cameras: Mapping[ZoneId, tuple[CameraId, ...]]) -> None:
        self._seen = {
            zone: sight.of([look for look in looks if look.zone == zone], cameras.get(zone, ()))
            for zone in {look.zone for look in looks}
        }

    def sees(self, zone: ZoneId) -> bool:
        return zone in self._seen

    def log_ratio(self, zone: ZoneId, units: Units) -> float:
        return self._seen[zone].log_ratio(units)


def by_zone(counts: Mapping[tuple[ZoneId, Sku], int]) -> dict[ZoneId, dict[Sku, int]]:
    found: dict[ZoneId, dict[Sku, int]] = {}
    for (zone, sku), n in sorted(counts.items()):
        found.setdefault(zone, {})[sku] = n
    return found
