"""A technician comes with a code: it opens for service and restock alone, once, and what they do is written down."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest

from cabinet.cli.demo import people
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.ledger import Ledger
from cabinet.sim import pictures
from tests.scenarios.command import as_json, cabinet
from tests.scenarios.conftest import bench_in

COLA = "5000000000011"
ME = pwd.getpwuid(os.geteuid()).pw_name
SETTINGS = {"session": {"service_prompt_after_s": 4.0}}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One cabinet for all of it; every story leaves it idle.  A restock may take four seconds here."""
    with TemporaryDirectory(prefix="shop-") as folder:
        bench = bench_in(Path(folder))
        bench.settings = {**bench.settings, "session": {**bench.settings["session"], **SETTINGS["session"]}}
        with bench:
            shop = Shop(bench)
            shop.stock_drawn()
            bench.wait_for_state("Idle")
            yield shop


@pytest.fixture(scope="module")
def tina(shop: Shop) -> str:
    """A technician who is a member, too, and bound to the user of this computer."""
    return str(as_json(shop.bench.socket, "technicians", "add", "Tina", "--user", ME)["technician"])


@pytest.fixture(scope="module")
def tina_shops(shop: Shop) -> Member:
    return shop.enrol(Person("Tina", None, None))


def code(shop: Shop, technician: str, purpose: str) -> pictures.Picture:
    """As it is shown to the camera."""
    words = ["technicians", "code", technician, "--purpose", purpose]
    return people.code_picture(str(as_json(shop.bench.socket, *words)["code"]))


def open_with(shop: Shop, shown: pictures.Picture) -> str:
    """Come with a code and pull; the visit's id."""
    shop.somebody(shown)
    visit = str(shop.bench.wait_for_state("Servicing")["visit"])
    assert shop.pull()
    wait_until(lambda: shop.bench.status()["door_open"] is True, PATIENCE_S, "the door does not open")
    return visit


def shut(shop: Shop, visit: str) -> dict[str, Any]:
    shown: dict[str, Any] = shop.shut(visit)["visit"]
    shop.bench.wait_for_state("Idle")
    return shown


def lines(shop: Shop, *words: str) -> list[dict[str, Any]]:
    """Of the audit log, the newest first."""
    found: list[dict[str, Any]] = as_json(shop.bench.socket, "technicians", "log", *words)["lines"]
    return found


def incidents(shop: Shop, visit: str) -> list[str]:
    with Ledger(shop.bench.data / "ledger.db", read_only=True) as ledger:
        rows = ledger.outbox(limit=200)
    return [str(row.body["why"]) for row in rows if row.type == "incident" and row.visit == visit]


def test_a_code_opens_for_a_restock_that_nobody_pays(shop: Shop, tina: str) -> None:
    visit = open_with(shop, code(shop, tina, "restock"))
    shop.put_back("s1", COLA, shop.take("s1", COLA))
    shown = shut(shop, visit)
    assert (shown["outcome"], shown["member"], shown["total_minor"], shown["lines"]) == ("serviced", None, 0, [])
    assert (shown["purpose"], shown["who"], shown["reason"]) == ("restock", "Tina", "code")


@pytest.mark.campaign
def test_a_used_code_opens_nothing_and_leaves_a_line(shop: Shop, tina: str) -> None:
    shown = code(shop, tina, "service")
    shut(shop, open_with(shop, shown))
    wait_until(lambda: _refused_again(shop, shown), 90.0, "nobody looked at the used code")
    assert (lines(shop)[0]["error"], lines(shop)[0]["name"]) == ("used", "Tina")
    told = shop.bench.status()
    assert told["visit"] is None or told["state"] == "Authenticating"
    shop.nobody()
    shop.bench.wait_for_state("Idle")


def _refused_again(shop: Shop, shown: pictures.Picture) -> bool:
    """The same code before the camera until it is judged once more: at first it is taken for the one just used."""
    shop.somebody(shown)
    return bool(lines(shop)[0]["op"] == "code.use" and lines(shop)[0]["result"] == "refused")


