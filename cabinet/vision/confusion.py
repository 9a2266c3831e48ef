"""Which photographs do not belong to a product, and which products will be taken for each other.

Pure arithmetic on unit vectors and references; pictures and names of products are somebody else's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from cabinet.units import Sku
from cabinet.vision.gallery import Gallery, Reference
from cabinet.vision.likeness import Vectors, unit

LEAST_PHOTOS = 3  # with fewer nobody knows which of them is the stranger
# Chosen on vectors of products, five photographs each: 1 % of 210 clean sets refused, 89 % of strangers caught by their
# siblings alone; 0.2 / 0.35 / 4 would catch 98 % and refuse 10 %.  A stranger of the catalogue is caught by FOREIGN.
FAR = 0.4  # a photograph so much less like its siblings than they are like each other (cosine) ...
DEVIATIONS = 5.0  # ... and so many deviations of theirs (median absolute, as standard) is an outlier
FOREIGN = 0.1  # or one that is so much more like another product than like its own siblings
NOT_ALIKE = 0.25  # below this cosine to its siblings it shows something else, however much they differ
DIRECTIONS = 16.0  # in so many directions the photographs of one product scatter evenly; an estimate, not a law
WORTH_TELLING = 0.02  # a share of mix-ups below it is lost among other errors


@dataclass(frozen=True, slots=True)
class Outlier:
    """A photograph (by its row) that does not show what the others show."""

    row: int
    likeness: float  # cosine to the mean of its siblings
    usual: float  # the siblings' median
    like: Sku | None  # a product of the gallery that it is more like


def outliers(vectors: Vectors, gallery: Gallery) -> list[Outlier]:
    """`vectors`: photographs x dimension of one product, of unit length.  `gallery`: the other products."""
    if len(vectors) < LEAST_PHOTOS:
        return []
    own = _likeness(vectors)
    middle = float(np.median(own))
    deviation = 1.4826 * float(np.median(np.abs(own - middle)))
    others = np.array([reference.mean for reference in gallery.values()], np.float32).reshape(-1, vectors.shape[1])
    found = []
    for row, likeness in enumerate(map(float, own)):
        foreign = others @ vectors[row] if len(others) else np.zeros(0, np.float32)
        nearest = int(foreign.argmax()) if len(foreign) else -1
        like = tuple(gallery)[nearest] if nearest >= 0 and float(foreign[nearest]) > likeness + FOREIGN else None
        far = middle - likeness > max(FAR, DEVIATIONS * deviation) or likeness < min(NOT_ALIKE, middle - FAR / 2)
        if like is not None or far:
            found.append(Outlier(row, likeness, middle, like))
    return found


def _likeness(vectors: Vectors) -> NDArray[np.float32]:
    """Cosine of each photograph to the mean of its siblings, and not much above the one to the middle sibling."""
    among = vectors @ vectors.T
    np.fill_diagonal(among, np.nan)
    pairwise = np.nanmedian(among, axis=1)
    others = unit(vectors.sum(0) - vectors)
    return np.asarray(np.minimum((others * vectors).sum(1), pairwise + FAR), np.float32)


def mixed_up(one: Reference, other: Reference) -> float:
    """The share of photographs of `one` that will look more like `other`: an estimate from means and spreads.

    A photograph is 1 - spread along its own mean and scatters evenly in DIRECTIONS directions; it is mixed up where its
    part along the difference of the means turns negative.  Symmetric in the means, not in the spreads.
    """
    return _share(float(np.dot(one.mean, other.mean)), one.spread)


def _share(cosine: float, spread: float) -> float:
    along, differ = max(0.0, 1.0 - spread), max(1.0 - cosine, 0.0)
    scatter = sqrt(max(1.0 - along * along, 1e-9) / DIRECTIONS) * sqrt(max(2.0 * differ, 1e-9))
    return 0.5 * erfc(along * differ / scatter / sqrt(2.0))


def mixing(references: Sequence[Reference]) -> NDArray[np.float64]:
    """`mixed_up` of every pair at once: products x products, row is taken for column; zero on the diagonal."""
    if not references:
        return np.zeros((0, 0))
    means = np.array([reference.mean for reference in references], np.float32)
    cosines = np.einsum("ad,bd->ab", means, means)
    shares = [[_share(float(c), r.spread) for c in row] for r, row in zip(references, cosines, strict=True)]
    found = np.array(shares)
    np.fill_diagonal(found, 0.0)
    return found


def confusable(sku: Sku, reference: Reference, gallery: Gallery) -> list[tuple[Sku, float]]:
    """Other products that it will be taken for or that will be taken for it, the worst first, with the larger share."""
    shares = [
        (other, max(mixed_up(reference, there), mixed_up(there, reference)))
        for other, there in gallery.items()
        if other != sku
    ]
    return sorted((pair for pair in shares if pair[1] > WORTH_TELLING), key=lambda pair: -pair[1])


def separating_g(spread_a_g: float, spread_b_g: float, noise_g: float, deviations: float = 3.0) -> float:
    """The difference of two masses (grams) from which on a cell tells one unit of them apart: both spreads and the
    noise of two settled levels, `deviations` standard deviations.
    """
    return deviations * sqrt(spread_a_g**2 + spread_b_g**2 + 2 * noise_g**2)
