"""The unit and its companions, judged by systemd's own tools where they exist, and the example configuration."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from cabinet import config
from cabinet.config.explaining import inner_model

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "cabinet.service"
EXPOSURE_MAX = 1.5  # 0 is a closed box, 10 an open one
RUN_S = 60.0


def tool(name: str) -> str:
    """Full path of a tool of systemd, or a skip that says which is missing."""
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{name} is not on this machine (Debian: apt-get install systemd)")
    return path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=RUN_S, check=False, env={"LC_ALL": "C"}
    )


def settings(text: str) -> dict[str, list[str]]:
    """Every directive's values in their order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", text, flags=re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def verifiable(folder: Path) -> Path:
    """A copy that starts /bin/true: systemd-analyze refuses a unit whose program is not installed on this machine.

    The page it names is changed to the one here for the same reason.  All other lines are the unit's own.
    """
    text, programs = re.subn(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text())
    text, pages = re.subn(r"(?m)^Documentation=.*$", f"Documentation=file://{FOLDER / 'README.md'}", text)
    assert (programs, pages) == (1, 1)
    copy = folder / UNIT.name
    copy.write_text(text)
    return copy


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    verdict = run(tool("systemd-analyze"), "verify", "--man=no", verifiable(tmp_path))
    if "Failed to initialize manager" in verdict.stderr:
        pytest.skip("systemd-analyze verify cannot run in this container")
    assert [line for line in verdict.stderr.splitlines() if UNIT.name in line] == []  # it returns 0 for unknown keys
    assert verdict.returncode == 0, verdict.stderr


def test_systemd_would_find_a_mistyped_directive(tmp_path: Path) -> None:
    copy = verifiable(tmp_path)
    copy.write_text(copy.read_text().replace("NoNewPrivileges=", "NoNewPriviledges="))
    verdict = run(tool("systemd-analyze"), "verify", "--man=no", copy)
    if "Failed to initialize manager" in verdict.stderr:
        pytest.skip("systemd-analyze verify cannot run in this container")
    assert "NoNewPriviledges" in verdict.stderr


def exposure(unit: Path) -> float:
    """Overall exposure as `systemd-analyze security --offline=true` prints it, 0 to 10."""
    verdict = run(tool("systemd-analyze"), "security", "--offline=true", "--no-pager", unit)
    if "unrecognized option" in verdict.stderr:
        pytest.skip("this systemd-analyze cannot judge a file (before systemd 250)")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", verdict.stdout)
    assert found is not None, verdict.stdout + verdict.stderr
    return float(found[1])


def test_the_box_is_closed_to_1_5_of_10() -> None:
    assert exposure(UNIT) <= EXPOSURE_MAX


def test_the_box_stays_that_closed_with_a_broker_on_the_internet(tmp_path: Path) -> None:
    """The drop-in of the install page, as systemd would merge it."""
    block = re.search(r"```ini broker\.conf\n(.*?)```", (FOLDER / "README.md").read_text(), flags=re.DOTALL)
    assert block is not None
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("\n[Install]", f"\n{block[1]}\n[Install]"))
    assert exposure(copy) <= EXPOSURE_MAX


def test_the_unit_waits_for_ready_watches_the_tick_and_restarts_for_ever() -> None:

    unit = settings(UNIT.read_text())
    assert (unit["Type"], unit["WatchdogSec"], unit["Restart"]) == (["notify"], ["5"], ["always"])


@pytest.mark.parametrize("name", ["PrivateUsers", "ProcSubset", "MemoryDenyWriteExecute", "PrivateDevices"])
def test_what_would_break_the_cabinet_is_left_out_with_its_reason(name: str) -> None:
    assert name not in settings(UNIT.read_text())
    assert f"{name}=" in UNIT.read_text()  # in a comment
    assert f"`{name}=" in (FOLDER / "README.md").read_text()


def test_every_directive_has_a_reason_above_it() -> None:
    """A comment opens each block; a directive may share one with its neighbours but not with another section."""
    commented = False
    for line in UNIT.read_text().splitlines():
        if line.startswith("#"):
            commented = True
        elif not line.strip() or line.startswith("["):
            commented = line.startswith(("[Unit]", "[Install]"))  # Description= and WantedBy= speak for themselves
        else:
            assert commented, line


def test_only_drivers_that_the_cabinet_uses_may_be_opened() -> None:
    assert settings(UNIT.read_text())["DeviceAllow"] == [
        "char-ttyACM rw",
        "char-ttyUSB rw",
        "char-video4linux rw",
        "char-gpiochip rw",
    ]


