"""From the trace of a visit to its verdict: charge, nothing, or a person decides.

Pure: the same trace gives the same verdict, bit for bit.  Refuses to guess: what the net masses do not confirm, or
what is less probable than `TallyPolicy.threshold`, is not charged.
"""

from collections.abc import Mapping, Sequence

from cabinet.basket import pricing
from cabinet.basket.evidence import SCALE, Bolt, Door, Gap, Header, Health, Mass, Sighting, State, Visit
from cabinet.basket.explain import Explainer
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.reconcile import Outcome, Said, reconcile
from cabinet.basket.sight import Compared, Sight, across, attach, watching
from cabinet.basket.steps import Weighing, weigh
from cabinet.basket.verdict import Account, Charge, Nothing, Review, Step, Verdict
from cabinet.units import Sku, ZoneId

__all__ = ["TallyPolicy", "tally"]

PURPOSES = {"restock": "a restocking visit has no bill", "service": "a service visit has no bill"}


def tally(visit: Visit, policy: TallyPolicy | None = None) -> Verdict:
    """The bill of a shopper's visit.  Never raises for what a trace may hold; doubt is a `Review`."""
    policy = policy or TallyPolicy()
    header = visit.header
    if header.purpose in PURPOSES:
        return Review(PURPOSES[header.purpose])
    if not header.catalog:
        return Review("the catalogue is empty: nothing can be recognised")
    if not header.zones:
        return Review("the cabinet has no zone that weighs")
    weighings = _weigh(visit, policy)
    early = _before_any_sum(visit, weighings, policy)
    if early:
        return Review(early, _account(weighings))
    whole = across(visit)
    passing = [e for e in visit.events if isinstance(e, Sighting) and e not in whole]
    looks = {w.zone: attach(w, passing, policy) for w in weighings}
    minutes = max(w.levels[-1].t1 for w in weighings) / 60
    sight = Sight(header, policy)
    explainer = Explainer(header, policy, sight, watching(visit, passing), minutes)
    compared = Compared(sight, whole, watching(visit, whole))
    outcomes = reconcile(header, weighings, looks, explainer, compared, policy)
    return _decide(visit, weighings, outcomes, explainer.drift_wide_sd_g, policy)


def _weigh(visit: Visit, policy: TallyPolicy) -> list[Weighing]:
    events = [e for e in visit.events if not isinstance(e, State)]
    masses: dict[ZoneId, list[Mass]] = {}
    for event in events:
        if isinstance(event, Mass):
            masses.setdefault(event.zone, []).append(event)
    opened = [e.t for e in events if isinstance(e, Door) and e.open]
    closed = [e.t for e in events if isinstance(e, Door) and not e.open]
    released = [e.t for e in events if isinstance(e, Bolt) and not e.locked]
    ended_t = max((m.t + len(m.g) / m.hz for zone in masses.values() for m in zone), default=0.0)
    opened_t = opened[0] if opened else max(0.0, released[0] if released else 0.0)
    return [
        weigh(
            zone,
            about,
            masses.get(zone, []),
            policy,
            released_t=min([*released, opened_t]),
            opened_t=opened_t,
            closed_t=closed[-1] if closed else opened_t,
            ended_t=ended_t,
        )
        for zone, about in sorted(visit.header.zones.items())
    ]


def _before_any_sum(visit: Visit, weighings: Sequence[Weighing], policy: TallyPolicy) -> str:
    """Why there is no sense in a sum: an open door, a zone that was not weighed."""
    doors = [e for e in visit.events if isinstance(e, Door)]
    if doors and doors[-1].open:
        return "the trace ends with the door open" + (": it was torn" if visit.incomplete else "")
    troubles = [f"zone {w.zone} {w.trouble}" for w in weighings if w.trouble]
    troubles += [f"zone {w.zone} never came to rest" for w in weighings if len(w.levels) > policy.max_steps]
    troubles += _unwell(visit)
    return "; ".join([*troubles, *_hindrances(visit, weighings)]) if troubles else ""


def _unwell(visit: Visit) -> list[str]:
    """Zones that the board held a fault against when the door was shut: what came to them nobody weighed."""
    last = {e.part: e for e in visit.events if isinstance(e, Health) and e.part.startswith(SCALE)}
    return [f"zone {part.removeprefix(SCALE)} is not well ({e.why})" for part, e in sorted(last.items()) if not e.ok]


