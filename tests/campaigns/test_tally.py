"""How often the tally is right, over many drawn visits of honest people; says so with its uncertainty.

CABINET_VISITS: how many visits each shop sees; CABINET_SEED: whose dice.
"""

import math
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from cabinet.basket.evidence import Header, Product, Visit
from cabinet.basket.score import Truth, score
from cabinet.basket.tally import tally
from cabinet.units import Sku, ZoneId
from tests.basket.visits import Scene, header
from tests.benchmarks.figures import ranked

pytestmark = pytest.mark.campaign

VISITS = int(os.environ.get("CABINET_VISITS", "600"))
SEED = int(os.environ.get("CABINET_SEED", "482007"))
ZONES = 4
MASS_G = (25.0, 1100.0)  # from a bag of sweets to a litre: log-uniform
SPREAD = (0.005, 0.011)  # of a unit's mass, one sd
ACTS = ("take", "two", "same", "back", "elsewhere", "press")
HOW_OFTEN = (6.0, 1.5, 1.0, 1.5, 0.7, 1.0)
MOST_OF_ONE = 3
NAMES = {"exact": "exact", "over": "over", "under": "under", "swap": "swap", "wrong-review": "review"}


@dataclass
class Campaign:
    """One kind of shop, many visits."""

    skus: int
    scores: Counter[str] = field(default_factory=Counter)
    took_ms: list[float] = field(default_factory=list)

    def run(self, visits: int, seed: int) -> None:
        for number in range(visits):
            basket, visit = honest(random.Random(seed * 1_000_003 + self.skus * 500_000 + number), self.skus)
            began_s = time.process_time()
            verdict = tally(visit)
            self.took_ms.append(1000 * (time.process_time() - began_s))
            self.scores[NAMES[score(verdict, Truth(basket))]] += 1

    def share(self, name: str) -> float:
        return self.scores[name] / self.scores.total()

    def told(self) -> str:
        total = self.scores.total()
        lines = [f"tally: {self.skus} products in {ZONES} zones, {total} honest visits, seed {SEED}"]
        for name in NAMES.values():
            low, high = wilson(self.scores[name], total)
            lines.append(f"  {name:7}{self.scores[name]:6}{self.share(name):9.2%}  [{low:.2%}, {high:.2%}]")
        shares = {"median": 0.5, "p95": 0.95, "max": 1.0}
        times = ", ".join(f"{name} {ranked(self.took_ms, share):.0f} ms" for name, share in shares.items())
        return "\n".join([*lines, f"  CPU time of a tally: {times}"])


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share, n = hits / total, total
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def honest(dice: random.Random, skus: int) -> tuple[dict[Sku, int], Visit]:
    """A shop and what somebody did in it who hides nothing, with whatever the cells and cameras made of that."""
    scene = Scene(shop(dice, skus), seed=dice.randrange(1 << 30))
    scene.drift_g = dice.choice((0.5, 1.0, 3.0))
    home = {sku: zone for zone, there in scene.header.planogram.items() for sku in there}
    t = scene.opened_t + dice.uniform(0.5, 1.5)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        sku = dice.choice(list(home))
        if scene.basket.get(sku, 0) < MOST_OF_ONE:
            t = act(scene, dice, home, t, sku) + dice.uniform(0.8, 2.5)
    visit = scene.visit(t + dice.uniform(-0.6, 1.0), slam_g=dice.choice((20.0, 60.0)))
    return scene.basket, visit


def act(scene: Scene, dice: random.Random, home: Mapping[Sku, ZoneId], t: float, sku: Sku) -> float:
    """One thing that a shopper does from `t` on; when it was over."""
    zone = home[sku]
    match dice.choices(ACTS, HOW_OFTEN)[0]:
        case "take":
            scene.take(t, zone, sku, over_s=dice.choice((0.3, 0.3, 0.5, 2.0)))
        case "same":
            scene.take(t, zone, sku)
            scene.take(t + dice.uniform(0.0, 0.2), zone, sku)
        case "two":
            other = dice.choice(list(home))
            scene.take(t, zone, sku)
            scene.take(t + dice.uniform(0.0, 0.3), home[other], other)
        case "press":
            scene.press(t, zone, dice.uniform(100, 2000), dice.uniform(0.5, 2.0))
            t += 2.0
        case back:
            scene.take(t, zone, sku)
            t += dice.uniform(1.2, 3.0)
            scene.put(t, zone if back == "back" else dice.choice(sorted(set(home.values()))), sku)
    return t


def shop(dice: random.Random, skus: int) -> Header:
    low, high = (math.log(mass_g) for mass_g in MASS_G)
    masses_g = [round(math.exp(dice.uniform(low, high)), 1) for _ in range(skus)]
    catalog = {
        Sku(f"{n:02}"): Product(f"product {n}", mass_g, 200, max(0.6, mass_g * dice.uniform(*SPREAD)))
        for n, mass_g in enumerate(masses_g)
    }
    names = list(catalog)
    return header(catalog, {f"s{zone + 1}": names[zone::ZONES] for zone in range(ZONES)})


@pytest.mark.parametrize(("skus", "exact", "over"), [(12, 0.95, 0.02), (24, 0.92, 0.02)])
def test_honest_people_are_charged_right(
    skus: int, exact: float, over: float, capfd: pytest.CaptureFixture[str]
) -> None:
    campaign = Campaign(skus)
    campaign.run(VISITS, SEED)
    with capfd.disabled():
        sys.stderr.write(f"\n{campaign.told()}\n")
    assert campaign.share("exact") >= exact
    assert campaign.share("over") + campaign.share("swap") <= over
