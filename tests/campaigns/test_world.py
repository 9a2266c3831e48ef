"""Thousands of simulated visits of each kind, and every story with several seeds: nothing happens that must not."""

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.cli.simulate.common import told_here
from cabinet.proving.campaign import Mix, Report, run
from cabinet.proving.telling import tell
from cabinet.sim.story import load

pytestmark = pytest.mark.campaign

VISITS = int(os.environ.get("CABINET_VISITS", "4000"))
SEED = int(os.environ.get("CABINET_SEED", "482007"))
SEEDS = range(2, 7)
STORIES = sorted(path for path in Path(told_here()).glob("*.story") if not load(path).later)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("mix", ["honest", "hostile", "faults"])
def test_nothing_happens_that_must_not(mix: Mix, capfd: pytest.CaptureFixture[str]) -> None:
    report = Report(mix, SEED, VISITS)
    for _ in run(report):
        pass
    with capfd.disabled():
        sys.stderr.write(f"\n{mix}: {report.visits} visits, seed {SEED}: {dict(report.outcomes)}\n")
    assert report.violations == []


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_ends_as_it_must_whatever_the_dice_say(path: Path) -> None:
    story = load(path)
    for seed in SEEDS:
        ended = tell(story, seed)
        assert (ended.failures, ended.violations) == ((), ()), f"seed {seed}"
