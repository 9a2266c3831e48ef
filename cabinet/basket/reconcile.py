"""The most probable explanation of all zones together, and how probable it is.

Stories are followed through the changes of all zones in the order of time, so that what comes to a zone can have
been taken before.  Steps and the rest add up to each zone's net mass: no gram is left out.  The search is exact up
to `TallyPolicy.beam` stories after each change; what the beam drops is counted and lowers the confidence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

from cabinet.basket.evidence import Header, Sighting
from cabinet.basket.explain import Cart, Case, Change, Explainer, Explanation
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.sight import Compared, by_zone
from cabinet.basket.steps import Weighing
from cabinet.units import Sku, ZoneId

Counts = tuple[tuple[tuple[ZoneId, Sku], int], ...]  # sorted, zeros left out; + left the zone, - came to it
Place = tuple[int, float]  # the level a zone was last understood at; what drifted in levels passed over
SKIPS = 6  # levels in a row that may be a hand's


class Said(NamedTuple):
    zone: ZoneId
    level: int  # the step that led to this level; 0: the rest
    units: Mapping[Sku, int]


class _Story(NamedTuple):
    weight: float  # log
    places: tuple[Place, ...]
    counts: Counts = ()
    flags: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """All stories that end in the same bill: `bill` per SKU (negative: put back more than taken)."""

    bill: Mapping[Sku, int]
    flags: tuple[str, ...]
    posterior: float
    moves: Mapping[ZoneId, Mapping[Sku, int]]  # of the best of these stories
    said: tuple[Said, ...]


def reconcile(
    header: Header,
    weighings: Sequence[Weighing],
    looks: Mapping[ZoneId, Mapping[int, tuple[Sighting, ...]]],
    explainer: Explainer,
    compared: Compared,
    policy: TallyPolicy,
) -> tuple[Outcome, ...]:
    """Outcomes, most probable first; their posteriors sum to at most one (less what the beam dropped)."""
    search = _Search(header, weighings, looks, explainer, policy)
    changes = sorted((w.levels[j].t0, z, j) for z, w in enumerate(weighings) for j in range(1, len(w.levels)))
    stories = [_Story(0.0, tuple((0, 0.0) for _ in weighings))]
    kept = 1.0
    for _, z, j in changes:
        stories, share = _pruned(search.through(stories, z, j), policy)
        kept *= share
    for z in range(len(weighings)):
        told = search.rest(stories, z)
        stories, share = _pruned((_compared(story, weighings[z].zone, compared) for story in told), policy)
        kept *= share
    return _outcomes(stories, kept)


class _Search:
    def __init__(
        self,
        header: Header,
        weighings: Sequence[Weighing],
        looks: Mapping[ZoneId, Mapping[int, tuple[Sighting, ...]]],
        explainer: Explainer,
        policy: TallyPolicy,
    ) -> None:
        self._weighings, self._looks, self._explainer, self._policy = weighings, looks, explainer, policy
        self._names = {sku: product.name for sku, product in header.catalog.items()}
        self._stock = {(z, s): n for z, held in header.stock.items() for s, n in held.items()}
        self._total: dict[Sku, int] = {}
        for (_, sku), n in self._stock.items():
            self._total[sku] = self._total.get(sku, 0) + n

    def through(self, stories: Iterable[_Story], z: int, j: int) -> Iterable[_Story]:
        """Every story, with every explanation of zone z reaching level j, or with j passed over as pressure."""
        weighing = self._weighings[z]
        last = len(weighing.levels) - 1
        level = weighing.levels[j]
        cases: dict[int, Case] = {}
        for story in stories:
            a, drifted = story.places[z]
            if a not in cases:
                cases[a] = self._explainer.case(self._change(weighing, a, j))
            for explanation in self._explainer.explain(cases[a], _cart(story.counts, weighing.zone)):
                yield self._told(story, weighing.zone, j, explanation, _put(story.places, z, (j, drifted)))
            if j < last and j - a <= SKIPS:
                place = (a, drifted + level.last_g - level.first_g)
                weight = story.weight + log(self._policy.pressure)
                yield _Story(weight, _put(story.places, z, place), story.counts, story.flags, story.said)

    def rest(self, stories: Iterable[_Story], z: int) -> Iterable[_Story]:
        """What the zone's net has beyond the steps of the story."""
        weighing = self._weighings[z]
        looks = self._looks.get(weighing.zone, {}).get(-1, ())
        cases: dict[float, Case] = {}
        for story in stories:
            rest_g = weighing.rest_g - story.places[z][1]
            if rest_g not in cases:
                cases[rest_g] = self._explainer.case(Change(weighing.zone, rest_g, 1.0, looks, rest=True))
            for explanation in self._explainer.explain(cases[rest_g], _cart(story.counts, weighing.zone)):
                yield self._told(story, weighing.zone, 0, explanation, _put(story.places, z, (0, 0.0)))

    def _change(self, weighing: Weighing, a: int, j: int) -> Change:
        one, other = weighing.levels[a], weighing.levels[j]
        seen = self._looks.get(weighing.zone, {})
        looks = tuple(look for i in range(a + 1, j + 1) for look in seen.get(i, ()))
        sd = (one.sd_g**2 + other.sd_g**2) ** 0.5
        return Change(weighing.zone, other.first_g - one.last_g, sd, looks, pressed=j - a > 1)

    def _told(self, story: _Story, zone: ZoneId, j: int, e: Explanation, places: tuple[Place, ...]) -> _Story:
        weight, flags = story.weight + e.weight, story.flags
        if e.flag:
            return _Story(weight, places, story.counts, tuple(sorted({*flags, e.flag})), story.said)
        if not e.units:
            return _Story(weight, places, story.counts, flags, story.said)
        counts = dict(story.counts)
        for sku, n in e.units:
            key = (zone, sku)
            counts[key] = counts.get(key, 0) + n
            if e.misplaced and counts[key] <= 0:  # it came here in this very visit: nothing odd about it
                weight -= log(self._policy.misplaced)
            beyond = self._beyond_stock(counts, key, misplaced=e.misplaced) if n > 0 else ""
            if beyond and beyond not in flags:
                weight += log(self._policy.overstock)
                flags = tuple(sorted((*flags, beyond)))
        tidy = tuple(sorted((key, n) for key, n in counts.items() if n))
        return _Story(weight, places, tidy, flags, (*story.said, Said(zone, j, dict(e.units))))

    def _beyond_stock(
        self, counts: Mapping[tuple[ZoneId, Sku], int], key: tuple[ZoneId, Sku], *, misplaced: bool
    ) -> str:
        """Words for a person where more of the product would be gone than the ledger knew of."""
        zone, sku = key
        total = sum(n for (_, s), n in counts.items() if s == sku)
        if total > self._total.get(sku, 0) or (counts[key] > self._stock.get(key, 0) and not misplaced):
            return f"{zone}: more of {self._names[sku]} is gone than the ledger knew of"
        return ""


