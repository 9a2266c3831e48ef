"""What left or came, of each changed place: sight's word on a visit, from the pictures before and after it.

Two witnesses are asked about the direction: the recogniser (on which of the two pictures is there a product?) and the
geometry of the change (a thing's own picture differs over all of its surface, the bare shelf behind it is found again
beside it).  Where they contradict each other the answer is `unknown`; an error is raised, never turned into "nothing".
"""

from collections.abc import Mapping
from math import log

from cabinet.units import Sku, ZoneId
from cabinet.vision.change import Region, compare
from cabinet.vision.gallery import Gallery, Reference
from cabinet.vision.pictures import Action, Box, Judge, Picture, Polygon, ScoresLike, Seen, cut

UNKNOWN = 0.5  # of `other`: neither picture shows a product of the gallery
ITSELF = Sku("itself")
BOTH = 0.5  # both sides show a product, and not the same one: one was taken and another put in its place
SURE = 0.35  # natural log of the odds for a direction below which none is named
SHAPE_WEIGHT = 2.0  # lost : gained is usually 1.3 to 3; the recogniser's odds are cut at LOUDEST
LOUDEST = 2.0  # e^2 = 7 : 1
TINY = 0.02  # keeps logarithms of empty shares finite
PAD = 0.03  # of the box on each side: recognisers know products with a little air around them


def look(
    before: Picture, after: Picture, zones: Mapping[ZoneId, Polygon], recogniser: Judge, gallery: Gallery
) -> list[Seen]:
    """What crossed each zone's edge between two pictures (BGR, one camera; polygons in pixels of `before`).

    Raises ValueError for no picture, and whatever the recogniser raises.
    """
    comparison = compare(before, after, zones)
    laid = comparison.alignment.after
    seen: list[Seen] = []
    for region in comparison.regions:
        box = padded(region.box, before.shape[1], before.shape[0])
        crops = cut(before, box), cut(laid, box)
        there, now = recogniser.scores(crops[0], gallery), recogniser.scores(crops[1], gallery)
        if min(there.other, now.other) > UNKNOWN and _alike(*crops, recogniser):
            continue  # the rim of a shelf or of a thing that stands where it stood, not quite laid over itself
        seen += judge(region, there, now)
    return seen


def _alike(before: Picture, after: Picture, recogniser: Judge) -> bool:
    """Whether the recogniser takes both for pictures of the same thing, whatever it is."""
    return recogniser.scores(after, {ITSELF: Reference(tuple(recogniser.embed(before)))}).other < 0.5


def judge(region: Region, before: ScoresLike, after: ScoresLike) -> list[Seen]:
    """One changed place, told by what the recogniser says of it in both pictures: one Seen, or two where one product
    was exchanged for another.
    """
    best = best_sku(before), best_sku(after)
    shape = log((region.lost + TINY) / (region.gained + TINY))
    if before.other < 1 - BOTH and after.other < 1 - BOTH and best[0] != best[1] and abs(shape) * SHAPE_WEIGHT < SURE:
        return [_seen(region, "take", before), _seen(region, "return", after)]
    odds = log((1 - before.other + TINY) / (1 - after.other + TINY))
    odds = max(-LOUDEST, min(odds, LOUDEST))
    total = odds + SHAPE_WEIGHT * shape
    contradiction = odds * shape < 0 and min(abs(odds), abs(SHAPE_WEIGHT * shape)) > SURE
    action: Action = "unknown"
    if abs(total) > SURE and not contradiction:
        action = "take" if total > 0 else "return"
    return [_seen(region, action, before if total >= 0 else after)]


def best_sku(scores: ScoresLike) -> Sku | None:
    return max(scores.skus, key=scores.skus.__getitem__, default=None)


def padded(box: Box, width: int, height: int, share: float = PAD) -> Box:
    left, top, right, bottom = box
    across, down = round((right - left) * share), round((bottom - top) * share)
    return max(left - across, 0), max(top - down, 0), min(right + across, width), min(bottom + down, height)


def _seen(region: Region, action: Action, scores: ScoresLike) -> Seen:
    return Seen(region.zone, action, dict(scores.skus), scores.other, region.box)
