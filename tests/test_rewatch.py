"""A recorded visit looked at again: our own eyes on its stills, and every trace that they cannot be asked about."""

import json
import logging
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from cabinet import trace
from cabinet.adapters.tflite import ItemRecogniser
from cabinet.basket.evidence import Health, Mass, Sighting, Visit
from cabinet.cli.app import app
from cabinet.cli.evaluate.rewatched import gallery_in, rewatched
from cabinet.config import OUR_MODEL
from cabinet.proving.frames import placed, render
from cabinet.proving.gallery import PHOTOS, photograph
from cabinet.proving.recorded import Recorded
from cabinet.proving.telling import tell
from cabinet.rewatch import RewatchError, rewatch
from cabinet.sim.story import parse
from cabinet.units import CameraId
from cabinet.vision.gallery import Gallery

STORY = """\
goods cola 545 g sd 3 g price 220
goods lime 352 g sd 2 g price 180
goods chips 128 g sd 1.2 g price 260
goods soup 261 g sd 2 g price 280
shelf s1 holds 3 cola, 3 lime
shelf s2 holds 3 chips, 3 soup
ann comes
ann opens
ann takes lime from s1
2 s pass
ann closes
expect charge 1 lime
"""
TOP, LEFT = CameraId("top"), CameraId("left")


