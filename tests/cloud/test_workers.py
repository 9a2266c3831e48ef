"""`cabinet cloud run --workers N` as real processes over a real broker, and `cabinet cloud status`."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types
import pytest
from typer.testing import CliRunner

from cabinet.cli.app import app
from cabinet.cloud.run import alarms, charges, events
from cabinet.cloud.store import CloudStore
from cabinet.ledger import Ledger
from cabinet.sim.broker import Mosquitto
from tests.cloud.counterpart import Counterpart
from tests.ledger.examples import shop, visit_id
from tests.uplink.real import now, until, uplink_over
from tests.uplink.world import CAB, KEY

needs_broker = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")


@contextmanager
def crew(broker: Mosquitto, folder: Path, place: str, *, workers: int = 2) -> Iterator["subprocess.Popen[str]"]:
    keys = folder / "keys.toml"
    keys.write_text(f'{CAB} = "{KEY.hex()}"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "cabinet", "cloud", "run", "--host", broker.host, "--port", str(broker.port),
         "--db", place, "--keys", str(keys), "--workers", str(workers), "--retry-max-s", "1"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip  # a list
    try:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                if line.startswith("cloud: serving"):
                    break
            else:
                raise AssertionError("it ended before it was ready")
            yield process
            process.terminate()
            process.stderr.read()  # a full pipe would hold it up
    finally:
        process.kill()
        process.wait(60)


def children(process: "subprocess.Popen[str]") -> list[int]:
    return sorted(child.pid for child in psutil.Process(process.pid).children())


@needs_broker
def test_two_workers_of_which_one_is_killed_charge_every_visit_once(tmp_path: Path, place: str) -> None:
    async def story(broker: Mosquitto, ledger: Ledger, process: "subprocess.Popen[str]") -> tuple[list[int], list[int]]:
        before = children(process)
        async with uplink_over(broker, ledger) as uplink:
            for number in range(1, 9):
                shop(ledger, number, now())
                uplink.poke()
                if number == 4:
                    await until(lambda: bool(uplink.figures().get("sent")), "something is under way")
                    os.kill(before[0], signal.SIGKILL)
            await until(lambda: ledger.backlog()[0] == 0, "everything is acknowledged")
            await until(lambda: len(set(children(process)) - {before[0]}) == 2, "the dead one is replaced")
        return before, children(process)

    with Mosquitto(tmp_path) as broker, Ledger(tmp_path / "edge.db") as ledger, crew(broker, tmp_path, place) as cloud:
        before, after = asyncio.run(story(broker, ledger, cloud))
    assert len(set(before) & set(after)) == 1
    assert cloud.returncode in {0, -signal.SIGKILL}
    assert not any(psutil.pid_exists(pid) for pid in after)
    where = place if "://" in place else Path(place)
    assert sorted(charge.visit for charge in charges(where)) == [visit_id(number) for number in range(1, 9)]
    assert (len(events(where)), alarms(where)) == (16, [])


@needs_broker
def test_workers_end_with_the_process_that_started_them_even_when_it_is_killed(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, crew(broker, tmp_path, str(tmp_path / "cloud.db")) as cloud:
        workers = [psutil.Process(pid) for pid in children(cloud)]
        cloud.kill()
        gone, alive = psutil.wait_procs(workers, timeout=60)
    assert (len(gone), alive) == (2, [])


@needs_broker
def test_sigterm_ends_all_workers_and_leaves_0_behind(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, crew(broker, tmp_path, str(tmp_path / "cloud.db"), workers=3) as cloud:
        workers = [psutil.Process(pid) for pid in children(cloud)]
        cloud.terminate()
        assert cloud.wait(60) == 0
        assert psutil.wait_procs(workers, timeout=1)[1] == []


def cli(*words: str) -> tuple[int, str, str]:
    done = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, list(words), prog_name="cabinet")
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_database_that_does_not_answer_is_refused_at_the_start(tmp_path: Path, workers: str) -> None:
    (tmp_path / "keys.toml").write_text(f'{CAB} = "{KEY.hex()}"\n')
    code, _, said = cli(
        "cloud", "run", "--db", "postgresql://books:sesame@127.0.0.1:1/none", "--keys", str(tmp_path / "keys.toml"),
        "--workers", workers,
    )  # fmt: skip  # a list
    assert (code, "does not answer" in said, "port=1" in said, "sesame" in said) == (1, True, True, False)


def test_status_tells_events_marks_gaps_open_visits_refusals_and_alarms(desk: Counterpart) -> None:
    for number in (0, 3):
        desk.tell(desk.events[number])
    desk.say("ev", b"garbage")
    desk.service.patrol(10**13)
    code, said, _ = cli("cloud", "status", "--db", desk.place, "--json")
    found = json.loads(said)
    assert (code, found["events"], found["charges"], found["behind"], found["open_visits"]) == (0, 2, 1, 3, 1)
    assert [(mark["hwm"], mark["lag"]) for mark in found["marks"]] == [(1, 3)]
    assert [gap["missing"] for gap in found["gaps"]] == [2]
    assert [row["why"] for row in found["refusals"]] == ["garbage"]
    assert found["alarm_counts"] == {"gap": 1, "open": 1}
    code, said, _ = cli("cloud", "status", "--db", desk.place)
    assert (code, [word in said for word in ("marks", "gaps", "visits open", "refused", "alarms")]) == (0, [True] * 5)


def test_status_of_empty_books_is_all_zero(place: str) -> None:
    CloudStore(place).close()
    code, said, _ = cli("cloud", "status", "--db", place)
    assert (code, "no gaps" in said) == (0, True)


def test_status_of_a_database_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert cli("cloud", "status", "--db", str(tmp_path / "none.db"))[0] == 2
    assert not (tmp_path / "none.db").exists()
