"""Cameras at the control socket: outlines from marks and restock pictures, kept, in force, and refused in a visit."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cabinet import clock
from cabinet.config import Config
from cabinet.control.cameras import FRESH_S, RESTOCK_S, CameraRoom
from cabinet.control.geometry import Geometry
from cabinet.control.maintenance import PART
from cabinet.control.requests import RequestError
from cabinet.parts import Parts
from cabinet.ports import Frame
from cabinet.session.states import Unlocked
from cabinet.units import CameraId, MemberId, VisitId, ZoneId
from tests.control.room import S1, S2, Room, facts
from tests.support.virtual_time import run_in_virtual_time
from tests.vision.marked import Pixels, goods, off, seen, view, wall

TOP = CameraId("top")
DRAWN = [[10.0, 10.0], [600.0, 10.0], [600.0, 200.0], [10.0, 200.0]]
MARKS = {"camera": "top"}
TILT = view(20)
SHOPPING = Unlocked(VisitId("v" * 26), MemberId("ann"), 9e9)


@dataclass
class Eye:
    """A camera that always has a fresh picture, unless it is away."""

    picture: Pixels
    away: str | None = None
    camera: CameraId = TOP
    paces: list[float | None] = field(default_factory=list)
    noise: float = 0.0
    frames: int = 0
    dice: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def latest(self, after_s: float = float("-inf")) -> Frame | None:
        if self.away:
            return None
        self.frames += 1
        rough = self.picture if not self.noise else self.picture + self.dice.normal(0, self.noise, self.picture.shape)
        return Frame(self.camera, clock.now_s() + 0.01, np.clip(rough, 0, 255).astype(np.uint8))

    def pace(self, fps: float | None) -> None:
        self.paces.append(fps)

    def trouble(self) -> str | None:
        return self.away


def config_of(folder: Path, **camera: Any) -> Config:
    top = {"id": "top", "role": "interior", "source": 0, **camera}
    return facts(folder, cameras=[top, {"id": "front", "role": "front", "source": 1}])


@dataclass
class Cameras:
    room: Room
    eye: Eye
    config: Config
    changes: int = 0

    def __post_init__(self) -> None:
        self.geometry = Geometry(self.config, self.room.parts)
        eyes = {TOP: self.eye, CameraId("front"): self.eye}
        self.desk = CameraRoom(self.config, eyes, self.geometry, self.room.maintenance, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def top(self) -> dict[ZoneId, Any]:
        return self.geometry.polygons(self.config.cameras[0])

    def ask(self, op: str, /, *more: tuple[Callable[[], None] | None, dict[str, Any]], **first: Any) -> dict[str, Any]:
        """One request, or several one after the other, each after something was done; the last answer."""

        async def live() -> dict[str, Any]:
            async with self.room.running():
                answer: dict[str, Any] = await self.desk.operations()[op](first, "rosa")
                for before, arguments in more:
                    if before is not None:
                        before()
                    answer = await self.desk.operations()[op](arguments, "rosa")
                return answer

        return run_in_virtual_time(live())

    def again(self, **camera: Any) -> "Cameras":
        """After a restart, with this config."""
        return Cameras(self.room, self.eye, config_of(self.room.folder, **camera))


@pytest.fixture
def cameras(room: Room) -> Cameras:
    return Cameras(room, Eye(seen(wall(), TILT)), config_of(room.folder, polygons={"s1": DRAWN}))


def decoded(coded: str) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.astype(np.uint8)


# Marks.


def test_marks_give_the_outlines_which_are_in_force_at_once(cameras: Cameras) -> None:
    answer = cameras.ask("camera.calibrate", camera="top", zones=["s1", "s2"])
    assert (answer["ok"], answer["marks"], cameras.changes) == (True, list(range(8)), 1)
    assert max(off(cameras.top[zone], zone, TILT) for zone in (S1, S2)) < 2.0


def test_without_names_the_zones_it_is_known_to_see_are_looked_for(cameras: Cameras) -> None:
    answer = cameras.ask("camera.calibrate", camera="top")
    assert [zone["zone"] for zone in answer["zones"]] == ["s1"]
    assert answer["notes"] == ["marks of no zone asked for: 4, 5, 6, 7"]


def test_a_camera_without_outlines_looks_for_every_zone_and_needs_none(room: Room) -> None:
    fresh = Cameras(room, Eye(seen(wall((4, 5, 6, 7)), TILT)), config_of(room.folder))
    answer = fresh.ask("camera.calibrate", camera="top")
    assert (answer["ok"], list(fresh.top)) == (True, ["s1"])


def test_three_files_are_kept_the_reference_picture_as_it_was(cameras: Cameras) -> None:
    cameras.ask("camera.calibrate", camera="top")
    folder = cameras.room.folder / "calibration"
    assert sorted(file.name for file in folder.iterdir()) == ["top-found.jpg", "top.jpg", "top.json"]
    reference = decoded(base64.b64encode((folder / "top.jpg").read_bytes()).decode())
    assert float(np.abs(reference.astype(int) - cameras.eye.picture).mean()) < 3.0


def test_outlines_survive_a_restart_with_their_source_and_date(cameras: Cameras) -> None:
    answer = cameras.ask("camera.calibrate", camera="top", zones=["s2"])
    later = cameras.again(polygons={"s1": DRAWN})
    assert later.top == cameras.top
    (top, _) = later.ask("camera.list")["cameras"]
    assert [(z["zone"], z["source"], z["at"]) for z in top["zones"]] == [
        ("s1", "config", None), ("s2", "markers", answer["at"])
    ]  # fmt: skip  # a list


def test_a_refusal_is_an_answer_with_a_picture_and_changes_nothing(cameras: Cameras) -> None:
    cameras.eye.picture = seen(wall((0, 1)), TILT)
    before = cameras.top
    answer = cameras.ask("camera.calibrate", camera="top", zones=["s1", "s2"])
    assert (answer["ok"], answer["why"], answer["kept"]) == (False, "not every zone was found", None)
    assert answer["zones"][0]["why"].startswith("2 of 4 marks found")
    assert decoded(answer["jpg_b64"]).shape == (480, 640, 3)
    assert (cameras.top, cameras.changes) == (before, 0)
    assert not (cameras.room.folder / "calibration").exists()


def test_a_dim_camera_is_looked_through_for_several_frames(cameras: Cameras) -> None:
    cameras.eye.noise = 25.0
    answer = cameras.ask("camera.calibrate", camera="top", zones=["s1", "s2"])
    assert (answer["ok"], cameras.eye.frames) == (True, 5)
    assert max(off(cameras.top[zone], zone, TILT) for zone in (S1, S2)) < 3.0


def test_no_marks_at_all_are_told_so(room: Room) -> None:
    bare = Cameras(room, Eye(seen(wall(marks=False), TILT)), config_of(room.folder))
    answer = bare.ask("camera.calibrate", camera="top")
    assert (answer["ok"], answer["why"]) == (False, "no marks were found")


def test_forgetting_brings_the_config_back(cameras: Cameras) -> None:
    cameras.ask("camera.calibrate", camera="top")
    cameras.ask("camera.forget", camera="top")
    assert cameras.top == {S1: tuple(map(tuple, DRAWN))}
    assert not list((cameras.room.folder / "calibration").iterdir())


# What is no longer true.


def why(cameras: Cameras) -> str:
    return cameras.room.parts.why("calibration:top") or ""


def test_a_calibration_of_another_frame_size_is_not_used_and_doctor_says_so(cameras: Cameras) -> None:
    cameras.ask("camera.calibrate", camera="top")
    later = cameras.again(polygons={"s1": DRAWN}, width=1280, height=720)
    assert later.top == {S1: tuple(map(tuple, DRAWN))}
    assert why(later) == "was made for 640 x 480 pixels, the config says 1280 x 720: the config's polygons are used"
    (part,) = [part for part in later.room.parts if part.name == "calibration:top"]
    assert (part.needed, part.remedy) == (False, "cabinet camera calibrate top")


def test_calibrating_again_puts_that_right(cameras: Cameras) -> None:
    cameras.ask("camera.calibrate", camera="top")
    later = cameras.again(polygons={"s1": DRAWN}, width=1280, height=960)
    later.eye.picture = seen(wall(), view(20, width=1280), width=1280)
    assert later.ask("camera.calibrate", camera="top")["ok"]
    assert why(later) == ""


@pytest.mark.parametrize("content", ["", "[]", '{"width": 640}', '{"width": 640, "height": 480, "zones": {"s1": 3}}'])
def test_a_spoilt_file_is_told_and_the_config_used(content: str, cameras: Cameras) -> None:
    folder = cameras.room.folder / "calibration"
    folder.mkdir()
    (folder / "top.json").write_text(content)
    later = cameras.again(polygons={"s1": DRAWN})
    assert list(later.top) == ["s1"]
    assert why(later).startswith("top.json cannot be read")


def test_a_zone_that_the_config_has_no_more_is_left_out_and_told(cameras: Cameras) -> None:
    cameras.ask("camera.calibrate", camera="top")
    file = cameras.room.folder / "calibration" / "top.json"
    table = json.loads(file.read_text())
    table["zones"]["s9"] = table["zones"]["s1"]
    file.write_text(json.dumps(table))
    later = cameras.again()
    assert (list(later.top), why(later)) == (["s1"], "has zones that the config does not have: s9")


def test_a_disk_that_takes_nothing_leaves_the_old_outlines(cameras: Cameras) -> None:
    (cameras.room.folder / "calibration").write_text("a file where a folder should be")
    with pytest.raises(Exception, match="cannot be written"):
        cameras.ask("camera.calibrate", camera="top")
    assert cameras.top == {S1: tuple(map(tuple, DRAWN))}


# Restock pictures.

EMPTY = {"camera": "top", "how": "restock", "zone": "s1", "step": "empty"}
FILLED = {**EMPTY, "step": "filled"}


def test_an_empty_and_a_filled_shelf_give_its_outline(cameras: Cameras) -> None:
    bare = wall(marks=False)
    cameras.eye.picture = seen(bare, TILT, seed=1)

    def restock() -> None:
        cameras.eye.picture = seen(goods(bare, S1), TILT, seed=2, light=1.2)

    answer = cameras.ask("camera.calibrate", (restock, FILLED), **EMPTY)
    assert (answer["ok"], answer["how"], answer["zones"][0]["zone"]) == (True, "restock", "s1")
    assert cameras.geometry.in_force(cameras.config.cameras[0])[S1].source == "restock"


def test_nothing_is_sold_between_the_two_pictures_and_again_after(cameras: Cameras) -> None:
    held: list[str | None] = []
    cameras.ask("camera.calibrate", (lambda: held.append(cameras.room.parts.why(PART)), FILLED), **EMPTY)
    assert held[0] is not None
    assert "restock pictures of s1 by top" in held[0]
    assert cameras.room.parts.why(PART) is None


def test_a_filled_shelf_without_an_empty_one_is_refused(cameras: Cameras) -> None:
    with pytest.raises(RequestError, match="no picture of s1 empty"):
        cameras.ask("camera.calibrate", **FILLED)


def test_giving_up_frees_the_cabinet_and_forgets_the_picture(cameras: Cameras) -> None:
    with pytest.raises(RequestError, match="no picture of s1 empty"):
        cameras.ask("camera.calibrate", (None, {**EMPTY, "step": "cancel"}), (None, FILLED), **EMPTY)
    assert cameras.room.parts.why(PART) is None


def test_a_technician_who_never_comes_back_is_waited_for_ten_minutes(cameras: Cameras) -> None:
    async def live() -> str | None:
        async with cameras.room.running():
            await cameras.desk.calibrate(EMPTY, "rosa")
            await asyncio.sleep(RESTOCK_S + 1)
            return cameras.room.parts.why(PART)

    assert run_in_virtual_time(live()) is None


# Refusals and looking.


def test_during_a_visit_nothing_is_calibrated(cameras: Cameras) -> None:
    cameras.room.daemon.state = SHOPPING
    for arguments in (MARKS, EMPTY):
        with pytest.raises(RequestError, match="the cabinet is Unlocked"):
            cameras.ask("camera.calibrate", **arguments)
    assert cameras.changes == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"camera": "side"}, "no interior camera 'side'"),
        ({"camera": "front"}, "no interior camera 'front'"),
        ({"camera": "top", "zones": ["s7"]}, "no zone 's7'"),
        ({"camera": "top", "zones": "s1"}, "zones is 's1'"),
        ({"camera": "top", "how": "magic"}, "how is 'magic'"),
        ({**EMPTY, "step": "half"}, "step is 'half'"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_remedy(arguments: dict[str, Any], words: str, cameras: Cameras) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        cameras.ask("camera.calibrate", **arguments)
    assert refused.value.remedy


@pytest.mark.parametrize("arguments", [MARKS, EMPTY])
def test_a_camera_that_shows_nothing_is_given_up_and_paced_down_again(
    arguments: dict[str, Any], cameras: Cameras
) -> None:
    cameras.eye.away = "no signal"
    with pytest.raises(RequestError, match="top: no signal"):
        cameras.ask("camera.calibrate", **arguments)
    assert cameras.eye.paces[-1] is None
    assert cameras.room.parts.why(PART) is None
    assert FRESH_S < 10


def test_a_snapshot_is_the_picture_itself_and_drawn_only_when_asked(cameras: Cameras) -> None:
    plain = decoded(cameras.ask("camera.snapshot", camera="top")["png_b64"])
    marked = decoded(cameras.ask("camera.snapshot", camera="top", draw=True)["png_b64"])
    assert (plain == cameras.eye.picture).all()
    assert (marked != plain).any()


def test_the_front_camera_can_be_looked_through_too(cameras: Cameras) -> None:
    assert cameras.ask("camera.snapshot", camera="front")["zones"] == []


def test_but_not_while_somebody_shops(cameras: Cameras) -> None:
    cameras.room.daemon.state = SHOPPING
    with pytest.raises(RequestError, match="somebody stands before"):
        cameras.ask("camera.snapshot", camera="front")
    assert cameras.ask("camera.snapshot", camera="top")["camera"] == "top"
    assert cameras.eye.paces == []  # whoever watches the hands set the pace


def test_a_list_has_every_camera_and_the_zones_channels(cameras: Cameras) -> None:
    data = cameras.ask("camera.list")
    assert [camera["camera"] for camera in data["cameras"]] == ["top", "front"]
    assert data["zones"] == {"s1": 0, "s2": 1}


def test_a_camera_never_calibrated_is_no_part_of_the_doctors(room: Room) -> None:
    parts = Parts(room.daemon.post, clock.now_s)
    Geometry(config_of(room.folder), parts)
    assert not list(parts)