def _hindrances(visit: Visit, weighings: Sequence[Weighing]) -> list[str]:
    """What made the evidence worse without making it useless; named when the verdict is a review."""
    found = ["the trace is torn"] if visit.incomplete else []
    found += [f"{w.zone} was not weighed for {w.blind_s:.1f} s with the door open" for w in weighings if w.blind_s > 1]
    gaps = [e for e in visit.events if isinstance(e, Gap) and e.seconds > 1]
    found += [f"{gap.part} lost {gap.seconds:.1f} s" for gap in gaps]
    broken = {(e.part, e.why) for e in visit.events if isinstance(e, Health) and not e.ok}
    found += [f"{part} not well" + (f" ({why})" if why else "") for part, why in sorted(broken)]
    return found


def _decide(
    visit: Visit,
    weighings: Sequence[Weighing],
    outcomes: Sequence[Outcome],
    drift_sd_g: float,
    policy: TallyPolicy,
) -> Verdict:
    header, best = visit.header, outcomes[0]
    account = _account(weighings, header, outcomes)
    reasons = list(best.flags)
    reasons += [f"{header.catalog[sku].name}: more put back than taken" for sku, n in best.bill.items() if n < 0]
    reasons += _beyond(header, weighings, account, drift_sd_g, policy)
    if not any(isinstance(e, Door) and e.open for e in visit.events) and (best.bill or best.flags):
        reasons.append("the masses changed although the door never opened")
    if not reasons and best.posterior < policy.threshold:
        other = _words(outcomes[1], header) if len(outcomes) > 1 else "too many stories to follow"
        reasons.append(f"ambiguous: {_words(best, header)} ({best.posterior:.2f}) or {other}")
    guess = pricing.lines(best.bill, header.catalog)
    if not reasons:
        minors = pricing.restricted(best.bill, header.catalog)
        reasons += [f"no proof of age for {name}" for name in minors]
    if reasons:
        return Review("; ".join([*reasons, *_hindrances(visit, weighings)]), account, guess)
    return Charge(guess, best.posterior, account) if guess else Nothing(best.posterior, account)


def _beyond(
    header: Header, weighings: Sequence[Weighing], account: Account, drift_sd_g: float, policy: TallyPolicy
) -> list[str]:
    """Zones whose net mass the story does not explain within the limit."""
    found = []
    for w in weighings:
        var = drift_sd_g**2 + w.net_sd_g**2
        for sku, n in account.moves.get(w.zone, {}).items():
            product = header.catalog[sku]
            var += abs(n) * product.spread_g**2 + (n * product.mass_g * policy.wide_share_of_mass(product)) ** 2
        if abs(account.unexplained_g[w.zone]) > policy.limit_sd * var**0.5:
            found.append(f"{w.zone}: {account.unexplained_g[w.zone]:+.0f} g that no product explains")
    return found


def _words(outcome: Outcome, header: Header) -> str:
    goods = [f"{n} x {header.catalog[sku].name}" for sku, n in sorted(outcome.bill.items())]
    return ", ".join([*goods, *outcome.flags]) or "nothing"


def _share(posterior: float) -> str:
    return f"{posterior:.4f}" if posterior >= 0.0001 else "< 0.0001"


def _account(weighings: Sequence[Weighing], header: Header | None = None, outcomes: Sequence[Outcome] = ()) -> Account:
    best = outcomes[0] if outcomes else None
    steps = _steps(weighings, best.said if best else ())
    net = {w.zone: round(w.net_g, 2) for w in weighings}
    if best is None or header is None:
        return Account(steps, net)
    moves = best.moves
    unexplained = {z: round(g + _mass(moves.get(z, {}), header), 2) for z, g in net.items()}
    other = f"{_words(outcomes[1], header)} ({_share(outcomes[1].posterior)})" if len(outcomes) > 1 else ""
    return Account(steps, net, moves, unexplained, other)


def _mass(counts: Mapping[Sku, int], header: Header) -> float:
    return sum(n * header.catalog[sku].mass_g for sku, n in counts.items())


def _steps(weighings: Sequence[Weighing], said: Sequence[Said]) -> tuple[Step, ...]:
    items = {(s.zone, s.level): s.units for s in said}
    found = []
    for w in weighings:
        for j, (a, b) in enumerate(zip(w.levels, w.levels[1:], strict=False), 1):
            sd = (a.sd_g**2 + b.sd_g**2) ** 0.5
            step = Step(
                w.zone, round(b.t0, 4), round(b.first_g - a.last_g, 2), round(sd, 2), items.get((w.zone, j), {})
            )
            found.append(step)
    return tuple(sorted(found, key=lambda s: (s.t, s.zone)))
