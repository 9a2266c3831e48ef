"""What is written down of a visit, and when everything has been said: by counts, on a clock of its own."""

import asyncio
import concurrent.futures
import math
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cabinet import clock, trace
from cabinet.basket import evidence
from cabinet.basket.evidence import BARRIER, Door, Gap, Header, Health, Mass, Sighting, Visit, Zone
from cabinet.ports import Eye, Frame, PortError, Recogniser, Scores
from cabinet.scales import STEADY_S, Scales
from cabinet.session.events import Event, EvidenceComplete
from cabinet.units import CameraId, VisitId, ZoneId
from cabinet.vision.gallery import Gallery
from cabinet.witness import AFTER_TAIL_S, Witness
from tests.support.virtual_time import run_in_virtual_time
from tests.vision.shelves import FULL, GALLERY, ZONES, ColourJudge, Pixels, photograph, render, without

V, W = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV"), VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAW")
S1, S2, TOP = ZoneId("s1"), ZoneId("s2"), CameraId("top")
HZ, CHUNK_S = 80.0, 0.1
STOCKED = photograph(render(FULL))
ONE_GONE = photograph(render(without(2)), seed=3)


class Inline(concurrent.futures.ThreadPoolExecutor):
    """Works at once, so that the virtual clock has nobody to wait for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  as an executor hands it on
            done.set_exception(error)
        return done


@dataclass
class Camera:
    """An Eye that shows `picture`, a new frame every tenth of a second unless it is `stuck`."""

    picture: Pixels
    camera: CameraId = TOP
    stuck_at_s: float | None = None
    why: str | None = None
    paces: list[float | None] = field(default_factory=list)

    def latest(self, after_s: float = float("-inf")) -> Frame | None:
        at_s = clock.now_s() if self.stuck_at_s is None else self.stuck_at_s
        at_s = math.floor(at_s / CHUNK_S) * CHUNK_S
        return Frame(self.camera, at_s, self.picture) if at_s > after_s else None

    def pace(self, fps: float | None) -> None:
        self.paces.append(fps)

    def trouble(self) -> str | None:
        return self.why


class Broken(ColourJudge):
    def scores(self, crop: Pixels, gallery: Gallery) -> Scores:
        raise PortError("recogniser: no numbers")


@dataclass
class Stage:
    """A witness, cells that weigh `grams`, and a clock that is moved by hand."""

    traces: Path
    camera: Camera | None = None
    recogniser: Recogniser | None = None
    stills: int = 40
    posted: list[Event] = field(default_factory=list)
    grams: dict[ZoneId, float] = field(default_factory=lambda: {S1: 1000.0, S2: 2000.0})
    swing_g: dict[ZoneId, float] = field(default_factory=dict)
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def __post_init__(self) -> None:
        eyes: dict[CameraId, tuple[Eye, Any]] = {} if self.camera is None else {TOP: (self.camera, ZONES)}
        self.witness = Witness(
            Scales({S1: Zone(), S2: Zone()}),
            eyes,
            self.recogniser,
            self.traces,
            header,
            lambda: GALLERY,
            self.posted.append,
            self.stills,
        )
        self.witness._looker.thread = Inline()

    async def live(self, seconds: float) -> None:
        """The cells report every tenth of a second."""
        for _ in range(round(seconds / CHUNK_S)):
            await asyncio.sleep(CHUNK_S)
            first_s = clock.now_s() - 7 / HZ
            for zone, level_g in self.grams.items():
                swing_g = self.swing_g.get(zone, 0.0)
                times = [first_s + i / HZ for i in range(8)]
                waves = [swing_g * math.sin(2 * math.pi * 3.0 * t) for t in times]
                self.witness.masses(zone, first_s, HZ, [self.dice.gauss(level_g, 0.5) + w for w in waves])

    async def open_visit(self, visit: VisitId = V) -> None:
        await self.live(5.0)
        self.witness.start(visit, "shop")
        self.witness.door(clock.now_s(), is_open=True)

    async def shut(self, visit: VisitId = V) -> float:
        """Shut the door and finish the trace; when."""
        at_s = clock.now_s()
        self.witness.door(at_s, is_open=False)
        self.witness.finish(visit)
        return at_s

    @property
    def complete_s(self) -> list[float]:
        return [event.at_s for event in self.posted if isinstance(event, EvidenceComplete)]

    def read(self, visit: VisitId = V) -> Visit:
        return trace.read(self.traces / visit)

    def of(self, kind: type[Any], visit: VisitId = V) -> list[Any]:
        return [event for event in self.read(visit).events if isinstance(event, kind)]


def header(visit: VisitId, purpose: str) -> Header:
    return Header(
        visit=visit,
        cabinet="c1",
        started_at="2026-11-22T06:00:00Z",
        clock_trusted=True,
        purpose=purpose,  # type: ignore[arg-type]  # the tests' own words
        currency="USD",
        zones={S1: Zone(), S2: Zone()},
        cameras={TOP: evidence.Camera(640, 480, 10.0, (S1, S2), {z: tuple(p) for z, p in ZONES.items()})},
        catalog={},
        planogram={},
        stock={},
    )


def lived(story: Callable[[], Coroutine[Any, Any, None]], stage: Stage) -> Stage:
    async def live() -> None:
        try:
            await story()
        finally:
            stage.witness.close()

    run_in_virtual_time(live())
    return stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Cells alone."""
    return Stage(tmp_path)


