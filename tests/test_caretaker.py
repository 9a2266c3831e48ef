"""Looks at every part round by round, on a clock of the test's, and says what it finds."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import numpy as np
import pytest

from cabinet import clock
from cabinet.ballast import Ballast
from cabinet.basket.evidence import Product, Zone
from cabinet.caretaker import BOLT_GRACE_S, PROBE_SILENT_S, PRUNE_EVERY, SLOW_EVERY, Caretaker, Limits
from cabinet.ledger import ClosedVisit, Ledger, LedgerError, LedgerLostError, OpenedVisit
from cabinet.parts import Parts
from cabinet.ports import Frame, PortError
from cabinet.scales import Scales
from cabinet.senses import Nerves
from cabinet.session.events import Event, PartLost
from cabinet.session.states import Idle, Servicing, State, Unlocked, Watching
from cabinet.sim import pictures
from cabinet.units import CameraId, MemberId, Sku, VisitId, ZoneId
from cabinet.witness import Witness

S1, TOP, ANN = ZoneId("s1"), CameraId("top"), MemberId("ann")
V = VisitId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
MIB = 1 << 20
GOOD = pictures.lobby(1)
DARK = np.zeros_like(GOOD)
AMBIENT = Limits(min_free_mib=1, traces_mib=100, traces_days=30.0)


@dataclass
class Camera:
    camera: CameraId = TOP
    why: str | None = None
    picture: pictures.Picture = field(default_factory=lambda: GOOD)

    def latest(self, after_s: float = float("-inf")) -> Frame | None:
        return Frame(self.camera, 0.0, self.picture)

    def pace(self, fps: float | None) -> None: ...

    def trouble(self) -> str | None:
        return self.why


@dataclass
class Bolt:
    """A Lock of which only the looks matter."""

    why: str | None = None

    async def release(self, visit: VisitId, lease_s: float) -> None: ...
    async def engage(self) -> None: ...
    async def clear_faults(self) -> None: ...

    async def check(self) -> None:
        if self.why is not None:
            raise PortError(self.why)

    def keep_alive(self) -> None: ...


@dataclass
class Stage:
    """A cabinet at rest: a quiet zone, door shut, bolt out, one good camera, one product."""

    folder: Path
    ledger: Ledger
    limits: Limits = AMBIENT
    now_s: float = 100.0
    state: State = field(default_factory=Idle)
    posted: list[Event] = field(default_factory=list)
    camera: Camera = field(default_factory=Camera)
    lock: Bolt = field(default_factory=Bolt)
    grams: float | None = 1000.0

    def __post_init__(self) -> None:
        self.traces = self.folder / "traces"
        self.traces.mkdir()
        self.parts = Parts(self.posted.append, lambda: self.now_s)
        for part in ("temperature", "bolt", "disk", "catalogue", "scale:s1", "camera:top", "lock"):
            self.parts.expect(part, needed=True, why=None)
        self.witness = Witness(
            Scales({S1: Zone()}), {}, None, self.traces, _no_header, dict, self.posted.append
        )  # only its scales are looked at
        self.nerves = Nerves(self.posted.append, self.witness, self.parts, now=lambda: self.now_s)
        self.nerves.door_open, self.nerves.bolt_locked = False, True
        self.keeper = Caretaker(
            parts=self.parts,
            nerves=self.nerves,
            witness=self.witness,
            eyes={TOP: self.camera},
            ledger=self.ledger,
            traces=self.traces,
            limits=self.limits,
            state=lambda: self.state,
            lock=self.lock,
            others={"cloud": lambda: "no broker"},
        )

    def live(self, seconds: float) -> None:
        """Rounds of half a second, samples between them."""
        for _ in range(round(seconds * 2)):
            for n in range(5):
                if self.grams is not None:
                    self.witness.masses(S1, self.now_s + n * 0.1, 80.0, [self.grams] * 8)
            self.now_s += 0.5
            self.keeper.round(self.now_s)

    def warm(self, celsius: float, seconds: float) -> None:
        """A probe that reports twice a minute at least."""
        for _ in range(round(seconds / 10)):
            self.nerves.temperature("probe0", celsius)
            self.live(0.5)
            self.now_s += 9.5

    def why(self, part: str) -> str:
        return self.parts.why(part) or ""


def _no_header(visit: VisitId, purpose: str) -> NoReturn:
    raise AssertionError("no visit is recorded here")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.put_product(Sku("1"), Product("Cola", 500.0, 220))
        yield Stage(tmp_path, ledger)


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[Stage]:
    """With a limit of 5 °C and half an hour of grace."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield Stage(tmp_path, ledger, Limits(1, 100, 30.0, max_c=5.0, grace_s=1800.0))


