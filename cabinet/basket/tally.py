"""From the trace of a visit to its verdict: charge, nothing, or a person decides.

Pure: the same trace gives the same verdict, bit for bit.  Refuses to guess: what the net masses do not confirm, or
what may cost more to charge wrongly than a person's look at it (`TallyPolicy.costs`), is not charged.
"""

from collections.abc import Sequence

from cabinet.basket.account import accounted
from cabinet.basket.coupling import decoupled
from cabinet.basket.decide import beyond, decided
from cabinet.basket.evidence import SCALE, Bolt, Door, Gap, Health, Mass, Sighting, State, Visit
from cabinet.basket.explain import Explainer
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.reconcile import reconcile
from cabinet.basket.sight import Compared, Sight, across, attach, watching
from cabinet.basket.steps import Weighing, weigh
from cabinet.basket.stories import Outcome
from cabinet.basket.verdict import Review, Verdict
from cabinet.units import ZoneId

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
        return Review(early, accounted(weighings))
    weighings = decoupled(weighings, policy)
    whole = across(visit)
    passing = [e for e in visit.events if isinstance(e, Sighting) and e not in whole]
    looks = {w.zone: attach(w, passing, policy) for w in weighings}
    minutes = max(w.levels[-1].t1 for w in weighings) / 60
    sight = Sight(header, policy)
    over = {zone: tuple(e for e in whole if e.zone == zone) for zone in header.zones}
    explainer = Explainer(header, policy, sight, watching(visit, passing), minutes, over)
    compared = Compared(sight, whole, watching(visit, whole))
    outcomes = reconcile(header, weighings, looks, explainer, compared, policy)
    account = accounted(weighings, header, outcomes)
    hindrances = _hindrances(visit, weighings)
    never_opened = not any(isinstance(e, Door) and e.open for e in visit.events)
    reasons = ["the masses changed although the door never opened"] if never_opened and _any(outcomes[0]) else []
    odd = beyond(header, weighings, account, explainer.drift_wide_sd_g, policy)
    told = {flag.partition(":")[0] for flag in outcomes[0].flags}  # what a flag says of a zone is enough
    reasons += [what for zone, what in odd if zone not in told]
    return decided(header, outcomes, account, reasons, hindrances, policy)


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


def _any(outcome: Outcome) -> bool:
    return bool(outcome.bill or outcome.flags)
