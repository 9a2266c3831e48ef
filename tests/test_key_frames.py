"""Which stills of a visit are kept: before and after of every camera, and of a long rummage what is new."""

from pathlib import Path

import pytest

from cabinet import clock
from cabinet.recording import Stills
from cabinet.trace import Recorder
from cabinet.units import CameraId
from cabinet.witness.album import Album
from tests.test_witness import STOCKED as PICTURE
from tests.test_witness import TOP, Camera, Stage, V, header, lived
from tests.vision.shelves import ColourJudge


def kept(stills: Stills, most: int, cameras: int, shows: list[str]) -> int:
    """How many of the pictures, each showing one thing, are wanted in a row."""
    wanted = 0
    for what in shows:
        if stills.wants(most, cameras, [(what,)]):
            stills.kept += 1
            wanted += 1
    return wanted


def test_the_places_of_the_after_pictures_are_never_given_away() -> None:
    stills = Stills(kept=3)  # three cameras, before
    kept(stills, 12, 3, [f"new {i}" for i in range(100)])
    assert stills.kept == 9


def test_once_half_the_budget_is_spent_only_what_is_new_is_kept() -> None:
    stills = Stills()
    assert kept(stills, 20, 1, ["the same"] * 50) == 10
    assert kept(stills, 20, 1, ["the same", "new", "new", "newer"]) == 2


@pytest.mark.parametrize("budget", [2, 5])
def test_a_long_rummage_leaves_room_for_the_picture_after(tmp_path: Path, budget: int) -> None:
    stage = Stage(tmp_path, Camera(PICTURE), ColourJudge(), stills=budget)
    album = Album(budget)

    async def story() -> None:
        await stage.open_visit()
        recording = stage.witness._recording
        assert recording is not None
        for _ in range(20):
            await stage.live(0.2)
            frame = stage.camera.latest() if stage.camera else None
            if frame is not None:
                album.between(recording, frame, (), cameras=1)
        await stage.shut()
        await stage.live(3.0)

    lived(story, stage)
    times = sorted(int(still.stem) for still in (tmp_path / V).glob("frames/top/*.jpg"))
    assert len(times) <= budget
    assert times[0] <= 0
    assert times[-1] > 4000


def test_of_a_door_that_is_shut_twice_the_newer_after_picture_replaces_the_older(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Camera(PICTURE), ColourJudge(), stills=2)

    async def story() -> None:
        await stage.open_visit()
        await stage.live(1.0)
        await stage.shut()
        await stage.live(0.4)
        stage.witness.door(clock.now_s(), is_open=True)
        await stage.live(2.0)
        await stage.shut()
        await stage.live(3.0)

    lived(story, stage)
    times = sorted(int(still.stem) for still in (tmp_path / V).glob("frames/top/*.jpg"))
    assert len(times) == 2
    assert times[-1] > 3400


def test_a_dropped_still_gives_its_bytes_back(tmp_path: Path) -> None:
    recorder = Recorder.create(tmp_path / "v", header(V, "shop"), frame_bytes=100)
    assert recorder.frame(TOP, 1.0, b"x" * 80)
    assert not recorder.frame(TOP, 2.0, b"x" * 80)
    recorder.drop_frame(TOP, 1.0)
    recorder.drop_frame(CameraId("none"), 1.0)
    assert recorder.frame(TOP, 2.0, b"x" * 80)
    recorder.close()
