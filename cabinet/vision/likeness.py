"""From vectors to probabilities: how like each product of the gallery is what was seen, and how like none of them.

Pure arithmetic on unit vectors.  One formula for every use: score(product) = exp(z / temperature) / Z with
z = cosine + spread_weight * (spread - usual_spread), and `other` is one more product of constant z = other_threshold.
A product whose photographs differ much is expected to be met at a smaller cosine: that is what its spread buys.  The
four constants are fitted with the model (model.toml), never here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cabinet.units import Sku
from cabinet.vision.gallery import Gallery, Reference

PRIOR_SPREAD, PRIOR_COUNT = 0.3, 2  # of products of the training set, photographs from several shops
UNIT_TOLERANCE = 0.02  # of a class mean's length; a mean that is not of unit length was not made by us

Vectors = NDArray[np.float32]


class ForeignReferenceError(Exception):
    """A reference is no unit vector of this model."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Constants of one model."""

    temperature: float
    other_threshold: float  # the cosine that "something else" is given
    spread_weight: float
    usual_spread: float  # of products with five and more photographs


@dataclass(frozen=True, slots=True)
class Known:
    """A gallery as one matrix: made once, asked often."""

    gallery: Gallery
    skus: tuple[Sku, ...]
    means: Vectors  # products x dimension
    bonus: Vectors  # products


def reference_of(vectors: Vectors) -> Reference:
    """What is remembered of one product: `vectors` are photographs x dimension, of unit length.

    The spread of few photographs is drawn towards PRIOR_SPREAD, as if PRIOR_COUNT more had been seen.  Each is compared
    with the mean of the others, for a photograph lies near a mean that it is part of.
    """
    mean = unit(vectors.mean(0)[None])[0]
    count = len(vectors)
    observed = 0.0
    if count > 1:
        others = unit(vectors.sum(0) - vectors)
        observed = float(1 - (others * vectors).sum(1).mean())
    spread = (count * observed * (count > 1) + PRIOR_COUNT * PRIOR_SPREAD) / (count * (count > 1) + PRIOR_COUNT)
    return Reference(tuple(map(float, mean)), max(spread, 0.0), count)


def known(gallery: Gallery, dim: int, fit: Fit) -> Known:
    """Raises ForeignReferenceError naming the product whose reference another model made."""
    means = np.zeros((len(gallery), dim), np.float32)
    for row, (sku, reference) in zip(means, gallery.items(), strict=True):
        length = float(np.linalg.norm(reference.mean))
        if len(reference.mean) != dim or not abs(length - 1) < UNIT_TOLERANCE:
            raise ForeignReferenceError(sku)
        row[:] = reference.mean
    spreads = np.array([reference.spread for reference in gallery.values()], np.float32)
    bonus = fit.spread_weight * (spreads - fit.usual_spread)
    return Known(gallery, tuple(gallery), means, np.asarray(bonus, np.float32))


def probabilities(vectors: Vectors, among: Known, fit: Fit) -> NDArray[np.float64]:
    """`vectors`: crops x dimension, of unit length.  Returns crops x (products + 1), rows sum to 1, `other` is last."""
    z = np.empty((len(vectors), len(among.skus) + 1), np.float64)
    z[:, :-1] = np.einsum("cd,pd->cp", vectors, among.means) + among.bonus  # BLAS would wake threads: 2 ms when busy
    z[:, -1] = fit.other_threshold
    return softmax(z / fit.temperature)


def softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(z - z.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float64)


def unit(vectors: Sequence[Sequence[float]] | NDArray[Any]) -> Vectors:
    """Rows brought to unit length."""
    rows = np.asarray(vectors, np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), np.float32)
