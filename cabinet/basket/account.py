"""How a verdict was reached, in numbers and words: steps, hypotheses, why they lost, what no product explains.

Decides nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import exp

from cabinet.basket.evidence import Header
from cabinet.basket.steps import Weighing
from cabinet.basket.stories import Outcome, Said
from cabinet.basket.verdict import Account, Hypothesis, Step
from cabinet.units import Sku, ZoneId

TOLD = 5  # hypotheses kept: what is further down is less probable than all of these
LEAST_NATS = 0.7  # a difference of less than a factor of two is no reason
MOST_NATS = 18.4  # beyond this a factor is no longer worth its digits


def accounted(weighings: Sequence[Weighing], header: Header | None = None, outcomes: Sequence[Outcome] = ()) -> Account:
    """Without outcomes: what was weighed, and no more."""
    best = outcomes[0] if outcomes else None
    steps = _steps(weighings, best.said if best else ())
    net = {w.zone: round(w.net_g, 2) for w in weighings}
    if best is None or header is None:
        return Account(steps, net)
    moves = best.moves
    unexplained = {z: round(g + mass_g(moves.get(z, {}), header), 2) for z, g in net.items()}
    other = f"{words(outcomes[1], header)} ({_share(outcomes[1].posterior)})" if len(outcomes) > 1 else ""
    told = tuple(
        Hypothesis(words(o, header), dict(o.bill), round(o.posterior, 6), "" if o is best else _why(o, best))
        for o in outcomes[:TOLD]
    )
    return Account(steps, net, moves, unexplained, other, told, _sure(outcomes), best.posterior)


def words(outcome: Outcome, header: Header) -> str:
    goods = [f"{n} x {header.catalog[sku].name}" for sku, n in sorted(outcome.bill.items())]
    return ", ".join([*goods, *outcome.flags]) or "nothing"


def mass_g(counts: Mapping[Sku, int], header: Header) -> float:
    return sum(n * header.catalog[sku].mass_g for sku, n in counts.items())


def _sure(outcomes: Sequence[Outcome]) -> dict[Sku, float]:
    """Of each product that the best outcome bills: the probability of just that many."""
    best = outcomes[0].bill
    return {sku: round(sum(o.posterior for o in outcomes if o.bill.get(sku, 0) == n), 6) for sku, n in best.items()}


def _why(lost: Outcome, best: Outcome) -> str:
    """What speaks for the best outcome and against this one, the strongest first."""
    return "; ".join(said for _, said in sorted(_against(lost, best), reverse=True)) or "by a little of everything"


def _against(lost: Outcome, best: Outcome) -> Iterator[tuple[float, str]]:
    for nats, what in (
        (best.mass - lost.mass, "the grams fit {} worse"),
        (best.sight - lost.sight, "the cameras speak {} less for it"),
        (best.prior - lost.prior, "such a visit is {} rarer"),
    ):
        if nats > LEAST_NATS:
            yield nats, what.format(_times(nats))


def _times(nats: float) -> str:
    """`3 times`, `1,600 times`: two digits say enough."""
    if nats > MOST_NATS:
        return "a hundred million times"
    times = exp(nats)
    digits = 10 ** max(0, len(str(int(times))) - 2)
    return f"{round(times / digits) * digits:,} times"


def _share(posterior: float) -> str:
    return f"{posterior:.4f}" if posterior >= 0.0001 else "< 0.0001"


def _steps(weighings: Sequence[Weighing], said: Sequence[Said]) -> tuple[Step, ...]:
    items: Mapping[tuple[ZoneId, int], Mapping[Sku, int]] = {(s.zone, s.level): s.units for s in said}
    found = []
    for w in weighings:
        for j, (a, b) in enumerate(zip(w.levels, w.levels[1:], strict=False), 1):
            sd = (a.last_sd_g**2 + b.sd_g**2) ** 0.5
            step = Step(
                w.zone, round(b.t0, 4), round(b.first_g - a.last_g, 2), round(sd, 2), items.get((w.zone, j), {})
            )
            found.append(step)
    return tuple(sorted(found, key=lambda s: (s.t, s.zone)))
