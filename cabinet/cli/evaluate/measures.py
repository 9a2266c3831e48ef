"""Figures of a classifier: shares with intervals, open set, calibration.  Pure."""

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
BINS = 10


def wilson(hits: float, of: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (0, 1) where nothing was asked."""
    if of == 0:
        return 0.0, 1.0
    p = hits / of
    middle, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, (middle - half) / (1 + z * z / of)), min(1.0, (middle + half) / (1 + z * z / of))


def auroc(known: Numbers, unknown: Numbers) -> float | None:
    """Chance that a known product's score exceeds an unknown one's (Mann-Whitney); None without both."""
    if not len(known) or not len(unknown):
        return None
    _, place, count = np.unique(np.concatenate([known, unknown]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    n, m = len(known), len(unknown)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def reliability(confidence: Numbers, right: NDArray[np.bool_]) -> list[tuple[int, float, float]]:
    """Of each of BINS equal bins of confidence: how many, mean confidence, share right."""
    at = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for n in range(BINS):
        here = at == n
        count = int(here.sum())
        mean, share = (float(confidence[here].mean()), float(right[here].mean())) if count else (0.0, 0.0)
        rows.append((count, mean, share))
    return rows


def calibration_error(confidence: Numbers, right: NDArray[np.bool_]) -> float | None:
    """Expected calibration error (Naeini 2015): the bins' gaps, weighted by how many are in them."""
    if not len(confidence):
        return None
    return sum(count * abs(mean - share) for count, mean, share in reliability(confidence, right)) / len(confidence)
