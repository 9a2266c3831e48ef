"""Stories at true depth: firmware, streams, broker, cloud and daemon as processes, and goods that cameras see."""

from pathlib import Path

import pytest

from cabinet.cli.demo.layout import cameras
from cabinet.cli.demo.telling import tell_true
from cabinet.sim.story import StoryError, parse

WHOLE_VISIT = """
# Takes two things with both hands, a third and puts it back
shelf s1 holds 3 cola, 3 oats
shelf s2 holds 3 chips, 3 soup
ann comes by code
ann opens
ann takes cola from s1 and chips from s2 with two hands
ann takes soup from s2
ann puts soup back on s2
ann closes
expect charge 1 cola, 1 chips
expect total 480
expect no incident
expect the door locked
expect the same bill again
expect the books agree
"""

FOUR_SHELVES = """
# The usual shop: a camera on each two shelves, and one more where the story speaks of it
the camera left is covered
expect out of service
the camera left is well
expect in service
ann comes by code
ann opens
ann takes chips from s3
ann closes
expect charge 1 chips
"""


def test_a_whole_visit_is_charged_exactly_and_judged_the_same_again(tmp_path: Path) -> None:
    told = tell_true(parse(WHOLE_VISIT), tmp_path)
    assert told.failures == [], "\n".join(told.log)
    (shown,) = told.shown
    assert {line["sku"]: line["quantity"] for line in shown["visit"]["lines"]} == {"cola": 1, "chips": 1}
    (trace,) = told.traces
    assert (trace / "tally.json").is_file()
    assert any("seen at" in line for line in told.log), "\n".join(told.log)  # its own cameras saw goods cross


@pytest.mark.campaign
def test_four_shelves_are_watched_by_three_cameras(tmp_path: Path) -> None:
    story = parse(FOUR_SHELVES)
    sights = cameras(story.plan, [line.act for line in story.lines])
    assert {name: list(sight.shelves) for name, sight in sights.items()} == {
        "top": ["s1", "s2"], "right": ["s3", "s4"], "left": ["s1", "s2"],
    }  # fmt: skip
    told = tell_true(story, tmp_path)
    assert told.failures == [], "\n".join(told.log)
    assert any("seen at s3" in line for line in told.log), "\n".join(told.log)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("the clock jumps 3 h", "a bench cannot do that to the clock"),
        ("the disk is full", "a bench cannot do that to the disk"),
        ("the daemon is killed after 7 points", "a bench cannot do that to the daemon"),
        ("the price of cola becomes 300", "a bench cannot do that to the price"),
        ("2 h pass", "nobody waits 7200 real seconds"),
        ("the camera left is covered", "the interior cameras here are top"),
        ("ann comes with a mask", "there are no pictures of a mask"),
    ],
)
def test_what_a_bench_cannot_do_is_refused_with_its_line_before_anything_starts(
    tmp_path: Path, line: str, why: str
) -> None:
    folder = tmp_path / "nothing-starts"
    with pytest.raises(StoryError, match=f"line 3: '{line}': needs the fast depth: {why}"):
        tell_true(parse(f"shelf s1 holds 3 cola\nann comes\n{line}"), folder)
    assert not folder.exists()


def test_more_shelves_than_cameras_watch_are_refused(tmp_path: Path) -> None:
    shelves = "\n".join(f"shelf s{n} holds 3 cola" for n in range(5))
    with pytest.raises(StoryError, match="5 shelves: the cameras of a bench watch at most 4"):
        tell_true(parse(f"{shelves}\nann comes"), tmp_path)


def test_the_impossible_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(StoryError, match="line 2: 'ann takes cola from s1': nobody reaches s1 through a closed door"):
        tell_true(parse("shelf s1 holds 3 cola\nann takes cola from s1"), tmp_path)
