"""Power cuts, unplugged boards, stalled cameras, pried doors: survived, visible, nothing lost, nothing unlocked."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from paho.mqtt import publish

from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import CABINET
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.cloud.run import charges
from tests.scenarios.conftest import bench_in

COLA, LIME, OATS, CHIPS = "5000000000011", "5000000000028", "5000000000035", "5000000000042"
GARBAGE = (b"\xff\x00 no json", b"[]", b'{"ack": 1}', b"{" * 3000)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One cabinet that all of it befalls; every story ends what befell it."""
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        yield shop


@pytest.fixture(scope="module")
def ann(shop: Shop) -> Member:
    return shop.enrol(Person("Ann", None, None))


@pytest.fixture(autouse=True)
def ready(shop: Shop) -> Iterator[None]:
    shop.bench.wait_for_state("Idle")
    yield
    shop.nobody()


def restart(shop: Shop) -> None:
    shop.bench.kill("daemon")
    shop.bench.start_daemon()


def charged(shop: Shop, visit: str) -> int:
    """How many charges of the visit the cloud has."""
    return sum(charge.visit == visit for charge in charges(shop.bench.cloud_db))


def parts_in_trouble(shop: Shop) -> dict[str, str]:
    return {part["part"]: part["why"] for part in shop.bench.ask("doctor")["parts"] if not part["ok"]}


