"""doctor: with a daemon its own list; without one, what can be checked from outside."""

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from cabinet.cli import checks
from tests.cli.answers import DOCTOR
from tests.cli.conftest import Cli
from tests.support.fake_board import key_in
from tests.support.fake_control import FakeControl, Refusal


@pytest.fixture
def no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take seconds to import; one test of their own does it for real."""
    monkeypatch.setattr(checks, "libraries", lambda **_: [])


def model_folder(folder: Path, sha256: str | None = None) -> Path:
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"numbers")
    sha256 = sha256 or hashlib.sha256(b"numbers").hexdigest()
    (folder / "model.toml").write_text(f'file = "model.tflite"\nsha256 = "{sha256}"\n')
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    model_folder(tmp_path / "item")
    path = tmp_path / "cabinet.toml"
    path.write_text(
        '[cabinet]\nid = "bench-001"\ncurrency = "EUR"\ndata_dir = "data"\n[board]\nport = "/dev/no-such-board"\n'
        '[[zones]]\nid = "s1"\nchannel = 0\n[[cameras]]\nid = "front"\nrole = "front"\nsource = "/dev/no-such-camera"\n'
        '[items]\nmodel = "item"\n[storage]\nmin_free_mib = 0\n'
    )
    return path


def parts(done: Any) -> dict[str, dict[str, Any]]:
    return {part["part"]: part for part in json.loads(done.stdout)["parts"]}


def test_a_needed_part_that_fails_ends_with_code_1(cli: Cli, control: FakeControl) -> None:
    failing = {"part": "board", "ok": False, "why": "unplugged", "needed": True, "remedy": "plug it in", "since_s": 3}
    control.answers["doctor"] = {**DOCTOR, "parts": [failing]}
    done = cli("doctor")
    assert (done.exit_code, "unplugged" in done.stdout, "plug it in" in done.stdout) == (1, True, True)


def test_what_fails_stands_above_what_passes_with_how_long_it_has_lasted(cli: Cli, control: FakeControl) -> None:
    said = cli("doctor").stdout
    assert said.index("refused (for 1 min)") < said.index("board")
    assert control.ops() == ["doctor"]


def test_only_counters_that_counted_are_shown(cli: Cli, control: FakeControl) -> None:
    said = cli("doctor").stdout
    assert ("codes: garbage 2" in said, "read 0" in said, control.ops()) == (True, False, ["doctor"])


def test_a_refusal_of_the_daemon_is_no_absence(cli: Cli, control: FakeControl) -> None:
    control.answers["doctor"] = Refusal("busy")
    assert cli("doctor").exit_code == 1


@pytest.mark.usefixtures("no_libraries")
def test_without_a_daemon_everything_outside_is_checked(cli: Cli, config: Path) -> None:
    done = cli("doctor", "--config", str(config), "--json")
    found = parts(done)
    assert done.exit_code == 3
    assert {name: part["ok"] for name, part in found.items()} == {
        "daemon": False, "config": True, "data folder": True, "disk": True, "ledger": True, "recogniser's model": True,
        "board": False, "camera:front": False, "board's key": False,
    }  # fmt: skip  # a table
    assert "sudo systemctl start cabinet" in found["daemon"]["remedy"]


@pytest.mark.usefixtures("no_libraries")
def test_every_part_has_the_fields_of_the_daemons_own_answer(cli: Cli, config: Path) -> None:
    found = parts(cli("doctor", "--config", str(config), "--json"))
    assert {tuple(part) for part in found.values()} == {tuple(checks.part("x", None))}
    assert set(checks.part("x", None)) == set(DOCTOR["parts"][0])


@pytest.mark.usefixtures("no_libraries")
def test_a_wrong_config_is_named_with_its_key(cli: Cli, config: Path) -> None:
    config.write_text(config.read_text().replace("currency", "curency"))
    done = cli("doctor", "--config", str(config), "--json")
    assert (done.exit_code, "did you mean 'currency'" in parts(done)["config"]["why"]) == (3, True)


@pytest.mark.usefixtures("no_libraries")
def test_a_config_that_is_no_toml_is_a_failed_part_and_no_crash(cli: Cli, config: Path) -> None:
    config.write_text("[cabinet")
    done = cli("doctor", "--config", str(config), "--json")
    assert (done.exit_code, "is not TOML" in parts(done)["config"]["why"]) == (3, True)


@pytest.mark.usefixtures("no_libraries")
def test_without_a_daemon_people_read_how_to_start_it_first(cli: Cli, config: Path) -> None:
    said = cli("doctor", "--config", str(config)).stdout
    assert "sudo systemctl start cabinet" in said
    assert said.index("not running") < said.index("pass")


@pytest.mark.usefixtures("no_libraries")
def test_a_socket_that_nobody_serves_counts_as_no_daemon(cli: Cli, config: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "left.sock"))
    done = cli("doctor", "--config", str(config), "--socket", str(tmp_path / "left.sock"), "--json")
    assert (done.exit_code, "nobody listens" in parts(done)["daemon"]["why"]) == (3, True)


@pytest.mark.usefixtures("no_libraries")
def test_the_boards_key_is_looked_at_where_the_lock_is_on_the_board(cli: Cli, config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    key_in(tmp_path / "data").chmod(0o644)
    key = parts(cli("doctor", "--config", str(config), "--json"))["board's key"]
    assert (key["ok"], "chmod 600" in key["why"]) == (False, True)
    config.write_text(config.read_text() + '[lock]\nvia = "gpio"\npin = 17\n')
    assert "board's key" not in parts(cli("doctor", "--config", str(config), "--json"))


def test_a_model_with_another_hash_fails_with_both_values(tmp_path: Path) -> None:
    found = checks.model(model_folder(tmp_path / "item", sha256="0" * 64))
    assert not found["ok"]
    assert "0" * 64 in found["why"]
    assert hashlib.sha256(b"numbers").hexdigest() in found["why"]


def test_a_model_that_is_not_there_fails_with_its_path(tmp_path: Path) -> None:
    assert str(tmp_path / "none" / "model.toml") in checks.model(tmp_path / "none")["why"]


def test_too_little_disk_fails_with_both_figures(tmp_path: Path) -> None:
    found = checks.disk(tmp_path / "not" / "made" / "yet", 1 << 40)
    assert (found["ok"], f"{1 << 40} needed" in found["why"]) == (False, True)


def test_a_library_that_is_absent_is_told_in_its_own_words() -> None:
    assert "No module named 'no_such_library'" in str(checks._import("no_such_library"))


def test_a_library_that_quits_the_interpreter_is_not_taken_for_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quitter.py").write_text("import sys\nprint('install me first')\nsys.exit(0)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert checks._import("quitter") == "quitter cannot be imported: install me first"


def test_the_libraries_of_this_machine_are_tried_in_processes_of_their_own() -> None:
    found = {part["part"]: part for part in checks.libraries(faces=False, codes=True)}
    assert set(found) == {"libzbar (QR codes)", "tflite"}
    assert found["tflite"]["ok"], found["tflite"]
