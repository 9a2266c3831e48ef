"""Stories of a visit: how far each has come, which of them are worth following, and what bills they end in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

from cabinet.basket.candidates import Weighed
from cabinet.basket.explain import Cart
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.sight import FOREIGN, by_zone
from cabinet.units import Sku, ZoneId

Counts = tuple[tuple[tuple[ZoneId, Sku], int], ...]  # sorted, zeros left out; + left the zone, - came to it
Place = tuple[int, float]  # the level a zone was last understood at; what drifted in levels passed over


class Said(NamedTuple):
    zone: ZoneId
    level: int  # the step that led to this level; 0: the rest
    units: Mapping[Sku, int]


Held = tuple[tuple[Sku, Weighed], ...]  # pieces in the shopper's hands, in the order of SKU, as they were weighed


class Story(NamedTuple):
    weight: float  # log; of it the masses' and the cameras' part:
    mass: float
    sight: float
    places: tuple[Place, ...]
    counts: Counts = ()
    flags: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    held: Held = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """All stories that end in the same bill: `bill` per SKU (negative: put back more than taken)."""

    bill: Mapping[Sku, int]
    flags: tuple[str, ...]
    posterior: float
    moves: Mapping[ZoneId, Mapping[Sku, int]]  # of the best of these stories
    said: tuple[Said, ...]
    mass: float = 0.0  # log, of the best of these stories: how well the grams fit
    sight: float = 0.0  # and what the cameras saw
    prior: float = 0.0  # and how usual such a story is


def put(places: tuple[Place, ...], z: int, place: Place) -> tuple[Place, ...]:
    return (*places[:z], place, *places[z + 1 :])


def cart_of(story: Story, zone: ZoneId) -> Cart:
    if not story.held:
        return ()
    pieces: dict[Sku, tuple[Weighed, ...]] = {}
    for sku, weighed in story.held:
        pieces[sku] = (*pieces.get(sku, ()), weighed)
    counts = dict(story.counts)
    return tuple((sku, those, max(0, counts.get((zone, sku), 0))) for sku, those in pieces.items())


def pruned(stories: Iterable[Story], policy: TallyPolicy) -> tuple[list[Story], float]:
    """Stories that came to the same point joined (the better one told), the best kept, and the share kept."""
    joined: dict[tuple[Counts, tuple[Place, ...], tuple[str, ...]], tuple[Story, list[float]]] = {}
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


def outcomes_of(stories: Sequence[Story], kept: float) -> tuple[Outcome, ...]:
    groups: dict[tuple[tuple[tuple[Sku, int], ...], tuple[str, ...]], list[Story]] = {}
    for story in stories:
        bill: dict[Sku, int] = {}
        for (_, sku), n in story.counts:
            if sku != FOREIGN:
                bill[sku] = bill.get(sku, 0) + n
        key = (tuple(sorted((s, n) for s, n in bill.items() if n)), story.flags)
        groups.setdefault(key, []).append(story)
    top = max(story.weight for story in stories)
    total = sum(exp(story.weight - top) for story in stories)
    found = []
    for (bill_, flags), told in groups.items():
        best = max(told, key=lambda s: s.weight)
        share = kept * sum(exp(s.weight - top) for s in told) / total
        prior = best.weight - best.mass - best.sight
        moves = by_zone({(zone, sku): n for (zone, sku), n in best.counts if sku != FOREIGN})
        found.append(Outcome(dict(bill_), flags, share, moves, best.said, best.mass, best.sight, prior))
    return tuple(sorted(found, key=lambda o: (-o.posterior, sorted(o.bill.items()), o.flags)))
