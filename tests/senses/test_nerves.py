"""What the board feels, handed to machine, witness and parts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cabinet.basket.evidence import Zone
from cabinet.parts import Parts
from cabinet.ports import BoardEntry
from cabinet.scales import Scales
from cabinet.senses import Nerves
from cabinet.session.events import DoorClosed, Event
from cabinet.units import ZoneId
from cabinet.witness import Witness

S1 = ZoneId("s1")


@dataclass
class Stage:
    folder: Path
    posted: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = Parts(self.posted.append, lambda: 0.0)
        self.scales = Scales({S1: Zone()})
        witness = Witness(self.scales, {}, None, self.folder, lambda *_: NotImplemented, dict, self.posted.append)
        self.nerves = Nerves(self.posted.append, witness, self.parts)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_cells_fault_is_told_at_once(stage: Stage) -> None:
    stage.nerves.part("scale:s1", "the converter sends nothing")
    assert stage.parts.why("scale:s1") == "the converter sends nothing"


def test_a_cell_whose_fault_is_gone_is_judged_by_its_samples(stage: Stage) -> None:
    stage.nerves.part("scale:s1", "the converter sends nothing")
    stage.nerves.part("scale:s1", None)
    assert stage.parts.why("scale:s1") == "the converter sends nothing"
    assert stage.nerves.cell_faults == {}


def test_a_closing_that_is_told_late_is_waited_for_from_now_on(stage: Stage) -> None:
    """A bolt that latches half a minute after the door was shut: the evidence's time is then, the machine's is now."""
    stage.nerves.now = lambda: 133.6
    stage.nerves.door(103.6, is_open=False)
    assert stage.posted[-1] == DoorClosed(133.6)


def test_every_other_part_is_as_the_board_says(stage: Stage) -> None:
    for part in ("lock", "housing", "probe", "board"):
        stage.nerves.part(part, "broken")
        assert stage.parts.why(part) == "broken"
        stage.nerves.part(part, None)
        assert stage.parts.why(part) is None


def test_why_samples_are_bad_goes_to_the_scales(stage: Stage) -> None:
    stage.nerves.masses(S1, 1.0, 80.0, [None, None])
    stage.nerves.bad(S1, 1.0, ["saturated", "saturated"])
    assert stage.scales.zones[S1].figures().bad == {"saturated": 2}


def test_an_entry_of_the_journal_goes_to_the_diary(stage: Stage) -> None:
    kept: list[Any] = []
    stage.nerves.diary = lambda entry, *, while_away: kept.append((entry.index, while_away))
    stage.nerves.journaled(BoardEntry("aa", 7, 1, 0, "boot", None, {}), while_away=True)
    assert kept == [(7, True)]
