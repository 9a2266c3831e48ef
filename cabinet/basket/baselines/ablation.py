"""The tally with something taken from it: what sight, joint zones and learnt masses are worth.  Pure.

Changes what the tally is given, never the tally.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Literal

from cabinet.basket import pricing
from cabinet.basket.evidence import SCALE, Gap, Happening, Header, Health, Mass, Sighting, Visit
from cabinet.basket.score import billed, guessed
from cabinet.basket.verdict import Account, Charge, Nothing, Review, Verdict
from cabinet.units import Sku, ZoneId

Ablation = Literal["sight", "joint", "learnt"]


def without_sight(visit: Visit) -> Visit:
    """No camera saw anything.  What a camera that tells nothing misses is no evidence to the tally."""
    return replace(visit, events=tuple(e for e in visit.events if not isinstance(e, Sighting)))


def without_learnt(visit: Visit) -> Visit:
    """Masses as the catalogue was typed: no spread of units was ever learnt."""
    header = visit.header
    catalog = {sku: replace(product, mass_sd_g=None) for sku, product in header.catalog.items()}
    return replace(visit, header=replace(header, catalog=catalog))


def alone(visit: Visit) -> list[Visit]:
    """One visit a zone, as if the cabinet had no other: nothing taken elsewhere can be put back there."""
    return [
        Visit(
            _only(visit.header, zone),
            tuple(e for e in visit.events if _concerns(e, zone)),
            visit.incomplete,
        )
        for zone in visit.header.zones
    ]


def added(verdicts: Sequence[Verdict], header: Header) -> Verdict:
    """The bills of all zones as one; a review where any zone's is."""
    bill, guess = _sum([billed(v) for v in verdicts]), _sum([guessed(v) for v in verdicts])
    confidence = prod(v.account.confidence if isinstance(v, Review) else v.confidence for v in verdicts)
    account = Account(confidence=confidence)
    reasons = [v.reason for v in verdicts if isinstance(v, Review)]
    if reasons:
        return Review("; ".join(dict.fromkeys(reasons)), account, pricing.lines(guess, header.catalog))
    lines = pricing.lines(bill, header.catalog)
    return Charge(lines, confidence, account) if lines else Nothing(confidence, account)


def _only(header: Header, zone: ZoneId) -> Header:
    return replace(
        header,
        zones={zone: header.zones[zone]},
        cameras={
            name: replace(camera, sees=tuple(z for z in camera.sees if z == zone))
            for name, camera in header.cameras.items()
        },
        planogram={z: skus for z, skus in header.planogram.items() if z == zone},
        stock={z: held for z, held in header.stock.items() if z == zone},
    )


def _concerns(event: Happening, zone: ZoneId) -> bool:
    if isinstance(event, Mass | Sighting):
        return event.zone == zone
    if isinstance(event, Health | Gap):
        return not event.part.startswith(SCALE) or event.part == SCALE + zone
    return True


def _sum(bills: Sequence[dict[Sku, int]]) -> dict[Sku, int]:
    total: dict[Sku, int] = {}
    for bill in bills:
        for sku, n in bill.items():
            total[sku] = total.get(sku, 0) + n
    return total
