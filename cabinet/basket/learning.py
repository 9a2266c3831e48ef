"""What a product's unit weighs, learnt from weighings: a belief for each SKU and how a lesson changes it.

The belief is the conjugate one for a normal with unknown mean and variance, normal times scaled inverse chi-squared
(K. Murphy, "Conjugate Bayesian analysis of the Gaussian distribution", 2007, section 5), in its four numbers: mean,
units it counts for, spread, units the spread counts for.  Two things are not from the book.  How far the catalogue was
off says nothing of how evenly a product is filled, so the first lesson's distance to it is left out of the spread.
And a lesson further off than `outlier_sd` is not averaged in: it founds a rival belief, which replaces the first once
another visit agrees and it has as many units behind it.  So one wrong attribution moves nothing, and a new package
is believed after two restocks.  A heap that was weighed at once and counted by a person is a lesson that is not sure:
a mass is used once the weighings told the number themselves, or a second visit agrees.

Refuses: a lesson whose own units scatter like different things.  It decides no bill; the catalogue stays as it is.
"""

import math
from dataclasses import dataclass, replace

from cabinet.basket.evidence import Product
from cabinet.units import Sku

FLOOR_SHARE = 0.003  # of the mass, one sd: no product is filled more evenly than this (J)


@dataclass(frozen=True, slots=True)
class LearningPolicy:
    """Source of a constant: (D) field report, (J) judgement."""

    catalogue_sd: float = 0.08  # how wrong a catalogue's mass is, one sd, as a share (D: 10-15 % were seen)
    spread_units: float = 2.0  # so many units the catalogue's own spread counts for (J)
    memory_units: float = 20.0  # the mean remembers so many: two restocks of six move it by half (J)
    memory_spread: float = 40.0  # filling changes more slowly than recipes and bottles (J)
    least_units: int = 3  # before a learnt mass is used
    most_units: int = 12  # that one visit may count for
    outlier_sd: float = 4.0  # further off than this the lesson is a rival (J)
    mixed_share: float = 0.04  # a lesson's own scatter, as a share of the mass, beyond which it is no one product (J)
    rival_visits: int = 2
    rival_units: int = 3
    least_confidence: float = 0.99  # of a bill, to learn from it
    notice_share: float = 0.05  # a catalogue further off is told to people
    found_visits: int = 3  # certain visits that found a product in a zone, until it is proposed for the planogram


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one visit says of one product: the mean of so many units, weighed in so many groups."""

    sku: Sku
    units: int
    mean_g: float
    scatter_g2: float = 0.0  # sum over the groups of units x (group's mean - mean)^2
    groups: int = 1
    scale_sd_g: float = 1.0  # of one weighing: the spread is never believed to be below it
    sure: bool = True  # False: the number of units rests on one person's count alone

    @property
    def spread_g2(self) -> float | None:
        """Variance of one unit as the groups differ; None for one group."""
        return self.scatter_g2 / (self.groups - 1) if self.groups > 1 else None


@dataclass(frozen=True, slots=True)
class Rival:
    """What lessons that do not fit agree on."""

    mean_g: float
    units: int
    visits: int
    since_ms: int
    against: int = 0  # units that fitted the belief meanwhile


@dataclass(frozen=True, slots=True)
class Belief:
    prior_g: float  # the catalogue's mass when this was learnt: another one begins anew
    mean_g: float
    weight: float  # units that the mean counts for
    spread_g2: float
    spread_weight: float
    scale_sd_g: float = 1.0
    units: int = 0  # weighed in all
    sure: bool = False  # the weighings themselves told how many units they were, or two visits agree
    visits: int = 0
    since_ms: int = 0  # wall clock: when this was learnt first
    last_ms: int = 0
    rival: Rival | None = None

    @property
    def sd_g(self) -> float:
        """Of one unit about the mean, the mean's own doubt included."""
        floor_g = max(FLOOR_SHARE * self.mean_g, self.scale_sd_g)
        return max(math.sqrt(self.spread_g2 * (1 + 1 / self.weight)), floor_g)

    @property
    def mean_sd_g(self) -> float:
        return math.sqrt(self.spread_g2 / self.weight)


def prior(product: Product, policy: LearningPolicy) -> Belief:
    """What is believed before anything was weighed: the catalogue, as wrong as catalogues are."""
    spread_g = max(product.spread_g, FLOOR_SHARE * product.mass_g)
    weight = (spread_g / (policy.catalogue_sd * product.mass_g)) ** 2
    return Belief(product.mass_g, product.mass_g, weight, spread_g**2, policy.spread_units)


def current(belief: Belief | None, product: Product, policy: LearningPolicy) -> Belief:
    """The belief, or the prior where there is none, or the catalogue has been changed since."""
    return prior(product, policy) if belief is None or belief.prior_g != product.mass_g else belief


