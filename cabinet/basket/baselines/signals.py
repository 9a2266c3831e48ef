"""The masses of a visit on one even clock, as both baselines read them.  Knows no products.

Numpy is imported with this module: nothing that runs in the cabinet imports it.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cabinet.basket.evidence import Mass, Visit
from cabinet.units import ZoneId

Signal = NDArray[np.float64]
HZ = 60.0  # of the contest's plates; 60 samples are a second
LONGEST_S = 4 * 3600.0  # a trace that claims more has a broken clock: it is cut there, so that memory stays bounded


def signals(visit: Visit, hz: float = HZ) -> tuple[float, Mapping[ZoneId, Signal]]:
    """The first t, and of each zone that was weighed its grams from there, straight lines over what is missing."""
    masses = [e for e in visit.events if isinstance(e, Mass) and e.g]
    if not masses:
        return 0.0, {}
    first_t = min(mass.t for mass in masses)
    last_t = min(max(mass.t + len(mass.g) / mass.hz for mass in masses), first_t + LONGEST_S)
    at = first_t + np.arange(max(1, int((last_t - first_t) * hz))) / hz
    found = {}
    for zone in sorted({mass.zone for mass in masses}):
        mine = [mass for mass in masses if mass.zone == zone]
        t = np.concatenate([mass.t + np.arange(len(mass.g)) / mass.hz for mass in mine])
        g = np.concatenate([np.array(mass.g, np.float64) for mass in mine])  # a flagged sample, None, becomes NaN
        good = np.isfinite(g)
        if good.any():
            order = np.argsort(t[good], kind="stable")
            found[zone] = np.interp(at, t[good][order], g[good][order])
    return first_t, found
