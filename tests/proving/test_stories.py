"""Every scenario and every peer's fault is told, and ends as it must."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.cli.simulate.common import told_here
from cabinet.proving.telling import tell
from cabinet.sim.story import StoryError, load, parse

FILES = sorted(Path(told_here()).glob("*.story"))
STORIES = {path.stem: load(path) for path in FILES}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", [name for name, story in STORIES.items() if not story.later])
def test_the_story_ends_as_it_must(name: str) -> None:
    ended = tell(STORIES[name])
    assert ended.failures == ()
    assert ended.violations == ()


@pytest.mark.parametrize("name", [name for name, story in STORIES.items() if story.later])
def test_a_story_that_waits_says_for_what(name: str) -> None:
    assert len(STORIES[name].later.split()) >= 3
    assert not re.search(r"\bissue\b", STORIES[name].later)


def test_every_scenario_has_a_story() -> None:
    told = {number for story in STORIES.values() for number in story.scenarios}
    assert {str(number) for number in range(1, 46)} <= told


@pytest.mark.parametrize("whose", ["Intel", "AWS", "Bits 'n Bytes", "CHAI", "VisionVend", "vender"])
def test_every_peers_fault_has_a_story(whose: str) -> None:
    assert any(f"peer: {whose}" in story.scenarios for story in STORIES.values())


def test_a_story_that_does_not_end_as_it_says_fails_at_that_line() -> None:
    wrong = parse("ann comes\nann opens\nann takes cola from s1\nann closes\nexpect charge 2 cola\nexpect no visit\n")
    ended = tell(wrong)
    assert [failure.partition(":")[0] for failure in ended.failures] == ["line 5", "line 6"]


def test_what_cannot_happen_is_refused_at_its_line_while_it_is_told() -> None:
    impossible = parse("ann comes\nann opens\nann closes\nann takes cola from s1\n")
    with pytest.raises(StoryError, match=r"line 4.*closed door"):
        tell(impossible)


def test_the_same_seed_tells_the_same_story() -> None:
    story = STORIES["30-killed-while-open"]
    assert tell(story, 3).log == tell(story, 3).log
