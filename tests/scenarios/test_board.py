"""The board as a technician and a shopper meet it: commissioned, calibrated, tried, and left alone by a dead daemon."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cabinet.cli.demo import goods
from cabinet.cli.demo.people import Person
from cabinet.cli.demo.processes import Bench
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.sim import pictures
from tests.scenarios.command import Fleet, as_json, cabinet, typed
from tests.scenarios.conftest import bench_in

COLA, LIME = "5000000000011", "5000000000028"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A cabinet that sells; every story leaves it idle with its door shut."""
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        bench.wait_for_state("Idle")
        yield shop


@pytest.fixture(scope="module")
def ann(shop: Shop) -> Member:
    return shop.enrol(Person("Ann", None, None))


@pytest.fixture
def unfinished() -> Iterator[Bench]:
    """A cabinet whose board came from the factory a minute ago: no key, no calibration, nothing on its shelves."""
    first = {"front": pictures.jpeg(pictures.lobby()), "top": goods.drawn(goods.DRAWN_SHELVES, 1)}
    with (
        TemporaryDirectory(prefix="shop-") as folder,
        Bench(Path(folder), interior=goods.interior(), pictures=first, commissioned=False) as bench,
    ):
        wait_until(lambda: bench.ask("board.info")["connected"], PATIENCE_S, "the board is not reached")
        yield bench


def calibrated(bench: Bench, zone: str, index: int) -> dict[str, Any]:
    """As a script does it: empty, one kilogram, five."""
    step = ("scale", "calibrate", zone, "--step")
    bench.board.control({"do": "mass", "zone": index, "g": 0})
    as_json(bench.socket, *step, "tare")
    bench.board.control({"do": "mass", "zone": index, "g": 1000})
    as_json(bench.socket, *step, "1", "--mass", "1000")
    bench.board.control({"do": "mass", "zone": index, "g": 5000})
    as_json(bench.socket, *step, "2", "--mass", "5000")
    fitted = as_json(bench.socket, *step, "fit")
    bench.board.control({"do": "mass", "zone": index, "g": 0})
    return fitted


def test_a_board_from_the_factory_sells_once_it_has_its_key_and_its_shelves_are_calibrated(unfinished: Bench) -> None:
    bench = unfinished
    doctor = ("doctor", "--socket", str(bench.socket))
    wait_until(lambda: "cabinet board commission" in typed(doctor).stdout, PATIENCE_S, "nobody misses a key")
    assert typed(doctor).returncode == 1
    as_json(bench.socket, "board", "commission", "--yes")
    for index, zone in enumerate(bench.zones):
        assert abs(calibrated(bench, zone, index)["residual_g"]) < 5
    shop = Shop(bench)
    shop.stock_drawn()
    bench.wait_for_state("Idle")
    visit = shop.open_as(shop.enrol(Person("Ann", None, None)).code)
    shop.take("s1", COLA)
    assert basket(shop.shut(visit)) == {COLA: 1}


@pytest.mark.campaign
def test_swapped_masses_are_refused_with_the_residual_and_the_shelf_stays_uncalibrated(unfinished: Bench) -> None:
    bench, step = unfinished, ("scale", "calibrate", "s1", "--step")
    as_json(bench.socket, *step, "tare")
    for slot, lies_g, said_g in (("1", 5000, "1000"), ("2", 1000, "5000")):
        bench.board.control({"do": "mass", "zone": 0, "g": lies_g})
        as_json(bench.socket, *step, slot, "--mass", said_g)
    done = typed([*step, "fit", "--socket", str(bench.socket)])
    assert done.returncode == 1
    assert "residual" in done.stdout + done.stderr
    (scale,) = as_json(bench.socket, "scale", "show", "s1")["zones"]
    assert not scale["counts_per_g"]


@pytest.mark.campaign
def test_the_selftest_pulses_the_lock_and_leaves_it_locked(shop: Shop) -> None:
    found = as_json(shop.bench.socket, "board", "selftest", "--yes")
    assert all(row["ok"] for row in found["tests"]), found

    def locked() -> bool:
        state = shop.bench.board.control({"do": "state"})
        return bool(state["bolt_locked"]) and not state["lock_driven"]

    wait_until(locked, PATIENCE_S, "the lock stays driven")
    shop.bench.wait_for_state("Idle")


def test_a_selftest_with_a_jammed_bolt_fails_and_names_it(shop: Shop) -> None:
    board = shop.bench.board.control
    shop.bench.wait_for_state("Idle")
    board({"do": "break", "what": "bolt_jammed_in"})
    found = as_json(shop.bench.socket, "board", "selftest", "--yes", wants=1)
    assert "lock pulse" in [row["test"] for row in found["tests"] if not row["ok"]], found
    wait_until(lambda: not board({"do": "state"})["lock_driven"], PATIENCE_S, "the lock stays driven")
    board({"do": "break", "what": "bolt_jammed_in", "on": False})
    shop.bench.wait_for_state("Idle")


