"""The picture of a visit.  Whether it is beautiful is for eyes; that it is whole is for tests."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cabinet import trace
from cabinet.basket.evidence import Mass, Sighting, State
from cabinet.basket.tally import tally
from cabinet.picture import draw_visit
from cabinet.units import CameraId
from tests.basket.visits import COLA, NUTS, Scene

Draw = Callable[..., Image.Image]


def shopped(folder: Path, *, told: bool = True, stills: int = 0, states: bool = False) -> Path:
    scene = Scene()
    scene.notice = 1.0
    scene.take(3, "s1", COLA)
    scene.take(4.5, "s2", NUTS)
    visit = scene.visit(7)
    recorder = trace.Recorder.create(folder, scene.header)
    for event in visit.events:
        recorder.write(replace(event, box=(5, 5, 30, 40)) if isinstance(event, Sighting) else event)
    if states:
        recorder.write(State(0.0, "watching"))
    for i in range(stills):
        recorder.frame(CameraId("top"), i - 0.5, jpeg())
    recorder.finish()
    if told:
        recorder.write_tally(tally(trace.read(folder)))
    return folder


def jpeg() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(content, "JPEG")
    return content.getvalue()


def colours(picture: Image.Image) -> set[tuple[int, ...]]:
    counted = picture.convert("RGB").getcolors(2**24) or []
    return {colour for n, colour in counted if isinstance(colour, tuple) and n > 30}


def drawn(folder: Path, **options: object) -> Image.Image:
    out = folder.with_suffix(".png")
    draw_visit(folder, out, **options)  # type: ignore[arg-type] # the options are draw_visit's own
    with Image.open(out) as picture:
        picture.load()
        return picture


def test_a_tallied_visit_is_drawn_with_its_steps_and_its_verdict(tmp_path: Path) -> None:
    found = colours(drawn(shopped(tmp_path / "v")))
    assert {(0x16, 0x65, 0x34), (0xC2, 0x41, 0x0C), (0x25, 0x63, 0xEB)} <= found  # charged, taken, the curve of s1


def test_a_visit_that_is_not_tallied_is_drawn_without_steps(tmp_path: Path) -> None:
    found = colours(drawn(shopped(tmp_path / "v", told=False)))
    assert (0x25, 0x63, 0xEB) in found
    assert (0xC2, 0x41, 0x0C) not in found


def test_stills_make_room_for_themselves(tmp_path: Path) -> None:
    without, with_ = drawn(shopped(tmp_path / "a")), drawn(shopped(tmp_path / "b", stills=6))
    assert with_.height > without.height
    assert any(r > 180 and g < 60 and b < 60 for r, g, b in colours(with_))


@pytest.mark.parametrize("inside", [True, False])
def test_states_are_drawn_from_the_trace_or_from_the_caller(tmp_path: Path, *, inside: bool) -> None:
    states = [] if inside else [(0.0, "watching")]
    found = colours(drawn(shopped(tmp_path / "v", states=inside), states=states))
    assert (0xC7, 0xD2, 0xFE) in found


def test_a_damaged_still_does_not_spoil_the_picture(tmp_path: Path) -> None:
    folder = shopped(tmp_path / "v", stills=2)
    next(folder.glob("frames/top/*.jpg")).write_bytes(b"not a picture")
    assert drawn(folder).width > 1000


def test_a_zone_without_masses_is_drawn_as_such(tmp_path: Path) -> None:
    scene = Scene()
    recorder = trace.Recorder.create(tmp_path / "v", scene.header)
    for event in scene.visit(5).events:
        if not (isinstance(event, Mass) and event.zone == "s1"):
            recorder.write(event)
    recorder.finish()
    assert (0x9F, 0x12, 0x39) in colours(drawn(tmp_path / "v"))


def test_a_trace_without_any_event_is_drawn(tmp_path: Path) -> None:
    trace.Recorder.create(tmp_path / "v", Scene().header).finish()
    assert drawn(tmp_path / "v").width > 1000
