"""Charge, nothing, or a person: what the most probable stories are worth, by what each mistake would cost.

A bill is charged where its expected cost, over everything else that may have happened, is no more than the cost of a
person's look (Bayes decision rule; Berger 1985, chapter 1).  What no story explains, and what only a person may decide,
is never charged, however probable.
"""

from collections.abc import Mapping, Sequence

from cabinet.basket import pricing
from cabinet.basket.account import words
from cabinet.basket.evidence import Header
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.steps import Weighing
from cabinet.basket.stories import Outcome
from cabinet.basket.verdict import Account, Charge, Nothing, Review, Verdict
from cabinet.units import Sku, ZoneId


def decided(
    header: Header,
    outcomes: Sequence[Outcome],
    account: Account,
    reasons: Sequence[str],
    hindrances: Sequence[str],
    policy: TallyPolicy,
) -> Verdict:
    """`reasons`: why a person must decide in any case; `hindrances`: what made the evidence worse, for that person."""
    best = outcomes[0]
    why = [*best.flags]
    why += [f"{header.catalog[sku].name}: more put back than taken" for sku, n in best.bill.items() if n < 0]
    why += reasons
    if not why and expected_cost(best.bill, outcomes, policy) > policy.costs.review:
        other = words(outcomes[1], header) if len(outcomes) > 1 else "too many stories to follow"
        why.append(f"ambiguous: {words(best, header)} ({best.posterior:.2f}) or {other}")
    guess = pricing.lines(best.bill, header)
    if not why:
        why += pricing.doubts(best.bill, header)
    if why:
        return Review("; ".join([*why, *hindrances]), account, guess)
    return Charge(guess, best.posterior, account) if guess else Nothing(best.posterior, account)


def expected_cost(bill: Mapping[Sku, int], outcomes: Sequence[Outcome], policy: TallyPolicy) -> float:
    """Of charging this bill, in the unit of `Costs`.  What the search dropped counts as wrong both ways."""
    costs = policy.costs
    dropped = max(0.0, 1 - sum(o.posterior for o in outcomes))
    total = dropped * (costs.overcharge + costs.undercharge)
    for outcome in outcomes:
        over = any(n > outcome.bill.get(sku, 0) for sku, n in bill.items())
        under = any(n > bill.get(sku, 0) for sku, n in outcome.bill.items()) or bool(outcome.flags)
        total += outcome.posterior * (costs.overcharge * over + costs.undercharge * under)
    return total


def beyond(
    header: Header, weighings: Sequence[Weighing], account: Account, drift_sd_g: float, policy: TallyPolicy
) -> list[tuple[ZoneId, str]]:
    """Zones whose net mass the story does not explain within the limit, in words."""
    found = []
    for w in weighings:
        var = drift_sd_g**2 + w.net_sd_g**2
        for sku, n in account.moves.get(w.zone, {}).items():
            product = header.catalog[sku]
            var += abs(n) * product.spread_g**2 + (n * product.mass_g * policy.wide_share_of_mass(product)) ** 2
        if abs(account.unexplained_g[w.zone]) > policy.limit_sd * var**0.5:
            found.append((w.zone, f"{w.zone}: {account.unexplained_g[w.zone]:+.0f} g that no product explains"))
    return found