def test_what_left_while_the_daemon_was_dead_is_on_the_boards_record_of_the_visit(shop: Shop, ann: Member) -> None:
    visit = shop.open_as(ann.code)
    shop.bench.kill("daemon")
    shop.shelves["s1"][shop.shelves["s1"].index(COLA)] = None
    shop.draw()
    shop.lift("s1", COLA)
    shop.world.shut()
    board = shop.bench.board.control
    wait_until(lambda: not board({"do": "state"})["door_open_debounced"], PATIENCE_S, "the door is not shut")
    shop.bench.start_daemon()
    shop.bench.wait_for_closed(visit)

    def net_g() -> dict[str, float]:
        return (shop.bench.ask("visits.show", visit=visit).get("board") or {}).get("net_g") or {}

    wait_until(lambda: "s1" in net_g(), PATIENCE_S, lambda: str(shop.bench.ask("visits.show", visit=visit)))
    assert net_g() == as_json(shop.bench.socket, "visits", "show", visit)["board"]["net_g"]
    assert net_g()["s1"] == pytest.approx(-shop.prices[COLA].mass_g, rel=0.1)
    shop.bench.wait_for_state("Idle")


@pytest.mark.campaign
def test_a_door_forced_while_the_daemon_was_away_is_an_incident_when_it_is_back(shop: Shop) -> None:
    bench = shop.bench
    with Fleet(bench.broker.host, bench.broker.port) as fleet:
        bench.kill("daemon")
        bench.board.control({"do": "force"})
        wait_until(lambda: 0 in bench.board.control({"do": "state"})["faults"], PATIENCE_S, "the board did not notice")
        shop.world.shut()
        bench.start_daemon()
        fleet.wait_for(
            "ev", lambda told: "forced open while the cabinet was not watching" in told["body"].get("why", "")
        )
    visit = bench.ask("unlock", purpose="service", reason="looked at the forced door")["visit"]
    assert shop.pull()
    bench.wait_for_state("Servicing")
    shop.shut(visit)
    bench.wait_for_state("Idle")


def test_a_charge_is_mirrored_to_the_board(shop: Shop, ann: Member) -> None:
    shop.bench.wait_for_state("Idle")
    visit = shop.open_as(ann.code)
    shop.take("s2", LIME)
    total = shop.shut(visit)["visit"]["total_minor"]

    def mirrored(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [entry for entry in entries if (entry["kind"], entry["visit"]) == ("mirror", visit)]

    wait_until(lambda: bool(mirrored(shop.bench.ask("board.log")["entries"])), PATIENCE_S, "nothing was mirrored")
    (entry,) = mirrored(as_json(shop.bench.socket, "board", "log")["entries"])
    assert entry["facts"]["amount_minor"] == total > 0
    shop.bench.wait_for_state("Idle")


@pytest.mark.campaign
def test_a_second_program_at_the_port_is_told_who_holds_it(shop: Shop) -> None:
    second = (
        "import asyncio, sys\nfrom firmware_bridge.board import Board\n"
        "from firmware_bridge.happenings import Disconnected\n"
        "async def main():\n    board = Board(sys.argv[1])\n    running = asyncio.create_task(board.run())\n"
        "    while not isinstance(told := await board.happenings.get(), Disconnected): pass\n"
        "    print(told.why); running.cancel()\nasyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", second, shop.bench.board.port], capture_output=True, text=True, timeout=60, check=True
    )
    assert f"(pid {shop.bench.pid('daemon')})" in done.stdout


@pytest.mark.campaign
def test_scale_watch_streams_what_the_shelf_carries(shop: Shop) -> None:
    lines = cabinet(shop.bench.socket, "scale", "watch", "s1", "--json", "--seconds", "6").splitlines()
    wanted_g = shop.bench.board.control({"do": "state"})["masses_g"][0]
    grams = [g for line in lines for g in _all_numbers(json.loads(line), "g")]
    assert grams
    assert grams[-1] == pytest.approx(wanted_g, abs=10)


def test_board_info_names_firmware_protocol_and_clock(shop: Shop) -> None:
    told = as_json(shop.bench.socket, "board", "info")
    assert (told["connected"], told["protocol"], told["keyed"]) == (True, 2, True)
    assert told["firmware"].startswith("cabinet-board")
    assert "drift_ppm" in told["link"]


def _all_numbers(said: Any, key: str) -> list[float]:
    if isinstance(said, dict):
        here = [said[key]] if isinstance(said.get(key), int | float) else []
        return here + [n for value in said.values() for n in _all_numbers(value, key)]
    return [n for value in said for n in _all_numbers(value, key)] if isinstance(said, list) else []