def test_a_power_cut_with_the_door_open_loses_no_visit(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    restart(shop)
    shop.bench.wait_for_state("Watching")
    shown = shop.shut(visit)
    assert shown["visit"]["outcome"] in {"charge", "review"}
    assert basket(shown) in ({COLA: 1}, {})
    assert not shop.world.pull()


def test_a_power_cut_before_the_door_was_opened_relocks_it(shop: Shop, ann: Member) -> None:
    visit = shop.come(ann.code)
    shop.bench.kill("daemon")
    board = shop.bench.board.control
    wait_until(lambda: bool(board({"do": "state"})["bolt_locked"]), PATIENCE_S, "the bolt is not out")
    assert not shop.world.pull()
    shop.nobody()
    shop.bench.start_daemon()
    shown = shop.bench.wait_for_closed(visit)
    assert shown["visit"]["total_minor"] == 0
    assert not shop.world.pull()


@pytest.mark.campaign
def test_a_power_cut_while_idle_changes_nothing(shop: Shop, ann: Member) -> None:
    restart(shop)
    shop.bench.wait_for_state("Idle")
    assert not shop.world.pull()
    visit = shop.open_as(ann.code)
    shop.take("s2", LIME)
    assert basket(shop.shut(visit)) == {LIME: 1}


def test_the_door_shut_while_the_daemon_was_away_is_billed_or_reviewed_once(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s1", CHIPS)
    shop.bench.kill("daemon")
    shop.world.shut()
    shop.bench.start_daemon()
    shown = shop.bench.wait_for_closed(visit)
    assert shown["visit"]["outcome"] in {"charge", "review"}
    wait_until(lambda: bool(shop.bench.ask("outbox")["count"] == 0), PATIENCE_S, "the outbox does not empty")
    assert charged(shop, visit) == (shown["visit"]["outcome"] == "charge")


@pytest.mark.campaign
def test_a_board_unplugged_while_idle_stops_the_selling_until_it_is_back(shop: Shop, ann: Member) -> None:
    shop.bench.board.control({"do": "unplug"})
    wait_until(lambda: "board" in parts_in_trouble(shop), PATIENCE_S, "nobody noticed")
    shop.bench.wait_for_state("OutOfService")
    shop.bench.board.control({"do": "replug"})
    shop.bench.wait_for_state("Idle")
    shop.shut(shop.open_as(ann.code))


@pytest.mark.campaign
def test_a_board_unplugged_during_a_visit_and_replugged_loses_nothing(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.take("s2", LIME)
    shop.bench.board.control({"do": "unplug"})
    wait_until(lambda: "board" in parts_in_trouble(shop), PATIENCE_S, "nobody noticed")
    shop.bench.board.control({"do": "replug"})
    wait_until(lambda: "board" not in parts_in_trouble(shop), PATIENCE_S, "it did not come back")
    shown = shop.shut(visit)
    assert shown["visit"]["outcome"] in {"charge", "review"}
    assert basket(shown) in ({LIME: 1}, {})


@pytest.mark.campaign
def test_a_dead_cell_stops_the_selling_and_is_named(shop: Shop) -> None:
    shop.bench.board.control({"do": "cell", "zone": 1, "dead": True})
    wait_until(lambda: "scale:s2" in parts_in_trouble(shop), PATIENCE_S, "nobody noticed")
    shop.bench.wait_for_state("OutOfService")
    shop.bench.board.control({"do": "cell", "zone": 1, "dead": False})
    shop.bench.wait_for_state("Idle")


@pytest.mark.campaign
def test_a_stalled_camera_stops_the_selling_and_comes_back(shop: Shop) -> None:
    shop.bench.streams.control({"camera": "top", "stall": True})
    wait_until(lambda: "camera:top" in parts_in_trouble(shop), PATIENCE_S, "nobody noticed")
    shop.bench.wait_for_state("OutOfService")
    shop.bench.streams.control({"camera": "top", "stall": False})
    shop.bench.wait_for_state("Idle")


def test_a_camera_that_stalls_during_a_visit_does_not_lose_the_charge(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.bench.streams.control({"camera": "top", "stall": True})
    shop.take("s2", OATS)
    shown = shop.shut(visit)
    assert shown["visit"]["outcome"] in {"charge", "review"}
    assert basket(shown) in ({OATS: 1}, {})
    shop.bench.streams.control({"camera": "top", "stall": False})


@pytest.mark.campaign
def test_a_pried_door_raises_an_incident_and_only_a_technician_ends_it(shop: Shop, ann: Member) -> None:
    def faults() -> set[tuple[str, bool]]:
        return {(fault["why"], fault["latched"]) for fault in shop.bench.status()["faults"]}

    forced = ("opened without an unlock", True)
    shop.bench.board.control({"do": "force"})
    wait_until(lambda: forced in faults(), PATIENCE_S, lambda: f"nobody noticed: {faults()}")
    shop.world.shut()
    restart(shop)
    wait_until(lambda: all(latched for _, latched in faults()), PATIENCE_S, lambda: f"still {faults()}")
    shop.bench.wait_for_state("OutOfService")
    visit = shop.bench.ask("unlock", purpose="service", reason="looked at the pried door")["visit"]
    assert shop.pull()
    shop.bench.wait_for_state("Servicing")
    assert shop.shut(visit)["visit"]["outcome"] == "serviced"
    shop.bench.wait_for_state("Idle")
    shop.shut(shop.open_as(ann.code))


def test_garbage_from_the_broker_is_dropped(shop: Shop, ann: Member) -> None:
    broker = shop.bench.broker
    wait_until(lambda: bool(shop.bench.status()["cloud"]["connected"]), PATIENCE_S, "never connected")
    topics = [f"cab/v1/{CABINET}/dn/{kind}" for kind in ("ack", "welcome", "cmd", "nak")]
    said = [(topic, garbage, 1, False) for topic in topics for garbage in GARBAGE]
    publish.multiple([*said], hostname=broker.host, port=broker.port)
    visit = shop.open_as(ann.code)
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}
    wait_until(lambda: charged(shop, visit) >= 1, PATIENCE_S, "the charge did not arrive")


@pytest.mark.campaign
def test_garbage_at_the_control_socket_is_answered_and_harms_nobody(shop: Shop) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_S)
        line.connect(str(shop.bench.socket))
        line.sendall(b"\xff\xfe open sesame\n")
        answer = json.loads(line.makefile("rb").readline())
    assert not answer["ok"]
    shop.bench.wait_for_state("Idle")
