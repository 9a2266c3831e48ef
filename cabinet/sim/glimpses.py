"""What the interior cameras make of a movement, without frames: a confusion model for the fast depth.

Shares and scores are parameters with their source.  (M) measured on this project's pictures (models/item/results.md,
`cabinet eval`), (D) found elsewhere, (J) judgement.  The true depth renders frames and recognises them instead.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cabinet.basket.evidence import Camera, Sighting
from cabinet.units import CameraId, Sku, ZoneId

Action = Literal["take", "return", "unknown"]


@dataclass(frozen=True, slots=True)
class Confusion:
    noticed: float = 0.85  # a camera that sees the zone notices a unit crossing its edge (M: 80 to 90 %)
    right: float = 0.86  # the best score is the truth, product in a hand, any pose, four references (D: 12 drinks)
    near: float = 0.8  # of the mistakes, how many name a look-alike (D: top-3 is 97 % where top-1 is 86 %)
    directed: float = 0.7  # a burst's direction is told; else `unknown` (M: bottles video, conservative finder)
    wrong_way: float = 0.03  # ... and told wrong (J)
    sure: tuple[float, float] = (0.45, 0.95)  # best score where it is right, uniform (M: item model's calibration)
    unsure: tuple[float, float] = (0.35, 0.7)  # and where it is wrong: calibrated scores are lower then
    lag_s: tuple[float, float] = (0.35, 0.5)  # from the movement's end to its sighting (M: bursts end 0.4 s later)
    compared: float = 0.93  # before and after: a changed front unit is found (M: 10 of 10 pairs; interval from 0.72)
    compared_right: float = 0.97  # and named right, tight crop on a shelf (M: 99.2 % whole photographs, 5 references)
    hidden: float = 0.5  # a unit behind others changes nothing that this share of looks could see (J)
    phantom: float = 0.02  # a visit with a sighting of nothing (J: printed clothing, CHAI)

    def blind(self) -> "Confusion":
        """No camera sees anything."""
        return Confusion(noticed=0, compared=0, phantom=0)


@dataclass
class Glimpses:
    """Sightings as a witness would write them, `t` in the caller's seconds."""

    cameras: Mapping[CameraId, Camera]
    catalog: Sequence[Sku]
    alike: Mapping[Sku, Sequence[Sku]]  # look-alikes of a product
    dice: random.Random
    confusion: Confusion = field(default_factory=Confusion)

    def moved(
        self, t: float, zone: ZoneId, sku: Sku | None, action: Action, blind: frozenset[CameraId]
    ) -> list[Sighting]:
        """A unit crossed the zone's edge at t.  `sku` None: a thing that the catalogue does not know."""
        c, dice = self.confusion, self.dice
        found = []
        for name, camera in self.cameras.items():
            if zone not in camera.sees or name in blind or dice.random() >= c.noticed:
                continue
            told: Action = action if dice.random() < c.directed else "unknown"
            if told != "unknown" and dice.random() < c.wrong_way:
                told = "return" if told == "take" else "take"
            at = round(t + dice.uniform(*c.lag_s), 4)
            scores, other = self._scores(sku, c.right)
            found.append(Sighting(at, name, zone, told, round(at - 0.7, 4), at, scores, other))
        return found

    def compared(
        self, t0: float, t: float, zone: ZoneId, changes: Mapping[Sku | None, int], blind: frozenset[CameraId]
    ) -> list[Sighting]:
        """Pictures before (t0) and after (t): `changes` units of each product left (-) or came (+)."""
        c, dice = self.confusion, self.dice
        found = []
        for name, camera in self.cameras.items():
            if zone not in camera.sees or name in blind:
                continue
            for sku, n in changes.items():
                for unit in range(abs(n)):
                    if dice.random() < c.compared * (c.hidden if unit else 1.0):
                        scores, other = self._scores(sku, c.compared_right)
                        action: Action = "take" if n < 0 else "return"
                        found.append(Sighting(t, name, zone, action, t0, t, scores, other))
            if not changes and dice.random() < c.phantom / len(self.cameras):
                scores, other = self._scores(dice.choice(self.catalog), c.compared_right)
                found.append(Sighting(t, name, zone, "unknown", t0, t, scores, other))
        return found

    def _scores(self, sku: Sku | None, share_right: float) -> tuple[dict[Sku, float], float]:
        """Probabilities over the best few products; what is left is `other`."""
        c, dice = self.confusion, self.dice
        right = dice.random() < share_right
        if sku is None:  # own bottle: mostly "something else", now and then taken for a product
            top = round(dice.uniform(0.05, 0.3 if right else 0.6), 4)
            return {dice.choice(self.catalog): top}, round(1 - top, 4)
        near = [other for other in self.alike.get(sku, ()) if other in self.catalog]
        best = sku
        if not right:
            wrong = [other for other in self.catalog if other != sku] or self.catalog
            best = dice.choice(near) if near and dice.random() < c.near else dice.choice(wrong)
        top = dice.uniform(*(c.sure if best == sku else c.unsure))
        others = list(dict.fromkeys((sku, *near, *dice.sample(self.catalog, min(3, len(self.catalog))))))[:4]
        weights = {s: dice.expovariate(1) * (2.0 if s in near or s == sku else 1.0) for s in others if s != best}
        total = sum(weights.values()) + 1e-9
        scores = {best: round(top, 4)} | {s: round((1 - top) * 0.7 * w / total, 4) for s, w in weights.items()}
        return scores, round(1 - sum(scores.values()), 4)