class Untouchable:
    """A recogniser that must not be asked."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked")


@dataclass(frozen=True)
class Recording:
    folder: Path
    visit: Visit
    told: Recorded
    gallery: Gallery
    seen: Visit

    def sightings(self, camera: CameraId = TOP) -> list[Sighting]:
        return [e for e in self.seen.events if isinstance(e, Sighting) and e.camera == camera]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    logging.disable(logging.CRITICAL)
    place = tmp_path_factory.mktemp("rewatch")
    told = tell(parse(STORY), keep=True).traces[0]
    folder = place / told.visit.header.visit
    trace.write(folder, placed(told), told.truth)
    render(folder, told)
    photograph(place / "gallery", told.plan.wares)
    visit, gallery = trace.read(folder), gallery_in(place / "gallery")
    yield Recording(folder, visit, told, gallery, rewatched(folder, visit, gallery))
    logging.disable(logging.NOTSET)


def copy(recording: Recording, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recording.folder, tmp_path / recording.folder.name))


def header(folder: Path, camera: str, **change: object) -> Visit:
    """The visit after its header was changed on disk."""
    path = folder / "visit.json"
    value = json.loads(path.read_text())
    value["cameras"][camera] |= change
    path.write_text(json.dumps(value))
    return trace.read(folder)


def test_a_take_is_seen_in_its_zone_with_its_product_by_both_cameras_that_see_it(recording: Recording) -> None:
    for camera in (TOP, LEFT):
        takes = [s for s in recording.sightings(camera) if s.action == "take"]
        assert takes
        for sighting in takes:
            assert sighting.zone == "s1"
            assert max(sighting.scores, key=sighting.scores.__getitem__) == "lime"
            assert sum(sighting.scores.values()) + sighting.other == pytest.approx(1)


def test_the_comparison_spans_the_visit_and_the_movement_lies_within_it(recording: Recording) -> None:
    move = recording.told.moves[0]
    first, last = recording.sightings()[0], recording.sightings()[-1]
    assert move.t - 1 <= first.t0 <= first.t1 <= move.t + 1
    assert (last.t0, last.action) == (-0.15, "take")
    assert first.t1 < last.t1


def test_only_sightings_are_replaced(recording: Recording) -> None:
    masses = [e for e in recording.visit.events if isinstance(e, Mass)]
    assert [e for e in recording.seen.events if isinstance(e, Mass)] == masses
    written = [e for e in recording.visit.events if isinstance(e, Sighting)]
    assert written
    assert not any(sighting in written for sighting in recording.sightings())
    assert [e.t for e in recording.seen.events] == sorted(e.t for e in recording.seen.events)


def test_the_same_pictures_give_the_same_visit_from_a_folder_and_from_a_tar(
    recording: Recording, tmp_path: Path
) -> None:
    packed = tmp_path / f"{recording.folder.name}.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(recording.folder, arcname=recording.folder.name)
    assert rewatched(packed, trace.read(packed), recording.gallery) == recording.seen


def test_stills_kept_at_another_size_find_the_same_zone(recording: Recording, tmp_path: Path) -> None:
    folder = copy(recording, tmp_path)
    for still in (folder / "frames" / "top").glob("*.jpg"):
        picture = cv2.imread(str(still))
        assert picture is not None
        cv2.imwrite(str(still), cv2.resize(picture, (960, 540)))
    seen = rewatched(folder, recording.visit, recording.gallery)
    assert {e.zone for e in seen.events if isinstance(e, Sighting) and e.action == "take"} == {"s1"}


def test_before_and_after_alone_are_enough_for_a_comparison(recording: Recording, tmp_path: Path) -> None:
    folder = copy(recording, tmp_path)
    shutil.rmtree(folder / "frames" / "right")
    for camera in ("top", "left"):
        kept = sorted((folder / "frames" / camera).glob("*.jpg"))
        for still in kept[1:-1]:
            still.unlink()
    seen = rewatched(folder, recording.visit, recording.gallery)
    found = [e for e in seen.events if isinstance(e, Sighting)]
    assert {(s.camera, s.zone, s.action) for s in found} == {("top", "s1", "take"), ("left", "s1", "take")}


def test_a_clip_is_watched_like_stills(recording: Recording, tmp_path: Path) -> None:
    folder = copy(recording, tmp_path)
    stills = sorted((folder / "frames" / "left").glob("*.jpg"))
    (folder / "clips").mkdir()
    film = cv2.VideoWriter(str(folder / "clips" / "left.mkv"), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (640, 360))
    for still in stills[1:-1]:
        picture = cv2.imread(str(still))
        assert picture is not None
        film.write(picture)
        still.unlink()
    film.release()
    visit = header(folder, "left", starts_at_t=int(stills[1].stem) / 1000)
    seen = rewatched(folder, visit, recording.gallery)
    told = [e for e in seen.events if isinstance(e, Sighting) and e.camera == LEFT and e.action == "take"]
    assert len(told) == 2
    assert {max(s.scores, key=s.scores.__getitem__) for s in told} == {"lime"}


def test_a_camera_without_a_picture_after_the_closing_is_reported(recording: Recording, tmp_path: Path) -> None:
    folder = copy(recording, tmp_path)
    max((folder / "frames" / "left").glob("*.jpg")).unlink()
    seen = rewatched(folder, recording.visit, recording.gallery)
    unwell = [e for e in seen.events if isinstance(e, Health) and e.part == "camera:left"]
    assert [(e.ok, e.why) for e in unwell] == [(False, "no frame at closing")]


def refused(folder: Path, visit: Visit, gallery: Gallery) -> str:
    with pytest.raises(RewatchError) as error:
        rewatch(folder, visit, Untouchable(), gallery)  # type: ignore[arg-type]  # never asked
    assert visit.header.visit in str(error.value)
    return str(error.value)


def test_a_trace_without_pictures_is_refused_by_name(recording: Recording, tmp_path: Path) -> None:
    folder = copy(recording, tmp_path)
    shutil.rmtree(folder / "frames")
    assert "neither stills" in refused(folder, recording.visit, recording.gallery)


def test_pictures_without_polygons_are_refused_by_name(recording: Recording, tmp_path: Path) -> None:
    folder = copy(recording, tmp_path)
    visit = recording.visit
    for camera in visit.header.cameras:
        visit = header(folder, camera, polygons={})
    assert "polygons" in refused(folder, visit, recording.gallery)


def test_a_gallery_of_other_products_is_refused(recording: Recording) -> None:
    assert "no picture of any product" in refused(recording.folder, recording.visit, {})


def test_a_camera_that_the_header_does_not_know_is_refused(recording: Recording, tmp_path: Path) -> None:
    folder = copy(recording, tmp_path)
    (folder / "frames" / "right").rename(folder / "frames" / "rear")
    assert "rear" in refused(folder, recording.visit, recording.gallery)


@pytest.mark.parametrize(("name", "content"), [("-00000150.jpg", b"torn"), ("-00000150.jpg", b""), ("x.jpg", b"torn")])
def test_a_still_that_is_none_is_refused_by_name(
    recording: Recording, tmp_path: Path, name: str, content: bytes
) -> None:
    folder = copy(recording, tmp_path)
    (folder / "frames" / "left" / name).write_bytes(content)
    assert f"frames/left/{name}" in refused(folder, recording.visit, recording.gallery)


def test_a_model_that_fails_is_no_empty_visit(recording: Recording) -> None:
    short: Gallery = {sku: type(known)((1.0,)) for sku, known in recording.gallery.items()}
    with pytest.raises(RewatchError, match="looking failed"):
        rewatch(recording.folder, recording.visit, ItemRecogniser(OUR_MODEL), short)


def test_the_gallery_holds_some_photographs_of_each_product_larger_than_on_the_shelves(recording: Recording) -> None:
    place = recording.folder.parent / "gallery"
    assert {folder.name for folder in place.iterdir()} == {"cola", "lime", "chips", "soup"} == set(recording.gallery)
    for folder in place.iterdir():
        photos = [cv2.imread(str(file)) for file in sorted(folder.iterdir())]
        assert len(photos) == PHOTOS
        assert all(photo is not None and photo.shape[0] > 120 for photo in photos)
        assert len({np.asarray(photo).tobytes() for photo in photos}) == PHOTOS


def test_the_tally_is_scored_on_frames_and_what_has_none_is_skipped_by_name(
    recording: Recording, tmp_path: Path
) -> None:
    shutil.copytree(recording.folder.parent, tmp_path / "set")
    blind = shutil.copytree(recording.folder, tmp_path / "set" / "blind")
    shutil.rmtree(Path(blind) / "frames")
    words = ["eval", "tally", str(tmp_path / "set"), "--frames", str(tmp_path / "set" / "gallery"), "--json"]
    done = CliRunner().invoke(app, words)
    answer = json.loads(done.stdout)
    assert (answer["visits"], answer["exact"]) == (1, 1)
    assert [Path(row["path"]).name for row in answer["skipped"]] == ["blind"]
    assert "neither stills" in answer["skipped"][0]["why"]


def test_a_folder_without_photographs_is_no_gallery(recording: Recording, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["eval", "tally", str(recording.folder), "--frames", str(tmp_path)])
    assert (done.exit_code, "--frames" in done.stderr) == (2, True)
