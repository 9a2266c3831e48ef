"""What the cameras say of a story's glimpses: mostly right, sometimes wrong, missing or doubled."""

import re
from typing import Any

import numpy as np

from tests.foreign.play import Glimpse, Play
from tests.foreign.shop import SEES, Rng, Shop

SEEN = 0.78  # a move is seen by a camera that looks there: examples 14 of 18
DOUBLED = 0.04  # the same move told twice by one camera: a hand that halts at the edge
LOGIT, LOGIT_SD = 4.8, 1.5  # of the true SKU over the others' 0 and 1: examples' scores 0.15 to 0.99, 1 of 14 wrong
ALIKE = 1.2  # added to a SKU of the same brand: packages look alike
KEPT = 6  # scores written: the examples
WINDOW_S = 0.7  # t1 - t0: the examples


def sightings(play: Play) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    dead = play.marks.get("dead_cameras", ())
    for glimpse in play.glimpses:
        mistaken = play.marks.get("misled", {}).get(glimpse.sku)
        for camera, sees in SEES.items():
            if glimpse.zone not in sees or camera in dead:
                continue
            times = int(play.rng.random() < SEEN) + int(play.rng.random() < DOUBLED)
            if glimpse.wrong:  # a view that deceives one camera seldom deceives the other
                times = int(play.rng.random() < 0.45)
            told += [_one(play, glimpse, camera, mistaken, late=n * play.u(0.1, 0.4)) for n in range(times)]
    return told


def _one(play: Play, glimpse: Glimpse, camera: str, mistaken: str | None, late: float) -> dict[str, Any]:
    t = round(glimpse.at_s + play.u(0.3, 0.6) + late + play.knobs.lag_s, 3)
    scores, other = score(play.rng, play.shop, mistaken or glimpse.sku)
    return {
        "t": t,
        "type": "sighting",
        "camera": camera,
        "zone": glimpse.zone,
        "action": glimpse.action if play.rng.random() > 0.02 else "unknown",
        "t0": round(t - WINDOW_S, 3),
        "t1": t,
        "scores": scores,
        "other": other,
    }


def score(rng: Rng, shop: Shop, sku: str | None) -> tuple[dict[str, float], float]:
    """Probabilities of the six best, and of everything else."""
    skus = list(shop.goods)
    logits = rng.normal(0.0, 1.0, len(skus))
    strange = rng.normal(0.0, 1.0)
    if sku is None:
        strange = rng.normal(LOGIT - 0.5, LOGIT_SD)
    else:
        brand = _brand(shop.goods[sku].name)
        logits += [ALIKE * (_brand(shop.goods[s].name) == brand) for s in skus]
        logits[skus.index(sku)] = rng.normal(LOGIT, LOGIT_SD)
    weights = np.exp(np.append(logits, strange))
    weights /= weights.sum()
    best = np.argsort(-weights[:-1])[:KEPT]
    scores = {skus[i]: round(float(weights[i]), 4) for i in best}
    return scores, round(1.0 - sum(scores.values()), 4)


def _brand(name: str) -> str:
    return re.split(r"[\s,']+", name.strip().lower())[0]
