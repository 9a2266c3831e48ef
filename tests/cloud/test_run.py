"""`cabinet cloud run` as a process of its own, its keys file, and reading its database from outside."""

import asyncio
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cabinet.cloud.keys import KeysError, load_keys
from cabinet.cloud.run import alarms, charges, events, unclosed
from cabinet.ledger import Ledger
from cabinet.sim.broker import Mosquitto
from tests.ledger.examples import shop, visit_id
from tests.uplink.real import now, until, uplink_over
from tests.uplink.world import CAB, KEY

CALL = """
import sys
from pathlib import Path
from cabinet.cloud.run import run_cloud
host, port, db, keys = sys.argv[1:]
run_cloud(host, int(port), Path(db), Path(keys), retry_s=(1, 1), ready=lambda: print("ready", flush=True))
"""


def start_cloud(broker: Mosquitto, folder: Path) -> subprocess.Popen[str]:
    keys = folder / "keys.toml"
    keys.write_text(f'{CAB} = "{KEY.hex()}"\n')
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, broker.host, str(broker.port), str(folder / "cloud.db"), str(keys)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")
def test_a_cloud_killed_again_and_again_charges_every_visit_once(tmp_path: Path) -> None:
    async def story(broker: Mosquitto, ledger: Ledger) -> int:
        cloud = start_cloud(broker, tmp_path)
        async with uplink_over(broker, ledger) as uplink:
            for number in range(1, 7):
                shop(ledger, number, now())
                uplink.poke()
                if number % 3 == 0:
                    await until(lambda: bool(uplink.figures().get("sent")), "something is under way")
                    cloud.kill()
                    cloud.wait(60)
                    cloud = start_cloud(broker, tmp_path)
            await until(lambda: ledger.backlog()[0] == 0, "everything is acknowledged")
        cloud.send_signal(signal.SIGTERM)
        return cloud.wait(60)

    with Mosquitto(tmp_path) as broker, Ledger(tmp_path / "edge.db") as ledger:
        assert asyncio.run(story(broker, ledger)) == 0
    found = [charge.visit for charge in charges(tmp_path / "cloud.db")]
    assert sorted(found) == [visit_id(number) for number in range(1, 7)]
    assert len(events(tmp_path / "cloud.db")) == 12
    assert (alarms(tmp_path / "cloud.db"), unclosed(tmp_path / "cloud.db")) == ([], [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("k.toml", f'cab-1 = "{KEY.hex()}"'),
        ("k.toml", f'[keys]\ncab-1 = "{KEY.hex()}"'),
        ("k.json", f'{{"cab-1": "{KEY.hex()}"}}'),
    ],
)
def test_a_keys_file_is_toml_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load_keys(tmp_path / name) == {"cab-1": KEY}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no cabinet"),
        ("cab-1 = ", "is no toml"),
        ('cab-1 = "abcd"', "key of cab-1 is not at least 16 bytes"),
        ('cab-1 = "not hexadecimal at all, not at all"', "key of cab-1"),
        ("cab-1 = 5", "key of cab-1"),
        (f'"a/b" = "{KEY.hex()}"', "'a/b' cannot be part of a topic"),
    ],
)
def test_a_broken_keys_file_is_refused_by_file_and_cabinet(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "k.toml"
    path.write_text(text)
    with pytest.raises(KeysError, match=says) as refusal:
        load_keys(path)
    assert "k.toml" in str(refusal.value)


def test_a_missing_keys_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"none\.toml: No such file"):
        load_keys(tmp_path / "none.toml")


def test_a_refused_key_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "k.toml"
    path.write_text('cab-1 = "deadbeef"')
    with pytest.raises(KeysError) as refusal:
        load_keys(path)
    assert "deadbeef" not in str(refusal.value)
