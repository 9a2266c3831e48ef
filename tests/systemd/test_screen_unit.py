"""The unit of the shopper's page: apart from the daemon, with nothing to write and nowhere to go."""

import re
from pathlib import Path

import pytest

from cabinet.control.audited import PAGE_USER
from tests.systemd.test_unit import FOLDER, exposure, run, settings, tool

UNIT = FOLDER / "cabinet-screen.service"
EXPOSURE_MAX = 1.3  # 0 is a closed box, 10 an open one


def unit() -> dict[str, list[str]]:
    return settings(UNIT.read_text())


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    text, programs = re.subn(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text())
    text, pages = re.subn(r"(?m)^Documentation=.*$", f"Documentation=file://{FOLDER / 'README.md'}", text)
    assert (programs, pages) == (1, 1)
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    verdict = run(tool("systemd-analyze"), "verify", "--man=no", copy)
    if "Failed to initialize manager" in verdict.stderr:
        pytest.skip("systemd-analyze verify cannot run in this container")
    assert [line for line in verdict.stderr.splitlines() if UNIT.name in line] == []
    assert verdict.returncode == 0, verdict.stderr


def test_the_box_is_closed() -> None:
    assert exposure(UNIT) <= EXPOSURE_MAX


def test_the_page_runs_under_the_name_that_the_daemon_keeps_to_its_own_questions() -> None:
    assert (unit()["User"], unit()["SupplementaryGroups"]) == ([PAGE_USER], ["cabinet"])
    assert "PrivateUsers" not in unit()  # the kernel would tell the daemon another one


def test_sysusers_makes_that_user(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    made = run(tool("systemd-sysusers"), f"--root={tmp_path}", FOLDER / "cabinet.sysusers.conf")
    assert made.returncode == 0, made.stderr
    users = [line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    assert PAGE_USER in users


def test_the_page_speaks_to_this_computer_alone() -> None:
    assert (unit()["IPAddressDeny"], unit()["IPAddressAllow"]) == (["any"], ["localhost"])


def test_every_directive_has_a_reason_above_it() -> None:
    commented = False
    for line in UNIT.read_text().splitlines():
        if line.startswith("#"):
            commented = True
        elif not line.strip() or line.startswith("["):
            commented = line.startswith(("[Unit]", "[Install]"))
        else:
            assert commented, line


def test_the_install_page_tells_how() -> None:
    assert UNIT.name in (FOLDER / "README.md").read_text()
