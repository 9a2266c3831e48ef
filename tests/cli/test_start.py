"""The commands as processes, what they import, and those that need no daemon."""

import json
import subprocess
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import cabinet
import cabinet.cloud.run
from cabinet.cloud.store import CloudStore
from tests.cli.answers import STATUS
from tests.cli.conftest import Cli
from tests.support.fake_control import FakeControl

CONFIG = """\
[cabinet]
id = "bench-001"
currency = "EUR"
data_dir = "data"
[board]
port = "/dev/ttyACM0"
[[zones]]
id = "s1"
channel = 0
[[cameras]]
id = "front"
role = "front"
source = 0
[items]
model = "item"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "item").mkdir()
    (tmp_path / "item" / "model.toml").touch()
    path = tmp_path / "cabinet.toml"
    path.write_text(CONFIG)
    return path


def process(*words: str, python: Sequence[str] = ("-m", "cabinet")) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *python, *words], capture_output=True, text=True, timeout=60, check=False)


def test_the_command_is_a_real_process_that_speaks_to_a_real_socket(control: FakeControl) -> None:
    done = process("status", "--socket", str(control.path), "--json")
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, STATUS, "")


def test_without_a_daemon_the_process_ends_with_3_and_says_how_to_start_it(tmp_path: Path) -> None:
    done = process("status", "--socket", str(tmp_path / "none.sock"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "the daemon is not running" in done.stderr
    assert "sudo systemctl start cabinet" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_ends_the_process_with_2() -> None:
    assert process("stock", "set", "s1").returncode == 2


def imported(*words: str) -> set[str]:
    """Top-level packages, and the cabinet's modules, that a command has imported by its end."""
    code = (
        "import sys, atexit\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"from cabinet.cli.app import app\napp({list(words)!r}, prog_name='cabinet')"
    )
    names = process(python=("-c", code)).stderr.split()
    return {name if name.startswith("cabinet.") else name.partition(".")[0] for name in names}


# Typer itself converts options with pydantic, so that cannot be among them.
HEAVY = {
    "numpy",
    "cv2",
    "PIL",
    "matplotlib",
    "paho",
    "sqlite_utils",
    "asyncio",
    "face_recognition",
    "segno",
    "cabinet.config",
    "cabinet.ledger",
    "cabinet.wiring",
}


def test_status_imports_nothing_heavy(control: FakeControl) -> None:
    found = imported("status", "--socket", str(control.path))
    assert ("typer" in found, found & HEAVY) == (True, set())


def test_status_as_json_does_without_tables(control: FakeControl) -> None:
    assert "rich" not in imported("status", "--socket", str(control.path), "--json")


def test_finding_the_socket_in_a_config_imports_nothing_heavy(control: FakeControl, tmp_path: Path) -> None:
    named = tmp_path / "cabinet.toml"
    named.write_text(f'[cabinet]\nsocket = "{control.path}"')
    assert imported("status", "--config", str(named)) & HEAVY == set()
    assert control.ops() == ["status"]


def test_version_is_the_packages(cli: Cli) -> None:
    assert cli("version").stdout.startswith(f"cabinet {cabinet.__version__} ")


def test_a_right_config_is_summed_up(cli: Cli, config: Path) -> None:
    done = cli("config", "check", str(config), "--json")
    facts = json.loads(done.stdout)
    assert (done.exit_code, facts["zones"], facts["cameras"]) == (0, ["s1"], ["front (front)"])
    assert facts["socket"] == str(config.parent / "data" / "control.sock")
    assert "is right" in cli("config", "check", str(config)).stdout


def test_a_wrong_config_is_refused_with_file_key_and_remedy(cli: Cli, config: Path) -> None:
    config.write_text(CONFIG.replace("channel", "chanel"))
    done = cli("config", "check", str(config))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "zones.0.chanel: unknown key; did you mean 'channel'?" in done.stderr.replace("\n", "")


def stand_in(monkeypatch: pytest.MonkeyPatch, module: str, **names: object) -> None:
    """A module that another part brings, replaced by one that tells how it was called."""
    made = types.ModuleType(module)
    made.__dict__.update(names)
    monkeypatch.setitem(sys.modules, module, made)
    parent, _, name = module.rpartition(".")
    monkeypatch.setattr(sys.modules[parent], name, made, raising=False)


def told(given: list[Any], code: int) -> Callable[..., int]:
    """Keeps what it is given, and answers the code."""

    def tell(*path: Path, **options: object) -> int:
        given.extend(path or [options])
        return code

    return tell


