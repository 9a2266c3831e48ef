"""Every noise figure of the cells and of the eyes halved and doubled, one at a time: how the whole bill bears it.

CABINET_VISITS: how many honest visits each; CABINET_SEED: whose dice.  Tuned on none of these.
"""

import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cabinet.proving.stage import Settings
from cabinet.proving.traces import labelled
from cabinet.sim.cells import Physics
from cabinet.sim.glimpses import Confusion

pytestmark = pytest.mark.campaign

VISITS = int(os.environ.get("CABINET_VISITS", "200"))
SEED = int(os.environ.get("CABINET_SEED", "8120"))
CELLS = (
    "noise_g", "quantum_g", "drift_g", "creep", "cross_talk", "hand_g", "ring", "slam_g", "compressor_g",
    "spikes_per_hour", "slips_per_hour",
)  # fmt: skip
MISSES = ("noticed", "right", "directed", "compared", "compared_right")  # shares that are well: what is not doubles
EYES = ("wrong_way", "phantom", *MISSES)
FACTORS = (0.5, 2.0)
LEAST_EXACT, MOST_OVER = 0.95, 0.01


def changed(name: str, factor: float) -> Settings:
    if name in CELLS:
        physics = Physics()
        return Settings(physics=replace(physics, **{name: getattr(physics, name) * factor}))
    confusion = Confusion()
    value = getattr(confusion, name)
    other = 1 - (1 - value) * factor if name in MISSES else value * factor
    return Settings(confusion=replace(confusion, **{name: other}))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", [*CELLS, *EYES])
def test_a_noise_figure_halved_or_doubled(name: str, factor: float, capfd: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="noise-") as folder:
        told = labelled(Path(folder) / "traces", "honest", VISITS, SEED, changed(name, factor), frames=False)
        counts = Counter(outcome for outcome, _ in told)
    total = counts.total()
    with capfd.disabled():
        said = ", ".join(f"{label} {n}" for label, n in counts.most_common())
        sys.stderr.write(f"\nnoise: {name} x {factor:g}: {said} of {total}\n")
    assert counts["exact"] / total >= LEAST_EXACT
    assert (counts["over"] + counts["swap"]) / total <= MOST_OVER
