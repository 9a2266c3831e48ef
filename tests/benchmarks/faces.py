"""A decision about a face: one frame of 1280 x 720 beside face_recognition, and a search among 10,000 members.

The frames are real photographs where this machine has the folder of data; without it only the search is measured.
Wall time of both by turns, so that other work on the machine lengthens both; no picture is kept.
"""

import asyncio
import tempfile
from pathlib import Path

from cabinet.cli.evaluate import faces_measure, faces_speed
from cabinet.cli.evaluate.faces_seen import look_at
from cabinet.cli.evaluate.faces_sums import Crowd
from tests.benchmarks.face_sets import split
from tests.benchmarks.figures import Figures, Goal
from tests.benchmarks.place import Given
from tests.conftest import shared_data_folder

SEARCH_GOAL_MS = 2.0
SHARE_GOAL = 0.2  # of stock's time


def measure(given: Given) -> tuple[Figures, list[Goal]]:
    given.say(f"{faces_speed.TEMPLATES:,} templates")
    found: Figures = {"templates": faces_speed.TEMPLATES, "search_ms": faces_speed.search_ms()}
    goals = [
        Goal(
            "search among 10,000 templates, median of the quickest round (ms)",
            found["search_ms"]["quiet"],
            SEARCH_GOAL_MS,
        )
    ]
    data = shared_data_folder()
    if data is None:
        given.say("no real faces on this machine: decisions are not measured")
        return found, goals
    given.say("decisions in frames of 1280 x 720")
    found["decision"] = asyncio.run(_decisions(data))
    share = found["decision"]["ours_ms"] / found["decision"]["stock_ms"]
    goals.append(Goal("a decision at 1280 x 720 / face_recognition's", share, SHARE_GOAL))
    return found, goals


async def _decisions(data: Path) -> Figures:
    with tempfile.TemporaryDirectory(prefix="faces-") as place:
        colour = split(data / "faces", Path(place))[-1]
        given = faces_measure.folders(colour / "enrol", colour / "probe", colour / "impostor", None)
        eyes = faces_measure.eyes(stock=True, tell=False)
        try:
            crowd = Crowd.of(await look_at(eyes.faces, given.enrol, "", tell=False), eyes.rules)
            asked = [*given.probe, *given.impostor]
            return await faces_speed.frames(eyes.faces, asked, crowd, eyes.stock, tell=False)
        finally:
            faces_measure.close(eyes)
