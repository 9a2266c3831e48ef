"""Marks on the shelves of a cabinet that runs: found, in force for the next visit, and still after a power cut."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cabinet import trace
from cabinet.cli.demo.goods import HEIGHT, WIDTH
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.sim import pictures
from cabinet.units import CameraId
from tests.scenarios.command import as_json, cabinet
from tests.vision.marked import S1, S2, off, seen, view, wall

COLA = "5000000000011"
TILT = view(20)


def marked() -> bytes:
    """As high as the interior stream is; the marked wall at its top."""
    picture = seen(wall(), TILT)
    below = HEIGHT - picture.shape[0]
    return pictures.jpeg(np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, 0, cv2.BORDER_REPLICATE), np.uint8))


@pytest.mark.campaign
def test_marks_are_found_hold_for_the_next_visit_and_survive_a_power_cut(
    shop: Shop, ann: Member, tmp_path: Path
) -> None:
    socket = shop.bench.socket
    before = as_json(socket, "camera", "list")["cameras"][1]["zones"]
    assert {zone["source"] for zone in before} == {"config"}

    shop.show("top", marked())
    found = as_json(socket, "camera", "calibrate", "top", "--out", str(tmp_path / "found.jpg"))
    assert (found["ok"], found["marks"]) == (True, list(range(8)))
    corners = {zone["zone"]: tuple(tuple(corner) for corner in zone["corners"]) for zone in found["zones"]}
    assert max(off(corners[zone], zone, TILT) for zone in (S1, S2)) < 2.5
    assert (tmp_path / "found.jpg").stat().st_size > 10_000

    shop.draw()
    visit = shop.open_as(ann.code)
    cabinet(socket, "camera", "calibrate", "top", wants=1)  # not while somebody shops
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}
    shop.bench.wait_for_state("Idle")
    looked_at = trace.read(shop.bench.data / "traces" / visit).header.cameras[CameraId("top")]
    assert looked_at.polygons == corners
    assert (looked_at.width, looked_at.height) == (WIDTH, HEIGHT)

    shop.bench.kill("daemon")
    shop.bench.start_daemon()
    shop.bench.wait_for_state("Idle")
    shown = as_json(socket, "camera", "show", "top", "--out", str(tmp_path / "now.png"))
    assert [(z["zone"], z["source"], z["at"]) for z in shown["zones"]] == [
        (zone, "markers", found["at"]) for zone in corners
    ]
    assert (shop.bench.data / "calibration" / "top.jpg").is_file()
