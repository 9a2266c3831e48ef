"""How near a face must come, from how often a stranger may be taken for a member.

A stranger meets N templates, so with p(t) the chance that one pair of different people lies within t, the chance that
anybody is within t is 1 - (1 - p)^N (independent in the worst case; templates of one member are, nearly).  The
threshold is the largest t for which that stays within the budget.  p's tail is a normal distribution's, anchored
where it was measured.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

DIGITS: Final = 10_000  # of the last four
KNOWN: Final = 1e-4  # a stranger's chance to look like one member whose digits they know
WORST: Final = 0.5  # more often than so a stranger's face is never left to the digits alone


@dataclass(frozen=True, slots=True)
class Tail:
    """Distances between templates of different people, near the small end."""

    at: float  # a distance ...
    share: float  # ... and the share of pairs within it
    sd: float  # of the normal distribution whose tail it is


# The small network, every pair of different people of the ORL and colour sets (35,446; models/face-embed/results).
# More cautious by far than number 1944 of dlib's tracker, 0.05 % of a gallery of 30 million within 0.6: here 3 % of the
# pairs are.
INT8: Final = Tail(0.483, 6e-4, 0.08)


def pair_share(distance: float, tail: Tail = INT8) -> float:
    """p(t): the chance that a pair of different people lies within `distance`."""
    normal = NormalDist()
    return normal.cdf(normal.inv_cdf(tail.share) + (distance - tail.at) / tail.sd)


def threshold(templates: int, budget: float, tail: Tail = INT8) -> float:
    """The largest distance for which a stranger is taken for the owner of one of `templates` as often as `budget`."""
    normal = NormalDist()
    share = -(((1.0 - budget) ** (1.0 / max(templates, 1))) - 1.0)
    return tail.at + tail.sd * (normal.inv_cdf(max(share, 1e-15)) - normal.inv_cdf(tail.share))


def with_digits(templates: int, budget: float, tries: int, tail: Tail = INT8) -> float:
    """The same where the last four digits must agree as well, and may be guessed `tries` times.

    Whoever guesses gets through as often as their face lies near somebody's, times tries / 10,000.  Whoever knows a
    member's digits must still look like that one member: as often as `KNOWN`.
    """
    guessing = min(WORST, budget * DIGITS / tries)
    return min(threshold(templates, guessing, tail), threshold(1, KNOWN, tail))
