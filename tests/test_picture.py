"""The picture of a visit.  Whether it is beautiful is for eyes; that it is whole is for tests."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cabinet import trace
from cabinet.basket.evidence import Happening, Health, Mass, Sighting, State
from cabinet.basket.tally import tally
from cabinet.picture import draw_visit, layout
from cabinet.picture.frames import key_frames
from cabinet.picture.told import gather
from cabinet.units import CameraId
from tests.basket.visits import COLA, NUTS, SHOP, Scene, header

A4 = (1870, 1323)  # landscape, 160 dots an inch
CHARGED, REVIEW, NOTHING = (0x1B, 0x5E, 0x20), (0x9A, 0x4A, 0x00), (0x33, 0x41, 0x55)
TAKEN, CURVE, ODD = (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2), (0x88, 0x22, 0x55)


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
    assert {CHARGED, TAKEN, CURVE} <= found


def test_a_visit_that_is_not_tallied_is_drawn_without_steps(tmp_path: Path) -> None:
    found = colours(drawn(shopped(tmp_path / "v", told=False)))
    assert CURVE in found
    assert CHARGED not in found


def test_stills_are_on_the_same_one_page(tmp_path: Path) -> None:
    without, with_ = drawn(shopped(tmp_path / "a")), drawn(shopped(tmp_path / "b", stills=6))
    assert with_.size == without.size == A4
    assert any(r > 180 and g < 60 and b < 60 for r, g, b in colours(with_))
    assert not any(r > 180 and g < 60 and b < 60 for r, g, b in colours(without))


@pytest.mark.parametrize("inside", [True, False])
def test_states_are_drawn_from_the_trace_or_from_the_caller(tmp_path: Path, *, inside: bool) -> None:
    states = [] if inside else [(0.0, "watching")]
    found = colours(drawn(shopped(tmp_path / "v", states=inside), states=states))
    assert (0xCF, 0xE3, 0xF3) in found


def test_a_damaged_still_does_not_spoil_the_picture(tmp_path: Path) -> None:
    folder = shopped(tmp_path / "v", stills=2)
    next(folder.glob("frames/top/*.jpg")).write_bytes(b"not a picture")
    assert drawn(folder).size == A4


def test_a_zone_without_masses_is_drawn_as_such(tmp_path: Path) -> None:
    scene = Scene()
    recorder = trace.Recorder.create(tmp_path / "v", scene.header)
    for event in scene.visit(5).events:
        if not (isinstance(event, Mass) and event.zone == "s1"):
            recorder.write(event)
    recorder.finish()
    assert ODD in colours(drawn(tmp_path / "v"))


def test_a_trace_without_any_event_is_drawn(tmp_path: Path) -> None:
    trace.Recorder.create(tmp_path / "v", Scene().header).finish()
    assert drawn(tmp_path / "v").size == A4


def told(folder: Path, scene: Scene, closed_t: float, *beside: Happening) -> Path:
    recorder = trace.Recorder.create(folder, scene.header)
    for event in (*scene.visit(closed_t).events, *beside):
        recorder.write(event)
    recorder.finish()
    recorder.write_tally(tally(trace.read(folder)))
    return folder


def test_a_visit_without_a_take_says_nothing(tmp_path: Path) -> None:
    assert NOTHING in colours(drawn(told(tmp_path / "v", Scene(), 6)))


def test_a_review_shows_which_part_was_not_well(tmp_path: Path) -> None:
    found = colours(drawn(told(tmp_path / "v", Scene(), 6, Health(4.0, "scale:s2", ok=False, why="cell 3 is silent"))))
    assert {REVIEW, ODD} <= found


@pytest.mark.parametrize(("zones", "shown"), [(12, 12), (40, 16)])
def test_many_zones_fit_on_the_page_the_busy_ones_in_any_case(tmp_path: Path, zones: int, shown: int) -> None:
    scene = Scene(header(shelves={f"s{i}": (COLA, NUTS) for i in range(1, zones + 1)}))
    scene.take(3, f"s{zones}", COLA)
    folder = told(tmp_path / "v", scene, 6)
    rows, quiet = layout.rows_of(gather(folder, ()), 5.0)
    assert len(rows) >= shown
    assert len(rows) + len(quiet) == zones
    assert rows[-1][0] == f"s{zones}"
    assert max(rows, key=lambda row: row[1])[0] == f"s{zones}"
    assert sum(height for _, height in rows) <= 5.001
    assert drawn(folder).size == A4


def test_names_that_look_like_mathematics_or_have_no_end_are_only_names(tmp_path: Path) -> None:
    about = header(catalog={COLA: replace(SHOP[COLA], name="$\\frac{" + "x" * 300), NUTS: SHOP[NUTS]},
                   shelves={"s1": (COLA,), "s2": (NUTS,)})  # fmt: skip  # one header
    scene = Scene(about)
    scene.take(3, "s1", COLA)
    assert drawn(told(tmp_path / "v", scene, 6)).size == A4


def test_before_after_and_what_decided_are_the_key_frames(tmp_path: Path) -> None:
    folder = shopped(tmp_path / "v", stills=30)
    chosen = key_frames(gather(folder, ()))
    why = {still.t: still.why for still in chosen}
    assert len(chosen) <= 6
    assert (why[-0.5], why[28.5]) == ("before", "after")
    assert any("change 1" in text for text in why.values())
    assert any("change 2" in text for text in why.values())


def test_a_manifest_that_is_no_object_does_not_spoil_the_page(tmp_path: Path) -> None:
    folder = shopped(tmp_path / "v")
    (folder / "evidence.json").write_text("[1")
    assert drawn(folder).size == A4