def _compared(story: _Story, zone: ZoneId, compared: Compared) -> _Story:
    """The story weighed against the pictures of before and after, which know what left but not when."""
    if not compared.sees(zone):
        return story
    units = tuple((sku, n) for (where, sku), n in story.counts if where == zone)
    return story._replace(weight=story.weight + compared.log_ratio(zone, units))


def _put(places: tuple[Place, ...], z: int, place: Place) -> tuple[Place, ...]:
    return (*places[:z], place, *places[z + 1 :])


def _cart(counts: Counts, zone: ZoneId) -> Cart:
    if not counts:
        return ()
    held: dict[Sku, list[int]] = {}
    for (where, sku), n in counts:
        entry = held.setdefault(sku, [0, 0])
        entry[0] += n
        entry[1] += n if where == zone else 0
    return tuple((sku, n, here) for sku, (n, here) in sorted(held.items()) if n > 0)


def _pruned(stories: Iterable[_Story], policy: TallyPolicy) -> tuple[list[_Story], float]:
    """Stories that came to the same point joined (the better one told), the best kept, and the share kept."""
    joined: dict[tuple[Counts, tuple[Place, ...], tuple[str, ...]], tuple[_Story, list[float]]] = {}
    for story in stories:
        key = (story.counts, story.places, story.flags)
        if key not in joined:
            joined[key] = (story, [story.weight])
            continue
        best, weights = joined[key]
        weights.append(story.weight)
        if story.weight > best.weight:
            joined[key] = (story, weights)
    summed = [(_log_sum(weights), story) for story, weights in joined.values()]
    summed.sort(key=lambda pair: (-pair[0], pair[1].counts, pair[1].flags, pair[1].places))
    top = summed[0][0]
    kept = [(w, s) for w, s in summed[: policy.beam] if w > top - policy.nats]
    shares = [exp(w - top) for w, _ in summed]
    return [s._replace(weight=w) for w, s in kept], sum(shares[: len(kept)]) / sum(shares)


def _log_sum(weights: Sequence[float]) -> float:
    if len(weights) == 1:
        return weights[0]
    top = max(weights)
    return top + log(sum(exp(w - top) for w in weights))


def _outcomes(stories: Sequence[_Story], kept: float) -> tuple[Outcome, ...]:
    groups: dict[tuple[tuple[tuple[Sku, int], ...], tuple[str, ...]], list[_Story]] = {}
    for story in stories:
        bill: dict[Sku, int] = {}
        for (_, sku), n in story.counts:
            bill[sku] = bill.get(sku, 0) + n
        key = (tuple(sorted((s, n) for s, n in bill.items() if n)), story.flags)
        groups.setdefault(key, []).append(story)
    top = max(story.weight for story in stories)
    total = sum(exp(story.weight - top) for story in stories)
    found = []
    for (bill_, flags), told in groups.items():
        best = max(told, key=lambda s: s.weight)
        share = kept * sum(exp(s.weight - top) for s in told) / total
        found.append(Outcome(dict(bill_), flags, share, by_zone(dict(best.counts)), best.said))
    return tuple(sorted(found, key=lambda o: (-o.posterior, sorted(o.bill.items()), o.flags)))