def trace_of(stage: Stage, visit: str, mib: float = 1.0, age_days: float = 0.0) -> Path:
    folder = stage.traces / visit
    (folder / "frames").mkdir(parents=True)
    (folder / "frames" / "1.jpg").write_bytes(b"x" * round(mib * MIB))
    then_s = clock.stamp().wall_ms / 1000 - age_days * 86_400
    os.utime(folder, (then_s, then_s))
    return folder


def kept(stage: Stage) -> list[str]:
    return sorted(path.name for path in stage.traces.iterdir())


def test_a_cabinet_at_rest_is_in_order(stage: Stage) -> None:
    stage.live(6.0)
    assert {part.name for part in stage.parts if not part.ok} == {"cloud"}


def test_the_cabinet_has_started_once_door_and_bolt_are_known(stage: Stage) -> None:
    stage.parts.expect("cabinet", needed=True, why="starting")
    stage.nerves.bolt_locked = None
    stage.live(1.0)
    assert stage.why("cabinet") == "starting"
    stage.nerves.bolt_locked = True
    stage.live(0.5)
    assert stage.parts.why("cabinet") is None


def test_the_baseline_is_learnt_with_the_door_shut_alone(stage: Stage) -> None:
    stage.nerves.door_open = True
    stage.live(3.0)
    assert stage.witness.baseline_g() == {}
    stage.nerves.door_open = False
    stage.live(0.5)
    assert stage.witness.baseline_g() == {S1: 1000.0}


def test_no_baseline_is_learnt_during_a_visit(stage: Stage) -> None:
    stage.live(3.0)
    stage.state, stage.grams = Unlocked(V, ANN, 1e9), 700.0
    stage.live(3.0)
    assert stage.witness.baseline_g() == {S1: 1000.0}


def test_a_silent_scale_is_named(stage: Stage) -> None:
    stage.live(3.0)
    stage.grams = None
    stage.live(2.0)
    assert "no samples" in stage.why("scale:s1")


def test_a_scale_that_sends_again_is_in_order_again(stage: Stage) -> None:
    stage.live(3.0)
    stage.grams = None
    stage.live(2.0)
    stage.grams = 1000.0
    stage.live(1.0)
    assert stage.parts.why("scale:s1") is None


def test_a_camera_without_frames_is_named(stage: Stage) -> None:
    stage.camera.why = "no frame for 2 s"
    stage.live(0.5)
    assert stage.why("camera:top") == "no frame for 2 s"


def test_a_dark_picture_is_named_within_two_seconds(stage: Stage) -> None:
    stage.live(0.5)
    stage.camera.picture = DARK
    stage.live(2.0)
    assert "dark" in stage.why("camera:top")


def test_a_bolt_that_stays_in_is_named_after_its_grace(stage: Stage) -> None:
    stage.live(0.5)
    stage.nerves.bolt(stage.now_s, locked=False)
    stage.live(BOLT_GRACE_S)
    assert stage.parts.why("bolt") is None
    stage.live(0.5)
    assert "item in its way" in stage.why("bolt")


