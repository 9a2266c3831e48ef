"""A full disk, a damaged ledger, a second daemon: what a technician sees, and how the cabinet comes to sell again."""

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cabinet.cli.demo.people import Person
from cabinet.cli.demo.shop import Member, Shop, basket
from cabinet.cli.demo.waiting import PATIENCE_S, wait_until
from cabinet.cloud.run import charges
from tests.scenarios.command import cabinet
from tests.scenarios.conftest import bench_in

COLA, LIME, OATS, CHIPS = "5000000000011", "5000000000028", "5000000000035", "5000000000042"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One cabinet whose disk bears it all; every story leaves it selling."""
    with TemporaryDirectory(prefix="shop-") as folder, bench_in(Path(folder)) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        yield shop


@pytest.fixture(scope="module")
def ann(shop: Shop) -> Member:
    return shop.enrol(Person("Ann", None, None))


@pytest.fixture(autouse=True)
def ready(shop: Shop) -> None:
    shop.bench.wait_for_state("Idle")


def part(shop: Shop, name: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = shop.bench.ask("doctor")["parts"]
    return next(one for one in parts if one["part"] == name)


def sell(shop: Shop, member: Member, zone: str, sku: str) -> str:
    """The visit's id."""
    visit = shop.open_as(member.code)
    shop.take(zone, sku)
    assert basket(shop.shut(visit)) == {sku: 1}
    return visit


def arrives(shop: Shop, visit: str) -> None:
    """The cloud has its charge."""
    db = shop.bench.cloud_db
    wait_until(lambda: visit in {charge.visit for charge in charges(db)}, PATIENCE_S, f"no charge of {visit} came")


def test_a_damaged_ledger_is_recovered_told_of_and_sold_on_once_the_cloud_has_heard(shop: Shop, ann: Member) -> None:
    arrives(shop, sell(shop, ann, "s1", COLA))
    shop.bench.end("daemon")
    shop.bench.end("cloud")
    damage(shop.bench.data / "ledger.db")
    shop.bench.start_daemon()
    wait_until(lambda: "history" in faults(shop), PATIENCE_S, lambda: str(faults(shop)))
    shop.bench.wait_for_state("OutOfService")
    told = cabinet(shop.bench.socket, "doctor", wants=1)
    assert "the ledger was damaged and recovered" in " ".join(told.split())
    assert "damaged_files_kept 1" in told
    assert len(list(shop.bench.data.glob("ledger.db.damaged-*"))) >= 1
    shop.bench.start_cloud()
    shop.bench.wait_for_state("Idle")
    arrives(shop, sell(shop, ann, "s2", LIME))


def faults(shop: Shop) -> set[str]:
    """The parts that keep it from selling."""
    return {fault["part"] for fault in shop.bench.status()["faults"]}


def damage(ledger: Path) -> None:
    """The header is gone, as a card leaves it that lost a block."""
    content = bytearray(ledger.read_bytes())
    content[:100] = random.Random(1).randbytes(100)
    ledger.write_bytes(content)


def test_a_second_daemon_on_the_same_ledger_is_refused_in_words(shop: Shop) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cabinet", "run", "--config", str(shop.bench.config)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "another daemon uses" in done.stderr
    shop.bench.wait_for_state("Idle")


def test_the_ballast_is_laid_at_the_start(shop: Shop) -> None:
    ballast = shop.bench.data / "ballast"
    wait_until(lambda: ballast.exists() and ballast.stat().st_blocks * 512 >= 16 << 20, PATIENCE_S, "no ballast")
    wait_until(lambda: part(shop, "disk")["ok"], PATIENCE_S, lambda: str(part(shop, "disk")))


def test_a_full_disk_stops_the_selling_and_room_starts_it_again(shop: Shop, ann: Member) -> None:
    """The limit is moved above what the disk has: the same to the daemon as a disk that fills up."""
    free_mib = shutil.disk_usage(shop.bench.data).free >> 20
    shop.bench.end("daemon")
    config = shop.bench.config.read_text()
    shop.bench.config.write_text(f"{config}\n[storage]\nmin_free_mib = {free_mib + 10_000}\n")
    shop.bench.start_daemon()
    wait_until(lambda: "disk" in faults(shop), PATIENCE_S, "nobody noticed")
    assert "MiB free" in str(part(shop, "disk")["why"])
    shop.bench.end("daemon")
    shop.bench.config.write_text(config)
    shop.bench.start_daemon()
    shop.bench.wait_for_state("Idle")
    sell(shop, ann, "s1", CHIPS)


@pytest.mark.campaign
def test_a_failed_fsync_unlocks_nothing_and_ends_the_daemon_for_a_fresh_start(shop: Shop, ann: Member) -> None:
    """From now on the disk answers every fsync with EIO, as a dying card does; systemd starts the daemon anew."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: sudo apt-get install strace")
    pid = shop.bench.pid("daemon")
    injected = "inject=fdatasync,fsync:error=EIO"
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-p", str(pid), "-e", "trace=fdatasync,fsync", "-e", injected],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as tracer:  # fmt: skip
        wait_until(lambda: traced(pid), PATIENCE_S, "strace cannot attach here")
        shop.somebody(ann.code)
        code = shop.bench._processes.pop("daemon").wait(60.0)
        tracer.terminate()
    assert code == 1
    assert "disk I/O error" in shop.bench.log("daemon")
    assert not shop.world.pull()
    shop.nobody()
    shop.bench.start_daemon()
    shop.bench.wait_for_state("Idle")
    sell(shop, ann, "s2", OATS)


def traced(pid: int) -> bool:
    return "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text()
