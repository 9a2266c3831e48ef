"""A barcode read on what moves names the product: stronger evidence than its looks, where it can be read at all.

Refuses to guess: a text that is no product of the gallery is nothing, a code that can be read at the same place in the
resting picture belongs to something that stands there, and two different codes in one burst name neither.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cabinet.units import Sku
from cabinet.vision.pictures import Box, Picture, cut

READ_EVERY_S = 0.5  # a crop costs 5 to 40 ms
SURE = 0.97  # a check digit lets one misread in ten pass, and what was read need not be what left


class CodesLike(Protocol):
    """The part of a reader of codes that vision needs."""

    def read(self, picture: Picture) -> Sequence[str]: ...


@dataclass
class BarcodeFinder:
    """One camera during one visit."""

    reader: CodesLike
    _last_s: float = float("-inf")

    def read(
        self, picture: Picture, resting: Picture | None, box: Box, at_s: float, skus: Collection[Sku]
    ) -> frozenset[Sku]:
        """The products whose code moves within the box; nothing if it is too soon after the last reading.

        Raises whatever the reader raises.
        """
        if at_s - self._last_s < READ_EVERY_S or not skus:
            return frozenset()
        self._last_s = at_s
        found = _named(self.reader.read(cut(picture, box)), skus)
        if found and resting is not None and resting.shape == picture.shape:
            found -= _named(self.reader.read(cut(resting, box)), skus)
        return found


def _named(texts: Sequence[str], skus: Collection[Sku]) -> frozenset[Sku]:
    """UPC-A is EAN-13 with a leading zero, and catalogues write either."""
    known = {str(sku).lstrip("0"): sku for sku in skus if str(sku).isdecimal()}
    return frozenset(known[text.lstrip("0")] for text in texts if text.isdecimal() and text.lstrip("0") in known)


def convinced(scores: Mapping[Sku, float], other: float, codes: Collection[Sku]) -> tuple[dict[Sku, float], float]:
    """Scores that believe the one code that was read; as they were if none or several were."""
    if len(codes) != 1:
        return dict(scores), other
    (sku,) = codes
    rest = sum(share for name, share in scores.items() if name != sku) + other
    if scores.get(sku, 0.0) >= SURE or rest <= 0:
        return dict(scores), other
    left = (1 - SURE) / rest
    return {name: share * left for name, share in scores.items() if name != sku} | {sku: SURE}, other * left