def test_a_bolt_that_is_out_again_is_in_order(stage: Stage) -> None:
    stage.nerves.bolt(stage.now_s, locked=False)
    stage.live(3.0)
    stage.nerves.bolt(stage.now_s, locked=True)
    stage.live(0.5)
    assert stage.parts.why("bolt") is None


def test_a_bolt_that_is_drawn_for_a_visit_is_no_fault(stage: Stage) -> None:
    stage.state = Unlocked(V, ANN, 1e9)
    stage.nerves.bolt(stage.now_s, locked=False)
    stage.live(8.0)
    assert stage.parts.why("bolt") is None


def test_the_grace_of_a_bolt_begins_when_the_lock_is_no_longer_driven(stage: Stage) -> None:
    stage.state = Unlocked(V, ANN, 1e9)
    stage.nerves.bolt(stage.now_s, locked=False)
    stage.live(8.0)
    stage.state = Idle()
    stage.live(1.0)
    assert stage.parts.why("bolt") is None
    stage.live(1.5)
    assert "item in its way" in stage.why("bolt")


def test_goods_above_the_limit_are_sold_during_the_grace(cold: Stage) -> None:
    cold.warm(8.0, 1790.0)
    assert cold.parts.why("temperature") is None


def test_goods_above_the_limit_beyond_the_grace_are_not_sold(cold: Stage) -> None:
    cold.warm(8.0, 1820.0)
    assert "too long" in cold.why("temperature")


def test_a_cold_moment_begins_the_grace_anew(cold: Stage) -> None:
    cold.warm(8.0, 1700.0)
    cold.warm(4.0, 10.0)
    cold.warm(8.0, 1700.0)
    assert cold.parts.why("temperature") is None


def test_goods_that_were_too_warm_stay_unsold_when_it_is_cold_again(cold: Stage) -> None:
    cold.warm(8.0, 1820.0)
    cold.warm(4.0, 600.0)
    assert "too long" in cold.why("temperature")


def test_the_machine_is_told_that_only_a_service_visit_ends_it(cold: Stage) -> None:
    cold.warm(8.0, 1820.0)
    (lost,) = [e for e in cold.posted if isinstance(e, PartLost) and e.fault.part == "temperature"]
    assert lost.fault.latched


def test_a_service_visit_ends_it(cold: Stage) -> None:
    cold.warm(8.0, 1820.0)
    cold.state = Servicing(V, "tech", "restock", door_open=True, deadline_s=1e9)
    cold.warm(4.0, 10.0)
    cold.state = Idle()
    cold.warm(4.0, 10.0)
    assert cold.parts.why("temperature") is None


def test_a_probe_that_has_gone_silent_is_named(cold: Stage) -> None:
    cold.warm(4.0, 10.0)
    cold.live(PROBE_SILENT_S + 1.0)
    assert "no reading" in cold.why("temperature")


def test_ambient_goods_need_no_probe(stage: Stage) -> None:
    stage.live(PROBE_SILENT_S * 2)
    assert stage.parts.why("temperature") is None


def test_an_empty_catalogue_is_named_with_its_remedy(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        stage = Stage(tmp_path, ledger)
        stage.live(0.5)
        assert "cabinet catalog add" in stage.why("catalogue")


def test_a_catalogue_that_was_filled_is_in_order_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        stage = Stage(tmp_path, ledger)
        stage.live(0.5)
        ledger.put_product(Sku("1"), Product("Cola", 500.0, 220))
        stage.keeper.look_at_catalogue()
        assert stage.parts.why("catalogue") is None


def full_disk(monkeypatch: pytest.MonkeyPatch, free_mib: float) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=int(free_mib * MIB)))


