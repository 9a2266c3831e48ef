"""What one change of one zone's mass may have been: goods taken, put back, swapped, a thing of one's own, nothing.

Each explanation carries its log weight: prior x mass likelihood x sight; `TallyPolicy.per_change` of them are kept.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp, fsum, log, pi, sqrt
from typing import NamedTuple

from cabinet.basket.candidates import Candidates, Goods, Guess, Weighed, named
from cabinet.basket.evidence import Header, Sighting
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.sight import FOREIGN, Seen, Sight, Units
from cabinet.units import CameraId, Sku, ZoneId

Cart = tuple[tuple[Sku, tuple[Weighed, ...], int], ...]  # (sku, units in the shopper's hands, of these from this zone)


@dataclass(frozen=True, slots=True)
class Change:
    zone: ZoneId
    delta_g: float
    sd_g: float
    looks: tuple[Sighting, ...] = ()
    pressed: bool = False  # levels in between are taken for a hand or a bag
    rest: bool = False  # what the zone's net has beyond its steps


class Explanation(NamedTuple):
    weight: float  # log; of it the masses' and the cameras' part:
    mass: float = 0.0
    sight: float = 0.0
    units: Units = ()
    flag: str = ""  # why a person must look, where this is what happened
    misplaced: bool = False  # the ledger does not know the product in this zone


@dataclass(slots=True)
class Case:
    """One change, and what the explainer found out about it so far."""

    change: Change
    window_g: float  # how far off a mass may be at all
    seen: Seen
    always: list[Explanation] = field(default_factory=list)  # whatever the shopper holds
    swaps: dict[Sku, list[Explanation]] = field(default_factory=dict)
    known: dict[Cart, tuple[Explanation, ...]] = field(default_factory=dict)


def _density(off_g: float, var: float) -> float:
    return exp(-0.5 * off_g * off_g / var) / sqrt(2 * pi * var)


class Explainer:
    """Explains changes of one visit's zones."""

    def __init__(
        self,
        header: Header,
        policy: TallyPolicy,
        sight: Sight,
        cameras: Mapping[ZoneId, tuple[CameraId, ...]],
        minutes: float,
        across: Mapping[ZoneId, tuple[Sighting, ...]],
    ) -> None:
        """`across`: looks of before and after, which say what may have left a zone, though not in which change."""
        self._header, self._policy, self._sight, self._cameras = header, policy, sight, cameras
        self.drift_wide_sd_g = policy.drift_wide_sd_g * max(1.0, minutes) ** 0.5
        self._candidates = Candidates(header, policy)
        self._across = across

    def case(self, change: Change) -> Case:
        """The change with what does not depend on the shopper; ask once for each change: it is the expensive part."""
        seen = self._sight.of(change.looks, self._cameras.get(change.zone, ()))
        case = Case(change, self._window(change), seen)
        case.always = self._without_cart(case)
        return case

    def explain(self, case: Case, cart: Cart) -> tuple[Explanation, ...]:
        """Best first; `cart` is what the story so far says the shopper holds."""
        if cart not in case.known:
            found = self._best([*case.always, *self._with_cart(case, cart)]) if cart else case.always
            case.known[cart] = tuple(found)
        return case.known[cart]

    def _window(self, change: Change) -> float:
        drift = 3 * self.drift_wide_sd_g if change.rest else 0.0
        return 15 + 5 * change.sd_g + 4 * self._policy.catalogue_wide_unlearnt * abs(change.delta_g) + drift

    def _best(self, found: list[Explanation]) -> list[Explanation]:
        found.sort(key=lambda e: (-e.weight, e.units, e.flag))
        worst = found[0].weight - self._policy.nats if found else 0.0
        return [e for e in found[: self._policy.per_change] if e.weight > worst]

    def _seen(self, case: Case, guesses: Iterable[Guess]) -> list[Explanation]:
        """Guesses with mass and sight weighed in; those that sight cannot save are left out."""
        bleed = log(self._policy.bleed) if case.change.rest else 0.0
        weighed = []
        for guess in guesses:
            mass = self._mass(case.change, guess)
            weighed.append((bleed + guess.prior + mass, mass, guess))
        weighed.sort(key=lambda three: (-three[0], three[2].goods.units))
        found = []
        for w, mass, guess in weighed[: 2 * self._policy.per_change]:
            if w > weighed[0][0] - self._policy.nats:
                sight = case.seen.log_ratio(guess.goods.units)
                found.append(Explanation(w + sight, mass, sight, guess.goods.units, misplaced=guess.misplaced))
        return found

    def _mass(self, change: Change, guess: Guess) -> float:
        """Log density of the change's grams; of several pieces that it may have been, their mean."""
        if guess.others:
            pieces = (guess.goods, *guess.others)
            return log(fsum(self._of(change, goods, 0.0) for goods in pieces) / len(pieces) + 1e-300)
        return log(self._of(change, guess.goods, guess.off_g) + 1e-300)

    def _of(self, change: Change, goods: Goods, off_g: float) -> float:
        off, w = change.delta_g + goods.mass_g, self._policy.wide_share
        var = change.sd_g**2 + goods.var_g2
        if off_g:
            return _density(off, var + off_g**2)
        wide = var + goods.wide_g2
        if change.rest:
            var, wide = var + self._policy.drift_sd_g**2, wide + self.drift_wide_sd_g**2
        return (1 - w) * _density(off, var) + w * _density(off, wide)

    # Whatever the shopper holds

    def _without_cart(self, case: Case) -> list[Explanation]:
        change, policy, goods = case.change, self._policy, self._candidates
        zone, delta_g, window_g = change.zone, change.delta_g, case.window_g
        guesses = [*goods.near(zone, -delta_g, window_g), *goods.misplaced(zone, delta_g, window_g)]
        if delta_g < -policy.step_g:
            looks = (*change.looks, *self._across.get(zone, ()))
            guesses += goods.off_catalogue(zone, delta_g, named(change.looks, "return", policy.named))
            guesses += goods.many(zone, -delta_g, window_g, named(looks, "return", policy.named))
        elif delta_g > policy.step_g:
            guesses += goods.alien(delta_g, window_g)
        flagged = (*self._without_goods(case), *self._exchanged(case), *self._bounced(case), *self._misweighed(case))
        return self._best([*self._seen(case, guesses), *flagged])

    def _without_goods(self, case: Case) -> Iterator[Explanation]:
        change, policy, delta = case.change, self._policy, case.change.delta_g
        unseen = case.seen.log_ratio(())
        if change.rest:
            share, sd, wide = 1 - policy.bleed, policy.drift_sd_g, self.drift_wide_sd_g
        else:
            share, sd = 0.5 if change.pressed else policy.nothing, policy.nothing_sd_g
            wide = sd
        w = policy.wide_share
        near = (1 - w) * _density(delta, sd**2 + change.sd_g**2) + w * _density(delta, wide**2 + change.sd_g**2)
        mass = log(near + 1e-300)
        yield Explanation(log(share) + mass + unseen, mass, unseen)
        if abs(delta) < policy.step_g:
            return
        what = f"{change.zone}: {delta:+.0f} g that no product explains"
        rarely = self._rarely(change)
        spread = log(1 / policy.heaviest_g)  # any mass is as likely as another
        yield Explanation(rarely + log(policy.unexplained) + spread + unseen, spread, unseen, flag=what)
        if delta > 0:
            yield self._foreign(case, spread)

    def _rarely(self, change: Change) -> float:
        return log(self._policy.bleed) if change.rest else 0.0

    def _foreign(self, case: Case, mass: float) -> Explanation:
        """A thing that is not from here came; `mass`: log density of its grams."""
        what = f"{case.change.zone}: something of {case.change.delta_g:.0f} g was left that is not from here"
        seen = case.seen.log_ratio(((FOREIGN, -1),))
        weight = self._rarely(case.change) + log(self._policy.foreign) + mass + seen
        return Explanation(weight, mass, seen, ((FOREIGN, -1),), flag=what)

    def _exchanged(self, case: Case) -> Iterator[Explanation]:
        """A product left and a thing of about its mass, not from here, came before the shelf came to rest.

        Worth a thought only where a camera named the product leaving.
        """
        change, policy, held = case.change, self._policy, self._candidates.stock[case.change.zone]
        if abs(change.delta_g) > policy.exchange_g:
            return
        prior = log(policy.exchange / max(1, len(held)))
        spread = log(1 / (2 * policy.exchange_g))
        for sku in named((*change.looks, *self._across.get(change.zone, ())), "return", policy.named):
            if sku in held:
                units = ((FOREIGN, -1), (sku, 1))
                seen = case.seen.log_ratio(units)
                what = f"{change.zone}: {self._header.catalog[sku].name} may have been exchanged for another thing"
                yield Explanation(prior + spread + seen, spread, seen, units, flag=what)

    def _bounced(self, case: Case) -> Iterator[Explanation]:
        """A product that a camera named was lifted and put back before the shelf came to rest: nothing left."""
        change, policy, held = case.change, self._policy, self._candidates.stock[case.change.zone]
        for sku in named(change.looks, "", policy.named):
            if sku in held:
                off_g2 = (policy.same_piece * self._header.catalog[sku].mass_g) ** 2 + change.sd_g**2
                mass = log(_density(change.delta_g, off_g2 + policy.drift_sd_g**2 * change.rest) + 1e-300)
                seen = case.seen.log_ratio(((sku, -1), (sku, 1)))
                yield Explanation(log(policy.bounced / len(held)) + mass + seen, mass, seen)

    def _misweighed(self, case: Case) -> Iterator[Explanation]:
        """A camera named what left, and the grams are not its: a broken cell, or what nobody thought of."""
        change, policy, held = case.change, self._policy, self._candidates.stock[case.change.zone]
        if change.delta_g > -policy.step_g:
            return
        for sku in named(change.looks, "return", policy.named):
            product = self._header.catalog.get(sku)
            if product is not None and sku in held and -change.delta_g < 1.2 * product.mass_g:  # more: two of something
                spread = log(1 / product.mass_g)
                seen = case.seen.log_ratio(((sku, 1),))
                prior = log(policy.misweighed / len(held)) + self._rarely(change)
                what = f"{change.zone}: {product.name} was seen to leave, and {change.delta_g:+.0f} g are not its mass"
                yield Explanation(prior + spread + seen, spread, seen, ((sku, 1),), flag=what)

    # By what the shopper holds

    def _with_cart(self, case: Case, cart: Cart) -> Iterator[Explanation]:
        change, policy = case.change, self._policy
        home = {sku: 0.0 if here > 0 else log(policy.elsewhere) for sku, _, here in cart}
        if change.delta_g > 0:
            held = {sku: pieces for sku, pieces, _ in cart}
            yield from self._seen(case, self._candidates.returns(change.delta_g, case.window_g, held, home))
        if change.delta_g > policy.step_g:
            yield self._foreign(case, self._alike(change, cart))
        share = log(len(cart))
        for sku, way in home.items():
            if sku not in case.swaps:
                swapped = self._candidates.swapped(change.zone, change.delta_g, case.window_g, sku)
                case.swaps[sku] = self._best(self._seen(case, swapped))
            for swap in case.swaps[sku]:
                if swap.weight < case.always[0].weight - policy.nats:
                    break
                yield swap._replace(weight=swap.weight + way - share)

    def _alike(self, change: Change, cart: Cart) -> float:
        """Log density of a thing that somebody chose to weigh what a product in their hands weighs."""
        pieces = [mass_g for _, held, _ in cart for mass_g, _ in held]
        off = [_density(change.delta_g - g, (self._policy.alike_g + self._policy.alike * g) ** 2) for g in pieces]
        return log(0.5 * fsum(off) / len(off) + 1e-300)