def test_who_is_member_and_technician_shops_with_the_one_code_and_not_with_the_other(
    shop: Shop, tina: str, tina_shops: Member
) -> None:
    visit = shop.open_as(tina_shops.code)
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}
    shop.bench.wait_for_state("Idle")
    serviced = shut(shop, open_with(shop, code(shop, tina, "service")))
    assert (serviced["outcome"], serviced["member"], serviced["total_minor"]) == ("serviced", None, 0)


def test_goods_that_leave_in_a_service_are_an_incident_and_no_charge(shop: Shop, tina: str) -> None:
    visit = open_with(shop, code(shop, tina, "service"))
    shop.take("s1", COLA)
    assert shut(shop, visit)["total_minor"] == 0
    wait_until(
        lambda: any("goods left" in why for why in incidents(shop, visit)), PATIENCE_S, "nobody misses the bottle"
    )


@pytest.mark.campaign
def test_a_restock_that_is_left_open_is_told(shop: Shop, tina: str) -> None:
    visit = open_with(shop, code(shop, tina, "restock"))
    wait_until(
        lambda: any("long open" in why for why in incidents(shop, visit)), PATIENCE_S, "nobody tells of the open door"
    )
    assert shut(shop, visit)["outcome"] == "serviced"


def test_the_code_as_a_picture_is_the_code(shop: Shop, tina: str, tmp_path: Path) -> None:
    out = tmp_path / "code.png"
    as_json(shop.bench.socket, "technicians", "code", tina, "--qr-out", str(out))
    picture = cv2.imread(str(out))
    assert picture is not None
    visit = open_with(shop, pictures.before_camera(np.asarray(picture, np.uint8)))
    assert shut(shop, visit)["who"] == "Tina"


def test_what_was_done_is_in_the_log_under_the_technicians_name_and_the_log_is_whole(shop: Shop, tina: str) -> None:
    cabinet(shop.bench.socket, "stock", "set", "s1", COLA, "7")
    newest = lines(shop, "--who", "Tina")[0]
    assert (newest["who"], newest["op"], newest["subject"], newest["result"]) == (
        ME, "stock.set", f"zone=s1 sku={COLA} count=7", "ok",
    )  # fmt: skip  # a row
    assert as_json(shop.bench.socket, "technicians", "log", "--verify")["whole"]


def test_looking_leaves_no_line(shop: Shop) -> None:
    before = lines(shop)[0]["n"]
    for words in (("status",), ("doctor",), ("stock", "list"), ("technicians", "list")):
        as_json(shop.bench.socket, *words)
    assert lines(shop)[0]["n"] == before


def test_a_refusal_is_in_the_log(shop: Shop) -> None:
    cabinet(shop.bench.socket, "stock", "set", "s9", COLA, "7", wants=1)
    assert (lines(shop)[0]["result"], lines(shop)[0]["error"]) == ("refused", "there is no zone …")


def test_no_code_of_a_technician_is_in_any_log(shop: Shop, tina: str) -> None:
    text = str(as_json(shop.bench.socket, "technicians", "code", tina)["code"])
    assert not [line for line in shop.bench.logs() if text.removeprefix("CAB3:") in line]
    assert lines(shop)[0]["subject"] == f"technician={tina} purpose=service minutes=10"


def test_a_code_opens_a_cabinet_that_is_out_of_order(shop: Shop, tina: str) -> None:
    shop.bench.board.control({"do": "cell", "zone": 1, "dead": True})
    shop.bench.wait_for_state("OutOfService")
    try:
        visit = open_with(shop, code(shop, tina, "service"))
        assert shop.shut(visit)["visit"]["who"] == "Tina"
    finally:
        shop.bench.board.control({"do": "cell", "zone": 1, "dead": False})
        shop.bench.wait_for_state("Idle")