@pytest.mark.parametrize("code", [0, 1, 78])
def test_run_hands_over_the_config_and_the_exit_code(
    code: int, cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Path] = []
    stand_in(monkeypatch, "cabinet.wiring", run=told(given, code))
    assert (cli("run", "--config", str(config)).exit_code, given) == (code, [config])


def test_demo_hands_over_its_options(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, object]] = []
    stand_in(monkeypatch, "cabinet.cli.demo", run_demo=told(given, 1))
    assert cli("demo", "--out", "no/such/folder", "--seed", "7", "--quick").exit_code == 1
    assert given == [{"out": Path("no/such/folder"), "keep": False, "seed": 7, "quick": True}]


@pytest.mark.parametrize(("inside", "code"), [("thesis.txt", 2), ("visit-1", 0), (None, 0)])
def test_demo_writes_over_an_earlier_demo_and_over_nothing_else(
    inside: str | None, code: int, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "cabinet.cli.demo", run_demo=told([], 0))
    (tmp_path / "out").mkdir()
    if inside is not None:
        (tmp_path / "out" / inside).mkdir()
    assert cli("demo", "--out", str(tmp_path / "out")).exit_code == code


def test_demo_refuses_a_file_as_its_folder(cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "cabinet.cli.demo", run_demo=told([], 0))
    assert cli("demo", "--out", str(config)).exit_code == 2


def test_the_cloud_refuses_keys_that_are_not_there_before_it_makes_a_database(cli: Cli, tmp_path: Path) -> None:
    done = cli("cloud", "run", "--db", str(tmp_path / "c.db"), "--keys", str(tmp_path / "none.toml"))
    assert (done.exit_code, "cannot read the keys file" in done.stderr, (tmp_path / "c.db").exists()) == (
        1,
        True,
        False,
    )


def test_the_cloud_is_given_broker_database_keys_and_password(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[object, ...]] = []

    def run_cloud(host: str, port: int, db: Path, keys: Path, *, username: str, password: str, **_: object) -> None:
        given.append((host, port, db, keys, username, password))

    monkeypatch.setattr(cabinet.cloud.run, "run_cloud", run_cloud)
    (tmp_path / "password").write_text("open sesame\n")
    words = ("--db", "c.db", "--keys", "k.toml", "--port", "1999", "--username", "cloud")
    assert cli("cloud", "run", *words, "--password-file", str(tmp_path / "password")).exit_code == 0
    assert given == [("127.0.0.1", 1999, Path("c.db"), Path("k.toml"), "cloud", "open sesame")]


@pytest.fixture
def cloud_db(tmp_path: Path) -> Path:
    """A cloud's database with one charge, put there by the cloud's own code."""
    store = CloudStore(tmp_path / "cloud.db")
    line = {"sku": "0708", "name": "Cola", "quantity": 2, "unit_price": 250, "tax": "standard"}
    body = {"outcome": "charge", "total_minor": 500, "currency": "EUR", "lines": [line]}
    event = {
        "store": "5" * 32, "boot": "b" * 16, "seq": 1, "visit": "01JD0000000000000000000001", "type": "visit.closed",
        "body": body, "mono_ms": 1, "wall_ms": 2, "clock": "ntp", "prev": "0" * 64, "h": "a" * 64,
    }  # fmt: skip  # a row
    store.take("bench-001", event, 1_780_000_000_000)
    store.close()
    return tmp_path / "cloud.db"


def test_the_clouds_charges_are_listed_with_lines_and_total(cli: Cli, cloud_db: Path) -> None:
    said = cli("cloud", "charges", "--db", str(cloud_db)).stdout
    assert ("5.00 EUR" in said, "2 × Cola" in said, "bench-001" in said) == (True, True, True)


def test_the_clouds_charges_as_json_have_every_field(cli: Cli, cloud_db: Path) -> None:
    (charge,) = json.loads(cli("cloud", "charges", "--db", str(cloud_db), "--json").stdout)["charges"]
    assert (charge["visit"], charge["total_minor"], charge["lines"][0]["sku"]) == (
        "01JD0000000000000000000001", 500, "0708",
    )  # fmt: skip  # a row


def test_a_cloud_database_that_is_not_there_is_not_made(cli: Cli, tmp_path: Path) -> None:
    assert cli("cloud", "charges", "--db", str(tmp_path / "none.db")).exit_code == 2
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_cloud_database_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("hello" * 1000)
    done = cli("cloud", "charges", "--db", str(tmp_path / "x.db"))
    assert (done.exit_code, done.stdout) == (1, "")
