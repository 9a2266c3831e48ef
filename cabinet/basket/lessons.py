"""What a finished shopper's visit teaches: masses of certain units, and goods that stand where none were planned.

Learns only from a charge that is nearly certain, of whole traces and well zones, from steps of one product that no
neighbour's mass explains better.  A review, a torn trace and an unwell zone teach nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cabinet.basket.evidence import SCALE, Gap, Header, Health, Visit
from cabinet.basket.learning import LearningPolicy, Lesson
from cabinet.basket.shadow import Heuristic, Opinion, opinions
from cabinet.basket.verdict import Charge, Nothing, Step, Verdict
from cabinet.units import Sku, ZoneId

LONG_GAP_S = 1.0
CAMERA = "camera:"  # losing pictures is no loss of weighings


@dataclass(frozen=True, slots=True)
class Group:
    """Units of one product weighed together."""

    units: int
    mass_g: float  # of all of them
    sd_g: float


@dataclass(frozen=True, slots=True)
class Strayed:
    """Units that came to a zone (+) or left it (-) that is not theirs."""

    zone: ZoneId
    sku: Sku
    count: int
    found: bool = False  # taken from there: it did stand there


@dataclass(frozen=True, slots=True)
class Afterthought:
    """What a verdict leaves to be remembered, apart from the bill."""

    lessons: tuple[Lesson, ...] = ()
    strayed: tuple[Strayed, ...] = ()
    certain: bool = False
    opinions: Mapping[str, Opinion] = field(default_factory=dict)  # of heuristics in shadow


def afterthought(
    visit: Visit, verdict: Verdict, policy: LearningPolicy, heuristics: Iterable[Heuristic] = ()
) -> Afterthought:
    """Of what the tally judged; to be kept once the visit is closed with this verdict."""
    certain = isinstance(verdict, Charge | Nothing) and verdict.confidence >= policy.least_confidence
    return Afterthought(
        tuple(lessons(visit, verdict, policy)),
        tuple(strayed(visit.header, verdict)),
        certain,
        opinions(visit, verdict, heuristics),
    )


def lessons(visit: Visit, verdict: Verdict, policy: LearningPolicy) -> list[Lesson]:
    if not isinstance(verdict, Charge) or verdict.confidence < policy.least_confidence or visit.incomplete:
        return []
    ill = unwell(visit)
    groups: dict[Sku, list[Group]] = {}
    for step in verdict.account.steps:
        found = None if step.zone in ill else _certain(step, visit.header)
        if found is not None and verdict.account.sure.get(found[0], verdict.confidence) >= policy.least_confidence:
            groups.setdefault(found[0], []).append(found[1])
    return [lesson_of(sku, weighed) for sku, weighed in sorted(groups.items())]


def unwell(visit: Visit) -> set[ZoneId]:
    """Zones whose cells were ill at any time of the visit, or not heard for long."""
    parts = {e.part for e in visit.events if isinstance(e, Health) and not e.ok}
    parts |= {e.part for e in visit.events if isinstance(e, Gap) and e.seconds > LONG_GAP_S}
    zones = {ZoneId(part.removeprefix(SCALE)) for part in parts if part.startswith(SCALE)}
    if any(isinstance(e, Gap) and e.seconds > LONG_GAP_S and not _of_one_part(e.part) for e in visit.events):
        return set(visit.header.zones)
    return zones


def _of_one_part(part: str) -> bool:
    return part.startswith((SCALE, CAMERA))


def _certain(step: Step, header: Header) -> tuple[Sku, Group] | None:
    """A step that is units of one product, going one way, which no neighbour's mass explains better."""
    moved = {sku: n for sku, n in step.items.items() if n}
    if len(moved) != 1:
        return None
    (sku, count), *_ = moved.items()
    product = header.catalog.get(sku)
    if product is None or (count > 0) == (step.delta_g > 0):
        return None
    mass_g, units = abs(step.delta_g), abs(count)
    mine_g = abs(mass_g - units * product.mass_g)
    if any(off_g < mine_g for off_g in _others_off_g(mass_g, sku, step.zone, header)):
        return None
    return sku, Group(units, mass_g, step.sd_g)


def _others_off_g(mass_g: float, sku: Sku, zone: ZoneId, header: Header) -> Iterable[float]:
    """How far the neighbours are from this mass, one to three units of each."""
    stands = {*header.planogram.get(zone, ()), *(s for s, n in header.stock.get(zone, {}).items() if n > 0)}
    for other in sorted(stands - {sku}):
        product = header.catalog.get(other)
        if product is not None:
            yield min(abs(mass_g - k * product.mass_g) for k in (1, 2, 3))


def lesson_of(sku: Sku, groups: Sequence[Group], *, sure: bool = True) -> Lesson:
    units = sum(group.units for group in groups)
    mean_g = sum(group.mass_g for group in groups) / units
    scatter_g2 = sum(group.units * (group.mass_g / group.units - mean_g) ** 2 for group in groups)
    scale_sd_g = max(group.sd_g for group in groups)
    return Lesson(sku, units, mean_g, scatter_g2, len(groups), scale_sd_g, sure)


def strayed(header: Header, verdict: Verdict) -> list[Strayed]:
    """What moved to or from zones that neither the planogram nor, where there is none, the stock knows it in."""
    if not isinstance(verdict, Charge | Nothing):
        return []
    found = []
    for zone, counts in sorted(verdict.account.moves.items()):
        home = header.planogram.get(zone) or tuple(header.stock.get(zone, {}))
        found += [Strayed(zone, sku, -n, found=n > 0) for sku, n in sorted(counts.items()) if n and sku not in home]
    return found
