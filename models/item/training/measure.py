"""Few-shot, open-set and calibration measures on vectors: numpy only, dice seeded."""

import math

import numpy as np


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)


def class_means(
    vectors: np.ndarray, names: np.ndarray, wanted: list[str], k: int, dice: np.random.Generator
) -> np.ndarray:
    """One unit vector a class: the mean of k randomly drawn unit vectors of it."""
    rows = [dice.choice(np.flatnonzero(names == n), k, replace=False) for n in wanted]
    return unit(np.stack([unit(vectors[r]).mean(0) for r in rows]))


def few_shot(refs, ref_names, queries, query_names, wanted, k, rounds=50, seed=0):
    """Mean top-1 and top-3 over `rounds` random choices of references, and each query's share of rounds right."""
    dice = np.random.default_rng(seed)
    asked = np.isin(query_names, wanted)
    q, truth = unit(queries[asked]), np.array([wanted.index(n) for n in query_names[asked]])
    top1, top3 = np.zeros(len(q)), np.zeros(len(q))
    for _ in range(rounds):
        order = np.argsort(-(q @ class_means(refs, ref_names, wanted, k, dice).T), 1)
        top1 += order[:, 0] == truth
        top3 += (order[:, :3] == truth[:, None]).any(1)
    return top1 / rounds, top3 / rounds


def wilson(p: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share p seen on n independent cases."""
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def auroc(known: np.ndarray, unknown: np.ndarray) -> float:
    """Chance that a known product's best similarity exceeds an unknown one's."""
    joined = np.concatenate([known, unknown])
    _, place, count = np.unique(joined, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    n, m = len(known), len(unknown)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def open_set(refs, ref_names, queries, query_names, wanted, size, k, rounds, seed=0):
    """Similarities of queries to galleries of `size` classes; the other wanted classes play the unknown.

    Returns rows of similarities (N, size) and the true column, or -1 for an unknown product.
    """
    dice = np.random.default_rng(seed)
    sims, truth = [], []
    asked = np.isin(query_names, wanted)
    q, names = unit(queries[asked]), query_names[asked]
    for _ in range(rounds):
        gallery = [str(n) for n in dice.choice(wanted, size, replace=False)]
        sims.append(q @ class_means(refs, ref_names, gallery, k, dice).T)
        truth.append(np.array([gallery.index(n) if n in gallery else -1 for n in names]))
    return np.concatenate(sims), np.concatenate(truth)


def probabilities(sims: np.ndarray, temperature: float, threshold: float) -> np.ndarray:
    """Columns: one a class, then `other`, whose similarity is the threshold."""
    z = np.concatenate([sims, np.full((len(sims), 1), threshold)], 1) / temperature
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def log_loss(sims, truth, temperature, threshold) -> float:
    """Known and unknown queries weigh the same."""
    p = probabilities(sims, temperature, threshold)
    hit = -np.log(np.maximum(p[np.arange(len(p)), np.where(truth < 0, p.shape[1] - 1, truth)], 1e-9))
    return float((hit[truth >= 0].mean() + hit[truth < 0].mean()) / 2)


def calibrate(sims, truth) -> tuple[float, float]:
    """The temperature and the threshold of least log loss, on a grid."""
    grid = [(t, c) for t in np.geomspace(0.02, 0.4, 25) for c in np.linspace(0.0, 0.95, 39)]
    temperature, threshold = min(grid, key=lambda tc: log_loss(sims, truth, *tc))
    return float(temperature), float(threshold)
