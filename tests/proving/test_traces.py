"""Labelled sets: what is written is what was judged, and whoever reads it judges the same."""

import json
import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cabinet import trace
from cabinet.basket.evidence import Door, Gap, Mass
from cabinet.basket.tally import tally
from cabinet.proving.gallery import PHOTOS
from cabinet.proving.recorded import replayed
from cabinet.proving.stage import Settings
from cabinet.proving.telling import tell
from cabinet.proving.traces import labelled
from cabinet.sim.story import parse


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def write(out: Path, mix: str, count: int, seed: int = 3, *, frames: bool = False) -> list[Path]:
    list(labelled(out, mix, count, seed, Settings(), frames=frames))  # type: ignore[arg-type]  # one of the mixes
    return sorted(out.iterdir())


@pytest.mark.parametrize("mix", ["honest", "hostile", "faults"])
def test_a_written_visit_is_read_back_and_judged_the_same_byte_for_byte(tmp_path: Path, mix: str) -> None:
    for folder in write(tmp_path / "out", mix, 12):
        visit, recorded = trace.read(folder), trace.read_tally(folder)
        assert recorded is not None
        if not recorded["complete"]:
            continue
        again = json.loads(json.dumps(trace.verdict_to_dict(tally(visit.judged()))))
        assert again == {key: value for key, value in recorded.items() if key != "complete"}
        assert not visit.incomplete


def test_the_truth_is_what_left_the_cabinet(tmp_path: Path) -> None:
    for folder in write(tmp_path / "out", "honest", 12):
        truth, visit = trace.read_truth(folder), trace.read(folder)
        taken = {s: p.mass_g * truth.basket[s] for s, p in visit.header.catalog.items() if s in truth.basket}
        net_g = 0.0
        for zone in visit.header.zones:
            masses = [e for e in visit.events if isinstance(e, Mass) and e.zone == zone]
            first = [g for g in masses[0].g if g is not None][:40]
            last = [g for e in masses[-2:] for g in e.g if g is not None][-40:]
            net_g += sum(first) / len(first) - sum(last) / len(last)
        assert net_g == pytest.approx(sum(taken.values()), abs=25 + 0.04 * sum(taken.values()))


def test_a_trace_has_two_seconds_of_mass_before_the_door_opens_and_after_it_closed(tmp_path: Path) -> None:
    for folder in write(tmp_path / "out", "honest", 6):
        visit = trace.read(folder)
        opened = next(e.t for e in visit.events if isinstance(e, Door) and e.open)
        closed = [e.t for e in visit.events if isinstance(e, Door) and not e.open][-1]
        masses = [e for e in visit.events if isinstance(e, Mass)]
        assert min(e.t for e in masses) <= opened - 2.0
        assert max(e.t + len(e.g) / e.hz for e in masses) >= closed + 2.0


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    once, again = write(tmp_path / "a", "all", 6), write(tmp_path / "b", "all", 6)
    assert [folder.name for folder in once] == [folder.name for folder in again]
    for a, b in zip(once, again, strict=True):
        assert {f.name: f.read_bytes() for f in a.iterdir()} == {f.name: f.read_bytes() for f in b.iterdir()}


def test_frames_show_before_during_and_after_of_each_camera_that_sees_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", "honest", 1, frames=True)[0]
    visit = trace.read(folder)
    stills = sorted((folder / "frames" / "top").glob("*.jpg"))
    assert stills[0].name.startswith("-")
    assert len(stills) >= 3
    assert all(camera.polygons for camera in visit.header.cameras.values())


def test_a_set_with_frames_brings_photographs_of_its_products_and_they_are_no_trace(tmp_path: Path) -> None:
    *folders, gallery = write(tmp_path / "out", "honest", 1, frames=True)
    assert gallery.name == "gallery"
    assert {place.name for place in gallery.iterdir()} == set(trace.read(folders[0]).header.catalog)
    assert all(len(list(place.glob("*.jpg"))) == PHOTOS for place in gallery.iterdir())
    with pytest.raises(trace.TraceError):
        trace.read(gallery)


def test_what_nobody_recorded_is_a_gap_and_no_mass() -> None:
    story = parse(
        "ann comes\nann opens\nthe daemon is killed\n3 s pass\nthe daemon starts\nann takes cola from s1\nann closes\n"
        "expect charge 1 cola or review\n"
    )
    ended = tell(story, keep=True)
    assert ended.failures == ()
    told = ended.traces[0]
    gap = next(e for e in told.visit.events if isinstance(e, Gap))
    assert gap.seconds == pytest.approx(3.0, abs=1.5)
    there = [
        e.t + i / e.hz for e in told.visit.events if isinstance(e, Mass) and e.zone == "s1" for i in range(len(e.g))
    ]
    longest = max(b - a for a, b in pairwise(there))
    assert longest == pytest.approx(gap.seconds, abs=0.1)
    assert told.verdict == replayed(told.visit, complete=told.complete)
