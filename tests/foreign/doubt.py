"""Whether what was sensed of a visit can decide its bill: where it cannot, a review is as good as a charge.

`belief` is what a careful person would give for the true bill, who knows masses, spreads, the planogram and what the
cameras said, and looks at each zone's moves as one where they are closer than TOGETHER_S.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import exp, log
from typing import Any

from tests.foreign.play import Glimpse, Move, Play
from tests.foreign.shop import Goods

TOGETHER_S = 0.7  # moves of one zone closer than this cannot be told apart by their masses
READING_G = 1.2  # what noise and neighbours leave of doubt in a step
MOST = 3  # units in an alternative story
PER_UNIT = log(0.3)  # fewer units explain better
STRAY = log(0.02)  # a SKU that is not planned for the zone
UNLEARNT = 0.12  # spread of a mass that nobody weighed, as a share: catalogues are 10 to 15 % off
NEVER = 0.003  # score of a SKU that a sighting does not list


@dataclass(frozen=True, slots=True)
class _Seen:
    play: Play
    sightings: list[dict[str, Any]]


def belief(play: Play, sightings: list[dict[str, Any]]) -> float:
    """Probability of the true bill, 0 to 1."""
    seen = _Seen(play, sightings)
    product = 1.0
    for cluster in _clusters(play.moves):
        product *= _belief(seen, cluster)
    return product


def _clusters(moves: list[Move]) -> list[list[Move]]:
    made: list[list[Move]] = []
    for move in sorted(moves, key=lambda m: (m.zone, m.at_s)):
        near = made and made[-1][-1].zone == move.zone and move.at_s - made[-1][-1].at_s < TOGETHER_S
        if near:
            made[-1].append(move)
        else:
            made.append([move])
    return made


def _belief(seen: _Seen, cluster: list[Move]) -> float:
    play, zone = seen.play, cluster[0].zone
    begin, end = cluster[0].at_s, cluster[-1].at_s
    went = [g for g in play.glimpses if not g.wrong and g.zone == zone and begin - 0.01 <= g.at_s <= end + 0.01]
    told = [
        s["scores"]
        for s in seen.sightings
        if s["zone"] == zone and begin - 0.25 < s["t"] - play.knobs.lag_s - 0.45 < end + 0.6
    ]
    if len(went) < len(cluster) or any(g.sku is None for g in went):
        return 1.0  # a bag, a stone, a hidden hand: the story says what a person would do
    if len({m.delta_g > 0 for m in cluster}) > 1:  # exchanged at once: only cameras know
        return 1.0 if all(any(max(t, key=t.get) == g.sku for t in told) for g in went) else 0.5
    if cluster[0].delta_g > 0 and _was_held(play, went):
        return 1.0  # a returned unit was weighed when it was taken
    net = abs(sum(m.delta_g for m in cluster))
    true = tuple(sorted(str(g.sku) for g in went))
    best = _weight(play, zone, [play.shop.goods[s] for s in true], net, told)
    rivals = sum(
        exp(min(50.0, _weight(play, zone, story, net, told) - best))
        for story in _stories(play, zone)
        if tuple(sorted(g.sku for g in story)) != true
    )
    return 1.0 / (1.0 + rivals)


def _was_held(play: Play, went: list[Glimpse]) -> bool:
    taken = Counter(g.sku for g in play.glimpses if g.action == "take" and g.at_s < went[0].at_s)
    return all(taken[g.sku] for g in went)


def _stories(play: Play, zone: str) -> Iterable[tuple[Goods, ...]]:
    goods = [play.shop.goods[s] for s in play.shop.plan[zone]]
    for count in range(1, MOST + 1):
        yield from combinations_with_replacement(goods, count)
    yield from ((g,) for sku, g in play.shop.goods.items() if sku not in play.shop.plan[zone])


def _weight(play: Play, zone: str, story: Iterable[Goods], net_g: float, told: list[dict[str, float]]) -> float:
    """Logarithm of prior times likelihood, up to a constant."""
    story = list(story)
    variance = sum((g.sd_g if g.learnt else UNLEARNT * g.mass_g) ** 2 for g in story) + READING_G**2
    fit = -((sum(g.mass_g for g in story) - net_g) ** 2) / 2 / variance - log(variance) / 2
    prior = sum(PER_UNIT + (STRAY if g.sku not in play.shop.plan[zone] else 0.0) for g in story)
    best = [max(story, key=lambda g: scores.get(g.sku, NEVER)).sku for scores in told]  # whom the story would be shown
    sight = sum(log(scores.get(sku) or NEVER) for sku, scores in zip(best, told, strict=True))
    missed = sum(log(0.2) for g in story if told and g.sku not in best)
    return fit + prior + sight + missed