@pytest.fixture
def seeing(tmp_path: Path) -> Stage:
    """Cells and one camera over a stocked shelf."""
    return Stage(tmp_path, Camera(STOCKED), ColourJudge())


def barriers(visit: Visit) -> list[float]:
    return [e.t for e in visit.events if isinstance(e, evidence.State) and e.name == BARRIER]


def test_a_trace_has_two_seconds_of_mass_before_the_unlock(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()

    masses = lived(story, stage).of(Mass)
    for zone in (S1, S2):
        assert min(m.t for m in masses if m.zone == zone) <= -2.0


def test_the_unlock_is_the_zero_of_the_trace(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()

    (opened,) = lived(story, stage).of(Door)
    assert opened == Door(0.0, open=True)


def test_everything_felt_during_a_visit_is_in_the_trace(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()
        await stage.live(1.0)
        stage.witness.bolt(clock.now_s(), locked=False)
        stage.witness.gap("scale:s1", 0.25)
        stage.witness.temperature("probe0", 4.5)
        stage.witness.health("camera:top", "no frame")
        stage.witness.state("watching")

    events = lived(story, stage).read().events
    kinds = {type(event).__name__ for event in events if event.t > 0}
    assert kinds == {"Mass", "Bolt", "Gap", "Temperature", "Health", "State"}


def test_what_is_felt_outside_a_visit_goes_into_no_trace(stage: Stage) -> None:
    async def story() -> None:
        await stage.live(3.0)
        stage.witness.door(clock.now_s(), is_open=True)

    lived(story, stage)
    assert list(stage.traces.iterdir()) == []


def test_the_evidence_is_complete_as_soon_as_every_zone_has_settled(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()
        await stage.live(2.0)
        closed_s = await stage.shut()
        await stage.live(2.0)
        (complete_s,) = stage.complete_s
        assert closed_s + STEADY_S <= complete_s <= closed_s + STEADY_S + 2 * CHUNK_S

    lived(story, stage)


@pytest.mark.parametrize("zone", [S1, S2])
@pytest.mark.parametrize("swings_s", [0.3, 1.0, 3.0])
def test_the_evidence_is_never_complete_while_a_zone_swings(stage: Stage, zone: ZoneId, swings_s: float) -> None:
    async def story() -> None:
        await stage.open_visit()
        stage.swing_g[zone] = 40.0
        await stage.live(1.0)
        closed_s = await stage.shut()
        await stage.live(swings_s)
        assert stage.complete_s == []
        stage.swing_g.clear()
        await stage.live(1.2)
        (complete_s,) = stage.complete_s
        assert closed_s + swings_s + STEADY_S / 2 < complete_s < closed_s + swings_s + STEADY_S + 2 * CHUNK_S

    lived(story, stage)


def test_a_silent_zone_never_completes_the_evidence(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()
        await stage.live(1.0)
        await stage.shut()
        del stage.grams[S2]
        await stage.live(4.0)
        assert stage.complete_s == []

    lived(story, stage)


def test_no_zone_has_reported_less_than_the_barrier_says(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()
        await stage.live(1.0)
        await stage.shut()
        await stage.live(1.5)

    visit = lived(story, stage).read()
    (barrier,) = barriers(visit)
    for zone in (S1, S2):
        last = max(m.t + (len(m.g) - 1) / m.hz for m in visit.events if isinstance(m, Mass) and m.zone == zone)
        assert barrier <= last + 1e-4


def test_the_barrier_comes_after_the_door_and_every_sighting(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        assert seeing.camera is not None
        seeing.camera.picture = ONE_GONE
        await seeing.shut()
        await seeing.live(1.5)

    visit = lived(story, seeing).read()
    (barrier,) = barriers(visit)
    assert [event for event in visit.judged().events if isinstance(event, Sighting)]
    assert all(event.t <= barrier for event in visit.events if isinstance(event, Door | Sighting))


def test_the_pictures_before_and_after_tell_what_left(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        assert seeing.camera is not None
        seeing.camera.picture = ONE_GONE
        await seeing.shut()
        await seeing.live(1.5)

    looks = [s for s in lived(story, seeing).of(Sighting) if s.action == "take"]
    (look,) = looks
    assert (look.zone, max(look.scores, key=look.scores.__getitem__)) == (S1, "blue")
    assert look.t0 <= 0.0 < look.t1


def test_a_shelf_that_nobody_touched_tells_nothing(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        await seeing.shut()
        await seeing.live(1.5)

    assert lived(story, seeing).of(Sighting) == []


def test_a_camera_without_a_frame_at_the_closing_is_told_of_and_waited_for_by_nobody(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        closed_s = await seeing.shut()
        assert seeing.camera is not None
        seeing.camera.stuck_at_s = closed_s
        await seeing.live(1.0)
        assert seeing.complete_s == []  # it may yet come
        await asyncio.sleep(0.02)  # between two reports of the cells
        seeing.camera.why = "no frame for 2 s"
        await seeing.live(0.5)
        assert len(seeing.complete_s) == 1

    judged = lived(story, seeing).read().judged()
    assert ("camera:top", "no frame at closing") in [(e.part, e.why) for e in judged.events if isinstance(e, Health)]


def test_a_recogniser_that_fails_is_told_to_the_tally(tmp_path: Path) -> None:
    seeing = Stage(tmp_path, Camera(STOCKED), Broken())

    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        assert seeing.camera is not None
        seeing.camera.picture = ONE_GONE
        await seeing.shut()
        await seeing.live(1.5)
        assert len(seeing.complete_s) == 1

    judged = lived(story, seeing).read().judged()
    assert [(e.part, e.ok) for e in judged.events if isinstance(e, Health)] == [("recogniser", False)]


def test_cameras_are_back_at_their_idle_pace_after_the_visit(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        await seeing.shut()
        await seeing.live(1.5)

    camera = lived(story, seeing).camera
    assert camera is not None
    assert camera.paces[-1] is None


def test_the_picture_after_the_closing_is_asked_for_at_full_pace(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        assert seeing.camera is not None
        seeing.camera.paces.clear()
        await seeing.shut()
        await asyncio.sleep(0.01)
        assert seeing.camera.paces[-1] == pytest.approx(20.0)

    lived(story, seeing)


def test_a_reopening_cancels_the_finishing(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()
        await stage.live(1.0)
        await stage.shut()
        await stage.live(0.3)
        stage.witness.door(clock.now_s(), is_open=True)
        await stage.live(3.0)
        assert stage.complete_s == []
        closed_s = await stage.shut()
        await stage.live(1.0)
        (complete_s,) = stage.complete_s
        assert complete_s >= closed_s + STEADY_S

    assert len(barriers(lived(story, stage).read())) == 1


def test_hands_are_watched_again_after_a_reopening(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        await seeing.shut()
        await seeing.live(0.1)
        seeing.witness.door(clock.now_s(), is_open=True)
        await seeing.live(0.5)
        recording = seeing.witness._recording
        assert recording is not None
        assert recording.watching is not None
        assert not recording.watching.done()

    lived(story, seeing)


def test_a_door_that_bounces_is_watched_by_one_pair_of_eyes(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        await seeing.shut()
        seeing.witness.door(clock.now_s(), is_open=True)  # before anything else could run
        await seeing.live(0.5)
        watching = [task for task in asyncio.all_tasks() if "_watch" in repr(task.get_coro())]
        assert len(watching) == 1

    lived(story, seeing)


def test_the_trace_goes_on_for_two_seconds_after_the_end(stage: Stage) -> None:
    ended_s: list[float] = []

    async def story() -> None:
        await stage.open_visit()
        await stage.live(1.0)
        await stage.shut()
        await stage.live(1.0)
        stage.witness.end(V)
        ended_s.append(clock.now_s() - 5.0)
        await stage.live(4.0)

    last_t = max(m.t for m in lived(story, stage).of(Mass))
    assert ended_s[0] + AFTER_TAIL_S - 2 * CHUNK_S <= last_t <= ended_s[0] + AFTER_TAIL_S


def test_a_next_visit_ends_the_tail_of_the_one_before(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()
        await stage.shut()
        await stage.live(1.0)
        stage.witness.end(V)
        await stage.live(0.5)
        stage.witness.start(W, "shop")
        await stage.live(4.0)

    lived(story, stage)
    assert max(m.t for m in stage.of(Mass, W)) > 3.5
    assert max(m.t for m in stage.of(Mass, V)) < 2.0


def test_a_restart_goes_on_with_the_same_trace_and_tells_of_the_gap(tmp_path: Path) -> None:
    async def story() -> None:
        first = Stage(tmp_path)
        await first.open_visit()
        await first.live(1.0)
        first.witness.close()
        await asyncio.sleep(3.0)
        again = Stage(tmp_path)
        await again.live(1.0)
        again.witness.start(V, "shop")
        await again.live(1.0)
        again.witness.close()

    run_in_virtual_time(story())
    visit = trace.read(tmp_path / V)
    (gap,) = [e for e in visit.events if isinstance(e, Gap)]
    assert (gap.part, round(gap.t), round(gap.seconds)) == ("cabinet", 5, 4)
    assert max(e.t for e in visit.events) == pytest.approx(6.0, abs=0.1)


def test_a_restart_after_a_power_cut_puts_a_gap_between_the_two_clocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def before() -> None:
        first = Stage(tmp_path)
        await asyncio.sleep(5000.0)
        await first.open_visit()
        await first.live(1.0)
        first.witness.close()

    async def after() -> None:
        again = Stage(tmp_path)
        await again.live(1.0)
        again.witness.start(V, "shop")
        await again.live(1.0)
        again.witness.close()

    run_in_virtual_time(before())
    monkeypatch.setattr(clock, "boot_id", lambda: "another boot")
    run_in_virtual_time(after())
    visit = trace.read(tmp_path / V)
    (gap,) = [e for e in visit.events if isinstance(e, Gap)]
    masses = [m.t for m in visit.events if isinstance(m, Mass)]
    assert gap.seconds == pytest.approx(1.0)
    assert max(masses) == pytest.approx(3.0, abs=0.2)
    assert [t for t in masses if 1.0 < t < 1.9] == []


def test_a_restart_still_knows_the_picture_from_before_the_visit(tmp_path: Path) -> None:
    async def story() -> None:
        first = Stage(tmp_path, Camera(STOCKED), ColourJudge())
        await first.open_visit()
        await first.live(1.0)
        first.witness.close()
        again = Stage(tmp_path, Camera(ONE_GONE), ColourJudge())
        again.witness.start(V, "shop")
        await again.live(0.5)
        await again.shut()
        await again.live(1.5)
        again.witness.close()

    run_in_virtual_time(story())
    looks = [s for s in trace.read(tmp_path / V).events if isinstance(s, Sighting)]
    assert [look.action for look in looks] == ["take"]


def test_finishing_a_trace_that_never_began_is_answered_at_once(stage: Stage) -> None:
    async def story() -> None:
        stage.witness.finish(V)
        assert len(stage.complete_s) == 1

    lived(story, stage)


def test_a_trace_that_cannot_be_begun_is_a_failed_part(stage: Stage) -> None:
    async def story() -> None:
        (stage.traces / V).write_text("in the way")
        with pytest.raises(PortError, match=r"trace: .*free some disk or remove"):
            stage.witness.start(V, "shop")

    lived(story, stage)


def test_a_trace_whose_folder_was_removed_stops_nobody(stage: Stage) -> None:
    async def story() -> None:
        await stage.open_visit()
        for file in (stage.traces / V).iterdir():
            file.unlink()
        stage.witness.start(W, "shop")
        await stage.live(0.5)

    lived(story, stage)
    assert stage.of(Mass, W)


def test_a_service_visit_is_weighed_and_not_watched(seeing: Stage) -> None:
    async def story() -> None:
        await seeing.live(5.0)
        seeing.witness.start(V, "restock")
        await seeing.live(1.0)
        recording = seeing.witness._recording
        assert recording is not None
        assert recording.watching is None

    assert lived(story, seeing).read().header.purpose == "restock"


def test_stills_stop_at_the_budget(tmp_path: Path) -> None:
    seeing = Stage(tmp_path, Camera(STOCKED), ColourJudge(), stills=1)

    async def story() -> None:
        await seeing.open_visit()
        await seeing.live(1.0)
        await seeing.shut()
        await seeing.live(1.5)

    lived(story, seeing)
    assert len(list((seeing.traces / V / "frames").rglob("*.jpg"))) == 1


def test_whoever_watches_hears_what_is_written(stage: Stage) -> None:
    heard: list[object] = []

    async def story() -> None:
        stage.witness.watchers.append(heard.append)
        await stage.open_visit()
        stage.witness.state("watching")

    lived(story, stage)
    assert heard == [Door(0.0, open=True), evidence.State(0.0, "watching")]
