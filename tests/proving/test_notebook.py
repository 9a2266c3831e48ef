"""The fast depth's witness keeps the daemon's own rules about what must be in before a bill is made."""

import dataclasses
import logging
import random
from collections.abc import Iterator

import pytest

from cabinet.basket.evidence import MISSING, State
from cabinet.basket.verdict import Charge, Review
from cabinet.proving.notebook import Notebook
from cabinet.proving.recorded import Recorded, replayed
from cabinet.proving.telling import tell
from cabinet.session.events import Event, EvidenceComplete
from cabinet.sim.cells import QUIET, Cells
from cabinet.sim.clockwork import Clockwork
from cabinet.sim.story import parse
from cabinet.units import VisitId, ZoneId
from tests.basket.visits import header

V, S1, S2 = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), ZoneId("s1"), ZoneId("s2")
TAKEN = "ann comes\nann opens\nann takes cola from s1\n"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def told(story: str) -> Recorded:
    ended = tell(parse(story), keep=True)
    assert ended.violations == ()
    (trace,) = ended.traces
    return trace


DEAD = "ann comes\nann opens\nthe cell of s3 is dead\nann takes nuts from s3\nann closes\nexpect review\n"


def test_a_cell_that_died_is_named_with_the_samples_it_owes() -> None:
    verdict = told(DEAD).verdict
    assert isinstance(verdict, Review)
    assert "not every sensor reported in time after the door was shut: zone s3: " in verdict.reason
    assert "samples since the closing are bad" in verdict.reason


def test_what_was_missing_is_in_the_trace_and_replayed_in_the_same_words() -> None:
    trace = told(DEAD)
    assert any(isinstance(e, State) and e.name.startswith(MISSING) for e in trace.visit.events)
    assert replayed(trace.visit, complete=True) == trace.verdict


def test_where_everything_is_in_nothing_is_missing() -> None:
    trace = told(f"{TAKEN}ann closes\nexpect charge 1 cola\n")
    assert isinstance(trace.verdict, Charge)
    assert (trace.visit.missing(), trace.complete) == ((), True)


def until(time: Clockwork, to_s: float) -> None:
    while (next_s := time.next_s()) is not None and next_s <= to_s:
        time.step()
    time.advance(to_s)


def alone() -> tuple[Notebook, Clockwork, list[Event]]:
    """A notebook over two still zones, its visit begun and its door shut."""
    time, posted = Clockwork(), list[Event]()
    notebook = Notebook(Cells((S1, S2), QUIET), time, random.Random(1), dict, lambda _: [])
    notebook.connect(lambda visit, _: dataclasses.replace(header(), visit=visit), posted.append)
    until(time, 5.0)
    notebook.start(V, "shop")
    notebook.door(5.5, is_open=True)
    until(time, 8.0)
    notebook.door(8.0, is_open=False)
    notebook.finish(V)
    return notebook, time, posted


def test_the_barrier_waits_for_what_the_board_has_not_told() -> None:
    notebook, time, posted = alone()
    notebook.deafen()
    until(time, 11.0)
    assert posted == []
    notebook.hear("board")
    until(time, 12.5)
    assert [type(event) for event in posted] == [EvidenceComplete]


def test_a_board_that_is_away_is_named_and_ends_the_waiting() -> None:
    notebook, time, posted = alone()
    notebook.deafen()
    until(time, 13.0)
    notebook.give_up(V)
    until(time, 20.0)
    assert posted == []
    assert notebook.page is not None
    (missing,) = notebook.recorded(notebook.page).judged().missing()
    assert missing.startswith("board: last sample 0.01 s before the closing")