def test_sysusers_makes_the_user_and_every_group_the_unit_names(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    made = run(tool("systemd-sysusers"), f"--root={tmp_path}", FOLDER / "cabinet.sysusers.conf")
    assert made.returncode == 0, made.stderr
    groups = {line.split(":")[0] for line in (tmp_path / "etc/group").read_text().splitlines()}
    users = {line.split(":")[0]: line for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    unit = settings(UNIT.read_text())
    assert users[unit["User"][0]].endswith(":/usr/sbin/nologin")
    assert {unit["Group"][0], *unit["SupplementaryGroups"][0].split()} <= groups


def test_sysusers_says_what_it_would_do_without_doing_it() -> None:
    dry = run(tool("systemd-sysusers"), "--dry-run", FOLDER / "cabinet.sysusers.conf")
    assert dry.returncode == 0, dry.stderr


def test_tmpfiles_shuts_the_secrets_to_everybody_but_the_daemon(tmp_path: Path) -> None:
    (tmp_path / "etc/cabinet").mkdir(parents=True)
    for name in ("cabinet.toml", "mqtt.key", "mqtt.password"):
        (tmp_path / "etc/cabinet" / name).write_text("x")
    text = (FOLDER / "cabinet.tmpfiles.conf").read_text()
    # Owners can be set by root alone, and exist only once sysusers has run: here every line keeps its mode alone.
    rules = tmp_path / "cabinet.conf"
    rules.write_text(re.sub(r"(?m)^([dz] \S+ \d{4}) \S+ \S+", r"\1 - -", text))
    made = run(tool("systemd-tmpfiles"), "--create", f"--root={tmp_path}", rules)
    assert made.returncode == 0, made.stderr
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "etc").rglob("*")}
    assert modes == {"cabinet": 0o750, "cabinet.toml": 0o640, "mqtt.key": 0o400, "mqtt.password": 0o400}


def test_tmpfiles_gives_secrets_to_the_daemon_and_the_rest_to_root() -> None:
    rows = [line.split() for line in (FOLDER / "cabinet.tmpfiles.conf").read_text().splitlines() if line[:1] in "dz"]
    owners = {row[1]: (row[3], row[4]) for row in rows if row}
    assert owners == {
        "/etc/cabinet": ("root", "cabinet"),
        "/etc/cabinet/cabinet.toml": ("root", "cabinet"),
        "/etc/cabinet/*.key": ("cabinet", "cabinet"),
        "/etc/cabinet/*.password": ("cabinet", "cabinet"),
    }


# --- the example configuration ----------------------------------------------------------------------------------------


def installed(folder: Path, text: str) -> Path:
    """The text beside the files it names, as on a cabinet; model and authorities are this machine's."""
    authorities = folder / "authorities.pem"
    for name in ("mqtt.key", "mqtt.password", "issuers.txt", authorities.name):
        (folder / name).write_text("00")
    text = text.replace("/opt/cabinet/models/", f"{FOLDER.parent / 'models'}/")
    text = text.replace("/etc/cabinet/issuers.txt", str(folder / "issuers.txt"))
    text = text.replace("/etc/ssl/certs/ca-certificates.crt", str(authorities))
    file = folder / "cabinet.toml"
    file.write_text(text)
    return file


def example() -> str:
    return (FOLDER / "cabinet.toml").read_text()


def test_the_example_configuration_is_accepted(tmp_path: Path) -> None:
    facts = config.load(installed(tmp_path, example()))
    assert [camera.role for camera in facts.cameras] == ["front", "interior", "interior"]
    assert {zone.id for zone in facts.zones} == {zone for camera in facts.cameras for zone in camera.sees}
    assert facts.cabinet.socket_path == Path("/run/cabinet/control.sock")


def uncommented(text: str) -> str:
    """The keys behind a # become keys."""
    return re.sub(r"(?m)^# (?=[a-z_]+ = )", "", text)


def test_every_default_that_the_example_names_is_the_programs_own(tmp_path: Path) -> None:
    plain = config.load(installed(tmp_path, example()))
    told = uncommented(example()).replace('"client.pem"', '"mqtt.key"').replace('"client.key"', '"mqtt.key"')
    assert told != example()
    spelled_out = config.load(installed(tmp_path, told))
    own = {"cert_file": None, "client_key_file": None}  # their default is "none", which TOML cannot say
    assert spelled_out.mqtt is not None
    mqtt = spelled_out.mqtt.model_copy(update=own)
    identity = spelled_out.identity.model_copy(update={"issuer_keys_file": None})  # likewise
    assert spelled_out.model_copy(update={"mqtt": mqtt, "identity": identity}) == plain


def test_every_key_of_the_configuration_is_in_the_example() -> None:
    table = tomllib.loads(uncommented(example()))
    missing = []
    for section, facts in config.Config.model_fields.items():
        kind = inner_model(facts.annotation)
        there = table.get(section)
        rows = there if isinstance(there, list) else [there or {}]
        known = list(getattr(kind, "model_fields", None) or kind.__dataclass_fields__)
        said = {key for row in rows for key in row}
        missing += [f"{section}.{key}" for key in known if key not in said]
    parts = {f"{part}.{key}" for part in ("lock", "door", "bolt", "lamp", "buzzer") for key in ("pin", "active_high")}
    assert set(missing) == parts  # these are refused with via = "board"; the example shows them in a comment
    assert all(re.search(rf"(?m)^#   {key} = ", example()) for key in ("via", "pin", "active_high"))


def test_the_wiring_pages_pins_are_accepted(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(.*?)```", (FOLDER / "WIRING.md").read_text(), flags=re.DOTALL)
    assert block is not None
    on_board = re.compile(r"(?ms)^\[lock\]\n.*?(?=^# Or a pin)")
    text, changed = on_board.subn(lambda _: block[1] + "\n", example())
    assert changed == 1
    facts = config.load(installed(tmp_path, text))
    assert [part.pin for part in (facts.lock, facts.door, facts.bolt, facts.lamp, facts.buzzer)] == [17, 22, 23, 24, 25]
    assert facts.lock.active_high  # a relay that pulls at low would open the door at every boot
