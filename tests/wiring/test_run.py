"""How `cabinet run` ends where it may not begin, or cannot go on."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from cabinet import wiring
from cabinet.basket.prices import LocalTime, PriceList, PriceRules
from cabinet.control.geometry import Geometry
from cabinet.ledger import Ledger, LedgerLostError, Stamp
from cabinet.parts import Parts
from cabinet.ports import PortError
from cabinet.wiring import EXIT_CONFIG
from cabinet.wiring.facts import BOARD_HZ, cameras, local_time, prices, zones
from tests.control.room import facts

CONFIG = """
[cabinet]
id = "c1"
currency = "USD"
data_dir = "data"
[board]
port = "/dev/no-such-board"
[[zones]]
id = "s1"
channel = 0
[[cameras]]
id = "front"
role = "front"
source = 0
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "cabinet.toml"
    path.write_text(CONFIG)
    return path


def test_a_wrong_config_ends_with_78_and_names_file_key_and_remedy(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG.replace("channel", "chanel"))
    assert wiring.run(config) == EXIT_CONFIG
    said = capsys.readouterr().err
    assert all(word in said for word in (str(config), "zones.0.chanel", "did you mean 'channel'?"))


def test_a_data_folder_that_cannot_be_made_ends_with_78(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "data").write_text("in the way")
    assert wiring.run(config) == EXIT_CONFIG
    assert "data_dir" in capsys.readouterr().err


def test_a_ledger_that_is_none_ends_with_1_and_the_remedy(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "ledger.db").write_bytes(b"no ledger" * 1000)
    assert wiring.run(config) == 1
    said = capsys.readouterr().err
    assert all(word in said for word in ("ledger.db", "damaged", "put back the last copy"))


@pytest.mark.parametrize("error", [LedgerLostError("the disk failed"), PortError("lock: gone")], ids=repr)
def test_what_fails_in_a_loop_is_one_line_and_exit_code_1(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    async def live(*_: object) -> None:
        async def fail() -> None:
            raise error

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())

    monkeypatch.setattr(wiring, "_live", live)
    assert wiring.run(config) == 1
    assert capsys.readouterr().err == f"cabinet: {error}\n"


def test_a_second_daemon_on_the_same_folder_is_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []

    async def live(*_: object) -> None:
        ended.append(wiring.run(config))

    monkeypatch.setattr(wiring, "_live", live)
    assert (wiring.run(config), ended) == (0, [1])
    assert "another daemon uses" in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_written_ends_with_1_and_the_remedy(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "data" / "daemon.lock").mkdir(parents=True)
    assert wiring.run(config) == 1
    assert "check the folder and its owner" in capsys.readouterr().err


def test_the_configs_zones_are_the_traces_zones(tmp_path: Path) -> None:
    config = facts(tmp_path, zones=[{"id": "s1", "channel": 0, "kind": "hook", "cells": 1, "noise_g": 0.5}])
    (zone,) = zones(config).values()
    assert (zone.kind, zone.cells, zone.noise_g, zone.rate_hz) == ("hook", 1, 0.5, BOARD_HZ)


def test_a_camera_sees_the_zones_it_has_polygons_of(tmp_path: Path) -> None:
    corners = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]
    config = facts(tmp_path, cameras=[{"id": "top", "role": "interior", "source": 1, "polygons": {"s1": corners}}])
    outlines = Geometry(config, Parts(lambda _: None, lambda: 0.0))
    (camera,) = cameras(config, outlines.polygons).values()
    assert (camera.sees, camera.polygons) == (("s1",), {"s1": ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0))})


@pytest.mark.parametrize(
    ("wall", "zone", "local"),
    [
        ("2026-11-27T16:30:00+00:00", "Europe/Berlin", LocalTime(4, 17 * 60 + 30)),
        ("2026-07-03T16:30:00+00:00", "Europe/Berlin", LocalTime(4, 18 * 60 + 30)),  # summer time
        ("2026-11-27T16:30:00+00:00", "Asia/Tokyo", LocalTime(5, 90)),  # tomorrow already
        ("2026-10-25T00:59:59+00:00", "Europe/Berlin", LocalTime(6, 2 * 60 + 59)),  # the hour that comes twice
        ("2026-10-25T01:00:00+00:00", "Europe/Berlin", LocalTime(6, 2 * 60)),
    ],
)
def test_the_local_time_of_the_unlock_is_the_cabinets(wall: str, zone: str, local: LocalTime) -> None:
    wall_ms = round(dt.datetime.fromisoformat(wall).timestamp() * 1000)
    assert local_time(Stamp(0, wall_ms, "ntp"), zone) == local


@pytest.mark.parametrize("quality", ["none", "floor"])
def test_a_clock_that_is_not_trusted_tells_no_local_time(quality: Any) -> None:
    assert local_time(Stamp(0, 1_795_000_000_000, quality), "UTC") is None


def test_a_price_list_is_the_ledgers_at_that_instant(tmp_path: Path) -> None:
    config = facts(tmp_path, prices={"time_zone": "Asia/Tokyo", "tax_included": False})
    rules = PriceRules({"t": 100_000})
    at = Stamp(0, 1_795_797_000_000, "ntp")
    with Ledger(tmp_path / "l.db") as ledger:
        version = ledger.set_price_rules(rules, "ann", at)
        frozen = prices(config, ledger, at)
        ledger.set_price_rules(PriceRules(), "ann", at)
    assert frozen == PriceList(version, rules, tax_included=False, local=local_time(at, "Asia/Tokyo"))
