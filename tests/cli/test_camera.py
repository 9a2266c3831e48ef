"""Cameras at the terminal: list, picture, marks to print, and both ways to calibrate."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from cabinet.vision.markers import find
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl, Refusal
from tests.vision.marked import S1, goods, seen, view, wall

PICTURE = base64.b64encode(b"a picture").decode()
CORNERS = [[10.0, 20.0], [600.0, 20.5], [600.0, 200.0], [10.0, 200.0]]
ZONE = {"zone": "s1", "corners": CORNERS, "source": "markers", "at": "2026-05-01T10:00:00Z", "notes": ["one guessed"]}
TOP: dict[str, Any] = {
    "camera": "top", "role": "interior", "width": 640, "height": 480, "trouble": None, "calibration": None,
    "zones": [ZONE],
}  # fmt: skip  # a row
FOUND: dict[str, Any] = {
    "camera": "top", "ok": True, "why": None, "how": "markers", "at": "2026-05-01T10:00:00Z", "marks": [0, 1, 2, 3],
    "zones": [{"zone": "s1", "corners": CORNERS, "why": None, "notes": []}], "notes": ["marks of no zone asked for: 9"],
    "kept": "/var/lib/cabinet/calibration/top-found.jpg", "jpg_b64": PICTURE,
}  # fmt: skip  # a row
MISSED = {
    **FOUND, "ok": False, "why": "not every zone was found", "kept": None,
    "zones": [{"zone": "s1", "corners": None, "why": "2 of 4 marks found", "notes": []}],
}  # fmt: skip  # a row


@pytest.fixture(autouse=True)
def answers(control: FakeControl) -> None:
    control.answers |= {
        "camera.list": {"cameras": [TOP], "zones": {"s1": 0, "s2": 1}},
        "camera.snapshot": {**TOP, "png_b64": PICTURE},
        "camera.calibrate": FOUND,
        "camera.forget": TOP,
    }


# Looking.


def test_the_list_says_where_each_outline_comes_from(cli: Cli) -> None:
    said = cli("camera", "list").stdout
    for words in ("top", "640 x 480", "s1 (markers 2026-05-01)", "in order"):
        assert words in said


def test_the_list_as_json_is_the_data(cli: Cli, control: FakeControl) -> None:
    assert json.loads(cli("camera", "list", "--json").stdout) == control.answers["camera.list"]


def test_show_writes_the_drawn_picture_and_tells_the_outlines(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    done = cli("camera", "show", "top", "--out", str(tmp_path / "top.png"))
    assert (done.exit_code, (tmp_path / "top.png").read_bytes()) == (0, b"a picture")
    assert control.asked == [("camera.snapshot", {"camera": "top", "draw": True})]
    for words in ("markers", "[[10, 20], [600, 20.5], [600, 200], [10, 200]]", "one guessed"):
        assert words in done.stdout


def test_show_as_json_has_no_picture_in_it(cli: Cli) -> None:
    assert json.loads(cli("camera", "show", "top", "--json").stdout) == {**TOP, "picture": None}


def test_a_useless_calibration_is_loud(cli: Cli, control: FakeControl) -> None:
    control.answers["camera.snapshot"] = {**TOP, "calibration": "was made for 320 x 240", "png_b64": PICTURE}
    said = cli("camera", "show", "top").stderr
    assert "was made for 320 x 240" in said
    assert "→ cabinet camera calibrate top" in said


def test_a_refusal_leaves_no_empty_file(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    control.answers["camera.snapshot"] = Refusal("there is no camera 'up'", "cameras here: top")
    done = cli("camera", "show", "up", "--out", str(tmp_path / "up.png"))
    assert (done.exit_code, list(tmp_path.glob("*.png"))) == (1, [])


def test_a_file_that_is_there_is_never_written_over(cli: Cli, control: FakeControl, photo: Path) -> None:
    assert (cli("camera", "show", "top", "--out", str(photo)).exit_code, control.asked) == (2, [])


# Marks.


def test_the_sheet_has_four_marks_for_every_zone_of_the_cabinet(cli: Cli, tmp_path: Path) -> None:
    done = cli("camera", "markers", str(tmp_path / "marks.png"))
    assert done.exit_code == 0
    picture = cv2.imread(str(tmp_path / "marks.png"))
    assert picture is not None
    assert [mark.number for mark in find(picture.astype(np.uint8))] == list(range(8))


def test_a_zone_with_its_channel_needs_no_daemon(cli: Cli, control: FakeControl, tmp_path: Path) -> None:
    done = cli("camera", "markers", str(tmp_path / "marks.pdf"), "--zone", "s9=5", "--json")
    assert json.loads(done.stdout)["marks"] == {"s9": [20, 21, 22, 23]}
    assert (tmp_path / "marks.pdf").read_bytes().startswith(b"%PDF")
    assert control.asked == []


def test_six_zones_are_two_pages(cli: Cli, tmp_path: Path) -> None:
    zones = [word for n in range(6) for word in ("--zone", f"z{n}={n}")]
    assert json.loads(cli("camera", "markers", str(tmp_path / "marks.pdf"), *zones, "--json").stdout)["pages"] == 2


@pytest.mark.parametrize("words", [("m.gif",), ("m.png", "--zone", "s9"), ("m.png", "--zone", "s1=12")])
def test_a_sheet_that_cannot_be_is_wrong_input_and_leaves_no_file(
    words: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    assert cli("camera", "markers", str(tmp_path / words[0]), *words[1:]).exit_code == 2
    assert not (tmp_path / words[0]).exists()


# Calibrating.


def test_one_question_calibrates_by_marks_and_the_picture_is_written(
    cli: Cli, control: FakeControl, tmp_path: Path
) -> None:
    done = cli("camera", "calibrate", "top", "--zone", "s1", "--out", str(tmp_path / "found.jpg"))
    assert (done.exit_code, (tmp_path / "found.jpg").read_bytes()) == (0, b"a picture")
    assert control.asked == [("camera.calibrate", {"camera": "top", "how": "markers", "zones": ["s1"]})]
    for words in ("outlines found", "calibration/top-found.jpg", "marks of no zone asked for: 9"):
        assert words in done.stdout


def test_a_zone_that_was_not_found_is_exit_code_1_with_the_picture_that_shows_why(
    cli: Cli, control: FakeControl, tmp_path: Path
) -> None:
    control.answers["camera.calibrate"] = MISSED
    done = cli("camera", "calibrate", "top", "--out", str(tmp_path / "found.jpg"), "--json")
    assert (done.exit_code, (tmp_path / "found.jpg").exists()) == (1, True)
    assert json.loads(done.stdout)["ok"] is False
    assert "s1: 2 of 4 marks found" in done.stderr
    assert "the old outlines stay" in done.stderr


def test_restock_leads_through_both_pictures(cli: Cli, control: FakeControl) -> None:
    done = cli("camera", "calibrate", "top", "--restock", "--zone", "s1", typed="\n\n")
    assert done.exit_code == 0
    asked = {"camera": "top", "how": "restock", "zone": "s1"}
    assert [args for _, args in control.asked] == [{**asked, "step": "empty"}, {**asked, "step": "filled"}]
    assert done.stderr.index("Empty s1") < done.stderr.index("Put goods all over s1")


def test_whoever_leaves_in_the_middle_frees_the_cabinet(cli: Cli, control: FakeControl) -> None:
    assert cli("camera", "calibrate", "top", "--restock", "--zone", "s1", typed="\n").exit_code == 1
    assert [args["step"] for _, args in control.asked] == ["empty", "cancel"]


def test_forgetting_is_one_question(cli: Cli, control: FakeControl) -> None:
    assert "the config's outlines" in cli("camera", "calibrate", "top", "--forget").stdout
    assert control.asked == [("camera.forget", {"camera": "top"})]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("top", "--restock"),
        ("--before", "a.jpg", "--zone", "s1"),
        ("top", "--before", "a.jpg", "--after", "b.jpg", "--zone", "s1"),
        ("--before", "a.jpg", "--after", "b.jpg"),
        ("--before", "nowhere.jpg", "--after", "nowhere.jpg", "--zone", "s1"),
    ],
)
def test_what_cannot_be_meant_is_wrong_input_and_asks_nobody(
    words: tuple[str, ...], cli: Cli, control: FakeControl
) -> None:
    done = cli("camera", "calibrate", *words)
    assert (done.exit_code, control.asked, "→" in done.stderr) == (2, [], True)


def test_two_files_give_an_outline_for_the_config_without_a_daemon(
    cli: Cli, control: FakeControl, tmp_path: Path
) -> None:
    bare = wall(marks=False)
    for name, picture in (("a.png", bare), ("b.png", goods(bare, S1))):
        Image.fromarray(seen(picture, view(20))[..., ::-1]).save(tmp_path / name)
    files = ("--before", str(tmp_path / "a.png"), "--after", str(tmp_path / "b.png"))
    done = cli("camera", "calibrate", *files, "--zone", "s1", "--out", str(tmp_path / "c.jpg"))
    assert (done.exit_code, control.asked) == (0, [])
    assert "for the config: s1 = [[" in done.stdout
    assert (tmp_path / "c.jpg").read_bytes().startswith(b"\xff\xd8")