def test_a_short_disk_is_named_with_both_numbers(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk(monkeypatch, 0.5)
    stage.live(0.5)
    assert stage.why("disk").startswith("0 MiB free, 1 needed")


def test_a_short_disk_costs_every_closed_trace(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    trace_of(stage, "01A")
    full_disk(monkeypatch, 0.5)
    stage.live(0.5)
    assert kept(stage) == []


def test_a_disk_with_room_again_is_in_order(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk(monkeypatch, 0.5)
    stage.live(0.5)
    full_disk(monkeypatch, 50.0)
    stage.live(SLOW_EVERY * 0.5)
    assert stage.parts.why("disk") is None


def test_the_oldest_traces_go_first_and_no_more_than_needed(stage: Stage) -> None:
    for visit in ("01A", "01B", "01C"):
        trace_of(stage, visit)
    stage.keeper.forget(keep_mib=2)
    assert kept(stage) == ["01B", "01C"]


def test_traces_beyond_their_days_go(stage: Stage) -> None:
    trace_of(stage, "01A", age_days=31.0)
    trace_of(stage, "01B", age_days=29.0)
    stage.live(0.5)
    assert kept(stage) == ["01B"]


def test_no_trace_is_too_old_by_a_clock_that_is_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    trace_of(stage, "01A", age_days=31.0)
    monkeypatch.setattr(clock, "quality", lambda: "none")
    stage.live(0.5)
    assert kept(stage) == ["01A"]


def test_the_trace_of_an_open_visit_never_goes(stage: Stage) -> None:
    trace_of(stage, V, age_days=100.0)
    trace_of(stage, "01ZZ", age_days=100.0)
    opened = OpenedVisit(V, ANN, "shop", "face", "", 1, {}, V)
    stage.ledger.commit(Watching(V, ANN, 0.0, 1e9), [opened], clock.stamp())
    stage.keeper.forget(keep_mib=0)
    assert kept(stage) == [V]


def test_a_lock_that_does_not_answer_is_named(stage: Stage) -> None:
    stage.lock.why = "lock: the board is not connected"
    asyncio.run(stage.keeper.check_lock())
    assert stage.why("lock") == "lock: the board is not connected"


def test_a_lock_that_answers_again_is_in_order(stage: Stage) -> None:
    stage.lock.why = "lock: the board is not connected"
    asyncio.run(stage.keeper.check_lock())
    stage.lock.why = None
    asyncio.run(stage.keeper.check_lock())
    assert stage.parts.why("lock") is None


def test_what_others_say_of_a_part_is_passed_on(stage: Stage) -> None:
    stage.live(0.5)
    assert stage.why("cloud") == "no broker"


# What the board holds against the cells.


def test_a_zone_with_a_fault_of_the_board_is_lost_however_good_its_samples_are(stage: Stage) -> None:
    stage.nerves.part("scale:s1", "more than one sample in eight is spoilt")
    stage.live(3)
    assert stage.why("scale:s1") == "more than one sample in eight is spoilt"


def test_a_zone_whose_fault_is_gone_is_as_good_as_its_samples(stage: Stage) -> None:
    stage.nerves.part("scale:s1", "the converter sends nothing")
    stage.live(3)
    stage.nerves.part("scale:s1", None)
    stage.live(0.5)
    assert stage.why("scale:s1") == ""


def test_old_entries_of_the_boards_journal_are_forgotten_with_the_outbox(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(stage.ledger, "prune_journal", lambda _: asked.append("journal"))
    stage.keeper._rounds = PRUNE_EVERY - 1
    stage.keeper.round(stage.now_s)
    assert asked == ["journal"]


# The ballast, and what is given up before it.


def disk_of(stage: Stage, monkeypatch: pytest.MonkeyPatch, mib: float) -> None:
    """So many MiB for recordings and ballast together."""

    def free(_: object) -> SimpleNamespace:
        used = sum(
            file.stat().st_size for file in stage.folder.rglob("*") if file.is_file() and "ledger" not in file.name
        )
        return SimpleNamespace(free=int(mib * MIB) - used)

    monkeypatch.setattr(shutil, "disk_usage", free)


def in_review(stage: Stage, visit: str) -> None:
    there = VisitId(visit)
    stage.ledger.commit(Idle(), [OpenedVisit(there, ANN, "shop", "face", "", 1, {}, there)], clock.stamp())
    stage.ledger.commit(Idle(), [ClosedVisit(there, "review", "who knows")], clock.stamp())


def test_the_ballast_is_laid_when_there_is_room_and_nothing_is_sold_without_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.keeper.ballast = ballast = Ballast(stage.folder / "ballast", 2)
    disk_of(stage, monkeypatch, 2.5)
    stage.live(0.5)
    assert (ballast.there, stage.why("disk")[:22]) == (False, "2 MiB free, 3 needed: ")
    disk_of(stage, monkeypatch, 3.5)
    stage.live(SLOW_EVERY * 0.5)
    assert (ballast.there, stage.why("disk")) == (True, "")


def test_a_ballast_that_was_given_up_is_an_incident_once(stage: Stage) -> None:
    stage.keeper.ballast = ballast = Ballast(stage.folder / "ballast", 1)
    stage.live(0.5)
    assert ballast.give_up()
    stage.live(2 * SLOW_EVERY * 0.5)
    told = [row.body["why"] for row in stage.ledger.outbox() if row.type == "incident"]
    assert told == ["the disk was full: the ballast was given up"]
    assert ballast.there


def test_a_ballast_that_cannot_be_written_is_named(stage: Stage) -> None:
    stage.keeper.ballast = Ballast(stage.folder / "nowhere" / "ballast", 1)
    stage.live(0.5)
    assert "ballast cannot be written (No such file or directory)" in stage.why("disk")


def test_on_a_short_disk_no_more_recordings_go_than_needed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for visit in ("01A", "01B", "01C"):
        trace_of(stage, visit)
    disk_of(stage, monkeypatch, 3.5)
    stage.live(0.5)
    assert (kept(stage), stage.why("disk")) == (["01B", "01C"], "")


def test_recordings_of_reviews_are_the_last_to_go(stage: Stage) -> None:
    in_review(stage, "01A")
    for visit in ("01A", "01B", "01C"):
        trace_of(stage, visit)
    stage.keeper.forget(keep_mib=1)
    assert kept(stage) == ["01A"]


def test_recordings_that_the_cloud_may_ask_about_go_after_those_it_has_confirmed(stage: Stage) -> None:
    for visit in ("01A", "01B"):
        there = VisitId(visit)
        stage.ledger.commit(Idle(), [OpenedVisit(there, ANN, "shop", "face", "", 1, {}, there)], clock.stamp())
        stage.ledger.commit(Idle(), [ClosedVisit(there, "nothing")], clock.stamp())
        trace_of(stage, visit)
    confirmed = {row.seq: row.h for row in stage.ledger.outbox() if row.visit == "01B"}
    stage.ledger.acknowledge(0, "", confirmed, clock=clock.stamp())
    stage.keeper.forget(keep_mib=1)
    assert kept(stage) == ["01A"]


def test_a_review_is_kept_beyond_the_days_of_the_others_but_not_for_ever(stage: Stage) -> None:
    for visit, age_days in (("01A", 31.0), ("01B", 91.0)):
        in_review(stage, visit)
        trace_of(stage, visit, age_days=age_days)
    trace_of(stage, "01C", age_days=31.0)
    stage.live(0.5)
    assert kept(stage) == ["01A"]


def test_a_disk_that_failed_whoever_was_told_ends_the_program(stage: Stage) -> None:
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    with contextlib.suppress(LedgerError), stage.ledger._file.writing():
        raise failure
    with pytest.raises(LedgerLostError, match="restart"):
        stage.live(0.5)


def test_how_late_it_is_at_least_is_noted_every_ten_minutes(stage: Stage) -> None:
    assert stage.ledger.time_floor_ms() == 0
    stage.live(600.0)
    assert abs(stage.ledger.time_floor_ms() - clock.stamp().wall_ms) < 600_000
