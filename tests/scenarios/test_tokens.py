"""A phone that signs what the screen shows, through the running daemon, its camera and the command line."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import wait_until
from cabinet.sim import pictures
from cabinet.sim.pictures import Picture
from tests.scenarios.command import as_json, cabinet

COLA = "5000000000011"
BOUND_S = 60.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short name: it holds Unix sockets."""
    with TemporaryDirectory(prefix="tok-") as name:
        yield Path(name)


@contextlib.contextmanager
def opened(folder: Path, **identity: Any) -> Iterator[Shop]:
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    settings = {"identity": {"faces": False, "nonce_s": 600, **identity}}
    with Bench(folder / "b", interior=goods.interior(), pictures=first, settings=settings) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        bench.wait_for_state("Idle")
        yield shop


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with opened(folder) as made:
        yield made


@pytest.fixture
def ann(shop: Shop) -> Member:
    return shop.enrol(Person("Ann Unmistakable", None, None))


def new_key(shop: Shop, member: Member, file: Path) -> str:
    return str(as_json(shop.bench.socket, "members", "key", member.member, "--new", str(file))["kid"])


def phone(shop: Shop, member: Member, key: Path, *words: str) -> Picture:
    """What the member's phone shows: the picture that `members qr` writes."""
    png = key.with_name(f"{time.monotonic_ns()}.png")
    cabinet(shop.bench.socket, "members", "qr", member.member, "--key", str(key), "--out", str(png), *words)
    picture = cv2.imread(str(png))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def turned_away(shop: Shop, picture: Picture, why: str) -> None:
    """Shown until it is refused; the door stays locked."""
    wait_until(lambda: shop.bench.status()["state"] == "Idle", BOUND_S, "never idle")
    before = refused(shop, why)
    shop.nobody()
    shop.somebody(picture)
    wait_until(lambda: refused(shop, why) > before, BOUND_S, lambda: f"never {why}: {counters(shop)}")
    assert not shop.world.pull()
    shop.nobody()


def refused(shop: Shop, why: str) -> int:
    return int(counters(shop)["screen"].get(f"tokens refused: {why}", 0))


def counters(shop: Shop) -> dict[str, Any]:
    told: dict[str, Any] = shop.bench.ask("doctor")["counters"]
    return told


def test_a_phone_that_signs_the_screens_number_opens_the_door_once(shop: Shop, ann: Member, folder: Path) -> None:
    new_key(shop, ann, folder / "ann.pem")
    shown = phone(shop, ann, folder / "ann.pem")
    visit = shop.open_as(shown)
    shop.take("s1", COLA)
    bill = shop.shut(visit)
    assert (bill["visit"]["who"], bill["visit"]["member"], basket(bill)) == ("token", ann.member, {COLA: 1})
    turned_away(shop, shown, "used nonce")
    assert len(shop.bench.ask("visits.list")["visits"]) == 1


def test_what_is_not_signed_for_here_now_and_them_finds_the_door_locked(shop: Shop, ann: Member, folder: Path) -> None:
    ben = shop.enrol(Person("Ben", None, None))
    kid = new_key(shop, ann, folder / "ann.pem")
    turned_away(shop, phone(shop, ben, folder / "ann.pem"), "not yours")
    turned_away(shop, phone(shop, ann, folder / "ann.pem", "--cabinet", "elsewhere"), "foreign cabinet")
    before = phone(shop, ann, folder / "ann.pem")
    shop.bench.end("daemon")
    shop.bench.start_daemon()
    shop.bench.wait_for_state("Idle")
    turned_away(shop, before, "unknown nonce")
    cabinet(shop.bench.socket, "members", "key", ann.member, "--remove", kid)
    turned_away(shop, phone(shop, ann, folder / "ann.pem"), "unknown key")
    assert shop.bench.ask("visits.list")["visits"] == []


@pytest.mark.campaign
def test_nothing_of_a_token_or_a_name_is_in_any_log(shop: Shop, ann: Member, folder: Path) -> None:
    new_key(shop, ann, folder / "ann.pem")
    told = as_json(shop.bench.socket, "members", "qr", ann.member, "--key", str(folder / "ann.pem"))["token"]
    png = folder / "ann.png"
    _write_qr(told, png)
    picture = cv2.imread(str(png))
    assert picture is not None
    shop.shut(shop.open_as(np.asarray(picture, np.uint8)))
    shop.bench.end("daemon")
    log = "\n".join(path.read_text(errors="replace") for path in shop.bench.folder.glob("*.log"))
    assert "control op=" in log
    for secret in (told, told[5:40], "Unmistakable", "CABN:", "CAB2:"):
        assert secret not in log


def _write_qr(text: str, png: Path) -> None:
    import segno

    segno.make_qr(text, error="l").save(str(png), scale=8)


@pytest.mark.campaign
def test_an_issuers_token_opens_for_a_member_without_a_phone_key(folder: Path) -> None:
    private = Ed25519PrivateKey.generate()
    (folder / "issuer.pem").write_bytes(
        private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    )
    (folder / "issuers.txt").write_text(f"# the app\n{private.public_key().public_bytes_raw().hex()}\n")
    with opened(folder, issuer_keys_file=str(folder / "issuers.txt")) as shop:
        ann = shop.enrol(Person("Ann", None, None))
        visit = shop.open_as(phone(shop, ann, folder / "issuer.pem", "--limit", "500"))
        assert shop.shut(visit)["visit"]["who"] == "token"


# --- the page ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def page(shop: Shop) -> Iterator[Iterator[dict[str, Any]]]:
    """`cabinet screen`, and what it tells a browser."""
    words = ["screen", "--config", str(shop.bench.config), "--port", "0"]
    process = subprocess.Popen([sys.executable, "-m", "cabinet", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().strip().rstrip("/").rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=BOUND_S)
        with contextlib.closing(connection):
            connection.request("GET", "/events")
            answer = connection.getresponse()
            yield (json.loads(line[6:]) for line in answer if line.startswith(b"data: "))
    finally:
        process.kill()
        process.communicate()


def until(told: Iterator[dict[str, Any]], mode: str) -> dict[str, Any]:
    end_s = time.monotonic() + BOUND_S
    for one in told:
        if one["mode"] == mode:
            return one
        assert time.monotonic() < end_s, f"never {mode}: {one}"
    raise AssertionError("the page's server ended")


def test_the_page_follows_the_visit_and_never_names_the_member(shop: Shop, ann: Member, folder: Path) -> None:
    new_key(shop, ann, folder / "ann.pem")
    with page(shop) as told:
        seen = [until(told, "idle")]
        visit = shop.open_as(phone(shop, ann, folder / "ann.pem"))
        seen.append(until(told, "shopping"))
        shop.take("s1", COLA)
        shop.shut(visit)
        seen.append(until(told, "done"))
    assert [one["qr"] is not None for one in seen] == [True, False, True]
    assert "2.20" in seen[-1]["total"] + seen[-1]["line"]
    assert "Unmistakable" not in str(seen)


def test_without_the_daemon_the_page_says_out_of_order(shop: Shop) -> None:
    with page(shop) as told:
        until(told, "idle")
        shop.bench.kill("daemon")
        assert "Out of order" in until(told, "away")["line"]
