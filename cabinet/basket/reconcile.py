"""The most probable explanation of all zones together, and how probable it is.

Stories are followed through the changes of all zones in the order of time, so that what comes to a zone can have
been taken before.  Steps and the rest add up to each zone's net mass: no gram is left out.  The search is exact up
to `TallyPolicy.beam` stories after each change; what the beam drops is counted and lowers the confidence.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from math import inf, lgamma, log

from cabinet.basket.evidence import Header, Sighting
from cabinet.basket.explain import Case, Change, Explainer, Explanation
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.sight import FOREIGN, Compared, Units
from cabinet.basket.steps import Weighing
from cabinet.basket.stories import Held, Outcome, Place, Said, Story, cart_of, outcomes_of, pruned, put
from cabinet.units import Sku, ZoneId

SKIPS = 6  # levels in a row that may be a hand's
SLIDES = 12  # or of one slow take


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
    stories = [Story(0.0, 0.0, 0.0, tuple((0, 0.0) for _ in weighings))]
    kept = 1.0
    for _, z, j in changes:
        stories, share = pruned(search.through(stories, z, j), policy)
        kept *= share
    for z in range(len(weighings)):
        told = search.rest(stories, z)
        stories, share = pruned((_compared(story, weighings[z].zone, compared) for story in told), policy)
        kept *= share
    return outcomes_of(stories, kept)


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
        self._catalog = header.catalog
        self._stock = {(z, s): n for z, held in header.stock.items() for s, n in held.items()}
        self._total: dict[Sku, int] = {}
        for (_, sku), n in self._stock.items():
            self._total[sku] = self._total.get(sku, 0) + n

    def through(self, stories: Iterable[Story], z: int, j: int) -> Iterable[Story]:
        """Every story, with every explanation of zone z reaching level j, or with j passed over.

        A level is passed over as a hand's or a bag's, or as one on the way of a take that slid over the edge.
        """
        weighing = self._weighings[z]
        level, last = weighing.levels[j], len(weighing.levels) - 1
        top, hopeless = -inf, self._policy.nats - log(self._policy.misplaced)  # `_told` gives that back at most
        cases: dict[int, Case] = {}
        for story in stories:
            a, drifted = story.places[z]
            if a not in cases:
                cases[a] = self._explainer.case(self._change(weighing, a, j))
            slid = self._slid(weighing, a, j, cases[a].change.delta_g)
            places = put(story.places, z, (j, drifted))
            for explanation in self._explainer.explain(cases[a], cart_of(story, weighing.zone)):
                told = story.weight + explanation.weight + slid
                if told < top - hopeless:
                    break  # the others are less probable still
                top = max(top, told)
                yield self._told(story, cases[a].change, j, explanation, places, slid)
            if j - a <= (SKIPS if j < last else 0) or self._sliding(weighing, a, j):
                place = (a, drifted + level.last_g - level.first_g)
                weight = story.weight + log(self._policy.pressure)
                yield story._replace(weight=weight, places=put(story.places, z, place))

    def rest(self, stories: Iterable[Story], z: int) -> Iterable[Story]:
        """What the zone's net has beyond the steps of the story."""
        weighing = self._weighings[z]
        last = len(weighing.levels) - 1
        seen = self._looks.get(weighing.zone, {})
        top, hopeless = -inf, self._policy.nats - log(self._policy.misplaced)
        cases: dict[Place, Case] = {}
        for story in stories:
            place = a, drifted = story.places[z]
            if place not in cases:
                rest_g = weighing.rest_g - drifted
                looks = seen.get(-1, ())
                if a < last:  # no level was the end of it: the net is
                    rest_g += weighing.levels[last].first_g - weighing.levels[a].last_g
                    looks = (*looks, *(look for i in range(a + 1, last + 1) for look in seen.get(i, ())))
                cases[place] = self._explainer.case(Change(weighing.zone, rest_g, 1.0, looks, rest=True))
            change = cases[place].change
            slid = self._slid(weighing, a, last + 1, change.delta_g) if a < last else 0.0
            if slid:
                slid -= log(self._policy.bleed)  # that a slow take's goods leave without a settled step is no wonder
            places = put(story.places, z, (0, 0.0))
            for explanation in self._explainer.explain(cases[place], cart_of(story, weighing.zone)):
                told = story.weight + explanation.weight + slid
                if told < top - hopeless:
                    break
                top = max(top, told)
                yield self._told(story, change, 0, explanation, places, slid)

    def _sliding(self, weighing: Weighing, a: int, j: int) -> bool:
        """Whether the levels from a on go one way, so that they may be one slow take."""
        levels = weighing.levels[a : j + 1]
        return j - a <= SLIDES and all(y.first_g < x.last_g for x, y in itertools.pairwise(levels))

    def _slid(self, weighing: Weighing, a: int, j: int, delta_g: float) -> float:
        """Log odds of a slow take having passed the levels between a and j, against their being a hand's.

        Where a take of so many grams rested k times on its way, the levels are k places in order: k! / grams^k.
        """
        passed = j - a - 1
        if not passed or delta_g > -self._policy.step_g or not self._sliding(weighing, a, j - 1):
            return 0.0
        if weighing.levels[j - 1].last_g < weighing.levels[a].last_g + delta_g:
            return 0.0  # deeper than where it ended: that was a hand
        slow = log(self._policy.slow) + lgamma(passed + 1) - passed * log(-delta_g)
        return max(0.0, slow - passed * log(self._policy.pressure))

    def _change(self, weighing: Weighing, a: int, j: int) -> Change:
        one, other = weighing.levels[a], weighing.levels[j]
        seen = self._looks.get(weighing.zone, {})
        looks = tuple(look for i in range(a + 1, j + 1) for look in seen.get(i, ()))
        sd = (one.last_sd_g**2 + other.sd_g**2) ** 0.5
        return Change(weighing.zone, other.first_g - one.last_g, sd, looks, pressed=j - a > 1)

    def _told(
        self, story: Story, change: Change, j: int, e: Explanation, places: tuple[Place, ...], odds: float
    ) -> Story:
        weight, mass, sight = story.weight + e.weight + odds, story.mass + e.mass, story.sight + e.sight
        flags = tuple(sorted({*story.flags, e.flag})) if e.flag else story.flags
        if not e.units:
            return Story(weight, mass, sight, places, story.counts, flags, story.said, story.held)
        zone, counts = change.zone, dict(story.counts)
        for sku, n in e.units:
            key = (zone, sku)
            counts[key] = counts.get(key, 0) + n
            if sku == FOREIGN:
                continue
            if e.misplaced and counts[key] <= 0:  # it came here in this very visit: nothing odd about it
                weight -= log(self._policy.misplaced)
            beyond = self._beyond_stock(counts, key, misplaced=e.misplaced) if n > 0 else ""
            if beyond and beyond not in flags:
                weight += log(self._policy.overstock)
                flags = tuple(sorted((*flags, beyond)))
        tidy = tuple(sorted((key, n) for key, n in counts.items() if n))
        said = (*story.said, Said(zone, j, {sku: n for sku, n in e.units if sku != FOREIGN}))
        held = story.held if e.flag else self._holding(story.held, change, e.units)
        return Story(weight, mass, sight, places, tidy, flags, said, held)

    def _holding(self, held: Held, change: Change, units: Units) -> Held:
        """The pieces in the shopper's hands after the change, each as heavy as the change lets it be.

        What came gives up the piece that fits best.  What left shares the difference between the change and the
        catalogue by its spread: conditional mean and variance of normal masses whose sum was weighed.
        """
        still, back_g = list(held), 0.0
        for sku, n in units:
            for _ in range(-n):
                wanted_g = change.delta_g - back_g
                mine = [piece for piece in still if piece[0] == sku]
                if mine:
                    best = min(mine, key=lambda piece: abs(piece[1][0] - wanted_g))
                    still.remove(best)
                    back_g += best[1][0]
        left = [self._catalog[sku] for sku, n in units for _ in range(n)]
        if left:
            names = [sku for sku, n in units for _ in range(n)]
            off_g = back_g - change.delta_g - sum(product.mass_g for product in left)
            whole = sum(product.spread_g**2 for product in left)
            for sku, product in zip(names, left, strict=True):
                share = product.spread_g**2 / (whole + change.sd_g**2)
                var = product.spread_g**2 * (1 - share)
                if len(left) == 1:  # it alone was weighed, whatever the catalogue says
                    share, var = 1.0, change.sd_g**2
                still.append((sku, (round(product.mass_g + share * off_g, 1), round(var, 2))))
        return tuple(sorted(still))

    def _beyond_stock(
        self, counts: Mapping[tuple[ZoneId, Sku], int], key: tuple[ZoneId, Sku], *, misplaced: bool
    ) -> str:
        """Words for a person where more of the product would be gone than the ledger knew of."""
        zone, sku = key
        total = sum(n for (_, s), n in counts.items() if s == sku)
        if total > self._total.get(sku, 0) or (counts[key] > self._stock.get(key, 0) and not misplaced):
            return f"{zone}: more of {self._catalog[sku].name} is gone than the ledger knew of"
        return ""


def _compared(story: Story, zone: ZoneId, compared: Compared) -> Story:
    """The story weighed against the pictures of before and after, which know what left but not when."""
    if not compared.sees(zone):
        return story
    units = tuple((sku, n) for (where, sku), n in story.counts if where == zone)
    ratio = compared.log_ratio(zone, units)
    return story._replace(weight=story.weight + ratio, sight=story.sight + ratio)
