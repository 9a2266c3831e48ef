"""A technician's day at the command line of a cabinet that runs."""

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest

from cabinet import trace
from cabinet.adapters.codes import CodeReader
from cabinet.basket.policy import TallyPolicy
from cabinet.basket.tally import tally
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.sim import pictures
from tests.scenarios.command import as_json, cabinet
from tests.scenarios.conftest import bench_in

COLA, CHIPS = "5000000000011", "5000000000042"
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One cabinet for the whole day; every story leaves it idle."""
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        bench.wait_for_state("Idle")
        yield shop


@pytest.fixture(scope="module")
def ann(shop: Shop) -> Member:
    return shop.enrol(Person("Ann", None, None))


@pytest.fixture(scope="module")
def bought(shop: Shop, ann: Member) -> str:
    """A visit in which Ann took a cola."""
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}
    shop.bench.wait_for_state("Idle")
    return visit


@pytest.fixture
def bench(shop: Shop) -> Bench:
    return shop.bench


def test_status_tells_a_cabinet_ready_to_sell(bench: Bench) -> None:
    status = as_json(bench.socket, "status")
    assert (status["state"], status["faults"], status["door_open"], status["bolt_locked"]) == ("Idle", [], False, True)
    assert "IDLE" in cabinet(bench.socket, "status")


def test_doctor_finds_every_part_of_a_sound_cabinet_in_order(bench: Bench) -> None:
    wait_until(lambda: bool(bench.status()["cloud"]["connected"]), PATIENCE_S, "never connected")
    wait_until(lambda: all(part["ok"] for part in bench.ask("doctor")["parts"]), PATIENCE_S, "a part is not in order")
    parts = {part["part"] for part in as_json(bench.socket, "doctor")["parts"]}
    assert parts >= {"board", "lock", "bolt", "disk", "catalogue", "recogniser", "scale:s1", "camera:front", "cloud"}


def test_a_member_with_a_code_comes_and_goes(shop: Shop, tmp_path: Path) -> None:
    socket, qr = shop.bench.socket, tmp_path / "ada.png"
    added = as_json(socket, "members", "add", "Ada Lovelace", "--consent", "--qr-out", str(qr))
    assert added["member"] in cabinet(socket, "members", "list")
    code = cv2.imread(str(qr))
    assert code is not None
    assert list(CodeReader().read(np.asarray(code, np.uint8))) == [added["token"]]
    visit = shop.open_as(pictures.before_camera(np.asarray(code, np.uint8)))
    assert shop.shut(visit)["visit"]["member"] == added["member"]
    shop.bench.wait_for_state("Idle")
    gone = as_json(socket, "members", "erase", added["member"], "--yes")
    assert gone["tokens"] == 1
    assert "Ada" not in cabinet(socket, "members", "list")


def test_a_product_is_added_and_listed_with_its_price(bench: Bench) -> None:
    words = ["--name", "Water 0.5 l", "--mass-g", "512", "--price", "120", "--tax", "food"]
    added = as_json(bench.socket, "catalog", "add", "W1", *words)
    assert added["warnings"]
    products = {product["sku"]: product for product in as_json(bench.socket, "catalog", "list")["products"]}
    assert (products["W1"]["name"], products["W1"]["unit_price"], products["W1"]["mass_g"]) == ("Water 0.5 l", 120, 512)


def test_what_was_counted_is_the_stock(bench: Bench) -> None:
    cabinet(bench.socket, "catalog", "add", "W2", "--name", "Tea", "--mass-g", "330", "--price", "140")
    cabinet(bench.socket, "stock", "set", "s2", "W2", "7")
    rows = as_json(bench.socket, "stock", "list")["stock"]
    assert {"zone": "s2", "sku": "W2", "name": "Tea", "count": 7} in rows


def test_a_refusal_names_the_remedy_and_changes_nothing(bench: Bench) -> None:
    before = as_json(bench.socket, "stock", "list")
    cabinet(bench.socket, "stock", "set", "s9", COLA, "7", wants=1)
    assert as_json(bench.socket, "stock", "list") == before


def test_an_unlock_is_a_service_visit_with_name_and_reason(shop: Shop) -> None:
    socket = shop.bench.socket
    visit = as_json(socket, "unlock", "--purpose", "restock", "--reason", "weekly restock")["visit"]
    assert shop.pull()
    shop.bench.wait_for_state("Servicing")
    assert shop.shut(visit)["visit"]["outcome"] == "serviced"
    shop.bench.wait_for_state("Idle")
    record = as_json(socket, "visits", "show", visit)["visit"]
    assert (record["who"], record["reason"], record["purpose"], record["total_minor"]) == (
        ME,
        "weekly restock",
        "restock",
        0,
    )


def test_nobody_unlocks_while_somebody_shops(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    cabinet(shop.bench.socket, "unlock", "--reason", "in a hurry", wants=1)
    assert shop.shut(visit)["visit"]["outcome"] == "nothing"
    shop.bench.wait_for_state("Idle")


def test_a_visit_is_listed_and_shown_with_its_receipt(bench: Bench, bought: str) -> None:
    listed = as_json(bench.socket, "visits", "list", "--outcome", "charge")["visits"]
    assert bought in [visit["visit"] for visit in listed]
    page = cabinet(bench.socket, "visits", "show", bought)
    assert all(word in page for word in ("Cola 0.5 l", "2.20", bought))


def test_an_exported_recording_gives_the_same_verdict_again(bench: Bench, bought: str, tmp_path: Path) -> None:
    out = tmp_path / "visit.tar"
    cabinet(bench.socket, "visits", "export", bought, "--out", str(out))
    again = json.loads(json.dumps(trace.verdict_to_dict(tally(trace.read(out).judged(), TallyPolicy()))))
    told: dict[str, Any] = as_json(bench.socket, "visits", "show", bought)["tally"]
    evidence = told.pop("evidence")
    assert told.pop("complete")
    assert again == told
    assert evidence == as_json(bench.socket, "visits", "show", bought)["visit"]["evidence_hash"]


def test_a_recording_is_not_written_over_a_file_that_is_there(bench: Bench, bought: str, tmp_path: Path) -> None:
    out = tmp_path / "visit.tar"
    out.write_text("mine")
    cabinet(bench.socket, "visits", "export", bought, "--out", str(out), wants=2)
    assert out.read_text() == "mine"


def test_the_outbox_empties_into_the_cloud(bench: Bench, bought: str) -> None:
    wait_until(lambda: bench.ask("outbox")["count"] == 0, PATIENCE_S, "the outbox does not empty")
    assert as_json(bench.socket, "outbox")["count"] == 0
    assert "nothing waits" in cabinet(bench.socket, "outbox")