def in_use(belief: Belief | None, product: Product, policy: LearningPolicy) -> bool:
    if belief is None or belief.prior_g != product.mass_g:
        return False
    return belief.sure and belief.units >= policy.least_units


def learnt(product: Product, belief: Belief | None, policy: LearningPolicy) -> Product:
    """The product as a visit's header tells it: with the learnt mass and spread, once enough units were weighed."""
    if belief is None or not in_use(belief, product, policy):
        return product
    return replace(product, mass_g=round(belief.mean_g, 2), mass_sd_g=round(belief.sd_g, 3))


def learn(belief: Belief, lesson: Lesson, at_ms: int, policy: LearningPolicy) -> Belief:
    """The belief after one visit's lesson.  Gives back the same belief where the lesson is refused."""
    spread_g2 = lesson.spread_g2
    if lesson.units < 1 or not 0 < lesson.mean_g < math.inf:
        return belief
    if spread_g2 is not None and math.sqrt(spread_g2) > policy.mixed_share * lesson.mean_g + lesson.scale_sd_g:
        return belief
    units = min(lesson.units, policy.most_units)
    about_g2 = belief.sd_g**2
    off_g = lesson.mean_g - belief.mean_g
    expected_g2 = about_g2 / units + belief.mean_sd_g**2 + lesson.scale_sd_g**2 / lesson.units**2
    if abs(off_g) > policy.outlier_sd * math.sqrt(expected_g2):
        return _doubted(belief, lesson, units, at_ms, policy)
    return _averaged(belief, lesson, units, at_ms, policy)


def _averaged(belief: Belief, lesson: Lesson, units: int, at_ms: int, policy: LearningPolicy) -> Belief:
    weight = min(belief.weight, policy.memory_units)
    known = min(belief.spread_weight, policy.memory_spread)
    off_g = lesson.mean_g - belief.mean_g
    scatter_g2 = lesson.scatter_g2 * units / lesson.units
    groups = lesson.groups - 1
    if belief.units:
        scatter_g2 += weight * units / (weight + units) * off_g**2
        groups += 1
    return replace(
        belief,
        mean_g=belief.mean_g + units / (weight + units) * off_g,
        weight=weight + units,
        spread_g2=(known * belief.spread_g2 + scatter_g2) / (known + groups),
        spread_weight=known + groups,
        scale_sd_g=lesson.scale_sd_g,
        units=belief.units + lesson.units,
        sure=belief.sure or lesson.sure or belief.visits > 0,
        visits=belief.visits + 1,
        since_ms=belief.since_ms or at_ms,
        last_ms=at_ms,
        rival=_answered(belief.rival, lesson.units, policy),
    )


def _answered(rival: Rival | None, units: int, policy: LearningPolicy) -> Rival | None:
    """Units that fit speak against the rival, until there is nothing left of it."""
    if rival is None or rival.against + units > 2 * rival.units + policy.rival_units:
        return None
    return replace(rival, against=rival.against + units)


def _doubted(belief: Belief, lesson: Lesson, units: int, at_ms: int, policy: LearningPolicy) -> Belief:
    rival = belief.rival
    if rival is not None:
        within_g = policy.outlier_sd * math.sqrt(belief.sd_g**2 * (1 / units + 1 / rival.units))
        if abs(lesson.mean_g - rival.mean_g) > within_g:
            rival = None
    if rival is None:
        return replace(belief, rival=Rival(lesson.mean_g, units, 1, at_ms))
    both = rival.units + units
    mean_g = rival.mean_g + units / both * (lesson.mean_g - rival.mean_g)
    rival = replace(rival, mean_g=mean_g, units=both, visits=rival.visits + 1)
    if rival.visits < policy.rival_visits or both < policy.rival_units or both < rival.against:
        return replace(belief, rival=rival)
    share = mean_g / belief.mean_g  # the new package is filled as evenly as the old one, until it shows otherwise
    return replace(
        belief,
        mean_g=mean_g,
        weight=float(min(both, policy.most_units)),
        spread_g2=belief.spread_g2 * share**2,
        spread_weight=policy.spread_units,
        units=both,
        sure=True,
        visits=rival.visits,
        since_ms=rival.since_ms,
        last_ms=at_ms,
        rival=None,
    )


def off_share(belief: Belief) -> float:
    """How much heavier (or, negative, lighter) a unit is than the catalogue says, as a share."""
    return belief.mean_g / belief.prior_g - 1


def worth_telling(belief: Belief | None, product: Product, policy: LearningPolicy) -> bool:
    return belief is not None and in_use(belief, product, policy) and abs(off_share(belief)) > policy.notice_share
